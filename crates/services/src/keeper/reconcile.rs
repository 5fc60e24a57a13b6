//! What is there against what should be there, slot by slot.

use super::{
    KeeperConfig, KeeperEffect, NoteText,
    kept::{Failing, GivenUp, Kept, Placed, Reach},
};
use opensky_types::{
    NodeId, Timestamp,
    reason::MisfitCounts,
    service::{KEEPERS_MAX, Placement, ReplicaId, ReplicaState},
};

/// Starts of a program that never got healthy, after which an update counts as failed.
const RESTARTS_MAX: u32 = 3;
/// Bits of a generation that say which keeper chose it.
pub(super) const PLACE_BITS: u32 = (KEEPERS_MAX as u64).next_power_of_two().ilog2();
/// Longest wait between two tries for a slot that fails, in milliseconds.
const WAIT_MS_MAX: u64 = 60_000;

impl Kept {
    /// Brings what is there nearer to what is declared. Called only while this node acts.
    pub fn reconcile(&mut self, now: Timestamp, config: &KeeperConfig, effects: &mut Vec<KeeperEffect>) {
        self.look_at_failures(now, config);
        let replicas = self.replicas();
        let Some(parallel) = self.spec().map(|spec| spec.update.parallel) else {
            return self.withdraw_where(|_, _| true, effects);
        };
        self.withdraw_where(|replica, _| replica.slot >= replicas, effects);
        for slot in 0..replicas {
            self.reconcile_slot(now, config, slot, parallel, effects);
        }
    }

    fn reconcile_slot(
        &mut self,
        now: Timestamp,
        config: &KeeperConfig,
        slot: u16,
        parallel: u16,
        effects: &mut Vec<KeeperEffect>,
    ) {
        match self.best(now, config, slot) {
            Some((best, true)) => {
                self.withdraw_where(|replica, _| replica.slot == slot && *replica != best, effects);
            }
            // It starts.
            Some((_, false)) => {}
            None if self.volumes_are_taken(now, config, slot) => {}
            None if self.may_fill(now, config, slot, parallel) => {
                self.look_for_node(now, config, slot, effects);
            }
            None => {}
        }
    }

    /// Whether a replica may be placed for a slot now: nothing that answers is replaced while as many others are
    /// on their way as may be at a time.
    fn may_fill(&self, now: Timestamp, config: &KeeperConfig, slot: u16, parallel: u16) -> bool {
        let is_served = self.live(now, config, slot).any(|(_, placed)| placed.state().answers());
        let is_frozen = self.given_up.as_ref().is_some_and(|given_up| given_up.goes_on.is_none());
        !is_served || (!is_frozen && self.in_transition(now, config, slot) < usize::from(parallel))
    }

    /// Replicas of other slots that are on their way.
    fn in_transition(&self, now: Timestamp, config: &KeeperConfig, slot: u16) -> usize {
        if self.has_volumes() {
            // Between the end of one and the start of the next nothing of a slot runs.
            let is_stuck = |slot: &u16| self.slots.get(slot).is_some_and(|slot| slot.is_stuck);
            let is_served =
                |slot: u16| self.live(now, config, slot).any(|(_, placed)| placed.state().answers());
            let others = (0..self.replicas()).filter(|other| *other != slot);
            return others.filter(|other| !is_served(*other) && !is_stuck(other)).count();
        }
        let starting = self.replicas.iter().filter(|(replica, placed)| {
            let is_starting = self.is_wanted(placed.revision) && !placed.was_healthy;
            replica.slot != slot && is_starting && placed.is_live(now, config)
        });
        starting.count()
    }

    /// Replicas that fill a slot.
    fn live<'a>(
        &'a self,
        now: Timestamp,
        config: &'a KeeperConfig,
        slot: u16,
    ) -> impl Iterator<Item = (&'a ReplicaId, &'a Placed)> {
        let in_slot = self.replicas.iter().filter(move |(replica, _)| replica.slot == slot);
        in_slot.filter(move |(_, placed)| placed.is_live(now, config))
    }

    /// The replica of the wanted revision that fills a slot, and whether it is good already.
    fn best(&self, now: Timestamp, config: &KeeperConfig, slot: u16) -> Option<(ReplicaId, bool)> {
        let current = self
            .live(now, config, slot)
            .filter(|(_, placed)| self.is_wanted(placed.revision) && placed.state() != ReplicaState::Moving);
        current
            .map(|(replica, placed)| (*replica, placed.is_good()))
            .max_by_key(|(replica, good)| (*good, *replica))
    }

    /// Asks for the end of replicas.
    fn withdraw_where(
        &mut self,
        which: impl Fn(&ReplicaId, &Placed) -> bool,
        effects: &mut Vec<KeeperEffect>,
    ) {
        for (replica, placed) in &mut self.replicas {
            if !placed.is_withdrawn && which(replica, placed) {
                placed.is_withdrawn = true;
                effects.push(KeeperEffect::Withdraw { to: placed.node, replica: *replica });
            }
        }
    }

    fn look_for_node(
        &mut self,
        now: Timestamp,
        config: &KeeperConfig,
        number: u16,
        effects: &mut Vec<KeeperEffect>,
    ) {
        let service = self.declaration.service();
        let mut used = self.nodes_of_others(now, config, number);
        let slot = self.slots.entry(number).or_default();
        if now < slot.wait_until || slot.asked_at.is_some_and(|at| now.ms_since(at) < config.find_ms) {
            return;
        }
        slot.asked_at = Some(now);
        slot.avoid.retain(|(_, until)| *until > now);
        if slot.reach != Reach::Fresh {
            used.clear();
        }
        if slot.reach != Reach::All {
            used.extend(slot.avoid.iter().map(|(node, _)| *node));
        }
        // The market names nodes for a while after they are gone.
        let lost = self.replicas.values().filter(|placed| placed.is_lost(now, config));
        used.extend(lost.map(|placed| placed.node));
        used.sort_unstable();
        used.dedup();
        let preferred = self.node_with_volumes(number).filter(|node| !used.contains(node));
        effects.push(KeeperEffect::Find { service, slot: number, used, preferred });
    }

    /// Nodes that run replicas of other slots: a slot goes elsewhere if it can.
    fn nodes_of_others(&self, now: Timestamp, config: &KeeperConfig, slot: u16) -> Vec<NodeId> {
        let others = self
            .replicas
            .iter()
            .filter(|(replica, placed)| replica.slot != slot && placed.is_live(now, config));
        let mut nodes: Vec<NodeId> = others.map(|(_, placed)| placed.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    pub fn on_found(
        &mut self,
        now: Timestamp,
        config: &KeeperConfig,
        number: u16,
        nodes: &[NodeId],
        counts: &MisfitCounts,
        effects: &mut Vec<KeeperEffect>,
    ) {
        let is_wanted = self.spec().is_some_and(|spec| {
            // Others may have been placed since the search began.
            number < self.replicas() && self.may_fill(now, config, number, spec.update.parallel)
        });
        if !self.is_acting || !is_wanted || self.best(now, config, number).is_some() {
            return;
        }
        if self.volumes_are_taken(now, config, number) {
            return;
        }
        let load = |node: &NodeId| {
            let there = |placed: &&Placed| placed.node == *node && placed.is_live(now, config);
            self.replicas.values().filter(there).count()
        };
        let preferred = self.node_with_volumes(number);
        // In order of how well they fit, where they run equally many.
        let chosen = nodes.iter().min_by_key(|node| (Some(**node) != preferred, load(node))).copied();
        if chosen.is_some() && self.volumes_are_in_use(now, config, number) {
            // The next one goes on where this one ends.
            return self.withdraw_where(|replica, _| replica.slot == number, effects);
        }
        let slot = self.slots.entry(number).or_default();
        slot.is_stuck = false;
        match chosen {
            Some(node) => self.place(now, config, number, node, effects),
            None => match slot.reach.further() {
                Some(further) => {
                    slot.reach = further;
                    slot.asked_at = None;
                    self.look_for_node(now, config, number, effects);
                }
                None => {
                    slot.reach = Reach::Fresh;
                    slot.is_stuck = true;
                    if self.has_to_make_room(now, config, number) {
                        self.withdraw_where(|replica, _| replica.slot == number, effects);
                    }
                    self.note(now, Some(number), NoteText::NobodyFits { counts: counts.clone() });
                }
            },
        }
    }

    /// Whether a new revision of a slot has room only where the one before it runs: that one ends first, while all
    /// other slots answer. Only where it surely makes the room that is needed, or it would end for nothing.
    fn has_to_make_room(&self, now: Timestamp, config: &KeeperConfig, slot: u16) -> bool {
        let Some(spec) = self.spec() else { return false };
        let makes_room = |placed: &Placed| {
            let Some(old) = self.declared.spec_of(&self.declaration, placed.revision) else { return false };
            let (new_limits, old_limits) = (&spec.limits, &old.limits);
            old.constraints == spec.constraints
                && old.program.level == spec.program.level
                && (&old.program.needs.gpus, old.program.needs.isolation)
                    == (&spec.program.needs.gpus, spec.program.needs.isolation)
                && new_limits.cpu_cores <= old_limits.cpu_cores
                && new_limits.memory_bytes <= old_limits.memory_bytes
                && spec.disk_bytes() <= old.disk_bytes()
        };
        let answers = |slot: u16| {
            let mut states = self.live(now, config, slot).map(|(_, placed)| placed.state()).peekable();
            states.peek().is_some() && states.all(|state| state == ReplicaState::Healthy)
        };
        (0..self.replicas()).all(answers)
            && self.live(now, config, slot).all(|(_, placed)| makes_room(placed))
    }

    fn place(
        &mut self,
        now: Timestamp,
        config: &KeeperConfig,
        slot: u16,
        node: NodeId,
        effects: &mut Vec<KeeperEffect>,
    ) {
        let generation = self.next_generation(now, config, slot);
        let replica = ReplicaId { service: self.declaration.service(), slot, generation };
        let (revision, expires_at) = (self.wanted(), now.plus_ms(config.placement_ms));
        self.replicas.insert(replica, Placed::new(now, node, revision, expires_at));
        self.note(now, Some(slot), NoteText::Placed { node, revision });
        let placement = Placement { sky: config.sky, replica, revision, node, expires_at };
        effects.push(KeeperEffect::Place { placement, saved: self.begin_of(slot) });
    }

    /// A number that nobody else gives: it is above all that were seen of the slot, above the clock for a keeper
    /// that forgot in a restart what it placed, and ends in this keeper's place for two that act apart.
    fn next_generation(&mut self, now: Timestamp, config: &KeeperConfig, slot: u16) -> u64 {
        let place = self.declaration.keepers.iter().position(|keeper| *keeper == config.own).unwrap_or(0);
        let generation = self.generations.entry(slot).or_default();
        let count = (*generation >> PLACE_BITS).max(now.as_millis()).saturating_add(1);
        *generation = count.min(u64::MAX >> PLACE_BITS) << PLACE_BITS | place as u64;
        *generation
    }

    /// Replicas that will not get healthy where they are: their update is given up, or they are tried elsewhere.
    fn look_at_failures(&mut self, now: Timestamp, config: &KeeperConfig) {
        let Some(healthy_ms) = self.spec().map(|spec| spec.update.healthy_ms) else { return };
        let has_failed = |slot: u16, placed: &Placed| {
            let restarts = placed.report.as_ref().map_or(0, |report| report.restarts);
            let is_late = placed.began_at.is_some_and(|at| now.ms_since(at) >= healthy_ms);
            let is_bad = (is_late && !placed.state().answers()) || restarts >= RESTARTS_MAX;
            // What never comes, or was well once and stays ill, may do better elsewhere.
            let is_due = |since: Option<Timestamp>, ms| since.is_some_and(|at| now.ms_since(at) >= ms);
            let never_came =
                placed.began_at.is_none() && is_due(placed.answered_at, self.prepare_ms_max(slot));
            let stays_ill = is_due(placed.ill_since, healthy_ms);
            placed.state() == ReplicaState::Failed
                || (!placed.was_healthy && is_bad)
                || never_came
                || stays_ill
        };
        let failed: Vec<(ReplicaId, Placed)> = self
            .replicas
            .iter()
            .filter(|(replica, placed)| {
                !placed.is_withdrawn && !placed.is_lost(now, config) && has_failed(replica.slot, placed)
            })
            .map(|(replica, placed)| (*replica, placed.clone()))
            .collect();
        for (replica, placed) in failed {
            let (problem, last_words) = match &placed.report {
                Some(report) if !report.problem.is_empty() => {
                    (report.problem.clone(), report.last_words.clone())
                }
                Some(report) => ("it did not get healthy in time".to_owned(), report.last_words.clone()),
                None => Default::default(),
            };
            let node = placed.node;
            let text = NoteText::Failed { node, problem: problem.clone(), last_words: last_words.clone() };
            self.note(now, Some(replica.slot), text);
            let said = if last_words.is_empty() { problem } else { format!("{problem}: {last_words}") };
            self.count_failure(&placed, &said);
            let newest = self.declaration.revision;
            let is_update =
                self.is_update && self.declaration.fallback.is_some() && self.good != Some(newest);
            if is_update && placed.revision == newest && self.given_up.is_none() {
                self.give_up(now, said);
            }
            if let Some(placed) = self.replicas.get_mut(&replica) {
                // Its end is asked for with the next question to its host.
                placed.is_withdrawn = true;
            }
            self.leave_alone(now, config, replica.slot, node);
            let slot = self.slots.entry(replica.slot).or_default();
            slot.failures = slot.failures.saturating_add(1);
            slot.wait_until = now.plus_ms((500 << slot.failures.min(10)).min(WAIT_MS_MAX));
        }
    }

    /// Counts how often a revision failed of which nothing was ever well.
    fn count_failure(&mut self, placed: &Placed, problem: &str) {
        let was_well = |placed: &Placed| self.is_wanted(placed.revision) && placed.was_healthy;
        if !self.is_wanted(placed.revision) || self.replicas.values().any(was_well) {
            return;
        }
        // A program that ended again and again did so that often.
        let ends = placed.report.as_ref().map_or(0, |report| report.restarts).max(1);
        let before = self.failing.as_ref().map_or(0, |failing| failing.times);
        self.failing = Some(Failing { times: before.saturating_add(ends), problem: problem.to_owned() });
    }

    pub fn give_up(&mut self, now: Timestamp, problem: String) {
        let may_roll_back = self.declared.spec.as_ref().is_some_and(|spec| spec.update.rollback);
        let earlier = self.declaration.fallback.map(|earlier| earlier.revision);
        let goes_on = earlier.filter(|revision| {
            may_roll_back && self.declared.spec_of(&self.declaration, *revision).is_some()
        });
        let revision = self.declaration.revision;
        self.note(now, None, NoteText::GaveUp { revision, goes_on, problem: problem.clone() });
        self.given_up = Some(GivenUp { revision, goes_on, problem });
        self.slots.clear();
    }

    /// Notes that all of the wanted revision is good. Keepers that stand by see it too: whoever takes over knows
    /// that a later failure is none of the update.
    pub fn look_at_revision(&mut self, now: Timestamp, config: &KeeperConfig) {
        if self.spec().is_none() {
            return;
        }
        let replicas = self.replicas();
        let wanted = self.wanted();
        let is_whole = (0..replicas).all(|slot| matches!(self.best(now, config, slot), Some((_, true))));
        if is_whole && (self.good != Some(wanted) || self.notes.is_empty()) {
            self.good = Some(wanted);
            self.note(now, None, NoteText::UpToDate { revision: wanted });
        }
    }
}
