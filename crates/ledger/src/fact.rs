//! What a proposer found out, and every validator checked before it voted: no account signs it.
//!
//! The ledger can't check the evidence itself, which is of the engine's kind; whoever votes on a block
//! does. For everyone else the certificate over the block says that more than two thirds did.

use crate::{apply::Context, rejection::Rejection, validators, view::View};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::NodeId;

/// Most facts of a block.
pub const FACTS_MAX: usize = 4;
/// Longest evidence of a fact.
pub const EVIDENCE_BYTES_MAX: usize = 512;

/// Something that is so.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Fact {
    /// A validator cast two votes where it may cast one; the evidence has both. It is punished once an
    /// epoch, since the same fault, such as two machines with one key, makes many such pairs.
    TwoVotes { node: NodeId, epoch: u64, evidence: Vec<u8> } = 0,
}

impl Fact {
    /// The length of its evidence.
    pub fn evidence_bytes(&self) -> usize {
        match self {
            Self::TwoVotes { evidence, .. } => evidence.len(),
        }
    }
}

/// Does what follows from a fact. One that is known already, or too late, makes a block invalid.
pub(crate) fn apply(view: &mut View<'_>, context: &Context, fact: &Fact) -> Result<(), Rejection> {
    let size_bytes = fact.evidence_bytes();
    if size_bytes > EVIDENCE_BYTES_MAX {
        return Err(Rejection::Evidence { size_bytes });
    }
    view.attempt(|view| match fact {
        Fact::TwoVotes { node, epoch, .. } => validators::punish_two_votes(view, context, *node, *epoch),
    })
}
