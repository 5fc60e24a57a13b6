//! Blocks: a header that is signed by its hash, and a body that only the ledger can read.

use crate::validators::ValidatorSet;
use borsh::{BorshDeserialize, BorshSerialize};
use bytes::Bytes;
use opensky_types::{Hash, codec};
use std::fmt;

/// No sky may set its body limit above this.
pub const BODY_BYTES_CEILING: usize = 8 << 20;
/// Largest encoded header: the fields, and at an epoch's end a whole validator set.
pub const HEADER_BYTES_MAX: usize = 256 + 4 + 32 * crate::validators::VALIDATORS_MAX;

/// The version of headers and of the wrapper around bodies.
const VERSION: u16 = 1;
const ID_CONTEXT: &str = "opensky 2026 block id v1";
const BODY_CONTEXT: &str = "opensky 2026 block body v1";

/// A block's name: the hash of its header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct BlockId(pub(crate) Hash);

impl BlockId {
    /// The id of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Hash::from_bytes(bytes))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockId({})", self.0.short())
    }
}

/// What a block says about itself. Validators sign its hash, so whoever trusts a certificate trusts
/// every field, the body by its hash.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Header {
    /// Format of header and body wrapper.
    pub version: u16,
    /// The sky; blocks of another are refused.
    pub sky: Hash,
    /// The epoch, which decides who votes.
    pub epoch: u64,
    /// Distance from genesis.
    pub height: u64,
    /// The block below.
    pub parent: BlockId,
    /// The proposer's clock in milliseconds since 1970: later than the parent's, near the verifiers'.
    pub time_ms: u64,
    /// Hash of the validator set of this epoch.
    pub validators: Hash,
    /// In an epoch's last block, who votes in the next epoch; absent in all others.
    pub next_validators: Option<ValidatorSet>,
    /// What the body says in 32 bytes, for whoever does not have it: the ledger's own name of the block.
    pub commitment: Hash,
    /// Hash of the body.
    pub body: Hash,
    /// Length of the body.
    pub body_bytes: u32,
}

impl Header {
    /// The id of the block.
    pub fn id(&self) -> BlockId {
        BlockId(Hash::of_value(ID_CONTEXT, self))
    }

    /// Reads one header from exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockError> {
        let header: Self = codec::decode(bytes, HEADER_BYTES_MAX).map_err(BlockError::Header)?;
        if header.version == VERSION { Ok(header) } else { Err(BlockError::Version(header.version)) }
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }
}

/// Why bytes are not a block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The header does not follow the format.
    #[error("block header: {0}")]
    Header(#[source] codec::DecodeError),
    /// The header is of a format this program does not know.
    #[error("block format {0} is not known; update this node")]
    Version(u16),
    /// The body is larger than the sky allows.
    #[error("block body of {size_bytes} bytes, {limit_bytes} allowed")]
    BodyTooLarge {
        /// Size of the body.
        size_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// Header and body do not belong together.
    #[error("block body does not fit its header")]
    BodyMismatch,
    /// The bytes end early or late.
    #[error("block has missing or surplus bytes")]
    Length,
}

/// What a proposer fixes about a block before its body is hashed.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub sky: Hash,
    pub epoch: u64,
    pub height: u64,
    pub parent: BlockId,
    pub time_ms: u64,
    pub validators: Hash,
    pub next_validators: Option<ValidatorSet>,
    pub commitment: Hash,
}

/// A block: header and body always fit each other. Clones share the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    header: Header,
    id: BlockId,
    body: Bytes,
}

impl Block {
    /// The block below all others of a sky: what its founder fixed. `body` is the ledger's genesis,
    /// `commitment` its name.
    pub fn genesis(
        sky: Hash,
        validators: &ValidatorSet,
        time_ms: u64,
        commitment: Hash,
        body: Bytes,
    ) -> Self {
        Self::build(
            Draft {
                sky,
                epoch: 0,
                height: 0,
                parent: BlockId(sky),
                time_ms,
                validators: validators.hash(),
                next_validators: None,
                commitment,
            },
            body,
        )
    }

    pub(crate) fn build(draft: Draft, body: Bytes) -> Self {
        let header = Header {
            version: VERSION,
            sky: draft.sky,
            epoch: draft.epoch,
            height: draft.height,
            parent: draft.parent,
            time_ms: draft.time_ms,
            validators: draft.validators,
            next_validators: draft.next_validators,
            commitment: draft.commitment,
            body: body_hash(&body),
            body_bytes: u32::try_from(body.len()).expect("bodies are capped far below 4 GiB"),
        };
        let id = header.id();
        Self { header, id, body }
    }

    /// Joins a header and a body that came apart, if they fit and the body is within `body_bytes_max`.
    pub fn join(header: Header, body: Bytes, body_bytes_max: usize) -> Result<Self, BlockError> {
        if body.len() > body_bytes_max {
            return Err(BlockError::BodyTooLarge { size_bytes: body.len(), limit_bytes: body_bytes_max });
        }
        if header.body_bytes as usize != body.len() || header.body != body_hash(&body) {
            return Err(BlockError::BodyMismatch);
        }
        let id = header.id();
        Ok(Self { header, id, body })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The id: the header's hash.
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// The ledger's bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Header length, header, body: what travels and what is stored.
    pub fn encode(&self) -> Vec<u8> {
        let header = self.header.encode();
        let length = u32::try_from(header.len()).expect("headers are small");
        [&length.to_be_bytes()[..], &header, &self.body].concat()
    }

    /// Reads one block from exactly these bytes.
    pub fn decode(bytes: &[u8], body_bytes_max: usize) -> Result<Self, BlockError> {
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or(BlockError::Length)?;
        let (header, body) =
            rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(BlockError::Length)?;
        let header = Header::decode(header)?;
        if header.body_bytes as usize != body.len() {
            return Err(BlockError::Length);
        }
        Self::join(header, Bytes::copy_from_slice(body), body_bytes_max)
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({} at {}, {} bytes)", self.id.0.short(), self.header.height, self.body.len())
    }
}

fn body_hash(body: &[u8]) -> Hash {
    Hash::from_bytes(blake3::derive_key(BODY_CONTEXT, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_types::Keypair;

    fn sample() -> Block {
        let set = ValidatorSet::new([Keypair::from_seed([1; 32]).id()]).expect("one key");
        Block::genesis(
            Hash::of(b"sky"),
            &set,
            7,
            Hash::of(b"name"),
            Bytes::from_static(b"the ledger's genesis"),
        )
    }

    #[test]
    fn a_block_survives_its_encoding_and_nothing_else_does() {
        let block = sample();
        let bytes = block.encode();
        assert_eq!(Block::decode(&bytes, 100), Ok(block.clone()));
        for position in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1;
            // A changed header may be a block, but never this one.
            assert_ne!(Block::decode(&flipped, 100).map(|other| other.id()), Ok(block.id()), "{position}");
            assert!(Block::decode(&bytes[..position], 100).is_err(), "{position}");
        }
        assert!(Block::decode(&[&bytes[..], &[0]].concat(), 100).is_err());
    }

    #[test]
    fn a_body_over_the_limit_is_refused() {
        let block = sample();
        let refused = Block::decode(&block.encode(), block.body().len() - 1);
        assert!(matches!(refused, Err(BlockError::BodyTooLarge { limit_bytes: 19, .. })), "{refused:?}");
    }

    #[test]
    fn a_body_of_another_block_does_not_fit() {
        let block = sample();
        let other = Bytes::from_static(b"THE ledger's genesis");
        assert_eq!(Block::join(block.header().clone(), other, 100), Err(BlockError::BodyMismatch));
    }

    #[test]
    fn an_unknown_format_is_named() {
        let mut header = sample().header().clone();
        header.version = 9;
        assert_eq!(Header::decode(&header.encode()), Err(BlockError::Version(9)));
    }
}
