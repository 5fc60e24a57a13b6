//! `Signed<T>`: bytes, who signed them, and the one way to get a `T` out.

use crate::{
    codec::{self, DecodeError},
    key::{Keypair, NodeId, Signature},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, marker::PhantomData};

/// A value that can be signed: its domain tag keeps a signature over one kind of value from ever
/// being read as a signature over another.
pub trait Signable: BorshSerialize + BorshDeserialize {
    /// Sixteen bytes that no other signed value uses.
    const DOMAIN: &'static [u8; 16];
    /// The version of this value's format; part of what is signed.
    const VERSION: u16;
    /// The largest encoding that a reader accepts.
    const SIZE_BYTES_MAX: usize;
}

/// Why a signed value was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// The signature does not fit the bytes and the signer.
    #[error("signature by {signer} is not valid")]
    BadSignature { signer: NodeId },
    /// The signature is right, but the bytes are not the value.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}

/// A value as received: encoded, with its signer and signature. Nothing can be read from it but by
/// [`Signed::verify`], which checks the signature over the very bytes that arrived.
#[derive(BorshSerialize, BorshDeserialize)]
pub struct Signed<T> {
    bytes: Vec<u8>,
    signer: NodeId,
    signature: Signature,
    #[borsh(skip)]
    value: PhantomData<fn() -> T>,
}

impl<T: Signable> Signed<T> {
    /// Encodes and signs `value`.
    pub fn sign(value: &T, key: &Keypair) -> Self {
        let bytes = codec::encode(value);
        let signature = key.sign(&preimage::<T>(&bytes));
        Self { bytes, signer: key.id(), signature, value: PhantomData }
    }

    /// Checks the signature, then decodes strictly.
    pub fn verify(&self) -> Result<T, SignedError> {
        if !self.signer.verify(&preimage::<T>(&self.bytes), &self.signature) {
            return Err(SignedError::BadSignature { signer: self.signer });
        }
        self.decode_unverified().map_err(SignedError::Malformed)
    }

    /// The value without the signature check: only for records this node verified before it kept them.
    pub fn decode_unverified(&self) -> Result<T, DecodeError> {
        codec::decode(&self.bytes, T::SIZE_BYTES_MAX)
    }

    /// Who says to have signed; true only once [`Signed::verify`] agrees.
    pub fn signer(&self) -> NodeId {
        self.signer
    }

    /// The signature itself.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// The hash that names this value, whoever signed it.
    pub fn content_hash(&self) -> crate::Hash {
        crate::Hash::of(&preimage::<T>(&self.bytes))
    }
}

fn preimage<T: Signable>(bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(18 + bytes.len());
    message.extend_from_slice(T::DOMAIN);
    message.extend_from_slice(&T::VERSION.to_le_bytes());
    message.extend_from_slice(bytes);
    message
}

// Written by hand: derives would ask `T` for the same traits, though no `T` is inside.
impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), signer: self.signer, signature: self.signature, value: PhantomData }
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.signer == other.signer && self.signature == other.signature
    }
}

impl<T> Eq for Signed<T> {}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("signer", &self.signer).field("size_bytes", &self.bytes.len()).finish()
    }
}
