//! The ledger: its rules, its state as one authenticated map, and proofs of it.
//!
//! What it is: blocks of signed transactions applied to a state ([`ledger::Ledger`]), the tree over
//! all of it ([`tree::Tree`]), proofs for light clients ([`proof::StateProof`]), snapshots for newcomers
//! ([`snapshot`]), and what public chains will read ([`evm`]). What it never does: any I/O, reading a
//! clock, drawing randomness, deciding which block comes next. Start at [`action::Action`] (what can
//! be done), [`apply`] (how), [`entry::Entry`] (what the state holds) and [`ledger::Ledger`].

pub mod account;
pub mod action;
pub mod apply;
pub mod approval;
pub mod authority;
pub mod block;
pub mod bridge;
pub mod checkpoint;
mod due;
pub mod entry;
pub mod escrow;
pub mod event;
pub mod evm;
pub mod fact;
pub mod genesis;
pub mod key;
pub mod keys;
pub mod ledger;
pub mod memo;
pub mod overdraft;
pub mod params;
pub mod proof;
pub mod purse;
pub mod puzzle;
pub mod registry;
pub mod rejection;
pub mod reputation;
pub mod rules;
pub mod snapshot;
pub mod stake;
pub mod state;
pub mod tab;
mod table;
pub mod transaction;
mod transfer;
pub mod tree;
pub mod validators;
pub mod view;
