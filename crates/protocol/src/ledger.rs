//! The ledger between nodes: final blocks and transactions are told to all, older blocks, snapshots
//! and addresses are asked for, one frame there and one frame back. What is inside, only the ledger
//! reads.

use crate::frame::Message;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{Hash, NodeId};

/// Protocol name and version.
pub const PROTOCOL: &str = "/opensky/ledger/1";
/// Topic of final blocks.
pub const TOPIC_BLOCKS: &str = "blocks/1";
/// Topic of signed transactions.
pub const TOPIC_TRANSACTIONS: &str = "transactions/1";
/// Topic of validators' signatures over checkpoints.
pub const TOPIC_CHECKPOINTS: &str = "checkpoints/1";
/// Most signatures of one checkpoint: those of the largest set of validators.
pub const CHECKPOINT_SIGNATURES_MAX: usize = 64;
/// Longest evidence of a wrong result, in bytes.
pub const EVIDENCE_BYTES_MAX: usize = 64 * 1024;
/// Blocks up to this size travel with the word of them; larger ones are asked for.
pub const NEWS_BYTES_MAX: usize = 12 * 1024;
/// Most bytes of blocks in one answer, roughly: a single block may be larger.
pub const BLOCKS_BYTES_MAX: usize = 4 << 20;
/// Most addresses in one answer.
pub const ADDRESSES_MAX: usize = 64;

/// A block became final.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BlockNews {
    /// Its height.
    pub height: u64,
    /// Its id.
    pub block: Hash,
    /// The block with its certificate, if it is small.
    pub sealed: Option<Vec<u8>>,
}

impl Message for BlockNews {
    const SIZE_BYTES_MAX: usize = NEWS_BYTES_MAX + 64;
}

/// A validator's signature over the checkpoint of an epoch. What it covers each node computes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct CheckpointWord {
    /// The epoch.
    pub epoch: u64,
    /// The validator.
    pub node: NodeId,
    /// `r`, `s` and `v`.
    pub signature: [u8; 65],
}

impl Message for CheckpointWord {
    const SIZE_BYTES_MAX: usize = 8 + 32 + 65;
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Ask {
    /// Final blocks from this height on.
    Blocks { from: u64 } = 0,
    /// Your newest snapshot, proven from the border of this epoch on.
    Snapshot { epoch: u64 } = 1,
    /// A chunk of the snapshot of this height.
    Chunk { height: u64, index: u32 } = 2,
    /// Where validators can be reached.
    Addresses = 3,
    /// Sign this transaction too: it makes you a validator.
    Approve { transaction: Vec<u8> } = 4,
    /// Take this transaction, which is too large to be told to all.
    Submit { transaction: Vec<u8> } = 5,
    /// What validators signed of the checkpoint of this epoch.
    Checkpoint { epoch: u64 } = 6,
    /// Sign this report of a wrong result too, by the receipts that show it.
    Testify { transaction: Vec<u8>, evidence: Vec<u8> } = 7,
}

impl Message for Ask {
    const SIZE_BYTES_MAX: usize = 160 * 1024;
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Reply {
    /// Blocks in order, the last one certified; none if there are no such, or not any more.
    Blocks { blocks: Vec<Vec<u8>>, head: u64 } = 0,
    /// What the snapshot consists of; none if there is none.
    Snapshot { offer: Option<Vec<u8>> } = 1,
    /// The chunk; none if that snapshot is not kept any more.
    Chunk { bytes: Option<Vec<u8>> } = 2,
    /// Addresses by validator, as dialled: `host:port`.
    Addresses { addresses: Vec<(NodeId, String)> } = 3,
    /// The signature; none if this node does not want to validate.
    Approved { approval: Option<Vec<u8>> } = 4,
    /// It was taken, or why not.
    Submitted { problem: Option<String> } = 5,
    /// Signatures by validator; none of a checkpoint that this node does not hold.
    Checkpoint { signatures: Vec<(NodeId, [u8; 65])> } = 6,
}

impl Message for Reply {
    const SIZE_BYTES_MAX: usize = 16 << 20;
}
