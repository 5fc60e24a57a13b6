//! What services in containers can do, and how they are reached.

use crate::support::{Setup, start};
use async_trait::async_trait;
use opensky_ports::{
    ByteStream, Executor, Instance, InstanceEnd, Outlet, ServiceEngine, ServiceRun,
    testing::contract::{self, Does},
};
use opensky_types::{
    Hash, NodeId, ServiceId,
    job::{Needs, Program},
    place::Level,
    resources::{FUEL_PER_CPU_US, Limit},
    service::{ReplicaId, ReplicaLimits},
    task::Failure,
};
use std::{io, sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Longest wait for anything that must happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Each connection to an outlet answers with what it hears, or is refused.
pub struct Echoes {
    pub refuses: bool,
}

#[async_trait]
impl Outlet for Echoes {
    async fn connect(&self, index: usize) -> io::Result<ByteStream> {
        if self.refuses {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, mut far) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            far.write_all(format!("outlet {index}\n").as_bytes()).await?;
            let (mut read, mut write) = tokio::io::split(far);
            tokio::io::copy(&mut read, &mut write).await?;
            write.shutdown().await
        });
        Ok(Box::new(near))
    }
}

pub fn replica(slot: u16) -> ReplicaId {
    let owner: NodeId = opensky_types::samples::node(1);
    ReplicaId { service: ServiceId::of(&owner, "test"), slot, generation: 1 }
}

impl Setup {
    /// A replica that runs a script, with two names of three outlets.
    pub fn service(&self, script: &str, replica: ReplicaId) -> ServiceRun {
        let program = Program {
            hash: self.image,
            size_bytes: self.size_bytes,
            level: Level::Container,
            function: String::new(),
            args: ["sh", "-c", script].map(String::from).to_vec(),
            env: vec![("GREETING".into(), "hello".into())],
            deterministic: false,
            needs: Needs::default(),
        };
        let outlets = [("db", 5432), ("cache", 8080), ("db", 8080)];
        ServiceRun {
            replica,
            program,
            limits: ReplicaLimits { memory_bytes: 64 << 20, scratch_bytes: 10 << 20, cpu_cores: 1 },
            ports: vec![80],
            outlets: outlets.map(|(name, port)| (name.to_owned(), port)).to_vec(),
            secrets: Vec::new(),
            idle: None,
            volumes: Vec::new(),
            other_volumes: Vec::new(),
            begin: None,
            gpus: Vec::new(),
        }
    }

    pub async fn started(&self, script: &str) -> Arc<dyn Instance> {
        self.started_within(script, |_| {}).await
    }

    /// The same with other limits.
    pub async fn started_within(
        &self,
        script: &str,
        change: impl FnOnce(&mut ReplicaLimits),
    ) -> Arc<dyn Instance> {
        let mut run = self.service(script, replica(0));
        change(&mut run.limits);
        let outlet = Arc::new(Echoes { refuses: false });
        let started = self.executor.services().start(run, outlet).await;
        started.unwrap_or_else(|failure| panic!("it does not start: {failure}"))
    }
}

/// Dials until it listens.
pub async fn dial(instance: &dyn Instance) -> ByteStream {
    let dialled = async {
        loop {
            match instance.dial(80).await {
                Ok(stream) => return stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, dialled).await.expect("it listens")
}

/// All that comes until the other side ends.
pub async fn heard(stream: &mut ByteStream) -> Vec<u8> {
    let mut heard = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
    read.expect("it ends").expect("no error");
    heard
}

pub async fn end_of(instance: &dyn Instance) -> InstanceEnd {
    tokio::time::timeout(PATIENCE, instance.ended()).await.expect("it ends")
}

/// What it wrote, once it has ended by itself.
pub async fn words_of(setup: &Setup, script: &str) -> String {
    let instance = setup.started(script).await;
    let end = end_of(instance.as_ref()).await;
    let words = String::from_utf8_lossy(&instance.last_words(usize::MAX)).into_owned();
    assert!(matches!(end, InstanceEnd::Exited(_)), "{end:?}: {words}");
    words
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_promises_of_a_service_engine() {
    let Some(setup) = Setup::new("the promises of a service engine").await else { return };
    let run = |does, replica| {
        let script = match does {
            Does::Echo => "echo begun; exec nc -ll -p 80 -e cat",
            Does::Relay => "exec nc -ll -p 80 -e nc cache 8080",
            Does::Exit => "echo bye >&2; exit 7",
        };
        let mut run = setup.service(script, replica);
        run.outlets = vec![("cache".into(), 8080)];
        run
    };
    contract::service_engine(setup.executor.services(), run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_a_program_finds_what_it_is_told_to_find() {
    let Some(setup) = Setup::new("what a service finds").await else { return };
    let script = "echo $GREETING $HOME; id -u; hostname; touch /tmp/a && echo tmp; touch /evil || echo root; \
                  cat /etc/hosts | grep -v ip6; ls /out; nc db 5432 </dev/null; nc cache 8080 </dev/null; \
                  echo question | nc db 8080; ps -o pid,comm; cat /proc/$$/status | grep -i children";
    let words = words_of(&setup, script).await;
    for line in [
        "hello /tmp\n",
        "service\n",
        "tmp\n",
        "root\n",
        "127.0.1.1\tdb\n",
        "127.0.1.2\tcache\n",
        "127.0.0.1\tservice\n",
        "outlet 0\n",
        "outlet 1\n",
        "outlet 2\nquestion\n",
    ] {
        assert!(words.contains(line), "{line:?} is not in {words}");
    }
    let user = std::fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).unwrap();
    assert!(words.contains(if user == 0 { "\n65534\n" } else { "\n" }), "{words}");
    assert!(!words.contains("\n0\n"), "it runs as root: {words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_pass_the_door_whole_and_each_end_by_itself() {
    let Some(setup) = Setup::new("bytes pass the door").await else { return };
    // It answers only once it has heard all.
    let script = "exec nc -ll -p 80 -e sh -c 'cat > /tmp/$$; cat /tmp/$$; rm /tmp/$$'";
    let instance = setup.started(script).await;
    drop(dial(instance.as_ref()).await);
    let sent: Vec<u8> =
        (0..1_u32 << 18).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    assert_eq!(sent.len(), 1 << 20);
    let round = async |sent: &[u8]| {
        let mut stream = dial(instance.as_ref()).await;
        stream.write_all(sent).await.unwrap();
        stream.shutdown().await.unwrap();
        assert!(heard(&mut stream).await == sent, "1 MiB there and back is as it was");
    };
    // Two at a time: the program's queue of connections is no longer.
    tokio::join!(round(&sent), round(&sent));
    tokio::join!(round(b"short"), round(b""));
    instance.stop(Duration::ZERO).await;
    // The same through an outlet: what goes out comes back, and ends.
    let words = words_of(&setup, "head -c 1048576 /dev/zero | nc cache 8080 | wc -c").await;
    assert_eq!(words, format!("{}\n", (1 << 20) + "outlet 1\n".len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_within_their_time() {
    let Some(setup) = Setup::new("commands").await else { return };
    let instance = setup.started("touch /tmp/mark; exec sleep 1000").await;
    let run = async |args: &[&str], patience| {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        instance.command(&args, patience).await
    };
    let there = async {
        while run(&["sh", "-c", "test -e /tmp/mark"], PATIENCE).await != Ok(0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, there).await.expect("a command sees the program's files");
    assert_eq!(run(&["sh", "-c", "exit 9"], PATIENCE).await, Ok(9));
    assert_eq!(run(&["sh", "-c", "kill -9 $$"], PATIENCE).await, Ok(137));
    let missing = run(&["nonsense"], PATIENCE).await;
    assert!(matches!(missing, Err(Failure::InvalidProgram { .. })), "{missing:?}");
    assert!(matches!(run(&[], PATIENCE).await, Err(Failure::InvalidProgram { .. })));
    assert!(matches!(run(&["a\0b"], PATIENCE).await, Err(Failure::InvalidProgram { .. })));
    // What it started goes with it, and what it writes is nobody's.
    let slow = "head -c 100000000 /dev/zero; sleep 777 & sleep 777";
    let late = run(&["sh", "-c", slow], Duration::from_millis(500)).await;
    assert_eq!(late, Err(Failure::Limit { limit: Limit::Time }));
    assert_eq!(run(&["sh", "-c", "! ps -o args | grep -q '[s]leep 777'"], PATIENCE).await, Ok(0));
    assert_eq!(instance.last_words(100), b"");
    instance.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m1_use_of_a_service_is_counted_by_the_kernel() {
    let Some(setup) = Setup::new("use of a service").await else { return };
    let busy = "x=$(head -c 20000000 /dev/zero | tr '\\0' x); i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo done; exec sleep 1000";
    let instance = setup.started_within(busy, |limits| limits.memory_bytes = 128 << 20).await;
    let done = async {
        while instance.last_words(10) != b"done\n" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("it gets done");
    let usage = instance.usage().await;
    assert!(usage.cpu_us > 50_000 && usage.cpu_us <= usage.wall_us + 50_000, "{usage:?}");
    assert!(usage.memory_peak_bytes > 20_000_000, "{usage:?}");
    assert_eq!(usage.fuel, usage.cpu_us * FUEL_PER_CPU_US);
    instance.stop(Duration::ZERO).await;
    let ended = instance.usage().await;
    assert!(ended.cpu_us >= usage.cpu_us && ended.wall_us >= usage.wall_us);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(instance.usage().await, ended, "what has ended uses nothing more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_its_time_to_end_and_no_more() {
    let Some(setup) = Setup::new("time to end").await else { return };
    let polite = "trap 'echo bye; exit 5' TERM; echo up; while true; do sleep 0.1; done";
    let instance = setup.started(polite).await;
    let up = async |instance: &dyn Instance| {
        while instance.last_words(3) != b"up\n" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    up(instance.as_ref()).await;
    instance.stop(PATIENCE).await;
    assert_eq!(end_of(instance.as_ref()).await, InstanceEnd::Exited(5));
    assert!(instance.last_words(100).ends_with(b"bye\n"), "what it writes at its end is kept");
    let deaf = setup.started("trap '' TERM; echo up; while true; do sleep 0.1; done").await;
    up(deaf.as_ref()).await;
    let asked = std::time::Instant::now();
    deaf.stop(Duration::from_secs(1)).await;
    let took = asked.elapsed();
    assert_eq!(end_of(deaf.as_ref()).await, InstanceEnd::Exited(137));
    assert!((Duration::from_secs(1)..Duration::from_secs(20)).contains(&took), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_cannot_be_started_say_why() {
    let Some(setup) = Setup::new("services that cannot be started").await else { return };
    let services = setup.executor.services();
    let start = async |change: &dyn Fn(&mut ServiceRun)| {
        let mut run = setup.service("true", replica(0));
        change(&mut run);
        services.start(run, Arc::new(Echoes { refuses: false })).await
    };
    let refused = start(&|run| run.program.hash = Hash::of(b"no image")).await;
    assert!(
        matches!(&refused, Err(Failure::WorkerLost { .. } | Failure::ProviderStopped { .. }))
            || refused.is_err()
    );
    let small = start(&|run| run.limits.memory_bytes = 1 << 20).await;
    assert!(matches!(small, Err(Failure::InvalidProgram { message }) if message.contains("memory")));
    let clash = start(&|run| run.outlets[0].1 = 80).await;
    assert!(matches!(clash, Err(Failure::InvalidProgram { message }) if message.contains("port 80")));
    let variable = start(&|run| run.program.env = vec![("A=B".into(), "c".into())]).await;
    assert!(matches!(variable, Err(Failure::InvalidProgram { .. })));
    // Its image's usual command, and an outlet that leads nowhere.
    let usual = start(&|run| run.program.args.clear()).await.unwrap();
    assert_eq!(
        (end_of(usual.as_ref()).await, usual.last_words(9)),
        (InstanceEnd::Exited(0), b"usual\n".to_vec())
    );
    let mut run = setup.service("nc db 5432; echo $?", replica(0));
    run.program.args[2].push_str("; nc 127.0.0.1 81; echo $?");
    let refused = services.start(run, Arc::new(Echoes { refuses: true })).await.unwrap();
    end_of(refused.as_ref()).await;
    let words = String::from_utf8(refused.last_words(1_000)).unwrap();
    assert!(!words.contains("outlet"), "{words}");
    services.shut_down().await;
    setup.nothing_is_left().await;
    let after = start(&|_| {}).await;
    assert!(matches!(after, Err(Failure::ProviderStopped { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_nothing_is_left_of_replicas() {
    let Some(setup) = Setup::new("nothing is left of replicas").await else { return };
    let services = setup.executor.services();
    let sleeper = || setup.service("exec sleep 1000", replica(0));
    let outlet = || Arc::new(Echoes { refuses: false });
    // A start that nobody waits for any more, at any moment of it.
    for delay_ms in [0, 5, 20, 80, 150, 250, 400] {
        let start = services.start(sleeper(), outlet());
        if let Ok(started) = tokio::time::timeout(Duration::from_millis(delay_ms), start).await {
            // This one is there for whoever asked for it, and stays until that stops it.
            started.unwrap().stop(Duration::ZERO).await;
        }
    }
    let gone = async {
        while !setup.traces().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("what nobody waited for is cleared away");
    let crashed = setup.started("exit 3").await;
    assert_eq!(end_of(crashed.as_ref()).await, InstanceEnd::Exited(3));
    let stopped = setup.started("exec sleep 1000").await;
    stopped.stop(Duration::from_secs(5)).await;
    let running = setup.started("exec sleep 1000").await;
    assert!(!setup.traces().is_empty(), "the test sees what there is");
    tokio::time::timeout(PATIENCE, services.shut_down()).await.expect("it shuts down in a minute");
    assert!(matches!(end_of(running.as_ref()).await, InstanceEnd::Exited(_)));
    setup.nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_replicas_of_an_earlier_life_are_removed() {
    let Some(setup) = Setup::new("replicas of an earlier life").await else { return };
    let left = setup.started("exec sleep 1000").await;
    assert!(!setup.containers().is_empty());
    // A node that is killed stops nothing; its next life begins.
    let next = start(&setup.folder.path().join("next"), &setup.owner, setup.blobs.clone()).await;
    assert_eq!(setup.containers(), Vec::<String>::new());
    // Whoever would still be there sees the end.
    end_of(left.as_ref()).await;
    next.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_replicas_live_side_by_side() {
    let Some(setup) = Setup::new("many small replicas").await else { return };
    let services = setup.executor.services();
    let start = async |slot: u16| {
        let mut run = setup.service(&format!("exec nc -ll -p 80 -e echo {slot}"), replica(slot));
        // As little as engines take: door and program have room in it.
        run.limits.memory_bytes = 16 << 20;
        services.start(run, Arc::new(Echoes { refuses: false })).await.unwrap()
    };
    let replicas = futures::future::join_all((0..8).map(start)).await;
    let asked = replicas.iter().zip(0..).map(|(instance, slot)| async move {
        for _ in 0..8 {
            let said = heard(&mut dial(instance.as_ref()).await).await;
            assert_eq!(said, format!("{slot}\n").into_bytes(), "each is its own");
        }
    });
    futures::future::join_all(asked).await;
    futures::future::join_all(replicas.iter().map(|instance| instance.stop(Duration::from_secs(5)))).await;
    setup.nothing_is_left().await;
}
