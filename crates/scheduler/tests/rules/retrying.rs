//! A stage's own rules for what is tried again, how often and how soon.

use crate::bench::{Bench, exited, failed, job, node, numbers, stage, task, trap, worker_lost};
use opensky_scheduler::{Effect, Ended, Judgement, Report};
use opensky_types::{
    job::{FailureKind, JobState, Retry},
    reason::Reason,
    task::Failure,
};

/// A job of one task with this policy.
fn one(failures_max: u8, retry: Retry) -> Bench {
    let mut only = stage("work", numbers(1));
    (only.failures_max, only.retry) = (failures_max, retry);
    let mut spec = job(vec![only]);
    spec.wait_ms = 3_600_000;
    Bench::with(spec)
}

fn exits(attempt: u32, code: i32) -> Report {
    Report { ended: Ended::Exited { code }, ..exited(task(0), attempt, "failed") }
}

#[test]
fn c9_a_failed_task_waits_longer_each_time_and_then_goes_to_a_new_node() {
    let mut bench = one(4, Retry { backoff_ms: 2_000, backoff_max_ms: 5_000, ..Retry::default() });
    let mut waits = Vec::new();
    let mut on = Vec::new();
    for attempt in 0..4 {
        let before = bench.now;
        let (number, _) = bench.until_assigned(&[1, 2, 3, 4]);
        waits.push(bench.now - before);
        assert!(!on.contains(&number), "each time on another node");
        on.push(number);
        bench.reported(number, vec![failed(task(0), attempt, trap())]);
        if attempt == 0 {
            let noted = |reason: &&Reason| {
                matches!(reason, Reason::TriedAgain { count: 1, count_max: 4, after_ms: 2_000, .. })
            };
            assert!(bench.notes().iter().any(noted), "{:?}", bench.notes());
        }
    }
    assert!(waits[0] < 1_000);
    for (wait, least) in waits[1..].iter().zip([2_000, 4_000, 5_000]) {
        assert!((least..least + 1_500).contains(wait), "{waits:?}");
    }
    assert_eq!(bench.state(), JobState::Failed);
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::Poisoned { nodes: 4, .. })));
}

#[test]
fn a_task_that_waits_to_be_tried_again_asks_for_no_node_and_starves_nobody() {
    let mut spec = job(vec![stage("work", numbers(1))]);
    spec.stages[0].retry.backoff_ms = 60_000;
    spec.wait_ms = 1_000;
    let mut bench = Bench::with(spec);
    bench.matched(0, &[1], 1);
    bench.agreed(0, 1, 1);
    bench.reported(1, vec![failed(task(0), 0, trap())]);
    bench.wait(59_000);
    assert!(!bench.has(|effect| matches!(effect, Effect::Find { .. })));
    assert_eq!(bench.state(), JobState::Running, "waiting is no want of nodes");
    let (number, attempt) = bench.until_assigned(&[1, 2]);
    assert_eq!((number, attempt), (2, 1));
    bench.reported(2, vec![exited(task(0), 1, "out")]);
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn c9_failures_that_are_not_worth_another_try_stop_the_job_at_once() {
    let losses = || Retry { on: vec![FailureKind::Loss], ..Retry::default() };
    let temporary = || Retry { exit_codes: vec![75, 99], ..Retry::default() };
    let never_lost = || Retry { on: vec![FailureKind::Trap], ..Retry::default() };
    for (retry, report, stops) in [
        (losses(), exits(0, 1), true),
        (losses(), failed(task(0), 0, trap()), true),
        (losses(), failed(task(0), 0, worker_lost()), false),
        (temporary(), exits(0, 1), true),
        (temporary(), exits(0, 99), false),
        (temporary(), failed(task(0), 0, trap()), false),
        (never_lost(), failed(task(0), 0, worker_lost()), true),
    ] {
        let what = format!("{retry:?} {:?}", report.ended);
        let mut bench = one(3, retry);
        bench.until_assigned(&[1, 2, 3]);
        bench.reported(1, vec![report]);
        assert_eq!(bench.judged(), [(node(1), task(0), Judgement::Failed)], "{what}");
        assert_eq!(bench.state() == JobState::Failed, stops, "{what}");
        let noted = |reason: &&Reason| matches!(reason, Reason::NotTriedAgain { attempt: 0, .. });
        assert_eq!(bench.notes().iter().any(noted), stops, "{what}");
    }
}

#[test]
fn c9_runs_are_lost_only_as_often_as_the_stage_allows() {
    let mut bench = one(1, Retry { losses_max: 2, ..Retry::default() });
    for attempt in 0..2 {
        let (number, _) = bench.until_assigned(&[1, 2, 3]);
        bench.reported(number, vec![failed(task(0), attempt, worker_lost())]);
    }
    assert_eq!(bench.state(), JobState::Failed);
    let lost =
        |reason: &&Reason| matches!(reason, Reason::Poisoned { failure: Failure::WorkerLost { .. }, .. });
    assert!(bench.notes().iter().any(lost), "{:?}", bench.notes());
}

#[test]
fn the_wait_of_a_policy_doubles_up_to_its_bound() {
    let retry = Retry { backoff_ms: 3, backoff_max_ms: 20, ..Retry::default() };
    let waits: Vec<u64> = (0..6).map(|failures| retry.wait_ms(failures)).collect();
    assert_eq!(waits, [3, 3, 6, 12, 20, 20]);
    assert_eq!(Retry::default().wait_ms(u32::MAX), 0);
    assert_eq!(Retry { backoff_ms: u64::MAX, ..retry }.wait_ms(u32::MAX), 20);
}
