//! A real executor, an image made from scratch, and work for it.

use opensky_executor_container::{
    Config, ContainerExecutor,
    testing::{BUSYBOX, busybox},
};
use opensky_ports::{
    blobs::BlobStore,
    executor::{Executor, LogSink, LogStream, WorkBatch, WorkItem, WorkResult},
    testing::MemoryBlobs,
};
use opensky_types::{
    Hash,
    job::{Needs, Program},
    place::Level,
    resources::TaskLimits,
    task::{Content, Failure, Outcome, TaskInput, TaskOutput},
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Longest wait for an engine under load to end what it was told to end.
const TRACES_WAIT: Duration = Duration::from_secs(180);

/// An executor of a node of its own.
pub struct Setup {
    pub executor: Arc<ContainerExecutor>,
    pub blobs: Arc<MemoryBlobs>,
    pub image: Hash,
    pub size_bytes: u64,
    pub folder: tempfile::TempDir,
    pub owner: String,
}

impl Setup {
    /// None, with the reason on the screen, where no containers can be run.
    pub async fn new(test: &str) -> Option<Self> {
        Self::with(test, |_| {}).await
    }

    /// The same with an engine that listens on one of these sockets.
    pub async fn on(test: &str, sockets: Vec<PathBuf>) -> Option<Self> {
        Self::with(test, |config| config.sockets = sockets).await
    }

    /// The same with a runtime of the engine, where it has that.
    pub async fn within(test: &str, runtime: &str) -> Option<Self> {
        Self::with(test, |config| config.runtime = Some(runtime.to_owned())).await
    }

    /// The same, set up in another way.
    pub async fn with(test: &str, change: impl FnOnce(&mut Config)) -> Option<Self> {
        static NODES: AtomicU32 = AtomicU32::new(0);
        let Some(archive) = busybox() else {
            eprintln!("skipped: {test}: there is no {BUSYBOX}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let blobs = Arc::new(MemoryBlobs::new(1 << 30));
        let image = blobs.put(&archive).unwrap();
        let number = NODES.fetch_add(1, Ordering::Relaxed);
        let owner = format!("test-{}-{number}", std::process::id());
        let mut config = config(folder.path(), &owner);
        change(&mut config);
        let what = config.runtime.as_ref().map(|name| format!(" that has {name}")).unwrap_or_default();
        let executor = ContainerExecutor::start(config, blobs.clone()).await.unwrap();
        if executor.engines().is_empty() {
            eprintln!("skipped: {test}: no container engine answers{what}");
            return None;
        }
        let (image, size_bytes) = (image.hash, image.size_bytes);
        Some(Self { executor: Arc::new(executor), blobs, image, size_bytes, folder, owner })
    }

    /// Tasks that run a script, one for each item.
    pub fn script(&self, script: &str, items: &[&str]) -> WorkBatch {
        let args = ["sh", "-c", script, "sh", "{item}"].map(String::from);
        self.batch(args.to_vec(), items)
    }

    pub fn batch(&self, args: Vec<String>, items: &[&str]) -> WorkBatch {
        let program = Program {
            hash: self.image,
            size_bytes: self.size_bytes,
            level: Level::Container,
            function: String::new(),
            args,
            env: vec![("GREETING".into(), "hello".into())],
            deterministic: false,
            needs: Needs::default(),
        };
        let item = |(key, item): (u64, &&str)| WorkItem {
            key,
            input: TaskInput { item: (*item).to_owned(), stdin: Vec::new() },
        };
        let limits = TaskLimits { memory_bytes: 64 << 20, wall_ms: 60_000, ..TaskLimits::default() };
        WorkBatch { program, seed: 0, limits, gpus: Vec::new(), items: (0..).zip(items).map(item).collect() }
    }

    /// Runs one script as one task.
    pub async fn run(&self, script: &str) -> WorkResult {
        self.run_within(script, |_| {}).await
    }

    /// The same with other limits.
    pub async fn run_within(&self, script: &str, change: impl FnOnce(&mut TaskLimits)) -> WorkResult {
        let mut batch = self.script(script, &["item"]);
        change(&mut batch.limits);
        self.run_batch(batch).await.remove(0)
    }

    pub async fn run_batch(&self, batch: WorkBatch) -> Vec<WorkResult> {
        let told = Told::default();
        self.executor.run(batch, &told, CancellationToken::new()).await;
        told.0.into_inner().unwrap()
    }
}

impl Setup {
    /// Ids of the containers of this node.
    pub fn containers(&self) -> Vec<String> {
        let ours = format!("label=opensky.node={}", self.owner);
        let listed = std::process::Command::new("docker").args(["ps", "-aq", "--filter", &ours]).output();
        let listed = listed.map(|listed| String::from_utf8_lossy(&listed.stdout).into_owned());
        listed.unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// What replicas have on this machine: containers, folders, control groups.
    pub fn traces(&self) -> Vec<String> {
        let names = |folder: &Path| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path().display().to_string()).collect::<Vec<_>>()
        };
        let folders = names(&self.folder.path().join("scratch/services"));
        let folders = folders.into_iter().filter(|path| !path.ends_with("/door"));
        let groups = names(Path::new("/sys/fs/cgroup"))
            .into_iter()
            .flat_map(|hierarchy| names(&Path::new(&hierarchy).join(format!("opensky-{}", self.owner))));
        let groups = groups.filter(|path| path.contains("/replica-"));
        self.containers().into_iter().chain(folders).chain(groups).collect()
    }

    /// Waits until replicas have left nothing. What an engine under load does not end at once, it ends behind.
    pub async fn nothing_is_left(&self) {
        let gone = async {
            while !self.traces().is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let is_gone = tokio::time::timeout(TRACES_WAIT, gone).await;
        assert!(is_gone.is_ok(), "{:?}", self.traces());
    }
}

impl Drop for Setup {
    /// A test that failed leaves nothing that runs.
    fn drop(&mut self) {
        for id in self.containers() {
            // Some are being removed already.
            let _ = std::process::Command::new("docker").args(["rm", "-f", &id]).output();
        }
        // Nor groups that count nothing any more; what is busy still stays.
        for hierarchy in std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            let group = hierarchy.path().join(format!("opensky-{}", self.owner));
            let slots =
                ["slot-0", "slot-1", "replica-0", "replica-1", "replica-2"].map(|place| group.join(place));
            slots.iter().chain([&group]).for_each(|folder| drop(std::fs::remove_dir(folder)));
        }
    }
}

pub async fn start(folder: &Path, owner: &str, blobs: Arc<MemoryBlobs>) -> ContainerExecutor {
    ContainerExecutor::start(config(folder, owner), blobs).await.unwrap()
}

/// The usual way.
pub fn config(folder: &Path, owner: &str) -> Config {
    Config {
        sockets: Vec::new(),
        runtime: None,
        registries: Vec::new(),
        gpus: Vec::new(),
        look_every: Duration::from_secs(1),
        slots: 2,
        scratch_dir: folder.join("scratch"),
        volumes_dir: folder.join("volumes"),
        images_cap_bytes: 4 << 30,
        owner: owner.to_owned(),
    }
}

#[derive(Default)]
pub struct Told(pub Mutex<Vec<WorkResult>>);

impl LogSink for Told {
    fn written(&self, _key: u64, _stream: LogStream, _bytes: &[u8]) {}

    fn ended(&self, result: WorkResult) {
        self.0.lock().unwrap().push(result);
    }
}

/// The output of a program that ended by itself.
pub fn exited(result: &WorkResult) -> &TaskOutput {
    match &result.outcome {
        Outcome::Exited(output) => output,
        Outcome::Failed { failure, stderr, .. } => {
            panic!("it failed: {failure}: {}", String::from_utf8_lossy(&bytes(stderr)))
        }
    }
}

pub fn failure(result: &WorkResult) -> &Failure {
    match &result.outcome {
        Outcome::Failed { failure, .. } => failure,
        Outcome::Exited(output) => panic!("it exited with {}: {}", output.exit_code, text(&output.stdout)),
    }
}

pub fn bytes(content: &Content) -> Vec<u8> {
    match content {
        Content::Inline(bytes) => bytes.clone(),
        Content::Blob(blob) => panic!("{} bytes are not inline", blob.size_bytes),
    }
}

pub fn text(content: &Content) -> String {
    String::from_utf8(bytes(content)).unwrap()
}
