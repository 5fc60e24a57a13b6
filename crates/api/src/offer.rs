//! Offers as this node's market holds them, and the machines behind them.

use crate::job::{ContainerOfferView, TaskLimitsView};
use opensky_types::{
    Micros, NodeId, Timestamp,
    offer::Offer,
    place::{Level, NodeKind, Region},
    resources::{Gpu, HardwareProfile},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Offers that have not expired, in order of node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Offers {
    /// They.
    pub offers: Vec<OfferView>,
}

/// Clusters that live offers form, in order of name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Clusters {
    /// They.
    pub clusters: Vec<ClusterView>,
}

/// Nodes of one region with one capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterView {
    /// `region/capability`, such as `europe/function`.
    pub name: String,
    /// Nodes in it.
    pub members: u32,
    /// Tasks they run at a time.
    pub slots_total: u32,
    /// Of those, how many are free.
    pub slots_free: u32,
    /// When it was heard from last.
    pub heartbeat_at: Timestamp,
}

/// One offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OfferView {
    /// The provider.
    pub node: NodeId,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it stops counting.
    pub expires_at: Timestamp,
    /// Where the node is.
    pub region: Region,
    /// What it is meant for.
    pub kinds: Vec<NodeKind>,
    /// How it runs tasks.
    pub levels: Vec<Level>,
    /// The machine.
    pub hardware: HardwareView,
    /// Most tasks at a time.
    pub slots_total: u16,
    /// Of those, free.
    pub slots_free: u16,
    /// The largest limits it accepts for one task.
    pub task_limits_max: TaskLimitsView,
    /// Engine and version.
    pub engine: String,
    /// Price of one billion fuel, in micros.
    pub price_per_gfuel: Micros,
    /// Why nothing is shared, if nothing is.
    pub note: String,
    /// What containers find there beside a processor, memory and files.
    #[serde(default)]
    pub containers: ContainerOfferView,
}

/// A machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HardwareView {
    /// Marketing name of the processor.
    pub cpu_model: String,
    /// `x86_64`, `aarch64`, …
    pub cpu_arch: String,
    /// Logical cores.
    pub cpu_cores: u16,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Free disk under the data folder, in bytes.
    pub disk_free_bytes: u64,
    /// Sequential write speed of that disk, in MB/s; 0 if not measured.
    pub disk_write_mb_s: u32,
    /// Accelerators.
    pub gpus: Vec<GpuView>,
    /// Compute score of one core: millions of fuel per second on the reference program.
    pub score_per_core: u32,
}

/// One accelerator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GpuView {
    /// Marketing name.
    pub model: String,
    /// `nvidia`, `amd`, …
    pub vendor: String,
    /// Its memory in bytes, where the driver says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

/// Prices of work in one moment, over the live offers that share something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceSample {
    /// When.
    pub at: Timestamp,
    /// How many offers.
    pub offers: u32,
    /// Tasks that all of them could take at that moment.
    pub slots_free: u32,
    /// Lowest price of one billion fuel, in micros.
    pub price_min: Micros,
    /// That which half of the offers are not above.
    pub price_median: Micros,
    /// The highest.
    pub price_max: Micros,
}

/// Prices that this node has seen since it started, for a day at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceHistory {
    /// One a minute, oldest first; none for minutes without offers.
    pub samples: Vec<PriceSample>,
}

impl From<&HardwareProfile> for HardwareView {
    fn from(hardware: &HardwareProfile) -> Self {
        let gpu = |gpu: &Gpu| GpuView {
            model: gpu.model.clone(),
            vendor: gpu.vendor.clone(),
            memory_bytes: gpu.memory_bytes,
        };
        Self {
            cpu_model: hardware.cpu_model.clone(),
            cpu_arch: hardware.cpu_arch.clone(),
            cpu_cores: hardware.cpu_cores,
            memory_bytes: hardware.memory_bytes,
            disk_free_bytes: hardware.disk_free_bytes,
            disk_write_mb_s: hardware.disk_write_mb_s,
            gpus: hardware.gpus.iter().map(gpu).collect(),
            score_per_core: hardware.score_per_core,
        }
    }
}

impl From<&Offer> for OfferView {
    fn from(offer: &Offer) -> Self {
        Self {
            node: offer.node,
            made_at: offer.made_at,
            expires_at: offer.expires_at,
            region: offer.region,
            kinds: offer.kinds.clone(),
            levels: offer.levels.clone(),
            hardware: (&offer.hardware).into(),
            slots_total: offer.slots_total,
            slots_free: offer.slots_free,
            task_limits_max: offer.task_limits_max.into(),
            engine: offer.engine.clone(),
            price_per_gfuel: offer.price_per_gfuel,
            note: offer.note.clone(),
            containers: offer.containers.clone().into(),
        }
    }
}
