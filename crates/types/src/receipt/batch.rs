//! Receipts under one signature: made by the provider, checked by the consumer, kept by both. Ids
//! are hashed once and travel with them.

use super::{BatchHead, Countersignature, Receipt};
use crate::{
    hash::Hash,
    key::Keypair,
    merkle::Tree,
    signed::{Signed, SignedError},
    units::Timestamp,
};

/// Receipts with the provider's signature over exactly them, which was made or checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    head: Signed<BatchHead>,
    root: Hash,
    receipts: Vec<Receipt>,
    ids: Vec<Hash>,
}

/// Why a batch of receipts is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The signature is wrong.
    #[error(transparent)]
    Signature(#[from] SignedError),
    /// Signed was something else.
    #[error("the batch is signed for other receipts than those that came with it")]
    OtherReceipts,
}

impl Batch {
    /// Signs receipts of one provider for one consumer, at least one.
    pub fn sign(key: &Keypair, receipts: Vec<Receipt>, now: Timestamp) -> Self {
        let ids: Vec<Hash> = receipts.iter().map(Receipt::id).collect();
        let root = Tree::new(&ids).root();
        let head = BatchHead {
            provider: key.id(),
            consumer: receipts[0].consumer,
            root,
            count: receipts.len() as u32,
            signed_at: now,
        };
        Self { head: Signed::sign(&head, key), root, receipts, ids }
    }

    /// Checks that `head` is the provider's signature over exactly these receipts.
    pub fn verify(head: Signed<BatchHead>, receipts: Vec<Receipt>) -> Result<Self, BatchError> {
        let content = head.verify()?;
        let first = receipts.first().ok_or(BatchError::OtherReceipts)?;
        let same_parties = head.signer() == first.provider
            && content.provider == first.provider
            && content.consumer == first.consumer;
        if !same_parties || content.count as usize != receipts.len() {
            return Err(BatchError::OtherReceipts);
        }
        let ids: Vec<Hash> = receipts.iter().map(Receipt::id).collect();
        let root = Tree::new(&ids).root();
        if root != content.root {
            return Err(BatchError::OtherReceipts);
        }
        Ok(Self { head, root, receipts, ids })
    }

    /// The provider's signature.
    pub fn head(&self) -> &Signed<BatchHead> {
        &self.head
    }

    /// What is signed: the Merkle root over the ids.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The receipts, in leaf order.
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// Their ids, in the same order.
    pub fn ids(&self) -> &[Hash] {
        &self.ids
    }
}

impl Countersignature {
    /// The consumer's signature under a batch: `accepted` says of each receipt whether it is.
    pub fn sign(key: &Keypair, root: Hash, accepted: &[bool]) -> Signed<Self> {
        let mut bits = vec![0u8; accepted.len().div_ceil(8)];
        for (index, accepted) in accepted.iter().enumerate() {
            bits[index / 8] |= u8::from(*accepted) << (index % 8);
        }
        Signed::sign(&Self { root, accepted: bits }, key)
    }
}
