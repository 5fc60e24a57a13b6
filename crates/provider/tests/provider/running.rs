//! Slots, batches, fairness, fetching and cancelling.

use crate::common::{
    ALICE, BOB, GIB, Node, agreement, assignment, blob_assignment, config, exited, failed, task, terms,
};
use opensky_provider::{Config, Effect, Input, TaskAttempt};
use opensky_types::{
    Hash,
    task::{Failure, Outcome},
};

/// Runs one task of agreement 1 that took `wall_us`, so that the pace is known.
fn warm_up(node: &mut Node, wall_us: u64) {
    node.assign(1, ALICE, [1_000_000]);
    let (batch, _, items) = node.runs().remove(0);
    assert_eq!(items.len(), 1, "the first task of an agreement runs alone");
    node.end_all(batch, 1, wall_us);
}

#[test]
fn short_tasks_share_a_batch_and_long_ones_do_not() {
    for (wall_us, length) in [(1, 256), (100, 150), (1_000, 15), (20_000, 1), (90_000_000, 1)] {
        let mut node = Node::new(config());
        node.agree(1, terms(ALICE, 1, 1));
        warm_up(&mut node, wall_us);
        node.assign(1, ALICE, 0..1_000);
        let runs = node.runs();
        assert_eq!((runs.len(), runs[0].2.len()), (1, length));
    }
}

#[test]
fn a_batch_never_leaves_another_slot_without_work() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 4));
    warm_up(&mut node, 10);
    node.assign(1, ALICE, 0..10);
    let lengths: Vec<usize> = node.runs().iter().map(|(_, _, items)| items.len()).collect();
    assert_eq!(lengths, vec![3, 3, 2, 2]);
}

#[test]
fn tasks_run_in_the_order_they_came() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    warm_up(&mut node, 5_000);
    node.assign(1, ALICE, [7, 3, 9, 1]);
    let (batch, _, items) = node.runs().remove(0);
    assert_eq!(items.iter().map(|item| item.task).collect::<Vec<_>>(), vec![task(7), task(3), task(9)]);
    node.end_all(batch, 3, 5_000);
    assert_eq!(node.runs()[0].2[0].task, task(1));
}

#[test]
fn slots_are_shared_among_consumers_then_agreements() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 4));
    node.agree(2, terms(ALICE, 2, 4));
    node.assign(1, ALICE, 0..100);
    let first = node.runs();
    assert_eq!(first.len(), 4, "alone, a consumer has all slots");
    node.assign(2, ALICE, 0..100);
    node.agree(3, terms(BOB, 1, 4));
    node.assign(3, BOB, 0..100);
    let mut running: Vec<u8> = vec![1; 4];
    for (at, (batch, ..)) in first.into_iter().enumerate() {
        node.end_all(batch, 1, 60_000_000);
        let next = node.runs()[0].1;
        running[at] = (1..=3).find(|number| agreement(*number) == next).expect("one of them");
    }
    running.sort_unstable();
    assert_eq!(running, vec![1, 2, 3, 3], "half for Bob, half for Alice's two");
}

#[test]
fn f15_an_assignment_that_comes_twice_runs_once() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, [0, 1]);
    let (batch, ..) = node.runs().remove(0);
    node.assign(1, ALICE, [0, 1]);
    assert_eq!((node.effects.len(), node.core.load()), (0, (1, 1)));
    node.end_all(batch, 1, 60_000_000);
    let (batch, ..) = node.runs().remove(0);
    node.end_all(batch, 1, 60_000_000);
    node.assign(1, ALICE, [0, 1]);
    assert_eq!(node.effects, Vec::new(), "delivered, not signed for yet");
    node.tell(Input::Assigned {
        from: ALICE,
        agreement: agreement(1),
        tasks: vec![assignment(TaskAttempt { attempt: 1, ..task(0) })],
    });
    assert_eq!(node.runs().len(), 1, "another attempt is another run");
}

#[test]
fn f15_an_end_that_comes_twice_counts_once() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    warm_up(&mut node, 5_000);
    node.assign(1, ALICE, 0..2);
    let (batch, _, items) = node.runs().remove(0);
    assert_eq!(items.len(), 2);
    node.end(batch, 5, exited(b"no such item"), 10);
    assert_eq!(node.effects, Vec::new());
    node.end(batch, 0, exited(b"once"), 10);
    assert_eq!(node.reports().len(), 1);
    node.end(batch, 0, exited(b"twice"), 10);
    assert_eq!((node.effects.len(), node.core.load()), (0, (1, 0)));
    node.end(batch, 1, exited(b"the other"), 10);
    assert_eq!((node.reports().len(), node.core.load()), (1, (0, 0)));
    node.end(batch, 1, exited(b"too late"), 10);
    assert_eq!(node.effects, Vec::new());
}

#[test]
fn work_waits_for_its_program_and_fails_without_it() {
    let mut node = Node::new(config());
    node.propose(1, terms(ALICE, 1, 4)).expect("acceptable");
    node.assign(1, ALICE, 0..3);
    assert!(node.runs().is_empty());
    let failure = Failure::InputUnavailable { hash: Hash::of(b"program"), message: "gone".into() };
    node.tell(Input::ProgramFailed { agreement: agreement(1), failure: failure.clone() });
    let reports = node.reports();
    assert_eq!(reports.len(), 3);
    assert!(reports.iter().all(|report| report.outcome == failed(failure.clone())));
    node.assign(1, ALICE, 3..5);
    assert!(matches!(node.effects[0], Effect::FetchProgram { .. }), "the next assignment tries again");
    node.tell(Input::ProgramReady { agreement: agreement(1) });
    assert_eq!(node.runs().len(), 2);
}

#[test]
fn inputs_are_fetched_a_few_ahead_and_within_the_disk() {
    let fetched = |node: &Node| -> Vec<TaskAttempt> {
        let inputs = node.effects.iter().filter_map(|effect| match effect {
            Effect::FetchInputs { inputs, .. } => Some(inputs.iter().map(|input| input.task)),
            _ => None,
        });
        inputs.flatten().collect()
    };
    for (size_bytes, ahead) in [(1_000, 64), (GIB, 2), (100 * GIB, 1)] {
        let mut node = Node::new(config());
        node.agree(1, terms(ALICE, 1, 1));
        let tasks = (0..100).map(|index| blob_assignment(task(index), size_bytes)).collect();
        node.tell(Input::Assigned { from: ALICE, agreement: agreement(1), tasks });
        let first = fetched(&node);
        assert_eq!(first.len(), ahead);
        assert!(node.runs().is_empty());
        node.tell(Input::InputsReady { agreement: agreement(1), tasks: first.clone() });
        assert_eq!(node.runs().len(), 1);
        assert_eq!(fetched(&node), vec![task(ahead as u32)], "one moved on, one more is fetched");
    }
}

#[test]
fn an_input_that_cannot_be_had_fails_its_task_alone() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 4));
    let tasks = (0..2).map(|index| blob_assignment(task(index), 10)).collect();
    node.tell(Input::Assigned { from: ALICE, agreement: agreement(1), tasks });
    let failure = Failure::InputUnavailable { hash: Hash::of(b"0"), message: "no source has it".into() };
    let lost = Input::InputsFailed { agreement: agreement(1), task: task(0), failure: failure.clone() };
    node.tell(lost.clone());
    assert_eq!(node.reports()[0].outcome, failed(failure));
    node.tell(lost);
    assert_eq!(node.effects, Vec::new());
    node.tell(Input::InputsReady { agreement: agreement(1), tasks: vec![task(0), task(1)] });
    assert_eq!(node.runs()[0].2[0].task, task(1));
}

#[test]
fn a_full_queue_hands_tasks_back() {
    let mut node = Node::new(Config { queue_max: 4, ..config() });
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, 0..6);
    let reports = node.reports();
    assert_eq!(reports.iter().map(|report| report.task.index).collect::<Vec<_>>(), vec![4, 5]);
    assert!(reports.iter().all(|report| matches!(
        &report.outcome,
        Outcome::Failed { failure: Failure::ProviderStopped { .. }, .. }
    )));
}

#[test]
fn cancelled_tasks_are_dropped_wherever_they_are() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    warm_up(&mut node, 5_000);
    node.assign(1, ALICE, 0..6);
    let (batch, _, items) = node.runs().remove(0);
    assert_eq!(items.len(), 3);
    let cancel = |tasks: &[u32]| Input::CancelTasks {
        from: ALICE,
        agreement: agreement(1),
        tasks: tasks.iter().map(|index| task(*index).task).collect(),
    };
    // Queued, and later in the batch: nothing to stop yet.
    node.tell(cancel(&[4, 1]));
    assert_eq!((node.stops().len(), node.core.load()), (0, (1, 3)));
    // Now it is the turn of the cancelled one: the batch stops, and the one behind it starts anew.
    node.end(batch, 0, exited(b"0"), 5_000);
    assert_eq!((node.reports().len(), node.stops()), (1, vec![batch]));
    node.end(batch, 1, failed(Failure::Cancelled), 0);
    assert!(node.reports().is_empty());
    node.end(batch, 2, failed(Failure::Cancelled), 0);
    let (batch, _, items) = node.runs().remove(0);
    assert_eq!(items.iter().map(|item| item.task.task.index).collect::<Vec<_>>(), vec![2, 3, 5]);
    // The one that runs now.
    node.tell(cancel(&[2]));
    assert_eq!(node.stops(), vec![batch]);
    assert_eq!(node.core.load(), (1, 1));
}

/// A slow task in a batch must not hold up the short ones behind it while slots are idle.
#[test]
fn f10_tasks_behind_a_slow_one_move_to_an_idle_slot() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 2));
    warm_up(&mut node, 100);
    node.assign(1, ALICE, 0..8);
    let runs = node.runs();
    assert_eq!(runs.iter().map(|(_, _, items)| items.len()).collect::<Vec<_>>(), vec![4, 4]);
    node.end_all(runs[0].0, 4, 100);
    node.pass(59);
    assert!(node.runs().is_empty());
    node.pass(1);
    let (_, _, items) = node.runs().remove(0);
    assert_eq!(items[0].task, task(5), "those behind the slow one, which goes on");
    assert!(node.stops().is_empty());
    node.end(runs[1].0, 0, exited(b"slow"), 60_000);
    assert_eq!((node.reports()[0].task.index, node.stops()), (4, vec![runs[1].0]));
}

#[test]
fn an_executor_that_shuts_down_does_not_blame_the_consumer() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, [0]);
    let (batch, ..) = node.runs().remove(0);
    node.end(batch, 0, failed(Failure::Cancelled), 0);
    let reports = node.reports();
    assert!(matches!(&reports[0].outcome, Outcome::Failed { failure: Failure::ProviderStopped { .. }, .. }));
}
