//! Stake, machines, reputation, validators and rules, as the ledger lives them.

use crate::common::{
    START_MS, STEP_MS, Sky, account, agreement, approve, genesis, key, micros, public, transfer,
};
use opensky_ledger::{
    action::Action,
    block::{Block, BlockError},
    entry::Entry,
    escrow::PayItem,
    event::Event,
    evm::Address,
    fact::{EVIDENCE_BYTES_MAX, FACTS_MAX, Fact},
    genesis::{Genesis, GenesisError},
    key::Key,
    ledger::Ledger,
    params::Params,
    purse::Purse,
    puzzle::{Difficulty, Puzzle, Solution},
    registry::{Fingerprint, Registration},
    rejection::Rejection,
    reputation::{AuditReport, OnlineReport, Reputation, Score, Verdict},
    rules::{RulesError, RulesLimits, RulesVersion},
    stake::{Stake, StakeError},
    validators::{Candidate, RosterError},
};
use opensky_types::{AccountId, Hash, Micros, Timestamp};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const EASY_BITS: u8 = 2;

fn params() -> Params {
    Params {
        puzzle_bits: EASY_BITS,
        epoch_blocks: 4,
        validator_stake_min: micros(1_000),
        rules: RulesLimits { notice_blocks: 3 },
        ..Params::default()
    }
}

impl Sky {
    fn entry(&self, key: &Key) -> Option<Entry> {
        self.ledger.state().get(key).cloned()
    }

    fn stake_of(&self, number: u8) -> Stake {
        match self.entry(&Key::Stake(account(number))) {
            Some(Entry::Stake(stake)) => stake,
            _ => Stake::default(),
        }
    }

    fn reputation_of(&self, number: u8) -> Reputation {
        match self.entry(&Key::Reputation(account(number))) {
            Some(Entry::Reputation(reputation)) => *reputation,
            _ => Reputation::default(),
        }
    }

    fn score(&self, number: u8) -> u16 {
        self.reputation_of(number).score().get()
    }

    fn treasury(&self) -> Micros {
        match self.entry(&Key::Treasury) {
            Some(Entry::Treasury(purse)) => purse.total(),
            _ => Micros::ZERO,
        }
    }

    fn voters(&self) -> usize {
        match self.entry(&Key::Validators) {
            Some(Entry::Validators(nodes)) => nodes.len(),
            _ => 0,
        }
    }

    fn today(&self, after_ms: u64) -> u64 {
        (self.now().as_millis() + after_ms) / DAY_MS
    }

    /// A registration of a machine of these parts, its puzzle solved.
    pub fn registration(&self, number: u8, parts: [u8; 5]) -> Action {
        let machines = match self.entry(&Key::Machines) {
            Some(Entry::Machines(count)) => count,
            _ => 0,
        };
        let fingerprint = fingerprint(parts);
        let difficulty = Difficulty::after(EASY_BITS, machines, false);
        let puzzle = Puzzle::new(&crate::common::sky_id(), &account(number), &fingerprint, difficulty);
        let nonces = (0..difficulty.links).map(|link| puzzle.solve(link, 0..u64::MAX).expect("easy"));
        let solution = Solution::new(nonces.collect()).expect("few enough");
        Action::RegisterMachine(Registration { fingerprint, is_virtual: false, solution })
    }

    /// Registers a machine of its own for each validator.
    pub fn register_validators(&mut self) {
        for number in 100..=102 {
            self.act(number, self.registration(number, [number; 5])).expect("registered");
        }
    }

    /// Makes a block with facts, verified by the witness, and final.
    pub fn block_with(&mut self, facts: Vec<Fact>) -> Block {
        let time = self.now().plus_ms(STEP_MS);
        let head = self.ledger.head().id();
        let made = self.ledger.propose_with(&head, time, facts, Vec::new(), 1 << 20).expect("a block");
        let block = Block::decode(&made.block.encode()).expect("our own block is read");
        let id = self.witness.verify(block.clone()).expect("the witness finds it valid");
        self.events = self.ledger.finalize(&id).expect("known");
        self.witness.finalize(&id).expect("known");
        self.ledger.state().check().expect("money is conserved");
        block
    }
}

pub fn fingerprint(parts: [u8; 5]) -> Fingerprint {
    Fingerprint::new(parts.map(|part| Some(Hash::of(&[part])))).expect("five parts")
}

fn sorted<const N: usize>(numbers: [u8; N]) -> Vec<AccountId> {
    let mut accounts: Vec<AccountId> = numbers.map(account).into();
    accounts.sort_unstable();
    accounts
}

#[test]
fn stake_is_out_of_reach_until_the_wait_is_over() {
    let mut sky = Sky::with(Params { unbonding_ms: 10_000, ..params() });
    sky.act(1, Action::Stake { amount: micros(600_000) }).expect("staked");
    assert_eq!((sky.balance(1), sky.stake_of(1).bonded()), (400_000, micros(600_000)));
    assert!(matches!(sky.act(1, transfer(2, 400_001)), Err(Rejection::TooLittle { .. })));
    let too_much = sky.act(1, Action::Unstake { amount: micros(600_001) });
    assert!(matches!(too_much, Err(Rejection::Stake(StakeError::TooLittle { .. }))));
    sky.act(1, Action::Unstake { amount: micros(200_000) }).expect("on its way");
    sky.wait(9_999);
    assert_eq!(sky.balance(1), 400_000);
    sky.wait(1);
    assert_eq!((sky.balance(1), sky.stake_of(1).total()), (600_000, micros(400_000)));
    let free = Event::Unstaked { account: account(1), amount: micros(200_000) };
    assert_eq!(sky.events, [free]);
}

#[test]
fn granted_money_can_not_be_staked_and_so_not_be_washed() {
    let mut sky = Sky::with(params());
    let staked = sky.act(6, Action::Stake { amount: micros(1) });
    assert!(matches!(staked, Err(Rejection::Granted { .. })), "{staked:?}");
}

#[test]
fn a_new_machine_begins_an_account_with_a_grant_that_is_locked_and_never_leaves() {
    let mut sky = Sky::with(params());
    assert_eq!(sky.act(20, transfer(1, 1)), Err(Rejection::NoAccount { account: account(20) }));
    sky.act(20, sky.registration(20, [1, 2, 3, 4, 5])).expect("registered");
    assert_eq!(sky.balance(20), 100_000);
    let withdraw =
        Action::Withdraw { chain: 1, address: Address::from_bytes([1; 20]), amount: micros(1_000) };
    assert!(matches!(sky.act(20, transfer(1, 1)), Err(Rejection::Granted { .. })), "locked");
    sky.act(20, Action::OpenEscrow(sky.opening(1, 2, 10_000))).expect("but it pays for work");
    sky.wait(DAY_MS);
    sky.act(20, transfer(1, 50_000)).expect("a day later it can be given away");
    assert!(matches!(sky.act(20, withdraw.clone()), Err(Rejection::Granted { .. })));
    sky.act(20, transfer(30, 40_000)).expect("given on");
    assert!(matches!(sky.act(30, withdraw), Err(Rejection::Granted { .. })), "whoever has it");
}

#[test]
fn one_grant_a_machine_however_often_it_is_registered() {
    let mut sky = Sky::with(params());
    sky.act(20, sky.registration(20, [1, 2, 3, 4, 5])).expect("registered");
    for (number, parts) in [(21, [1, 2, 3, 4, 5]), (22, [1, 2, 3, 9, 9]), (20, [8, 8, 3, 4, 5])] {
        let before = sky.balance(number);
        sky.act(number, sky.registration(number, parts)).expect("registered");
        assert_eq!(sky.balance(number), before, "no second grant for {parts:?}");
        assert_eq!(sky.entry(&Key::MachineOf(account(number))), Some(Entry::MachineOf(0)));
    }
    sky.act(23, sky.registration(23, [1, 2, 40, 41, 42])).expect("registered");
    assert_eq!(sky.balance(23), 100_000, "another machine");
}

#[test]
fn a_puzzle_solved_by_another_or_for_another_is_refused() {
    let mut sky = Sky::with(Params { puzzle_bits: 8, ..params() });
    let of_another = sky.registration(20, [1, 2, 3, 4, 5]);
    assert!(matches!(sky.act(21, of_another), Err(Rejection::Puzzle(_))));
    assert_eq!(sky.entry(&Key::Account(account(21))), None, "nothing of it stays");
}

#[test]
fn genesis_can_switch_puzzle_and_grant_off() {
    let mut sky = Sky::with(Params { puzzle_bits: 0, ..Params::free() });
    let fingerprint = fingerprint([1, 2, 3, 4, 5]);
    let registration = Registration { fingerprint, is_virtual: false, solution: Solution::default() };
    sky.act(20, Action::RegisterMachine(registration)).expect("registered");
    assert_eq!(sky.balance(20), 0);
}

#[test]
fn v7_a_machine_gets_no_overdraft_until_what_its_accounts_owe_is_paid() {
    let mut sky = Sky::with(params());
    let begin = || {
        let request = Hash::of(b"request");
        Action::BeginCharge { request, provider: account(2), limit: micros(1_000_000) }
    };
    sky.act(20, sky.registration(20, [1, 2, 3, 4, 5])).expect("registered");
    sky.act(20, begin()).expect("begun");
    let (request, cost) = (Hash::of(b"request"), micros(150_000));
    sky.act(2, Action::CompleteCharge { consumer: account(20), request, cost }).expect("done");
    assert_eq!(sky.balance(20), -50_000);
    // A new key after a reinstall, and three parts are still the same.
    sky.act(21, sky.registration(21, [1, 2, 3, 8, 9])).expect("registered");
    assert_eq!((sky.balance(20), sky.balance(21)), (-50_000, 0), "debts stay where they are");
    assert_eq!(sky.events, [Event::Registered { account: account(21), machine: 0, is_new: false }]);
    sky.act(3, transfer(21, 5_000)).expect("given");
    let owes = Rejection::MachineInDebt { account: account(20), debt: micros(50_000) };
    assert_eq!(sky.act(21, begin()), Err(owes));
    sky.act(3, sky.registration(3, [11, 12, 13, 14, 15])).expect("registered");
    let away = sky.act(20, sky.registration(20, [11, 12, 13, 14, 15]));
    assert_eq!(away, Err(Rejection::InDebt { debt: micros(50_000) }), "nor does the debtor leave it");
    sky.act(3, transfer(20, 50_000)).expect("given");
    assert_eq!((sky.balance(20), sky.balance(2)), (0, 1_150_000));
    sky.act(21, begin()).expect("all is paid");
}

#[test]
fn v7_nobody_is_loaded_with_the_debts_of_others() {
    let mut sky = Sky::with(params());
    sky.act(20, sky.registration(20, [1, 2, 3, 4, 5])).expect("registered");
    let request = Hash::of(b"request");
    let begin = Action::BeginCharge { request, provider: account(2), limit: micros(1_000_000) };
    sky.act(20, begin).expect("begun");
    let cost = micros(150_000);
    sky.act(2, Action::CompleteCharge { consumer: account(20), request, cost }).expect("done");
    sky.act(3, sky.registration(3, [1, 2, 3, 4, 5])).expect("registered");
    assert_eq!((sky.balance(20), sky.balance(3)), (-50_000, 1_000_000));
}

#[test]
fn an_account_has_one_machine_at_a_time() {
    let mut sky = Sky::with(params());
    sky.act(1, sky.registration(1, [1, 2, 3, 4, 5])).expect("registered");
    sky.act(1, sky.registration(1, [11, 12, 13, 14, 15])).expect("registered");
    assert_eq!(sky.entry(&Key::MachineOf(account(1))), Some(Entry::MachineOf(1)));
    let Some(Entry::Machine(first)) = sky.entry(&Key::Machine(0)) else { panic!("no machine") };
    assert!(first.accounts.is_empty());
}

fn pay(sky: &mut Sky, consumer: u8, provider: u8, number: u8, amount: u64) {
    sky.act(consumer, Action::OpenEscrow(sky.opening(number, provider, 10_000))).expect("opened");
    let receipts = Hash::from_bytes([number; 32]);
    let item = PayItem { agreement: agreement(number), cumulative: micros(amount), receipts };
    sky.act(consumer, Action::Pay { items: vec![item] }).expect("paid");
}

#[test]
fn paid_work_raises_reputation_but_not_that_of_who_pays_itself() {
    let mut sky = Sky::with(params());
    pay(&mut sky, 1, 2, 1, 5_000);
    assert_eq!(sky.score(2), 101);
    let moved = sky.events.iter().any(|event| matches!(event, Event::ReputationMoved { .. }));
    assert!(moved, "and it is told: {:?}", sky.events);
    pay(&mut sky, 1, 2, 2, 99);
    assert_eq!(sky.score(2), 101, "too little to count");
    for number in 3..20 {
        pay(&mut sky, 1, 2, number, 5_000);
    }
    assert_eq!(sky.score(2), 105, "one friend a day");
    sky.act_by(account(3), &[3, 4], Action::LinkOwner { owner: account(4) }).expect("linked");
    pay(&mut sky, 4, 3, 30, 5_000);
    assert_eq!(sky.score(3), 100, "its own owner");
    for number in [5, 1] {
        sky.act(number, sky.registration(number, [1, 2, 3, 4, 5])).expect("registered");
    }
    pay(&mut sky, 1, 5, 31, 5_000);
    assert_eq!(sky.score(5), 100, "its own machine");
}

#[test]
fn claims_paid_when_their_window_has_passed_count_too() {
    let mut sky = Sky::with(params());
    sky.act(1, Action::OpenEscrow(sky.opening(1, 2, 10_000))).expect("opened");
    let owed =
        PayItem { agreement: agreement(1), cumulative: micros(5_000), receipts: Hash::from_bytes([1; 32]) };
    let item =
        opensky_ledger::escrow::ClaimItem { owed, count: 1, sequence: 1, is_last: true, voucher: None };
    sky.act(2, Action::Claim { items: vec![item] }).expect("claimed");
    assert_eq!(sky.score(2), 100);
    sky.wait(60_000);
    assert_eq!(sky.score(2), 101);
}

#[test]
fn a_day_online_needs_witnesses_that_can_lose_something_and_are_not_related() {
    let mut sky = Sky::with(params());
    let report = |sky: &Sky, witnesses: Vec<AccountId>| {
        Action::ReportOnline(OnlineReport { day: sky.today(STEP_MS), witnesses })
    };
    let all = sorted([100, 101, 102]);
    let action = report(&sky, all.clone());
    let without_machine = sky.act_by(account(1), &[1, 100, 101, 102], action);
    assert!(matches!(without_machine, Err(Rejection::UnfitWitness { .. })), "{without_machine:?}");
    sky.register_validators();
    let action = report(&sky, all.clone());
    let unsigned = sky.act_by(account(1), &[1, 100, 101], action.clone());
    assert!(matches!(unsigned, Err(Rejection::NotAuthorised { .. })), "{unsigned:?}");
    let few = sky.act_by(account(1), &[1, 100], report(&sky, sorted([100])));
    assert_eq!(few, Err(Rejection::Witnesses { count: 1, needed: 3 }));
    let many = sky.act_by(account(1), &[1, 2, 100, 101, 102], report(&sky, sorted([2, 100, 101, 102])));
    assert!(matches!(many, Err(Rejection::UnneededSignature { .. })), "l6: only those needed: {many:?}");
    let mut twice = sorted([100, 101]);
    twice.insert(0, twice[0]);
    let twice = sky.act_by(account(1), &[1, 100, 101], report(&sky, twice));
    assert_eq!(twice, Err(Rejection::Witnesses { count: 3, needed: 3 }));
    let new = sky.act_by(account(1), &[1, 2, 100, 101], report(&sky, sorted([2, 100, 101])));
    assert_eq!(new, Err(Rejection::UnfitWitness { account: account(2) }));
    sky.act_by(account(1), &[1, 100, 101, 102], action).expect("seen");
    assert_eq!(sky.score(1), 110);
    let again = report(&sky, all.clone());
    sky.act_by(account(1), &[1, 100, 101, 102], again).expect("no fault, but no points");
    assert_eq!(sky.score(1), 110);
    let today = sky.today(STEP_MS);
    let tomorrow = Action::ReportOnline(OnlineReport { day: today + 1, witnesses: all.clone() });
    let early = sky.act_by(account(1), &[1, 100, 101, 102], tomorrow);
    assert_eq!(early, Err(Rejection::OtherDay { today, found: today + 1 }));
    sky.act_by(account(1), &[1, 100], Action::LinkOwner { owner: account(100) }).expect("linked");
    let related = sky.act_by(account(1), &[1, 100, 101, 102], report(&sky, all));
    assert!(matches!(related, Err(Rejection::RelatedWitness { .. })), "{related:?}");
}

/// The provider takes part, by a claim.
fn accept(sky: &mut Sky, number: u8) {
    sky.act(2, Action::Claim { items: vec![crate::escrow::unsigned(number, 10, 1)] }).expect("claimed");
}

#[test]
fn l7_nobody_is_blamed_under_an_agreement_that_it_took_no_part_in() {
    let mut sky = Sky::with(params());
    sky.register_validators();
    // An enemy opens an escrow for a validator, which knows nothing of it.
    sky.act(1, Action::OpenEscrow(sky.opening(1, 100, 10_000))).expect("opened");
    let witnesses = sorted([100, 101, 102]);
    let receipt = Hash::of(b"receipt");
    let blame = AuditReport { agreement: agreement(1), receipt, verdict: Verdict::MadeUp, witnesses };
    let found = sky.act_by(account(1), &[1, 100, 101, 102], Action::AuditReport(blame));
    assert_eq!(found, Err(Rejection::NotAccepted { agreement: sky.agreement(1) }));
}

#[test]
fn praise_needs_one_and_blame_needs_witnesses() {
    let mut sky = Sky::with(params());
    sky.act(1, Action::OpenEscrow(sky.opening(1, 2, 10_000))).expect("opened");
    let receipt = Hash::of(b"receipt");
    let report = |verdict, witnesses| {
        Action::AuditReport(AuditReport { agreement: agreement(1), receipt, verdict, witnesses })
    };
    let early = sky.act(1, report(Verdict::Passed, Vec::new()));
    assert_eq!(early, Err(Rejection::NotAccepted { agreement: sky.agreement(1) }));
    accept(&mut sky, 1);
    sky.register_validators();
    sky.act(1, report(Verdict::Passed, Vec::new())).expect("heard");
    assert_eq!(sky.score(2), 105);
    sky.act(1, report(Verdict::Passed, Vec::new())).expect("heard, but worth nothing");
    assert_eq!(sky.score(2), 105, "one friend a day");
    let stranger = sky.act(3, report(Verdict::Passed, Vec::new()));
    assert!(matches!(stranger, Err(Rejection::NotParty { .. })));
    let alone = sky.act(1, report(Verdict::Failed, Vec::new()));
    assert_eq!(alone, Err(Rejection::Witnesses { count: 0, needed: 3 }));
    let all = sorted([100, 101, 102]);
    let signers = [1, 100, 101, 102];
    sky.act_by(account(1), &signers, report(Verdict::Failed, all.clone())).expect("heard");
    assert_eq!(sky.score(2), 85);
    let twice = sky.act_by(account(1), &signers, report(Verdict::MadeUp, all.clone()));
    assert!(matches!(twice, Err(Rejection::PunishedAlready { .. })), "one fault, one punishment");
    let other = Hash::of(b"another receipt");
    let made_up =
        AuditReport { agreement: agreement(1), receipt: other, verdict: Verdict::MadeUp, witnesses: all };
    sky.act_by(account(1), &signers, Action::AuditReport(made_up)).expect("heard");
    let reputation = sky.reputation_of(2);
    assert_eq!(reputation.score(), Score::ZERO);
    assert_eq!(reputation.frozen_until(sky.now()), Some(sky.now().plus_ms(7 * DAY_MS)));
    let work = sky.act(3, Action::OpenEscrow(sky.opening(2, 2, 10_000)));
    assert_eq!(work, Err(Rejection::Frozen { account: account(2) }));
    sky.wait(7 * DAY_MS);
    sky.act(3, Action::OpenEscrow(sky.opening(2, 2, 10_000))).expect("a second chance");
}

fn candidate(number: u8) -> Candidate {
    Candidate { account: account(number), node: key(number).id(), checkpoint_key: None }
}

#[test]
fn the_authority_of_a_private_sky_names_validators_for_the_next_epoch() {
    let mut sky = Sky::with(Params { authority: Some(account(1)), ..params() });
    let add = Action::ValidatorAdd(candidate(50));
    let unsigned = sky.act(1, add.clone());
    assert_eq!(unsigned, Err(Rejection::VotingKeyUnsigned { key: public(50) }));
    let stranger = sky.act_by(account(2), &[2, 50], add.clone());
    assert_eq!(stranger, Err(Rejection::Roster(RosterError::NotAllowed(account(2)))));
    let before = sky.ledger.head().height;
    assert_eq!((before, sky.voters()), (2, 3), "not at the last block of an epoch");
    sky.act_by(account(1), &[1, 50], add).expect("named");
    assert_eq!(sky.voters(), 3, "block 3 ended the epoch before it took in its transactions");
    for height in 4..=6 {
        sky.wait(STEP_MS);
        assert_eq!((sky.ledger.head().height, sky.voters()), (height, 3));
    }
    sky.wait(STEP_MS);
    assert_eq!(sky.voters(), 4);
    assert_eq!(sky.events, [Event::EpochEnds { next: 2, changed: true }]);
    sky.act(1, Action::ValidatorRemove { account: account(50) }).expect("removed");
    (0..4).for_each(|_| sky.wait(STEP_MS));
    assert_eq!(sky.voters(), 3);
}

#[test]
fn an_open_sky_asks_for_stake_and_reputation() {
    let mut sky = Sky::with(params());
    let add = Action::ValidatorAdd(candidate(1));
    let poor = sky.act(1, add.clone());
    assert!(matches!(poor, Err(Rejection::Roster(RosterError::Stake { .. }))), "{poor:?}");
    sky.act(1, Action::Stake { amount: micros(1_000) }).expect("staked");
    let new = sky.act(1, add);
    assert!(matches!(new, Err(Rejection::Roster(RosterError::Reputation { .. }))), "{new:?}");
}

fn two_votes(number: u8, epoch: u64) -> Fact {
    Fact::TwoVotes { node: key(number).id(), epoch, evidence: vec![1, 2, 3] }
}

#[test]
fn l1_a_validator_that_votes_twice_pays_and_leaves() {
    let mut sky = Sky::with(params());
    let treasury = sky.treasury().get();
    let validator = account(100);
    sky.act(1, Action::Transfer { to: validator, amount: micros(500_000), memo: Default::default() })
        .expect("given");
    sky.act(100, Action::Stake { amount: micros(400_000) }).expect("staked");
    sky.act(100, Action::Unstake { amount: micros(399_000) }).expect("tries to get away");
    let block = sky.block_with(vec![two_votes(100, 0), two_votes(100, 0), two_votes(99, 0)]);
    assert_eq!(block.header.facts, [two_votes(100, 0)], "what is known or can't be is left out");
    // It had not 500 points to lose, so it loses everything.
    assert_eq!(sky.treasury().get() - treasury, 400_000);
    assert!(sky.stake_of(100).is_empty() && sky.reputation_of(100).is_banned());
    assert_eq!(sky.events.iter().filter(|event| matches!(event, Event::Slashed { .. })).count(), 1);
    let late = sky.block_with(vec![two_votes(100, 0)]);
    assert!(late.header.facts.is_empty(), "once an epoch");
    (0..4).for_each(|_| sky.wait(STEP_MS));
    assert_eq!(sky.voters(), 2, "it votes no longer");
}

#[test]
fn l1_facts_that_are_known_keep_no_new_one_out_of_a_block() {
    let mut sky = Sky::with(params());
    let stale = vec![two_votes(99, 0); FACTS_MAX];
    let facts = [stale, vec![two_votes(100, 0)], vec![two_votes(98, 0); FACTS_MAX]].concat();
    let block = sky.block_with(facts);
    assert_eq!(block.header.facts, [two_votes(100, 0)]);
}

#[test]
fn a_block_with_false_old_or_too_many_facts_is_refused() {
    let mut sky = Sky::with(params());
    let time = sky.now().plus_ms(STEP_MS);
    let head = sky.ledger.head().id();
    let good = sky.ledger.propose(&head, time, Vec::new(), 1 << 20).expect("a block").block;
    let mut verify = |facts: Vec<Fact>| {
        let mut block = good.clone();
        block.header.facts = facts;
        sky.witness.verify(block)
    };
    let no_voter = verify(vec![two_votes(99, 0)]);
    assert!(
        matches!(no_voter, Err(BlockError::Fact { index: 0, source: Rejection::NoVoter { .. } })),
        "{no_voter:?}"
    );
    let twice = verify(vec![two_votes(100, 0), two_votes(100, 0)]);
    assert!(matches!(twice, Err(BlockError::Fact { index: 1, source: Rejection::PunishedAlready { .. } })));
    let many = verify(vec![two_votes(100, 0); FACTS_MAX + 1]);
    assert_eq!(many, Err(BlockError::TooManyFacts { count: FACTS_MAX + 1 }));
    let long = Fact::TwoVotes { node: key(100).id(), epoch: 0, evidence: vec![0; EVIDENCE_BYTES_MAX + 1] };
    assert!(matches!(verify(vec![long]), Err(BlockError::Fact { source: Rejection::Evidence { .. }, .. })));
    assert!(matches!(verify(vec![two_votes(100, 0)]), Err(BlockError::Root { part: "state", .. })));
}

#[test]
fn rules_switch_for_everyone_at_one_height_and_an_old_program_stops_there() {
    let mut sky = Sky::with(params());
    let second = Action::ScheduleRules { version: RulesVersion::new(2), height: 5 };
    let alone = sky.act(1, second.clone());
    assert!(matches!(alone, Err(Rejection::NoQuorum { signed: 0, validators: 3 })), "{alone:?}");
    let near = Action::ScheduleRules { version: RulesVersion::new(2), height: 4 };
    let near = sky.act_by(account(1), &[1, 100, 101, 102], near);
    assert_eq!(near, Err(Rejection::Rules(RulesError::TooNear { height: 4, earliest: 5 })));
    let early = Action::ScheduleRules { version: RulesVersion::new(2), height: 6 };
    sky.act_by(account(1), &[1, 100, 101, 102], early).expect("scheduled");
    sky.wait(STEP_MS);
    sky.wait(STEP_MS);
    assert_eq!(sky.ledger.head().height, 5, "the last block under the old rules");
    let (head, time) = (sky.ledger.head().id(), sky.now().plus_ms(STEP_MS));
    let stopped = sky.ledger.propose(&head, time, Vec::new(), 1 << 20);
    assert_eq!(stopped.map(|_| ()), Err(BlockError::UnknownRules { version: 2, known: 1 }));
}

#[test]
fn a_switch_can_be_called_off_by_the_authority() {
    let mut sky = Sky::with(Params { authority: Some(account(1)), ..params() });
    let second = Action::ScheduleRules { version: RulesVersion::new(2), height: 5 };
    assert_eq!(sky.act(2, second), Err(Rejection::NotAuthority { account: account(2) }));
    let later = Action::ScheduleRules { version: RulesVersion::new(2), height: 7 };
    sky.act(1, later).expect("scheduled");
    sky.act(1, Action::CallOffRules).expect("called off");
    (0..6).for_each(|_| sky.wait(STEP_MS));
    assert_eq!(sky.ledger.head().rules, 1);
}

#[test]
fn nonsense_in_genesis_is_refused() {
    let build = |change: fn(&mut Genesis)| {
        let mut genesis = genesis(params());
        change(&mut genesis);
        Ledger::new(&genesis).map(|_| ())
    };
    assert_eq!(build(|_| ()), Ok(()));
    assert!(matches!(build(|genesis| genesis.params.puzzle_bits = 64), Err(GenesisError::TooHigh { .. })));
    assert!(matches!(build(|genesis| genesis.params.epoch_blocks = 1), Err(GenesisError::Zero { .. })));
    let dear = build(|genesis| genesis.params.charge_max = micros(u64::MAX));
    assert!(matches!(dear, Err(GenesisError::TooHigh { parameter: "charge_max", .. })));
    let rich = build(|genesis| {
        let most = micros(u64::MAX);
        genesis.treasury = Purse { free: most, granted: most };
    });
    assert_eq!(rich, Err(GenesisError::TooMuchMoney { micros: 6_000_000 + 2 * u128::from(u64::MAX) }));
    let crowd = build(|genesis| {
        genesis.validators = (1..=65).map(|number| key(number).id()).collect();
        genesis.validators.sort_unstable();
    });
    assert_eq!(crowd, Err(GenesisError::Roster(RosterError::TooMany { count: 65 })));
}

#[test]
fn a_device_may_neither_change_validators_nor_rules() {
    let mut sky = Sky::with(params());
    for kind in 21..=25 {
        let session = opensky_ledger::account::Session {
            scope: 1 << kind,
            left: micros(1),
            expires_at: Timestamp::from_millis(START_MS + DAY_MS),
        };
        let lent = sky.act(1, Action::Delegate { key: public(9), session });
        assert!(matches!(lent, Err(Rejection::Scope { .. })), "kind {kind}");
    }
    // One that may stake may not stake more than its cap.
    let expires_at = Timestamp::from_millis(START_MS + DAY_MS);
    let session = opensky_ledger::account::Session { scope: 1 << 16, left: micros(10), expires_at };
    sky.act(1, Action::Delegate { key: public(9), session }).expect("lent");
    let transaction = sky.transaction(account(1), Action::Stake { amount: micros(11) });
    let signed = transaction.signed(vec![approve(&transaction, &key(9))]);
    assert!(matches!(sky.submit(signed), Err(Rejection::SessionSpent { .. })));
}
