//! What hosts say of replicas.

use super::{
    KeeperConfig, KeeperEffect, NoteText,
    kept::{Kept, Placed, Reach},
};
use opensky_types::{
    NodeId, Timestamp,
    service::{Placement, REPLICAS_MAX, Refusal, ReplicaId, ReplicaReport, ReplicaState},
};
use std::collections::BTreeSet;

/// Replicas of one service that are known at a time: those of now, and those that end.
const REPLICAS_KNOWN_MAX: usize = 8 * REPLICAS_MAX as usize;
/// Wait before what was declared is handed to the same node again, in milliseconds.
const HAND_AGAIN_MS: u64 = 3_000;

impl Kept {
    /// Asks every node that runs a replica, or is to end one, how they are.
    pub fn ask_hosts(&mut self, now: Timestamp, config: &KeeperConfig, effects: &mut Vec<KeeperEffect>) {
        if self.asked_hosts_at.is_some_and(|at| now.ms_since(at) < config.report_ms) {
            return;
        }
        self.asked_hosts_at = Some(now);
        let remember_ms = config.remember_ms.max(self.waits_for_volumes().unwrap_or(0));
        self.replicas.retain(|_, placed| now.ms_since(placed.seen_at) <= remember_ms);
        let service = self.declaration.service();
        let nodes: BTreeSet<NodeId> = self.replicas.values().map(|placed| placed.node).collect();
        for to in nodes {
            // A host that runs an earlier revision may know other keepers, and answers only those.
            let is_silent = |placed: &Placed| {
                placed.node == to && placed.report.is_none() && placed.revision < self.declaration.revision
            };
            if self.replicas.values().any(is_silent) {
                self.hand(now, to, effects);
            }
            let renewed = if self.is_acting { self.renew_on(now, config, to) } else { Vec::new() };
            let held = self.held_ids();
            effects.push(KeeperEffect::AskReport { to, service, renewed, held });
        }
        if self.is_acting {
            let withdrawn = self.replicas.iter().filter(|(_, placed)| placed.is_withdrawn);
            effects.extend(
                withdrawn
                    .map(|(replica, placed)| KeeperEffect::Withdraw { to: placed.node, replica: *replica }),
            );
        }
    }

    /// Hands what was declared to a node, unless that was done a moment ago.
    pub fn hand(&mut self, now: Timestamp, to: NodeId, effects: &mut Vec<KeeperEffect>) {
        let is_due = self.handed.get(&to).is_none_or(|at| now.ms_since(*at) >= HAND_AGAIN_MS);
        if is_due {
            self.handed.insert(to, now);
            effects.push(KeeperEffect::Hand { to, service: self.declaration.service() });
        }
    }

    /// Placements on a node that go on and would end before long.
    fn renew_on(&mut self, now: Timestamp, config: &KeeperConfig, node: NodeId) -> Vec<Placement> {
        let due_before = now.plus_ms(config.placement_ms / 4 * 3);
        let mut renewed = Vec::new();
        for (replica, placed) in &mut self.replicas {
            if placed.node == node && !placed.is_withdrawn && placed.expires_at < due_before {
                placed.expires_at = now.plus_ms(config.placement_ms);
                renewed.push(Placement {
                    sky: config.sky,
                    replica: *replica,
                    revision: placed.revision,
                    node,
                    expires_at: placed.expires_at,
                });
            }
        }
        renewed
    }

    pub fn on_reported(
        &mut self,
        now: Timestamp,
        config: &KeeperConfig,
        node: NodeId,
        reports: Option<Vec<ReplicaReport>>,
    ) {
        // A host that does not answer is not heard of: that counts by itself.
        let Some(reports) = reports else { return };
        let told: BTreeSet<ReplicaId> = reports.iter().map(|report| report.replica).collect();
        for report in reports {
            if report.replica.service == self.declaration.service() {
                self.take_report(now, config, node, report);
            }
        }
        let is_gone = |replica: &ReplicaId, placed: &Placed| {
            // The answer may be older than the placement.
            let is_settled = placed.answered_at.is_some_and(|at| now.ms_since(at) >= 2 * config.report_ms);
            placed.node == node && is_settled && !told.contains(replica)
        };
        let gone: Vec<ReplicaId> = self
            .replicas
            .iter()
            .filter(|(replica, placed)| is_gone(replica, placed))
            .map(|(replica, _)| *replica)
            .collect();
        for replica in gone {
            let was_wanted = self.replicas.remove(&replica).is_some_and(|placed| !placed.is_withdrawn);
            if was_wanted {
                self.note(now, Some(replica.slot), NoteText::Lost { node });
            }
        }
    }

    fn take_report(&mut self, now: Timestamp, config: &KeeperConfig, node: NodeId, report: ReplicaReport) {
        let (replica, revision, state) = (report.replica, report.revision, report.state);
        if !self.is_believable(replica, revision) {
            return;
        }
        let generation = self.generations.entry(replica.slot).or_default();
        *generation = replica.generation.max(*generation);
        self.is_update |= self.declaration.fallback.is_some_and(|earlier| earlier.revision == revision);
        // Placed by another keeper, or known from before: its placement is renewed at once.
        let placed = self.replicas.entry(replica).or_insert_with(|| Placed::new(now, node, revision, now));
        if placed.node != node {
            return;
        }
        placed.seen_at = now;
        placed.is_loss_told = false;
        placed.answered_at.get_or_insert(now);
        if state != ReplicaState::Preparing {
            placed.began_at.get_or_insert(now);
        }
        let was = placed.state();
        // A program that ends soon after each start seems healthy for a moment, too.
        let is_steady = state.answers() && report.for_ms >= config.steady_ms;
        let is_news = !placed.was_healthy && is_steady;
        placed.was_healthy |= is_steady || state == ReplicaState::Ended;
        let is_ill = placed.was_healthy && !state.answers() && state != ReplicaState::Ended;
        placed.ill_since = if is_ill { placed.ill_since.or(Some(now)) } else { None };
        let saved = report.saved.filter(|saved| saved.id.generation <= replica.generation);
        placed.report = Some(report.cut());
        let is_withdrawn = placed.is_withdrawn;
        self.saw_volumes_on(replica, node, revision);
        if let Some(saved) = saved {
            self.heard_of_save(now, replica.slot, saved, node);
        }
        if is_withdrawn {
            return;
        }
        if is_news {
            self.failing = None;
            self.slots.remove(&replica.slot);
            self.note(now, Some(replica.slot), NoteText::Healthy { node, revision });
        }
        if state == ReplicaState::Moving && was != state {
            self.note(now, Some(replica.slot), NoteText::Moving { node });
        }
    }

    /// Whether a replica can be one of this service: a keeper may sign anything, and hosts may say anything.
    fn is_believable(&self, replica: ReplicaId, revision: u64) -> bool {
        let has_room = self.replicas.contains_key(&replica) || self.replicas.len() < REPLICAS_KNOWN_MAX;
        replica.slot < REPLICAS_MAX && revision <= self.declaration.revision && has_room
    }

    /// A host advertises a replica: one that another keeper placed, perhaps.
    pub fn on_seen(
        &mut self,
        now: Timestamp,
        replica: ReplicaId,
        node: NodeId,
        revision: u64,
        state: ReplicaState,
    ) {
        // Only its owner makes a revision newer: adverts carry the declaration.
        self.saw(revision);
        if !self.is_believable(replica, revision) {
            return;
        }
        let generation = self.generations.entry(replica.slot).or_default();
        *generation = replica.generation.max(*generation);
        if self.replicas.contains_key(&replica) || state == ReplicaState::Leaving {
            return;
        }
        let mut placed = Placed::new(now, node, revision, now);
        placed.answered_at = Some(now);
        placed.began_at = Some(now);
        self.replicas.insert(replica, placed);
    }

    pub fn on_placed(
        &mut self,
        now: Timestamp,
        config: &KeeperConfig,
        replica: ReplicaId,
        answer: Option<Result<(), Refusal>>,
    ) {
        let Some(placed) = self.replicas.get_mut(&replica) else { return };
        let node = placed.node;
        let refusal = match answer {
            Some(Ok(())) => {
                placed.answered_at = Some(now);
                placed.seen_at = now;
                return;
            }
            Some(Err(refusal)) => {
                self.replicas.remove(&replica);
                Some(refusal)
            }
            // Only the answer was lost: it has said since that it runs it.
            None if placed.report.is_some() => return,
            // It may run it all the same, so it is asked until it says that it does not.
            None => {
                placed.is_withdrawn = true;
                placed.answered_at = Some(now);
                None
            }
        };
        self.note(now, Some(replica.slot), NoteText::Refused { node, refusal });
        self.leave_alone(now, config, replica.slot, node);
    }

    /// The next search for a slot goes without this node for a while.
    pub fn leave_alone(&mut self, now: Timestamp, config: &KeeperConfig, slot: u16, node: NodeId) {
        let slot = self.slots.entry(slot).or_default();
        slot.avoid.retain(|(other, until)| *other != node && *until > now);
        slot.avoid.push((node, now.plus_ms(config.avoid_ms)));
        // Where there is no other node it is asked again, but not at once.
        if slot.reach != Reach::All {
            slot.asked_at = None;
        }
        slot.reach = Reach::Fresh;
    }

    pub fn tell_losses(&mut self, now: Timestamp, config: &KeeperConfig) {
        let mut lost = Vec::new();
        for (replica, placed) in &mut self.replicas {
            if !placed.is_loss_told && !placed.is_withdrawn && placed.is_lost(now, config) {
                placed.is_loss_told = true;
                lost.push((replica.slot, placed.node));
            }
        }
        for (slot, node) in lost {
            let text = match self.waits_for_volumes() {
                Some(wait_ms) => NoteText::WaitsFor { node, wait_ms },
                None => NoteText::Lost { node },
            };
            self.note(now, Some(slot), text);
        }
    }
}
