//! Nodes that are left alone for a while.

use crate::Config;
use opensky_types::{NodeId, Timestamp};
use std::collections::BTreeMap;

/// What earns a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strike {
    /// Its slots are taken: no fault, come back soon.
    Full,
    /// It refused, or ended an agreement.
    Refusal,
    /// It was lost.
    Loss,
    /// A run failed without fault of the program. The first one in a row is free.
    Mishap,
    /// Its result was rejected.
    Rejection,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    strikes: u32,
    until: Timestamp,
}

/// Rests of all nodes, over all jobs.
#[derive(Debug, Default)]
pub(crate) struct Rests {
    nodes: BTreeMap<NodeId, Rest>,
}

impl Rests {
    /// Counts a strike and says until when the node rests; a moment not after `now` means not at all.
    pub fn strike(&mut self, config: &Config, now: Timestamp, node: NodeId, strike: Strike) -> Timestamp {
        let rest = self.nodes.entry(node).or_insert(Rest { strikes: 0, until: now });
        if strike != Strike::Full {
            rest.strikes = rest.strikes.saturating_add(1);
        }
        let doublings = (rest.strikes.saturating_sub(1)).min(20);
        let grown = config.rest_ms.saturating_mul(1 << doublings).min(config.rest_max_ms);
        let rest_ms = match strike {
            Strike::Full => config.rest_ms,
            Strike::Refusal | Strike::Loss => grown,
            Strike::Mishap if rest.strikes == 1 => 0,
            Strike::Mishap => grown / 2,
            Strike::Rejection => config.rest_rejected_ms.saturating_mul(1 << doublings.min(3)),
        };
        rest.until = rest.until.max(now.plus_ms(rest_ms));
        rest.until
    }

    /// A good result ends a row of strikes. A rest that has begun is not cut short.
    pub fn forgive(&mut self, node: &NodeId) {
        if let Some(rest) = self.nodes.get_mut(node) {
            rest.strikes = 0;
        }
    }

    pub fn is_resting(&self, node: &NodeId, now: Timestamp) -> bool {
        self.nodes.get(node).is_some_and(|rest| rest.until > now)
    }

    /// Forgets nodes whose rest is long over.
    pub fn prune(&mut self, config: &Config, now: Timestamp) {
        self.nodes.retain(|_, rest| {
            rest.until.plus_ms(config.rest_max_ms) > now && (rest.strikes > 0 || rest.until > now)
        });
    }
}
