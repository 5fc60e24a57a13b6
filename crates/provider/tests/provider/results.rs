//! Receipts, commitments, and what is kept for a consumer that is away.

use crate::common::{
    ALICE, BOB, Node, OWN, agreement, assignment, config, exited, failed, limits, task, terms,
};
use opensky_provider::{Config, Effect, Input, TaskAttempt};
use opensky_types::{
    Micros,
    agreement::{Payment, Terms},
    limits::ContributionLimits,
    reason::Misfit,
    task::{Failure, Outcome, TaskReport, commitment},
};

/// Runs tasks 0 to `count` of agreement 1 to their ends, one after the other.
fn run_through(node: &mut Node, count: u32) -> Vec<Effect> {
    let mut told = Vec::new();
    node.assign(1, ALICE, 0..count);
    while let Some((batch, _, items)) = node.runs().into_iter().next() {
        node.end_all(batch, items.len(), 60_000_000);
        told.extend(node.effects.clone());
    }
    told
}

#[test]
fn receipts_say_what_ran_and_what_it_cost() {
    let price_per_gfuel = Micros::new(250);
    let mut node = Node::new(Config { has_prices: true, ..config() });
    node.tell(Input::Limits(ContributionLimits { price_per_gfuel, ..limits() }));
    let (escrow, expires_at) = (Micros::new(1_000), node.now.plus_ms(60_000));
    let payment = Some(Payment { escrow, expires_at, claim_window_ms: 60_000 });
    node.agree(1, Terms { price_per_gfuel, payment, ..terms(ALICE, 1, 2) });
    node.tell(Input::Funded { agreement: agreement(1), amount: escrow });
    node.assign(1, ALICE, 0..2);
    let runs = node.runs();
    node.end(runs[0].0, 0, exited(b"out"), 10);
    let delivered = node.deliveries().remove(0);
    let (report, receipt) = (&delivered.reports[0], &delivered.receipts[0]);
    assert_eq!((receipt.agreement, receipt.provider, receipt.consumer), (agreement(1), OWN, ALICE));
    assert_eq!((receipt.task, receipt.attempt), (report.task, report.attempt));
    assert_eq!(receipt.input, assignment(task(0)).input.hash());
    assert_eq!((receipt.output, receipt.exited), (report.outcome.hash(), true));
    assert_eq!((receipt.price, &receipt.engine[..]), (price_per_gfuel, "test 1"));
    assert_eq!(report.salt, [0; 16]);
    // What the program did not bring about itself costs nothing.
    let lost = Failure::WorkerLost { message: "signal 9".into() };
    node.end(runs[1].0, 0, failed(lost), 10);
    let receipt = node.deliveries().remove(0).receipts.remove(0);
    assert_eq!((receipt.price, receipt.exited), (Micros::ZERO, false));
}

#[test]
fn ends_told_together_are_delivered_together() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, [1_000]);
    let (batch, ..) = node.runs().remove(0);
    node.end_all(batch, 1, 10);
    node.assign(1, ALICE, 0..200);
    let (batch, _, items) = node.runs().remove(0);
    node.end_all(batch, items.len(), 10);
    let deliveries = node.deliveries();
    assert_eq!((deliveries.len(), deliveries[0].receipts.len()), (1, 200));
}

#[test]
fn c2_results_are_committed_to_and_shown_only_when_asked_for() {
    let mut node = Node::new(config());
    node.agree(1, Terms { commit_first: true, ..terms(ALICE, 1, 1) });
    let told = run_through(&mut node, 2);
    assert!(!told.iter().any(|effect| matches!(effect, Effect::Deliver { .. })));
    let committed: Vec<_> = told
        .iter()
        .filter_map(|effect| match effect {
            Effect::Commit { commitments, .. } => Some(commitments.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(committed.len(), 2);
    let reveal = |from, index| Input::Reveal { from, agreement: agreement(1), tasks: vec![task(index).task] };
    node.tell(reveal(BOB, 0));
    assert_eq!(node.ended(), vec![(agreement(1), Misfit::Terms)]);
    node.tell(reveal(ALICE, 0));
    let report: TaskReport = node.reports().remove(0);
    assert_ne!(report.salt, [0; 16]);
    let hash = commitment(&OWN, report.task, &report.outcome.hash(), &report.salt);
    assert_eq!(hash, committed.iter().find(|c| c.task == task(0)).expect("was committed").hash);
    node.tell(reveal(ALICE, 0));
    assert_eq!(node.effects, Vec::new(), "shown once");
    node.tell(Input::CancelTasks { from: ALICE, agreement: agreement(1), tasks: vec![task(1).task] });
    node.tell(reveal(ALICE, 1));
    assert_eq!(node.effects, Vec::new(), "not wanted any more");
}

#[test]
fn f12_finished_work_is_kept_for_a_consumer_that_comes_back() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, 0..3);
    let (batch, ..) = node.runs().remove(0);
    node.tell(Input::ConsumerLost { node: ALICE });
    node.end_all(batch, 1, 60_000_000);
    assert!(node.deliveries().is_empty(), "nobody to send it to");
    assert_eq!(node.runs().len(), 1, "what was queued is adopted");
    node.tell(Input::ConsumerUp { node: ALICE });
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    let first = node.deliveries().remove(0);
    assert_eq!((first.reports[0].task, first.again), (task(0).task, false));
    assert_eq!(node.standing(), Some(vec![task(1).task, task(2).task]));
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    let second = node.deliveries().remove(0);
    assert!(second.again && second.delivery == first.delivery && second.receipts == first.receipts);
    node.tell(Input::Countersigned { from: BOB, delivery: first.delivery });
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    assert_eq!(node.deliveries().len(), 1, "another node's word does not count");
    node.tell(Input::Countersigned { from: ALICE, delivery: first.delivery });
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    assert!(node.deliveries().is_empty());
}

#[test]
fn commitments_are_said_again_after_a_resume() {
    let mut node = Node::new(config());
    node.agree(1, Terms { commit_first: true, ..terms(ALICE, 1, 1) });
    run_through(&mut node, 2);
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    assert_eq!(node.commitments().iter().map(|c| c.task).collect::<Vec<_>>(), vec![task(0), task(1)]);
    assert_eq!(node.standing(), Some(Vec::new()));
}

#[test]
fn f12_orphaned_work_ends_after_its_grace() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, 0..3);
    let (batch, ..) = node.runs().remove(0);
    node.tell(Input::ConsumerLost { node: ALICE });
    node.pass(9_999);
    assert!(node.stops().is_empty() && node.standing().is_none());
    node.pass(1);
    assert_eq!(node.stops(), vec![batch]);
    assert!(node.effects.contains(&Effect::Release { agreement: agreement(1) }));
    assert_eq!(node.core.load(), (1, 0), "the slot is taken until the run has really ended");
    node.end(batch, 0, failed(Failure::Cancelled), 0);
    assert_eq!((node.core.load(), node.reports().len()), ((0, 0), 0));
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    assert_eq!(node.ended(), vec![(agreement(1), Misfit::Terms)]);
}

#[test]
fn f1_agreements_of_before_a_restart_wait_for_their_consumers() {
    let mut node = Node::new(config());
    let held = [(agreement(1), terms(ALICE, 1, 2)), (agreement(2), terms(BOB, 1, 2))];
    let agreements = held.map(|(agreement, terms)| (agreement, terms, Micros::ZERO)).into();
    node.tell(Input::Restored { agreements });
    node.pass(5_000);
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    assert_eq!(node.standing(), Some(Vec::new()), "the consumer learns that its tasks are gone");
    node.assign(1, ALICE, 0..2);
    assert!(matches!(node.effects[0], Effect::FetchProgram { .. }));
    node.pass(5_000);
    assert!(node.core.terms(agreement(1)).is_some() && node.core.terms(agreement(2)).is_none());
}

#[test]
fn p3_kept_results_are_bounded_and_the_oldest_go_first() {
    let mut node = Node::new(Config { kept_bytes_max: 700, ..config() });
    node.agree(1, terms(ALICE, 1, 1));
    let told = run_through(&mut node, 4);
    let dropped: Vec<TaskAttempt> = told
        .iter()
        .filter_map(|effect| match effect {
            Effect::Dropped { tasks, .. } => Some(tasks.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(dropped, vec![task(0), task(1)]);
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    assert_eq!(node.reports().iter().map(|report| report.task.index).collect::<Vec<_>>(), vec![2, 3]);
}

#[test]
fn a_report_too_large_for_a_message_fails_its_task_alone() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, [0]);
    let (batch, ..) = node.runs().remove(0);
    let mut outcome = exited(b"");
    if let Outcome::Exited(output) = &mut outcome {
        let file = |number: u32| (format!("{number:0>200}"), opensky_types::task::Content::empty());
        output.files = (0..40_000).map(file).collect();
    }
    node.end(batch, 0, outcome, 10);
    let limit = opensky_types::resources::Limit::Output;
    assert_eq!(node.reports()[0].outcome, failed(Failure::Limit { limit }));
}

#[test]
fn pain_9_an_agreement_without_work_gives_its_slots_back() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 4));
    node.agree(2, terms(BOB, 1, 4));
    node.assign(2, BOB, [0]);
    node.pass(59_999);
    assert_eq!(node.ended(), Vec::new());
    node.pass(1);
    assert_eq!(node.ended(), vec![(agreement(1), Misfit::Full)]);
    assert_eq!(node.core.offer().slots_free, 2);
}

#[test]
fn a_closed_agreement_leaves_nothing_behind() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, 0..3);
    let (batch, ..) = node.runs().remove(0);
    node.tell(Input::Close { from: ALICE, agreement: agreement(1) });
    assert_eq!(node.stops(), vec![batch]);
    assert_eq!(node.ended(), Vec::new(), "it was the consumer's own wish");
    node.end(batch, 0, exited(b"late"), 10);
    assert_eq!((node.reports().len(), node.core.load()), (0, (0, 0)));
}
