//! Blocks of transactions, and what a header says about them.

use crate::{
    fact::{FACTS_MAX, Fact},
    transaction::{SignedTransaction, TransactionError},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    Hash, Timestamp,
    codec::{self, DecodeError},
    merkle,
};

/// Longest encoding of a block.
pub const BLOCK_BYTES_MAX: usize = 8 << 20;

/// What a block says of itself; its hash names the block.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Header {
    /// The sky.
    pub sky: Hash,
    /// The version of the rules.
    pub rules: u32,
    /// Distance from genesis.
    pub height: u64,
    /// The block below; zeros for genesis.
    pub parent: Hash,
    /// The proposer's clock, later than the parent's.
    pub time: Timestamp,
    /// The root over the transactions with their signatures ([`merkle`]); zeros for none.
    pub transactions: Hash,
    /// How many there are.
    pub count: u32,
    /// What the proposer found out, at most [`FACTS_MAX`].
    pub facts: Vec<Fact>,
    /// The root of the state after this block.
    pub state: Hash,
}

/// A header and its transactions.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The transactions, in order.
    pub transactions: Vec<SignedTransaction>,
}

/// Why a block is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The bytes are no block.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A transaction's signatures or bytes are wrong.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The block is of another sky.
    #[error("a block of sky {found}, this is {expected}")]
    OtherSky { expected: Hash, found: Hash },
    /// Of other rules.
    #[error("a block under version {found} of the rules; {expected} is in force")]
    OtherRules { expected: u32, found: u32 },
    /// This program is too old for the rules in force.
    #[error("version {version} of the rules is in force, this program knows {known}; update it")]
    UnknownRules { version: u32, known: u32 },
    /// Nothing is known of the block below, or finality has passed it.
    #[error("the block below, {parent}, is not known")]
    UnknownParent { parent: Hash },
    /// No such block.
    #[error("block {id} is not known")]
    Unknown { id: Hash },
    /// Not one above its parent.
    #[error("a block of height {found} on one of {parent}")]
    Height { parent: u64, found: u64 },
    /// Not later than its parent.
    #[error("a block of {found:?} on one of {parent:?}")]
    Time { parent: Timestamp, found: Timestamp },
    /// More transactions than allowed.
    #[error("{count} transactions; {limit} at most")]
    TooMany { count: usize, limit: u32 },
    /// More signatures than allowed, by what checking them costs.
    #[error("signatures that count as {count}; {limit} at most")]
    TooManySignatures { count: u32, limit: u32 },
    /// More facts than allowed.
    #[error("{count} facts; {FACTS_MAX} at most")]
    TooManyFacts { count: usize },
    /// What the proposer found out can't be, or is known already.
    #[error("fact {index} of the block is rejected")]
    Fact { index: usize, source: crate::rejection::Rejection },
    /// A transaction does not apply.
    #[error("transaction {index} of the block is rejected")]
    Rejected { index: usize, source: crate::rejection::Rejection },
    /// What the header says of the transactions or of the state after them is not so.
    #[error("the header says {found} of its {part}; it is {expected}")]
    Root { part: &'static str, expected: Hash, found: Hash },
    /// The count is wrong.
    #[error("the header counts {found} transactions; there are {expected}")]
    Count { expected: usize, found: u32 },
    /// A fault in the rules: what fell due could not be done.
    #[error("what fell due could not be done")]
    Due { source: crate::rejection::Rejection },
}

impl Header {
    /// The block's id.
    pub fn id(&self) -> Hash {
        Hash::of_value("opensky ledger header 1", self)
    }
}

impl Block {
    /// The block's id.
    pub fn id(&self) -> Hash {
        self.header.id()
    }

    /// Reads a block from outside: strictly, and its transactions are those that the header names.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockError> {
        let block: Self = codec::decode(bytes, BLOCK_BYTES_MAX)?;
        block.check_transactions()?;
        Ok(block)
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    pub(crate) fn check_transactions(&self) -> Result<(), BlockError> {
        let (expected, found) = (self.transactions.len(), self.header.count);
        if u32::try_from(expected) != Ok(found) {
            return Err(BlockError::Count { expected, found });
        }
        let (expected, found) = (root_of(&self.transactions), self.header.transactions);
        if expected == found {
            Ok(())
        } else {
            Err(BlockError::Root { part: "transactions", expected, found })
        }
    }
}

/// The root over transactions.
pub(crate) fn root_of(transactions: &[SignedTransaction]) -> Hash {
    if transactions.is_empty() {
        return Hash::from_bytes([0; 32]);
    }
    let leaves: Vec<Hash> = transactions.iter().map(SignedTransaction::leaf).collect();
    merkle::Tree::new(&leaves).root()
}
