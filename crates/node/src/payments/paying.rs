//! The consumer's side: money put aside before work begins, vouchers signed for what is accepted, and an
//! eye on what is claimed.

use super::Paying;
use crate::node::Node;
use opensky_ledger::{
    action::Action,
    entry::Entry,
    escrow::Opening,
    key::Key,
    tab::{PayerTab, Voucher},
};
use opensky_ports::Record;
use opensky_protocol::work::ToProvider;
use opensky_scheduler::Input;
use opensky_types::{
    AccountId, AgreementId, JobId, Micros, NodeId, PublicKey, Signed, Timestamp,
    agreement::{Payment, Terms},
    job::{JobNote, Verify},
    reason::{Misfit, Reason},
    receipt::{Countersignature, fuel_price},
};

/// Fuel that is paid in advance for each slot of an agreement: about a minute of a core.
const ADVANCE_FUEL: u64 = 64_000_000_000;
/// Least fuel that is worth an agreement.
const LEAST_FUEL: u64 = 1_000_000_000;
/// No one agreement takes more than this part of what is left, so that others can be made beside it.
const SHARE: u64 = 4;
/// How long an escrow lasts, in milliseconds.
const ESCROW_MS: u64 = 24 * 60 * 60 * 1000;
/// How long this node may object to what it has not signed for, in milliseconds.
const CLAIM_WINDOW_MS: u64 = 10 * 60 * 1000;

/// Most nodes that are looked at for one that costs nothing.
const LOOKED_AT_MAX: usize = 256;
/// Time between two reminders of a provider that does not settle, in milliseconds.
const REMIND_MS: u64 = 10_000;

impl Node {
    /// What a billion fuel of a node costs this one. Nobody pays itself.
    pub(crate) fn price_of(&self, node: NodeId) -> Micros {
        let offer = self.market.get(node).filter(|_| node != self.own);
        offer.map_or(Micros::ZERO, |offer| offer.price_per_gfuel)
    }

    /// How work of a node would be paid; none where it costs nothing.
    pub(crate) fn payment(
        &self,
        now: Timestamp,
        (job, stage): (JobId, u16),
        node: NodeId,
        (price, slots): (Micros, u16),
    ) -> Result<Option<Payment>, Reason> {
        if price == Micros::ZERO {
            return Ok(None);
        }
        let needed = self.cost_of_one((job, stage), price);
        let wanted = fuel_price(ADVANCE_FUEL.saturating_mul(u64::from(slots)), price).max(needed);
        let escrow = self.affordable(job, node, wanted, needed)?;
        // Blocks carry the time of their proposers, which may be a little ahead.
        let expires_at = now.max(self.ledger.time()).plus_ms(ESCROW_MS);
        Ok(Some(Payment { escrow, expires_at, claim_window_ms: CLAIM_WINDOW_MS }))
    }

    /// What a task of a stage costs, by what runs of its program used before; at least a little.
    fn cost_of_one(&self, (job, stage): (JobId, u16), price: Micros) -> Micros {
        fuel_price(self.consumer.fuel_of(job, stage).unwrap_or(0).max(LEAST_FUEL), price)
    }

    /// How much of `wanted` can be put aside for work on a node, if it is at least `needed`.
    fn affordable(&self, job: JobId, node: NodeId, wanted: Micros, needed: Micros) -> Result<Micros, Reason> {
        let available = self.uncommitted();
        let budget = self.consumer.budget(job);
        let bound = self.bound(job);
        let left =
            budget.map_or(Micros::new(u64::MAX), |budget| budget.checked_sub(bound).unwrap_or_default());
        if left < needed {
            return Err(Reason::BudgetSpent { budget: budget.unwrap_or_default(), bound });
        }
        if available < needed {
            return Err(Reason::NoMoney { node, available, needed });
        }
        let share = Micros::new(left.min(available).get() / SHARE);
        Ok(wanted.min(share.max(needed)))
    }

    /// What a job has spent, put aside or offered.
    pub(crate) fn bound(&self, job: JobId) -> Micros {
        let of_job = self.payments.payer.values().filter(|paying| paying.tab.job() == job);
        let bound = of_job.map(|paying| paying.tab.bound().get()).fold(0, u64::saturating_add);
        Micros::new(bound.saturating_add(self.consumer.offered(Some(job)).get()))
    }

    /// What is in the account and not on its way out of it.
    pub(crate) fn uncommitted(&self) -> Micros {
        let entries = self.ledger.read(&[Key::Account(self.ledger.account())]);
        let Some(Some(Entry::Account(account))) = entries.first() else { return Micros::ZERO };
        let waiting = self
            .payments
            .payer
            .values()
            .filter(|paying| paying.opening.is_some_and(|opening| self.ledger.is_waiting(&opening)));
        let leaving = waiting.map(|paying| paying.tab.bound().get()).fold(0, u64::saturating_add);
        let leaving = leaving.saturating_add(self.consumer.offered(None).get());
        account.available.total().checked_sub(Micros::new(leaving)).unwrap_or_default()
    }

    /// What follows when a node can't be paid: the job ends if nothing that is paid for goes on, and too few
    /// who fit work for nothing.
    pub(crate) fn on_unaffordable(
        &self,
        now: Timestamp,
        (job, stage): (JobId, u16),
        node: NodeId,
        reason: Reason,
    ) -> Input {
        let goes_on_for_nothing = || {
            let Some((demand, verify)) = self.consumer.demand(job, stage) else { return false };
            let found = self.market.find(now, &demand, LOOKED_AT_MAX, &[], 0);
            let fitting = found.ranked.iter().chain(&found.busy);
            let free = fitting.filter(|found| self.price_of(found.node) == Micros::ZERO).count();
            free >= nodes_needed(verify)
        };
        if self.consumer.works_for_money(job) || goes_on_for_nothing() {
            Input::Refused { job, stage, node, misfit: Misfit::Unfunded }
        } else {
            Input::GiveUp { job, reason }
        }
    }

    /// Puts the money aside that was agreed on, and tells the provider where.
    pub(crate) fn open_escrow(&mut self, now: Timestamp, agreement: AgreementId, terms: &Terms) -> bool {
        let Some(payment) = terms.payment else { return true };
        let opening = Opening {
            terms: *agreement.hash(),
            provider: AccountId::of_node(terms.provider),
            voucher_key: PublicKey::of_node(self.own),
            amount: payment.escrow,
            expires_at: payment.expires_at,
            claim_window_ms: payment.claim_window_ms,
        };
        let (job, stage, node, amount) = (terms.job, terms.stage, terms.provider, payment.escrow);
        let (nonce, opened) = self.act(now, Action::OpenEscrow(opening));
        let reason = match opened {
            Ok(id) => {
                let tab = PayerTab::new((job, node), &opening, &self.ledger.account(), nonce);
                self.payments
                    .payer
                    .insert(agreement, Paying { tab, opening: Some(id), top_up: None, told_at: now });
                self.keep_payer(agreement);
                self.tell_provider(node, ToProvider::Fund { agreement, nonce, voucher: None });
                Reason::PutAside { stage, node, amount }
            }
            Err(error) => Reason::NotPutAside { node, problem: error.to_string() },
        };
        let is_open = matches!(reason, Reason::PutAside { .. });
        self.note(job, JobNote { at: now, task: None, reason });
        is_open
    }

    /// Says again where the money is, to a provider that was lost or has lost its memory.
    pub(crate) fn fund_again(&mut self, node: NodeId, agreement: AgreementId) {
        if let Some(paying) = self.payments.payer.get(&agreement) {
            let (nonce, voucher) = (paying.tab.nonce(), paying.tab.voucher(self.ledger.sky(), &self.key));
            self.tell_provider(node, ToProvider::Fund { agreement, nonce, voucher });
        }
    }

    /// Receipts are signed for: what they cost is owed from now on.
    pub(crate) fn owe(
        &mut self,
        agreement: AgreementId,
        countersignature: &Signed<Countersignature>,
        amount: Micros,
    ) -> Option<Voucher> {
        let sky = self.ledger.sky();
        let paying = self.payments.payer.get_mut(&agreement)?;
        let voucher = paying.tab.accept(sky, &self.key, countersignature.content_hash(), amount);
        self.keep_payer(agreement);
        voucher
    }

    /// The voucher that an agreement stands at.
    pub(crate) fn voucher(&self, agreement: AgreementId) -> Option<Voucher> {
        self.payments.payer.get(&agreement)?.tab.voucher(self.ledger.sky(), &self.key)
    }

    /// A provider says how much of the money is used up. More is put aside while the job may cost more.
    pub(crate) fn on_funds_low(&mut self, now: Timestamp, agreement: AgreementId, spent: Micros) {
        let Some(paying) = self.payments.payer.get(&agreement) else { return };
        if [paying.opening, paying.top_up].into_iter().flatten().any(|id| self.ledger.is_waiting(&id)) {
            return;
        }
        let (job, escrow) = (paying.tab.job(), paying.tab.escrow());
        let Some(more) = paying.tab.top_up(spent) else { return };
        let Some(terms) = self.consumer.terms(agreement) else { return };
        let (stage, node) = (terms.stage, terms.provider);
        let needed = self.cost_of_one((job, stage), terms.price_per_gfuel);
        let amount = match self.affordable(job, node, more, needed) {
            Ok(amount) => amount,
            // The provider ends the agreement once nothing more can start; then the job goes on or ends.
            Err(reason) => return tracing::info!(%job, %node, %reason, "no more is put aside"),
        };
        let (_, topped_up) = self.act(now, Action::TopUp { agreement: escrow, amount });
        match topped_up {
            Ok(id) => {
                if let Some(paying) = self.payments.payer.get_mut(&agreement) {
                    paying.tab.topped_up(amount);
                    paying.top_up = Some(id);
                }
                self.keep_payer(agreement);
                self.note(
                    job,
                    JobNote { at: now, task: None, reason: Reason::PutAside { stage, node, amount } },
                );
            }
            Err(error) => tracing::warn!(%agreement, %error, "no more could be put aside"),
        }
    }

    /// Tells a provider again that an agreement is over, and what it is owed, while its escrow is there: it
    /// may have been away when it was told, or may have lost it.
    fn remind(&mut self, now: Timestamp, agreement: AgreementId) {
        let Some(paying) = self.payments.payer.get_mut(&agreement) else { return };
        let node = paying.tab.provider();
        let is_due = paying.tab.is_closed() && now.ms_since(paying.told_at) >= REMIND_MS;
        if is_due && self.members.get(&node).copied().unwrap_or(false) {
            paying.told_at = now;
            self.fund_again(node, agreement);
            self.tell_provider(node, ToProvider::Close { agreement });
        }
    }

    /// No more work comes under an agreement.
    pub(crate) fn close_payer(&mut self, now: Timestamp, agreement: AgreementId) {
        if let Some(paying) = self.payments.payer.get_mut(&agreement) {
            paying.tab.close();
            paying.told_at = now;
            self.keep_payer(agreement);
        }
    }

    /// Objects to what is claimed and not owed, and forgets what is settled.
    pub(super) fn look_after_payer(&mut self, now: Timestamp) {
        let tabs = self.payments.payer.iter();
        let (agreements, escrows): (Vec<AgreementId>, Vec<AgreementId>) =
            tabs.map(|(agreement, paying)| (*agreement, paying.tab.escrow())).unzip();
        if agreements.is_empty() {
            return;
        }
        let found = self.escrows(&escrows);
        for (agreement, (escrow, claim)) in agreements.into_iter().zip(found) {
            let Some(paying) = self.payments.payer.get(&agreement) else { continue };
            let waits = paying.opening.is_some_and(|opening| self.ledger.is_waiting(&opening));
            // While its job goes on, what was spent counts towards the budget.
            let is_over = !self.consumer.is_active(paying.tab.job());
            if is_over && escrow.is_none() && paying.tab.is_gone(now, waits) {
                self.payments.payer.remove(&agreement);
                self.payments.objected.retain(|(of, _)| *of != agreement);
                self.keep_record(Record::TabSettled { agreement });
                continue;
            }
            if escrow.is_some() {
                self.remind(now, agreement);
            }
            let Some(paying) = self.payments.payer.get(&agreement) else { continue };
            let Some(claim) = claim else { continue };
            let objection = paying.tab.objection(now, &claim);
            if let Some(objection) = objection
                && self.payments.objected.insert((agreement, claim.sequence))
            {
                tracing::warn!(%agreement, claimed = %claim.cumulative, "a provider claims more than it is owed");
                self.transact_quietly(now, objection);
            }
        }
    }
}

/// On how many nodes each task has to run.
fn nodes_needed(verify: Verify) -> usize {
    match verify {
        Verify::None | Verify::Sample { per_mille: 0 } => 1,
        Verify::Sample { .. } | Verify::Reputation => 2,
        Verify::Quorum { agree, .. } | Verify::Checked { agree, .. } => usize::from(agree),
    }
}
