//! Rows about the sky: invites and members.

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    NodeId, Timestamp,
    membership::{Invite, MembershipChain},
};

/// An invite that this node issued.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct InviteRow<I = Invite> {
    pub invite: I,
}

impl InviteRow {
    pub const VERSION: u8 = 1;
}

/// A node that joined with an invite.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct InviteUseRow {
    pub node: NodeId,
    pub at: Timestamp,
}

impl InviteUseRow {
    pub const VERSION: u8 = 1;
}

/// A known member.
#[derive(Debug, PartialEq, BorshSerialize, BorshDeserialize)]
pub(crate) struct MemberRow<C = MembershipChain, A = Vec<String>> {
    pub chain: C,
    pub addresses: A,
}

impl MemberRow {
    pub const VERSION: u8 = 1;
}

/// The bytes that the check of an invite's use covers for its key, nonce and order.
pub(crate) fn invite_use_key_bytes(key: &(u64, u64)) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&key.0.to_be_bytes());
    bytes[8..].copy_from_slice(&key.1.to_be_bytes());
    bytes
}
