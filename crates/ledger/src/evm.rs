//! What Ethereum-like chains and their wallets read: hashes, signatures and typed data.
//!
//! The contracts come later; what they will check is fixed here, and by `vectors/evm.json`, which an
//! independent implementation made. Everything a wallet or a validator signs for a chain is EIP-712
//! typed data in the [`Domain`] of its sky. Withdrawals are claims in a tree that sums them
//! ([`claims`]), whose root and total stand in each [`Checkpoint`].
//!
//! Sources: EIP-712 (typed data), EIP-191 (personal messages), EIP-55 (addresses with checksum), EIP-2
//! (low s).

mod address;
pub mod claims;
mod messages;
mod signature;
mod typed;

pub use address::Address;
pub use messages::{Checkpoint, SessionKey, TransactionText, Voucher};
pub use signature::{EvmKey, EvmSignature, RecoverError};
pub use typed::{Contract, Domain, Encoder, NAME, TypedData, VERSION, digest, struct_hash};

use borsh::{BorshDeserialize, BorshSerialize};
use sha3::{Digest, Keccak256};
use std::fmt;

/// A keccak256 hash, shown as `0x` and 64 hex digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Keccak([u8; 32]);

impl Keccak {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Keccak256::digest(bytes).into())
    }

    /// The hash of parts one after the other.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Keccak256::new();
        parts.iter().for_each(|part| hasher.update(part));
        Self(hasher.finalize().into())
    }

    /// A hash from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Keccak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Keccak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keccak({}…)", hex::encode(&self.0[..6]))
    }
}

/// What a wallet signs when it is asked for a readable message (EIP-191, `personal_sign`).
pub fn personal_digest(message: &[u8]) -> Keccak {
    let header = format!("\x19Ethereum Signed Message:\n{}", message.len());
    Keccak::of_parts(&[header.as_bytes(), message])
}
