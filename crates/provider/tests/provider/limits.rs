//! The owner's limits, which can change while work runs (spec N8).

use crate::common::{
    ALICE, BOB, GIB, Node, agreement, config, exited, failed, limits, readings, task, terms,
};
use opensky_provider::{Effect, Input};
use opensky_types::{
    limits::{ContributionLimits, Hours},
    reason::Misfit,
    resources::{Limit, Readings},
    task::{Failure, Outcome},
};

#[test]
fn the_offer_says_why_nothing_is_shared() {
    let hours = Some(Hours { from_minute: 22 * 60, to_minute: 6 * 60 });
    let table: [(&str, ContributionLimits, Readings); 10] = [
        ("", limits(), readings()),
        ("paused", ContributionLimits { share: false, ..limits() }, readings()),
        ("paused", ContributionLimits { cpu_percent: 0, ..limits() }, readings()),
        ("outside-hours", ContributionLimits { hours, ..limits() }, readings()),
        ("", ContributionLimits { hours, ..limits() }, Readings { minute_of_day: 60, ..readings() }),
        (
            "in-use",
            ContributionLimits { only_when_idle: true, ..limits() },
            Readings { idle_ms: Some(1_000), ..readings() },
        ),
        (
            "in-use",
            ContributionLimits { only_when_idle: true, ..limits() },
            Readings { cpu_busy_percent: 60, ..readings() },
        ),
        ("hot", limits(), Readings { temperature_celsius: Some(80), ..readings() }),
        ("low-memory", limits(), Readings { memory_available_bytes: 100 << 20, ..readings() }),
        ("low-disk", limits(), Readings { disk_free_bytes: 1 << 20, ..readings() }),
    ];
    for (note, limits, readings) in table {
        let mut node = Node::new(config());
        node.tell(Input::Limits(limits));
        node.tell(Input::Readings(readings));
        let offer = node.core.offer();
        assert_eq!((offer.note, offer.slots_total), (note, if note.is_empty() { 4 } else { 0 }));
        let answer = node.propose(1, terms(ALICE, 1, 4));
        assert_eq!(answer, if note.is_empty() { Ok(4) } else { Err(Misfit::Closed) });
    }
}

#[test]
fn the_sky_is_told_only_of_what_matters() {
    let mut node = Node::new(config());
    let told = |node: &Node| node.effects.contains(&Effect::OfferChanged);
    node.agree(1, terms(ALICE, 1, 2));
    assert!(!told(&node), "still some free");
    node.propose(2, terms(BOB, 1, 2)).expect("acceptable");
    assert!(told(&node), "the last slot went");
    node.tell(Input::Close { from: BOB, agreement: agreement(2) });
    assert!(told(&node), "and came back");
    node.tell(Input::Readings(readings()));
    assert!(!told(&node));
}

#[test]
fn a_hot_machine_finishes_what_runs_and_starts_again_once_cool() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, 0..3);
    let (batch, ..) = node.runs().remove(0);
    let heat = |celsius| Input::Readings(Readings { temperature_celsius: Some(celsius), ..readings() });
    node.tell(heat(80));
    assert!(node.stops().is_empty());
    node.end(batch, 0, exited(b"ok"), 10);
    assert_eq!((node.reports().len(), node.runs().len()), (1, 0));
    node.tell(heat(78));
    assert!(node.runs().is_empty(), "not cool enough yet");
    node.tell(heat(76));
    assert_eq!(node.runs().len(), 1);
}

#[test]
fn a_critical_temperature_stops_what_runs() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 1));
    node.assign(1, ALICE, 0..2);
    let (batch, ..) = node.runs().remove(0);
    node.tell(Input::Readings(Readings { temperature_celsius: Some(92), ..readings() }));
    assert_eq!(node.stops(), vec![batch]);
    node.tell(Input::Readings(Readings { temperature_celsius: Some(93), ..readings() }));
    assert!(node.stops().is_empty(), "once");
    node.end(batch, 0, failed(Failure::Cancelled), 10);
    let message = "the machine is too hot".to_owned();
    assert_eq!(node.reports()[0].outcome, failed(Failure::ProviderStopped { message }));
    assert!(node.runs().is_empty());
}

#[test]
fn an_owner_who_pauses_has_the_machine_back_at_once() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 2));
    node.assign(1, ALICE, 0..5);
    node.tell(Input::Limits(ContributionLimits { share: false, ..limits() }));
    assert_eq!(node.stops().len(), 2);
    assert_eq!(node.ended(), vec![(agreement(1), Misfit::Closed)]);
}

#[test]
fn an_owner_who_comes_back_waits_for_work_to_wind_down() {
    let mut node = Node::new(config());
    node.tell(Input::Limits(ContributionLimits { only_when_idle: true, ..limits() }));
    node.agree(1, terms(ALICE, 1, 2));
    node.assign(1, ALICE, 0..5);
    node.tell(Input::Readings(Readings { idle_ms: Some(0), ..readings() }));
    assert!(node.stops().is_empty());
    node.pass(59_999);
    assert!(node.ended().is_empty());
    node.pass(1);
    assert_eq!((node.stops().len(), node.ended()), (2, vec![(agreement(1), Misfit::Closed)]));
}

#[test]
fn a_node_that_drains_ends_everything() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 2));
    node.assign(1, ALICE, 0..5);
    node.tell(Input::Drain);
    assert_eq!((node.stops().len(), node.ended().len(), node.core.offer().note), (2, 1, "stopping"));
    assert_eq!(node.propose(2, terms(BOB, 1, 1)), Err(Misfit::Closed));
}

#[test]
fn lowered_memory_stops_the_newest_and_ends_what_never_fits_again() {
    let mut node = Node::new(config());
    let mut large = terms(ALICE, 1, 1);
    large.limits.memory_bytes = 2 * GIB;
    node.agree(1, large);
    node.assign(1, ALICE, [0]);
    let mut small = terms(BOB, 1, 2);
    small.limits.memory_bytes = GIB;
    node.agree(2, small);
    node.assign(2, BOB, [0, 1]);
    let newest = node.runs().pop().expect("both run").0;
    node.tell(Input::Limits(ContributionLimits { memory_bytes: 3 * GIB, ..limits() }));
    assert_eq!((node.stops(), node.ended()), (vec![newest], Vec::new()));
    node.end(newest, 0, failed(Failure::Cancelled), 0);
    let reports = node.reports();
    assert!(matches!(&reports[0].outcome, Outcome::Failed { failure: Failure::ProviderStopped { .. }, .. }));
    node.tell(Input::Limits(ContributionLimits { memory_bytes: GIB, ..limits() }));
    assert_eq!(node.ended(), vec![(agreement(1), Misfit::TaskLimit(Limit::Memory))]);
    assert_eq!(node.standing(), None);
}

#[test]
fn lowered_slots_are_left_as_tasks_end_or_after_a_while() {
    let mut node = Node::new(config());
    node.agree(1, terms(ALICE, 1, 4));
    node.assign(1, ALICE, 0..10);
    let runs = node.runs();
    node.tell(Input::Limits(ContributionLimits { cpu_percent: 25, ..limits() }));
    assert!(node.stops().is_empty());
    node.end(runs[0].0, 0, exited(b"ok"), 60_000_000);
    assert!(node.runs().is_empty(), "three still run, two may");
    node.pass(60_000);
    assert_eq!(node.stops(), vec![runs[3].0]);
    node.end(runs[3].0, 0, failed(Failure::Cancelled), 0);
    assert!(node.runs().is_empty());
    node.end(runs[1].0, 0, exited(b"ok"), 60_000_000);
    assert_eq!(node.runs()[0].2[0].task, task(4));
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    let says_two = |effect: &Effect| matches!(effect, Effect::Standing { slots: 2, .. });
    assert!(node.effects.iter().any(says_two), "the consumer learns of it");
}
