//! What an offer must look like before it is looked at.

use crate::Config;
use opensky_types::{
    Timestamp,
    job::Isolation,
    offer::{Offer, REGISTRIES_MAX},
    place::{Level, NodeKind},
};

/// Most slots that one node can offer.
const SLOTS_MAX: u16 = 4_096;
/// Most GPUs that one node can list.
const GPUS_MAX: usize = 32;
/// Longest text in an offer, in bytes.
const TEXT_BYTES_MAX: usize = 128;

/// Why an offer was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferRejected {
    /// A newer one, or the same one, is known.
    #[error("offer {sequence} is not newer than {known}")]
    Stale { sequence: u64, known: u64 },
    /// It no longer counts.
    #[error("offer expired {ago_ms} ms ago")]
    Expired { ago_ms: u64 },
    /// It was made in the future: a clock is wrong.
    #[error("offer was made {ahead_ms} ms in the future; one of the two clocks is wrong")]
    FromTheFuture { ahead_ms: u64 },
    /// It wants to count for too long.
    #[error("offer would hold for {ttl_ms} ms, at most {ttl_ms_max} ms are allowed")]
    TooLong { ttl_ms: u64, ttl_ms_max: u64 },
    /// Another node signed it than the one it is about.
    #[error("offer is not signed by the node that it is about")]
    WrongSigner,
    /// A part of it is out of its range.
    #[error("offer has an impossible {what}")]
    Malformed { what: &'static str },
    /// The index is full of offers that hold longer.
    #[error("index of {nodes_max} nodes is full")]
    Full { nodes_max: usize },
}

impl OfferRejected {
    /// Whether an honest sender would not have passed this on, so that gossip is rejected rather
    /// than ignored. Stale and expired offers are honest: they crossed a newer one on the way.
    pub const fn is_senders_fault(&self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::WrongSigner | Self::Malformed { .. })
    }
}

/// Checks times and sizes. A later step relies on all of it.
pub(crate) fn check(config: &Config, now: Timestamp, offer: &Offer) -> Result<(), OfferRejected> {
    check_shape(offer).map_err(|what| OfferRejected::Malformed { what })?;
    if offer.expires_at <= now {
        return Err(OfferRejected::Expired { ago_ms: now.ms_since(offer.expires_at) });
    }
    let ahead_ms = offer.made_at.ms_since(now);
    if ahead_ms > config.clock_skew_ms_max {
        return Err(OfferRejected::FromTheFuture { ahead_ms });
    }
    // Counted from its own start, so that the verdict on its maker does not hang on our clock.
    let ttl_ms = offer.expires_at.ms_since(offer.made_at);
    if ttl_ms > config.offer_ttl_ms_max {
        return Err(OfferRejected::TooLong { ttl_ms, ttl_ms_max: config.offer_ttl_ms_max });
    }
    Ok(())
}

fn check_shape(offer: &Offer) -> Result<(), &'static str> {
    let hardware = &offer.hardware;
    let texts = [&hardware.cpu_model, &hardware.cpu_arch, &offer.engine, &offer.note];
    let containers = &offer.containers;
    let registries = || containers.registries.iter();
    let gpu_texts = hardware.gpus.iter().flat_map(|gpu| [&gpu.model, &gpu.vendor]);
    let tests = [
        (offer.expires_at > offer.made_at, "expiry"),
        (offer.slots_total <= SLOTS_MAX, "number of slots"),
        (offer.slots_free <= offer.slots_total, "number of free slots"),
        (is_set(&offer.levels, Level::ALL.len()), "list of levels"),
        (is_set(&offer.kinds, NodeKind::ALL.len()), "list of kinds"),
        (hardware.gpus.len() <= GPUS_MAX, "number of GPUs"),
        (is_set(&containers.isolations, Isolation::ALL.len()), "list of isolations"),
        (containers.registries.len() <= REGISTRIES_MAX, "number of registries"),
        (containers.gpus.is_sorted_by(|a, b| a < b), "list of GPUs"),
        (containers.gpus.last().is_none_or(|last| usize::from(*last) < hardware.gpus.len()), "list of GPUs"),
        (texts.into_iter().chain(gpu_texts).chain(registries()).all(|text| is_plain(text)), "text"),
    ];
    tests.iter().find(|(passed, _)| !passed).map_or(Ok(()), |(_, what)| Err(*what))
}

/// Whether `words` has no word twice.
fn is_set<T: PartialEq>(words: &[T], words_max: usize) -> bool {
    words.len() <= words_max && words.iter().enumerate().all(|(at, word)| !words[..at].contains(word))
}

/// Offers end up on people's screens (threats J5).
fn is_plain(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}
