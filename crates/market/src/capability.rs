//! Capabilities: the words by which nodes are grouped into clusters and found in the DHT (spec P2).
//!
//! A DHT key is the hash of a cluster's name, `region/capability`, where either part may be `any`.

use opensky_types::{
    Hash,
    offer::{Demand, Offer},
};

const ANY: &str = "any";
pub(crate) const GPU: &str = "gpu";

fn key(region: &str, capability: &str) -> Hash {
    Hash::of_value("opensky capability 1", &(region, capability))
}

/// The keys under which a node with this offer lets itself be found: one for its region, two for
/// each level (in its region and anywhere), one for each kind, and one if it has a GPU.
pub fn capability_keys(offer: &Offer) -> Vec<Hash> {
    let region = offer.region.as_str();
    let mut keys = vec![key(region, ANY)];
    for level in &offer.levels {
        keys.push(key(ANY, level.as_str()));
        keys.push(key(region, level.as_str()));
    }
    keys.extend(offer.kinds.iter().map(|kind| key(ANY, kind.as_str())));
    if !offer.hardware.gpus.is_empty() {
        keys.push(key(ANY, GPU));
    }
    keys
}

/// The keys to look up for a demand. Every node that fits advertises at least one of them; of the
/// ways to ask, the one that excludes most is taken. Empty where the demand names its peers.
pub fn keys_for(demand: &Demand) -> Vec<Hash> {
    let constraints = &demand.constraints;
    let level = demand.level.as_str();
    if !constraints.peers.is_empty() {
        Vec::new()
    } else if constraints.gpus_min > 0 || demand.needs.gpu_count() > 0 {
        vec![key(ANY, GPU)]
    } else if !constraints.regions.is_empty() {
        constraints.regions.iter().map(|region| key(region.as_str(), level)).collect()
    } else if !constraints.kinds.is_empty() {
        constraints.kinds.iter().map(|kind| key(ANY, kind.as_str())).collect()
    } else {
        vec![key(ANY, level)]
    }
}
