//! Processes that fail: killed, stopped, or out of handles.

use super::{Fault, name};
use crate::{history::Event, world::World};
use anyhow::{Context, Result};
use rand::{RngExt, rngs::StdRng};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use std::{fs, path::PathBuf};

/// Some nodes are killed and started again.
struct Kill {
    nodes: Vec<usize>,
    starts: Vec<f64>,
}

impl Fault for Kill {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        // All are dead before the first is buried.
        for node in &self.nodes {
            world.nodes[*node].signal(Signal::KILL)?;
        }
        self.nodes.iter().try_for_each(|node| world.nodes[*node].kill())
    }

    fn end(&mut self, world: &mut World) -> Result<()> {
        self.starts = world.restart(&self.nodes)?;
        Ok(())
    }

    fn about(&self) -> String {
        about_starts(&self.nodes, &self.starts)
    }
}

/// Which nodes were started again, and how long that took.
pub(super) fn about_starts(nodes: &[usize], starts: &[f64]) -> String {
    let names: Vec<String> = nodes.iter().map(|node| name(*node)).collect();
    let slowest = starts.iter().copied().fold(0.0, f64::max);
    format!("{}, started in {slowest:.1} s", names.join("+"))
}

pub fn kill(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    Box::new(Kill { nodes: vec![chance.random_range(0..nodes)], starts: Vec::new() })
}

pub fn kill_all(_chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    Box::new(Kill { nodes: (0..nodes).collect(), starts: Vec::new() })
}

/// A node is stopped and goes on.
struct Stop {
    node: usize,
}

impl Fault for Stop {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        world.nodes[self.node].signal(Signal::STOP)
    }

    fn end(&mut self, world: &mut World) -> Result<()> {
        world.nodes[self.node].signal(Signal::CONT)
    }

    fn about(&self) -> String {
        name(self.node)
    }
}

pub fn stop(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    Box::new(Stop { node: chance.random_range(0..nodes) })
}

/// A node can open no more files.
struct NoHandles {
    node: usize,
    before: Option<(Pid, Rlimit)>,
    ended: bool,
}

impl Fault for NoHandles {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        let pid = world.nodes[self.node].pid()?;
        let process = PathBuf::from("/proc").join(pid.as_raw_nonzero().to_string());
        let open = fs::read_dir(process.join("fd")).context("counting handles")?.count();
        let limits = fs::read_to_string(process.join("limits")).context("reading limits")?;
        let before = handles(&limits).context("/proc shows a process's limits")?;
        let limited = Rlimit { current: Some(open as u64), maximum: before.maximum };
        prlimit(Some(pid), Resource::Nofile, limited).context("limiting handles")?;
        self.before = Some((pid, before));
        Ok(())
    }

    fn end(&mut self, world: &mut World) -> Result<()> {
        self.ended = world.nodes[self.node].has_ended()?;
        if self.ended {
            world.restart(&[self.node])?;
        } else if let Some((pid, before)) = self.before.take() {
            prlimit(Some(pid), Resource::Nofile, before).context("giving handles back")?;
        }
        Ok(())
    }

    fn about(&self) -> String {
        name(self.node)
    }

    fn broken(&self, _events: &[Event]) -> Vec<String> {
        let ended = self.ended.then(|| format!("{} ended when it could open no more files", name(self.node)));
        ended.into_iter().collect()
    }
}

/// The limit of open files in `/proc/PID/limits`.
fn handles(limits: &str) -> Option<Rlimit> {
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    let mut numbers = line.split_whitespace().skip(3).map(|word| word.parse().ok());
    Some(Rlimit { current: numbers.next()?, maximum: numbers.next()? })
}

pub fn no_handles(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    Box::new(NoHandles { node: chance.random_range(0..nodes), before: None, ended: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_handles_is_read() {
        let text = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files\n";
        let read = handles(text).expect("it is there");
        assert_eq!((read.current, read.maximum), (Some(1024), Some(524_288)));
        let read = handles("Max open files 1024 unlimited files").expect("it is there");
        assert_eq!(read.maximum, None);
        assert!(handles("Max stack size 1 2 bytes").is_none());
    }
}
