//! What nodes say to each other.
//!
//! What it is: every message of the wire, with its protocol name, version and size cap, and the
//! verified-streaming format of blobs. What it never does: I/O. A message is one frame: a little-
//! endian `u32` length and that many bytes of canonical Borsh. A new message is one new file here
//! and one match arm in the node.

pub mod frame;
pub mod knock;
pub mod ledger;
pub mod query;
#[cfg(feature = "testing")]
pub mod samples;
pub mod service;
pub mod transfer;
pub mod work;

pub use frame::{Message, read_frame_len};

/// Topic of signed offers.
pub const TOPIC_OFFERS: &str = "offers/1";
/// Largest gossiped message, in bytes.
pub const GOSSIP_BYTES_MAX: usize = 16 * 1024;

/// Topics that members gossip about.
pub const TOPICS: [&str; 5] = [
    TOPIC_OFFERS,
    ledger::TOPIC_BLOCKS,
    ledger::TOPIC_TRANSACTIONS,
    ledger::TOPIC_CHECKPOINTS,
    service::TOPIC_ADVERTS,
];

/// Stream protocols, by name and version. The network serves exactly these.
pub const PROTOCOLS: [&str; 5] =
    [work::PROTOCOL, transfer::PROTOCOL, query::PROTOCOL, ledger::PROTOCOL, service::PROTOCOL];
