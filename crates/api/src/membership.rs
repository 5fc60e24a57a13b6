//! Invites and members.

use opensky_types::{NodeId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Asks for an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InviteRequest {
    /// How many nodes may join with it.
    pub uses_max: u32,
    /// How long it works, in milliseconds from now.
    pub valid_ms: u64,
    /// Also opens the door to every node on the local network for as long as the invite works, so
    /// that these join without a token (`opensky up --lan`).
    pub lan: bool,
}

impl Default for InviteRequest {
    /// One node, within an hour.
    fn default() -> Self {
        Self { uses_max: 1, valid_ms: 3_600_000, lan: false }
    }
}

/// An invite and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InviteView {
    /// The text to pass on. Whoever has it can join, so it is shown to the issuer's owner only.
    pub token: String,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// How many nodes may join with it.
    pub uses_max: u32,
    /// Who did, oldest first.
    pub used_by: Vec<NodeId>,
    /// Where joiners knock, as multiaddresses.
    pub addresses: Vec<String>,
    /// Whether the local network's door is open with it.
    pub lan: bool,
}

/// Invites of this node, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invites {
    /// They.
    pub invites: Vec<InviteView>,
}

/// A node known to belong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberView {
    /// Who.
    pub node: NodeId,
    /// Who let it in; absent for the founder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<NodeId>,
    /// When; absent for the founder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Timestamp>,
    /// Whether it is connected now.
    pub connected: bool,
    /// Where it was last reached, as multiaddresses.
    pub addresses: Vec<String>,
}

/// Members that this node knows, in order of id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Members {
    /// They.
    pub members: Vec<MemberView>,
}
