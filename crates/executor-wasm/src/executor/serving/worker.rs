//! A worker that answers requests, and how connections get to it.

use crate::{
    executor::{
        Config,
        process::{Heard, Process},
    },
    frame::{Order, Report, Role, Serve},
};
use opensky_types::task::Failure;
use rustix::{
    fd::{AsFd, BorrowedFd},
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};
use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::fd::OwnedFd,
    process::Stdio,
    time::Duration,
};
use tokio::{io::Interest, net::UnixStream};

/// How long a worker may take to load a component.
const LOAD_LIMIT: Duration = Duration::from_secs(10);

/// A worker with the socket over which it is handed connections.
pub struct Server {
    pub process: Process,
    pub conveyor: Conveyor,
}

/// The way of connections to a worker.
pub struct Conveyor(UnixStream);

/// Why a component does not answer.
pub enum NotServing {
    /// The artefact has to be made again, unless it is what was compiled.
    Unusable { message: String, is_intact: bool },
    /// For good, or for now.
    Failure(Failure),
}

impl Server {
    /// Starts one, and waits until it has locked itself in.
    pub async fn spawn(config: &Config) -> Result<Self, Failure> {
        let lost = |error: io::Error| Failure::WorkerLost { message: error.to_string() };
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(lost)?;
        ours.set_nonblocking(true).map_err(lost)?;
        let conveyor = Conveyor(UnixStream::from_std(ours).map_err(lost)?);
        let role = Role::Serve { cache_dir: config.cache_dir.to_string_lossy().into_owned() };
        let stdout = Stdio::from(OwnedFd::from(theirs));
        let spawned =
            Process::spawn_with(&config.worker_command, 1, (role, config.worker_memory_bytes_max), stdout);
        let process = spawned.await.map_err(|error| Failure::WorkerLost { message: error.to_string() })?;
        Ok(Self { process, conveyor })
    }

    /// Has it load a component.
    pub async fn load(&mut self, serve: Serve) -> Result<(), NotServing> {
        let lost = |message: String| NotServing::Failure(Failure::WorkerLost { message });
        let order = Order::Serve(Box::new(serve));
        self.process.send(&order).await.map_err(|error| lost(error.to_string()))?;
        match tokio::time::timeout(LOAD_LIMIT, self.process.hear()).await {
            Ok(Heard::Report(Report::Serving)) => Ok(()),
            Ok(Heard::Report(Report::Unusable { message, is_intact })) => {
                Err(NotServing::Unusable { message, is_intact })
            }
            Ok(Heard::Report(Report::NotServing { message })) => {
                Err(NotServing::Failure(Failure::InvalidProgram { message }))
            }
            Ok(Heard::Report(Report::Fatal { message }) | Heard::Lost { message }) => Err(lost(message)),
            Ok(Heard::Report(_)) => Err(lost("a report out of place".into())),
            Err(_) => Err(lost(format!("no answer in {} s", LOAD_LIMIT.as_secs()))),
        }
    }
}

impl Conveyor {
    /// Opens a connection, whose far end the worker gets.
    pub async fn connect(&self) -> io::Result<UnixStream> {
        let (near, far) = UnixStream::pair()?;
        self.0.async_io(Interest::WRITABLE, || hand_over(self.0.as_fd(), far.as_fd())).await?;
        Ok(near)
    }
}

fn hand_over(conveyor: BorrowedFd<'_>, file: BorrowedFd<'_>) -> io::Result<()> {
    let files = [file];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(conveyor, &[IoSlice::new(b"C")], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}
