//! The job's graph, placement, waiting, and the job's end.

use crate::bench::{
    Bench, JOB, agreement, exited, failed, job, node, numbers, stage, task, trap, worker_lost,
};
use opensky_scheduler::{Effect, Ended, Input, Judgement, TaskState};
use opensky_types::{
    Micros, TaskId,
    job::{JobState, StageInputs},
    reason::{Misfit, Reason},
};

#[test]
fn a_job_runs_from_search_to_success() {
    let mut bench = Bench::with(job(vec![stage("one", numbers(2))]));
    assert!(bench.has(|e| matches!(e, Effect::Find { wanted: 2, stage: 0, .. })));
    bench.matched(0, &[1, 2], 8);
    let proposed = |number| Effect::Propose { job: JOB, stage: 0, node: node(number), slots: 1 };
    assert_eq!(bench.effects, [proposed(1), proposed(2)], "spread over both");
    bench.agreed(0, 1, 1);
    assert_eq!(bench.assigned(), [(node(1), task(0), 0)], "the first window is the slots");
    assert_eq!(bench.state(), JobState::Running);
    bench.agreed(0, 2, 1);
    assert_eq!(bench.assigned(), [(node(2), task(1), 0)]);
    bench.reported(1, vec![exited(task(0), 0, "a")]);
    assert_eq!(bench.judged(), [(node(1), task(0), Judgement::Accepted)]);
    bench.reported(2, vec![exited(task(1), 0, "b")]);
    assert_eq!(bench.state(), JobState::Succeeded);
    let close = bench.effects.iter().filter(|effect| matches!(effect, Effect::Close { .. }));
    assert_eq!(close.count(), 2);
    assert!(matches!(bench.effects.last(), Some(Effect::Changed { state: JobState::Succeeded, .. })));
    assert_eq!(bench.scheduler.task(&JOB, task(1)).map(|view| view.state), Some(TaskState::Accepted));
}

#[test]
fn windows_grow_with_quick_tasks_and_never_beyond_a_thousand() {
    let mut bench = Bench::with(job(vec![stage("quick", numbers(1_000_000))]));
    bench.matched(0, &[1], 4);
    bench.agreed(0, 1, 4);
    let mut sizes = Vec::new();
    for _ in 0..12 {
        let batch = bench.assigned();
        sizes.push(batch.len());
        let reports = batch.iter().map(|(_, task, attempt)| {
            let mut report = exited(*task, *attempt, "quick");
            report.wall_us = 10;
            report
        });
        let reports = reports.collect();
        bench.reported(1, reports);
    }
    assert_eq!(sizes[..4], [4, 8, 16, 32]);
    assert_eq!(*sizes.last().expect("twelve"), 1_024);
}

#[test]
fn long_tasks_bind_only_when_a_slot_frees() {
    let mut bench = Bench::with(job(vec![stage("long", numbers(100))]));
    bench.matched(0, &[1], 2);
    bench.agreed(0, 1, 2);
    let mut report = exited(task(0), 0, "long");
    report.wall_us = 5_000_000;
    bench.reported(1, vec![report]);
    assert_eq!(bench.assigned(), [(node(1), task(2), 0)]);
}

#[test]
fn each_starts_task_by_task_reduce_by_window_and_after_by_stage() {
    let mut last = stage("last", StageInputs::One { stdin: None });
    last.after = vec![1];
    let stages = vec![
        stage("first", numbers(4)),
        stage("each", StageInputs::Each { stage: 0 }),
        stage("reduce", StageInputs::Reduce { stage: 0, fan_in: 2 }),
        last,
    ];
    let mut bench = Bench::with(job(stages));
    bench.matched(0, &[1], 4);
    bench.agreed(0, 1, 4);
    let waiting = |bench: &Bench| {
        let view = bench.scheduler.job(&JOB).expect("held");
        view.stages.iter().map(|stage| stage.waiting).collect::<Vec<_>>()
    };
    bench.reported(1, vec![exited(task(2), 0, "c")]);
    assert_eq!(waiting(&bench), [0, 1, 0, 0]);
    bench.reported(1, vec![exited(task(3), 0, "d")]);
    assert_eq!(waiting(&bench), [0, 2, 1, 0]);
    bench.matched(1, &[1], 4);
    bench.agreed(1, 1, 4);
    bench.reported(1, vec![exited(task(0), 0, "a"), exited(task(1), 0, "b")]);
    assert_eq!(waiting(&bench)[2..], [2, 0]);
    let reports = (0..4).map(|index| exited(TaskId { stage: 1, index }, 0, "each")).collect();
    bench.reported(1, reports);
    assert_eq!(waiting(&bench)[2..], [2, 1]);
    assert_eq!(
        bench.scheduler.task(&JOB, TaskId { stage: 3, index: 0 }).map(|view| view.state),
        Some(TaskState::Waiting)
    );
}

#[test]
fn a_non_zero_exit_is_a_failure_unless_accepted() {
    for (accept_any_exit, judgement) in [(false, Judgement::Failed), (true, Judgement::Accepted)] {
        let mut only = stage("exit", numbers(1));
        only.accept_any_exit = accept_any_exit;
        let mut bench = Bench::with(job(vec![only]));
        bench.matched(0, &[1], 1);
        bench.agreed(0, 1, 1);
        let mut report = exited(task(0), 0, "out");
        report.ended = Ended::Exited { code: 3 };
        bench.reported(1, vec![report]);
        assert_eq!(bench.judged(), [(node(1), task(0), judgement)]);
    }
}

#[test]
fn a_task_that_fails_on_enough_distinct_nodes_stops_the_job() {
    let mut bench = Bench::with(job(vec![stage("bad", numbers(9))]));
    bench.matched(0, &[1, 2, 3], 3);
    for number in 1..=3 {
        bench.agreed(0, number, 1);
    }
    for number in 1..=3 {
        let attempt = u32::from(number) - 1;
        // The task moves to a node that has not seen it.
        bench.reported(number, vec![failed(task(0), attempt, trap())]);
        let next = bench.assigned().into_iter().find(|(_, moved, _)| *moved == task(0));
        if number < 3 {
            let (to, _, _) = next.unwrap_or_else(|| {
                let reports = vec![exited(task(u32::from(number)), 0, "ok")];
                bench.reported(number + 1, reports);
                bench.assigned().into_iter().find(|(_, moved, _)| *moved == task(0)).expect("moved on")
            });
            assert_eq!(to, node(number + 1));
        }
    }
    assert_eq!(bench.state(), JobState::Failed);
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::Poisoned { nodes: 3, .. })));
    assert!(bench.has(|e| matches!(e, Effect::Close { .. })), "the others are stopped");
}

#[test]
fn a_task_that_failed_on_every_node_there_is_stops_the_job() {
    let mut bench = Bench::with(job(vec![stage("bad", numbers(1))]));
    bench.matched(0, &[1], 1);
    bench.agreed(0, 1, 1);
    bench.reported(1, vec![failed(task(0), 0, trap())]);
    assert!(bench.assigned().is_empty(), "not on the same node again");
    bench.wait(1_000);
    assert!(bench.has(|e| matches!(e, Effect::Find { exclude, .. } if exclude.contains(&node(1)))));
    bench.nobody(0, Misfit::AlreadyUsed);
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::Poisoned { nodes: 1, .. })));
}

#[test]
fn mishaps_go_elsewhere_and_only_very_many_stop_the_job() {
    let mut spec = job(vec![stage("work", numbers(1))]);
    spec.wait_ms = 3_600_000;
    let mut bench = Bench::with(spec);
    let mut on = Vec::new();
    while !bench.state().is_final() {
        let (number, attempt) = bench.until_assigned(&[1, 2]);
        assert_eq!(attempt as usize, on.len());
        on.push(number);
        bench.reported(number, vec![failed(task(0), attempt, worker_lost())]);
        assert_eq!(bench.judged(), [(node(number), task(0), Judgement::Failed)]);
        assert!(bench.scheduler.task(&JOB, task(0)).is_some_and(|view| view.failed_on.is_empty()));
    }
    assert_eq!(on.len(), 32);
    assert_ne!(on[0], on[1], "elsewhere");
    assert!(bench.now > 60_000, "nodes rest longer each time");
}

#[test]
fn a_job_that_must_not_wait_fails_at_once() {
    let mut spec = job(vec![stage("work", numbers(1))]);
    spec.wait_ms = 0;
    let mut bench = Bench::with(spec);
    bench.nobody(0, Misfit::Region);
    assert_eq!(bench.state(), JobState::Failed);
    assert!(matches!(bench.notes()[..], [Reason::NobodyFits { stage: 0, waited_ms: 0, .. }]));
}

#[test]
fn waiting_is_noted_once_per_change_and_ends_in_time() {
    let mut bench = Bench::with(job(vec![stage("work", numbers(1))]));
    let mut notes = 0;
    for round in 0..70 {
        bench.nobody(0, if round < 30 { Misfit::Region } else { Misfit::Full });
        notes += bench.notes().iter().filter(|r| matches!(r, Reason::Waiting { .. })).count();
        if bench.state().is_final() {
            break;
        }
        assert!(bench.scheduler.job(&JOB).is_some_and(|view| view.stages[0].waiting_for.is_some()));
        bench.wait(1_000);
    }
    assert_eq!(notes, 2);
    assert_eq!(bench.state(), JobState::Failed);
    assert!((61_000..=62_500).contains(&bench.now), "{}", bench.now);
}

#[test]
fn a_node_that_refuses_rests_and_others_are_asked() {
    let mut bench = Bench::with(job(vec![stage("work", numbers(1))]));
    bench.matched(0, &[1], 1);
    let refused = Input::Refused { job: JOB, stage: 0, node: node(1), misfit: Misfit::Closed };
    bench.give(refused);
    assert!(bench.has(|e| matches!(e, Effect::Rest { node: who, .. } if *who == node(1))));
    assert!(bench.has(|e| matches!(e, Effect::Find { .. })));
    bench.matched(0, &[1, 2], 1);
    assert_eq!(bench.effects.len(), 1);
    assert!(bench.has(|e| matches!(e, Effect::Propose { node: who, .. } if *who == node(2))));
}

#[test]
fn a_cancelled_job_stops_and_a_retried_one_repeats_nothing_accepted() {
    let mut bench = Bench::with(job(vec![stage("work", numbers(3))]));
    bench.matched(0, &[1], 3);
    bench.agreed(0, 1, 3);
    bench.reported(1, vec![exited(task(1), 0, "b")]);
    bench.give(Input::Cancel { job: JOB });
    assert_eq!(bench.state(), JobState::Cancelled);
    assert!(bench.has(|e| matches!(e, Effect::Close { .. })));
    bench.reported(1, vec![exited(task(0), 0, "late")]);
    assert!(bench.effects.is_empty(), "its results are not wanted");
    bench.give(Input::Retry { job: JOB });
    assert!(bench.notes().iter().any(|r| matches!(r, Reason::RetriedByOwner { tasks: 2 })));
    bench.matched(0, &[2], 3);
    bench.agreed(0, 2, 3);
    assert_eq!(bench.assigned(), [(node(2), task(0), 1), (node(2), task(2), 1)]);
}

#[test]
fn a_job_that_the_node_gives_up_ends_with_the_reason() {
    let mut bench = Bench::with(job(vec![stage("work", numbers(3))]));
    bench.matched(0, &[1], 3);
    bench.agreed(0, 1, 3);
    let reason = Reason::BudgetSpent { budget: Micros::new(5), bound: Micros::new(4) };
    bench.give(Input::GiveUp { job: JOB, reason: reason.clone() });
    assert_eq!(bench.state(), JobState::Failed);
    assert!(bench.notes().contains(&&reason));
    assert!(bench.has(|e| matches!(e, Effect::Close { .. })), "what runs is stopped");
    bench.give(Input::GiveUp { job: JOB, reason });
    assert!(bench.effects.is_empty(), "it has ended already");
    bench.give(Input::Retry { job: JOB });
    assert_eq!(bench.state(), JobState::Waiting);
}

#[test]
fn a_deadline_ends_the_job() {
    let mut spec = job(vec![stage("work", numbers(1))]);
    spec.deadline_ms = Some(5_000);
    let mut bench = Bench::with(spec);
    bench.matched(0, &[1], 1);
    bench.agreed(0, 1, 1);
    bench.wait(4_900);
    assert_eq!(bench.state(), JobState::Running);
    bench.wait(100);
    assert_eq!(bench.state(), JobState::Failed);
    assert!(bench.notes().iter().any(|r| matches!(r, Reason::Deadline { deadline_ms: 5_000 })));
}

#[test]
fn an_agreement_that_nobody_needs_any_more_is_closed() {
    let mut bench = Bench::with(job(vec![stage("work", numbers(1))]));
    bench.matched(0, &[1], 1);
    bench.give(Input::Cancel { job: JOB });
    bench.agreed(0, 1, 1);
    assert_eq!(bench.effects, [Effect::Close { agreement: agreement(0, 1), node: node(1) }]);
    bench.give(Input::Forget { job: JOB });
    assert!(bench.scheduler.job(&JOB).is_none());
    bench.agreed(0, 1, 1);
    assert_eq!(bench.effects, [Effect::Close { agreement: agreement(0, 1), node: node(1) }]);
}

#[test]
fn large_jobs_do_not_flood_the_notes() {
    let mut bench = Bench::with(job(vec![stage("large", numbers(5_000))]));
    bench.matched(0, &[1], 500);
    bench.agreed(0, 1, 500);
    assert!(!bench.notes().iter().any(|reason| matches!(reason, Reason::Placed { .. })));
}
