//! Bonding, unbonding and slashing lose nothing.

use crate::common::{DAY, on_day};
use opensky_ledger::stake::{Stake, StakeError, UNBONDING_MAX};
use opensky_types::{Micros, Timestamp};
use proptest::prelude::*;

const WAIT_MS: u64 = 1_000;

fn micros(amount: u64) -> Micros {
    Micros::new(amount)
}

#[test]
fn stake_is_free_after_the_wait_and_not_before() {
    let now = on_day(DAY, 0);
    let mut stake = Stake::default();
    stake.bond(micros(100)).expect("bonds");
    assert_eq!(stake.unbond(micros(40), now, WAIT_MS), Ok(now.plus_ms(WAIT_MS)));
    assert_eq!((stake.bonded(), stake.total()), (micros(60), micros(100)));
    assert_eq!(stake.release(now.plus_ms(WAIT_MS - 1)), Micros::ZERO);
    assert_eq!(stake.release(now.plus_ms(WAIT_MS)), micros(40));
    assert_eq!(stake.total(), micros(60));
    assert_eq!(stake.release(now.plus_ms(WAIT_MS)), Micros::ZERO, "once");
}

#[test]
fn slashing_takes_what_is_on_its_way_out_too() {
    let now = on_day(DAY, 0);
    let mut stake = Stake::default();
    stake.bond(micros(100)).expect("bonds");
    stake.unbond(micros(30), now, WAIT_MS).expect("unbonds");
    stake.unbond(micros(30), now.plus_ms(1), WAIT_MS).expect("unbonds");
    assert_eq!(stake.slash(micros(50)), micros(50));
    let left: Vec<u64> = stake.unbonding().iter().map(|part| part.amount.get()).collect();
    assert_eq!((stake.bonded(), left), (Micros::ZERO, vec![30, 20]), "the last to be free goes first");
    assert_eq!(stake.slash(micros(u64::MAX)), micros(50), "no more than there is");
    assert!(stake.is_empty());
    assert_eq!(stake.confiscate(), Micros::ZERO);
}

#[test]
fn l5_amounts_that_do_not_fit_are_refused() {
    let now = Timestamp::default();
    let mut stake = Stake::default();
    assert_eq!(stake.bond(Micros::ZERO), Err(StakeError::Nothing));
    stake.bond(micros(u64::MAX)).expect("bonds");
    let overflow = StakeError::Overflow { staked: micros(u64::MAX), added: micros(1) };
    assert_eq!(stake.bond(micros(1)), Err(overflow));
    stake.unbond(micros(u64::MAX), now, WAIT_MS).expect("unbonds");
    assert_eq!(stake.bond(micros(1)), Err(overflow), "what unbonds counts too");
    let too_little = StakeError::TooLittle { staked: Micros::ZERO, wanted: micros(1) };
    assert_eq!(stake.unbond(micros(1), now, WAIT_MS), Err(too_little));
    assert_eq!(stake.unbond(Micros::ZERO, now, WAIT_MS), Err(StakeError::Nothing));
    stake.check();
}

#[test]
fn the_queue_is_bounded() {
    let now = on_day(DAY, 0);
    let mut stake = Stake::default();
    stake.bond(micros(100)).expect("bonds");
    for part in 0..UNBONDING_MAX as u64 {
        stake.unbond(micros(1), now.plus_ms(part), WAIT_MS).expect("unbonds");
    }
    let full = StakeError::QueueFull { first_free_at: now.plus_ms(WAIT_MS) };
    assert_eq!(stake.unbond(micros(1), now, WAIT_MS), Err(full));
    assert_eq!(stake.release(now.plus_ms(WAIT_MS)), micros(1));
    stake.unbond(micros(1), now.plus_ms(WAIT_MS), WAIT_MS).expect("there is room again");
}

#[test]
fn a_shorter_wait_does_not_overtake() {
    let now = on_day(DAY, 0);
    let mut stake = Stake::default();
    stake.bond(micros(2)).expect("bonds");
    stake.unbond(micros(1), now, WAIT_MS).expect("unbonds");
    assert_eq!(stake.unbond(micros(1), now, 1), Ok(now.plus_ms(WAIT_MS)));
    stake.check();
}

#[derive(Debug, Clone)]
enum Step {
    Bond(u64),
    Unbond(u64),
    Release,
    Slash(u64),
    Confiscate,
}

fn step() -> impl Strategy<Value = Step> {
    let amount = prop_oneof![8 => 0..1_000_u64, 1 => Just(u64::MAX)];
    prop_oneof![
        6 => amount.clone().prop_map(Step::Bond),
        6 => amount.clone().prop_map(Step::Unbond),
        4 => Just(Step::Release),
        2 => amount.prop_map(Step::Slash),
        1 => Just(Step::Confiscate),
    ]
}

proptest! {
    #[test]
    fn l5_the_sum_of_all_that_went_in_comes_out_or_stays(steps in prop::collection::vec((step(), 0..700_u64), 1..100)) {
        let mut stake = Stake::default();
        let (mut put_in, mut taken_out) = (0_u128, 0_u128);
        let mut now = on_day(DAY, 0);
        for (step, wait_ms) in steps {
            now = now.plus_ms(wait_ms);
            let before = stake.clone();
            match step {
                Step::Bond(amount) => match stake.bond(micros(amount)) {
                    Ok(()) => put_in += u128::from(amount),
                    Err(_) => prop_assert_eq!(&stake, &before, "a refusal changes nothing"),
                },
                Step::Unbond(amount) => {
                    if stake.unbond(micros(amount), now, WAIT_MS).is_err() {
                        prop_assert_eq!(&stake, &before, "a refusal changes nothing");
                    }
                    prop_assert_eq!(stake.total(), before.total());
                }
                Step::Release => taken_out += u128::from(stake.release(now).get()),
                Step::Slash(amount) => taken_out += u128::from(stake.slash(micros(amount)).get()),
                Step::Confiscate => taken_out += u128::from(stake.confiscate().get()),
            }
            stake.check();
            prop_assert_eq!(put_in, taken_out + u128::from(stake.total().get()));
        }
    }
}
