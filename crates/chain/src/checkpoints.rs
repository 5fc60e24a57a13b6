//! Checkpoints on this node: signed when an epoch's last block is final, and kept with what other
//! validators signed.
//!
//! What is signed each node reads from its own final state; of others it takes nothing but signatures.

use crate::follow::{failed, sender};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ledger::{
    checkpoint::{self, Signer},
    evm::{Checkpoint, Domain, EvmKey, EvmSignature, digest},
    state::State,
    validators::VALIDATORS_MAX,
};
use opensky_ports::ledger::{FollowError, SignedCheckpoint};
use opensky_storage::{LedgerStore, LedgerStoreError};
use opensky_types::{Hash, Keypair, NodeId, codec};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A checkpoint with a signature of each of the largest set of validators is below this, in bytes.
const KEPT_BYTES_MAX: usize = 256 + VALIDATORS_MAX * (32 + 21 + 66);

/// A checkpoint as it lies on disk.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Kept {
    checkpoint: Checkpoint,
    signers: Vec<Signer>,
    /// In the order of the signers.
    signatures: Vec<Option<EvmSignature>>,
}

/// The checkpoints of a sky, as far as this node has seen epochs end.
pub(crate) struct Checkpoints {
    store: Arc<LedgerStore>,
    domain: Domain,
    /// Of a node that may vote.
    own: Option<(NodeId, EvmKey)>,
    newest: Mutex<Option<Kept>>,
}

impl Checkpoints {
    pub fn new(store: Arc<LedgerStore>, sky: Hash, voter: Option<&Keypair>) -> Self {
        let own = voter.map(|key| (key.id(), checkpoint::key_of(key)));
        Self { store, domain: Domain::of_sky(sky), own, newest: Mutex::new(None) }
    }

    /// The key that this node signs with, if it may vote.
    pub fn key(&self) -> Option<&EvmKey> {
        self.own.as_ref().map(|(_, key)| key)
    }

    /// Looks whether the final state has a checkpoint that is not known yet, and signs it.
    pub fn see(&self, state: &State) -> Result<(), LedgerStoreError> {
        let Some((checkpoint, signers)) = checkpoint::newest(state) else { return Ok(()) };
        let mut newest = self.lock();
        if newest.as_ref().is_some_and(|known| known.checkpoint == checkpoint) {
            return Ok(());
        }
        let before = self.load(checkpoint.epoch)?.filter(|kept| kept.checkpoint == checkpoint);
        let is_kept = before.is_some();
        let mut kept =
            before.unwrap_or_else(|| Kept { checkpoint, signatures: vec![None; signers.len()], signers });
        let signed = self.sign(&mut kept);
        if signed || !is_kept {
            self.store.put_setting(&name(checkpoint.epoch), &codec::encode(&kept))?;
        }
        *newest = Some(kept);
        Ok(())
    }

    /// Adds this node's signature, if it is asked for and not there yet.
    fn sign(&self, kept: &mut Kept) -> bool {
        let Some((node, key)) = &self.own else { return false };
        let place = kept.signers.iter().position(|one| one.node == *node && one.key == Some(key.address()));
        let Some(slot) = place.and_then(|place| kept.signatures.get_mut(place)) else { return false };
        if slot.is_some() {
            return false;
        }
        *slot = Some(key.sign(&digest(&self.domain, &kept.checkpoint)));
        tracing::info!(epoch = kept.checkpoint.epoch, "signed the checkpoint of an epoch");
        true
    }

    /// Takes in signatures over the newest checkpoint: how many are new. The first one that is none of its
    /// validator over the checkpoint that this node has computed is an error of whoever sent it, and nothing
    /// of that is kept.
    pub fn add(&self, epoch: u64, signatures: &[(NodeId, EvmSignature)]) -> Result<usize, FollowError> {
        let mut newest = self.lock();
        let known = newest.as_mut().filter(|kept| kept.checkpoint.epoch == epoch);
        // Epochs end at other moments on other nodes.
        let Some(kept) = known else { return Ok(0) };
        let signed = digest(&self.domain, &kept.checkpoint);
        let mut grown = kept.clone();
        for (node, signature) in signatures {
            let place = grown.signers.iter().position(|signer| signer.node == *node);
            let place = place.ok_or_else(|| sender(format!("{node} did not validate in epoch {epoch}")))?;
            if grown.signatures[place].is_some() {
                continue;
            }
            let key = grown.signers[place].key;
            let key = key.ok_or_else(|| sender(format!("{node} named no key for checkpoints")))?;
            signature.verify(&signed, &key).map_err(sender)?;
            grown.signatures[place] = Some(*signature);
        }
        let count = |kept: &Kept| kept.signatures.iter().flatten().count();
        let added = count(&grown) - count(kept);
        if added > 0 {
            let put = self.store.put_setting(&name(epoch), &codec::encode(&grown));
            put.map_err(|error| failed(error.into()))?;
            *kept = grown;
        }
        Ok(added)
    }

    /// The checkpoint of an epoch, or the newest one.
    pub fn get(&self, epoch: Option<u64>) -> Result<Option<SignedCheckpoint>, FollowError> {
        let newest = self.lock().clone();
        let kept = match (epoch, newest) {
            (Some(epoch), Some(kept)) if kept.checkpoint.epoch == epoch => Some(kept),
            (Some(epoch), _) => self.load(epoch).map_err(|error| failed(error.into()))?,
            (None, newest) => newest,
        };
        Ok(kept.map(|kept| self.show(kept)))
    }

    fn show(&self, kept: Kept) -> SignedCheckpoint {
        let signed = kept.signers.iter().zip(&kept.signatures);
        let signatures = signed.filter_map(|(signer, signature)| Some((signer.node, (*signature)?)));
        SignedCheckpoint {
            checkpoint: kept.checkpoint,
            digest: digest(&self.domain, &kept.checkpoint),
            signatures: signatures.collect(),
            signers: kept.signers,
        }
    }

    /// Damage is found by the store, so what it gives is what was written.
    fn load(&self, epoch: u64) -> Result<Option<Kept>, LedgerStoreError> {
        let bytes = self.store.setting(&name(epoch))?;
        Ok(bytes.and_then(|bytes| codec::decode(&bytes, KEPT_BYTES_MAX).ok()))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(epoch: u64) -> String {
    format!("checkpoint/1/{epoch}")
}
