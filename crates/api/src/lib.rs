//! The local HTTP API of a node, as types.
//!
//! What it is: the routes, the JSON of every request, answer and event, the error shape (RFC 9457),
//! and the conversions between these and [`opensky_types`]. The gateway serves it, the Rust client
//! and the CLI speak it. What it never does: any I/O, or holding a rule that the node relies on:
//! a request turned into a domain type is still validated there. Start at [`routes`], then
//! [`job::JobRequest`] (what is submitted) and [`progress::JobDetail`] (what is shown).
//!
//! Conventions: names are `snake_case` with the unit last (`size_bytes`, `wall_ms`). A moment
//! (`…_at`) is a number of milliseconds since 1970-01-01 UTC. Ids and hashes are text. Amounts are
//! micros (1 credit is 1,000,000). Integers stay below 2^53 in practice, so JavaScript reads them
//! exactly; the one number drawn at random, a job's seed, is drawn below 2^53. Requests refuse
//! unknown fields; readers of answers must ignore them.

pub mod checkpoint;
pub mod config;
pub mod content;
pub mod doctor;
pub mod event;
pub mod graphql;
pub mod happening;
pub mod history;
pub mod image;
pub mod job;
pub mod key;
pub mod ledger;
pub mod limits;
pub mod membership;
pub mod network;
pub mod offer;
pub mod problem;
pub mod progress;
pub mod quote;
pub mod receipt;
pub mod routes;
pub mod service;
pub mod session;
pub mod status;
pub mod transaction;
pub mod usage;
pub mod validators;
pub mod wallet;

pub use problem::{Code, Problem};
