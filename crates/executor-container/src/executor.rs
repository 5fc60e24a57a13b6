//! The executor: slots, and batches on them.

use crate::{
    create::OWNER_LABEL,
    engine::{Found, Watch, usual_sockets},
    images::Images,
    meter::Meter,
    task::{self, Slot},
};
use async_trait::async_trait;
use bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use opensky_executor::scratch::{Scratch, remove_tree};
use opensky_ports::{
    blobs::BlobStore,
    executor::{Engine, Executor, LogSink, WorkBatch},
};
use std::{
    collections::HashMap,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How tasks run in containers.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sockets on which an engine may listen, best first; empty for the usual ones.
    pub sockets: Vec<PathBuf>,
    /// Time between two looks at whether an engine is there and well.
    pub look_every: Duration,
    /// Most tasks at a time.
    pub slots: usize,
    /// Folder for the files of running tasks; emptied at start.
    pub scratch_dir: PathBuf,
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
    watch: Arc<Watch>,
    images: Images,
    blobs: Arc<dyn BlobStore>,
    /// Removes containers that are done with.
    cleaner: TaskTracker,
    owner: String,
    free: Mutex<Vec<Slot>>,
    slots: Semaphore,
    slots_count: u32,
    stopping: CancellationToken,
}

impl ContainerExecutor {
    /// Looks for an engine and clears away what an earlier life of this node left in it. Finding none is
    /// no error: it may come later.
    pub async fn start(config: Config, blobs: Arc<dyn BlobStore>) -> Result<Self, StartError> {
        let sockets = if config.sockets.is_empty() { usual_sockets() } else { config.sockets };
        let scratch_dir = fresh_folder(&config.scratch_dir)
            .map_err(|source| StartError { path: config.scratch_dir.clone(), source })?;
        let slots = (0..config.slots).map(|number| Slot {
            scratch: Arc::new(Scratch::new(&scratch_dir.join(format!("slot-{number}")))),
            meter: Meter::new(&config.owner, number),
        });
        let slots: Vec<Slot> = slots.collect();
        let watch = Watch::start(sockets, config.look_every).await;
        if let Some(engine) = watch.found() {
            remove_leftovers(&engine, &config.owner).await;
        }
        Ok(Self {
            watch,
            images: Images::new(Arc::clone(&blobs), config.images_cap_bytes),
            blobs,
            cleaner: TaskTracker::new(),
            owner: config.owner,
            free: Mutex::new(slots),
            slots: Semaphore::new(config.slots),
            slots_count: u32::try_from(config.slots).unwrap_or(u32::MAX),
            stopping: CancellationToken::new(),
        })
    }

    fn take_slot(&self) -> Option<Slot> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, slot: Slot) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
    }
}

#[async_trait]
impl Executor for ContainerExecutor {
    fn engines(&self) -> Vec<Engine> {
        self.watch.found().map(|found| found.engine()).into_iter().collect()
    }

    async fn run(&self, batch: WorkBatch, sink: &dyn LogSink, cancel: CancellationToken) {
        let permit = self.slots.acquire().await;
        let mut slot = if permit.is_ok() { self.take_slot() } else { None };
        for item in &batch.items {
            let engine = self.watch.found();
            let result = match (&engine, &mut slot) {
                _ if cancel.is_cancelled() || self.stopping.is_cancelled() => task::cancelled(item.key),
                (Some(engine), Some(slot)) => {
                    let call = task::Call {
                        engine,
                        images: &self.images,
                        blobs: &self.blobs,
                        cleaner: &self.cleaner,
                        owner: &self.owner,
                        batch: &batch,
                    };
                    let stop = [&cancel, &self.stopping];
                    call.run(slot, item, sink, stop).await
                }
                _ => task::no_engine(item.key),
            };
            sink.ended(result);
        }
        if let Some(slot) = slot {
            self.give_back(slot);
        }
    }

    async fn shut_down(&self) {
        self.stopping.cancel();
        self.watch.stop();
        // Batches end their containers; each gives its slot back.
        if self.slots.acquire_many(self.slots_count).await.is_ok() {
            self.cleaner.close();
            self.cleaner.wait().await;
            let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            free.iter().for_each(|slot| slot.meter.remove());
        }
    }
}

/// An empty folder that only this user can list. Programs reach what is below it through their mounts.
fn fresh_folder(path: &Path) -> std::io::Result<PathBuf> {
    remove_tree(path)?;
    std::fs::create_dir_all(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o711))?;
    path.canonicalize()
}

/// Removes the containers of an earlier life of this node.
async fn remove_leftovers(engine: &Found, owner: &str) {
    let filters = HashMap::from([("label".to_owned(), vec![format!("{OWNER_LABEL}={owner}")])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let left = match engine.docker.list_containers(Some(options)).await {
        Ok(left) => left,
        Err(error) => {
            tracing::warn!(%error, "the containers of an earlier start could not be listed");
            return;
        }
    };
    for id in left.into_iter().filter_map(|container| container.id) {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match engine.docker.remove_container(&id, Some(options)).await {
            Ok(()) => tracing::info!(id, "a container of an earlier start was removed"),
            Err(error) => tracing::warn!(id, %error, "a container of an earlier start stays"),
        }
    }
}
