//! How busy the processor is with anything but this node and the workers it started.
//!
//! Source: the kernel's `filesystems/proc`, files `stat` and `[pid]/stat`. Both count in the same
//! ticks, so that the size of a tick does not matter.

use crate::roots::{Roots, entries, name_of};
use std::{collections::BTreeMap, fs};

/// Ticks since boot, summed over all cores.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ticks {
    /// Spent in any way.
    all: u64,
    /// Spent working.
    busy: u64,
    /// Spent by this process, its living descendants, and the ended ones that were waited for.
    own: u64,
}

/// Compares the ticks of one reading with those of the one before.
#[derive(Debug, Default)]
pub(crate) struct CpuMeter {
    last: Ticks,
}

impl CpuMeter {
    /// Use by others since the last call (at the first: since boot), in percent of all cores. Zero
    /// where the system does not say.
    pub fn others_percent(&mut self, roots: &Roots, own_pid: u32) -> u8 {
        let Some(now) = read(roots, own_pid) else { return 0 };
        let since = |now: u64, last: u64| now.saturating_sub(last);
        let all = since(now.all, self.last.all);
        let others = since(now.busy, self.last.busy).saturating_sub(since(now.own, self.last.own));
        self.last = now;
        (others * 100).checked_div(all).unwrap_or(0).min(100) as u8
    }
}

fn read(roots: &Roots, own_pid: u32) -> Option<Ticks> {
    let stat = fs::read_to_string(roots.proc.join("stat")).ok()?;
    let counters: Vec<u64> = stat.lines().next()?.split_whitespace().skip(1).flat_map(str::parse).collect();
    // user nice system idle iowait irq softirq steal; the guest times after them are within user.
    let [user, nice, system, idle, iowait, irq, softirq, steal] = *counters.first_chunk::<8>()?;
    // Stolen time is work of other machines on this one: others' all the same.
    let busy = user + nice + system + irq + softirq + steal;
    Some(Ticks { all: busy + idle + iowait, busy, own: own_ticks(roots, own_pid) })
}

/// One process, as `[pid]/stat` has it.
struct Process {
    parent: u32,
    ticks: u64,
}

fn own_ticks(roots: &Roots, own_pid: u32) -> u64 {
    let processes: BTreeMap<u32, Process> = entries(&roots.proc)
        .iter()
        .filter_map(|folder| {
            let pid = name_of(folder).parse().ok()?;
            Some((pid, parse_process(&fs::read_to_string(folder.join("stat")).ok()?)?))
        })
        .collect();
    processes
        .iter()
        .filter(|(pid, _)| descends(&processes, **pid, own_pid))
        .map(|(_, process)| process.ticks)
        .sum()
}

/// The name, in parentheses, may hold anything, so fields are counted from its end.
fn parse_process(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // utime, stime, and both of the children that were waited for.
    let ticks = number(11)? + number(12)? + number(13)? + number(14)?;
    Some(Process { parent: fields.get(1)?.parse().ok()?, ticks })
}

/// Whether `pid` is `ancestor` or below it. Bounded, since pids are read one after the other and may
/// be reused meanwhile.
fn descends(processes: &BTreeMap<u32, Process>, pid: u32, ancestor: u32) -> bool {
    const DEPTH_MAX: usize = 64;
    std::iter::successors(Some(pid), |pid| processes.get(pid).map(|process| process.parent))
        .take(DEPTH_MAX)
        .any(|pid| pid == ancestor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roots::fixture::Tree;

    fn process(pid: u32, name: &str, parent: u32, ticks: [u64; 4]) -> String {
        let [user, system, children_user, children_system] = ticks;
        format!(
            "{pid} ({name}) S {parent} 1 1 0 -1 4194560 9 8 7 6 {user} {system} {children_user} {children_system} 20 0 1 0 5\n"
        )
    }

    #[test]
    fn own_work_and_that_of_workers_is_not_others() {
        let tree = Tree::new(&[
            ("proc/stat", "cpu  1000 0 500 8000 500 0 0 0 0 0\ncpu0 1 2 3\n"),
            ("proc/10/stat", &process(10, "opensky", 1, [100, 0, 0, 0])),
            ("proc/11/stat", &process(11, "a worker) S 99", 10, [0, 0, 0, 0])),
            ("proc/12/stat", &process(12, "browser", 1, [700, 0, 0, 0])),
        ]);
        let mut meter = CpuMeter::default();
        // Since boot: 1500 of 10000 ticks, 100 of them own.
        assert_eq!(meter.others_percent(&tree.roots(), 10), 14);

        // 1000 ticks later: 600 busy; 250 by the worker, 50 by one that has ended.
        tree.write("proc/stat", "cpu  1600 0 500 8400 500 0 0 0 0 0\n");
        tree.write("proc/10/stat", &process(10, "opensky", 1, [100, 0, 30, 20]));
        tree.write("proc/11/stat", &process(11, "a worker) S 99", 10, [200, 50, 0, 0]));
        assert_eq!(meter.others_percent(&tree.roots(), 10), 30);
    }

    #[test]
    fn a_worker_that_vanishes_does_not_make_others_negative() {
        let tree = Tree::new(&[
            ("proc/stat", "cpu 100 0 0 100 0 0 0 0 0 0\n"),
            ("proc/10/stat", &process(10, "opensky", 1, [90, 0, 0, 0])),
        ]);
        let mut meter = CpuMeter::default();
        meter.others_percent(&tree.roots(), 10);
        tree.write("proc/stat", "cpu 100 0 0 200 0 0 0 0 0 0\n");
        tree.write("proc/10/stat", &process(10, "opensky", 1, [95, 0, 0, 0]));
        assert_eq!(meter.others_percent(&tree.roots(), 10), 0);
    }

    #[test]
    fn without_figures_nothing_is_claimed() {
        assert_eq!(CpuMeter::default().others_percent(&Tree::new(&[]).roots(), 10), 0);
    }
}
