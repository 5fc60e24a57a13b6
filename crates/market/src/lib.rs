//! The market as one consumer sees it.
//!
//! What it is: a pure index of live offers ([`Market`]), and the search for those that fit a demand
//! best ([`Market::find`]): filter, score, spread. What it never does: I/O, reading a clock, drawing
//! randomness, or checking signatures; the node does that before it inserts. Start at
//! [`Market::find`].

mod capability;
mod cluster;
mod config;
mod filter;
mod find;
mod index;
mod row;
mod sanity;

pub use capability::{capability_keys, keys_for};
pub use cluster::Cluster;
pub use config::{Config, Weights};
pub use find::{Match, Matches};
pub use index::{Inserted, Market};
pub use row::ROW_BYTES;
pub use sanity::OfferRejected;
