//! The provider's side: no work before the money is there, and claims for what was earned.

use crate::{handle::TransactError, node::Node};
use opensky_ledger::{
    action::Action,
    escrow::{ClaimItem, ITEMS_MAX, id_of},
    tab::{PayeeTab, Settling, Voucher, VoucherProblem},
};
use opensky_ports::Record;
use opensky_protocol::work::ToConsumer;
use opensky_provider::Input;
use opensky_types::{
    AccountId, AgreementId, Hash, Micros, NodeId, Timestamp,
    agreement::Terms,
    reason::Misfit,
    receipt::{Countersignature, Receipt},
};

/// Most tabs of work for others; those of consumers that only pretend to pay last some minutes.
const TABS_MAX: usize = 4_096;
/// Most escrows that are given back at a time.
const CLOSED_MAX: usize = 64;
/// Time until a tab that the ledger would not settle is tried again, in milliseconds.
const REST_MS: u64 = 60_000;

impl Node {
    /// A consumer says where its money is.
    pub(crate) fn on_fund(
        &mut self,
        now: Timestamp,
        from: NodeId,
        (agreement, nonce): (AgreementId, u64),
        voucher: Option<Voucher>,
    ) {
        let escrow = id_of(agreement.hash(), &AccountId::of_node(from), nonce);
        let known = self.payments.payee.get(&agreement).map(PayeeTab::consumer);
        let terms = self.host.provider.terms(agreement);
        let is_agreed = terms.is_some_and(|terms| terms.consumer == from && terms.payment.is_some());
        if known.is_some_and(|known| known != from) || known.is_none() && !is_agreed {
            return;
        }
        if known.is_none() && self.payments.payee.len() >= TABS_MAX {
            return tracing::warn!(%from, %agreement, "too many tabs are open; no work is done for it");
        }
        // The first word on where the money is counts.
        self.payments.payee.entry(agreement).or_insert_with(|| PayeeTab::new(from, escrow, now));
        self.keep_payee(agreement);
        if let Some(voucher) = voucher {
            self.take_voucher(from, agreement, voucher);
        }
        self.look_after_payee(now);
    }

    /// Work was delivered: its price is earned unless the consumer says otherwise.
    pub(crate) fn earn(&mut self, agreement: AgreementId, root: Hash, receipts: &[Receipt]) {
        if let Some(tab) = self.payments.payee.get_mut(&agreement) {
            tab.deliver(root, receipts.iter().map(|receipt| receipt.price).collect());
        }
    }

    /// The consumer signed for work. One that does not sign for the money too gets no more of it.
    pub(crate) fn on_paid(
        &mut self,
        now: Timestamp,
        from: NodeId,
        agreement: AgreementId,
        content: &Countersignature,
        voucher: Option<Voucher>,
    ) {
        let Some(tab) = self.payments.payee.get_mut(&agreement) else { return };
        tab.answered(content);
        if let Some(voucher) = voucher {
            self.take_voucher(from, agreement, voucher);
        }
        let Some(tab) = self.payments.payee.get(&agreement) else { return };
        if let Err(problem) = tab.check() {
            tracing::warn!(%from, %agreement, %problem, "a consumer does not pay for what it accepts");
            self.provide(now, Input::Close { from, agreement });
            self.tell_consumer(from, ToConsumer::Ended { agreement, misfit: Misfit::Unfunded });
        }
        self.keep_payee(agreement);
    }

    fn take_voucher(&mut self, from: NodeId, agreement: AgreementId, voucher: Voucher) {
        let (sky, own) = (self.ledger.sky(), self.ledger.account());
        let Some(tab) = self.payments.payee.get_mut(&agreement) else { return };
        let taken: Result<(), VoucherProblem> = tab.take(sky, own, voucher);
        match taken {
            Ok(()) => self.keep_payee(agreement),
            Err(problem) => tracing::warn!(%from, %agreement, %problem, "a voucher does not count"),
        }
    }

    /// An agreement is over.
    pub(crate) fn end_payee(&mut self, now: Timestamp, agreement: AgreementId) {
        if let Some(tab) = self.payments.payee.get_mut(&agreement) {
            tab.end(now);
            self.keep_payee(agreement);
        }
    }

    /// Tells the provider core what is put aside, claims what is due, and gives back what is left.
    pub(super) fn look_after_payee(&mut self, now: Timestamp) {
        let tabs = self.payments.payee.iter();
        let (agreements, names): (Vec<AgreementId>, Vec<AgreementId>) =
            tabs.map(|(agreement, tab)| (*agreement, tab.escrow())).unzip();
        if agreements.is_empty() {
            return;
        }
        let may_claim = self.payments.claim.is_none_or(|claim| !self.ledger.is_waiting(&claim));
        let (mut claims, mut closed) = (Vec::new(), Vec::new());
        for (agreement, (escrow, pending)) in agreements.into_iter().zip(self.escrows(&names)) {
            let Some(tab) = self.payments.payee.get(&agreement) else { continue };
            let Some(escrow) = escrow else {
                if tab.is_gone(now) {
                    self.payments.payee.remove(&agreement);
                    self.payments.resting.remove(&agreement);
                    self.keep_record(Record::TabSettled { agreement });
                }
                continue;
            };
            if !tab.is_ended()
                && let Some(payment) = self.host.provider.terms(agreement).and_then(|terms| terms.payment)
                && let Some(amount) = tab.funds(self.ledger.account(), &escrow, &payment)
            {
                self.provide(now, Input::Funded { agreement, amount });
            }
            let Some(tab) = self.payments.payee.get(&agreement) else { continue };
            let rests = self.payments.resting.get(&agreement).is_some_and(|until| now < *until);
            if pending.is_some() || !may_claim || rests {
                continue;
            }
            match tab.settle(now, &escrow) {
                Settling::Claim(item) if claims.len() < ITEMS_MAX => claims.push((agreement, item)),
                Settling::Close if closed.len() < CLOSED_MAX => closed.push((agreement, tab.escrow())),
                _ => {}
            }
        }
        self.claim(now, claims);
        self.give_back(now, closed);
    }

    /// One transaction for all that is due. Where the ledger does not take it, each on its own, so that one
    /// that can't be settled keeps no other from it.
    fn claim(&mut self, now: Timestamp, claims: Vec<(AgreementId, ClaimItem)>) {
        if claims.is_empty() {
            return;
        }
        let items = claims.iter().map(|(_, item)| item.clone()).collect();
        match self.act(now, Action::Claim { items }).1 {
            Ok(id) => {
                tracing::info!(agreements = claims.len(), "claiming what was earned");
                self.payments.claim = Some(id);
                for (agreement, _) in claims {
                    if let Some(tab) = self.payments.payee.get_mut(&agreement) {
                        tab.settled(now);
                    }
                }
            }
            Err(error) if claims.len() == 1 => self.rest(now, claims[0].0, &error),
            Err(_) => claims.into_iter().for_each(|claim| self.claim(now, vec![claim])),
        }
    }

    fn give_back(&mut self, now: Timestamp, closed: Vec<(AgreementId, AgreementId)>) {
        for (agreement, escrow) in closed {
            match self.act(now, Action::CloseEscrow { agreement: escrow }).1 {
                Ok(id) => self.payments.claim = Some(id),
                Err(error) => self.rest(now, agreement, &error),
            }
        }
    }

    fn rest(&mut self, now: Timestamp, agreement: AgreementId, error: &TransactError) {
        tracing::warn!(%agreement, %error, "the ledger does not settle an agreement; trying again later");
        self.payments.resting.insert(agreement, now.plus_ms(REST_MS));
    }

    /// What the provider core must know of agreements of before a restart.
    pub(crate) fn with_earned(&self, held: Vec<(AgreementId, Terms)>) -> Vec<(AgreementId, Terms, Micros)> {
        let earned = |(agreement, terms)| (agreement, terms, self.payments.earned(agreement));
        held.into_iter().map(earned).collect()
    }
}
