//! Withdrawal claims in a Merkle-sum tree over keccak256.
//!
//! Each claim is the sum of all that an account ever withdrew to one address of one chain, so a vault
//! pays what it has not paid yet, whichever checkpoint a proof is of, and a claim paid twice pays
//! nothing the second time. Each inner node hashes both children with both sums: whoever proves one
//! claim proves at once that the total of the checkpoint has room for it, and nobody can add claims
//! beyond that total.
//!
//! Leaves stand in the order of their claims, so the root depends on the claims only; an odd node at
//! the end of a level moves up unchanged. Leaf and node are hashed as structs of EIP-712, whose type
//! hashes keep them apart. Source: Chalkias, Lewi, Mohassel, Nikolaenko, "Distributed Auditing Proofs
//! of Liabilities" (2020), after Maxwell: both sums are hashed, not only their sum.

use super::{
    Address, Keccak,
    typed::{Encoder, TypedData, struct_hash},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{Hash, Micros};
use std::io;

/// Most siblings of a proof, and so most levels that a contract ever walks.
pub const DEPTH_MAX: usize = 32;
/// Most claims of a tree; its depth stays well under [`DEPTH_MAX`].
pub const CLAIMS_MAX: usize = 1 << 24;
/// The longest encoding of a [`ClaimProof`].
pub const CLAIM_PROOF_BYTES_MAX: usize = 4 + 1 + DEPTH_MAX * 48;

/// All that an account ever withdrew to one address of one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Claim {
    /// The account.
    pub account: Hash,
    /// The chain's id (EIP-155).
    pub chain: u64,
    /// Who is paid there.
    pub address: Address,
    /// The sum of all withdrawals.
    pub cumulative: Micros,
}

impl Claim {
    fn place(&self) -> (Hash, u64, Address) {
        (self.account, self.chain, self.address)
    }

    fn node(&self) -> SumNode {
        SumNode { hash: struct_hash(self), sum: self.cumulative.get().into() }
    }
}

impl TypedData for Claim {
    const TYPE: &'static str = "Claim(bytes32 account,uint64 chain,address recipient,uint64 cumulative)";
    fn fields(&self, encoder: &mut Encoder) {
        encoder.word(self.account.as_bytes());
        encoder.integer(self.chain.into());
        encoder.address(&self.address);
        encoder.integer(self.cumulative.get().into());
    }
}

/// A node: its hash, and the sum of the claims below it in micros.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SumNode {
    /// The hash; zero for a tree without claims.
    pub hash: Keccak,
    /// The sum.
    pub sum: u128,
}

/// Two nodes, as the one above them hashes them.
struct Pair<'a>(&'a SumNode, &'a SumNode);

impl TypedData for Pair<'_> {
    const TYPE: &'static str = "SumNode(bytes32 left,uint128 leftSum,bytes32 right,uint128 rightSum)";
    fn fields(&self, encoder: &mut Encoder) {
        for node in [self.0, self.1] {
            encoder.word(node.hash.as_bytes());
            encoder.integer(node.sum);
        }
    }
}

/// The node above two; `None` if the sum is beyond 128 bits.
fn above(left: &SumNode, right: &SumNode) -> Option<SumNode> {
    Some(SumNode { hash: struct_hash(&Pair(left, right)), sum: left.sum.checked_add(right.sum)? })
}

/// Why claims make no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// More than [`CLAIMS_MAX`].
    #[error("{claims} claims; {CLAIMS_MAX} at most")]
    TooMany { claims: usize },
    /// Two claims of one account for one address, or claims out of order.
    #[error("claim {index} does not come after the one before it")]
    Order { index: usize },
}

/// The tree of a checkpoint: made once per epoch, from all claims.
#[derive(Debug, Clone)]
pub struct ClaimTree {
    levels: Vec<Vec<SumNode>>,
    claims: Vec<Claim>,
}

impl ClaimTree {
    /// The tree over `claims`, ordered by account, chain and address.
    pub fn new(claims: Vec<Claim>) -> Result<Self, ClaimsError> {
        if claims.len() > CLAIMS_MAX {
            return Err(ClaimsError::TooMany { claims: claims.len() });
        }
        if let Some(index) = claims.windows(2).position(|pair| pair[0].place() >= pair[1].place()) {
            return Err(ClaimsError::Order { index: index + 1 });
        }
        let mut levels = vec![claims.iter().map(Claim::node).collect::<Vec<_>>()];
        while levels[levels.len() - 1].len() > 1 {
            let pairs = levels[levels.len() - 1].chunks(2);
            let level = pairs.map(|pair| match pair {
                [left, right] => above(left, right).expect("2^24 sums of 64 bits fit in 128 bits"),
                odd => odd[0],
            });
            levels.push(level.collect());
        }
        Ok(Self { levels, claims })
    }

    /// The root with the total: what a checkpoint names.
    pub fn root(&self) -> SumNode {
        self.levels[self.levels.len() - 1].first().copied().unwrap_or_default()
    }

    /// The claim of an account for an address, with its proof.
    pub fn prove(&self, account: &Hash, chain: u64, address: &Address) -> Option<(Claim, ClaimProof)> {
        let place = (*account, chain, *address);
        let index = self.claims.binary_search_by_key(&place, Claim::place).ok()?;
        let (mut position, mut sides, mut siblings) = (index, 0, Vec::new());
        for level in &self.levels[..self.levels.len() - 1] {
            if let Some(sibling) = level.get(position ^ 1) {
                sides |= u32::from(position & 1 == 1) << siblings.len();
                siblings.push(*sibling);
            }
            position /= 2;
        }
        Some((self.claims[index], ClaimProof { sides, siblings }))
    }
}

/// The way from a claim to the root of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize)]
pub struct ClaimProof {
    /// Bit `i` is set if sibling `i` stands on the left.
    pub sides: u32,
    /// The nodes beside the path, from the claim up.
    #[borsh(serialize_with = "write_siblings")]
    pub siblings: Vec<SumNode>,
}

/// Why a claim is not proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimProofError {
    /// More siblings than a contract walks.
    #[error("a proof of {siblings} siblings; {DEPTH_MAX} at most")]
    TooDeep { siblings: usize },
    /// Sides are named for siblings that are not there: a second form of the same proof.
    #[error("a proof that names sides for more than its {siblings} siblings")]
    Sides { siblings: usize },
    /// The sums do not fit in 128 bits.
    #[error("the sums of the proof overflow")]
    Overflow,
    /// It leads elsewhere.
    #[error("the proof leads to {found} with total {found_total}, not to {expected} with total {total}")]
    WrongRoot { expected: Keccak, total: u128, found: Keccak, found_total: u128 },
}

impl ClaimProof {
    /// Checks that `claim` is part of the checkpoint with this root and total.
    pub fn verify(&self, root: &SumNode, claim: &Claim) -> Result<(), ClaimProofError> {
        let count = self.siblings.len();
        if count > DEPTH_MAX {
            return Err(ClaimProofError::TooDeep { siblings: count });
        }
        if u64::from(self.sides) >> count != 0 {
            return Err(ClaimProofError::Sides { siblings: count });
        }
        let mut node = claim.node();
        for (level, sibling) in self.siblings.iter().enumerate() {
            let is_left = self.sides >> level & 1 == 1;
            let (left, right) = if is_left { (sibling, &node) } else { (&node, sibling) };
            node = above(left, right).ok_or(ClaimProofError::Overflow)?;
        }
        if node == *root {
            return Ok(());
        }
        let (found, found_total) = (node.hash, node.sum);
        Err(ClaimProofError::WrongRoot { expected: root.hash, total: root.sum, found, found_total })
    }
}

fn write_siblings<W: io::Write>(siblings: &[SumNode], writer: &mut W) -> io::Result<()> {
    let count = u8::try_from(siblings.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    count.serialize(writer)?;
    siblings.iter().try_for_each(|node| node.serialize(writer))
}

impl BorshDeserialize for ClaimProof {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let (sides, count) = <(u32, u8)>::deserialize_reader(reader)?;
        if usize::from(count) > DEPTH_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more siblings than a contract walks"));
        }
        let siblings = (0..count).map(|_| SumNode::deserialize_reader(reader)).collect::<io::Result<_>>()?;
        Ok(Self { sides, siblings })
    }
}
