//! The set of validators: who may join it, when it changes, and that someone always votes.

use crate::common::account;
use opensky_ledger::{
    evm::Address,
    reputation::Score,
    validators::{
        Admission, CANDIDATES_MAX, Candidate, Election, Roster, RosterError, Standing, VALIDATORS_MAX,
        VALIDATORS_SAFE,
    },
};
use opensky_types::{AccountId, Micros, NodeId, codec};
use proptest::prelude::*;
use std::convert::Infallible;

const STAKE_MIN: Micros = Micros::new(1_000);
const AUTHORITY: u8 = 250;

fn numbered(number: u16) -> AccountId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    AccountId::from_bytes(bytes)
}

/// Keys go the other way round than accounts, so that the two orders differ.
fn candidate(number: u16) -> Candidate {
    let mut key = [0; 32];
    key[..2].copy_from_slice(&(u16::MAX - number).to_be_bytes());
    Candidate { account: numbered(number), node: NodeId::from_public_key(key), checkpoint_key: None }
}

fn standing(bonded: u64, score: u16) -> Standing {
    let score = Score::new(score).expect("on the scale");
    Standing { bonded: Micros::new(bonded), score, may_work: true }
}

fn open() -> Admission {
    Admission::open(STAKE_MIN)
}

fn private() -> Admission {
    Admission::Named(account(AUTHORITY))
}

fn elect(roster: &mut Roster, admission: &Admission, of: impl Fn(&AccountId) -> Standing) -> Election {
    let Ok(election) = roster.elect::<Infallible>(admission, |account| Ok(of(account)));
    roster.check();
    election
}

fn voters(roster: &Roster) -> Vec<AccountId> {
    let mut accounts: Vec<AccountId> = roster.in_force().iter().map(|voter| voter.account).collect();
    accounts.sort_unstable();
    accounts
}

fn founded(count: u16) -> Roster {
    Roster::new((0..count).map(candidate).collect()).expect("few enough, each once")
}

#[test]
fn a_change_takes_effect_where_the_epoch_ends() {
    let mut roster = founded(2);
    let fine = standing(1_000, 900);
    roster.add(&open(), &numbered(7), candidate(7), &fine).expect("fit");
    roster.remove(&open(), &numbered(0), &numbered(0)).expect("may go");
    assert_eq!(voters(&roster), [numbered(0), numbered(1)], "not before");
    assert_eq!(elect(&mut roster, &open(), |_| fine), Election::Changed);
    assert_eq!((voters(&roster), roster.epoch()), (vec![numbered(1), numbered(7)], 1));
    assert!(roster.in_force().is_sorted_by_key(|voter| voter.node), "in the order of keys");
    assert_eq!(elect(&mut roster, &open(), |_| fine), Election::Same);
}

#[test]
fn an_open_sky_takes_stake_and_reputation_only() {
    let mut roster = founded(1);
    let mut add = |by: u16, standing: &Standing| roster.add(&open(), &numbered(by), candidate(7), standing);
    assert!(matches!(add(7, &standing(999, 1_000)), Err(RosterError::Stake { .. })));
    assert!(matches!(add(7, &standing(1_000, 899)), Err(RosterError::Reputation { .. })));
    let frozen = Standing { may_work: false, ..standing(1_000, 1_000) };
    assert!(matches!(add(7, &frozen), Err(RosterError::Reputation { .. })));
    assert_eq!(add(8, &standing(1_000, 900)), Err(RosterError::NotAllowed(numbered(8))), "for itself only");
    assert_eq!(add(7, &standing(1_000, 900)), Ok(()));
    let stranger = roster.remove(&open(), &numbered(8), &numbered(7));
    assert_eq!(stranger, Err(RosterError::NotAllowed(numbered(8))));
}

#[test]
fn a_private_sky_takes_whom_its_authority_names() {
    let mut roster = founded(1);
    let poor = standing(0, 0);
    let itself = roster.add(&private(), &numbered(7), candidate(7), &standing(9_999, 1_000));
    assert_eq!(itself, Err(RosterError::NotAllowed(numbered(7))));
    roster.add(&private(), &account(AUTHORITY), candidate(7), &poor).expect("named");
    roster.add(&private(), &account(AUTHORITY), candidate(8), &poor).expect("named");
    roster.remove(&private(), &account(AUTHORITY), &numbered(8)).expect("by the authority");
    roster.remove(&private(), &numbered(7), &numbered(7)).expect("by itself");
    assert_eq!(roster.candidates().len(), 1);
}

#[test]
fn who_is_no_longer_fit_leaves_at_the_next_border() {
    let mut roster = founded(7);
    let standing_of = |account: &AccountId| match account.as_bytes()[1] {
        0 => standing(999, 1_000),
        1 => standing(1_000, 899),
        2 => Standing { may_work: false, ..standing(1_000, 1_000) },
        _ => standing(1_000, 900),
    };
    assert_eq!(elect(&mut roster, &open(), standing_of), Election::Changed);
    assert_eq!(voters(&roster), [3, 4, 5, 6].map(numbered));
    assert_eq!(elect(&mut roster, &open(), |_| standing(1_000, 900)), Election::Changed);
    assert_eq!(voters(&roster).len(), 7, "and comes back when it is fit again");
}

#[test]
fn a_newcomer_does_not_take_over_from_founders_without_stake() {
    let mut roster = founded(4);
    let fine = standing(1_000, 900);
    for number in 10..15 {
        roster.add(&open(), &numbered(number), candidate(number), &fine).expect("fit");
        elect(
            &mut roster,
            &open(),
            |account| if account.as_bytes()[1] < 10 { standing(0, 100) } else { fine },
        );
        let newcomers = usize::from(number) - 9;
        assert_eq!(voters(&roster).len(), newcomers.max(VALIDATORS_SAFE), "{newcomers} newcomers");
    }
    assert!(!voters(&roster).contains(&numbered(0)), "founders go when there are enough others");
}

#[test]
fn l7_many_accounts_without_stake_have_no_votes() {
    let mut roster = founded(4);
    for number in 100..1_100 {
        let cheap = roster.add(&open(), &numbered(number), candidate(number), &standing(999, 1_000));
        assert!(cheap.is_err());
    }
    elect(&mut roster, &open(), |_| standing(1_000, 900));
    assert_eq!(voters(&roster).len(), 4);
}

#[test]
fn the_highest_stakes_vote_when_there_are_too_many() {
    let mut roster = founded(1);
    let fine = standing(1_000, 900);
    for number in 1..CANDIDATES_MAX as u16 {
        roster.add(&open(), &numbered(number), candidate(number), &fine).expect("fit");
    }
    let one_more = candidate(CANDIDATES_MAX as u16);
    assert_eq!(roster.add(&open(), &one_more.account, one_more, &fine), Err(RosterError::Full));
    // The stake grows with the number, but the first has most.
    let by_number = |account: &AccountId| {
        let number = u64::from(u16::from_be_bytes([account.as_bytes()[0], account.as_bytes()[1]]));
        standing(if number == 0 { 9_999 } else { 1_000 + number }, 900)
    };
    elect(&mut roster, &open(), by_number);
    let last = CANDIDATES_MAX as u16;
    let richest = (last - VALIDATORS_MAX as u16 + 1..last).map(numbered);
    assert_eq!(voters(&roster), std::iter::once(numbered(0)).chain(richest).collect::<Vec<_>>());
    elect(&mut roster, &open(), |_| fine);
    let first = (0..VALIDATORS_MAX as u16).map(numbered).collect::<Vec<_>>();
    assert_eq!(voters(&roster), first, "equal stakes by account");
    assert!(codec::encode(&roster).len() < 48 * 1024, "fits an entry of the state");
}

#[test]
fn l7_candidates_that_are_fit_no_longer_make_room() {
    let mut roster = founded(1);
    let fine = standing(1_000, 900);
    for number in 1..CANDIDATES_MAX as u16 {
        roster.add(&open(), &numbered(number), candidate(number), &fine).expect("fit");
    }
    let one_more = candidate(CANDIDATES_MAX as u16);
    roster.make_room(&open(), |_| fine);
    assert_eq!(
        roster.add(&open(), &one_more.account, one_more, &fine),
        Err(RosterError::Full),
        "all are fit"
    );
    let unfit = [numbered(0), numbered(7), numbered(9)];
    let bonded = |account: &AccountId| if *account == numbered(9) { 10 } else { 20 };
    roster.make_room(
        &open(),
        |account| {
            if unfit.contains(account) { standing(bonded(account), 900) } else { fine }
        },
    );
    assert_eq!(roster.add(&open(), &one_more.account, one_more, &fine), Ok(()));
    let stays = |number| roster.candidates().iter().any(|one| one.account == numbered(number));
    assert!(stays(0) && stays(7) && !stays(9), "who votes stays, and of the others the lowest stake goes");
    roster.check();
}

#[test]
fn someone_always_votes() {
    assert!(Roster::new((0..=VALIDATORS_MAX as u16).map(candidate).collect()).is_err());
    let mut roster = founded(1);
    let last = roster.remove(&private(), &account(AUTHORITY), &numbered(0));
    assert_eq!(last, Err(RosterError::Last(numbered(0))));
    assert_eq!(elect(&mut roster, &open(), |_| standing(0, 0)), Election::Same);
    assert_eq!(voters(&roster), [numbered(0)]);
    assert_eq!(roster.expel(&numbered(0)), Some(candidate(0)));
    assert_eq!(roster.expel(&numbered(0)), None, "once");
    assert_eq!(elect(&mut roster, &open(), |_| standing(1_000, 900)), Election::NobodyLeft);
    assert_eq!(voters(&roster), [numbered(0)], "nobody is left but the expelled");
}

#[test]
fn l1_who_voted_twice_is_found_by_its_key_and_leaves() {
    let mut roster = founded(4);
    let cheat = candidate(2);
    assert_eq!(roster.voter(0, &cheat.node), Some(&cheat));
    roster.expel(&cheat.account).expect("a candidate");
    elect(&mut roster, &open(), |_| standing(1_000, 900));
    assert_eq!(voters(&roster), [numbered(0), numbered(1), numbered(3)]);
    assert_eq!(roster.voter(1, &cheat.node), None);
    assert_eq!(roster.voter(0, &cheat.node), Some(&cheat), "late evidence finds it for one more epoch");
    assert_eq!(roster.voter(2, &cheat.node), None, "an epoch to come");
    let thief = Candidate { account: numbered(9), ..cheat };
    let fine = standing(1_000, 900);
    let taken = roster.add(&open(), &numbered(9), thief, &fine);
    assert_eq!(taken, Err(RosterError::Twice(numbered(9))), "its key falls on nobody else");
    elect(&mut roster, &open(), |_| fine);
    assert_eq!(roster.voter(0, &cheat.node), None, "too late");
    roster.add(&open(), &numbered(9), thief, &fine).expect("free now");
}

#[test]
fn an_account_and_a_key_have_one_place() {
    let mut roster = founded(2);
    let fine = standing(1_000, 900);
    let again =
        roster.add(&open(), &numbered(1), Candidate { node: candidate(5).node, ..candidate(1) }, &fine);
    assert_eq!(again, Err(RosterError::Twice(numbered(1))));
    let same_key = Candidate { account: numbered(5), ..candidate(1) };
    assert_eq!(roster.add(&open(), &numbered(5), same_key, &fine), Err(RosterError::Twice(numbered(5))));
    let with_checkpoint_key =
        |number| Candidate { checkpoint_key: Some(Address::from_bytes([1; 20])), ..candidate(number) };
    roster.add(&open(), &numbered(6), with_checkpoint_key(6), &fine).expect("a free key");
    let refused = roster.add(&open(), &numbered(7), with_checkpoint_key(7), &fine);
    assert_eq!(refused, Err(RosterError::Twice(numbered(7))), "one signature would count for two");
    assert!(Roster::new(vec![candidate(1), candidate(1)]).is_err());
}

proptest! {
    #[test]
    fn the_order_of_what_happens_between_two_borders_does_not_matter(
        numbers in prop::collection::btree_set(10..200_u16, 1..40),
        stakes in prop::collection::vec(900..1_100_u64, 200),
    ) {
        let of = |account: &AccountId| standing(stakes[usize::from(account.as_bytes()[1])], 950);
        let fine = standing(1_000, 950);
        let made = |numbers: &mut dyn Iterator<Item = u16>| {
            let mut roster = founded(3);
            for number in numbers {
                roster.add(&open(), &numbered(number), candidate(number), &fine).expect("fit");
                roster.check();
            }
            elect(&mut roster, &open(), of);
            roster
        };
        let forward = made(&mut numbers.iter().copied());
        let backward = made(&mut numbers.iter().rev().copied());
        prop_assert_eq!(&forward, &backward);
        let bytes = codec::encode(&forward);
        prop_assert_eq!(codec::decode::<Roster>(&bytes, 65_536), Ok(forward));
    }
}
