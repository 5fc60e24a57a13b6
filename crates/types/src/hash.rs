//! BLAKE3 hashes: the address of every program, input, output and signed record.

use crate::text::{ParseError, serde_as_text};
use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, io, str::FromStr, sync::OnceLock};

/// A 32-byte BLAKE3 hash, shown as 64 lowercase hex digits (the same as `b3sum` prints).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The hash of all that `reader` gives, and how many bytes that is, without holding it in memory.
    pub fn of_reader(reader: impl io::Read) -> io::Result<(Self, u64)> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(reader)?;
        Ok((Self(*hasher.finalize().as_bytes()), hasher.count()))
    }

    /// The hash of the canonical encoding of `value` under a context string that no other use shares.
    ///
    /// What is hashed for every task has a [`Context`] of its own, which is about twice as fast.
    pub fn of_value<T: BorshSerialize>(context: &'static str, value: &T) -> Self {
        Context::new(context).hash(value)
    }

    /// A hash from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 12 hex digits, for people to look at; never for lookups.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

/// A context string with its key, which is derived once instead of with each hash. It gives the
/// same hashes as [`Hash::of_value`].
pub(crate) struct Context {
    name: &'static str,
    key: OnceLock<ContextKey>,
}

impl Context {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, key: OnceLock::new() }
    }

    /// The hash of the canonical encoding of `value`.
    pub(crate) fn hash<T: BorshSerialize>(&self, value: &T) -> Hash {
        let mut bytes = Vec::with_capacity(512);
        value.serialize(&mut bytes).expect("writing to memory cannot fail and lengths fit in u32");
        self.hash_bytes(&bytes)
    }

    /// The hash of bytes that are an encoding already.
    pub(crate) fn hash_bytes(&self, bytes: &[u8]) -> Hash {
        let key = self.key.get_or_init(|| hash_derive_key_context(self.name));
        Hash(*blake3::Hasher::new_from_context_key(key).update(bytes).finalize().as_bytes())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({})", self.short())
    }
}

impl FromStr for Hash {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| ParseError::new(text, "a hash of 64 hex digits"))?;
        Ok(Self(bytes))
    }
}

serde_as_text!(Hash);
