//! Lost, returning, forgetful and slow providers; duplicate and unknown events.

use crate::bench::{Bench, JOB, agreement, assigned_in, exited, job, node, numbers, stage, task};
use opensky_scheduler::{Effect, HeldAgreement, Input, Judgement, Restored};
use opensky_types::{Timestamp, job::JobState, reason::Reason};
use std::sync::Arc;

fn two_providers(hedge: bool, tasks: i64) -> Bench {
    let mut work = stage("work", numbers(tasks));
    work.hedge = hedge;
    let mut bench = Bench::with(job(vec![work]));
    bench.matched(0, &[1, 2], 2);
    bench.agreed(0, 1, 2);
    bench.agreed(0, 2, 2);
    bench
}

fn standing(number: u8, indexes: &[u32]) -> Input {
    let tasks = indexes.iter().map(|index| task(*index)).collect();
    Input::Standing { agreement: agreement(0, number), slots: 2, tasks }
}

#[test]
fn f12_tasks_of_a_lost_provider_go_elsewhere_after_the_grace() {
    let mut bench = two_providers(false, 6);
    bench.give(Input::ProviderLost { node: node(1) });
    bench.wait(1_900);
    assert!(bench.assigned().is_empty(), "it may come back");
    bench.wait(200);
    assert!(bench.notes().iter().any(|r| matches!(r, Reason::ProviderLost { tasks: 2, .. })));
    assert!(bench.has(|e| matches!(e, Effect::Rest { node: who, .. } if *who == node(1))));
    bench.reported(2, vec![exited(task(2), 0, "c"), exited(task(3), 0, "d")]);
    assert_eq!(bench.assigned()[..2], [(node(2), task(0), 1), (node(2), task(1), 1)]);
}

#[test]
fn f12_a_provider_that_comes_back_in_time_keeps_its_tasks() {
    let mut bench = two_providers(false, 4);
    bench.give(Input::ProviderLost { node: node(1) });
    bench.wait(1_000);
    bench.give(Input::ProviderBack { node: node(1) });
    bench.give(standing(1, &[0, 1]));
    bench.wait(5_000);
    assert!(bench.assigned().is_empty());
    bench.reported(1, vec![exited(task(0), 0, "a"), exited(task(1), 0, "b")]);
    assert_eq!(bench.judged().len(), 2);
}

#[test]
fn f12_a_late_result_of_a_lost_provider_counts_once() {
    let mut bench = two_providers(false, 4);
    bench.give(Input::ProviderLost { node: node(1) });
    bench.wait(3_000);
    bench.reported(2, vec![exited(task(2), 0, "c")]);
    assert_eq!(bench.assigned(), [(node(2), task(0), 1)]);
    bench.reported(1, vec![exited(task(0), 0, "a")]);
    assert_eq!(bench.judged(), [(node(1), task(0), Judgement::Accepted)]);
    assert!(bench.has(|e| matches!(e, Effect::CancelTasks { node: who, .. } if *who == node(2))));
    bench.reported(2, vec![exited(task(0), 1, "a")]);
    assert_eq!(bench.judged(), [(node(2), task(0), Judgement::Agreed)]);
}

#[test]
fn f12_idle_slots_copy_at_once_what_a_lost_provider_had() {
    let mut bench = two_providers(true, 4);
    bench.reported(2, vec![exited(task(2), 0, "c"), exited(task(3), 0, "d")]);
    bench.give(Input::ProviderLost { node: node(1) });
    assert_eq!(bench.assigned(), [(node(2), task(0), 1), (node(2), task(1), 1)]);
}

#[test]
fn f15_a_task_that_its_provider_does_not_know_runs_again() {
    let mut bench = two_providers(false, 4);
    bench.give(standing(1, &[0]));
    assert!(bench.assigned().is_empty(), "the assignment may have crossed it");
    bench.wait(3_000);
    bench.give(standing(1, &[0]));
    let moved: Vec<_> = bench.assigned();
    assert!(moved.is_empty() || moved == [(node(2), task(1), 1)], "{moved:?}");
    bench.reported(2, vec![exited(task(2), 0, "c")]);
    assert!(assigned_in(&bench.history).contains(&(node(2), task(1), 1)));
}

#[test]
fn f15_duplicate_and_unknown_reports_are_judged_once_or_never() {
    let mut bench = two_providers(false, 4);
    let report = vec![exited(task(0), 0, "a")];
    bench.reported(1, report.clone());
    assert_eq!(bench.judged().len(), 1);
    bench.reported(1, report);
    assert!(bench.judged().is_empty());
    // Never assigned to node 2, an attempt that never was, and a task that does not exist.
    bench.reported(2, vec![exited(task(1), 0, "x"), exited(task(2), 7, "x"), exited(task(99), 0, "x")]);
    assert!(bench.judged().is_empty());
}

#[test]
fn f10_a_slow_run_gets_one_copy_elsewhere_and_the_first_result_wins() {
    let mut bench = two_providers(true, 4);
    bench.now += 50;
    bench.reported(2, vec![exited(task(2), 0, "c"), exited(task(3), 0, "d")]);
    bench.reported(1, vec![exited(task(1), 0, "b")]);
    bench.wait(200);
    assert_eq!(bench.assigned(), [(node(2), task(0), 1)], "never on the node that has it");
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::Hedged { .. })));
    bench.reported(2, vec![exited(task(0), 1, "a")]);
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn without_hedging_slow_runs_are_left_alone() {
    let mut bench = two_providers(false, 4);
    bench.now += 50;
    bench.reported(2, vec![exited(task(2), 0, "c"), exited(task(3), 0, "d")]);
    for _ in 0..100 {
        bench.wait(1_000);
        bench.give(standing(1, &[0, 1]));
        assert!(bench.assigned().is_empty());
    }
}

#[test]
fn an_agreement_that_its_provider_ends_gives_its_tasks_back() {
    let mut bench = two_providers(false, 4);
    let misfit = opensky_types::reason::Misfit::Closed;
    bench.give(Input::AgreementEnded { agreement: agreement(0, 1), misfit });
    bench.reported(2, vec![exited(task(2), 0, "c"), exited(task(3), 0, "d")]);
    assert_eq!(bench.assigned(), [(node(2), task(0), 1), (node(2), task(1), 1)]);
}

#[test]
fn a_restored_job_takes_over_what_providers_still_hold() {
    let spec = Arc::new(job(vec![stage("work", numbers(3))]));
    let mut bench = Bench::with(job(vec![stage("other", numbers(1))]));
    let job = opensky_types::JobId::from_bytes([2; 10]);
    let held =
        HeldAgreement { agreement: agreement(0, 1), stage: 0, node: node(1), slots: 2, audit_parts: 0 };
    let accepted = crate::bench::accepted(task(0), "a");
    bench.give(Input::Restored(Box::new(Restored {
        job,
        spec,
        submitted_at: Timestamp::from_millis(500),
        accepted: vec![accepted],
        failed: Vec::new(),
        attempts_from: 65_536,
        agreements: vec![held],
    })));
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::Resumed { accepted: 1 })));
    // Task 1 runs there since before the restart, the result of task 2 was never countersigned.
    bench.reported(1, vec![exited(task(2), 0, "c")]);
    assert_eq!(bench.judged(), [(node(1), task(2), Judgement::Accepted)]);
    bench.give(standing(1, &[1]));
    assert!(bench.assigned().is_empty());
    bench.reported(1, vec![exited(task(1), 0, "b")]);
    assert_eq!(bench.judged(), [(node(1), task(1), Judgement::Accepted)]);
    assert!(bench.has(|e| matches!(e, Effect::Changed { state: JobState::Succeeded, .. })));
    assert_ne!(job, JOB);
}
