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
    /// Refusals in a row, until it agrees to something.
    refusals: u32,
    /// Other strikes in a row, until a result of it is accepted.
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
        let rest = self.nodes.entry(node).or_insert(Rest { refusals: 0, strikes: 0, until: now });
        let in_a_row = match strike {
            Strike::Full => &mut 1,
            Strike::Refusal => &mut rest.refusals,
            Strike::Loss | Strike::Mishap | Strike::Rejection => &mut rest.strikes,
        };
        *in_a_row = in_a_row.saturating_add(u32::from(strike != Strike::Full));
        let doublings = in_a_row.saturating_sub(1).min(20);
        let grown = config.rest_ms.saturating_mul(1 << doublings).min(config.rest_max_ms);
        let rest_ms = match strike {
            Strike::Full | Strike::Refusal | Strike::Loss => grown,
            Strike::Mishap if doublings == 0 => 0,
            Strike::Mishap => grown / 2,
            Strike::Rejection => config.rest_rejected_ms.saturating_mul(1 << doublings.min(3)),
        };
        rest.until = rest.until.max(now.plus_ms(rest_ms));
        rest.until
    }

    /// An agreement ends a row of refusals.
    pub fn welcome(&mut self, node: &NodeId) {
        if let Some(rest) = self.nodes.get_mut(node) {
            rest.refusals = 0;
        }
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
            rest.until.plus_ms(config.rest_max_ms) > now
                && (rest.strikes > 0 || rest.refusals > 0 || rest.until > now)
        });
    }
}
