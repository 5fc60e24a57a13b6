//! Proofs of single entries, for whoever trusts a block header and nothing else.

use crate::tree::{self, PATH_BYTES_MAX, Path, PathError};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    Hash,
    codec::{self, DecodeError},
};

/// The longest encoding of a state key.
pub const KEY_BYTES_MAX: usize = 256;
/// The longest encoding of an entry.
pub const ENTRY_BYTES_MAX: usize = 64 * 1024;
/// The longest encoding of a [`StateProof`].
pub const STATE_PROOF_BYTES_MAX: usize = 4 + KEY_BYTES_MAX + 5 + ENTRY_BYTES_MAX + PATH_BYTES_MAX;

/// An entry of the state as it was, or its absence, with the path to a state root.
///
/// Says nothing by itself: the root has to come from a header that a certificate of the validators
/// covers. Key and entry are encoded, so that an old client can check what it can't read.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StateProof {
    /// The encoded key.
    pub key: Vec<u8>,
    /// The encoded entry; `None` if the state has none under this key.
    pub entry: Option<Vec<u8>>,
    /// From the key's place to the root.
    pub path: Path,
}

/// Why a proof was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateProofError {
    /// It is no proof at all.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// Its key or entry is larger than any in a state.
    #[error("{part} of {size_bytes} bytes; {limit_bytes} at most")]
    TooLarge { part: &'static str, size_bytes: usize, limit_bytes: usize },
    /// It proves nothing under this root.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl StateProof {
    /// Reads a proof from outside.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateProofError> {
        let proof: Self = codec::decode(bytes, STATE_PROOF_BYTES_MAX)?;
        proof.check_sizes()?;
        Ok(proof)
    }

    /// Checks that the state under `root` holds this entry under this key, or holds none.
    pub fn verify(&self, root: &Hash) -> Result<(), StateProofError> {
        self.check_sizes()?;
        let value = self.entry.as_deref().map(tree::value_hash);
        Ok(self.path.verify(root, &tree::key_hash(&self.key), value.as_ref())?)
    }

    fn check_sizes(&self) -> Result<(), StateProofError> {
        check_size("key", self.key.len(), KEY_BYTES_MAX)?;
        check_size("entry", self.entry.as_ref().map_or(0, Vec::len), ENTRY_BYTES_MAX)
    }
}

fn check_size(part: &'static str, size_bytes: usize, limit_bytes: usize) -> Result<(), StateProofError> {
    if size_bytes <= limit_bytes {
        return Ok(());
    }
    Err(StateProofError::TooLarge { part, size_bytes, limit_bytes })
}
