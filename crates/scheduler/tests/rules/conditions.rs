//! Stages and tasks that run only if a condition on earlier ones holds, and stages that may fail.

use crate::bench::{Bench, JOB, exited, failed, job, node, numbers, stage, task, trap, worker_lost};
use opensky_scheduler::{
    AcceptedTask, Config, Effect, Ended, FailedRun, Input, Judgement, Report, Restored, Scheduler, TaskState,
};
use opensky_types::{
    TaskId, Timestamp,
    job::{Condition, JobSpec, JobState, StageInputs, StageSpec, TasksMeant, Test, Verify},
    reason::{Misfit, Reason},
};
use std::sync::Arc;

fn when(of: TasksMeant, test: Test, not: bool) -> Condition {
    Condition { stage: 0, of, test, not }
}

fn one(name: &str) -> StageSpec {
    stage(name, StageInputs::One { stdin: None })
}

fn of(stage: u16, index: u32) -> TaskId {
    TaskId { stage, index }
}

/// Tasks of a stage: accepted, failed, skipped.
fn settled(bench: &Bench, stage: usize) -> (u32, u32, u32) {
    let view = &bench.scheduler.job(&JOB).expect("held").stages[stage];
    (view.accepted, view.failed, view.skipped)
}

/// Gives these results, with the tests that hold of each, to the first stage of a job.
fn after_first(spec: JobSpec, results: &[(u32, i32, u32)]) -> Bench {
    let mut bench = Bench::with(spec);
    bench.matched(0, &[1], 8);
    bench.agreed(0, 1, 8);
    let report = |(index, code, tests): &(u32, i32, u32)| Report {
        ended: Ended::Exited { code: *code },
        tests: *tests,
        ..exited(task(*index), 0, "out")
    };
    let reports = results.iter().map(report).collect();
    bench.reported(1, reports);
    bench
}

#[test]
fn c6_a_stage_runs_only_if_its_conditions_hold() {
    let exit = |codes: &[i32]| Test::ExitCode { codes: codes.to_vec() };
    // What each of the two tasks of the first stage leaves, by the tests that hold of it.
    for (of, test, not, tests, runs) in [
        (TasksMeant::All, exit(&[1]), false, [1, 1], true),
        (TasksMeant::All, exit(&[1]), false, [1, 0], false),
        (TasksMeant::Any, exit(&[1]), false, [1, 0], true),
        (TasksMeant::Any, exit(&[1]), false, [0, 0], false),
        (TasksMeant::Any, exit(&[1]), true, [0, 0], true),
        (TasksMeant::All, Test::Output { text: "x".into() }, true, [1, 1], false),
        (TasksMeant::All, Test::Succeeded, false, [0, 0], true),
        (TasksMeant::Any, Test::Skipped, false, [0, 0], false),
    ] {
        let mut first = stage("first", numbers(2));
        first.accept_any_exit = true;
        let mut second = one("second");
        second.when = vec![when(of, test.clone(), not)];
        let what = format!("{of:?} {test:?} {not} {tests:?}");
        let mut bench = after_first(job(vec![first, second]), &[(0, 1, tests[0]), (1, 1, tests[1])]);
        let noted = |reason: &&Reason| match reason {
            Reason::StageSkipped { stage: 1, tasks: 1, condition } => condition.is_some() && !runs,
            Reason::StageRuns { stage: 1 } => runs,
            _ => false,
        };
        assert!(bench.notes().iter().any(noted), "{what}: {:?}", bench.notes());
        if runs {
            bench.matched(1, &[1], 1);
            bench.agreed(1, 1, 1);
            bench.reported(1, vec![exited(of_second(), 0, "out")]);
        }
        assert_eq!(bench.state(), JobState::Succeeded, "{what}");
        assert_eq!(settled(&bench, 1), if runs { (1, 0, 0) } else { (0, 0, 1) }, "{what}");
    }
}

fn of_second() -> TaskId {
    of(1, 0)
}

#[test]
fn c6_a_stage_after_a_skipped_one_runs_and_one_that_reads_it_is_skipped() {
    let mut skipped = one("skipped");
    skipped.when = vec![when(TasksMeant::All, Test::Skipped, false)];
    let reads = stage("reads", StageInputs::Each { stage: 1 });
    let reduces = stage("reduces", StageInputs::Reduce { stage: 2, fan_in: 4 });
    let mut follows = one("follows");
    follows.after = vec![1, 3];
    let mut asks = one("asks");
    asks.when = vec![Condition { stage: 1, of: TasksMeant::All, test: Test::Skipped, not: true }];
    let spec = job(vec![one("first"), skipped, reads, reduces, follows, asks]);
    let mut bench = after_first(spec, &[(0, 0, 0)]);
    for stage in [1, 2, 3, 5] {
        assert_eq!(settled(&bench, stage), (0, 0, 1), "stage {stage}");
        let noted = |reason: &&Reason| matches!(reason, Reason::StageSkipped { stage: of, .. } if usize::from(*of) == stage);
        assert_eq!(bench.notes().iter().filter(|reason| noted(reason)).count(), 1, "stage {stage}");
    }
    assert_eq!(bench.scheduler.task(&JOB, of(2, 0)).map(|view| view.state), Some(TaskState::Skipped));
    bench.matched(4, &[1], 1);
    bench.agreed(4, 1, 1);
    assert_eq!(bench.assigned(), [(node(1), of(4, 0), 0)], "skipped counts as done");
    bench.reported(1, vec![exited(of(4, 0), 0, "out")]);
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn c6_each_task_runs_or_is_skipped_by_what_it_reads() {
    let mut first = stage("first", numbers(4));
    first.accept_any_exit = true;
    let mut each = stage("each", StageInputs::Each { stage: 0 });
    each.when = vec![when(TasksMeant::Each, Test::ExitCode { codes: vec![1] }, false)];
    let last = stage("last", StageInputs::Reduce { stage: 1, fan_in: 2 });
    // Tasks 0 and 1 exit with another code, 2 and 3 with 1.
    let results = [(0, 5, 0), (1, 5, 0), (3, 1, 1), (2, 1, 1)];
    let mut bench = after_first(job(vec![first, each, last]), &results);
    assert_eq!(settled(&bench, 1), (0, 0, 2));
    assert_eq!(settled(&bench, 2), (0, 0, 1), "nothing that its first task reads has a result");
    bench.matched(1, &[1], 4);
    bench.agreed(1, 1, 4);
    let mut assigned: Vec<TaskId> = bench.assigned().into_iter().map(|(_, task, _)| task).collect();
    assigned.sort_unstable();
    assert_eq!(assigned, [of(1, 2), of(1, 3)]);
    bench.reported(1, vec![exited(of(1, 2), 0, "c"), exited(of(1, 3), 0, "d")]);
    bench.matched(2, &[1], 1);
    bench.agreed(2, 1, 1);
    bench.reported(1, vec![exited(of(2, 1), 0, "cd")]);
    assert_eq!(bench.state(), JobState::Succeeded);
}

/// A stage of one task that may fail, one that runs if it did, one that runs if it did not.
fn repair(failures_max: u8) -> JobSpec {
    let mut first = one("first");
    (first.may_fail, first.failures_max) = (true, failures_max);
    let mut repair = one("repair");
    repair.when = vec![when(TasksMeant::Any, Test::Failed, false)];
    let mut go_on = one("go on");
    go_on.when = vec![when(TasksMeant::All, Test::Succeeded, false)];
    job(vec![first, repair, go_on])
}

#[test]
fn c6_a_failure_is_a_result_where_a_stage_may_fail_and_only_the_last_one() {
    let mut bench = Bench::with(repair(2));
    bench.matched(0, &[1], 1);
    bench.agreed(0, 1, 1);
    bench.reported(1, vec![failed(task(0), 0, trap())]);
    assert_eq!(bench.judged(), [], "it may be the task's result yet");
    assert!(bench.scheduler.task(&JOB, task(0)).is_some_and(|view| view.answers == 1));
    let (number, attempt) = bench.until_assigned(&[1, 2]);
    assert_eq!((number, attempt), (2, 1));
    bench.reported(2, vec![failed(task(0), 1, trap())]);
    let mut judged = bench.judged();
    judged.sort_by_key(|(node, ..)| *node);
    let expected = [(node(1), task(0), Judgement::Failed), (node(2), task(0), Judgement::Accepted)];
    assert_eq!(judged, expected);
    assert_eq!(settled(&bench, 0), (0, 1, 0));
    assert_eq!(settled(&bench, 2), (0, 0, 1));
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::TaskFailed { .. })));
    bench.matched(1, &[1], 1);
    bench.agreed(1, 1, 1);
    bench.reported(1, vec![exited(of(1, 0), 0, "mended")]);
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn a_failure_that_was_kept_is_judged_when_another_run_succeeds_or_the_job_ends() {
    let failed_once = || {
        let mut bench = Bench::with(repair(2));
        bench.matched(0, &[1], 1);
        bench.agreed(0, 1, 1);
        bench.reported(1, vec![failed(task(0), 0, trap())]);
        bench
    };
    let mut bench = failed_once();
    let (number, attempt) = bench.until_assigned(&[1, 2]);
    bench.reported(number, vec![exited(task(0), attempt, "out")]);
    let mut judged = bench.judged();
    judged.sort_by_key(|(node, ..)| *node);
    let expected = [(node(1), task(0), Judgement::Failed), (node(2), task(0), Judgement::Accepted)];
    assert_eq!(judged, expected);
    assert_eq!((settled(&bench, 0), settled(&bench, 1)), ((1, 0, 0), (0, 0, 1)));
    let mut bench = failed_once();
    bench.give(Input::Cancel { job: JOB });
    assert_eq!(bench.judged(), [(node(1), task(0), Judgement::Failed)]);
}

#[test]
fn c6_a_task_that_failed_on_every_node_there_is_has_failed() {
    let mut bench = Bench::with(repair(3));
    bench.matched(0, &[1], 1);
    bench.agreed(0, 1, 1);
    bench.reported(1, vec![failed(task(0), 0, trap())]);
    bench.wait(1_000);
    bench.nobody(0, Misfit::AlreadyUsed);
    assert_eq!(bench.judged(), [(node(1), task(0), Judgement::Accepted)]);
    assert_eq!((settled(&bench, 0), settled(&bench, 2)), ((0, 1, 0), (0, 0, 1)));
    assert_eq!(bench.state(), JobState::Running);
}

#[test]
fn what_could_not_be_found_out_is_no_result_though_a_stage_may_fail() {
    let mut spec = repair(3);
    spec.stages[0].retry.losses_max = 1;
    let mut bench = Bench::with(spec);
    bench.matched(0, &[1], 1);
    bench.agreed(0, 1, 1);
    bench.reported(1, vec![failed(task(0), 0, worker_lost())]);
    assert_eq!(bench.state(), JobState::Failed);
}

/// Not even where it failed once before: those that are lost say nothing of the program.
#[test]
fn c6_losses_make_no_result_of_an_earlier_failure() {
    let mut spec = repair(3);
    spec.stages[0].retry.losses_max = 1;
    let mut bench = Bench::with(spec);
    bench.matched(0, &[1, 2], 1);
    bench.agreed(0, 1, 1);
    bench.reported(1, vec![failed(task(0), 0, trap())]);
    assert_eq!(bench.judged(), [], "it may be the result yet");
    bench.agreed(0, 2, 1);
    bench.reported(2, vec![failed(task(0), 1, worker_lost())]);
    assert_eq!(bench.state(), JobState::Failed);
    assert!(bench.judged().iter().all(|(.., judgement)| *judgement == Judgement::Failed));
}

#[test]
fn c6_nodes_that_agree_on_a_failure_make_it_the_result() {
    let mut spec = repair(3);
    spec.stages[0].verify = Verify::Quorum { agree: 2, replicas: 2, replicas_max: 3 };
    let mut bench = Bench::with(spec);
    bench.matched(0, &[1, 2], 1);
    bench.agreed(0, 1, 1);
    bench.agreed(0, 2, 1);
    let attempts: Vec<(u8, u32)> =
        bench.assigned().iter().map(|(node, _, attempt)| (node.public_key()[0], *attempt)).collect();
    assert_eq!(attempts.len(), 2);
    for (number, attempt) in &attempts {
        bench.committed(*number, task(0), *attempt, "failed");
    }
    for (number, attempt) in &attempts {
        bench.reported(*number, vec![failed(task(0), *attempt, trap())]);
    }
    let mut judgements: Vec<Judgement> =
        bench.judged().into_iter().map(|(.., judgement)| judgement).collect();
    judgements.sort_unstable();
    assert_eq!(judgements, [Judgement::Accepted, Judgement::Agreed]);
    assert_eq!((settled(&bench, 0), settled(&bench, 2)), ((0, 1, 0), (0, 0, 1)));
}

#[test]
fn c6_c9_after_a_restart_what_was_skipped_and_what_failed_stays_so() {
    let restored = |spec: JobSpec, accepted: Vec<AcceptedTask>, failed: Vec<FailedRun>| {
        let mut bench = Bench::with(job(vec![one("other")]));
        bench.scheduler = Scheduler::new(Config::new([5; 32]));
        bench.give(Input::Restored(Box::new(Restored {
            job: JOB,
            spec: Arc::new(spec),
            submitted_at: Timestamp::from_millis(1_000),
            accepted,
            failed,
            attempts_from: 65_536,
            agreements: Vec::new(),
        })));
        bench
    };
    let first = |failed| AcceptedTask { failed, ..crate::bench::accepted(task(0), "out") };
    let bench = restored(repair(2), vec![first(true)], vec![FailedRun { task: task(0), node: node(1) }]);
    assert_eq!(
        (settled(&bench, 0), settled(&bench, 1), settled(&bench, 2)),
        ((0, 1, 0), (0, 0, 0), (0, 0, 1))
    );
    assert!(bench.has(|effect| matches!(effect, Effect::Find { stage: 1, .. })));
    let bench = restored(repair(2), vec![first(false)], Vec::new());
    assert_eq!((settled(&bench, 1), settled(&bench, 2)), ((0, 0, 1), (0, 0, 0)));
    let done = AcceptedTask { task: of(2, 0), ..first(false) };
    let bench = restored(repair(2), vec![done, first(false)], Vec::new());
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn c6_a_retried_job_finds_out_anew_what_is_skipped() {
    let mut spec = repair(1);
    spec.stages[2].when.clear();
    spec.stages[2].inputs = StageInputs::Each { stage: 0 };
    spec.stages[1].failures_max = 1;
    let mut bench = Bench::with(spec);
    bench.matched(0, &[1], 1);
    bench.agreed(0, 1, 1);
    bench.reported(1, vec![failed(task(0), 0, trap())]);
    assert_eq!(settled(&bench, 2), (0, 0, 1), "it would read what failed");
    bench.matched(1, &[1], 1);
    bench.agreed(1, 1, 1);
    bench.reported(1, vec![failed(of(1, 0), 0, trap())]);
    assert_eq!(bench.state(), JobState::Failed, "stage 1 may not fail");
    bench.give(Input::Retry { job: JOB });
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::RetriedByOwner { tasks: 1 })));
    assert_eq!((settled(&bench, 0), settled(&bench, 2)), ((0, 1, 0), (0, 0, 1)), "results stay");
    bench.matched(1, &[2], 1);
    bench.agreed(1, 2, 1);
    bench.reported(2, vec![exited(of(1, 0), 1, "mended")]);
    assert_eq!(bench.state(), JobState::Succeeded);
}
