//! Batches of receipts: signed by the provider, checked and countersigned by the consumer.

use opensky_types::{
    Hash, Keypair, Signed, Timestamp,
    merkle::Tree,
    receipt::{BatchHead, Countersignature, Receipt},
    signed::SignedError,
};

/// Signs a batch of receipts of one provider for one consumer, at least one; answers the root too.
pub(crate) fn sign_batch(key: &Keypair, receipts: &[Receipt], now: Timestamp) -> (Signed<BatchHead>, Hash) {
    let leaves: Vec<Hash> = receipts.iter().map(Receipt::id).collect();
    let root = Tree::new(&leaves).root();
    let head = BatchHead {
        provider: key.id(),
        consumer: receipts[0].consumer,
        root,
        count: receipts.len() as u32,
        signed_at: now,
    };
    (Signed::sign(&head, key), root)
}

/// Why a batch of results is not believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchError {
    #[error(transparent)]
    Signature(#[from] SignedError),
    #[error("the batch is signed for other receipts than those that came with it")]
    OtherReceipts,
}

/// Checks that `head` is the provider's signature over exactly these receipts; answers the root.
pub(crate) fn verify_batch(head: &Signed<BatchHead>, receipts: &[Receipt]) -> Result<Hash, BatchError> {
    let content = head.verify()?;
    let leaves: Vec<Hash> = receipts.iter().map(Receipt::id).collect();
    let first = receipts.first().ok_or(BatchError::OtherReceipts)?;
    let same_parties = head.signer() == first.provider
        && content.provider == first.provider
        && content.consumer == first.consumer;
    let same_receipts = content.count as usize == receipts.len() && content.root == Tree::new(&leaves).root();
    if same_parties && same_receipts { Ok(content.root) } else { Err(BatchError::OtherReceipts) }
}

/// Signs the receipts of a batch that were accepted.
pub(crate) fn countersign(key: &Keypair, root: Hash, accepted: &[bool]) -> Signed<Countersignature> {
    let mut bits = vec![0u8; accepted.len().div_ceil(8)];
    for (index, accepted) in accepted.iter().enumerate() {
        bits[index / 8] |= u8::from(*accepted) << (index % 8);
    }
    Signed::sign(&Countersignature { root, accepted: bits }, key)
}
