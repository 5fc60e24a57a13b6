//! Offers (what a provider sells) and demands (what a stage of a job needs).

use crate::{
    key::NodeId,
    place::{Level, NodeKind, Region},
    resources::{HardwareProfile, TaskLimits},
    signed::Signable,
    units::{Micros, Timestamp},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest time that an offer holds, in milliseconds. Nodes make a new one well before, however large their sky is.
pub const OFFER_LIFE_MS_MAX: u64 = 2 * 60 * 60 * 1_000;

/// What a provider offers right now. Signed by it, gossiped, and worthless after `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Offer {
    /// The provider; equals the signer.
    pub node: NodeId,
    /// Grows with each offer of this node, over restarts too; the highest one counts.
    pub sequence: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it stops counting.
    pub expires_at: Timestamp,
    /// Where the node is.
    pub region: Region,
    /// What kinds of work it is meant for.
    pub kinds: Vec<NodeKind>,
    /// How it can run tasks.
    pub levels: Vec<Level>,
    /// The machine.
    pub hardware: HardwareProfile,
    /// Most tasks it runs at a time within its owner's limits.
    pub slots_total: u16,
    /// Of those, how many are free.
    pub slots_free: u16,
    /// The largest limits it accepts for one task.
    pub task_limits_max: TaskLimits,
    /// Engines that would run the work: names and versions, with commas between them.
    pub engine: String,
    /// Price of one billion fuel; zero in a free sky.
    pub price_per_gfuel: Micros,
    /// A word for other nodes when `slots_total` is 0 for a reason, such as `outside-hours`.
    pub note: String,
}

impl Signable for Offer {
    const DOMAIN: &'static [u8; 16] = b"opensky/offer\0\0\0";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 8 * 1024;
}

/// What providers must have for a stage's tasks. An empty list means "any".
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Constraints {
    /// Only these regions.
    pub regions: Vec<Region>,
    /// Only nodes of one of these kinds.
    pub kinds: Vec<NodeKind>,
    /// Only these nodes.
    pub peers: Vec<NodeId>,
    /// Never these nodes.
    pub peers_excluded: Vec<NodeId>,
    /// At least this many logical cores.
    pub cpu_cores_min: u16,
    /// At least this measured score of one core.
    pub score_min: u32,
    /// At least this much machine memory.
    pub machine_memory_bytes_min: u64,
    /// At least this many GPUs.
    pub gpus_min: u8,
    /// At most this price of one billion fuel.
    pub price_per_gfuel_max: Option<Micros>,
    /// Processor architecture, such as `x86_64`.
    pub arch: Option<String>,
}

/// A stage's need, as the market sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// How the tasks run.
    pub level: Level,
    /// Limits of one task, which the provider must allow.
    pub limits: TaskLimits,
    /// What else the provider must have.
    pub constraints: Constraints,
}
