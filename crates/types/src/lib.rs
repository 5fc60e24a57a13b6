//! The words of OpenSky as types.
//!
//! What it is: ids, keys, hashes, units, and the records that nodes exchange, sign and keep, with
//! their one canonical encoding. What it never does: any I/O, reading a clock, drawing randomness.
//! Start at [`job::JobSpec`] (what a user wants), [`offer::Offer`] (what a provider has),
//! [`agreement::Terms`] (what the two fix) and [`receipt::Receipt`] (what is proven afterwards).

pub mod account;
pub mod agreement;
pub mod batch;
pub mod codec;
pub mod engine;
pub mod hash;
pub mod ids;
pub mod job;
pub mod key;
pub mod limits;
pub mod membership;
pub mod merkle;
pub mod offer;
pub mod place;
pub mod reason;
pub mod receipt;
pub mod resources;
pub mod rotation;
#[cfg(feature = "testing")]
pub mod samples;
#[cfg(feature = "schema")]
pub mod schema;
pub mod service;
pub mod signed;
pub mod task;
pub mod text;
pub mod units;

pub use account::{AccountId, PublicKey};
pub use hash::Hash;
pub use ids::{AgreementId, JobId, ServiceId, TaskId};
pub use key::{Keypair, NodeId, Signature};
pub use signed::{Signable, Signed};
pub use units::{Micros, Timestamp};
