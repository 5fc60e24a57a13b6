//! The index of live offers.

use crate::{
    Config, OfferRejected,
    find::mix,
    row::{Row, salt_of},
    sanity,
};
use opensky_types::{NodeId, Signed, Timestamp, offer::Offer};
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds after which an offer is taken to show a change of slots, whatever the clocks say.
const SETTLE_MS: u64 = 10_000;
/// Most changes of slots that are told apart per node.
const CHANGES_MAX: usize = 32;

/// What an accepted offer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// The node was not known.
    New,
    /// It replaces an older offer of the same node.
    Newer,
}

/// The offers that a consumer knows.
#[derive(Debug)]
pub struct Market {
    config: Config,
    /// Position of each node in `rows` and `listings`.
    pub(crate) index: BTreeMap<NodeId, u32>,
    pub(crate) rows: Vec<Row>,
    pub(crate) listings: Vec<Listing>,
    by_expiry: BTreeSet<(Timestamp, NodeId)>,
    /// By rank in the sample; the first goes when there is no room.
    by_rank: BTreeSet<(u64, NodeId)>,
}

/// The rest of what is known about a node; a search does not touch it.
#[derive(Debug)]
pub(crate) struct Listing {
    pub offer: Offer,
    signed: Signed<Offer>,
    /// This clock less the node's clock, in ms, and the least delay that an offer of it had: the
    /// smallest that was seen of "now less when it was made".
    clock_ahead_ms: i64,
    /// Changes of slots that the offer does not show yet, oldest first.
    changes: Vec<Change>,
}

/// Slots that this consumer took (less than zero) or gave back.
#[derive(Debug, Clone, Copy)]
struct Change {
    at: Timestamp,
    slots: i32,
}

impl Market {
    /// An empty market.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            index: BTreeMap::new(),
            rows: Vec::new(),
            listings: Vec::new(),
            by_expiry: BTreeSet::new(),
            by_rank: BTreeSet::new(),
        }
    }

    /// Takes in an offer whose signature holds; `signed` is what it came as, to pass on.
    pub fn insert(
        &mut self,
        now: Timestamp,
        offer: Offer,
        signed: Signed<Offer>,
    ) -> Result<Inserted, OfferRejected> {
        if signed.signer() != offer.node {
            return Err(OfferRejected::WrongSigner);
        }
        sanity::check(&self.config, now, &offer)?;
        let node = offer.node;
        let clock_ahead_ms = now.as_millis().wrapping_sub(offer.made_at.as_millis()) as i64;
        let Some(position) = self.position(node) else {
            self.make_room(node)?;
            self.by_expiry.insert((offer.expires_at, node));
            self.by_rank.insert((self.rank(node), node));
            self.index.insert(node, self.rows.len() as u32);
            self.rows.push(Row::new(&self.config, &offer));
            self.listings.push(Listing { offer, signed, clock_ahead_ms, changes: Vec::new() });
            return Ok(Inserted::New);
        };
        let listing = &mut self.listings[position];
        if offer.sequence <= listing.offer.sequence {
            return Err(OfferRejected::Stale { sequence: offer.sequence, known: listing.offer.sequence });
        }
        self.by_expiry.remove(&(listing.offer.expires_at, node));
        self.by_expiry.insert((offer.expires_at, node));
        listing.clock_ahead_ms = listing.clock_ahead_ms.min(clock_ahead_ms);
        listing.settle(now, offer.made_at);
        listing.offer = offer;
        listing.signed = signed;
        self.refresh(position);
        Ok(Inserted::Newer)
    }
    /// Drops a node's offer.
    pub fn forget(&mut self, node: NodeId) {
        let Some(position) = self.index.remove(&node) else { return };
        let position = position as usize;
        self.rows.swap_remove(position);
        let listing = self.listings.swap_remove(position);
        self.by_expiry.remove(&(listing.offer.expires_at, node));
        self.by_rank.remove(&(self.rank(node), node));
        if let Some(moved) = self.listings.get(position) {
            self.index.insert(moved.offer.node, position as u32);
        }
    }

    /// Drops what has expired and returns whose offers went. Call it about every second.
    pub fn expire(&mut self, now: Timestamp) -> Vec<NodeId> {
        let expired = self.by_expiry.iter().take_while(|(expires_at, _)| *expires_at <= now);
        let expired: Vec<NodeId> = expired.map(|(_, node)| *node).collect();
        expired.iter().for_each(|node| self.forget(*node));
        expired
    }

    /// Leaves a node alone until then, after a refusal or a failure.
    pub fn rest(&mut self, node: NodeId, until: Timestamp) {
        if let Some(position) = self.position(node) {
            self.rows[position].resting_until = until;
        }
    }

    /// A measured round trip.
    pub fn observe_rtt(&mut self, node: NodeId, rtt_us: u64) {
        if let Some(position) = self.position(node) {
            let row = &mut self.rows[position];
            row.rtt_us = u32::try_from(rtt_us).unwrap_or(u32::MAX).max(1);
            row.rescore(&self.config);
        }
    }

    /// This consumer takes slots that the node's offer does not show yet. Call it when proposing,
    /// and give back by [`Market::release`] what was not granted. Once an offer comes that was made
    /// later, that offer counts alone, so nothing is counted twice.
    pub fn reserve(&mut self, now: Timestamp, node: NodeId, slots: u16) {
        self.change_slots(node, Change { at: now, slots: -i32::from(slots) });
    }

    /// This consumer has given slots back that the node's offer may still show as taken.
    pub fn release(&mut self, now: Timestamp, node: NodeId, slots: u16) {
        self.change_slots(node, Change { at: now, slots: slots.into() });
    }

    /// Nodes known.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no node is known.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A node's offer.
    pub fn get(&self, node: NodeId) -> Option<&Offer> {
        self.position(node).map(|position| &self.listings[position].offer)
    }

    /// All offers, in order of node.
    pub fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.index.values().map(|position| &self.listings[*position as usize].offer)
    }

    /// Up to `limit` live offers in their signed form, for a newcomer's index: a run of the table
    /// from where `seed` points.
    pub fn sample(&self, now: Timestamp, limit: usize, seed: u64) -> Vec<Signed<Offer>> {
        let start = (mix(seed) % self.listings.len().max(1) as u64) as usize;
        let run = self.listings.iter().cycle().skip(start).take(self.listings.len());
        run.filter(|listing| listing.offer.expires_at > now)
            .take(limit)
            .map(|listing| listing.signed.clone())
            .collect()
    }

    /// Asserts every invariant. For tests and debug builds.
    pub fn check(&self) {
        assert!(self.rows.len() <= self.config.nodes_max.max(1), "the index is over its cap");
        assert_eq!(self.rows.len(), self.index.len());
        assert_eq!(self.rows.len(), self.listings.len());
        assert_eq!(self.rows.len(), self.by_expiry.len());
        assert_eq!(self.rows.len(), self.by_rank.len());
        for (node, position) in &self.index {
            let (row, listing) = (&self.rows[*position as usize], &self.listings[*position as usize]);
            assert_eq!(*node, listing.offer.node, "the index points at another node");
            assert!(self.by_expiry.contains(&(listing.offer.expires_at, *node)));
            assert!(self.by_rank.contains(&(self.rank(*node), *node)));
            assert!(row.slots_free <= row.slots_total && row.score <= 1_000);
            assert!(listing.changes.len() <= CHANGES_MAX);
            assert_eq!(*row, self.row_of(*position as usize), "a row differs from its offer");
        }
    }

    fn position(&self, node: NodeId) -> Option<usize> {
        self.index.get(&node).map(|position| *position as usize)
    }

    /// Makes room for one more node, if the sample is to have it rather than another one.
    fn make_room(&mut self, node: NodeId) -> Result<(), OfferRejected> {
        if self.rows.len() < self.config.nodes_max {
            return Ok(());
        }
        match self.by_rank.first() {
            Some((lowest, other)) if *lowest < self.rank(node) => {
                let other = *other;
                self.forget(other);
                Ok(())
            }
            _ => Err(OfferRejected::Full { nodes_max: self.config.nodes_max }),
        }
    }

    /// A node's place in the sample: chance, but always the same.
    fn rank(&self, node: NodeId) -> u64 {
        mix(self.config.salt ^ mix(salt_of(node)))
    }

    fn change_slots(&mut self, node: NodeId, change: Change) {
        if let Some(position) = self.position(node) {
            self.listings[position].change(change);
            self.refresh(position);
        }
    }

    fn refresh(&mut self, position: usize) {
        self.rows[position] = self.row_of(position);
    }

    /// The row that follows from a listing and from what was measured.
    fn row_of(&self, position: usize) -> Row {
        let (old, listing) = (&self.rows[position], &self.listings[position]);
        let mut row = Row::new(&self.config, &listing.offer);
        row.resting_until = old.resting_until;
        row.rtt_us = old.rtt_us;
        let slots_free = i32::from(row.slots_free) + listing.changes.iter().map(|c| c.slots).sum::<i32>();
        row.slots_free = slots_free.clamp(0, row.slots_total.into()) as u16;
        row.rescore(&self.config);
        row
    }
}

impl Listing {
    fn change(&mut self, mut change: Change) {
        // What comes back first undoes what was taken and is not shown yet.
        for taken in self.changes.iter_mut().rev().filter(|taken| taken.slots < 0) {
            let undone = change.slots.min(-taken.slots).max(0);
            taken.slots += undone;
            change.slots -= undone;
        }
        self.changes.push(change);
        self.changes.retain(|change| change.slots != 0);
        if self.changes.len() > CHANGES_MAX {
            let latest = self.changes.pop().expect("just counted");
            let before = self.changes.last_mut().expect("just counted");
            *before = Change { at: latest.at, slots: before.slots.saturating_add(latest.slots) };
        }
    }

    /// Forgets the changes that an offer made at `made_at`, by its node's clock, already shows. The
    /// least difference of the clocks ever seen turns that into this node's time, late by no more
    /// than the quickest delivery so far.
    fn settle(&mut self, now: Timestamp, made_at: Timestamp) {
        let made_here = made_at.as_millis().saturating_add_signed(self.clock_ahead_ms);
        self.changes
            .retain(|change| change.at.as_millis() >= made_here && now.ms_since(change.at) < SETTLE_MS);
    }
}
