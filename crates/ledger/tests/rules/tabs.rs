//! Both sides' tabs against the ledger: whoever is honest gets what is theirs, whatever the other does.

use crate::common::{START_MS, Sky, account, key, micros, sky_id};
use opensky_ledger::{
    action::Action,
    entry::Entry,
    escrow::{Escrow, Opening, PendingClaim},
    key::Key,
    purse::Purse,
    tab::{PayeeTab, PayerTab, Settling, Voucher, VoucherProblem},
};
use opensky_types::{Hash, JobId, Micros, Timestamp, agreement::Payment, receipt::Countersignature};
use proptest::prelude::*;
use std::collections::VecDeque;

const CONSUMER: u8 = 1;
const PROVIDER: u8 = 2;

/// An agreement between accounts 1 and 2, with an escrow of this amount.
struct Pair {
    sky: Sky,
    payer: PayerTab,
    payee: PayeeTab,
    /// Batches on their way to the consumer: root and prices.
    delivered: VecDeque<(Hash, Vec<Micros>)>,
    batches: u64,
}

impl Pair {
    fn new(amount: u64) -> Self {
        Self::lasting(amount, 60_000)
    }

    fn lasting(amount: u64, ms: u64) -> Self {
        let mut sky = Sky::new();
        let expires_at = sky.now().plus_ms(ms);
        let opening = Opening { claim_window_ms: 600_000, expires_at, ..sky.opening(1, PROVIDER, amount) };
        let payer =
            PayerTab::new((JobId::from_bytes([1; 10]), key(PROVIDER).id()), &opening, &account(CONSUMER), 0);
        sky.act(CONSUMER, Action::OpenEscrow(opening)).expect("it can be opened");
        let payee = PayeeTab::new(key(CONSUMER).id(), payer.escrow(), sky.now());
        Self { sky, payer, payee, delivered: VecDeque::new(), batches: 0 }
    }

    fn escrow(&self) -> Option<Escrow> {
        match self.sky.ledger.state().get(&Key::Escrow(self.payer.escrow())) {
            Some(Entry::Escrow(escrow)) => Some(**escrow),
            _ => None,
        }
    }

    fn pending(&self) -> Option<PendingClaim> {
        match self.sky.ledger.state().get(&Key::Claim(self.payer.escrow())) {
            Some(Entry::Claim(claim)) => Some(**claim),
            _ => None,
        }
    }

    fn deliver(&mut self, prices: &[u64]) {
        self.batches += 1;
        let root = Hash::of(&self.batches.to_le_bytes());
        let prices: Vec<Micros> = prices.iter().map(|price| micros(*price)).collect();
        self.payee.deliver(root, prices.clone());
        self.delivered.push_back((root, prices));
    }

    /// The consumer accepts these receipts of the oldest batch, and may lose its word on the way.
    fn accept(&mut self, accepted: impl Fn(usize) -> bool, arrives: bool) -> u64 {
        let Some((root, prices)) = self.delivered.pop_front() else { return 0 };
        let accepted: Vec<bool> = (0..prices.len()).map(accepted).collect();
        let signed = Countersignature::sign(&key(CONSUMER), root, &accepted);
        let amount: u64 = prices.iter().zip(&accepted).filter(|(_, yes)| **yes).map(|(p, _)| p.get()).sum();
        let voucher = self.payer.accept(sky_id(), &key(CONSUMER), signed.content_hash(), micros(amount));
        if arrives {
            self.payee.answered(&signed.verify().expect("signed just now"));
            if let Some(voucher) = voucher {
                self.payee.take(sky_id(), account(PROVIDER), voucher).expect("an honest voucher");
            }
            self.payee.check().expect("it covers what was accepted");
        }
        amount
    }

    fn end(&mut self) {
        self.payer.close();
        self.payee.end(self.sky.now());
    }

    /// The provider does what its tab says; whether there was something to do.
    fn settle(&mut self) -> bool {
        let (Some(escrow), None) = (self.escrow(), self.pending()) else { return false };
        let action = match self.payee.settle(self.sky.now(), &escrow) {
            Settling::Wait => return false,
            Settling::Claim(item) => Action::Claim { items: vec![item] },
            Settling::Close => Action::CloseEscrow { agreement: self.payer.escrow() },
        };
        self.payee.settled(self.sky.now());
        self.sky.act(PROVIDER, action).expect("what a tab wants, the ledger allows");
        true
    }

    fn object(&mut self) {
        if let Some(claim) = self.pending()
            && let Some(objection) = self.payer.objection(self.sky.now(), &claim)
        {
            self.sky.act(CONSUMER, objection).expect("the ledger takes the objection");
        }
    }

    /// Lets time pass until nothing of the agreement is left on the ledger.
    fn run_out(&mut self, consumer_is_there: bool) {
        for _ in 0..60 {
            self.settle();
            if consumer_is_there {
                self.object();
            }
            self.sky.wait(30_000);
        }
        assert_eq!(self.escrow(), None, "nobody can hold money for ever");
    }

    fn gained(&self) -> u64 {
        u64::try_from(self.sky.balance(PROVIDER) - 1_000_000).expect("a provider loses nothing")
    }

    fn lost(&self) -> u64 {
        u64::try_from(1_000_000 - self.sky.balance(CONSUMER)).expect("a consumer gains nothing")
    }
}

#[test]
fn l5_what_was_accepted_is_paid_with_one_claim_and_the_rest_goes_back() {
    let mut pair = Pair::new(10_000);
    pair.deliver(&[100, 200]);
    pair.deliver(&[300]);
    pair.accept(|_| true, true);
    pair.accept(|_| true, true);
    assert!(!pair.settle(), "work goes on: nothing is claimed yet");
    pair.end();
    assert!(!pair.settle(), "others may end at the same time");
    pair.sky.wait(2_000);
    assert!(pair.settle());
    assert_eq!((pair.gained(), pair.lost(), pair.escrow()), (600, 600, None));
}

#[test]
fn l5_a_lost_voucher_is_made_good_by_the_next() {
    let mut pair = Pair::new(10_000);
    pair.deliver(&[100]);
    pair.deliver(&[250]);
    pair.accept(|_| true, false);
    pair.accept(|_| true, true);
    pair.end();
    pair.run_out(true);
    assert_eq!((pair.gained(), pair.lost()), (350, 350));
}

#[test]
fn m2_a_consumer_that_vanishes_pays_for_what_was_delivered() {
    let mut pair = Pair::new(10_000);
    pair.deliver(&[100]);
    pair.accept(|_| true, true);
    pair.deliver(&[400]);
    pair.end();
    pair.run_out(false);
    assert_eq!((pair.gained(), pair.lost()), (500, 500));
}

#[test]
fn m1_a_provider_that_claims_too_much_gets_what_it_is_owed() {
    let mut pair = Pair::new(10_000);
    pair.deliver(&[100]);
    pair.accept(|_| true, true);
    // It never delivered this batch.
    pair.payee.deliver(Hash::of(b"made up"), vec![micros(5_000)]);
    pair.end();
    pair.run_out(true);
    assert_eq!((pair.gained(), pair.lost()), (100, 100));
}

#[test]
fn what_was_not_accepted_is_not_paid() {
    let mut pair = Pair::new(10_000);
    pair.deliver(&[100, 900]);
    pair.accept(|index| index == 0, true);
    pair.end();
    pair.run_out(true);
    assert_eq!((pair.gained(), pair.lost()), (100, 100));
}

#[test]
fn a_provider_that_vanishes_is_not_paid_and_the_consumer_has_all_back() {
    let mut pair = Pair::new(10_000);
    pair.deliver(&[100]);
    pair.accept(|_| true, true);
    pair.end();
    for _ in 0..60 {
        pair.sky.wait(30_000);
    }
    assert_eq!((pair.gained(), pair.lost(), pair.escrow()), (0, 0, None));
}

#[test]
fn an_agreement_without_work_gives_all_back() {
    let mut pair = Pair::new(10_000);
    pair.end();
    pair.sky.wait(2_000);
    assert!(pair.settle());
    assert_eq!((pair.lost(), pair.escrow()), (0, None));
}

#[test]
fn more_is_put_aside_as_it_is_used_up_and_no_more_than_trust_allows() {
    let mut pair = Pair::new(1_000);
    assert_eq!(pair.payer.top_up(micros(499)), None, "half is not used up");
    assert_eq!(pair.payer.top_up(micros(500)), Some(micros(1_000)));
    let mut put = 1_000;
    while let Some(more) = pair.payer.top_up(micros(u64::MAX)) {
        pair.payer.topped_up(more);
        put += more.get();
        assert!(put <= 8_000, "what a provider says alone moves eight times the first amount at most");
    }
    assert_eq!(put, 8_000);
    pair.deliver(&[4_000]);
    pair.accept(|_| true, true);
    assert_eq!(pair.payer.top_up(micros(0)), Some(micros(8_000)), "what is owed moves more");
    pair.end();
    assert_eq!(pair.payer.top_up(micros(u64::MAX)), None);
    assert_eq!(pair.payer.bound(), micros(4_000), "once over, it binds what is owed");
}

#[test]
fn c1_vouchers_of_others_do_not_count() {
    let mut pair = Pair::new(10_000);
    pair.deliver(&[100]);
    let (root, _) = pair.delivered[0];
    let signed = Countersignature::sign(&key(CONSUMER), root, &[true]);
    let honest = pair.payer.accept(sky_id(), &key(CONSUMER), signed.content_hash(), micros(100)).unwrap();
    let own = account(PROVIDER);
    let mut take = |voucher: Voucher| pair.payee.take(sky_id(), own, voucher);
    let other_key = Voucher::sign(sky_id(), &key(3), own, honest.owed);
    assert_eq!(take(other_key), Err(VoucherProblem::OtherKey));
    let other_sky = Voucher::sign(Hash::of(b"another"), &key(CONSUMER), own, honest.owed);
    assert!(matches!(take(other_sky), Err(VoucherProblem::Signature(_))));
    let other_payee = Voucher::sign(sky_id(), &key(CONSUMER), account(3), honest.owed);
    assert!(matches!(take(other_payee), Err(VoucherProblem::Signature(_))));
    let mut raised = honest;
    raised.owed.cumulative = micros(5_000);
    assert!(matches!(take(raised), Err(VoucherProblem::Signature(_))));
    let mut elsewhere = honest.owed;
    elsewhere.agreement = crate::common::agreement(9);
    let elsewhere = Voucher::sign(sky_id(), &key(CONSUMER), own, elsewhere);
    assert_eq!(take(elsewhere), Err(VoucherProblem::OtherAgreement));
    assert_eq!(take(honest), Ok(()));
    pair.payee.answered(&signed.verify().unwrap());
    assert_eq!(pair.payee.check(), Ok(()));
    pair.deliver(&[50]);
    let (root, _) = pair.delivered[1];
    pair.payee.answered(&Countersignature::sign(&key(CONSUMER), root, &[true]).verify().unwrap());
    let short = VoucherProblem::Short { vouched: micros(100), accepted: micros(150) };
    assert_eq!(
        pair.payee.check(),
        Err(short),
        "whoever accepts and does not sign for the money is found out"
    );
}

#[test]
fn only_an_escrow_for_this_agreement_counts_as_money() {
    let pair = Pair::new(10_000);
    let escrow = pair.escrow().unwrap();
    let own = account(PROVIDER);
    let agreed = Payment {
        escrow: micros(10_000),
        expires_at: pair.sky.now().plus_ms(59_000),
        claim_window_ms: 600_000,
    };
    let funds = |escrow: &Escrow| pair.payee.funds(own, escrow, &agreed);
    assert_eq!(funds(&escrow), Some(micros(10_000)));
    assert_eq!(funds(&Escrow { provider: account(3), ..escrow }), None);
    assert_eq!(funds(&Escrow { consumer: account(3), ..escrow }), None);
    assert_eq!(funds(&Escrow { voucher_key: crate::common::public(3), ..escrow }), None);
    assert_eq!(funds(&Escrow { claim_window_ms: 600_001, ..escrow }), None, "money that comes too late");
    let longer = Payment { expires_at: agreed.expires_at.plus_ms(1_001), ..agreed };
    assert_eq!(pair.payee.funds(own, &escrow, &longer), None, "or is gone too early");
}

#[test]
fn a_tab_whose_escrow_did_not_come_is_given_up_when_it_can_come_no_more() {
    let mut pair = Pair::new(10_000);
    // The escrow's minute, and twice the window of a claim.
    let gone_by = Timestamp::from_millis(START_MS + 60_000 + 2 * 600_000);
    let before = Timestamp::from_millis(gone_by.as_millis() - 1);
    assert!(!pair.payer.is_gone(before, true) && !pair.payer.is_gone(before, false), "work goes on");
    assert!(pair.payer.is_gone(gone_by, true) && pair.payer.is_gone(gone_by, false));
    let ended = pair.sky.now();
    assert!(!pair.payee.is_gone(gone_by), "the agreement goes on");
    pair.end();
    assert!(!pair.payer.is_gone(before, true), "its opening still waits");
    assert!(pair.payer.is_gone(before, false));
    assert!(!pair.payee.is_gone(ended.plus_ms(599_999)));
    assert!(pair.payee.is_gone(ended.plus_ms(600_000)));
}

#[test]
fn a_provider_claims_every_ten_minutes_and_at_the_end_when_others_had_time_to_come() {
    let mut pair = Pair::lasting(10_000, 10_000_000);
    pair.deliver(&[100]);
    pair.accept(|_| true, true);
    let (opened, escrow) = (pair.sky.now(), pair.escrow().expect("it is open"));
    assert_eq!(pair.payee.settle(opened.plus_ms(599_999), &escrow), Settling::Wait);
    let claimed = pair.payee.settle(opened.plus_ms(600_000), &escrow);
    assert!(matches!(claimed, Settling::Claim(item) if item.voucher.is_some() && !item.is_last));
    pair.end();
    assert_eq!(pair.payee.settle(opened.plus_ms(1_999), &escrow), Settling::Wait);
    let claimed = pair.payee.settle(opened.plus_ms(2_000), &escrow);
    assert!(matches!(claimed, Settling::Claim(item) if item.voucher.is_some() && item.is_last));
}

#[test]
fn a_provider_waits_a_minute_for_a_signature_or_more_money() {
    let mut pair = Pair::lasting(10_000, 10_000_000);
    pair.deliver(&[100]);
    pair.end();
    let (ended, escrow) = (pair.sky.now(), pair.escrow().expect("it is open"));
    assert_eq!(pair.payee.settle(ended.plus_ms(59_999), &escrow), Settling::Wait);
    let claimed = pair.payee.settle(ended.plus_ms(60_000), &escrow);
    assert!(matches!(claimed, Settling::Claim(item) if item.voucher.is_none() && item.is_last));
    let used_up = Escrow { held: Purse::default(), ..escrow };
    assert_eq!(pair.payee.settle(ended.plus_ms(59_999), &used_up), Settling::Wait);
    assert_eq!(pair.payee.settle(ended.plus_ms(60_000), &used_up), Settling::Close);
}

#[test]
fn a_consumer_objects_to_what_it_does_not_owe_when_half_of_the_window_has_passed() {
    let mut pair = Pair::new(10_000);
    pair.deliver(&[100]);
    pair.accept(|_| true, true);
    let now = pair.sky.now();
    let claim = PendingClaim {
        cumulative: micros(101),
        receipts: Hash::of(b"receipts"),
        count: 1,
        sequence: 7,
        is_last: true,
        due_at: now.plus_ms(300_000),
    };
    let objection = Action::Object { agreement: pair.payer.escrow(), sequence: 7, owed: micros(100) };
    assert_eq!(pair.payer.objection(now, &claim), Some(objection));
    let early = PendingClaim { due_at: now.plus_ms(300_001), ..claim };
    assert_eq!(pair.payer.objection(now, &early), None, "what was delivered is not judged yet");
    let right = PendingClaim { cumulative: micros(100), ..claim };
    assert_eq!(pair.payer.objection(now, &right), None);
}

#[derive(Debug, Clone)]
enum Step {
    Deliver(Vec<u64>),
    /// The consumer answers, accepting every receipt or every second one.
    Answer {
        all: bool,
        arrives: bool,
    },
    TopUp,
    Settle,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(0..700_u64, 1..6).prop_map(Step::Deliver),
        4 => (any::<bool>(), prop::bool::weighted(0.8)).prop_map(|(all, arrives)| Step::Answer { all, arrives }),
        1 => Just(Step::TopUp),
        2 => Just(Step::Settle),
        2 => (1..400_000_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Honest sides, lost words, a claim at any moment: in the end the provider has what was accepted, as
    /// far as money was put aside, plus at most what was delivered and never answered; the consumer has the
    /// rest. Every block is checked for conservation.
    #[test]
    fn l3_both_sides_get_what_is_theirs(steps in prop::collection::vec(step(), 1..40)) {
        // Providers stop work when an escrow's time is over; here that is never.
        let mut pair = Pair::lasting(2_000, 30 * 24 * 60 * 60 * 1_000);
        let (mut accepted, mut put) = (0, 2_000);
        for step in steps {
            match step {
                Step::Deliver(prices) => pair.deliver(&prices),
                Step::Answer { all, arrives } => {
                    accepted += pair.accept(|index| all || index % 2 == 0, arrives);
                }
                Step::TopUp if pair.escrow().is_some() => {
                    if let Some(more) = pair.payer.top_up(pair.payee.earned()) {
                        let topped = Action::TopUp { agreement: pair.payer.escrow(), amount: more };
                        if pair.sky.act(CONSUMER, topped).is_ok() {
                            pair.payer.topped_up(more);
                            put += more.get();
                        }
                    }
                }
                Step::Settle => drop(pair.settle()),
                Step::Wait(ms) => {
                    pair.object();
                    pair.sky.wait(ms);
                }
                Step::TopUp => {}
            }
        }
        // The consumer answers all that came, and its last word arrives.
        while !pair.delivered.is_empty() {
            accepted += pair.accept(|_| true, true);
        }
        if let Some(voucher) = pair.payer.voucher(sky_id(), &key(CONSUMER)) {
            pair.payee.take(sky_id(), account(PROVIDER), voucher).expect("an honest voucher");
        }
        let was_open = pair.escrow().is_some();
        pair.end();
        pair.run_out(true);
        prop_assert_eq!(pair.gained(), pair.lost());
        if was_open {
            prop_assert_eq!(pair.gained(), accepted.min(put));
        }
    }
}
