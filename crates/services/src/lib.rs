//! Keeps services up.
//!
//! What it is: three pure cores. [`Keeper`] decides where replicas of a service belong, replaces those that are
//! lost, and brings in new revisions; [`Host`] leads the life of the replicas on one node; [`Directory`] knows
//! who answers for a service right now. What they never do: I/O, reading a clock, drawing randomness, signing.
//! Start at [`Keeper::handle`], then `keeper/reconcile.rs`.

mod directory;
mod host;
mod keeper;

/// How slowly a save of volumes may be fetched, 1 MB a second: hosts and keepers wait that long for each other.
const SLOW_BYTES_PER_MS: u64 = 1_000;

pub use directory::{Directory, Heard, Known, Resolved, UnknownService};
pub use host::{Capacity, Host, HostConfig, HostEffect, HostInput, HostedView, Taken};
pub use keeper::{
    Failing, GivenUp, KEPT_MAX, Keeper, KeeperConfig, KeeperEffect, KeeperInput, KeptView, LastRun, Note,
    NoteText, PlacedView, SlotData,
};
