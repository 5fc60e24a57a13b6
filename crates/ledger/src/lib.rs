//! The ledger: its state as one authenticated map, and proofs of it.
//!
//! What it is: the tree over all state ([`tree::Tree`]), proofs for light clients
//! ([`proof::StateProof`]), snapshots for newcomers ([`snapshot`]), and what public chains will read
//! ([`evm`]). What it never does: any I/O, reading a clock, drawing randomness. Start at
//! [`tree::Tree`].

pub mod account;
pub mod evm;
pub mod key;
pub mod proof;
pub mod purse;
pub mod puzzle;
pub mod registry;
pub mod reputation;
pub mod rules;
pub mod snapshot;
pub mod stake;
pub mod tree;
pub mod validators;
