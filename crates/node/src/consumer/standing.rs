//! How far providers are trusted, as the ledger has it.

use crate::node::Node;
use opensky_ledger::{
    entry::Entry,
    key::Key,
    reputation::{AUDIT_RATE_WHOLE, Reputation},
};
use opensky_scheduler::AUDIT_PARTS_ALL;
use opensky_types::{AccountId, NodeId, Timestamp};

// The scheduler counts in the ledger's parts.
const _: () = assert!(AUDIT_PARTS_ALL == AUDIT_RATE_WHOLE);

impl Node {
    /// How often work of each of these nodes is checked (spec V3), all by the same state.
    pub(crate) fn audit_parts(&self, now: Timestamp, nodes: impl Iterator<Item = NodeId>) -> Vec<u32> {
        let keys: Vec<Key> = nodes.map(|node| Key::Reputation(AccountId::of_node(node))).collect();
        let entries = self.ledger.read(&keys);
        entries.iter().map(|entry| audit_parts_of(entry.as_ref(), now)).collect()
    }
}

/// The rate of an account with this entry; one that has none is a newcomer.
fn audit_parts_of(entry: Option<&Entry>, now: Timestamp) -> u32 {
    let rate = match entry {
        Some(Entry::Reputation(reputation)) => reputation.audit_rate(now),
        _ => Reputation::default().audit_rate(now),
    };
    rate.parts()
}
