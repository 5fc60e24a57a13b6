//! What must hold of any bytes that come from outside.
//!
//! What it is: [`TARGETS`], one function for each decoder and parser, which panics where bytes make it do what it
//! must not: panic itself, accept two encodings of one value, accept what is forged or unsound. Each has first inputs.
//! `tests/smoke.rs` tries spoilt samples on all of them; `fuzz/run`, in the repository's root, has libFuzzer search
//! for long, guided by coverage. What it never does: go into a program that anybody runs. Start at [`targets`]; a
//! decoder that gets a target is one file there and one line in the table. docs/fuzzing.md says what else is tried.

mod choices;
mod folder;
mod mix;
mod people;
mod small;
pub mod targets;

pub use targets::{Family, TARGETS, Target, find};

use opensky_protocol::{Message, frame::HEADER_BYTES, samples::Named};
use opensky_types::codec;
use std::fmt::Debug;

/// First inputs of a target, by name.
pub type Seeds = Vec<(String, Vec<u8>)>;

/// Bytes are refused, or they are the one encoding of what they decode to.
fn check_message<M: Message>(body: &[u8]) -> Option<M> {
    let message = M::from_body(body).ok()?;
    assert!(message.to_frame()[HEADER_BYTES..] == *body, "a second encoding was accepted");
    Some(message)
}

/// The same of a value that is part of messages, or is kept.
fn check_value<T>(bytes: &[u8], bytes_max: usize) -> Option<T>
where
    T: borsh::BorshSerialize + borsh::BorshDeserialize,
{
    let value = codec::decode::<T>(bytes, bytes_max).ok()?;
    assert!(codec::encode(&value) == bytes, "a second encoding was accepted");
    Some(value)
}

/// A text that is read is shown as one that reads the same.
fn check_text<T: std::str::FromStr + ToString + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let shown = value.to_string();
        assert!(shown.parse().is_ok_and(|again: T| again == value), "{shown:?} is another than {value:?}");
    }
}

/// Samples of one kind of message as first inputs.
fn message_seeds<M: Message>(kind: &str, named: Named<M>) -> impl Iterator<Item = (String, Vec<u8>)> {
    named
        .into_iter()
        .map(move |(name, message)| (format!("{kind}_{name}"), message.to_frame()[HEADER_BYTES..].to_vec()))
}

/// First inputs with names that are known here.
fn seeds<const N: usize>(named: [(&str, Vec<u8>); N]) -> Seeds {
    named.map(|(name, bytes)| (name.to_owned(), bytes)).into()
}
