//! Whole clusters under a runtime whose clock, network, disk and scheduling all come from one seed.

mod chain;
mod cluster;
mod epochs;
mod faults;
mod formats;
mod liar;
mod model;
mod proofs;
