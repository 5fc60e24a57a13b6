//! Who belongs to a sky: genesis, invites, memberships.
//!
//! The genesis names the founder and who may invite. A membership is signed by an inviter and
//! carries the inviter's own memberships up to the founder, so that any node can check it alone.

use crate::{
    codec,
    hash::Hash,
    key::{Keypair, NodeId},
    signed::{Signable, Signed, SignedError},
    text::ParseError,
    units::{Micros, Timestamp},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::str::FromStr;

/// Most memberships between a member and the founder.
pub const CHAIN_LENGTH_MAX: usize = 8;
/// Most addresses that an invite carries.
pub const INVITE_ADDRESSES_MAX: usize = 16;

/// Most validators that a sky begins with; invites carry them. More may follow.
pub const GENESIS_VALIDATORS_MAX: usize = 16;
/// Blocks of an epoch where nobody says otherwise.
pub const EPOCH_BLOCKS: u64 = 1_000;

/// The first facts of a sky. Its hash is the sky's id.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Genesis {
    /// A name for people, up to 64 characters.
    pub name: String,
    /// The node that founded it; its root of trust.
    pub founder: NodeId,
    /// When.
    pub founded_at: Timestamp,
    /// Who may invite.
    pub invites: InvitePolicy,
    /// `true`: prices are zero and nothing is paid.
    pub economy_free: bool,
    /// What the founder's account begins with; nothing in a free sky.
    pub supply: Micros,
    /// Who agrees on the ledger's blocks at first, in order of their ids, each once; 1 to
    /// [`GENESIS_VALIDATORS_MAX`].
    pub validators: Vec<NodeId>,
    /// Blocks of an epoch, after which other validators may follow; at least two.
    pub epoch_blocks: u64,
    /// Random, so that equal names make different skies.
    pub nonce: u64,
}

impl Genesis {
    /// The sky's id.
    pub fn sky(&self) -> Hash {
        Hash::of_value("opensky genesis 1", self)
    }
}

/// Who may sign memberships.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum InvitePolicy {
    /// The founder only.
    Founder = 0,
    /// Every member.
    Members = 1,
}

/// A promise to admit whoever shows it, within its limits. The issuer counts its uses.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Invite {
    /// The sky's first facts, so that a joiner knows what it joins.
    pub genesis: Genesis,
    /// Who issued it, and must be asked to join; equals the signer.
    pub issuer: NodeId,
    /// Where the issuer listens, as multiaddresses.
    pub addresses: Vec<String>,
    /// Random; names the invite where its uses are counted.
    pub nonce: u64,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// How many nodes may join with it.
    pub uses_max: u32,
}

impl Signable for Invite {
    const DOMAIN: &'static [u8; 16] = b"opensky/invite\0\0";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 4 * 1024;
}

/// Prefix of an invite's text form.
const TOKEN_PREFIX: &str = "sky1";

/// An invite as people pass it on: `sky1` and base58.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteToken(pub Signed<Invite>);

impl std::fmt::Display for InviteToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = codec::encode(&self.0);
        write!(f, "{TOKEN_PREFIX}{}", bs58::encode(bytes).with_check().into_string())
    }
}

impl FromStr for InviteToken {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new(text, "an invite token (sky1…), whole and unchanged");
        let text_body = text.trim().strip_prefix(TOKEN_PREFIX).ok_or_else(bad)?;
        if text_body.len() > 2 * Invite::SIZE_BYTES_MAX {
            return Err(bad());
        }
        let bytes = bs58::decode(text_body).with_check(None).into_vec().map_err(|_| bad())?;
        codec::decode(&bytes, Invite::SIZE_BYTES_MAX + 256).map(Self).map_err(|_| bad())
    }
}

/// An inviter's word that a node belongs.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Membership {
    /// The sky.
    pub sky: Hash,
    /// The member.
    pub node: NodeId,
    /// When it was given.
    pub given_at: Timestamp,
}

impl Signable for Membership {
    const DOMAIN: &'static [u8; 16] = b"opensky/member\0\0";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 256;
}

/// A node's memberships, its own first, each signed by the node of the next, the last by the
/// founder. Empty for the founder itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MembershipChain(pub Vec<Signed<Membership>>);

/// Why a node is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// A signature is wrong.
    #[error(transparent)]
    Signature(#[from] SignedError),
    /// It belongs to another sky.
    #[error("membership of another sky")]
    OtherSky,
    /// The chain does not lead from this node to the founder.
    #[error("membership chain does not lead from {node} to the founder")]
    Broken { node: NodeId },
    /// The genesis does not allow this inviter.
    #[error("{inviter} may not invite: only the founder may")]
    NotAllowed { inviter: NodeId },
    /// The chain is too long.
    #[error("membership chain of {length} links is over the limit of {CHAIN_LENGTH_MAX}")]
    TooLong { length: usize },
}

impl MembershipChain {
    /// Checks that `node` belongs to the sky of `genesis`.
    pub fn verify(&self, genesis: &Genesis, node: NodeId) -> Result<(), MembershipError> {
        if self.0.len() > CHAIN_LENGTH_MAX {
            return Err(MembershipError::TooLong { length: self.0.len() });
        }
        let sky = genesis.sky();
        let mut expected = node;
        for link in &self.0 {
            let membership = link.verify()?;
            if membership.sky != sky {
                return Err(MembershipError::OtherSky);
            }
            if membership.node != expected {
                return Err(MembershipError::Broken { node });
            }
            expected = link.signer();
            if genesis.invites == InvitePolicy::Founder && expected != genesis.founder {
                return Err(MembershipError::NotAllowed { inviter: expected });
            }
        }
        if expected == genesis.founder { Ok(()) } else { Err(MembershipError::Broken { node }) }
    }

    /// The chain of a node that the owner of `key`, whose own chain this is, lets in.
    pub fn extend(&self, key: &Keypair, genesis: &Genesis, node: NodeId, now: Timestamp) -> Self {
        let membership = Membership { sky: genesis.sky(), node, given_at: now };
        let own = Signed::sign(&membership, key);
        Self(std::iter::once(own).chain(self.0.iter().cloned()).collect())
    }
}
