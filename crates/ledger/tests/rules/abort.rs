//! An agreement between two who may vanish at any step: nobody's money is stranded, nobody is paid for
//! what was not delivered, and what was delivered is paid.

use crate::{
    common::{Sky, agreement, micros},
    escrow::{escrow, open, unsigned, vouched},
};
use opensky_ledger::{action::Action, entry::Entry, escrow::REPORT_MS};

/// All steps of one agreement, in order: what each side does if it is still there.
const STEPS: usize = 6;

/// Plays the agreement: the provider vanishes before step `provider_until`, the consumer before step
/// `consumer_until`. Returns what was paid.
fn play(consumer_until: usize, provider_until: usize) -> i128 {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    for step in 0..STEPS {
        let (consumer, provider) = (step < consumer_until, step < provider_until);
        match step {
            // The first part is delivered, signed for and paid.
            0 if consumer && provider => {
                let item = vouched(&sky, 1, 2_000, 1);
                sky.act(2, Action::Claim { items: vec![item] }).expect("it is signed");
            }
            // A part is delivered; no voucher comes, so it is claimed.
            1 if provider => {
                sky.act(2, Action::Claim { items: vec![unsigned(1, 5_000, 1)] }).expect("none waits");
            }
            // The consumer checks, and finds that less was delivered.
            2 if consumer && provider_until > 1 => {
                let owed = micros(4_000);
                let object = Action::Object { agreement: agreement(1), sequence: 1, owed };
                sky.act(1, object).expect("the claim waits");
            }
            3 => sky.wait(61_000),
            // The rest is delivered and claimed.
            4 if provider => {
                sky.act(2, Action::Claim { items: vec![unsigned(1, 6_000, 2)] }).expect("none waits");
            }
            5 if provider => {
                let close = Action::CloseEscrow { agreement: agreement(1) };
                // Whoever closes early gives up what waits; this provider waits for its money first.
                sky.wait(61_000);
                if escrow(&sky, 1).is_some() {
                    sky.act(2, close).expect("it is open");
                }
            }
            _ => {}
        }
    }
    // Both may be gone for ever: blocks go on.
    sky.wait(1_000_000);
    sky.wait(1_000_000);
    // After this nothing is remembered of an agreement either.
    sky.wait(REPORT_MS);
    assert_eq!(escrow(&sky, 1), None, "an escrow is left behind");
    let left = sky
        .ledger
        .state()
        .entries()
        .filter(|(_, entry)| matches!(entry, Entry::Claim(_) | Entry::Due | Entry::Settled(_)));
    assert_eq!(left.count(), 0);
    assert_eq!(sky.balance(1) + sky.balance(2), 2_000_000, "money is stranded");
    sky.balance(2) - 1_000_000
}

#[test]
fn m2_whoever_vanishes_at_any_step_leaves_nothing_open() {
    for consumer_until in 0..=STEPS {
        for provider_until in 0..=STEPS {
            let paid = play(consumer_until, provider_until);
            let expected = match (consumer_until, provider_until) {
                (_, 0) => 0,
                (0, 1) => 0,
                (_, 1) => 2_000,
                // The claim stands: nobody objects.
                (0..=2, 2..=4) => 5_000,
                (_, 2..=4) => 4_000,
                _ => 6_000,
            };
            assert_eq!(paid, expected, "consumer until {consumer_until}, provider until {provider_until}");
        }
    }
}

#[test]
fn m1_an_escrow_that_nobody_closes_closes_itself() {
    let mut sky = Sky::new();
    open(&mut sky, 1, 10_000);
    // Every event of the job's end is lost: no voucher, no claim, no closing.
    sky.wait(120_000);
    assert_eq!(escrow(&sky, 1), None);
    assert_eq!(sky.balance(1), 1_000_000);
}
