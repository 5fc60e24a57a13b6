//! Key rotation (spec N4): the old key names the new one, and the new one agrees.

use crate::{
    key::{Keypair, NodeId},
    signed::{Signable, Signed, SignedError},
    units::Timestamp,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// What both keys sign.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Rotation {
    /// The key that stops.
    pub old: NodeId,
    /// The key that takes over its history.
    pub new: NodeId,
    /// When.
    pub rotated_at: Timestamp,
}

impl Signable for Rotation {
    const DOMAIN: &'static [u8; 16] = b"opensky/rotation";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 256;
}

/// A rotation with both signatures.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RotationProof {
    by_old: Signed<Rotation>,
    by_new: Signed<Rotation>,
}

/// Why a rotation does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// A signature is wrong.
    #[error(transparent)]
    Signature(#[from] SignedError),
    /// The two keys did not sign the same words, or not as old and new.
    #[error("the two signatures are not for one rotation")]
    Mismatch,
}

impl RotationProof {
    /// Rotates from one key to another.
    pub fn sign(old: &Keypair, new: &Keypair, now: Timestamp) -> Self {
        let rotation = Rotation { old: old.id(), new: new.id(), rotated_at: now };
        Self { by_old: Signed::sign(&rotation, old), by_new: Signed::sign(&rotation, new) }
    }

    /// Checks both signatures and answers what was agreed.
    pub fn verify(&self) -> Result<Rotation, RotationError> {
        let rotation = self.by_old.verify()?;
        let same = self.by_new.verify()? == rotation;
        let signers = self.by_old.signer() == rotation.old && self.by_new.signer() == rotation.new;
        if same && signers && rotation.old != rotation.new {
            Ok(rotation)
        } else {
            Err(RotationError::Mismatch)
        }
    }
}
