//! Quorums, commitments, audits (threats C1, C2).

use crate::bench::{
    Bench, JOB, SALT, agreement, exited, failed, job, node, numbers, output, stage, task, trap,
};
use opensky_scheduler::{Committed, Effect, Input, Judgement};
use opensky_types::{
    job::{JobState, Verify},
    reason::Reason,
};

/// One task, replicated on nodes 1 to `replicas`; attempts follow the nodes.
fn quorum(agree: u8, replicas: u8, replicas_max: u8, nodes: u8) -> Bench {
    let mut only = stage("checked", numbers(1));
    only.verify = Verify::Quorum { agree, replicas, replicas_max };
    let mut bench = Bench::with(job(vec![only]));
    let all: Vec<u8> = (1..=nodes).collect();
    bench.matched(0, &all, 1);
    for number in 1..=replicas {
        bench.agreed(0, number, 1);
    }
    bench
}

fn reveals(bench: &Bench) -> usize {
    bench.effects.iter().filter(|effect| matches!(effect, Effect::Reveal { .. })).count()
}

fn attempt_on(bench: &Bench, number: u8) -> u32 {
    let all = crate::bench::assigned_in(&bench.history);
    all.iter().rev().find(|(to, _, _)| *to == node(number)).expect("it got the task").2
}

fn commit(bench: &mut Bench, number: u8, text: &str) {
    let attempt = attempt_on(bench, number);
    bench.committed(number, task(0), attempt, text);
}

fn show(bench: &mut Bench, number: u8, text: &str) {
    let attempt = attempt_on(bench, number);
    bench.reported(number, vec![exited(task(0), attempt, text)]);
}

#[test]
fn c2_nothing_is_shown_before_all_have_committed() {
    let mut bench = quorum(2, 3, 5, 3);
    let nodes: std::collections::BTreeSet<_> =
        crate::bench::assigned_in(&bench.history).into_iter().map(|(to, _, _)| to).collect();
    assert_eq!(nodes.len(), 3, "on distinct nodes");
    commit(&mut bench, 1, "a");
    commit(&mut bench, 2, "a");
    assert_eq!(reveals(&bench), 0, "two of three are not enough");
    commit(&mut bench, 3, "b");
    assert_eq!(reveals(&bench), 3);
    show(&mut bench, 1, "a");
    assert!(bench.judged().is_empty());
    show(&mut bench, 2, "a");
    let expected = [(node(1), task(0), Judgement::Accepted), (node(2), task(0), Judgement::Agreed)];
    assert_eq!(bench.judged().len(), 2);
    assert!(expected.iter().all(|one| bench.judged().contains(one)), "{:?}", bench.judged());
    assert_eq!(bench.state(), JobState::Succeeded);
    show(&mut bench, 3, "b");
    assert_eq!(bench.judged(), [(node(3), task(0), Judgement::Rejected)]);
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::Outvoted { .. })));
    assert!(bench.has(|e| matches!(e, Effect::Rest { node: who, .. } if *who == node(3))));
}

#[test]
fn c2_a_result_other_than_the_committed_one_is_rejected() {
    let mut bench = quorum(2, 2, 3, 3);
    commit(&mut bench, 1, "a");
    commit(&mut bench, 2, "lie");
    show(&mut bench, 1, "a");
    show(&mut bench, 2, "a");
    assert_eq!(bench.judged(), [(node(2), task(0), Judgement::Rejected)]);
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::BrokenCommitment { .. })));
    assert!(bench.has(|e| matches!(e, Effect::Rest { node: who, .. } if *who == node(2))));
    bench.wait(1_000);
    bench.matched(0, &[2, 3], 1);
    bench.agreed(0, 3, 1);
    commit(&mut bench, 3, "a");
    assert_eq!(reveals(&bench), 1);
    show(&mut bench, 3, "a");
    assert_eq!(bench.state(), JobState::Succeeded);
}

#[test]
fn c2_a_second_commitment_does_not_replace_the_first() {
    let mut bench = quorum(2, 2, 3, 2);
    commit(&mut bench, 1, "a");
    let hash = opensky_types::task::commitment(&node(1), task(0), &output("b"), &SALT);
    let attempt = attempt_on(&bench, 1);
    let commitments = vec![Committed { task: task(0), attempt, hash }];
    bench.give(Input::Committed { agreement: agreement(0, 1), commitments });
    commit(&mut bench, 2, "b");
    show(&mut bench, 1, "b");
    assert_eq!(bench.judged(), [(node(1), task(0), Judgement::Rejected)]);
}

#[test]
fn c1_disagreement_asks_one_more_node_at_a_time_until_there_is_no_quorum() {
    let mut bench = quorum(2, 2, 3, 3);
    commit(&mut bench, 1, "a");
    commit(&mut bench, 2, "b");
    show(&mut bench, 1, "a");
    show(&mut bench, 2, "b");
    assert!(bench.notes().iter().any(|r| matches!(r, Reason::Disagreement { replicas: 2, answers: 2 })));
    bench.wait(1_000);
    bench.matched(0, &[3], 1);
    bench.agreed(0, 3, 1);
    commit(&mut bench, 3, "c");
    show(&mut bench, 3, "c");
    assert_eq!(bench.state(), JobState::Failed);
    assert!(bench.notes().iter().any(|r| matches!(r, Reason::NoQuorum { agree: 2, replicas: 3 })));
    assert_eq!(bench.judged().len(), 3, "each is told, and none is called a liar");
    assert!(bench.judged().iter().all(|(_, _, judgement)| *judgement == Judgement::Undecided));
}

#[test]
fn c1_two_nodes_that_trap_agree_that_the_program_fails() {
    let mut bench = quorum(2, 2, 3, 2);
    commit(&mut bench, 1, "failed");
    commit(&mut bench, 2, "failed");
    for number in [1, 2] {
        let attempt = attempt_on(&bench, number);
        bench.reported(number, vec![failed(task(0), attempt, trap())]);
    }
    assert_eq!(bench.state(), JobState::Failed);
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::Poisoned { nodes: 2, .. })));
    assert!(bench.judged().iter().all(|(_, _, judgement)| *judgement == Judgement::Failed));
}

#[test]
fn c2_a_lost_replica_is_replaced_by_a_node_that_has_none() {
    let mut bench = quorum(2, 2, 3, 3);
    commit(&mut bench, 1, "a");
    bench.give(Input::ProviderLost { node: node(2) });
    bench.wait(3_000);
    assert!(bench.assigned().is_empty(), "not a second replica on node 1");
    bench.matched(0, &[3], 1);
    bench.agreed(0, 3, 1);
    assert_eq!(bench.assigned(), [(node(3), task(0), 2)]);
    commit(&mut bench, 3, "a");
    assert_eq!(reveals(&bench), 2);
}

#[test]
fn c1_a_result_that_is_not_shown_is_given_up() {
    let mut bench = quorum(2, 2, 3, 3);
    commit(&mut bench, 1, "a");
    commit(&mut bench, 2, "a");
    show(&mut bench, 1, "a");
    bench.wait(10_000);
    assert!(bench.has(|e| matches!(e, Effect::Find { .. })));
    bench.matched(0, &[3], 1);
    bench.agreed(0, 3, 1);
    assert_eq!(bench.assigned(), [(node(3), task(0), 2)]);
}

#[test]
fn c1_audited_tasks_run_twice_and_the_draw_is_repeatable() {
    let run = || {
        let mut sampled = stage("sampled", numbers(1_000));
        sampled.verify = Verify::Sample { per_mille: 100 };
        let mut bench = Bench::with(job(vec![sampled]));
        bench.matched(0, &[1, 2, 3], 500);
        for number in 1..=3 {
            bench.agreed(0, number, 500);
        }
        let mut pending = crate::bench::assigned_in(&bench.history);
        while let Some((to, task, attempt)) = pending.pop() {
            let number = to.public_key()[0];
            bench.reported(number, vec![exited(task, attempt, &task.to_string())]);
            pending.extend(bench.assigned());
        }
        assert_eq!(bench.state(), JobState::Succeeded);
        let mut runs: Vec<_> =
            crate::bench::assigned_in(&bench.history).into_iter().map(|(_, task, _)| task).collect();
        runs.sort();
        runs
    };
    let runs = run();
    assert!((1_060..1_140).contains(&runs.len()), "{}", runs.len());
    assert_eq!(runs, run());
}

#[test]
fn c2_a_quorum_waits_for_distinct_nodes_before_it_starts() {
    let mut only = stage("checked", numbers(1));
    only.verify = Verify::Quorum { agree: 2, replicas: 2, replicas_max: 3 };
    let mut bench = Bench::with(job(vec![only]));
    bench.matched(0, &[1], 8);
    bench.agreed(0, 1, 8);
    assert!(bench.assigned().is_empty());
    bench.wait(1_000);
    bench.nobody(0, opensky_types::reason::Misfit::AlreadyUsed);
    assert!(bench.notes().iter().any(|reason| matches!(reason, Reason::Waiting { .. })));
    bench.wait(1_000);
    bench.matched(0, &[2], 8);
    bench.agreed(0, 2, 8);
    assert_eq!(bench.assigned().len(), 2);
    assert_eq!(bench.scheduler.job(&JOB).map(|view| view.stages[0].running), Some(1));
}
