//! A sky of 100,000 nodes as a model.
//!
//! What it is: state machines of discovery, gossip, offers, market and settlement with the product's parameters,
//! whose messages are events in virtual time, all from one seed. What it never does: I/O, reading a clock, running
//! the product's nodes (`opensky-sim` does that with few of them). Start at [`run()`]; what it found is in
//! `docs/scale.md`.

pub mod chance;
pub mod discovery;
pub mod gossip;
pub mod knocks;
pub mod links;
pub mod offers;
pub mod params;
pub mod queue;
pub mod report;
pub mod run;
pub mod settlement;
pub mod sizes;
pub mod space;
pub mod stock;
pub mod traffic;
pub mod worth;

pub use report::Report;
pub use run::{Options, Part, run};
