//! One worker process and the socket to it.

use crate::{
    frame::{self, Order, Report, Role, Start},
    sandbox::SandboxReport,
};
use opensky_types::codec::DecodeError;
use std::{
    io::ErrorKind,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::UnixStream,
    process::{Child, Command},
};

/// How long a worker may take to lock itself in.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Bytes asked for in one read.
const READ_BYTES: usize = 64 << 10;

/// Why there is no worker.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The system did not start it.
    #[error("cannot start {}", program.display())]
    Start {
        program: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// It started and then did not get ready.
    #[error("{} did not become a worker: {problem}", program.display())]
    NotReady { program: PathBuf, problem: String },
}

/// A worker that is ready. Dropping it kills it.
pub struct Process {
    child: Child,
    socket: UnixStream,
    /// Bytes read and not yet decoded start at `start`.
    inbound: Vec<u8>,
    start: usize,
    sandbox: SandboxReport,
}

/// What happened on the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes went out.
    Sent(usize),
    /// Bytes came in.
    Received,
    /// The worker hung up.
    Gone,
}

/// The next thing to know about a worker.
#[derive(Debug)]
pub enum Heard {
    /// It said something.
    Report(Report),
    /// It is gone or speaks nonsense.
    Lost { message: String },
}

impl Process {
    /// Starts a worker and waits until it has locked itself in.
    pub async fn spawn(
        command: &(PathBuf, Vec<String>),
        threads: usize,
        role: Role,
        memory_bytes_max: u64,
    ) -> Result<Self, SpawnError> {
        Self::spawn_with(command, threads, (role, memory_bytes_max), Stdio::null()).await
    }

    /// The same with something in the place of its standard output.
    pub async fn spawn_with(
        command: &(PathBuf, Vec<String>),
        threads: usize,
        (role, memory_bytes_max): (Role, u64),
        stdout: Stdio,
    ) -> Result<Self, SpawnError> {
        let program = command.0.clone();
        let failed = |source| SpawnError::Start { program: program.clone(), source };
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        let child = Command::new(&command.0)
            .args(&command.1)
            .env_clear()
            .env("RAYON_NUM_THREADS", threads.to_string())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(stdout)
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let socket = UnixStream::from_std(ours).map_err(failed)?;
        let sandbox = SandboxReport { layers: Vec::new() };
        let mut process = Self { child, socket, inbound: Vec::new(), start: 0, sandbox };
        let start = Start { role, parent_pid: std::process::id(), memory_bytes_max };
        let problem = match tokio::time::timeout(START_LIMIT, process.become_ready(start)).await {
            Ok(Ok(())) => return Ok(process),
            Ok(Err(problem)) => problem,
            Err(_) => format!("no answer in {} s", START_LIMIT.as_secs()),
        };
        Err(SpawnError::NotReady { program, problem })
    }

    async fn become_ready(&mut self, start: Start) -> Result<(), String> {
        self.send(&Order::Start(start)).await.map_err(|error| error.to_string())?;
        match self.hear().await {
            Heard::Report(Report::Ready { sandbox }) => {
                self.sandbox = sandbox;
                Ok(())
            }
            Heard::Report(Report::Fatal { message }) | Heard::Lost { message } => Err(message),
            Heard::Report(_) => Err("it answered something else".into()),
        }
    }

    /// What confines it, by its own word.
    pub fn sandbox(&self) -> &SandboxReport {
        &self.sandbox
    }

    /// Sends one order.
    pub async fn send(&mut self, order: &Order) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        frame::append(&mut bytes, order);
        self.socket.write_all(&bytes).await
    }

    /// Sends what fits of `outbound` or receives what is there, whichever can be done first. Cancel
    /// safe.
    pub async fn progress(&mut self, outbound: &[u8]) -> Progress {
        let interest = match outbound {
            [] => Interest::READABLE,
            _ => Interest::READABLE | Interest::WRITABLE,
        };
        loop {
            let Ok(ready) = self.socket.ready(interest).await else { return Progress::Gone };
            if ready.is_writable() && !outbound.is_empty() {
                match self.socket.try_write(outbound) {
                    Ok(size) => return Progress::Sent(size),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    // What it said before it went is still to be read.
                    Err(_) if ready.is_readable() => {}
                    Err(_) => return Progress::Gone,
                }
            }
            if ready.is_readable() {
                self.inbound.drain(..self.start);
                self.start = 0;
                self.inbound.reserve(READ_BYTES);
                match self.socket.try_read_buf(&mut self.inbound) {
                    Ok(0) => return Progress::Gone,
                    Ok(_) => return Progress::Received,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return Progress::Gone,
                }
            }
        }
    }

    /// The next report among the bytes received.
    pub fn next_report(&mut self) -> Result<Option<Report>, DecodeError> {
        let found = frame::split(&self.inbound[self.start..])?;
        Ok(found.map(|(report, size)| {
            self.start += size;
            report
        }))
    }

    /// Waits for the next report. Cancel safe.
    pub async fn hear(&mut self) -> Heard {
        loop {
            match self.next_report() {
                Ok(Some(report)) => return Heard::Report(report),
                Ok(None) => {}
                Err(error) => return Heard::Lost { message: format!("it sent a {error}") },
            }
            if let Progress::Gone = self.progress(&[]).await {
                return Heard::Lost { message: self.end().await };
            }
        }
    }

    /// Kills it if it still lives and says how it ended.
    pub async fn end(&mut self) -> String {
        // Whoever hung up is about to end; only one that does not is killed.
        if let Ok(Ok(status)) = tokio::time::timeout(Duration::from_millis(200), self.child.wait()).await {
            return describe(status);
        }
        self.kill().await
    }

    /// Kills it and waits until it is gone.
    pub async fn kill(&mut self) -> String {
        match self.child.kill().await {
            Ok(()) => self.child.wait().await.map_or_else(|error| error.to_string(), describe),
            Err(error) => error.to_string(),
        }
    }

    /// The signal that ended it, where one did.
    pub fn signal(&mut self) -> Option<i32> {
        self.child.try_wait().ok().flatten().and_then(|status| status.signal())
    }

    /// Whether it has not ended.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Process id, while it lives.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (_, Some(signal)) => format!("ended by signal {signal}{}", signal_name(signal)),
        (Some(code), None) => format!("ended with status {code}"),
        (None, None) => "ended".into(),
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => " (aborted, such as for lack of memory)",
        libc::SIGKILL => " (killed, such as by the system for lack of memory)",
        libc::SIGSEGV => " (bad memory access)",
        _ => "",
    }
}
