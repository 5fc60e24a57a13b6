//! What a provider is and how much it takes on.

use opensky_types::{Hash, NodeId, place::Level, resources::TaskLimits};

/// Fixed while the node runs. The owner's limits are not here: they are an input and may change.
#[derive(Debug, Clone)]
pub struct Config {
    /// The sky; terms of another one are refused.
    pub sky: Hash,
    /// This node.
    pub node: NodeId,
    /// Whether the sky has prices: then the owner's holds, and terms must carry exactly that.
    pub has_prices: bool,
    /// Longest time in which a consumer may object to a claim, in ms.
    pub claim_window_ms_max: u64,
    /// Milliseconds that an agreement is kept for which no money comes.
    pub unfunded_ms: u64,
    /// Milliseconds that one is kept whose money is used up.
    pub used_up_ms: u64,
    /// The largest limits for one task, whatever the owner allows in total.
    pub task_limits_max: TaskLimits,
    /// Largest WASM program, in bytes.
    pub program_bytes_max: u64,
    /// Largest image, in bytes.
    pub image_bytes_max: u64,
    /// Secret random bytes, fresh at each start, that the salts of commitments are derived from.
    pub salt_seed: [u8; 32],
    /// Most agreements at a time.
    pub agreements_max: usize,
    /// Most agreements at a time with one consumer.
    pub agreements_per_consumer_max: usize,
    /// Most tasks of one agreement that are queued or run.
    pub queue_max: usize,
    /// Most bytes of results kept until they are countersigned; the oldest go first.
    pub kept_bytes_max: u64,
    /// Longest time that work of a lost consumer is kept, whatever its terms ask, in ms.
    pub orphan_grace_ms_max: u64,
    /// Work that a batch of short tasks should hold, in microseconds.
    pub batch_target_us: u64,
    /// Milliseconds for which an agreement may hold slots without any task.
    pub idle_ms: u64,
    /// Milliseconds that running work gets to finish once the machine stops sharing for the hour,
    /// its user or its heat; after that everything ends. An owner who pauses does not wait.
    pub wind_down_ms: u64,
    /// Milliseconds between two words on how an agreement stands.
    pub standing_ms: u64,
}

impl Config {
    /// Largest program of a level, in bytes.
    pub(crate) fn size_bytes_max(&self, level: Level) -> u64 {
        match level {
            Level::Function | Level::Vm => self.program_bytes_max,
            Level::Container => self.image_bytes_max,
        }
    }

    /// The usual figures for `node` in `sky`, free of charge.
    pub fn new(sky: Hash, node: NodeId, salt_seed: [u8; 32]) -> Self {
        Self {
            sky,
            node,
            has_prices: false,
            claim_window_ms_max: 60 * 60 * 1000,
            unfunded_ms: 60_000,
            used_up_ms: 10_000,
            task_limits_max: TaskLimits {
                memory_bytes: 4 << 30,
                fuel: 1 << 60,
                wall_ms: 24 * 60 * 60 * 1000,
                scratch_bytes: 64 << 30,
                output_bytes: 16 << 30,
            },
            program_bytes_max: 256 << 20,
            image_bytes_max: 4 << 30,
            salt_seed,
            agreements_max: 256,
            agreements_per_consumer_max: 32,
            queue_max: 2 * 1024,
            kept_bytes_max: 64 << 20,
            orphan_grace_ms_max: 60 * 60 * 1000,
            batch_target_us: 15_000,
            idle_ms: 60_000,
            wind_down_ms: 60_000,
            standing_ms: 5_000,
        }
    }
}
