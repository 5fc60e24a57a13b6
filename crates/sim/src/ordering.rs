//! Validators agree on blocks: the model of consensus, driven over the simulated network.
//!
//! A round asks the next leader; whoever hears it in time votes. Blocks travel, votes travel, and final
//! blocks come to each validator when they come. What is final is kept by the quorum that made it so.

use crate::{trace::Trace, weather::Sky, world::Machines};
use opensky_consensus::{Chain, model::Order};
use opensky_ports::LedgerEngine;
use opensky_types::{Keypair, NodeId};
use rand::{RngExt, rngs::StdRng};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

/// How long validators wait for a leader, and for votes, before the next round.
const ROUND_MAX: Duration = Duration::from_secs(1);
/// Pause before a validator that failed is tried again.
const RETRY: Duration = Duration::from_secs(30);
/// Longest time without a block.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Orders the blocks of one sky.
pub struct Ordering {
    pub order: Arc<Mutex<Order>>,
    pub machines: Machines,
    pub weather: Arc<Sky>,
    pub work: Arc<Notify>,
    pub trace: Trace,
    pub chance: StdRng,
    pub start: Instant,
    /// Validators by number that are to be seen voting twice.
    pub liars: Arc<Mutex<Vec<usize>>>,
    /// Validators that stopped, and when they are tried again.
    pub again: Vec<(Instant, NodeId)>,
}

impl Ordering {
    /// Runs until the run ends.
    pub async fn run(mut self) {
        let mut turn = 0_usize;
        let mut last_block = Instant::now();
        loop {
            let is_quiet = timeout(HEARTBEAT / 5, self.work.notified()).await.is_err();
            let even_empty = is_quiet && last_block.elapsed() >= HEARTBEAT;
            self.tell_lies();
            self.try_again();
            turn += 1;
            if self.round(turn, even_empty).await {
                last_block = Instant::now();
                // There may be more than one block holds.
                self.work.notify_one();
            }
            self.deliver().await;
        }
    }

    fn order(&self) -> std::sync::MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The validators that run, by key.
    fn voters(&self) -> Vec<(NodeId, Keypair)> {
        let order = self.order();
        let machines = self.machines.lock();
        let running = machines.iter().filter(|machine| machine.life.is_some());
        let voting = running.filter(|machine| order.voters().contains(machine.id()));
        voting.map(|machine| (machine.id(), machine.key.clone())).collect()
    }

    /// One leader's turn; whether a block came of it.
    async fn round(&mut self, turn: usize, even_empty: bool) -> bool {
        let members = self.order().voters().members().to_vec();
        let leader = members[turn % members.len()];
        let Some(proposed) = self.propose(leader, even_empty) else {
            // An idle leader passes its turn at once here; one that is gone costs the others a wait.
            if self.machines.with_life(leader, |_, _| ()).is_none() {
                sleep(ROUND_MAX).await;
            }
            return false;
        };
        let mut votes = Vec::new();
        let mut longest = Duration::ZERO;
        for (node, key) in self.voters() {
            let way =
                |from, to| if node == leader { Some(Duration::ZERO) } else { self.weather.travel(from, to) };
            let (Some(there), Some(back)) = (way(leader, node), way(node, leader)) else { continue };
            if there + back > ROUND_MAX {
                continue;
            }
            longest = longest.max(there + back);
            votes.push((there, node, key));
        }
        votes.sort_by_key(|(there, node, _)| (*there, *node));
        let mut agreed = Vec::new();
        let mut passed = Duration::ZERO;
        for (there, node, key) in votes {
            sleep(there.saturating_sub(passed)).await;
            passed = passed.max(there);
            let vote = self.machines.with_life(node, |machine, life| {
                let now_ms = machine.clock.shows_ms();
                self.order().vote(&mut life.ledger.chain(), &proposed, now_ms)
            });
            if vote == Some(true) {
                agreed.push(key);
            }
        }
        sleep(longest.saturating_sub(passed)).await;
        let (height, certified) = (proposed.header().height, self.chance.random_ratio(9, 10));
        let keys: Vec<&Keypair> = agreed.iter().collect();
        let is_agreed = self.order().agree(proposed, &keys, certified);
        let now_us = self.start.elapsed().as_micros() as u64;
        self.trace.step("round", &[now_us, height, keys.len() as u64, u64::from(is_agreed)]);
        if !is_agreed {
            sleep(ROUND_MAX.saturating_sub(longest)).await;
        }
        is_agreed
    }

    fn propose(&self, leader: NodeId, even_empty: bool) -> Option<opensky_consensus::Block> {
        let proposed = self.machines.with_life(leader, |machine, life| {
            let mut chain = life.ledger.chain();
            let mut order = self.order();
            order
                .can_lead(&mut chain)
                .then(|| order.propose(&mut chain, machine.clock.shows_ms(), even_empty))
        });
        proposed.flatten().flatten()
    }

    /// Brings final blocks to the validators that can be reached, after the way they take.
    async fn deliver(&mut self) {
        let voters = self.voters();
        let quorum = self.order().voters().quorum();
        let mut late = Vec::new();
        for node in self.hearing() {
            let others = voters.iter().filter(|(other, _)| *other != node);
            let ways: Vec<Duration> =
                others.filter_map(|(other, _)| self.weather.travel(*other, node)).collect();
            // Who reaches one that has the blocks gets them; alone it is the one that has them.
            let is_alone = quorum == 1 && voters.iter().any(|(voter, _)| *voter == node);
            if let Some(way) = ways.into_iter().min().or(is_alone.then_some(Duration::ZERO)) {
                late.push((way, node));
            }
        }
        late.sort_unstable();
        let mut passed = Duration::ZERO;
        for (way, node) in late {
            sleep(way.saturating_sub(passed)).await;
            passed = passed.max(way);
            self.deliver_to(node);
        }
    }

    /// Nodes that hear of blocks in consensus: those that vote, and those that did until just now.
    fn hearing(&self) -> Vec<NodeId> {
        let machines = self.machines.lock();
        let living = machines.iter().filter_map(|machine| Some((machine.id(), machine.life.as_ref()?)));
        living.filter(|(_, life)| life.ledger.is_voting()).map(|(node, _)| node).collect()
    }

    fn deliver_to(&mut self, node: NodeId) {
        let ended = self.machines.with_life(node, |_, life| {
            let mut chain = life.ledger.chain();
            let order = self.order();
            for (block, certificate) in order.finals_above(chain.tip().height) {
                chain.finalized(block, certificate.as_ref())?;
            }
            // Whoever votes no longer follows like any other node from here on.
            let votes = order.voters().contains(node);
            if !votes {
                life.ledger.set_voting(None);
            }
            Ok::<(), opensky_consensus::Failure>(())
        });
        if let Some(Err(error)) = ended {
            // As the engine does: the validator stops, and its node follows.
            tracing::warn!(%node, %error, "a validator stops");
            self.machines.with_life(node, |_, life| life.ledger.set_voting(None));
            self.again.push((Instant::now() + RETRY, node));
        }
    }

    /// Validators that stopped vote again after a while, if they still should.
    fn try_again(&mut self) {
        let now = Instant::now();
        let (due, rest) = std::mem::take(&mut self.again).into_iter().partition(|(at, _)| *at <= now);
        self.again = rest;
        for (_, node) in due {
            if self.order().voters().contains(node) {
                let work = Arc::clone(&self.work);
                self.machines.with_life(node, |_, life| life.ledger.set_voting(Some(work)));
            }
        }
    }

    /// Shows the others the two votes of those that are to be caught.
    fn tell_lies(&self) {
        let liars = std::mem::take(&mut *self.liars.lock().unwrap_or_else(PoisonError::into_inner));
        for liar in liars {
            let key = self.machines.lock()[liar].key.clone();
            let Some(evidence) = self.order().double_vote(&key) else { continue };
            for (node, _) in self.voters() {
                if node != key.id() {
                    self.machines.with_life(node, |_, life| life.ledger.chain().offence(&evidence));
                }
            }
            self.work.notify_one();
        }
    }
}
