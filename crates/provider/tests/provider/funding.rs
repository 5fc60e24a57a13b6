//! Work for money: it waits for what is put aside, and goes on as far as that reaches.

use crate::common::{ALICE, Node, agreement, config, limits, terms};
use opensky_provider::{Config, Effect, Input};
use opensky_types::{
    AgreementId, Micros, Timestamp,
    agreement::{Payment, Terms},
    limits::ContributionLimits,
    reason::Misfit,
};

/// What every task costs here: the tests' runs use one billion fuel each.
const PRICE: u64 = 250;

fn micros(amount: u64) -> Micros {
    Micros::new(amount)
}

fn paid_node() -> Node {
    let mut node = Node::new(Config { has_prices: true, ..config() });
    node.tell(Input::Limits(ContributionLimits { price_per_gfuel: micros(PRICE), ..limits() }));
    node
}

fn paid_terms(slots: u16) -> Terms {
    let payment = Payment {
        escrow: micros(1_000),
        expires_at: Timestamp::from_millis(1_700_000_600_000),
        claim_window_ms: 600_000,
    };
    Terms { price_per_gfuel: micros(PRICE), payment: Some(payment), ..terms(ALICE, 1, slots) }
}

fn funded(amount: u64) -> Input {
    Input::Funded { agreement: agreement(1), amount: micros(amount) }
}

/// What the last input told consumers of money that runs low.
fn low(node: &Node) -> Vec<(AgreementId, Micros)> {
    let low = node.effects.iter().filter_map(|effect| match effect {
        Effect::FundsLow { agreement, spent, .. } => Some((*agreement, *spent)),
        _ => None,
    });
    low.collect()
}

/// Lets everything that runs end, over and over; says how many tasks ended.
fn run_all(node: &mut Node) -> usize {
    let mut ended = 0;
    while let Some((batch, _, items)) = node.runs().into_iter().next() {
        ended += items.len();
        node.end_all(batch, items.len(), 1_000);
    }
    ended
}

#[test]
fn terms_must_say_how_they_are_paid() {
    let mut node = paid_node();
    type Change = fn(&mut Terms);
    let cases: [(Misfit, Change); 5] = [
        (Misfit::Price, |terms| terms.price_per_gfuel = micros(PRICE - 1)),
        (Misfit::Terms, |terms| terms.payment = None),
        (Misfit::Terms, |terms| terms.payment.as_mut().unwrap().escrow = Micros::ZERO),
        (Misfit::Terms, |terms| terms.payment.as_mut().unwrap().claim_window_ms = 1 << 40),
        (Misfit::Terms, |terms| terms.payment.as_mut().unwrap().expires_at = Timestamp::default()),
    ];
    for (misfit, change) in cases {
        let mut terms = paid_terms(1);
        change(&mut terms);
        assert_eq!(node.propose(1, terms), Err(misfit));
    }
    assert_eq!(node.propose(1, paid_terms(1)), Ok(1));
    assert_eq!(node.core.offer().price_per_gfuel, micros(PRICE));
    // Without prices in the sky, the owner's means nothing.
    let mut free = Node::new(config());
    assert_eq!(free.propose(1, paid_terms(1)), Err(Misfit::Price));
    assert_eq!(free.propose(1, terms(ALICE, 1, 1)), Ok(1));
}

#[test]
fn m2_nothing_runs_before_the_money_is_there() {
    let mut node = paid_node();
    node.agree(1, paid_terms(1));
    node.assign(1, ALICE, 0..4);
    assert_eq!(node.runs().len(), 0);
    node.pass(1_000);
    assert_eq!((node.runs().len(), low(&node).len()), (0, 0));
    node.tell(funded(1_000));
    assert_eq!(node.runs().len(), 1);
}

#[test]
fn m2_work_stops_where_the_money_ends_and_goes_on_when_more_comes() {
    let mut node = paid_node();
    node.agree(1, paid_terms(1));
    node.tell(funded(1_000));
    node.assign(1, ALICE, 0..20);
    assert_eq!(run_all(&mut node), 4, "1,000 micros buy four tasks of 250");
    node.pass(100);
    assert_eq!(low(&node), [(agreement(1), micros(1_000))]);
    node.pass(100);
    assert_eq!(low(&node), [], "it is not said at every tick");
    node.tell(funded(2_000));
    assert_eq!(run_all(&mut node), 4);
    node.tell(funded(2_100));
    assert_eq!(run_all(&mut node), 0, "100 micros buy no task of 250");
    node.tell(funded(2_250));
    assert_eq!(run_all(&mut node), 1);
}

#[test]
fn several_slots_share_what_is_there() {
    let mut node = paid_node();
    node.agree(1, paid_terms(4));
    node.tell(funded(1_000));
    node.assign(1, ALICE, [0]);
    run_all(&mut node);
    node.assign(1, ALICE, 1..100);
    let started: usize = node.runs().iter().map(|(_, _, items)| items.len()).sum();
    assert_eq!(started, 3, "750 micros are left for tasks of about 250");
}

#[test]
fn m2_who_puts_nothing_aside_is_let_go() {
    let mut node = paid_node();
    node.agree(1, paid_terms(1));
    node.assign(1, ALICE, 0..4);
    node.pass(59_000);
    assert_eq!(node.ended(), []);
    node.pass(1_000);
    assert_eq!(node.ended(), [(agreement(1), Misfit::Unfunded)]);
}

#[test]
fn m2_who_puts_no_more_aside_is_let_go_once_it_is_used_up() {
    let mut node = paid_node();
    node.agree(1, paid_terms(1));
    node.tell(funded(1_000));
    node.assign(1, ALICE, 0..20);
    run_all(&mut node);
    node.pass(1_000);
    node.pass(9_000);
    assert_eq!(node.ended(), []);
    node.pass(1_000);
    assert_eq!(node.ended(), [(agreement(1), Misfit::Unfunded)]);
}

#[test]
fn an_agreement_ends_when_its_escrow_does() {
    let mut node = paid_node();
    node.agree(1, paid_terms(1));
    node.tell(funded(1_000));
    node.assign(1, ALICE, 0..4);
    node.pass(600_000);
    assert_eq!(node.ended(), [(agreement(1), Misfit::Expired)]);
}

#[test]
fn f1_what_was_earned_before_a_restart_is_not_there_again() {
    let mut node = paid_node();
    node.tell(Input::Restored { agreements: vec![(agreement(1), paid_terms(1), micros(750))] });
    node.tell(Input::Resume { from: ALICE, agreement: agreement(1) });
    node.tell(Input::ProgramReady { agreement: agreement(1) });
    node.tell(funded(1_000));
    node.assign(1, ALICE, 0..20);
    assert_eq!(run_all(&mut node), 1);
}

#[test]
fn what_the_consumer_never_sees_costs_it_nothing() {
    let mut node = paid_node();
    node.agree(1, Terms { commit_first: true, ..paid_terms(1) });
    node.tell(funded(1_000));
    node.assign(1, ALICE, 0..4);
    assert_eq!(run_all(&mut node), 4);
    let tasks = (0..2).map(|index| crate::common::task(index).task).collect();
    node.tell(Input::CancelTasks { from: ALICE, agreement: agreement(1), tasks });
    node.assign(1, ALICE, 10..20);
    assert_eq!(run_all(&mut node), 2, "two of four committed results were not wanted");
}
