//! What is ordered: the one trait that the ledger's side implements.

use crate::{
    block::{Block, BlockId},
    certificate::Certificate,
    evidence::Evidence,
    validators::ValidatorSet,
};
use bytes::Bytes;
use opensky_types::Hash;

/// An error that stops the validator: what the chain holds and what was finalized do not agree, or
/// its disk fails.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where a proposed block would stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The block below, known to the chain, not always final yet.
    pub parent: BlockId,
    /// Height of the new block.
    pub height: u64,
    /// Its epoch.
    pub epoch: u64,
    /// Its time.
    pub time_ms: u64,
    /// A block is due even if there is nothing to put into it: the heartbeat.
    pub even_empty: bool,
    /// The block ends its epoch: [`Proposal::next_validators`] must say who votes in the next.
    pub ends_epoch: bool,
    /// The body may not be larger.
    pub body_bytes_max: usize,
}

/// What the chain proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The ledger's bytes.
    pub body: Bytes,
    /// What headers say of the body; [`Chain::verify`] checks that it is so.
    pub commitment: Hash,
    /// The validators after this epoch; present exactly when the block ends its epoch.
    pub next_validators: Option<ValidatorSet>,
}

/// How far the chain is, by its own disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// Height of the newest final block that survives a crash; 0 with only the genesis.
    pub height: u64,
    /// The newest block of this or a lower height whose certificate was kept, and that certificate. A
    /// validator without the engine's files starts from it instead of from the genesis.
    pub certified: Option<(Block, Certificate)>,
}

impl Tip {
    pub(crate) fn certificate(&self) -> Option<&Certificate> {
        self.certified.as_ref().map(|(_, certificate)| certificate)
    }
}

/// The ledger, as consensus sees it. Calls come from one thread, one at a time, and are expected to
/// take about a millisecond: while one lasts, this validator votes on nothing.
///
/// Blocks form a tree until they are final. [`Chain::propose`] and [`Chain::verify`] build on a parent
/// for which [`Chain::knows`] is true: the last final block or one verified before. Consensus has
/// checked everything outside the body: place, time, size, hashes and the epoch's validators.
pub trait Chain: Send + 'static {
    /// How far the chain is. Asked at start; finalized blocks above are given anew, so
    /// [`Chain::finalized`] may keep blocks in memory until it suits the chain's disk.
    fn tip(&self) -> Tip;

    /// Who votes in an epoch. Must know the epoch of the block after the tip, from committed state, and
    /// should know the two before: a validator without the engine's files can't start from a tip's
    /// certificate of an epoch that is not known.
    fn validators(&self, epoch: u64) -> Option<ValidatorSet>;

    /// Whether the block's state is at hand: it is the tip, or was verified above it.
    fn knows(&self, block: BlockId) -> bool;

    /// A block for this place; none if there is nothing to put in and `even_empty` is false. The block
    /// has no id yet: before anything builds on it, it comes back through [`Chain::verify`], so a chain
    /// may keep what it computed under parent and body.
    fn propose(&mut self, place: &Place) -> Option<Proposal>;

    /// Whether the block is right on its parent, its `commitment` and `next_validators` included. Must not depend on
    /// anything but the block and the blocks below: honest validators have to agree.
    fn verify(&mut self, block: &Block) -> bool;

    /// The next final block, in order of height. A certificate comes with it when a quorum voted for
    /// this very block; else it is final through a later one, whose certificate covers both.
    fn finalized(&mut self, block: &Block, certificate: Option<&Certificate>) -> Result<(), Failure>;

    /// A validator was seen contradicting itself; checked, and possibly reported more than once.
    fn offence(&mut self, evidence: &Evidence);
}
