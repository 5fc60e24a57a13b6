//! Many seeds, each in a process of its own: what one run leaves behind never reaches another.

use crate::watch::Report;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    ops::Range,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How one run went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome {
    /// All that must hold held.
    Right(Report),
    /// Something did not; what, and when the run was at.
    Wrong(String),
}

/// What came of many.
#[derive(Debug, Default)]
pub struct Explored {
    /// Seeds that went wrong, and how.
    pub wrong: BTreeMap<u64, String>,
    /// Runs that went right.
    pub right: u64,
    /// Virtual time of all of them.
    pub virtual_ms: u64,
    /// What happened how often.
    pub counts: BTreeMap<String, u64>,
    /// Real time that it took.
    pub took: Duration,
}

/// Runs all seeds of a range, so many at a time, by calling `program run SEED --json`.
pub fn explore(
    program: &Path,
    seeds: Range<u64>,
    at_a_time: usize,
    said: impl Fn(u64, &Outcome) + Sync,
) -> Result<Explored> {
    let started = Instant::now();
    let (next, end) = (AtomicU64::new(seeds.start), seeds.end);
    let explored = Mutex::new(Explored::default());
    let work = || -> Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return Ok(());
            }
            let outcome = run_apart(program, seed)?;
            said(seed, &outcome);
            let mut explored = explored.lock().map_err(|_| anyhow::anyhow!("a thread panicked"))?;
            explored.add(seed, outcome);
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..at_a_time.max(1)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread of the exploration panicked")))
        })
    })?;
    let mut explored = explored.into_inner().context("a thread panicked")?;
    explored.took = started.elapsed();
    Ok(explored)
}

/// One run in a process of its own.
pub fn run_apart(program: &Path, seed: u64) -> Result<Outcome> {
    let ran = Command::new(program)
        .args(["run", &seed.to_string(), "--json"])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("running {}", program.display()))?;
    let text = String::from_utf8_lossy(&ran.stdout);
    match serde_json::from_str(text.trim()) {
        Ok(outcome) => Ok(outcome),
        Err(_) => {
            let last = String::from_utf8_lossy(&ran.stderr);
            let last = last.lines().last().unwrap_or("it said nothing").to_owned();
            Ok(Outcome::Wrong(format!("the process ended ({}): {last}", ran.status)))
        }
    }
}

impl Explored {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        match outcome {
            Outcome::Wrong(problem) => {
                self.wrong.insert(seed, problem);
            }
            Outcome::Right(report) => {
                self.right += 1;
                self.virtual_ms += report.virtual_ms;
                for (what, count) in report.counts {
                    *self.counts.entry(what).or_default() += count;
                }
            }
        }
    }
}
