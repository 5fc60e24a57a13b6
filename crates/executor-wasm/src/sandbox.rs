//! What confines a worker process.
//!
//! A worker locks itself in before it sees a byte of anybody's program: first what every system has
//! ([`basics`]), then a file tree of its own ([`namespaces`]), Landlock ([`landlock`]: files again, and
//! network), last seccomp ([`syscalls`]: which system calls exist at all). Any one of them may be
//! missing on a machine, so they overlap on purpose; what is missing is reported, not hidden. On
//! systems other than Linux only the basics hold.

mod basics;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod namespaces;
#[cfg(target_os = "linux")]
mod syscalls;

pub use basics::{limit_file_bytes, limit_memory};

use borsh::{BorshDeserialize, BorshSerialize};
use std::path::Path;

/// What confines workers on this machine, as a worker found it after locking itself in.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SandboxReport {
    /// The layers, outermost first.
    pub layers: Vec<SandboxLayer>,
}

impl SandboxReport {
    /// Whether every layer holds.
    pub fn is_complete(&self) -> bool {
        self.layers.iter().all(|layer| layer.active)
    }
}

/// One layer of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SandboxLayer {
    /// `own process`, `private root`, `landlock`, `seccomp`.
    pub name: String,
    /// Whether it holds here.
    pub active: bool,
    /// What it covers, or why it does not hold.
    pub detail: String,
}

impl SandboxLayer {
    fn new(name: &str, active: bool, detail: impl Into<String>) -> Self {
        Self { name: name.into(), active, detail: detail.into() }
    }
}

/// What a worker keeps access to.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'a> {
    /// Folder it may read files of.
    pub read_dir: Option<&'a Path>,
    /// Folder it may do anything in.
    pub write_dir: Option<&'a Path>,
    /// Memory it may take beyond what it has now, in bytes.
    pub memory_bytes: u64,
    /// Whether it is handed connections that are open already.
    pub takes_connections: bool,
}

/// Locks this process in, for good. Call it while the process has one thread: threads inherit the
/// locks, but locks do not reach threads that are already there.
pub fn enter(allowed: Allowed<'_>) -> SandboxReport {
    let mut layers = vec![basics::apply(allowed.memory_bytes)];
    #[cfg(target_os = "linux")]
    {
        // In this order: each step needs what the next one takes away.
        layers.push(namespaces::apply(allowed.read_dir, allowed.write_dir));
        layers.push(landlock::apply(allowed.read_dir, allowed.write_dir));
        layers.push(syscalls::apply(allowed.takes_connections));
    }
    #[cfg(not(target_os = "linux"))]
    for name in ["private root", "landlock", "seccomp"] {
        layers.push(SandboxLayer::new(name, false, "only on Linux"));
    }
    SandboxReport { layers }
}
