//! Looking for nodes: when to ask the market, what to propose, and when to give up waiting.

use crate::{
    Candidate, Effect,
    agreements::{Agreement, Reach},
    job::Job,
    rests::Strike,
    stage::{Proposal, nodes_min},
    turn::Turn,
};
use opensky_types::{
    AgreementId, NodeId, TaskId,
    reason::{Misfit, MisfitCounts, Reason},
};

/// Intervals after which a question to the market counts as lost.
const ASKED_INTERVALS_MAX: u64 = 5;
/// Tasks that are looked at when a stage is stuck.
const STUCK_LOOKED_AT_MAX: usize = 64;

/// How many slots, and nodes, a stage lacks.
struct Shortage {
    slots: u32,
    nodes: u32,
}

impl Job {
    /// Asks the market for nodes if the stage has tasks that its agreements cannot take.
    pub fn seek(&mut self, turn: &mut Turn<'_>, stage: u16) {
        let position = usize::from(stage);
        let Some(shortage) = self.shortage(turn, stage) else { return };
        let config = turn.config;
        let queues = &mut self.stages[position];
        let patience_ms = config.find_interval_ms.saturating_mul(ASKED_INTERVALS_MAX);
        if queues.asked_at.is_some_and(|at| turn.now.ms_since(at) < patience_ms)
            || turn.now < queues.find_next_at
        {
            return;
        }
        queues.asked_at = Some(turn.now);
        queues.find_next_at = turn.now.plus_ms(config.find_interval_ms);
        let mut exclude: Vec<NodeId> = queues.proposals.keys().copied().collect();
        exclude.extend(queues.members.iter().filter_map(|slot| Some(self.agreements.get(*slot)?.node)));
        if queues.ready == 0
            && let Some(detail) = queues.unplaced(1).next().and_then(|index| queues.cells.detail(index))
        {
            exclude.extend(detail.answers.iter().map(|answer| answer.node));
            exclude.extend(&detail.failed_on);
        }
        exclude.sort_unstable();
        exclude.dedup();
        let wanted = shortage.slots.max(shortage.nodes);
        turn.effects.push(Effect::Find { job: self.id, stage, wanted, exclude });
    }

    /// What a stage lacks now; `None` if nothing, or if it has as many agreements as it may.
    fn shortage(&self, turn: &Turn<'_>, stage: u16) -> Option<Shortage> {
        let queues = &self.stages[usize::from(stage)];
        if queues.wanted() == 0 && !queues.hedge_lacks_node {
            return None;
        }
        let (mut slots, mut nodes, mut active, mut spare) = (0u32, 0u32, 0u32, false);
        for agreement in queues.members.iter().filter_map(|slot| self.agreements.get(*slot)) {
            active += agreement.active();
            if agreement.is_usable(turn.now) || matches!(agreement.reach, Reach::Resuming { .. }) {
                slots += u32::from(agreement.slots);
                nodes += 1;
                spare |= agreement.active() < u32::from(agreement.slots);
            }
        }
        for proposal in queues.proposals.values() {
            slots += u32::from(proposal.slots);
            nodes += 1;
        }
        if nodes >= u32::from(turn.config.agreements_per_stage_max) {
            return None;
        }
        // A free slot beside tasks that wait means that they need another node.
        let stuck = (spare && queues.wanted() > 0) || queues.hedge_lacks_node;
        let lacking = Shortage {
            slots: active.saturating_add(queues.wanted()).saturating_sub(slots).max(u32::from(stuck)),
            nodes: nodes_min(self.spec.stages[usize::from(stage)].verify)
                .saturating_sub(nodes)
                .max(u32::from(stuck && queues.proposals.is_empty())),
        };
        (lacking.slots > 0 || lacking.nodes > 0).then_some(lacking)
    }

    pub fn on_matched(
        &mut self,
        turn: &mut Turn<'_>,
        stage: u16,
        ranked: Vec<Candidate>,
        counts: MisfitCounts,
    ) {
        if self.state.is_final() || usize::from(stage) >= self.stages.len() {
            return;
        }
        self.stages[usize::from(stage)].asked_at = None;
        let proposed = self.propose(turn, stage, ranked, counts.fitting);
        let queues = &mut self.stages[usize::from(stage)];
        if proposed > 0 {
            queues.hedge_lacks_node = false;
        } else {
            queues.counts = Some(counts);
            self.wait(turn, stage);
        }
        self.settle(turn);
    }

    /// Proposes terms to the best candidates, spread over as many as there are; says to how many.
    fn propose(
        &mut self,
        turn: &mut Turn<'_>,
        stage: u16,
        mut ranked: Vec<Candidate>,
        fitting: u32,
    ) -> usize {
        let Some(shortage) = self.shortage(turn, stage) else { return 0 };
        let position = usize::from(stage);
        ranked.retain(|candidate| {
            candidate.slots_free > 0
                && !turn.rests.is_resting(&candidate.node, turn.now)
                && !self.has_dealings(stage, &candidate.node)
        });
        let queues = &mut self.stages[position];
        let room = usize::from(turn.config.agreements_per_stage_max)
            .saturating_sub(queues.members.len() + queues.proposals.len());
        ranked.truncate(room);
        let share = shortage.slots.div_ceil(ranked.len().max(1) as u32).max(1);
        let (mut slots_left, mut nodes_left, mut proposed) = (shortage.slots, shortage.nodes, 0);
        for candidate in ranked {
            if slots_left == 0 && nodes_left == 0 {
                break;
            }
            let slots = candidate.slots_free.min(u16::try_from(share).unwrap_or(u16::MAX));
            slots_left = slots_left.saturating_sub(u32::from(slots));
            nodes_left = nodes_left.saturating_sub(1);
            proposed += 1;
            let Candidate { node, score, rank, audit_parts, .. } = candidate;
            let proposal = Proposal { slots, at: turn.now, rank, score, fitting, audit_parts };
            queues.proposals.insert(node, proposal);
            turn.effects.push(Effect::Propose { job: self.id, stage, node, slots });
        }
        proposed
    }

    /// Whether the stage has an agreement with this node or proposed one.
    fn has_dealings(&self, stage: u16, node: &NodeId) -> bool {
        let queues = &self.stages[usize::from(stage)];
        queues.proposals.contains_key(node)
            || queues.members.iter().any(|slot| self.agreements.get(*slot).is_some_and(|a| a.node == *node))
    }

    pub fn on_agreed(
        &mut self,
        turn: &mut Turn<'_>,
        stage: u16,
        node: NodeId,
        agreement: AgreementId,
        slots: u16,
    ) {
        let known = turn.owners.contains_key(&agreement);
        let Some(queues) = self.stages.get_mut(usize::from(stage)).filter(|_| !known) else { return };
        let proposal = queues.proposals.remove(&node);
        let complete = queues.is_complete();
        if self.state.is_final() || complete || slots == 0 || self.has_dealings(stage, &node) {
            turn.effects.push(Effect::Close { agreement, node });
            return;
        }
        turn.rests.welcome(&node);
        let mut agreed = Agreement::new(agreement, stage, node, slots, turn.now);
        if let Some(proposal) = &proposal {
            agreed.audit_parts = proposal.audit_parts;
        }
        let slot = self.agreements.insert(agreed);
        self.stages[usize::from(stage)].members.push(slot);
        turn.owners.insert(agreement, (self.id, slot));
        let (rank, fitting, score) = proposal.map_or((0, 0, 0), |p| (p.rank, p.fitting, p.score));
        self.note(turn, None, Reason::Agreed { stage, node, slots, rank, fitting, score });
        self.dirty.insert(stage);
        self.settle(turn);
    }

    pub fn on_refused(&mut self, turn: &mut Turn<'_>, stage: u16, node: NodeId, misfit: Misfit) {
        let Some(queues) = self.stages.get_mut(usize::from(stage)) else { return };
        if queues.proposals.remove(&node).is_none() {
            return;
        }
        queues.find_next_at = turn.now;
        let strike = if misfit == Misfit::Full { Strike::Full } else { Strike::Refusal };
        turn.strike(node, strike);
        self.note(turn, None, Reason::Refused { stage, node, misfit });
        self.dirty.insert(stage);
        self.settle(turn);
    }

    /// Gives up on proposals that nobody answered, and on a wait that took too long.
    pub fn tick_seeking(&mut self, turn: &mut Turn<'_>, stage: u16) {
        let timeout_ms = turn.config.proposal_timeout_ms;
        let queues = &mut self.stages[usize::from(stage)];
        let silent: Vec<NodeId> = queues
            .proposals
            .iter()
            .filter(|(_, proposal)| turn.now.ms_since(proposal.at) >= timeout_ms)
            .map(|(node, _)| *node)
            .collect();
        for node in silent {
            queues.proposals.remove(&node);
            queues.find_next_at = turn.now;
            turn.strike(node, Strike::Refusal);
        }
        self.wait(turn, stage);
        self.dirty.insert(stage);
    }

    /// Whether tasks of the stage could run, none does, and nothing that is under way changes that.
    fn is_starved(&self, turn: &Turn<'_>, stage: u16) -> bool {
        let queues = &self.stages[usize::from(stage)];
        let hope = |slot: &u32| {
            self.agreements.get(*slot).is_some_and(|held| held.active() > 0 || held.may_return(turn.now))
        };
        queues.wanted() > 0
            && queues.proposals.is_empty()
            && queues.asked_at.is_none()
            && queues.counts.is_some()
            && !queues.members.iter().any(hope)
    }

    /// Notes why a starved stage waits, and stops the job when waiting is in vain or took too long.
    fn wait(&mut self, turn: &mut Turn<'_>, stage: u16) {
        if self.doom.is_some() {
            return;
        }
        // A rest may have ended just now.
        self.fill(turn, stage);
        if !self.is_starved(turn, stage) {
            return;
        }
        let wait_ms = self.spec.wait_ms;
        let queues = &mut self.stages[usize::from(stage)];
        let since = *queues.starved_since.get_or_insert(turn.now);
        let Some(counts) = queues.counts.clone() else { return };
        let waited_ms = turn.now.ms_since(since);
        if let Some(index) = self.failed_everywhere(turn, stage, &counts) {
            self.poison(turn, TaskId { stage, index });
        } else if waited_ms >= wait_ms {
            self.doom = Some((None, Reason::NobodyFits { stage, waited_ms, counts }));
        } else if self.stages[usize::from(stage)].noted.as_ref() != Some(&counts) {
            self.stages[usize::from(stage)].noted = Some(counts.clone());
            self.note(turn, None, Reason::Waiting { stage, counts });
        }
    }

    /// A task that failed by the program's fault on every node that fits: no other will ever come, so
    /// waiting for `failures_max` of them would never end.
    fn failed_everywhere(&self, turn: &Turn<'_>, stage: u16, counts: &MisfitCounts) -> Option<u32> {
        let passing = |misfit: &Misfit| {
            matches!(misfit, Misfit::Closed | Misfit::Full | Misfit::Expired | Misfit::Resting)
        };
        if counts.excluded.iter().any(|(misfit, _)| passing(misfit)) {
            return None;
        }
        let queues = &self.stages[usize::from(stage)];
        queues.unplaced(STUCK_LOOKED_AT_MAX).find(|index| {
            queues.cells.detail(*index).is_some_and(|detail| {
                !detail.failed_on.is_empty()
                    && detail.failed_on.iter().all(|node| !turn.rests.is_resting(node, turn.now))
            })
        })
    }
}
