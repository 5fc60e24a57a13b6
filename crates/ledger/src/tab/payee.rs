//! The provider's side of a tab.

use super::Voucher;
use crate::{
    approval::ApprovalError,
    escrow::{ClaimItem, Escrow, PayItem, VoucherStatement},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    AccountId, AgreementId, Hash, Micros, NodeId, PublicKey, Timestamp, agreement::Payment, merkle::Frontier,
    receipt::Countersignature,
};
use std::collections::BTreeMap;

/// How long after the end of its agreement a tab waits for company before it is settled, in milliseconds.
const GATHER_MS: u64 = 2_000;
/// How long the signature of a consumer is waited for before a claim is made without, in milliseconds.
const PATIENCE_MS: u64 = 60_000;
/// Time between two claims while work goes on, in milliseconds.
const CLAIM_EVERY_MS: u64 = 10 * 60_000;
/// How long after the end an escrow that was named may still come, in milliseconds: as long as a node's own
/// transactions may wait for their block.
const GONE_AFTER_MS: u64 = 10 * 60_000;

/// What a provider has earned under one agreement.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PayeeTab {
    consumer: NodeId,
    escrow: AgreementId,
    confirmed: Micros,
    receipts: u32,
    voucher: Option<Voucher>,
    settled_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// Prices of delivered batches that the consumer has not answered. They end with the process, as the
    /// results themselves do.
    #[borsh(skip)]
    open: BTreeMap<Hash, Vec<Micros>>,
}

/// What is to be done about a tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settling {
    /// Nothing now.
    Wait,
    /// This can be claimed.
    Claim(ClaimItem),
    /// Nothing more is to come: the rest can go back.
    Close,
}

/// Why a voucher does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoucherProblem {
    /// It pays out of another escrow.
    #[error("the voucher is for another agreement")]
    OtherAgreement,
    /// Another key signed it than the escrow names.
    #[error("the voucher is signed by another key")]
    OtherKey,
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] ApprovalError),
    /// It pays less than was accepted.
    #[error("the voucher is for {vouched}, but work for {accepted} was accepted")]
    Short { vouched: Micros, accepted: Micros },
}

impl PayeeTab {
    /// An empty tab for a consumer that says where its money is.
    pub fn new(consumer: NodeId, escrow: AgreementId, now: Timestamp) -> Self {
        Self {
            consumer,
            escrow,
            confirmed: Micros::ZERO,
            receipts: 0,
            voucher: None,
            settled_at: now,
            ended_at: None,
            open: BTreeMap::new(),
        }
    }

    /// Who pays; its node's key signs the vouchers.
    pub const fn consumer(&self) -> NodeId {
        self.consumer
    }

    /// The escrow, as the ledger names it.
    pub const fn escrow(&self) -> AgreementId {
        self.escrow
    }

    /// What the escrow holds in all, if it is of these two, and can be claimed from as was agreed.
    pub fn funds(&self, own: AccountId, escrow: &Escrow, agreed: &Payment) -> Option<Micros> {
        let fits = escrow.consumer == AccountId::of_node(self.consumer)
            && escrow.provider == own
            && escrow.voucher_key == PublicKey::of_node(self.consumer)
            && escrow.claim_window_ms <= agreed.claim_window_ms
            && escrow.closes_at >= agreed.expires_at.plus_ms(agreed.claim_window_ms);
        fits.then(|| escrow.held.total().checked_add(escrow.paid)).flatten()
    }

    /// A batch of receipts with these prices was delivered.
    pub fn deliver(&mut self, root: Hash, prices: Vec<Micros>) {
        self.open.insert(root, prices);
    }

    /// What was earned, as far as this side knows.
    pub fn earned(&self) -> Micros {
        let open = self.open.values().flatten().fold(0u64, |sum, price| sum.saturating_add(price.get()));
        Micros::new(self.confirmed.get().saturating_add(open))
    }

    /// The consumer has signed for receipts of a batch. What it did not accept is not owed.
    pub fn answered(&mut self, content: &Countersignature) {
        let Some(prices) = self.open.remove(&content.root) else { return };
        for (index, price) in (0..).zip(prices) {
            if content.accepts(index) {
                self.confirmed = self.confirmed.checked_add(price).unwrap_or(self.confirmed);
                self.receipts = self.receipts.saturating_add(1);
            }
        }
    }

    /// Takes a voucher in; an older one than is known changes nothing.
    pub fn take(&mut self, sky: Hash, own: AccountId, voucher: Voucher) -> Result<(), VoucherProblem> {
        if voucher.owed.agreement != self.escrow {
            return Err(VoucherProblem::OtherAgreement);
        }
        if voucher.approval.key() != PublicKey::of_node(self.consumer) {
            return Err(VoucherProblem::OtherKey);
        }
        let payer = AccountId::of_node(self.consumer);
        voucher.approval.verify(&VoucherStatement::between(sky, payer, own, voucher.owed))?;
        if self.voucher.is_none_or(|known| known.owed.cumulative < voucher.owed.cumulative) {
            self.voucher = Some(voucher);
        }
        Ok(())
    }

    /// Checks that vouchers keep up with what was accepted.
    pub fn check(&self) -> Result<(), VoucherProblem> {
        let (vouched, accepted) = (self.vouched(), self.confirmed);
        if vouched < accepted { Err(VoucherProblem::Short { vouched, accepted }) } else { Ok(()) }
    }

    /// The agreement is over.
    pub fn end(&mut self, now: Timestamp) {
        self.ended_at.get_or_insert(now);
    }

    /// Whether the agreement is over.
    pub const fn is_ended(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Whether there will be nothing to settle: the agreement is over, and its escrow, which is not on the
    /// ledger, had time enough to get there.
    pub fn is_gone(&self, now: Timestamp) -> bool {
        self.ended_at.is_some_and(|ended| now.ms_since(ended) >= GONE_AFTER_MS)
    }

    /// A claim was handed in.
    pub const fn settled(&mut self, now: Timestamp) {
        self.settled_at = now;
    }

    /// What to do now, with the escrow as the ledger has it and no claim waiting there.
    pub fn settle(&self, now: Timestamp, escrow: &Escrow) -> Settling {
        let has_passed = |ms| self.ended_at.is_some_and(|ended| now.ms_since(ended) >= ms);
        let (is_gathered, has_waited) = (has_passed(GATHER_MS), has_passed(PATIENCE_MS));
        let (vouched, earned) = (self.vouched(), self.earned());
        if escrow.held.is_empty() {
            // It was used up, and may yet be filled.
            return if has_waited { Settling::Close } else { Settling::Wait };
        }
        if let Some(voucher) = self.voucher.filter(|_| vouched > escrow.paid) {
            let is_due = is_gathered || self.ended_at.is_none() && self.is_due(now, escrow);
            let is_last = is_gathered && vouched >= earned;
            let claim = || Settling::Claim(self.item(escrow, voucher.owed, Some(voucher), is_last));
            return if is_due { claim() } else { Settling::Wait };
        }
        if earned > vouched.max(escrow.paid) {
            // Nobody signed for the rest. The ledger lets its consumer object for a while.
            let mut batches = Frontier::default();
            self.open.keys().for_each(|root| batches.push(root));
            let receipts = batches.root().unwrap_or(escrow.receipts);
            let owed = PayItem { agreement: self.escrow, cumulative: earned, receipts };
            let claim = || Settling::Claim(self.item(escrow, owed, None, true));
            return if has_waited { claim() } else { Settling::Wait };
        }
        if is_gathered { Settling::Close } else { Settling::Wait }
    }

    /// Whether a tab that goes on is settled for the time being: every few minutes, and in time.
    fn is_due(&self, now: Timestamp, escrow: &Escrow) -> bool {
        let left_ms = escrow.closes_at.ms_since(now);
        now.ms_since(self.settled_at) >= CLAIM_EVERY_MS || left_ms <= escrow.claim_window_ms
    }

    fn item(&self, escrow: &Escrow, owed: PayItem, voucher: Option<Voucher>, is_last: bool) -> ClaimItem {
        ClaimItem {
            owed,
            count: self.receipts,
            sequence: escrow.sequence.saturating_add(1),
            is_last,
            voucher: voucher.map(|voucher| voucher.approval),
        }
    }

    fn vouched(&self) -> Micros {
        self.voucher.map_or(Micros::ZERO, |voucher| voucher.owed.cumulative)
    }
}
