//! What every executor promises.

use crate::{
    executor::{Engine, Executor, LogSink, LogStream, WorkBatch, WorkItem, WorkResult},
    testing::lock,
};
use opensky_types::task::{Failure, Outcome};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Runs the suite; it shuts the executor down at its end.
///
/// * `quick`: at least three items of a program that always writes the same to stdout and ends at once
///   with exit code 0. Where it is marked deterministic, it always takes the same fuel, too.
/// * `endless`: at least two items of a program that writes a line to stdout and never ends, under
///   limits that do not stop it within ten minutes.
pub async fn executor(executor: Arc<dyn Executor>, quick: WorkBatch, endless: WorkBatch) {
    let executor = executor.as_ref();
    let engines = executor.engines();
    assert!(Engine::of(&engines, quick.program.level).is_some(), "an executor says what it runs");
    assert_eq!(engines, executor.engines(), "an engine does not change by being asked");
    every_item_ends_once_in_order(executor, &quick).await;
    equal_work_has_equal_results(executor, &quick).await;
    nothing_to_do_is_done_at_once(executor, &quick).await;
    batches_run_side_by_side(executor, &quick).await;
    cancelled_before_it_began(executor, &quick).await;
    cancelled_on_the_way(executor, &endless).await;
    every_item_ends_once_in_order(executor, &quick).await;
    shut_down_ends_what_runs(executor, &endless).await;
}

/// Keeps all that a batch told.
#[derive(Default)]
struct Told {
    ended: Mutex<Vec<WorkResult>>,
    stdout: Mutex<BTreeMap<u64, Vec<u8>>>,
    wrote: Notify,
}

impl LogSink for Told {
    fn written(&self, key: u64, stream: LogStream, bytes: &[u8]) {
        if stream == LogStream::Stdout {
            lock(&self.stdout).entry(key).or_default().extend(bytes);
            self.wrote.notify_one();
        }
    }

    fn ended(&self, result: WorkResult) {
        lock(&self.ended).push(result);
    }
}

impl Told {
    fn ended_keys(&self) -> Vec<u64> {
        lock(&self.ended).iter().map(|result| result.key).collect()
    }

    fn assert_all_cancelled(&self, batch: &WorkBatch) {
        assert_eq!(self.ended_keys(), keys(batch), "every item ends exactly once when it is cancelled");
        for result in lock(&self.ended).iter() {
            let Outcome::Failed { failure: Failure::Cancelled, .. } = &result.outcome else {
                panic!("a stopped item ends as cancelled, not {:?}", result.outcome);
            };
        }
    }
}

fn keys(batch: &WorkBatch) -> Vec<u64> {
    batch.items.iter().map(|item| item.key).collect()
}

async fn run(executor: &dyn Executor, batch: &WorkBatch) -> Told {
    let told = Told::default();
    executor.run(batch.clone(), &told, CancellationToken::new()).await;
    told
}

async fn every_item_ends_once_in_order(executor: &dyn Executor, quick: &WorkBatch) {
    assert!(quick.items.len() >= 3, "the suite needs at least three quick items");
    let told = run(executor, quick).await;
    assert_eq!(told.ended_keys(), keys(quick), "every item ends exactly once, in order");
    for result in lock(&told.ended).iter() {
        let Outcome::Exited(output) = &result.outcome else {
            panic!("a quick item exits, but ended with {:?}", result.outcome);
        };
        assert_eq!(output.exit_code, 0);
        let written = lock(&told.stdout).get(&result.key).map_or(0, Vec::len);
        assert_eq!(written as u64, output.stdout.size_bytes(), "the log saw all of stdout");
        assert!(written > 0, "the suite needs a program that writes");
        assert!(result.usage.fuel > 0, "work is metered");
    }
}

async fn equal_work_has_equal_results(executor: &dyn Executor, quick: &WorkBatch) {
    let [one, other] = [run(executor, quick).await, run(executor, quick).await];
    let hashes = |told: &Told| -> Vec<_> {
        let fuel = |used: u64| if quick.program.deterministic { used } else { 0 };
        lock(&told.ended).iter().map(|result| (result.outcome.hash(), fuel(result.usage.fuel))).collect()
    };
    assert_eq!(hashes(&one), hashes(&other), "deterministic work gives equal results for equal fuel");
}

async fn nothing_to_do_is_done_at_once(executor: &dyn Executor, quick: &WorkBatch) {
    let told = run(executor, &WorkBatch { items: Vec::new(), ..quick.clone() }).await;
    assert!(told.ended_keys().is_empty());
}

async fn batches_run_side_by_side(executor: &dyn Executor, quick: &WorkBatch) {
    let moved = |by: u64| WorkBatch {
        items: quick.items.iter().map(|item| WorkItem { key: item.key + by, ..item.clone() }).collect(),
        ..quick.clone()
    };
    let (one, other) = (moved(1_000), moved(2_000));
    let (told_one, told_other) = tokio::join!(run(executor, &one), run(executor, &other));
    assert_eq!(told_one.ended_keys(), keys(&one));
    assert_eq!(told_other.ended_keys(), keys(&other), "each batch tells its own sink");
}

async fn cancelled_before_it_began(executor: &dyn Executor, quick: &WorkBatch) {
    let (told, cancel) = (Told::default(), CancellationToken::new());
    cancel.cancel();
    executor.run(quick.clone(), &told, cancel).await;
    told.assert_all_cancelled(quick);
}

async fn cancelled_on_the_way(executor: &dyn Executor, endless: &WorkBatch) {
    assert!(endless.items.len() >= 2, "the suite needs at least two endless items");
    let (told, cancel) = (Told::default(), CancellationToken::new());
    tokio::join!(executor.run(endless.clone(), &told, cancel.clone()), async {
        told.wrote.notified().await;
        cancel.cancel();
    });
    told.assert_all_cancelled(endless);
}

async fn shut_down_ends_what_runs(executor: &dyn Executor, endless: &WorkBatch) {
    let told = Told::default();
    tokio::join!(executor.run(endless.clone(), &told, CancellationToken::new()), async {
        told.wrote.notified().await;
        executor.shut_down().await;
    });
    told.assert_all_cancelled(endless);
}
