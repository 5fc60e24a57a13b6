//! The product's parameters, as they are today. Crates that own them are heavy (libp2p) or keep them private, so
//! they are repeated here; `tests/params.rs` reads the sources and fails when one of them is no longer so.

use crate::queue::{SECOND, Time};
use opensky_types::offer::OFFER_LIFE_MS_MAX;

/// Nodes in a bucket and in the answer to a lookup: libp2p-kad's `K_VALUE`, not set by us.
pub const K: usize = 20;
/// Nodes that a lookup asks at a time: libp2p-kad's `ALPHA_VALUE`, not set by us.
pub const ALPHA: usize = 3;
/// Time for one lookup (`network/src/behaviour.rs`, `QUERY_TIMEOUT`).
pub const QUERY_TIMEOUT: Time = 5 * SECOND;
/// Time for a connection to come up (`network/src/transport.rs`, `HANDSHAKE_TIMEOUT`).
pub const DIAL_TIMEOUT: Time = 4 * SECOND;
/// Between refreshes of the routing table (`network/src/behaviour.rs`, `BOOTSTRAP_INTERVAL`).
pub const BOOTSTRAP_INTERVAL: Time = 60 * 60 * SECOND;
/// Between renewals of what a node advertises (`network/src/behaviour.rs`, half of `PROVIDER_TTL`).
pub const ANNOUNCE_INTERVAL: Time = 60 * 60 * SECOND;
/// Most providers that a node remembers for one key (`network/src/behaviour.rs`, `PROVIDERS_PER_KEY_MAX`).
pub const PROVIDERS_PER_KEY_MAX: usize = 64;
/// Nodes of one lookup that are asked for their offers (`node/src/sky.rs`, `LOOKUP_NODES_MAX`).
pub const LOOKUP_NODES_MAX: usize = 16;
/// Keys that a usual node advertises: its region, two for each of two levels, two kinds (`market/src/capability.rs`).
pub const KEYS_ADVERTISED: usize = 7;

/// Known members that a node keeps itself connected to (`network/src/config.rs`, `members_connected_target`).
pub const CONNECTIONS_TARGET: usize = 50;
/// Connections at most: those to members and those of strangers (`network/src/config.rs`, `connections_max` and
/// `strangers_max`).
pub const CONNECTIONS_MAX: usize = 512 + 64;
/// Connections to members beyond which those used least lately end (`network/src/config.rs`, `members_idle_max`).
pub const MEMBERS_IDLE_MAX: usize = 128;
/// Members are pinged this often (`network/src/behaviour.rs`, `PING_INTERVAL`).
pub const PING_INTERVAL: Time = 15 * SECOND;
/// From a peer's end to the moment at which it is noticed: a ping and its `PING_TIMEOUT`.
pub const NOTICED_AFTER: Time = 25 * SECOND;

/// Mesh sizes of gossipsub 0.50, defaults but for the most (`network/src/behaviour.rs`, `MESH_MAX`): wanted, least,
/// most, and least dialled by oneself.
pub const MESH: usize = 6;
/// See [`MESH`].
pub const MESH_LOW: usize = 5;
/// See [`MESH`].
pub const MESH_HIGH: usize = 8;
/// See [`MESH`].
pub const MESH_OUTBOUND_MIN: usize = 2;
/// Gossip's beat (`network/src/behaviour.rs`, `HEARTBEAT`).
pub const HEARTBEAT: Time = SECOND;
/// Beats in which a message is told of: gossipsub's `history_gossip`, default.
pub const HISTORY_GOSSIP: usize = 3;
/// Peers outside the mesh that are told at least: gossipsub's `gossip_lazy`, default.
pub const GOSSIP_LAZY: usize = 6;
/// Share of all peers outside the mesh that are told, if more (`network/src/behaviour.rs`, `gossip_factor`).
pub const GOSSIP_FACTOR: f64 = 0.0;
/// Bytes of a message's name (`network/src/behaviour.rs`, `MESSAGE_ID_BYTES`).
pub const MESSAGE_ID_BYTES: u64 = 16;

/// Shortest time between two offers (`node/src/config.rs`, `offer_interval_ms`).
pub const OFFER_INTERVAL_MS: u64 = 30_000;
/// What an offer's size is taken for where intervals are set (`node/src/offers.rs`, `OFFER_BYTES`).
pub const OFFER_BYTES: u64 = 700;
/// Bytes of offers a second that a node takes when nothing happens (`node/src/offers.rs`, `IDLE_BYTES_PER_S`).
pub const IDLE_BYTES_PER_S: u64 = 300;
/// Intervals that an offer lives (`node/src/offers.rs`, `LIFE_INTERVALS`).
pub const LIFE_INTERVALS: u64 = 3;
/// Shortest time between two offers when something changed (`node/src/offers.rs`, `CHANGE_INTERVAL_MS`).
pub const CHANGE_INTERVAL_MS: u64 = 2_000;
/// Offers that a newcomer is given by each neighbour (`protocol/src/query.rs`, `OFFERS_MAX`).
pub const OFFERS_ASKED_MAX: usize = 512;

/// Idle traffic that a node may cause: 1 GB a month, in bytes a second.
pub const IDLE_CAP_BYTES_PER_S: f64 = 1e9 / (30.44 * 86_400.0);
/// Blocks that do not travel with the word of them are larger than this (`protocol/src/ledger.rs`, `NEWS_BYTES_MAX`).
pub const NEWS_BYTES_MAX: f64 = 12.0 * 1024.0;

/// The time between two offers of a node that knows of so many members (`node/src/offers.rs`, `interval_ms`).
pub const fn offer_interval_ms(members: u64) -> u64 {
    let paced = members * OFFER_BYTES * 1_000 / IDLE_BYTES_PER_S;
    let paced = if paced > OFFER_INTERVAL_MS { paced } else { OFFER_INTERVAL_MS };
    let longest = OFFER_LIFE_MS_MAX / LIFE_INTERVALS;
    if paced < longest { paced } else { longest }
}
