//! Results that a check decides about: each by itself, or two by two.

use crate::bench::{Bench, JOB, exited, failed, job, node, numbers, output, stage, task, trap};
use opensky_scheduler::{CheckedRun, Effect, Input, Judgement};
use opensky_types::{
    TaskId,
    job::{Check, CheckDecision, Checker, JobState, Real, StageSpec, Tolerance, Verify},
    reason::Reason,
    resources::TaskLimits,
    task::Failure,
};

fn checker() -> Check {
    Check::Program(Checker {
        program: output("checker"),
        size_bytes: 7,
        args: Vec::new(),
        score_min: None,
        limits: TaskLimits { wall_ms: 1_000, ..TaskLimits::default() },
    })
}

fn checked(agree: u8, replicas_max: u8, check: Check) -> StageSpec {
    let mut only = stage("work", numbers(1));
    only.verify = Verify::Checked { agree, replicas: agree, replicas_max };
    only.check = Some(check);
    only.program.deterministic = false;
    only
}

fn alone() -> Bench {
    let mut bench = Bench::with(job(vec![checked(1, 1, checker())]));
    bench.matched(0, &[1], 1);
    bench.agreed(0, 1, 1);
    bench
}

/// Checks that the last input asked for, by the attempts of their runs.
fn asked(bench: &Bench) -> Vec<Vec<CheckedRun>> {
    let asked = bench.effects.iter().filter_map(|effect| match effect {
        Effect::Check { task: of, runs, .. } if *of == task(0) => Some(runs.clone()),
        _ => None,
    });
    asked.collect()
}

fn attempts(runs: &[CheckedRun]) -> Vec<u32> {
    runs.iter().map(|run| run.attempt).collect()
}

fn say(bench: &mut Bench, runs: Vec<CheckedRun>, decision: CheckDecision) {
    let message = "since".to_owned();
    bench.give(Input::Checked { job: JOB, task: task(0), runs, decision, message });
}

/// Judgements of the last input, in order of node.
fn judged(bench: &Bench) -> Vec<(u8, Judgement)> {
    let mut all: Vec<(u8, Judgement)> =
        bench.judged().into_iter().map(|(node, _, judgement)| (node.public_key()[0], judgement)).collect();
    all.sort_unstable();
    all
}

#[test]
fn v1_a_result_counts_only_once_it_has_passed_its_check() {
    let mut bench = alone();
    bench.reported(1, vec![exited(task(0), 0, "out")]);
    assert_eq!(bench.judged(), []);
    let runs = asked(&bench);
    assert_eq!(runs.iter().map(|runs| attempts(runs)).collect::<Vec<_>>(), [[0]]);
    bench.wait(5_000);
    assert!(asked(&bench).is_empty(), "asked once");
    assert_eq!(bench.state(), JobState::Running);
    say(&mut bench, runs[0].clone(), CheckDecision::Passed);
    assert_eq!(judged(&bench), [(1, Judgement::Accepted)]);
    assert_eq!(bench.state(), JobState::Succeeded);
    say(&mut bench, runs[0].clone(), CheckDecision::Failed);
    assert!(bench.effects.is_empty(), "a second word is not heard");
}

#[test]
fn c1_v1_a_liar_that_a_checker_catches_is_rejected_and_rests() {
    let mut bench = alone();
    bench.reported(1, vec![exited(task(0), 0, "lie")]);
    let runs = asked(&bench).remove(0);
    say(&mut bench, runs, CheckDecision::Failed);
    assert_eq!(judged(&bench), [(1, Judgement::Rejected)]);
    assert!(bench.has(|effect| matches!(effect, Effect::Rest { node: who, .. } if *who == node(1))));
    let noted = |wanted: fn(&Reason) -> bool| bench.notes().iter().any(|reason| wanted(reason));
    assert!(noted(|reason| matches!(reason, Reason::Checked { decision: CheckDecision::Failed, .. })));
    assert!(noted(|reason| matches!(
        reason,
        Reason::TriedAgain { failure: Failure::Unchecked { .. }, count: 1, count_max: 3, .. }
    )));
    let (number, attempt) = bench.until_assigned(&[1, 2]);
    assert_eq!((number, attempt), (2, 1), "never on the same node again");
    bench.reported(2, vec![exited(task(0), 1, "out")]);
    let runs = asked(&bench).remove(0);
    say(&mut bench, runs, CheckDecision::Passed);
    assert_eq!(judged(&bench), [(2, Judgement::Accepted)]);
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn v1_a_checker_that_itself_fails_rejects_nobody_and_stops_the_job_after_enough_nodes() {
    let mut bench = alone();
    for number in 1..=3 {
        let attempt = u32::from(number) - 1;
        if number > 1 {
            let (on, _) = bench.until_assigned(&[1, 2, 3, 4]);
            assert_eq!(on, number);
        }
        bench.reported(number, vec![exited(task(0), attempt, "out")]);
        let runs = asked(&bench).remove(0);
        say(&mut bench, runs, CheckDecision::Broken);
        assert_eq!(judged(&bench), [(number, Judgement::Failed)], "paid as any run");
        assert!(!bench.has(|effect| matches!(effect, Effect::Rest { .. })));
    }
    assert_eq!(bench.state(), JobState::Failed);
    let stopped = bench.notes().iter().any(|reason| {
        matches!(reason, Reason::Poisoned { nodes: 3, failure: Failure::Unchecked { message } }
            if message.contains("could not be checked: since"))
    });
    assert!(stopped, "{:?}", bench.notes());
}

#[test]
fn v1_a_copy_of_a_slow_run_waits_until_the_first_result_is_checked() {
    for (decision, expected) in [
        (CheckDecision::Passed, vec![(1, Judgement::Accepted), (2, Judgement::Undecided)]),
        (CheckDecision::Failed, vec![(1, Judgement::Rejected)]),
    ] {
        let mut only = checked(1, 1, checker());
        (only.hedge, only.limits.wall_ms) = (true, 1_000);
        let mut bench = Bench::with(job(vec![only]));
        bench.matched(0, &[1, 2], 1);
        bench.agreed(0, 1, 1);
        bench.agreed(0, 2, 1);
        bench.wait(3_000);
        let copy = crate::bench::assigned_in(&bench.history);
        let copied = copy.iter().any(|(on, ..)| *on == node(2));
        if !copied {
            let (number, _) = bench.until_assigned(&[2]);
            assert_eq!(number, 2);
        }
        bench.reported(1, vec![exited(task(0), 0, "out")]);
        let runs = asked(&bench).remove(0);
        bench.reported(2, vec![exited(task(0), 1, "other")]);
        assert!(asked(&bench).is_empty(), "one at a time");
        say(&mut bench, runs, decision);
        assert_eq!(judged(&bench), expected);
        let next: Vec<Vec<u32>> = asked(&bench).iter().map(|runs| attempts(runs)).collect();
        assert_eq!(next, if decision == CheckDecision::Failed { vec![vec![1]] } else { vec![] });
    }
}

#[test]
fn a_failed_run_of_a_checked_stage_is_a_failure_as_ever() {
    let mut bench = alone();
    bench.reported(1, vec![failed(task(0), 0, trap())]);
    assert!(asked(&bench).is_empty());
    assert_eq!(judged(&bench), [(1, Judgement::Failed)]);
}

#[test]
fn v1_checks_that_are_open_at_the_end_of_a_job_settle_nothing() {
    let mut bench = alone();
    bench.reported(1, vec![exited(task(0), 0, "out")]);
    let runs = asked(&bench).remove(0);
    bench.give(Input::Cancel { job: JOB });
    assert_eq!(judged(&bench), [(1, Judgement::Undecided)]);
    say(&mut bench, runs, CheckDecision::Passed);
    assert!(bench.effects.is_empty());
}

/// A job whose results are compared, with so many runs handed out to the first nodes, by node and attempt.
fn compared(agree: u8, replicas_max: u8) -> (Bench, Vec<(u8, u32)>) {
    let tolerance = Tolerance { absolute: Real::new(0.5).expect("finite"), relative: Real::default() };
    let mut bench = Bench::with(job(vec![checked(agree, replicas_max, Check::Tolerance(tolerance))]));
    let nodes: Vec<u8> = (1..=agree).collect();
    bench.matched(0, &nodes, 1);
    nodes.iter().for_each(|number| bench.agreed(0, *number, 1));
    let mut runs: Vec<(u8, u32)> =
        bench.assigned().iter().map(|(on, _, attempt)| (on.public_key()[0], *attempt)).collect();
    runs.sort_unstable();
    assert_eq!(runs.len(), usize::from(agree));
    (bench, runs)
}

fn shown(bench: &mut Bench, (number, attempt): (u8, u32), text: &str) {
    bench.committed(number, task(0), attempt, text);
}

#[test]
fn c2_v1_results_that_are_alike_agree_and_are_committed_to_first() {
    let (mut bench, runs) = compared(2, 4);
    shown(&mut bench, runs[0], "1.0");
    assert!(!bench.has(|effect| matches!(effect, Effect::Reveal { .. })), "not before both have committed");
    shown(&mut bench, runs[1], "1.1");
    bench.reported(runs[0].0, vec![exited(task(0), runs[0].1, "1.0")]);
    assert!(asked(&bench).is_empty(), "nothing to compare it with");
    bench.reported(runs[1].0, vec![exited(task(0), runs[1].1, "1.1")]);
    let pair = asked(&bench).remove(0);
    assert_eq!(attempts(&pair), [runs[0].1, runs[1].1]);
    say(&mut bench, pair, CheckDecision::Passed);
    assert_eq!(judged(&bench), [(1, Judgement::Accepted), (2, Judgement::Agreed)]);
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn v1_equal_results_need_no_comparison() {
    let (mut bench, runs) = compared(2, 4);
    runs.iter().for_each(|run| shown(&mut bench, *run, "1.0"));
    for (number, attempt) in runs {
        bench.reported(number, vec![exited(task(0), attempt, "1.0")]);
        assert!(asked(&bench).is_empty());
    }
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn c1_v1_a_liar_among_results_that_are_alike_is_outvoted() {
    let (mut bench, runs) = compared(2, 4);
    runs.iter().zip(["9.0", "1.0"]).for_each(|(run, text)| shown(&mut bench, *run, text));
    for ((number, attempt), text) in runs.iter().zip(["9.0", "1.0"]) {
        bench.reported(*number, vec![exited(task(0), *attempt, text)]);
    }
    let pair = asked(&bench).remove(0);
    say(&mut bench, pair, CheckDecision::Failed);
    assert!(bench.notes().iter().any(|r| matches!(r, Reason::Disagreement { replicas: 2, answers: 2 })));
    let (number, attempt) = bench.until_assigned(&[1, 2, 3]);
    assert_eq!(number, 3);
    shown(&mut bench, (3, attempt), "1.2");
    bench.reported(3, vec![exited(task(0), attempt, "1.2")]);
    let pairs = asked(&bench);
    assert_eq!(pairs.len(), 2, "the new one with each");
    say(&mut bench, pairs[0].clone(), CheckDecision::Failed);
    assert_eq!(bench.judged(), [], "the other comparison is awaited");
    say(&mut bench, pairs[1].clone(), CheckDecision::Passed);
    let expected = [(1, Judgement::Rejected), (2, Judgement::Accepted), (3, Judgement::Agreed)];
    assert_eq!(judged(&bench), expected);
    assert!(bench.has(|effect| matches!(effect, Effect::Rest { node: who, .. } if *who == node(1))));
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn v1_results_that_cannot_be_compared_settle_nothing_and_accuse_nobody() {
    let (mut bench, runs) = compared(2, 2);
    for ((number, attempt), text) in runs.iter().zip(["a", "b"]) {
        shown(&mut bench, (*number, *attempt), text);
    }
    for ((number, attempt), text) in runs.iter().zip(["a", "b"]) {
        bench.reported(*number, vec![exited(task(0), *attempt, text)]);
    }
    let pair = asked(&bench).remove(0);
    say(&mut bench, pair, CheckDecision::Broken);
    assert_eq!(judged(&bench), [(1, Judgement::Undecided), (2, Judgement::Undecided)]);
    assert!(bench.notes().iter().any(|r| matches!(r, Reason::NoQuorum { agree: 2, replicas: 2 })));
    assert_eq!(bench.state(), JobState::Failed);
    assert!(!bench.has(|effect| matches!(effect, Effect::Rest { .. })));
}

#[test]
fn v1_a_word_on_a_task_or_a_job_that_is_not_known_is_not_heard() {
    let mut bench = alone();
    let runs = vec![CheckedRun { agreement: crate::bench::agreement(0, 1), attempt: 7 }];
    say(&mut bench, runs.clone(), CheckDecision::Passed);
    assert!(bench.effects.is_empty());
    let (task, decision, message) = (TaskId { stage: 9, index: 9 }, CheckDecision::Passed, String::new());
    bench.give(Input::Checked { job: JOB, task, runs, decision, message });
    assert!(bench.effects.is_empty());
}
