//! Memory limits that a container or service manager has set, cgroup v1 and v2.
//!
//! Source: the kernel's `admin-guide/cgroup-v2` and `admin-guide/cgroup-v1/memory`.

use crate::roots::{Roots, read_value};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A memory limit and how much of it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryLimit {
    /// The limit, in bytes.
    pub limit_bytes: u64,
    /// Taken, without file cache that the kernel would give back, in bytes.
    pub used_bytes: u64,
}

impl MemoryLimit {
    /// What is left below the limit.
    pub fn left_bytes(self) -> u64 {
        self.limit_bytes.saturating_sub(self.used_bytes)
    }
}

/// The names of one cgroup version's files.
struct Files {
    limit: &'static str,
    used: &'static str,
    reclaimable: &'static str,
}

const V1: Files = Files {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    reclaimable: "total_inactive_file",
};
const V2: Files = Files { limit: "memory.max", used: "memory.current", reclaimable: "inactive_file" };

/// The limit with the least left, among this process's cgroup and all above it; `None` without any.
pub(crate) fn memory_limit(roots: &Roots) -> Option<MemoryLimit> {
    let memberships = fs::read_to_string(roots.proc.join("self/cgroup")).ok()?;
    memberships
        .lines()
        .filter_map(|line| membership(roots, line))
        .flat_map(|(mount, path, files)| limits_up_from(&mount, &path, files))
        .min_by_key(|limit| (limit.left_bytes(), limit.limit_bytes))
}

/// Reads a line of `/proc/self/cgroup`: `hierarchy:controllers:path`.
fn membership(roots: &Roots, line: &str) -> Option<(PathBuf, PathBuf, &'static Files)> {
    let mut parts = line.splitn(3, ':');
    let (hierarchy, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let mount = roots.sys.join("fs/cgroup");
    let path = PathBuf::from(path.trim_start_matches('/'));
    if hierarchy == "0" && controllers.is_empty() {
        return Some((mount, path, &V2));
    }
    controllers.split(',').any(|name| name == "memory").then(|| (mount.join("memory"), path, &V1))
}

/// A container sees its own cgroup as the root, so a path that is not there is looked for above.
fn limits_up_from(mount: &Path, path: &Path, files: &Files) -> Vec<MemoryLimit> {
    path.ancestors().filter_map(|above| read_limit(&mount.join(above), files)).collect()
}

fn read_limit(folder: &Path, files: &Files) -> Option<MemoryLimit> {
    // "max" and numbers near 2^63 both stand for "no limit".
    let limit_bytes: u64 = read_value(&folder.join(files.limit))?;
    if limit_bytes >= 1 << 60 {
        return None;
    }
    let used: u64 = read_value(&folder.join(files.used)).unwrap_or(0);
    let reclaimable = fs::read_to_string(folder.join("memory.stat"))
        .ok()
        .and_then(|stat| field(&stat, files.reclaimable))
        .unwrap_or(0);
    Some(MemoryLimit { limit_bytes, used_bytes: used.saturating_sub(reclaimable) })
}

fn field(stat: &str, name: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests;
