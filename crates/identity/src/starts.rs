//! The start counter, which gives away a second node with the same key.

use crate::{
    files::{self, FileError},
    fill_random,
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::codec;
use std::path::Path;

const VERSION: u8 = 1;

/// One start of the node.
///
/// A node numbers its offers from [`Start::first_sequence`] on, and remembers those that it made in
/// this run. If it meets an offer signed with its own key, [`Start::judge`] says what that means. Of
/// two nodes with one key, at least one meets such an offer, whatever their counters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Start {
    version: u8,
    count: u64,
    nonce: u64,
}

/// What an offer signed with the node's own key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    /// Nothing: this node made it, in this run or in an earlier one.
    None,
    /// Another node runs with this key. This one must stop with an error.
    Found,
}

impl Start {
    /// The first start of a folder is 1.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Random; different for each start, and for two copies that started equally often.
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Greater than every offer sequence of earlier starts.
    pub fn first_sequence(&self) -> u64 {
        self.count << 32
    }

    /// Judges an offer with this node's signature. `made_here`: this run made that very offer.
    pub fn judge(&self, sequence: u64, made_here: bool) -> Twin {
        if made_here || sequence < self.first_sequence() { Twin::None } else { Twin::Found }
    }

    /// Counts a start, durably. `Ok(None)`: the counter's file cannot be read.
    pub(crate) fn begin(path: &Path) -> Result<Option<Self>, FileError> {
        let last = match files::read(path)? {
            None => 0,
            Some(bytes) => match codec::decode::<Self>(&bytes, 64) {
                Ok(last) if last.version == VERSION && last.count < u64::from(u32::MAX) => last.count,
                _ => return Ok(None),
            },
        };
        let mut nonce = [0; 8];
        fill_random(&mut nonce);
        let start = Self { version: VERSION, count: last + 1, nonce: u64::from_le_bytes(nonce) };
        files::write(path, &codec::encode(&start))?;
        Ok(Some(start))
    }
}
