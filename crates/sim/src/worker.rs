//! How nodes do others' work: honestly, slowly, never, wrongly.

use crate::{chance::source, plan::Manner};
use opensky_ports::testing::{FakeExecutor, FakeRun};
use opensky_types::{
    NodeId,
    resources::{Limit, Usage},
    task::{Content, Failure, Outcome, TaskOutput},
};
use rand::RngExt;
use std::sync::{Mutex, PoisonError};

/// What an honest task uses.
pub const FUEL: u64 = 10_000_000_000;

/// What an honest node answers: the one right output of a task with this item.
pub fn truth(item: &str) -> Vec<u8> {
    format!("the answer for {item}\n").into_bytes()
}

/// A node's executor. Programs take as many milliseconds as their second argument says.
pub fn executor(seed: u64, node: NodeId, life: u32, manner: Manner) -> FakeExecutor {
    let chance = Mutex::new(source(seed, &format!("worker {node} {life}")));
    FakeExecutor::new(move |batch, item| {
        let mut chance = chance.lock().unwrap_or_else(PoisonError::into_inner);
        let task_ms: u64 = batch.program.args.get(1).and_then(|text| text.parse().ok()).unwrap_or(0);
        let run = FakeRun::writes(truth(&item.input.item)).in_ms(task_ms);
        let run = FakeRun { usage: Usage { fuel: FUEL, ..run.usage }, ..run };
        let mut happens = |per_mille: u32| chance.random_range(0..1_000) < per_mille;
        match manner {
            Manner::Honest => run,
            Manner::Slow(times) => match (task_ms + 50) * u64::from(times) {
                long if long >= batch.limits.wall_ms => stopped_at_limit(batch.limits.wall_ms),
                long => run.in_ms(long),
            },
            Manner::Stalls(often) if happens(often) => stopped_at_limit(batch.limits.wall_ms),
            Manner::Lies(often) if happens(often) => lie(run, format!("{node} says {}", item.input.item)),
            Manner::Fails(often) if happens(often) => {
                FakeRun::fails(Failure::WorkerLost { message: "it broke".into() }).in_ms(task_ms)
            }
            Manner::Overbills => {
                let limit = batch.limits.fuel;
                let fuel = if happens(900) { limit } else { limit.saturating_add(1) };
                FakeRun { usage: Usage { fuel, ..run.usage }, ..run }
            }
            Manner::Stalls(_) | Manner::Lies(_) | Manner::Fails(_) => run,
        }
    })
}

/// A task that never ends by itself: the executor stops it.
fn stopped_at_limit(wall_ms: u64) -> FakeRun {
    FakeRun::fails(Failure::Limit { limit: Limit::Time }).in_ms(wall_ms)
}

fn lie(run: FakeRun, words: String) -> FakeRun {
    let output = TaskOutput {
        exit_code: 0,
        stdout: Content::Inline(words.into_bytes()),
        stderr: Content::empty(),
        files: Vec::new(),
    };
    FakeRun { outcome: Outcome::Exited(output), ..run }
}
