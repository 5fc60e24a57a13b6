//! Recoverable secp256k1 signatures, in the one form that contracts and wallets agree on.

use super::{Address, Keccak};
use borsh::{BorshDeserialize, BorshSerialize};
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use std::fmt;

/// `r`, `s` and `v`: 65 bytes as a wallet returns them.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct EvmSignature([u8; 65]);

/// Why a signature is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// The last byte is not one of the two that wallets write.
    #[error("a signature that ends in {v}; it must end in 27 or 28")]
    RecoveryByte { v: u8 },
    /// Each signature has a twin with another s; only the lower is accepted, so that nobody can make
    /// a second signature from a first.
    #[error("a signature with high s")]
    HighS,
    /// r or s is zero or beyond the curve's order.
    #[error("a signature whose r or s is no scalar of the curve")]
    NoScalar,
    /// No key could have made it.
    #[error("a signature that no key could have made")]
    NoKey,
    /// Another key made it.
    #[error("signed by {found}, not by {expected}")]
    OtherSigner { expected: Address, found: Address },
}

impl EvmSignature {
    /// A signature from its bytes, unchecked.
    pub const fn from_bytes(bytes: [u8; 65]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    /// Whose signature over `digest` this is.
    pub fn recover(&self, digest: &Keccak) -> Result<Address, RecoverError> {
        let v = self.0[64];
        let odd = match v {
            27 => false,
            28 => true,
            _ => return Err(RecoverError::RecoveryByte { v }),
        };
        let signature = Signature::from_slice(&self.0[..64]).map_err(|_| RecoverError::NoScalar)?;
        if signature.normalize_s().is_some() {
            return Err(RecoverError::HighS);
        }
        let id = RecoveryId::new(odd, false);
        let key = VerifyingKey::recover_from_prehash(digest.as_bytes(), &signature, id)
            .map_err(|_| RecoverError::NoKey)?;
        Ok(address_of(&key))
    }

    /// Checks that `signer` made this signature over `digest`.
    pub fn verify(&self, digest: &Keccak, signer: &Address) -> Result<(), RecoverError> {
        let found = self.recover(digest)?;
        if found == *signer { Ok(()) } else { Err(RecoverError::OtherSigner { expected: *signer, found }) }
    }
}

impl fmt::Debug for EvmSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EvmSignature({}…)", hex::encode(&self.0[..4]))
    }
}

fn address_of(key: &VerifyingKey) -> Address {
    Address::of_public_key(&key.to_encoded_point(false).as_bytes()[1..])
}

/// A secp256k1 secret key, with which a validator signs checkpoints. It is wiped from memory on drop,
/// and has no `Debug` or serde form.
#[derive(Clone)]
pub struct EvmKey(SigningKey);

impl EvmKey {
    /// The key of 32 secret bytes; `None` for zero and for numbers beyond the curve's order.
    pub fn from_secret(secret: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(secret).ok().map(Self)
    }

    /// The key's address.
    pub fn address(&self) -> Address {
        address_of(self.0.verifying_key())
    }

    /// Signs a digest; the same digest always gives the same signature (RFC 6979).
    pub fn sign(&self, digest: &Keccak) -> EvmSignature {
        let (signature, id) = self
            .0
            .sign_prehash_recoverable(digest.as_bytes())
            .expect("a 32-byte digest can be signed, and r beyond the order has no known digest");
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = 27 + u8::from(id.is_y_odd());
        EvmSignature(bytes)
    }
}
