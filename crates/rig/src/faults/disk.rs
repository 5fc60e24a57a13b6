//! Disks that fail: power cuts, syncs that fail, no room.

use super::{Fault, name, process::about_starts};
use crate::{
    history::Event,
    world::{World, disk::Disk, node::Node},
};
use anyhow::{Context, Result, ensure};
use rand::{RngExt, rngs::StdRng};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a tracer may take until it holds all threads.
const ATTACH_MAX: Duration = Duration::from_secs(10);
/// The file that fills a disk.
const FILLER: &str = "filler";

fn disk(node: &Node) -> Result<&Disk> {
    node.disk.as_ref().with_context(|| format!("{} has no disk of its own", node.name))
}

/// Some nodes lose their power and start again.
struct PowerCut {
    nodes: Vec<usize>,
    starts: Vec<f64>,
}

impl Fault for PowerCut {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        self.nodes.iter().try_for_each(|node| disk(&world.nodes[*node])?.cut())?;
        self.nodes.iter().try_for_each(|node| world.nodes[*node].kill())
    }

    fn end(&mut self, world: &mut World) -> Result<()> {
        self.nodes.iter().try_for_each(|node| disk(&world.nodes[*node])?.restore())?;
        self.starts = world.restart(&self.nodes)?;
        Ok(())
    }

    fn about(&self) -> String {
        about_starts(&self.nodes, &self.starts)
    }
}

pub fn power_cut(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    Box::new(PowerCut { nodes: vec![chance.random_range(0..nodes)], starts: Vec::new() })
}

pub fn power_cut_all(_chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    Box::new(PowerCut { nodes: (0..nodes).collect(), starts: Vec::new() })
}

/// Syncs of a node fail. Then its power is cut: what was not synced is gone.
struct Fsync {
    node: usize,
    tracer: Option<Child>,
    began_us: u64,
    ended: bool,
}

impl Fault for Fsync {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        let pid = world.nodes[self.node].pid()?.as_raw_nonzero().to_string();
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range"]);
        strace.args(["-e", "inject=fsync,fdatasync,sync_file_range:error=EIO", "-p", &pid]);
        strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.tracer = Some(strace.spawn().context("starting strace")?);
        let begun = Instant::now();
        while !is_traced(&pid) {
            ensure!(begun.elapsed() < ATTACH_MAX, "strace does not hold process {pid}");
            thread::sleep(Duration::from_millis(10));
        }
        self.began_us = world.recorder.now_us();
        Ok(())
    }

    fn end(&mut self, world: &mut World) -> Result<()> {
        let node = &mut world.nodes[self.node];
        self.ended = node.has_ended()?;
        disk(node)?.cut()?;
        node.kill()?;
        if let Some(mut tracer) = self.tracer.take() {
            // It ends with the process that it holds, or by this.
            if let Some(pid) = Pid::from_raw(i32::try_from(tracer.id())?) {
                let _ = kill_process(pid, Signal::TERM);
            }
            tracer.wait()?;
        }
        disk(node)?.restore()?;
        world.restart(&[self.node]).map(drop)
    }

    fn about(&self) -> String {
        let then = if self.ended { "ended by itself" } else { "went on without promising anything" };
        format!("{} {then}", name(self.node))
    }

    fn broken(&self, events: &[Event]) -> Vec<String> {
        let promised = events.iter().filter(|event| match event {
            Event::Acknowledged { node, asked_us, .. } => *node == self.node && *asked_us > self.began_us,
            _ => false,
        });
        // Those that were asked for after the restart do not count.
        let restarted = events.iter().find_map(|event| match event {
            Event::Started { at_us, node } if *node == self.node => Some(*at_us),
            _ => None,
        });
        let early = promised.filter(|event| match event {
            Event::Acknowledged { at_us, .. } => restarted.is_none_or(|restarted| *at_us < restarted),
            _ => false,
        });
        let count = early.count();
        let said = || format!("{} acknowledged {count} writes while its syncs failed", name(self.node));
        (count > 0).then(said).into_iter().collect()
    }
}

/// Whether every thread of a process has a tracer.
fn is_traced(pid: &str) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    threads.flatten().all(|thread| {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        !status.lines().any(|line| line.split_whitespace().eq(["TracerPid:", "0"]))
    })
}

pub fn fsync(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    Box::new(Fsync { node: chance.random_range(0..nodes), tracer: None, began_us: 0, ended: false })
}

/// A disk without room.
struct Full {
    node: usize,
    ended: bool,
}

impl Fault for Full {
    fn begin(&mut self, world: &mut World) -> Result<()> {
        disk(&world.nodes[self.node])?.fill(FILLER)
    }

    fn end(&mut self, world: &mut World) -> Result<()> {
        let node = &mut world.nodes[self.node];
        self.ended = node.has_ended()?;
        disk(node)?.empty(FILLER)?;
        if self.ended {
            world.restart(&[self.node])?;
        }
        Ok(())
    }

    fn about(&self) -> String {
        name(self.node)
    }

    fn broken(&self, _events: &[Event]) -> Vec<String> {
        let ended = self.ended.then(|| format!("{} ended when its disk was full", name(self.node)));
        ended.into_iter().collect()
    }
}

pub fn full(chance: &mut StdRng, nodes: usize) -> Box<dyn Fault> {
    Box::new(Full { node: chance.random_range(0..nodes), ended: false })
}
