//! A statement that says what a vector says, and a count of vectors by their flags.

use opensky_ledger::{
    approval::{Approval, ApprovalError, Statement},
    evm::Keccak,
};
use opensky_types::codec::{self, DecodeError};
use std::{collections::BTreeMap, fmt::Debug};

/// A statement whose three forms are chosen freely.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub message: Vec<u8>,
    pub text: String,
    pub typed: Keccak,
}

impl Statement for Said {
    fn message(&self) -> Vec<u8> {
        self.message.clone()
    }
    fn text(&self) -> String {
        self.text.clone()
    }
    fn typed(&self) -> Keccak {
        self.typed
    }
}

/// Why the ledger takes no notice of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The bytes are no approval.
    Malformed(DecodeError),
    /// They are one, and it does not hold.
    Approval(ApprovalError),
}

/// Reads an approval as it stands in a transaction: the number of its kind, the key, the signature.
pub fn read(kind: u8, key: &[u8], signature: &[u8]) -> Result<Approval, Refused> {
    let bytes = [&[kind], key, signature].concat();
    codec::decode(&bytes, 1 << 12).map_err(Refused::Malformed)
}

/// Reads and checks it.
pub fn check(kind: u8, key: &[u8], signature: &[u8], said: &Said) -> Result<(), Refused> {
    read(kind, key, signature)?.verify(said).map_err(Refused::Approval)
}

/// How many vectors there are with the same flags.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<String, usize>);

impl Tally {
    /// None yet.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Counts a vector.
    pub fn add<F: Debug>(&mut self, flags: &[F]) {
        let names: Vec<String> = flags.iter().map(|flag| format!("{flag:?}")).collect();
        *self.0.entry(names.join("+")).or_default() += 1;
    }

    /// These counts.
    pub fn of<'a>(counts: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        Self(counts.into_iter().map(|(flags, count)| (flags.to_owned(), count)).collect())
    }
}
