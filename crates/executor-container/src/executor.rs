//! The executor: slots, and batches on them.

use crate::{
    engine::{Wanted, Watch, usual_sockets},
    gpus::InUse,
    host::Host,
    images::Images,
    service::ContainerServices,
    slots::{Lent, Slots},
    task,
};
use async_trait::async_trait;
use opensky_executor::scratch::remove_tree;
use opensky_ports::{
    GpuDevice,
    blobs::BlobStore,
    executor::{Engine, Executor, LogSink, WorkBatch, WorkItem, WorkResult},
    service::ServiceEngine,
};
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How tasks run in containers.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sockets on which an engine may listen, best first; empty for the usual ones.
    pub sockets: Vec<PathBuf>,
    /// The engine's runtime that containers run in, by its name, such as `runsc` (gVisor); none: the plain one.
    pub runtime: Option<String>,
    /// Time between two looks at whether an engine is there and well.
    pub look_every: Duration,
    /// Most tasks at a time.
    pub slots: usize,
    /// Folder for the files of running tasks; emptied at start.
    pub scratch_dir: PathBuf,
    /// Folder for the volumes of services.
    pub volumes_dir: PathBuf,
    /// Registries, or parts of them such as `ghcr.io/owner`, that images may come from.
    pub registries: Vec<String>,
    /// The machine's GPUs, as its profile lists them.
    pub gpus: Vec<GpuDevice>,
    /// Most bytes of images in the engine, unpacked.
    pub images_cap_bytes: u64,
    /// Names this node among others that use the same engine; letters, digits and dashes.
    pub owner: String,
}

/// Why the executor could not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare folder {}", path.display())]
pub struct StartError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// Runs tasks in containers of an engine on this machine, while there is one.
pub struct ContainerExecutor {
    host: Arc<Host>,
    services: Arc<ContainerServices>,
    /// Removes containers that are done with.
    cleaner: TaskTracker,
    slots: Slots,
    stopping: CancellationToken,
}

impl ContainerExecutor {
    /// Looks for an engine and clears away what an earlier life of this node left in it. Finding none is
    /// no error: it may come later.
    pub async fn start(config: Config, blobs: Arc<dyn BlobStore>) -> Result<Self, StartError> {
        let sockets = if config.sockets.is_empty() { usual_sockets() } else { config.sockets };
        // First of all: what runs still writes into the folders.
        let wanted = Wanted {
            sockets,
            runtime: config.runtime,
            registries: config.registries,
            gpus: config.gpus,
            every: config.look_every,
            owner: config.owner.clone(),
        };
        let watch = Watch::start(wanted).await;
        let scratch_dir = fresh_folder(&config.scratch_dir)
            .map_err(|source| StartError { path: config.scratch_dir.clone(), source })?;
        let path = scratch_dir.join("images");
        std::fs::create_dir(&path).map_err(|source| StartError { path: path.clone(), source })?;
        let images = Images::new(Arc::clone(&blobs), config.images_cap_bytes, path);
        let stopping = CancellationToken::new();
        let slots = Slots::new(config.slots, &scratch_dir, &config.owner, stopping.clone());
        let host = Arc::new(Host { watch, images, blobs, gpus: InUse::default(), owner: config.owner });
        let path = scratch_dir.join("services");
        let services = ContainerServices::new(Arc::clone(&host), path.clone(), config.volumes_dir);
        let services = Arc::new(services.map_err(|source| StartError { path, source })?);
        Ok(Self { host, services, cleaner: TaskTracker::new(), slots, stopping })
    }

    /// Why an engine that is there is not used, if none is.
    pub fn problem(&self) -> Option<String> {
        self.host.watch.problem()
    }

    /// The services that run beside the tasks, in the same engine. They are shut down with it, if not before.
    pub fn services(&self) -> Arc<ContainerServices> {
        Arc::clone(&self.services)
    }

    async fn run_item(
        &self,
        batch: &WorkBatch,
        item: &WorkItem,
        lent: Option<&mut Lent>,
        sink: &dyn LogSink,
        cancel: &CancellationToken,
    ) -> WorkResult {
        if cancel.is_cancelled() || self.stopping.is_cancelled() {
            return task::cancelled(item.key);
        }
        let (Some(engine), Some(slot)) = (self.host.watch.found(), lent.and_then(Lent::usable)) else {
            return task::no_engine(item.key);
        };
        let call = task::Call {
            engine: &engine,
            images: &self.host.images,
            blobs: &self.host.blobs,
            cleaner: &self.cleaner,
            owner: &self.host.owner,
            gpus: &self.host.gpus,
            batch,
        };
        call.run(slot, item, sink, [cancel, &self.stopping]).await
    }
}

#[async_trait]
impl Executor for ContainerExecutor {
    fn engines(&self) -> Vec<Engine> {
        self.host.watch.found().map(|found| found.engine()).into_iter().collect()
    }

    async fn run(&self, batch: WorkBatch, sink: &dyn LogSink, cancel: CancellationToken) {
        let mut lent = cancel.run_until_cancelled(self.slots.lend()).await.flatten();
        for item in &batch.items {
            sink.ended(self.run_item(&batch, item, lent.as_mut(), sink, &cancel).await);
        }
    }

    async fn shut_down(&self) {
        self.stopping.cancel();
        self.services.shut_down().await;
        self.host.watch.stop();
        // Batches end their containers; each gives its slot back.
        self.slots.close().await;
        self.cleaner.close();
        self.cleaner.wait().await;
    }
}

/// An empty folder that only this user can list. Programs reach what is below it through their mounts.
fn fresh_folder(path: &Path) -> std::io::Result<PathBuf> {
    remove_tree(path)?;
    std::fs::create_dir_all(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o711))?;
    path.canonicalize()
}
