//! This node's own offers: made, spaced out, and recognised when they come back.

use crate::config::Config;
use opensky_provider::OfferDraft;
use opensky_types::{
    Hash, Keypair, NodeId, Signed, Timestamp,
    engine::Engine,
    offer::{OFFER_LIFE_MS_MAX, Offer},
    place::Level,
    resources::HardwareProfile,
};
use std::collections::BTreeMap;

/// An offer lives this many intervals, so that two may get lost.
const LIFE_INTERVALS: u64 = 3;
/// Shortest time between two offers when something changed, in milliseconds.
const CHANGE_INTERVAL_MS: u64 = 2_000;
/// Bytes per second of offers that a node is willing to receive when nothing happens. The interval
/// grows with the sky so that this holds: 1 GB a month is about 385 bytes a second.
const IDLE_BYTES_PER_S: u64 = 300;
/// Bytes of an offer on the wire, generously.
const OFFER_BYTES: u64 = 700;
/// Own offers that are remembered, to tell them from those of a copied data folder.
const REMEMBERED: usize = 64;

/// What the sight of an own offer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sighting {
    /// This node made it, now or in an earlier life.
    Own,
    /// Another process runs with this node's key.
    Twin,
}

/// The node's side of being a provider that others can find.
pub(crate) struct OwnOffers {
    node: NodeId,
    sequence: u64,
    first_sequence: u64,
    sent: BTreeMap<u64, Hash>,
    last_at: Option<Timestamp>,
    changed: bool,
    latest: Option<(Offer, Signed<Offer>)>,
}

impl OwnOffers {
    /// `starts` counts how often the data folder was started, and sets this life's offers after
    /// all earlier ones.
    pub(crate) fn new(node: NodeId, starts: u32) -> Self {
        let first_sequence = u64::from(starts) << 32;
        Self {
            node,
            sequence: first_sequence,
            first_sequence,
            sent: BTreeMap::new(),
            last_at: None,
            changed: true,
            latest: None,
        }
    }

    /// The latest offer.
    pub(crate) fn latest(&self) -> Option<&(Offer, Signed<Offer>)> {
        self.latest.as_ref()
    }

    /// Notes that the next offer should not wait for its turn.
    pub(crate) fn mark_changed(&mut self) {
        self.changed = true;
    }

    /// Whether an offer is due in a sky of `members` nodes.
    pub(crate) fn is_due(&self, now: Timestamp, config: &Config, members: usize) -> bool {
        let Some(last) = self.last_at else { return true };
        let since = now.ms_since(last);
        since >= interval_ms(config, members) || (self.changed && since >= CHANGE_INTERVAL_MS)
    }

    /// Makes, signs and remembers the next offer.
    pub(crate) fn make(
        &mut self,
        now: Timestamp,
        key: &Keypair,
        config: &Config,
        members: usize,
        machine: &HardwareProfile,
        draft: OfferDraft,
    ) -> Signed<Offer> {
        self.sequence += 1;
        let names: Vec<&str> = draft.engines.iter().map(|engine| engine.name.as_str()).collect();
        let offer = Offer {
            node: self.node,
            sequence: self.sequence,
            made_at: now,
            expires_at: now.plus_ms(LIFE_INTERVALS * interval_ms(config, members)),
            region: config.region,
            kinds: config.kinds.clone(),
            levels: Engine::levels(&draft.engines),
            hardware: machine.clone(),
            slots_total: draft.slots_total,
            slots_free: draft.slots_free,
            task_limits_max: draft.task_limits_max,
            engine: names.join(", "),
            price_per_gfuel: draft.price_per_gfuel,
            note: draft.note.to_owned(),
            containers: Engine::of(&draft.engines, Level::Container)
                .map(|engine| engine.containers.clone())
                .unwrap_or_default(),
        };
        let signed = Signed::sign(&offer, key);
        self.sent.insert(self.sequence, signed.content_hash());
        if self.sent.len() > REMEMBERED {
            self.sent.pop_first();
        }
        self.last_at = Some(now);
        self.changed = false;
        self.latest = Some((offer, signed.clone()));
        signed
    }

    /// Judges an offer that carries this node's own signature.
    pub(crate) fn sight(&self, sequence: u64, signed: &Signed<Offer>) -> Sighting {
        let oldest = self.sent.keys().next().copied().unwrap_or(self.first_sequence + 1);
        match self.sent.get(&sequence) {
            Some(hash) if *hash == signed.content_hash() => Sighting::Own,
            None if sequence < oldest => Sighting::Own,
            _ => Sighting::Twin,
        }
    }
}

/// Time between offers when nothing changes. In a sky of over a thousand members, offers take more than is meant for
/// them: none holds for longer than others take it.
fn interval_ms(config: &Config, members: usize) -> u64 {
    let bytes = (members as u64).saturating_mul(OFFER_BYTES);
    let paced = config.offer_interval_ms.max(bytes.saturating_mul(1_000) / IDLE_BYTES_PER_S);
    paced.min(OFFER_LIFE_MS_MAX / LIFE_INTERVALS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_no_offer_holds_for_longer_than_others_take_it_however_large_the_sky() {
        let config = Config::default();
        for members in [0, 1, 85, 86, 1_000, 100_000, usize::MAX >> 16] {
            let life_ms = LIFE_INTERVALS * interval_ms(&config, members);
            let taken_ms = opensky_market::Config::default().offer_ttl_ms_max;
            assert!(life_ms <= taken_ms, "{members} members: {life_ms} ms");
        }
        // Up to a thousand members their offers stay within what is meant for them.
        let bytes_per_s =
            |members: u64| members * OFFER_BYTES * 1_000 / interval_ms(&config, members as usize);
        assert!(bytes_per_s(100) <= IDLE_BYTES_PER_S && bytes_per_s(1_000) <= IDLE_BYTES_PER_S);
    }
}
