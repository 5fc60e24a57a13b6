//! The node itself.

use crate::{
    ledger::LedgerSummary,
    limits::Limits,
    offer::{HardwareView, OfferView},
};
use opensky_types::{Hash, NodeId, Timestamp, membership::Genesis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the node is doing, in one screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Who this is.
    pub node: NodeId,
    /// Its name for people.
    pub name: String,
    /// Software version.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Its clock when it answered.
    pub now: Timestamp,
    /// The sky it belongs to.
    pub sky: SkyView,
    /// Its data folder.
    pub data_dir: String,
    /// Its place in the network.
    pub network: NetworkSummary,
    /// Offers it knows, its own among them.
    pub offers: u32,
    /// What it does for others.
    pub sharing: SharingView,
    /// Jobs of its owner that have not ended.
    pub jobs_open: u32,
    /// The sky's ledger.
    pub ledger: LedgerSummary,
    /// Its store of content.
    pub storage: StorageView,
    /// Its own memory, in bytes, worker processes not counted.
    pub resident_bytes: u64,
}

/// A sky.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkyView {
    /// Its id.
    pub sky: Hash,
    /// Its name.
    pub name: String,
    /// Who founded it.
    pub founder: NodeId,
    /// When.
    pub founded_at: Timestamp,
    /// `true`: prices are zero.
    pub economy_free: bool,
}

impl From<&Genesis> for SkyView {
    fn from(genesis: &Genesis) -> Self {
        Self {
            sky: genesis.sky(),
            name: genesis.name.clone(),
            founder: genesis.founder,
            founded_at: genesis.founded_at,
            economy_free: genesis.economy_free,
        }
    }
}

/// The network in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkSummary {
    /// Connected members.
    pub peers: u32,
    /// Of those, reached through another node.
    pub peers_relayed: u32,
    /// Where this node listens, as multiaddresses.
    pub listening: Vec<String>,
    /// Where others say that they reach it.
    pub external: Vec<String>,
    /// `public`, `private` or `unknown`.
    pub reachability: String,
    /// All traffic since start, in bytes.
    pub sent_bytes: u64,
    /// See `sent_bytes`.
    pub received_bytes: u64,
}

/// What the node does for others now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharingView {
    /// Tasks that may run at a time.
    pub slots_total: u16,
    /// Tasks that run.
    pub slots_busy: u16,
    /// Why nothing is shared, such as `outside-hours`; empty while sharing.
    pub closed_reason: String,
    /// Tasks finished for others since start.
    pub tasks_done: u64,
}

/// The blob store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StorageView {
    /// In use, in bytes.
    pub used_bytes: u64,
    /// The most it may use, in bytes.
    pub cap_bytes: u64,
}

/// The node and its machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeView {
    /// Who this is.
    pub node: NodeId,
    /// Its name for people.
    pub name: String,
    /// The machine.
    pub hardware: HardwareView,
    /// How the machine is doing.
    pub readings: ReadingsView,
    /// The owner's limits.
    pub limits: Limits,
    /// What it offers now; absent before the first offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferView>,
}

/// Asks for another name of the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameRequest {
    /// For people; up to 64 characters, none of them a control character. Empty: the end of the node's id.
    pub name: String,
}

/// Live readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadingsView {
    /// Processor use by others than this node, in percent of all cores.
    pub cpu_busy_percent: u8,
    /// Memory that new work could take, in bytes.
    pub memory_available_bytes: u64,
    /// Free disk, in bytes.
    pub disk_free_bytes: u64,
    /// Hottest sensor, in degrees Celsius, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<i16>,
    /// Milliseconds since somebody used keyboard or pointer, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
}

impl From<opensky_types::resources::Readings> for ReadingsView {
    fn from(readings: opensky_types::resources::Readings) -> Self {
        Self {
            cpu_busy_percent: readings.cpu_busy_percent,
            memory_available_bytes: readings.memory_available_bytes,
            disk_free_bytes: readings.disk_free_bytes,
            temperature_celsius: readings.temperature_celsius,
            idle_ms: readings.idle_ms,
        }
    }
}
