//! What is to happen in a run, as data: drawn from a seed, kept as a file, made smaller by the shrinker.

mod draw;

use crate::weather::Climate;
use serde::{Deserialize, Serialize};

/// The whole run. The same plan always leads to the same run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Decides all that the plan does not say.
    pub seed: u64,
    /// How many of the nodes validate, the first ones.
    pub validators: u8,
    /// Whether work has a price.
    pub has_prices: bool,
    /// Blocks of an epoch.
    pub epoch_blocks: u64,
    /// Blocks between two snapshots of the ledger.
    pub snapshot_blocks: u64,
    /// What the network is like while nothing is wrong with it.
    pub climate: Climate,
    /// The nodes; the first one founded the sky.
    pub nodes: Vec<NodePlan>,
    /// What happens, in order of time.
    pub steps: Vec<Step>,
    /// When faults end. From then on everything has to come right.
    pub busy_ms: u64,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePlan {
    /// How it does others' work.
    pub manner: Manner,
    /// How much faster its clock runs, in parts per million.
    pub drift_ppm: i64,
    /// When it comes to the sky, in milliseconds.
    pub comes_ms: u64,
}

/// How a node does others' work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Manner {
    /// As it should.
    Honest,
    /// As it should, but so many times slower than others.
    Slow(u32),
    /// So many of a thousand tasks never end.
    Stalls(u32),
    /// So many of a thousand results are made up.
    Lies(u32),
    /// It says that tasks used more than they did: what it may bill, and sometimes more than that.
    Overbills,
    /// So many of a thousand tasks fail.
    Fails(u32),
}

/// Something happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When, in milliseconds since the start.
    pub at_ms: u64,
    /// What.
    pub deed: Deed,
}

/// What happens. Nodes go by number; what names one that is down does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// A node's user submits a job.
    Submit { node: usize, job: JobShape },
    /// A user cancels the job that was submitted so many jobs ago.
    Cancel { node: usize, back: usize },
    /// A user has that job tried again.
    Retry { node: usize, back: usize },
    /// A node pays another.
    Transfer { from: usize, to: usize, micros: u64 },
    /// An owner sets a price.
    Price { node: usize, micros: u64 },
    /// An owner shares, or no more.
    Share { node: usize, share: bool },
    /// A process is killed and comes back.
    Kill { node: usize, down_ms: u64 },
    /// The power fails; what was not synced is lost in part.
    PowerCut { node: usize, down_ms: u64 },
    /// The power fails everywhere at once.
    PowerCutForAll { down_ms: u64 },
    /// The power fails with a write to a disk.
    DieAtSync { node: usize, ledger: bool, more: u64, reaches: bool, down_ms: u64 },
    /// A node goes for good.
    Leave { node: usize },
    /// The disk is lost; the key is not.
    LoseDisk { node: usize, down_ms: u64 },
    /// A bit of the ledger's file changes while the node is down.
    Rot { node: usize, position: u64, down_ms: u64 },
    /// Syncs of the journal fail; the node is started again on a disk that works.
    SyncsFail { node: usize, for_ms: u64 },
    /// The disk is full for a while.
    DiskFull { node: usize, for_ms: u64 },
    /// These nodes and the others do not reach each other.
    Split { side: Vec<usize>, for_ms: u64 },
    /// Nothing gets from one node to another.
    OneWay { from: usize, to: usize, for_ms: u64 },
    /// The network is like this for a while.
    Storm { climate: Climate, for_ms: u64 },
    /// A clock is set, and set right again.
    ClockJump { node: usize, millis: i64, for_ms: u64 },
    /// A validator votes for two blocks, and is seen.
    Equivocate { node: usize },
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobShape {
    /// Its stages, in order.
    pub stages: Vec<StageShape>,
    /// Whether it outlives its node's crash.
    pub durable: bool,
    /// What it may cost, in micros.
    pub budget: Option<u64>,
    /// How long it waits for nodes that fit.
    pub wait_ms: u64,
    /// When it is stopped.
    pub deadline_ms: Option<u64>,
}

/// A stage of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageShape {
    /// What its tasks read.
    pub reads: Reads,
    /// How results are checked.
    pub check: Check,
    /// How long a task takes on an ordinary node.
    pub task_ms: u64,
    /// Whether stragglers get a second copy.
    pub hedge: bool,
}

/// What tasks read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reads {
    /// So many numbers.
    Numbers(u32),
    /// The outputs of an earlier stage, one each.
    Each(u16),
    /// The outputs of an earlier stage, so many together.
    Reduce(u16, u32),
}

/// How results are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Check {
    /// Not at all.
    None,
    /// So many of a thousand run again elsewhere.
    Sample(u16),
    /// Two of two, and up to four, have to agree.
    Quorum,
    /// As often as a node's standing asks.
    Reputation,
}
