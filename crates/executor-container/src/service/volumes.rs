//! Volumes of replicas: mounted, watched, and packed while their program stands still.

use super::{ContainerServices, Shared, stopped};
use crate::engine::Found;
use bollard::{errors::Error as EngineError, query_parameters::KillContainerOptionsBuilder};
use opensky_executor::volumes::{VolumeError, VolumeFolders};
use opensky_ports::ServiceRun;
use opensky_types::{job::Blob, resources::Limit, service::ReplicaId, task::Failure};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Longest wait for the engine to let a program stand still, or go on.
const PAUSE_WAIT: Duration = Duration::from_secs(10);
/// Tries to let it go on.
const GO_ON_TRIES: usize = 5;
/// Time between two of them.
const AGAIN: Duration = Duration::from_secs(1);

/// A container whose volumes may be packed while it runs.
pub struct Running {
    pub engine: Arc<Found>,
    /// The container's name.
    pub name: String,
}

impl Shared {
    /// The folders of a replica's volumes, as it begins with them.
    pub async fn begin_volumes(&self, run: &ServiceRun) -> Result<Vec<PathBuf>, Failure> {
        if run.volumes.is_empty() {
            return Ok(Vec::new());
        }
        let (blobs, run) = (Arc::clone(&self.host.blobs), run.clone());
        self.with_volumes(move |folders| {
            folders.begin(run.replica, (&run.volumes, &run.other_volumes), run.begin, blobs.as_ref())
        })
        .await
        .map_err(failure)
    }

    /// Whether the volumes of a replica hold no more than they may.
    pub async fn check_volumes(&self, replica: ReplicaId) -> Result<(), Failure> {
        self.with_volumes(move |folders| folders.check(replica)).await.map_err(failure)
    }

    async fn with_volumes<T: Send + 'static>(
        &self,
        work: impl FnOnce(&VolumeFolders) -> Result<T, VolumeError> + Send + 'static,
    ) -> Result<T, VolumeError> {
        let folders = Arc::clone(&self.volumes);
        let working = tokio::task::spawn_blocking(move || work(&folders));
        working.await.unwrap_or_else(|panic| Err(std::io::Error::other(panic).into()))
    }
}

impl ContainerServices {
    /// Packs the volumes of a replica. Its program stands still meanwhile, so that what is packed was there at one
    /// moment, as after a power cut.
    pub(super) async fn save_volumes(&self, replica: ReplicaId) -> Result<Blob, Failure> {
        let running = self.shared.running_of(replica);
        if running.is_some() {
            let blobs = Arc::clone(&self.shared.host.blobs);
            let unchanged =
                self.shared.with_volumes(move |folders| folders.unchanged(replica, blobs.as_ref()));
            if let Some(blob) = unchanged.await.map_err(failure)? {
                return Ok(blob);
            }
        }
        if let Some(running) = &running {
            self.shared.with_volumes(move |folders| folders.flush(replica)).await.map_err(failure)?;
            running.pause().await?;
        }
        let blobs = Arc::clone(&self.shared.host.blobs);
        let packing = self.shared.with_volumes(move |folders| folders.pack(replica, blobs.as_ref()));
        // Whoever waits may go away; the program goes on all the same.
        let packed = self.shared.stopping.run_until_cancelled(packing).await;
        if let Some(running) = &running {
            running.go_on().await;
        }
        packed.ok_or(Failure::Cancelled)?.map_err(failure)
    }

    pub(super) async fn forget_volumes(&self, replica: ReplicaId, others_have_it: bool) {
        let forgotten = self.shared.with_volumes(move |folders| {
            let done = if others_have_it { folders.forget(replica) } else { folders.give_up(replica) };
            Ok(done?)
        });
        if let Err(error) = forgotten.await {
            tracing::warn!(%replica, %error, "volumes of a replica that has ended stay as they are");
        }
    }
}

impl Running {
    async fn pause(&self) -> Result<(), Failure> {
        let paused = timeout(PAUSE_WAIT, self.engine.docker.pause_container(&self.name)).await;
        match paused {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                // It may stand still all the same, or have ended.
                self.go_on().await;
                Err(stopped(&format!("its container cannot stand still while volumes are saved: {error}")))
            }
            Err(_) => {
                self.go_on().await;
                Err(stopped("the container engine does not answer"))
            }
        }
    }

    async fn go_on(&self) {
        for _ in 0..GO_ON_TRIES {
            match timeout(PAUSE_WAIT, self.engine.docker.unpause_container(&self.name)).await {
                Ok(Ok(())) => return,
                // It is gone, or does not stand still.
                Ok(Err(EngineError::DockerResponseServerError { status_code: 404 | 409, .. })) => return,
                Ok(Err(EngineError::DockerResponseServerError { message, .. }))
                    if message.contains("not paused") =>
                {
                    return;
                }
                Ok(Err(error)) => tracing::warn!(name = self.name, %error, "a container does not go on"),
                Err(_) => tracing::warn!(name = self.name, "the engine does not let a container go on"),
            }
            tokio::time::sleep(AGAIN).await;
        }
        // One that stands still for ever is worse than one that starts again.
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        let killed = timeout(PAUSE_WAIT, self.engine.docker.kill_container(&self.name, Some(options))).await;
        if !matches!(killed, Ok(Ok(()))) {
            tracing::error!(name = self.name, "a container stands still, and the engine does not end it");
        }
    }
}

fn failure(error: VolumeError) -> Failure {
    match error {
        VolumeError::Full { .. } | VolumeError::TooMany => {
            tracing::warn!(%error, "a volume is full");
            Failure::Limit { limit: Limit::Scratch }
        }
        VolumeError::Malformed(_) => Failure::InvalidProgram { message: error.to_string() },
        _ => stopped(&format!("its volumes: {error}")),
    }
}
