//! The consumer's side of a tab.

use super::Voucher;
use crate::{
    action::Action,
    escrow::{Opening, PayItem, PendingClaim, id_of},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    AccountId, AgreementId, Hash, JobId, Keypair, Micros, NodeId, Timestamp, merkle::Frontier,
};

/// How many times its first amount an escrow may hold while nothing is owed yet.
const UNEARNED_FACTOR: u64 = 8;
/// How many times what is owed it may hold beyond that.
const EARNED_FACTOR: u64 = 4;

/// What a consumer owes under one agreement.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PayerTab {
    job: JobId,
    nonce: u64,
    escrow: AgreementId,
    provider: NodeId,
    first: Micros,
    put_aside: Micros,
    claim_window_ms: u64,
    /// Until when the escrow may be on the ledger.
    gone_by: Timestamp,
    owed: Micros,
    batches: Frontier,
    closed: bool,
}

impl PayerTab {
    /// The tab of the escrow that `consumer` opens for work of `provider` on a job, with its transaction of
    /// number `nonce`.
    pub fn new(
        (job, provider): (JobId, NodeId),
        opening: &Opening,
        consumer: &AccountId,
        nonce: u64,
    ) -> Self {
        Self {
            job,
            nonce,
            escrow: id_of(&opening.terms, consumer, nonce),
            provider,
            first: opening.amount,
            put_aside: opening.amount,
            claim_window_ms: opening.claim_window_ms,
            gone_by: opening.expires_at.plus_ms(opening.claim_window_ms.saturating_mul(2)),
            owed: Micros::ZERO,
            batches: Frontier::default(),
            closed: false,
        }
    }

    /// The escrow, as the ledger names it.
    pub const fn escrow(&self) -> AgreementId {
        self.escrow
    }

    /// The job that the work is for.
    pub const fn job(&self) -> JobId {
        self.job
    }

    /// Who works.
    pub const fn provider(&self) -> NodeId {
        self.provider
    }

    /// The number of the transaction that opens the escrow.
    pub const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// All that is owed so far.
    pub const fn owed(&self) -> Micros {
        self.owed
    }

    /// What the agreement may take of its consumer's money: once it is over, no more than is owed.
    pub const fn bound(&self) -> Micros {
        if self.closed { self.owed } else { self.put_aside }
    }

    /// The consumer accepts receipts of a batch, known by the hash of what it signed, that cost `amount`
    /// together. Answers the new voucher, if they cost anything.
    pub fn accept(&mut self, sky: Hash, key: &Keypair, batch: Hash, amount: Micros) -> Option<Voucher> {
        if amount > Micros::ZERO {
            // A sum beyond all money is never due; what is left unpaid then is the claimant's loss.
            self.owed = self.owed.checked_add(amount).unwrap_or(self.owed);
            self.batches.push(&batch);
        }
        self.voucher(sky, key)
    }

    /// The voucher for all that is owed, if anything is.
    pub fn voucher(&self, sky: Hash, key: &Keypair) -> Option<Voucher> {
        let receipts = self.batches.root()?;
        let owed = PayItem { agreement: self.escrow, cumulative: self.owed, receipts };
        Some(Voucher::sign(sky, key, AccountId::of_node(self.provider), owed))
    }

    /// How much to put aside now that work for `spent` is done or claimed to be: as much again once half is
    /// used up. What the provider says binds nobody, so it moves no more than a few times what is owed.
    pub fn top_up(&self, spent: Micros) -> Option<Micros> {
        if self.closed || spent.max(self.owed).get() < self.put_aside.get() / 2 {
            return None;
        }
        let unearned = self.first.get().saturating_mul(UNEARNED_FACTOR);
        let most = unearned.saturating_add(self.owed.get().saturating_mul(EARNED_FACTOR));
        let more = self.put_aside.get().min(most.saturating_sub(self.put_aside.get()));
        (more > 0).then_some(Micros::new(more))
    }

    /// More was put aside.
    pub fn topped_up(&mut self, amount: Micros) {
        self.put_aside = self.put_aside.checked_add(amount).unwrap_or(self.put_aside);
    }

    /// No more work comes. What is still open may be signed for.
    pub const fn close(&mut self) {
        self.closed = true;
    }

    /// Whether no more work comes.
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the escrow, which is not on the ledger, will not be there any more either.
    pub fn is_gone(&self, now: Timestamp, opening_waits: bool) -> bool {
        self.closed && !opening_waits || now >= self.gone_by
    }

    /// The answer to a claim that asks for more than is owed. It is given in the second half of the claim's
    /// window: what was delivered is judged by then.
    pub fn objection(&self, now: Timestamp, claim: &PendingClaim) -> Option<Action> {
        let is_late = claim.due_at.ms_since(now) <= self.claim_window_ms / 2;
        (is_late && claim.cumulative > self.owed).then_some(Action::Object {
            agreement: self.escrow,
            sequence: claim.sequence,
            owed: self.owed,
        })
    }
}
