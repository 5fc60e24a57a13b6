//! The worker's side: a process that compiles or runs programs and can do nothing else.
//!
//! [`main`] reads one trusted frame that says what this worker is for, builds the engine, locks
//! itself in and then takes orders. Nobody's program is looked at before the locks hold.

mod compile;
mod determinism;
mod failure;
mod inbox;
mod limiter;
mod outbox;
mod outputs;
mod program;
mod run;
mod serve;
mod streams;
mod task;
mod values;
mod watchdog;

use crate::{
    engine,
    frame::{Order, Report, Role, Start},
    sandbox::{self, Allowed, SandboxReport},
};
pub(crate) use compile::PROGRAM_BYTES_MAX;
use inbox::Inbox;
use outbox::Outbox;
use std::{
    fs::File,
    os::fd::{FromRawFd, OwnedFd},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
};

/// The executor at the other end, as the parts of a worker share it.
#[derive(Clone)]
struct Link {
    inbox: Arc<Mutex<Inbox>>,
    outbox: Arc<Outbox>,
}

/// Runs as a worker: locks the process in, then serves the executor at the other end of standard
/// input until it hangs up. The binary calls this from its hidden `worker` command, before it opens
/// files, starts threads or a runtime.
pub fn main() -> ExitCode {
    // SAFETY: descriptor 0 is open in every process the executor starts, and nothing else in a
    // worker uses standard input.
    let socket = File::from(unsafe { OwnedFd::from_raw_fd(0) });
    let Ok(writer) = socket.try_clone() else { return ExitCode::FAILURE };
    let outbox = Arc::new(Outbox::new(writer));
    let link = Link { inbox: Arc::new(Mutex::new(Inbox::new(socket, outbox.clone()))), outbox };
    match serve(&link) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            link.outbox.send(&Report::Fatal { message });
            link.outbox.flush();
            ExitCode::FAILURE
        }
    }
}

fn serve(link: &Link) -> Result<(), String> {
    let first = link.next_order();
    let Some(Order::Start(start)) = first else { return Err("the first order must be a start".into()) };
    let config = match start.role {
        Role::Serve { .. } => engine::serving_config(),
        Role::Compile | Role::Run { .. } => engine::config(),
    };
    let engine = wasmtime::Engine::new(&config).map_err(|error| format!("{error:#}"))?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time();
    if let Role::Serve { .. } = start.role {
        // Makes what Tokio has once in a process for signals: a pair of sockets, which no worker can make once it
        // is locked in.
        runtime.enable_io();
    }
    let runtime = runtime.build().map_err(|error| format!("cannot start a runtime: {error}"))?;
    prefer_for_the_out_of_memory_killer();
    let sandbox = lock_in(&start)?;
    let watchdog = watchdog::start(engine.clone(), link.outbox.clone(), start.parent_pid)
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    link.outbox.send(&Report::Ready { sandbox });
    match start.role {
        Role::Compile => {
            watchdog.task_starts();
            compile::serve(link, &engine)
        }
        Role::Run { cache_dir, scratch_dir } => {
            let worker = run::Worker::new(
                engine,
                link.clone(),
                watchdog,
                PathBuf::from(cache_dir),
                scratch_dir.into(),
            )?;
            runtime.block_on(worker.serve())
        }
        Role::Serve { cache_dir } => serve::serve(link, &engine, watchdog, &PathBuf::from(cache_dir)),
    }
}

/// Locks the process in as its role needs.
fn lock_in(start: &Start) -> Result<SandboxReport, String> {
    let (read_dir, write_dir) = match &start.role {
        Role::Compile => (None, None),
        Role::Serve { cache_dir } => (Some(Path::new(cache_dir)), None),
        Role::Run { cache_dir, scratch_dir } => (Some(Path::new(cache_dir)), Some(Path::new(scratch_dir))),
    };
    std::env::set_current_dir(write_dir.unwrap_or(Path::new("/")))
        .map_err(|error| format!("cannot enter the scratch folder: {error}"))?;
    Ok(sandbox::enter(Allowed {
        read_dir,
        write_dir,
        memory_bytes: start.memory_bytes_max,
        takes_connections: matches!(start.role, Role::Serve { .. }),
    }))
}

/// When the machine runs out of memory, a worker goes before the node does (threat F14).
fn prefer_for_the_out_of_memory_killer() {
    // Best effort: other systems have no such file, and then the kernel's own choice stands.
    let _ = std::fs::write("/proc/self/oom_score_adj", "800");
}

impl Link {
    /// Waits for the next order; `None` when the executor hung up.
    fn next_order(&self) -> Option<Order> {
        self.inbox.lock().expect("no user of the inbox panics").next_order()
    }
}
