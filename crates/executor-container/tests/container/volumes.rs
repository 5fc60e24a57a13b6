//! Volumes of services: kept, counted, and packed at one moment.

use crate::{
    services::{Echoes, PATIENCE, dial, end_of, replica},
    support::Setup,
};
use opensky_ports::{Instance, InstanceEnd, ServiceEngine, blobs::BlobStore};
use opensky_types::{
    resources::Limit,
    samples,
    service::{ReplicaId, SaveId, Saved, Volume},
    task::Failure,
};
use std::{sync::Arc, time::Duration};

fn volumes(size_bytes: u64) -> Vec<Volume> {
    vec![Volume { name: "data".into(), path: "/var/lib/data".into(), size_bytes }]
}

fn of(generation: u64) -> ReplicaId {
    ReplicaId { generation, ..replica(0) }
}

impl Setup {
    async fn with_volume(
        &self,
        script: &str,
        (generation, size_bytes): (u64, u64),
        begin: Option<Saved>,
    ) -> Result<Arc<dyn Instance>, Failure> {
        let mut run = self.service(script, of(generation));
        (run.volumes, run.begin) = (volumes(size_bytes), begin);
        self.executor.services().start(run, Arc::new(Echoes { refuses: false })).await
    }

    /// What a script writes that runs to its end.
    async fn words_with(&self, script: &str, generation: u64, begin: Option<Saved>) -> String {
        let started = self.with_volume(script, (generation, 1 << 20), begin).await;
        let instance = started.unwrap_or_else(|failure| panic!("it does not start: {failure}"));
        assert_eq!(end_of(instance.as_ref()).await, InstanceEnd::Exited(0));
        instance.stop(Duration::ZERO).await;
        String::from_utf8_lossy(&instance.last_words(usize::MAX)).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_a_volume_outlives_its_program_and_moves_as_a_blob() {
    let Some(setup) = Setup::new("volumes").await else { return };
    let script =
        "echo first > /var/lib/data/file; mkdir /var/lib/data/sub; ln -s file /var/lib/data/link; echo done";
    assert_eq!(setup.words_with(script, 1, None).await, "done\n");
    // The next one in the slot finds it, whatever it was saved as.
    assert_eq!(
        setup.words_with("cat /var/lib/data/file; touch /var/lib/data/mine", 2, None).await,
        "first\n"
    );
    let services = setup.executor.services();
    let blob = services.save(of(2)).await.expect("what has ended is saved");
    assert!(services.save(of(1)).await.is_err(), "it is another one's now");
    services.forget(of(2), true).await;
    assert_eq!(setup.words_with("ls /var/lib/data", 3, None).await, "");
    services.forget(of(3), true).await;
    let saved = Saved { id: SaveId { generation: 2, count: 1 }, blob, at: samples::NOW };
    // It can be read, written and removed by whom the program runs as.
    let script =
        "cat /var/lib/data/link; rm /var/lib/data/mine; echo more >> /var/lib/data/file; ls /var/lib/data";
    assert_eq!(setup.words_with(script, 4, Some(saved)).await, "first\nfile\nlink\nsub\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_a_program_stands_still_while_its_volume_is_saved() {
    let Some(setup) = Setup::new("saving while it runs").await else { return };
    // Two files that are the same at every moment but in between.
    let script = "cd /var/lib/data; echo 0 > a; echo 0 > b; (i=0; while true; do i=$((i+1)); echo $i > a.new; mv a.new a; \
                  echo $i > b.new; mv b.new b; done) & exec nc -ll -p 80 -e cat";
    let instance = setup.with_volume(script, (1, 1 << 20), None).await.expect("it starts");
    drop(dial(instance.as_ref()).await);
    let services = setup.executor.services();
    for _ in 0..10 {
        let blob = services.save(of(1)).await.expect("it is saved");
        let archive = setup.blobs.get(&blob.hash, 1 << 20).unwrap().expect("it is here");
        let number = |name: &str| -> i64 {
            // A head of 512 bytes, then the content.
            let head =
                archive.chunks(512).position(|block| block.starts_with(format!("data/{name}\0").as_bytes()));
            let content = &archive[(head.expect("it is in it") + 1) * 512..][..16];
            let text = String::from_utf8_lossy(content);
            text.trim_end_matches('\0').trim().parse().expect("a number")
        };
        let apart = number("a") - number("b");
        assert!((0..=1).contains(&apart), "a is {apart} ahead of b");
        // It goes on.
        drop(dial(instance.as_ref()).await);
    }
    instance.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j4_a_volume_that_is_too_full_ends_its_program() {
    let Some(setup) = Setup::new("a full volume").await else { return };
    let script =
        "i=0; while true; do i=$((i+1)); head -c 300000 /dev/zero > /var/lib/data/$i; sleep 0.1; done";
    let instance = setup.with_volume(script, (1, 1 << 20), None).await.expect("it starts");
    let end = tokio::time::timeout(PATIENCE, instance.ended()).await.expect("it ends");
    assert_eq!(end, InstanceEnd::Failed(Failure::Limit { limit: Limit::Scratch }));
    instance.stop(Duration::ZERO).await;
    // What it wrote is saved all the same: the next revision may give it more room.
    setup.executor.services().save(of(1)).await.expect("it is saved");
}

#[tokio::test(flavor = "multi_thread")]
async fn j4_a_volume_shows_nothing_of_the_machine() {
    let Some(setup) = Setup::new("what a volume shows").await else { return };
    let script = "ln -s /etc/shadow /var/lib/data/shadow; ln -s / /var/lib/data/root; mkfifo /var/lib/data/pipe; \
                  mknod /var/lib/data/disk b 8 0 2>&1; chmod 4777 /var/lib/data; ls /var/lib/data/..; \
                  touch /var/lib/data/../escaped 2>&1";
    let started = setup.with_volume(&format!("{{ {script}; }}; exit 0"), (1, 1 << 20), None).await;
    let instance = started.expect("it starts");
    end_of(instance.as_ref()).await;
    let words = String::from_utf8_lossy(&instance.last_words(usize::MAX)).into_owned();
    assert!(words.contains("Operation not permitted") && words.contains("Read-only file system"), "{words}");
    instance.stop(Duration::ZERO).await;
    let blob = setup.executor.services().save(of(1)).await.expect("links and pipes are no matter");
    let archive = setup.blobs.get(&blob.hash, 1 << 20).unwrap().expect("it is here");
    assert!(!archive.windows(6).any(|bytes| bytes == b"root:*" || bytes == b"root:x"), "links were followed");
    let mode = setup.folder.path().join("volumes").metadata().unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700, "it is the node's alone");
}
