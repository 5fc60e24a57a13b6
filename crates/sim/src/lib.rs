//! Whole skies on one thread, in virtual time, from one seed.
//!
//! What it is: nodes as they are shipped (loop, cores, journal, ledger, follower sync) on simulated
//! networks, disks, clocks and executors, under a [`Plan`](plan::Plan) of work and faults that a seed
//! decides; a model of consensus in the place of the engine. What it never does: read a clock, draw chance
//! or touch a file that is not the run's own; two runs of one plan are the same bit for bit. Start at
//! [`world::run`]; `watch.rs` says what must hold.

mod chance;
mod clock;
pub mod explore;
mod machine;
mod ordering;
pub mod plan;
pub mod shrink;
mod trace;
pub mod watch;
mod weather;
mod worker;
pub mod world;
