//! Clusters: nodes of one region with one capability (spec P4). Nobody joins by a message of its
//! own: a live offer is both the membership and the heartbeat.

use crate::{Market, capability::GPU};
use opensky_types::{Timestamp, offer::Offer, place::Region};
use std::collections::BTreeMap;

/// One cluster, as its members' offers show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// `region/capability`, such as `europe/function` or `asia/gpu`.
    pub name: String,
    /// Where.
    pub region: Region,
    /// The level, the kind, or `gpu`.
    pub capability: &'static str,
    /// Nodes in it.
    pub members: u32,
    /// Tasks they run at a time.
    pub slots_total: u32,
    /// Of those, how many are free.
    pub slots_free: u32,
    /// When the latest of their offers was made.
    pub heartbeat_at: Timestamp,
}

impl Market {
    /// The clusters that live offers form, by region and capability.
    pub fn clusters(&self, now: Timestamp) -> Vec<Cluster> {
        let mut clusters: BTreeMap<(Region, &'static str), Cluster> = BTreeMap::new();
        for offer in self.offers().filter(|offer| offer.expires_at > now) {
            for capability in capabilities(offer) {
                clusters
                    .entry((offer.region, capability))
                    .or_insert_with(|| Cluster::empty(offer.region, capability))
                    .add(offer);
            }
        }
        clusters.into_values().collect()
    }
}

fn capabilities(offer: &Offer) -> impl Iterator<Item = &'static str> {
    let levels = offer.levels.iter().map(|level| level.as_str());
    let kinds = offer.kinds.iter().map(|kind| kind.as_str());
    let gpu = (!offer.hardware.gpus.is_empty()).then_some(GPU);
    levels.chain(kinds).chain(gpu)
}

impl Cluster {
    fn empty(region: Region, capability: &'static str) -> Self {
        let name = format!("{region}/{capability}");
        let heartbeat_at = Timestamp::default();
        Self { name, region, capability, members: 0, slots_total: 0, slots_free: 0, heartbeat_at }
    }

    fn add(&mut self, offer: &Offer) {
        self.members += 1;
        self.slots_total = self.slots_total.saturating_add(offer.slots_total.into());
        self.slots_free = self.slots_free.saturating_add(offer.slots_free.into());
        self.heartbeat_at = self.heartbeat_at.max(offer.made_at);
    }
}
