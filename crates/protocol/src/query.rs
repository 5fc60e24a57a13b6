//! Questions that one node asks another in passing: one frame there, one frame back.

use crate::frame::Message;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{Signed, offer::Offer};

/// Protocol name and version.
pub const PROTOCOL: &str = "/opensky/query/1";
/// Most offers in one answer.
pub const OFFERS_MAX: u16 = 512;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Query {
    /// Offers that you know, at most so many; how a newcomer fills its index.
    Offers { limit: u16 } = 0,
    /// Your own offer; how a node found in the DHT is asked.
    OwnOffer = 1,
}

impl Message for Query {
    const SIZE_BYTES_MAX: usize = 64;
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum QueryReply {
    /// Offers, each still signed by its maker.
    Offers { offers: Vec<Signed<Offer>> } = 0,
}

impl Message for QueryReply {
    const SIZE_BYTES_MAX: usize = 2 * 1024 * 1024;
}
