//! Runs programs that stay up, and reaches them.

mod log;

pub use log::KeptLog;

use crate::{executor::LogStream, transport::ByteStream};
use async_trait::async_trait;
use opensky_types::{
    job::{Blob, Isolation, Program},
    place::Level,
    resources::Usage,
    service::{ReplicaId, ReplicaLimits, Saved, Secret, SecretValue, Volume},
    task::Failure,
};
use std::{io, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Most bytes of a replica's output that are kept, the newest ones.
pub const LOG_KEPT_BYTES: usize = 256 * 1024;

/// One replica to run.
#[derive(Debug, Clone)]
pub struct ServiceRun {
    /// Which; no other one of this name runs.
    pub replica: ReplicaId,
    /// What runs. Its blob is in the blob store already.
    pub program: Program,
    /// What it may use.
    pub limits: ReplicaLimits,
    /// Ports that will be dialled.
    pub ports: Vec<u16>,
    /// Names and ports under which the program reaches others; each is one outlet, by position.
    pub outlets: Vec<(String, u16)>,
    /// What the program is given and nobody else may see.
    pub secrets: Vec<(Secret, SecretValue)>,
    /// How long a component stays in memory while nobody is connected; none: always.
    pub idle: Option<Duration>,
    /// Folders that stay when the program ends. They are its slot's: nothing else of that slot runs.
    pub volumes: Vec<Volume>,
    /// Volumes of the revision before or after that this one does not have: kept for whoever goes back to it.
    pub other_volumes: Vec<Volume>,
    /// What these begin with, where nothing newer of the slot is here. Its blob is in the blob store already.
    pub begin: Option<Saved>,
    /// GPUs that are its own while it runs, by their places among those of the machine.
    pub gpus: Vec<u8>,
}

/// The way out of a replica: what it reaches is the node's to decide. Nothing else is reachable for it.
#[async_trait]
pub trait Outlet: Send + Sync {
    /// A stream to what outlet `index` stands for.
    async fn connect(&self, index: usize) -> io::Result<ByteStream>;
}

/// How a program came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceEnd {
    /// By itself or by a signal, with this exit code.
    Exited(i32),
    /// Something else ended it.
    Failed(Failure),
}

/// One program that runs. Dropping it does not end it; [`Instance::stop`] does.
#[async_trait]
pub trait Instance: Send + Sync {
    /// Waits for the end of the program, however it comes. May be called and dropped at any time.
    async fn ended(&self) -> InstanceEnd;

    /// A stream to one of its ports; fails while nothing listens there.
    async fn dial(&self, port: u16) -> io::Result<ByteStream>;

    /// The same to see whether it is well: room is kept for it, however many others are connected.
    async fn probe(&self, port: u16) -> io::Result<ByteStream> {
        self.dial(port).await
    }

    /// Runs a command beside the program, within its limits, for at most `patience`; its exit code.
    async fn command(&self, args: &[String], patience: Duration) -> Result<i32, Failure>;

    /// What it wrote, from the oldest that is kept, and goes on to write, until it ends. A reader that is slow
    /// misses what is over [`LOG_KEPT_BYTES`].
    fn follow(&self) -> mpsc::Receiver<(LogStream, Vec<u8>)>;

    /// The last of what it wrote, at most so many bytes, both outputs together as they came.
    fn last_words(&self, bytes_max: usize) -> Vec<u8>;

    /// What it has used since it began.
    async fn usage(&self) -> Usage;

    /// Asks it to end, ends it after `grace`, and clears away what is left. May be called more than once.
    async fn stop(&self, grace: Duration);
}

/// One way to run programs that stay up.
#[async_trait]
pub trait ServiceEngine: Send + Sync {
    /// The levels of programs that it can run as services.
    fn levels(&self) -> Vec<Level>;

    /// Isolations that its programs can ask for and be reached in.
    fn isolations(&self) -> Vec<Isolation> {
        Vec::new()
    }

    /// Starts a program. Once this returns it runs, whether it listens already or not.
    async fn start(&self, run: ServiceRun, outlet: Arc<dyn Outlet>) -> Result<Arc<dyn Instance>, Failure>;

    /// Packs the volumes of a replica into a blob of the blob store, as they are at one moment. It runs, or ran
    /// last in its slot. Engines whose programs have no files have none to save.
    async fn save(&self, replica: ReplicaId) -> Result<Blob, Failure> {
        Err(Failure::InvalidProgram { message: format!("{replica} has no volumes") })
    }

    /// A replica with volumes has ended for good. What is in them is removed where others have it, unless a later one
    /// of its slot goes on with them.
    async fn forget(&self, _replica: ReplicaId, _others_have_it: bool) {}

    /// Ends all programs. Volumes stay.
    async fn shut_down(&self);
}
