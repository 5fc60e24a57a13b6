//! Connected nodes.

use opensky_types::{NodeId, place::Region};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Connected members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Peers {
    /// In order of id.
    pub peers: Vec<PeerView>,
}

/// One connected member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeerView {
    /// Who.
    pub node: NodeId,
    /// How it is reached.
    pub path: PathView,
    /// At which multiaddress.
    pub address: String,
    /// Last round trip, in microseconds, once measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u64>,
    /// Software and version it says to run.
    pub agent: String,
    /// Its region, once its offer was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
}

/// How a peer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PathView {
    /// Straight to it.
    Direct,
    /// Through another node.
    Relayed,
}
