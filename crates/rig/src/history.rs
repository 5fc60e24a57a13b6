//! What clients saw, and what must hold of it. Pure: no clock, no I/O; everything comes in.

mod audit;
#[cfg(test)]
mod tests;

pub use audit::Auditor;

/// The memo of what the rig itself gives to nodes that have no client.
pub const GIFT: &str = "a gift of the rig";

/// A transfer that a client asked for. Its memo names it, so that it is known again in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Its number; no other write of the run has it.
    pub number: u64,
    /// Whose money, by the place of its node.
    pub from: usize,
    /// To whom.
    pub to: usize,
    /// How much, in micros.
    pub micros: u64,
}

impl Write {
    /// The memo that it carries.
    pub fn memo(&self) -> String {
        format!("rig {}", self.number)
    }
}

/// Something that a client did or saw. Times are microseconds since the run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It was about to ask for this transfer.
    Asked { at_us: u64, write: Write },
    /// The node whose client asked said that it is final, in the block at this height.
    Acknowledged { at_us: u64, node: usize, write: u64, height: u64, asked_us: u64 },
    /// The node said no before it took it.
    Refused { write: u64 },
    /// A node said what its newest final block is.
    Read { asked_us: u64, at_us: u64, node: usize, height: u64, block: String },
    /// A node said what an account has after its newest final block.
    Balance { asked_us: u64, at_us: u64, node: usize, account: usize, height: u64, micros: u64 },
    /// A node's process was started again.
    Started { at_us: u64, node: usize },
}

impl Event {
    /// The height that a node spoke of.
    pub fn height(&self) -> Option<u64> {
        match self {
            Self::Acknowledged { height, .. } | Self::Read { height, .. } | Self::Balance { height, .. } => {
                Some(*height)
            }
            _ => None,
        }
    }
}

/// A transfer in a block. Accounts that are no node's of the rig have no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The memo.
    pub memo: String,
    /// Whose money.
    pub from: Option<usize>,
    /// To whom.
    pub to: Option<usize>,
    /// How much, in micros.
    pub micros: u64,
}

/// A final block as a node keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Distance from genesis.
    pub height: u64,
    /// Its id: the hash over all that is in it.
    pub id: String,
    /// Its transfers, in order.
    pub entries: Vec<Entry>,
}

/// What a node says when the faults are over and nothing is asked any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// For each account the height at which it was read, and what it has.
    pub balances: Vec<(u64, u64)>,
    /// Its blocks from the height on that was asked for, without a gap.
    pub blocks: Vec<Block>,
}
