//! Services: containers that stay up, without a network, each reached through a door of its own.
//!
//! `life` is one replica from start to end, `instance` what its owner holds of it, `door` the node's side of
//! its door; the other side is a small program of ours (`door/door.rs`), mounted beside the image; `volumes` is
//! what outlives it.

mod door;
mod instance;
mod life;
mod secrets;
mod volumes;

use crate::{create, host::Host};
use async_trait::async_trait;
use life::Life;
use opensky_executor::volumes::VolumeFolders;
use opensky_ports::{Instance, Outlet, ServiceEngine, ServiceRun};
use opensky_types::{
    job::{Blob, Isolation},
    place::Level,
    service::ReplicaId,
    task::Failure,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use volumes::Running;

/// The door's own program; empty where this build has none.
const DOOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/door"));

/// Runs services in containers of an engine on this machine, while there is one.
pub struct ContainerServices {
    shared: Arc<Shared>,
    replicas: TaskTracker,
}

/// What all replicas know.
struct Shared {
    host: Arc<Host>,
    /// Where their files are, each in a folder of its own.
    folder: PathBuf,
    /// Numbers that are taken; each stands for a folder, a container's name and a control group.
    places: Mutex<BTreeSet<usize>>,
    /// What outlives replicas.
    volumes: Arc<VolumeFolders>,
    /// Containers of replicas that run.
    running: Mutex<BTreeMap<ReplicaId, Arc<Running>>>,
    stopping: CancellationToken,
}

impl ContainerServices {
    /// Keeps its files in a new folder, and volumes in one that stays.
    pub(crate) fn new(host: Arc<Host>, folder: PathBuf, volumes: PathBuf) -> io::Result<Self> {
        fs::create_dir(&folder)?;
        // Sockets are in it, and programs run as a user that others may run as too.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        write_door(&folder)?;
        let shared = Shared {
            host,
            folder,
            places: Mutex::default(),
            volumes: Arc::new(VolumeFolders::new(volumes, create::user())?),
            running: Mutex::default(),
            stopping: CancellationToken::new(),
        };
        Ok(Self { shared: Arc::new(shared), replicas: TaskTracker::new() })
    }
}

#[async_trait]
impl ServiceEngine for ContainerServices {
    fn levels(&self) -> Vec<Level> {
        vec![Level::Container]
    }

    fn isolations(&self) -> Vec<Isolation> {
        let engine = self.shared.host.watch.found();
        let has = |isolation: &Isolation| engine.as_ref().is_some_and(|it| it.has_sockets_for(*isolation));
        [Isolation::Gvisor].into_iter().filter(has).collect()
    }

    async fn start(&self, run: ServiceRun, outlet: Arc<dyn Outlet>) -> Result<Arc<dyn Instance>, Failure> {
        if DOOR.is_empty() {
            return Err(stopped(
                "this build of the node cannot run services: it was made without their door",
            ));
        }
        let engine = self.shared.host.watch.found();
        let Some(engine) = engine.filter(|_| !self.shared.stopping.is_cancelled()) else {
            return Err(stopped("nothing can run services here right now"));
        };
        if !engine.has_sockets_for(run.program.needs.isolation) {
            return Err(stopped(
                "this node's gVisor shows no sockets to programs: its owner gives runsc the argument --host-uds=open",
            ));
        }
        let (started, starting) = oneshot::channel();
        // A task of its own: whoever waits for the start may stop to wait, at any moment.
        let given_up = CancellationToken::new();
        let waiting = given_up.clone().drop_guard();
        let life = Life::new(Arc::clone(&self.shared), engine, run, given_up);
        self.replicas.spawn(life.live(outlet, started));
        let started = starting.await;
        waiting.disarm();
        started.unwrap_or_else(|_| Err(Failure::WorkerLost { message: "its task ended".into() }))
    }

    async fn save(&self, replica: ReplicaId) -> Result<Blob, Failure> {
        self.save_volumes(replica).await
    }

    async fn forget(&self, replica: ReplicaId, others_have_it: bool) {
        self.forget_volumes(replica, others_have_it).await;
    }

    async fn shut_down(&self) {
        self.shared.stopping.cancel();
        self.replicas.close();
        self.replicas.wait().await;
    }
}

impl Shared {
    fn door(&self) -> PathBuf {
        door_in(&self.folder)
    }

    /// The lowest number that is free.
    fn take_place(&self) -> usize {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let free = (0..).find(|number| !places.contains(number)).unwrap_or_default();
        places.insert(free);
        free
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<ReplicaId, Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running_of(&self, replica: ReplicaId) -> Option<Arc<Running>> {
        self.running().get(&replica).cloned()
    }

    fn give_back(&self, place: usize) {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).remove(&place);
    }
}

fn door_in(folder: &Path) -> PathBuf {
    folder.join("door")
}

fn write_door(folder: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o555).open(door_in(folder))?;
    io::Write::write_all(&mut file, DOOR)?;
    // Whatever this process keeps from others by default.
    file.set_permissions(fs::Permissions::from_mode(0o555))
}

fn stopped(message: &str) -> Failure {
    Failure::ProviderStopped { message: message.to_owned() }
}
