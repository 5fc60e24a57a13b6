//! Moves, caps and tiers (spec V3, V4).

use crate::common::{DAY, DAY_MS, account, on_day};
use opensky_ledger::reputation::{DailyCaps, FREEZE_MS, Fraud, MOVES_KEPT, Reason, Reputation, Score, Tier};
use opensky_types::{Timestamp, codec};
use proptest::prelude::*;

const CAPS: DailyCaps = DailyCaps { paid: 20, audited: 10, by_one: 5 };

/// A reputation of this score, gained by days online and paid tasks.
fn with_score(score: u16) -> Reputation {
    let mut reputation = Reputation::default();
    for day in 0..100 {
        if reputation.score().get() + 10 <= score {
            reputation.on_day_online(on_day(day, 0));
        }
    }
    // The ones: of two givers, since no one gives more than five a day.
    let ones = u32::from(score - reputation.score().get());
    reputation.on_paid_tasks(&CAPS, account(200), ones.min(5), on_day(101, 0));
    reputation.on_paid_tasks(&CAPS, account(201), ones.saturating_sub(5), on_day(101, 0));
    assert_eq!(reputation.score().get(), score, "reached");
    reputation
}

#[test]
fn tiers_and_audit_rates_are_those_of_the_spec() {
    let expected = [
        (0, Tier::Probation, 100_000),
        (99, Tier::Probation, 100_000),
        (100, Tier::New, 50_000),
        (299, Tier::New, 50_000),
        (300, Tier::Established, 10_000),
        (599, Tier::Established, 10_000),
        (600, Tier::Trusted, 2_000),
        (899, Tier::Trusted, 2_000),
        (900, Tier::Veteran, 500),
        (1000, Tier::Veteran, 500),
    ];
    for (score, tier, parts) in expected {
        let score = Score::new(score).expect("on the scale");
        assert_eq!((score.tier(), score.tier().audit_rate().parts()), (tier, parts), "{score}");
    }
    assert_eq!(Score::new(1001), None);
    assert!(codec::decode::<Score>(&1001_u16.to_le_bytes(), 2).is_err(), "no score off the scale is read");
    assert_eq!(Reputation::default().score(), Score::NEW);
}

#[test]
fn a_tier_is_called_what_the_spec_calls_it() {
    let tiers = [Tier::Probation, Tier::New, Tier::Established, Tier::Trusted, Tier::Veteran];
    let words = ["probation", "new", "established", "trusted", "veteran"];
    assert_eq!(tiers.map(Tier::as_str), words);
    assert_eq!(tiers.map(|tier| tier.to_string()), words);
}

#[test]
fn all_work_of_those_who_may_take_none_is_audited() {
    let now = on_day(200, 0);
    let mut reputation = with_score(900);
    assert_eq!(reputation.audit_rate(now).parts(), 500);
    reputation.on_fraud(Fraud::Minor, now);
    assert_eq!(reputation.tier(), Tier::Trusted);
    assert_eq!(reputation.audit_rate(now).parts(), 100_000, "frozen");
    assert_eq!(reputation.audit_rate(now.plus_ms(FREEZE_MS)).parts(), 2_000);
    assert_eq!(Reputation::default().audit_rate(now).parts(), 50_000, "a newcomer");
}

#[test]
fn points_are_those_of_the_spec() {
    let now = on_day(DAY, 0);
    let mut reputation = Reputation::default();
    assert_eq!(reputation.on_paid_tasks(&CAPS, account(1), 1, now), 1);
    assert_eq!(reputation.on_day_online(now), 10);
    assert_eq!(reputation.on_audit_passed(&CAPS, account(2), now), 5);
    assert_eq!(reputation.on_failed_verification(now), 20);
    assert_eq!(reputation.score().get(), 96);
    let reasons: Vec<Reason> = reputation.moves().iter().map(|one| one.reason).collect();
    let expected = [
        Reason::PaidTasks(account(1), 1),
        Reason::DayOnline,
        Reason::AuditPassed(account(2)),
        Reason::FailedVerification,
    ];
    assert_eq!(reasons, expected);
    let steps: Vec<(u16, u16)> =
        reputation.moves().iter().map(|one| (one.before.get(), one.after.get())).collect();
    assert_eq!(steps, [(100, 101), (101, 111), (111, 116), (116, 96)]);
}

#[test]
fn two_friends_gain_no_more_than_one_cap_a_day_however_much_they_pay_and_audit() {
    let friend = account(1);
    let mut reputation = Reputation::default();
    for millis in 0..500 {
        reputation.on_paid_tasks(&CAPS, friend, 1_000, on_day(DAY, millis));
        reputation.on_audit_passed(&CAPS, friend, on_day(DAY, millis));
    }
    assert_eq!(reputation.score().get(), 105, "five points of one giver");
    for stranger in 2..200 {
        reputation.on_paid_tasks(&CAPS, account(stranger), 3, on_day(DAY, 500));
    }
    assert_eq!(reputation.score().get(), 120, "twenty points for paid tasks");
    for stranger in 2..200 {
        reputation.on_audit_passed(&CAPS, account(stranger), on_day(DAY, 500));
    }
    assert_eq!(reputation.score().get(), 130, "ten points for audits");
    reputation.check(&CAPS);
    assert_eq!(reputation.on_paid_tasks(&CAPS, friend, 1, on_day(DAY + 1, 0)), 1, "a new day");
}

#[test]
fn one_counterparty_is_one_move_however_many_tasks_it_pays_for() {
    let mut reputation = Reputation::default();
    reputation.on_day_online(on_day(DAY, 0));
    for millis in 1..=5 {
        reputation.on_paid_tasks(&CAPS, account(1), 1, on_day(DAY, millis));
    }
    let reasons: Vec<Reason> = reputation.moves().iter().map(|one| one.reason).collect();
    assert_eq!(reasons, [Reason::DayOnline, Reason::PaidTasks(account(1), 5)]);
    reputation.check(&CAPS);
}

#[test]
fn a_day_online_counts_once() {
    let mut reputation = Reputation::default();
    assert_eq!(reputation.on_day_online(on_day(DAY, 0)), 10);
    assert_eq!(reputation.on_day_online(on_day(DAY, DAY_MS - 1)), 0);
    assert_eq!(reputation.on_day_online(on_day(DAY + 1, 0)), 10);
    assert_eq!(reputation.on_day_online(on_day(DAY, 0)), 0, "no day is counted again");
}

#[test]
fn a_minor_fraud_freezes_for_seven_days() {
    let now = on_day(DAY, 0);
    let mut reputation = with_score(450);
    let penalty = reputation.on_fraud(Fraud::Minor, now);
    assert_eq!((penalty.points, penalty.confiscates, penalty.bans), (200, false, false));
    assert_eq!(reputation.score().get(), 250);
    assert_eq!(reputation.frozen_until(now), Some(now.plus_ms(FREEZE_MS)));
    let last = now.plus_ms(FREEZE_MS - 1);
    assert!(!reputation.may_work(last));
    assert_eq!(reputation.on_day_online(last), 0, "who is frozen gains nothing");
    assert_eq!(reputation.on_paid_tasks(&CAPS, account(1), 1, last), 0);
    assert_eq!(reputation.on_audit_passed(&CAPS, account(1), last), 0);
    assert_eq!(reputation.on_failed_verification(last), 20, "but it can lose");
    assert!(reputation.may_work(now.plus_ms(FREEZE_MS)));
}

#[test]
fn a_major_fraud_costs_five_hundred_points_once_and_everything_the_second_time() {
    let mut reputation = with_score(1000);
    let first = reputation.on_fraud(Fraud::Major, on_day(DAY, 0));
    assert_eq!((first.points, first.confiscates, first.bans), (500, false, false));
    assert_eq!(reputation.score().get(), 500);
    let second = reputation.on_fraud(Fraud::Major, on_day(DAY + 10, 0));
    assert!(second.confiscates && second.bans);
    assert_eq!((reputation.score(), reputation.is_banned()), (Score::ZERO, true));
    assert_eq!(reputation.on_day_online(on_day(DAY + 1_000, 0)), 0, "a ban has no end");
    reputation.check(&CAPS);
}

#[test]
fn a_major_fraud_of_who_has_little_to_lose_takes_everything() {
    let mut reputation = with_score(499);
    assert!(reputation.on_fraud(Fraud::Major, on_day(DAY, 0)).bans);
    assert_eq!(reputation.score(), Score::ZERO);
}

#[derive(Debug, Clone)]
enum Step {
    Paid(u8, u32),
    Audited(u8),
    Online,
    Failed,
    Fraud(Fraud),
    Later(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let tasks = prop_oneof![4 => 0..40_u32, 1 => Just(u32::MAX)];
    prop_oneof![
        8 => (0..6_u8, tasks).prop_map(|(by, tasks)| Step::Paid(by, tasks)),
        4 => (0..6_u8).prop_map(Step::Audited),
        3 => Just(Step::Online),
        2 => Just(Step::Failed),
        1 => prop_oneof![3 => Just(Fraud::Minor), 1 => Just(Fraud::Major)].prop_map(Step::Fraud),
        4 => (0..2 * DAY_MS).prop_map(Step::Later),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_the_caps_hold_and_every_move_has_its_reason(steps in prop::collection::vec(step(), 1..200)) {
        let mut reputation = Reputation::default();
        let mut now = on_day(DAY, 0);
        let mut gained_today = 0;
        for step in steps {
            let before = reputation.score();
            let gained = match step {
                Step::Paid(by, tasks) => reputation.on_paid_tasks(&CAPS, account(by), tasks, now),
                Step::Audited(by) => reputation.on_audit_passed(&CAPS, account(by), now),
                Step::Online => reputation.on_day_online(now),
                Step::Failed => { reputation.on_failed_verification(now); 0 }
                Step::Fraud(fraud) => { reputation.on_fraud(fraud, now); 0 }
                Step::Later(millis) => {
                    let later = now.plus_ms(millis);
                    if later.as_millis() / DAY_MS > now.as_millis() / DAY_MS {
                        gained_today = 0;
                    }
                    now = later;
                    0
                }
            };
            gained_today += gained;
            prop_assert!(gained_today <= 40, "{} points in a day", gained_today);
            reputation.check(&CAPS);
            let moved = reputation.score() != before;
            let last = reputation.moves().last();
            prop_assert!(!moved || last.is_some_and(|one| one.after == reputation.score() && one.at == now));
            prop_assert!(reputation.moves().len() <= MOVES_KEPT);
            let bytes = codec::encode(&reputation);
            prop_assert!(bytes.len() < 4096, "{} bytes", bytes.len());
            prop_assert_eq!(codec::decode::<Reputation>(&bytes, 4096), Ok(reputation.clone()));
        }
    }
}

#[test]
fn time_before_the_first_day_counts_too() {
    let mut reputation = Reputation::default();
    assert_eq!(reputation.on_day_online(Timestamp::default()), 10);
}
