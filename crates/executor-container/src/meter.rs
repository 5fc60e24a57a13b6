//! Processor time and memory of a program, from the counters of the kernel.
//!
//! The control group of a container is gone as soon as the container ends, and a short task is over before
//! anyone could read it. So each slot, and each replica of a service, has a group of its own above it, which the engine makes and nobody
//! removes while the node runs: what was used below it stays counted there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where control groups are mounted.
const ROOT: &str = "/sys/fs/cgroup";
/// How deep groups of a container lie below that of its slot.
const GROUPS_DEPTH_MAX: u8 = 3;

/// The counters of one slot.
#[derive(Debug)]
pub struct Meter {
    /// The group's path, from the root of all groups.
    group: String,
    files: Files,
    /// Processor time of earlier tasks of the slot, in microseconds.
    before_us: u64,
    can_reset_peak: bool,
}

/// Where the counters are.
#[derive(Debug)]
struct Files {
    is_v2: bool,
    cpu: PathBuf,
    memory: PathBuf,
    memory_peak: PathBuf,
}

impl Files {
    fn new(group: &str) -> Self {
        let root = Path::new(ROOT);
        let below = group.trim_start_matches('/');
        if root.join("cgroup.controllers").exists() {
            let folder = root.join(below);
            Self {
                is_v2: true,
                cpu: folder.join("cpu.stat"),
                memory: folder.join("memory.current"),
                memory_peak: folder.join("memory.peak"),
            }
        } else {
            let memory = root.join("memory").join(below);
            Self {
                is_v2: false,
                cpu: root.join("cpuacct").join(below).join("cpuacct.usage"),
                memory: memory.join("memory.usage_in_bytes"),
                memory_peak: memory.join("memory.max_usage_in_bytes"),
            }
        }
    }

    /// Processor time since the group began, in microseconds.
    fn cpu_us(&self) -> io::Result<u64> {
        let text = fs::read_to_string(&self.cpu)?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(io::Error::other);
        if self.is_v2 {
            let line = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
            number(line.ok_or(io::ErrorKind::InvalidData)?)
        } else {
            Ok(number(&text)? / 1_000)
        }
    }
}

impl Meter {
    /// The counters of a place of the node `owner`, such as `slot-0`.
    pub fn new(owner: &str, place: &str) -> Self {
        let group = format!("/opensky-{owner}/{place}");
        Self { files: Files::new(&group), group, before_us: 0, can_reset_peak: false }
    }

    /// The group above the container's own.
    pub fn group(&self) -> String {
        self.group.clone()
    }

    /// A task begins.
    pub fn begin(&mut self) {
        // The first task finds no group yet.
        self.before_us = self.files.cpu_us().unwrap_or(0);
        // The newer kind starts anew only for whoever keeps the file open.
        self.can_reset_peak = !self.files.is_v2
            && (!self.files.memory_peak.exists() || fs::write(&self.files.memory_peak, "0").is_ok());
    }

    /// Processor time of the task so far, in microseconds. `None` where the kernel does not say.
    pub fn cpu_us(&self) -> Option<u64> {
        self.files.cpu_us().ok().map(|now| now.saturating_sub(self.before_us))
    }

    /// Memory that the task has right now, in bytes.
    pub fn memory_bytes(&self) -> Option<u64> {
        number(&self.files.memory)
    }

    /// Most memory of the task so far, in bytes. `None` where only root may start that count anew.
    pub fn memory_peak_bytes(&self) -> Option<u64> {
        if self.can_reset_peak { number(&self.files.memory_peak) } else { None }
    }

    /// Removes the groups of the slot, once nothing runs in it; `false` if one stays: only root may, and Podman's own
    /// processes take a moment to leave.
    pub fn remove(&self) -> bool {
        let root = Path::new(ROOT);
        let hierarchies = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut are_gone = true;
        for hierarchy in hierarchies.chain([root.to_owned()]) {
            let slot = hierarchy.join(self.group.trim_start_matches('/'));
            if !slot.exists() {
                continue;
            }
            remove_group(&slot, GROUPS_DEPTH_MAX);
            are_gone &= !slot.exists();
            // The one above goes with its last slot.
            slot.parent().into_iter().for_each(|above| remove_group(above, 1));
        }
        are_gone
    }
}

/// Removes a group and those below it, which some runtimes leave. Those that hold processes stay.
fn remove_group(group: &Path, depth_max: u8) {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    for below in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if depth_max > 1 {
            remove_group(&below.path(), depth_max - 1);
        }
    }
    if let Err(error) = fs::remove_dir(group) {
        tracing::debug!(group = %group.display(), %error, "a control group stays");
    }
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
