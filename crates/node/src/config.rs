//! What an operator can set about a node, beyond its limits.

use opensky_types::place::{NodeKind, Region};

/// The node's settings. `Default` runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the machine is.
    pub region: Region,
    /// What kinds of work it is meant for.
    pub kinds: Vec<NodeKind>,
    /// Shortest time between two offers of this node, in milliseconds.
    pub offer_interval_ms: u64,
    /// How long a consumer that vanished may come back to its running tasks, in milliseconds.
    pub orphan_grace_ms: u64,
    /// Silence on a work stream after which the other side counts as lost, in milliseconds.
    pub link_silence_ms_max: u64,
    /// Most jobs that are active at a time.
    pub jobs_active_max: usize,
    /// Whether the owner lets whoever decides on validators make this node one.
    pub validate: bool,
    /// Blocks behind a member's ledger from which on its snapshot is taken over, not each block.
    pub blocks_behind_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            region: Region::Unknown,
            kinds: vec![NodeKind::General, NodeKind::Wasm],
            offer_interval_ms: 30_000,
            orphan_grace_ms: 10 * 60_000,
            link_silence_ms_max: 15_000,
            jobs_active_max: 1_000,
            validate: false,
            blocks_behind_max: 5_000,
        }
    }
}
