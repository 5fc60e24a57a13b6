//! Audits as often as the standing of each node asks (spec V3).

use crate::bench::{
    Bench, JOB, accepted, agreement, assigned_in, exited, job, node, numbers, stage, task, trap, worker_lost,
};
use opensky_scheduler::{AUDIT_PARTS_ALL, Effect, HeldAgreement, Input, Judgement, Restored};
use opensky_types::{
    Timestamp,
    job::{JobSpec, JobState, Verify},
    reason::{Misfit, Reason},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

fn verified(tasks: i64, verify: Verify) -> JobSpec {
    let mut only = stage("checked", numbers(tasks));
    only.verify = verify;
    job(vec![only])
}

/// A job of so many tasks, with an agreement of one slot on each of these nodes.
fn on_nodes(tasks: i64, nodes: &[u8], audit_parts: fn(u8) -> u32) -> Bench {
    let mut bench = Bench::with(verified(tasks, Verify::Reputation));
    bench.audit_parts = audit_parts;
    bench.matched(0, nodes, 1);
    for number in nodes {
        bench.agreed(0, *number, 1);
    }
    bench
}

/// Runs a job on honest nodes to its end: the nodes of each task, in the order in which they got it.
fn run(tasks: i64, nodes: &[u8], audit_parts: fn(u8) -> u32) -> BTreeMap<u32, Vec<u8>> {
    let mut bench = on_nodes(tasks, nodes, audit_parts);
    let mut pending = VecDeque::from(assigned_in(&bench.history));
    while let Some((to, task, attempt)) = pending.pop_front() {
        bench.reported(to.public_key()[0], vec![exited(task, attempt, &task.to_string())]);
        pending.extend(bench.assigned());
    }
    assert_eq!(bench.state(), JobState::Succeeded);
    let mut runs: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for (to, task, _) in assigned_in(&bench.history) {
        runs.entry(task.index).or_default().push(to.public_key()[0]);
    }
    runs
}

fn audited(runs: &BTreeMap<u32, Vec<u8>>) -> BTreeSet<u32> {
    runs.iter().filter(|(_, nodes)| nodes.len() == 2).map(|(index, _)| *index).collect()
}

/// The attempt of the run that a node got last.
fn attempt_on(bench: &Bench, number: u8) -> u32 {
    let all = assigned_in(&bench.history);
    all.iter().rev().find(|(to, _, _)| *to == node(number)).expect("it got the task").2
}

fn answers(bench: &mut Bench, number: u8, text: &str) {
    let attempt = attempt_on(bench, number);
    bench.reported(number, vec![exited(task(0), attempt, text)]);
}

#[test]
fn v3_tasks_are_audited_at_the_rate_of_their_node() {
    for (rate, least, most) in [
        ((|_| 0) as fn(u8) -> u32, 0, 0),
        (|_| 500, 1, 30),
        (|_| 50_000, 900, 1_100),
        (|_| AUDIT_PARTS_ALL, 2_000, 2_000),
    ] {
        let runs = run(2_000, &[1, 2, 3], rate);
        let found = audited(&runs).len();
        assert!((least..=most).contains(&found), "{found} at {}", rate(1));
        assert!(runs.values().all(|nodes| nodes.len() <= 2 && nodes.first() != nodes.get(1)));
    }
}

#[test]
fn v3_each_node_is_audited_at_its_own_rate() {
    let runs = run(1_000, &[1, 2, 3], |number| if number == 1 { AUDIT_PARTS_ALL } else { 0 });
    let of_first: BTreeSet<u32> =
        runs.iter().filter(|(_, nodes)| nodes[0] == 1).map(|(index, _)| *index).collect();
    assert!(of_first.len() > 100, "{}", of_first.len());
    assert_eq!(audited(&runs), of_first);
}

#[test]
fn v3_the_draw_does_not_depend_on_who_asks() {
    let drawn = audited(&run(1_000, &[1, 2, 3], |_| 50_000));
    assert_eq!(drawn, audited(&run(1_000, &[9, 4, 7, 5], |_| 50_000)));
    let more = audited(&run(1_000, &[1, 2, 3], |_| 70_000));
    assert!(drawn.is_subset(&more), "a higher rate draws all that a lower one draws");
}

#[test]
fn v3_a_node_gets_the_same_whether_it_is_audited_or_not() {
    let seen = |audit_parts| {
        let bench = on_nodes(8, &[1], audit_parts);
        let to_node = |effect: &&Effect| matches!(effect, Effect::Propose { .. } | Effect::Assign { .. });
        bench.history.iter().filter(to_node).cloned().collect::<Vec<_>>()
    };
    assert_eq!(seen(|_| 0), seen(|_| AUDIT_PARTS_ALL));
}

#[test]
fn v3_a_liar_is_outvoted() {
    let mut bench = on_nodes(1, &[1, 2, 3], |_| AUDIT_PARTS_ALL);
    assert_eq!(bench.history.iter().filter(|effect| is_note(effect, &Reason::AuditDrawn)).count(), 1);
    assert_eq!(assigned_in(&bench.history).len(), 2, "one run and a second opinion");
    answers(&mut bench, 1, "lie");
    assert!(bench.judged().is_empty());
    answers(&mut bench, 2, "right");
    assert!(bench.notes().iter().any(|r| matches!(r, Reason::Disagreement { replicas: 2, answers: 2 })));
    answers(&mut bench, 3, "right");
    let found: BTreeMap<_, _> = bench.judged().into_iter().map(|(who, _, how)| (who, how)).collect();
    let expected =
        [(node(1), Judgement::Rejected), (node(2), Judgement::Accepted), (node(3), Judgement::Agreed)];
    assert_eq!(found, BTreeMap::from(expected));
    assert!(bench.notes().iter().any(|r| matches!(r, Reason::Outvoted { node: who, .. } if *who == node(1))));
    assert_eq!(bench.state(), JobState::Succeeded);
}

fn is_note(effect: &Effect, reason: &Reason) -> bool {
    matches!(effect, Effect::Note { note, .. } if note.reason == *reason)
}

#[test]
fn v3_another_run_is_drawn_at_the_rate_of_its_node() {
    for failure in [worker_lost(), trap()] {
        let mut bench = on_nodes(1, &[1, 2, 3], |number| if number == 1 { 0 } else { AUDIT_PARTS_ALL });
        assert_eq!(assigned_in(&bench.history).len(), 1, "the first node is believed");
        let attempt = attempt_on(&bench, 1);
        bench.reported(1, vec![crate::bench::failed(task(0), attempt, failure)]);
        let nodes: Vec<_> = bench.assigned().into_iter().map(|(to, _, _)| to).collect();
        assert_eq!(nodes, [node(2), node(3)], "the second is not");
    }
}

#[test]
fn v3_an_audit_is_not_taken_back() {
    let mut bench = on_nodes(1, &[1, 2, 3], |number| if number == 1 { AUDIT_PARTS_ALL } else { 0 });
    let attempt = attempt_on(&bench, 1);
    bench.reported(1, vec![crate::bench::failed(task(0), attempt, worker_lost())]);
    answers(&mut bench, 2, "a");
    assert_eq!(bench.state(), JobState::Running);
    answers(&mut bench, 3, "a");
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn v3_a_node_alone_waits_for_another_as_a_sample_does() {
    let history = |verify| {
        let mut bench = Bench::with(verified(3, verify));
        bench.audit_parts = |_| AUDIT_PARTS_ALL;
        bench.matched(0, &[1], 2);
        bench.agreed(0, 1, 2);
        let mut pending = assigned_in(&bench.history);
        while let Some((_, task, attempt)) = pending.pop() {
            bench.reported(1, vec![exited(task, attempt, "a")]);
            pending.extend(bench.assigned());
        }
        for _ in 0..70 {
            bench.wait(1_000);
            if bench.state() == JobState::Running {
                bench.nobody(0, Misfit::AlreadyUsed);
            }
        }
        assert_eq!(bench.state(), JobState::Failed, "nobody came within the time it waits");
        bench.history
    };
    let found = history(Verify::Reputation);
    assert!(found.iter().any(|effect| matches!(effect, Effect::Note { note, .. }
        if matches!(note.reason, Reason::NobodyFits { .. }))));
    assert_eq!(found, history(Verify::Sample { per_mille: 1_000 }));
}

#[test]
fn v3_after_a_restart_the_same_draw_holds_and_accepted_tasks_stay_accepted() {
    let drawn = audited(&run(40, &[1, 2, 3], |_| 50_000));
    let mut bench = Bench::with(job(vec![stage("other", numbers(1))]));
    bench.scheduler = opensky_scheduler::Scheduler::new(opensky_scheduler::Config::new([5; 32]));
    let held =
        HeldAgreement { agreement: agreement(0, 1), stage: 0, node: node(1), slots: 40, audit_parts: 50_000 };
    let accepted = |index: &u32| accepted(task(*index), "a");
    let done: Vec<u32> = drawn.iter().copied().take(5).collect();
    bench.give(Input::Restored(Box::new(Restored {
        job: JOB,
        spec: Arc::new(verified(40, Verify::Reputation)),
        submitted_at: Timestamp::from_millis(500),
        accepted: done.iter().map(accepted).collect(),
        failed: Vec::new(),
        attempts_from: 65_536,
        agreements: vec![held],
    })));
    let left: Vec<u32> = (0..40).filter(|index| !done.contains(index)).collect();
    bench.reported(1, left.iter().map(|index| exited(task(*index), 0, "a")).collect());
    let believed: BTreeSet<u32> = bench.judged().into_iter().map(|(_, task, _)| task.index).collect();
    let expected = left.iter().copied().filter(|index| !drawn.contains(index)).collect();
    assert_eq!(believed, expected, "what was drawn before the restart is drawn again");
    assert!(bench.assigned().is_empty(), "nothing runs again where it ran");
}
