//! The network between nodes: late, lossy, split, as the plan has it.

use crate::{chance::source, trace::Trace};
use opensky_ports::testing::Weather;
use opensky_types::NodeId;
use rand::{RngExt, rngs::StdRng};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// What links are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climate {
    /// The least that a message takes, in microseconds.
    pub latency_us: u64,
    /// What comes on top at most.
    pub jitter_us: u64,
    /// Gossip that is lost on each hop, in parts per thousand.
    pub loss_per_mille: u32,
    /// Gossip that comes again minutes later, in parts per thousand.
    pub echo_per_mille: u32,
}

/// The network of one sky.
pub struct Sky {
    start: Instant,
    trace: Trace,
    state: Mutex<State>,
}

struct State {
    chance: StdRng,
    climate: Climate,
    /// Numbers of nodes, for the trace.
    numbers: BTreeMap<NodeId, u64>,
    /// Ways on which nothing gets through, each in one direction, and for how many reasons.
    closed: BTreeMap<(NodeId, NodeId), u32>,
}

impl Sky {
    /// Good weather over these nodes.
    pub fn new(seed: u64, start: Instant, climate: Climate, nodes: &[NodeId], trace: Trace) -> Self {
        let numbers = (0..).zip(nodes).map(|(number, node)| (*node, number)).collect();
        let state = State { chance: source(seed, "weather"), climate, numbers, closed: BTreeMap::new() };
        Self { start, trace, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes one direction between two nodes, or takes back that it was closed for this reason.
    pub fn set_closed(&self, from: NodeId, to: NodeId, closed: bool) {
        let mut state = self.lock();
        let reasons = state.closed.entry((from, to)).or_default();
        *reasons = if closed { *reasons + 1 } else { reasons.saturating_sub(1) };
        state.closed.retain(|_, reasons| *reasons > 0);
    }

    /// Changes what links are like.
    pub fn set_climate(&self, climate: Climate) {
        self.lock().climate = climate;
    }

    /// Whether messages get through both ways.
    pub fn is_open(&self, one: NodeId, other: NodeId) -> bool {
        let state = self.lock();
        !state.closed.contains_key(&(one, other)) && !state.closed.contains_key(&(other, one))
    }

    /// How long a message takes now, lost or not.
    pub fn travel(&self, from: NodeId, to: NodeId) -> Option<Duration> {
        let mut state = self.lock();
        if state.closed.contains_key(&(from, to)) {
            return None;
        }
        let Climate { latency_us, jitter_us, .. } = state.climate;
        let delay_us = latency_us + state.chance.random_range(0..=jitter_us);
        let [from, to] = [from, to].map(|node| state.numbers.get(&node).copied().unwrap_or(u64::MAX));
        drop(state);
        self.trace.step("message", &[self.start.elapsed().as_micros() as u64, from, to, delay_us]);
        Some(Duration::from_micros(delay_us))
    }
}

impl Weather for Sky {
    fn delay(&self, from: NodeId, to: NodeId) -> Option<Duration> {
        self.travel(from, to)
    }

    fn gossip_delay(&self, from: NodeId, to: NodeId) -> Option<Duration> {
        let is_lost = {
            let mut state = self.lock();
            let loss = state.climate.loss_per_mille;
            state.chance.random_range(0..1_000) < loss
        };
        if is_lost { None } else { self.travel(from, to) }
    }

    fn echo(&self, _: NodeId, _: NodeId) -> Option<Duration> {
        let mut state = self.lock();
        let is_echoed = state.chance.random_range(0..1_000) < state.climate.echo_per_mille;
        let later = state.chance.random_range(121_000..300_000);
        is_echoed.then(|| Duration::from_millis(later))
    }
}
