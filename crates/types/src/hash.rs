//! BLAKE3 hashes: the address of every program, input, output and signed record.

use crate::text::{ParseError, serde_as_text};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, str::FromStr};

/// A 32-byte BLAKE3 hash, shown as 64 lowercase hex digits (the same as `b3sum` prints).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The hash of the canonical encoding of `value` under a context string that no other use shares.
    pub fn of_value<T: BorshSerialize>(context: &'static str, value: &T) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        value.serialize(&mut HashWriter(&mut hasher)).expect("hashing cannot fail");
        Self(*hasher.finalize().as_bytes())
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

struct HashWriter<'a>(&'a mut blake3::Hasher);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
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
