//! The authenticated state: its tree, proofs, snapshots, and what public chains read.

mod chunks;
mod claims;
mod common;
mod golden;
mod lengths;
mod paths;
mod roots;
mod snapshots;
mod state_proofs;
mod vectors;
