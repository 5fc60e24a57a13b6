//! What processes use, as Linux tells it.

use anyhow::{Context, Result};
use std::{collections::BTreeMap, fs};

/// Processor time of a process and of what it started, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// Of the process itself.
    pub own: f64,
    /// Of its children and theirs, those that have ended included.
    pub children: f64,
}

impl Cpu {
    /// Use since `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self { own: self.own - earlier.own, children: self.children - earlier.children }
    }

    /// Both together, of two processes.
    pub fn plus(self, other: Self) -> Self {
        Self { own: self.own + other.own, children: self.children + other.children }
    }
}

struct Stat {
    parent: u32,
    own_s: f64,
    waited_s: f64,
}

/// Reads the processor time of `pid`.
pub fn cpu(pid: u32) -> Result<Cpu> {
    let all = all();
    let root = all.get(&pid).with_context(|| format!("process {pid} has ended"))?;
    let below = descendants(&all, pid);
    let children = below.iter().filter_map(|pid| all.get(pid)).map(|stat| stat.own_s + stat.waited_s);
    Ok(Cpu { own: root.own_s, children: root.waited_s + children.sum::<f64>() })
}

/// Processes that `pid` started, and those that they started.
pub fn children(pid: u32) -> Vec<u32> {
    descendants(&all(), pid)
}

fn all() -> BTreeMap<u32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

fn descendants(all: &BTreeMap<u32, Stat>, root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(all.iter().filter(|(_, stat)| stat.parent == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

fn stat(pid: u32) -> Option<Stat> {
    // The name, in parentheses, may hold anything; fields are counted after it (proc_pid_stat(5)).
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    // USER_HZ is 100 on every Linux that Rust supports.
    let seconds = |index: usize| fields.get(index)?.parse::<f64>().ok().map(|ticks| ticks / 100.0);
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own_s: seconds(11)? + seconds(12)?,
        waited_s: seconds(13)? + seconds(14)?,
    })
}

/// Memory of `pid` in MB (10⁶ bytes): `VmRSS` for now, `VmHWM` for its peak.
pub fn memory_mb(pid: u32, field: &str) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    Ok(kib.with_context(|| format!("no {field} of process {pid}"))? * 1024.0 / 1e6)
}

/// Load of the machine over the last minute, and its cores.
pub fn load() -> (f64, usize) {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = text.split(' ').next().and_then(|field| field.parse().ok()).unwrap_or(0.0);
    (load, std::thread::available_parallelism().map_or(1, usize::from))
}
