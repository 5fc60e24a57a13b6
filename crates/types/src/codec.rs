//! Canonical bytes: Borsh, strict on the way in.
//!
//! Everything that is signed, hashed or sent between nodes uses these two functions, so that one
//! value has exactly one encoding and a decoder never accepts bytes it would not itself produce.

use borsh::{BorshDeserialize, BorshSerialize};

/// Why bytes were not a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input is longer than its message may ever be.
    #[error("message of {size_bytes} bytes is over its limit of {limit_bytes} bytes")]
    TooLarge { size_bytes: usize, limit_bytes: usize },
    /// The bytes do not follow the format, or bytes are left over after the value.
    #[error("malformed {what}: {reason}")]
    Malformed { what: &'static str, reason: String },
}

/// The one encoding of `value`.
pub fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    value.serialize(&mut bytes).expect("writing to memory cannot fail and lengths fit in u32");
    bytes
}

/// Decodes all of `bytes`, refusing oversized input and trailing bytes.
pub fn decode<T: BorshDeserialize>(bytes: &[u8], limit_bytes: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit_bytes {
        return Err(DecodeError::TooLarge { size_bytes: bytes.len(), limit_bytes });
    }
    borsh::from_slice(bytes)
        .map_err(|error| DecodeError::Malformed { what: short_type_name::<T>(), reason: error.to_string() })
}

fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    name.split('<').next().and_then(|path| path.rsplit("::").next()).unwrap_or(name)
}
