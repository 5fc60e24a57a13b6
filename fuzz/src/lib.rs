//! What every fuzz target asserts of a decoder.
//!
//! What it is: the shared checks of the targets in `fuzz_targets/`. Run one with `./run TARGET
//! SECONDS`; stable Rust is enough. The same checks run in `cargo test` on mutated samples
//! (`crates/protocol/tests/strict.rs`), without coverage guidance.

pub mod choices;
pub mod genesis;
pub mod ledger;
pub mod mix;
pub mod people;
pub mod snapshots;
pub mod transactions;

use opensky_protocol::{Message, frame::HEADER_BYTES};

/// Bytes are refused, or they are the one encoding of what they decode to.
pub fn check_message<M: Message>(body: &[u8]) -> Option<M> {
    let message = M::from_body(body).ok()?;
    assert!(message.to_frame()[HEADER_BYTES..] == *body, "a second encoding was accepted");
    Some(message)
}
