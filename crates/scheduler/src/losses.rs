//! What is lost and found: providers that vanish, come back, stop, or forget (threats F12, F15).

use crate::{
    agreements::{ATTEMPT_UNKNOWN, Agreement, Reach, Run, RunState},
    cells::CellState,
    job::Job,
    rests::Strike,
    turn::Turn,
    verification::Mishap,
};
use opensky_types::{
    NodeId, TaskId,
    reason::{Misfit, Reason},
    task::Failure,
};
use std::collections::BTreeSet;

/// Grace times after which nothing is expected of a lost provider any more.
const GONE_GRACES_MAX: u64 = 300;

impl Job {
    pub fn on_provider_lost(&mut self, turn: &mut Turn<'_>, node: NodeId) {
        for slot in self.agreements.slots_where(|held| held.node == node) {
            let Some(agreement) = self.agreements.get_mut(slot) else { continue };
            if matches!(agreement.reach, Reach::Live | Reach::Resuming { .. }) {
                agreement.reach = Reach::Lost { since: turn.now };
                let stage = agreement.stage;
                self.dirty.insert(stage);
                self.hedge_lost(turn, slot);
            }
        }
        for (position, stage) in self.stages.iter_mut().enumerate() {
            if stage.proposals.remove(&node).is_some() {
                stage.find_next_at = turn.now;
                self.dirty.insert(position as u16);
            }
        }
        self.settle(turn);
    }

    pub fn on_provider_back(&mut self, turn: &mut Turn<'_>, node: NodeId) {
        for slot in self.agreements.slots_where(|held| held.node == node) {
            let Some(agreement) = self.agreements.get_mut(slot) else { continue };
            if matches!(agreement.reach, Reach::Lost { .. } | Reach::Gone { .. }) {
                agreement.reach = Reach::Resuming { since: turn.now };
                agreement.back_at = turn.now;
            }
        }
    }

    pub fn on_standing(&mut self, turn: &mut Turn<'_>, slot: u32, slots: u16, tasks: &[TaskId]) {
        let Some(agreement) = self.agreements.get_mut(slot) else { return };
        agreement.reach = Reach::Live;
        agreement.heard_at = turn.now;
        agreement.set_slots(slots);
        let (stage, node, back_at) = (agreement.stage, agreement.node, agreement.back_at);
        let slack_ms = turn.config.standing_slack_ms;
        let named: BTreeSet<u32> =
            tasks.iter().filter(|task| task.stage == stage).map(|task| task.index).collect();
        // Results and assignments may have crossed it on the wire: only old runs can be missing.
        let now = turn.now;
        let aged = |run: &Run| now.ms_since(run.since.max(back_at)) >= slack_ms;
        // A provider that says forever that it works on a task does not work on it.
        let wall_ms = self.spec.stages[usize::from(stage)].limits.wall_ms;
        let turns = 1 + u64::from(agreement.active() / u32::from(slots.max(1)));
        let due_ms = wall_ms.saturating_mul(turns).saturating_add(slack_ms);
        let overdue = |run: &Run| now.ms_since(run.since.max(back_at)) >= due_ms;
        let missing: Vec<u32> = agreement
            .runs
            .iter()
            .filter(|(_, run)| run.state.is_at_provider() && aged(run))
            .filter(|(index, run)| !named.contains(index) || overdue(run))
            .map(|(index, _)| *index)
            .collect();
        for index in missing {
            self.lose_run(turn, slot, TaskId { stage, index });
        }
        for index in named {
            let task = TaskId { stage, index };
            let known = self.agreements.get(slot).and_then(|held| held.runs.get(&index)).copied();
            match known.map(|run| run.state) {
                Some(RunState::Abandoned) if self.is_open(task) => {
                    if let Some(agreement) = self.agreements.get_mut(slot) {
                        agreement.shift(index, RunState::Active);
                    }
                    self.revive(task, slot);
                }
                Some(RunState::Cancelled) if known.is_some_and(|run| aged(&run)) => {
                    self.outbox.cancel(slot, task);
                }
                None if !self.adopt(turn, slot, task, node) => self.outbox.cancel(slot, task),
                _ => {}
            }
        }
        self.dirty.insert(stage);
        self.settle(turn);
    }

    /// Takes over a run from before a restart.
    fn adopt(&mut self, turn: &mut Turn<'_>, slot: u32, task: TaskId, node: NodeId) -> bool {
        let from_before = self.agreements.get(slot).and_then(|held| held.taken.as_ref());
        if from_before.is_none_or(|taken| taken.contains(&task.index)) {
            return false;
        }
        self.open_unplaced(task);
        let stage = &mut self.stages[usize::from(task.stage)];
        let Some(detail) = stage.cells.detail_mut(task.index).filter(|detail| !detail.has_used(&node)) else {
            return false;
        };
        detail.runs.push(crate::cells::RunRef { slot, node, live: true });
        stage.top_up(task.index);
        let run = Run {
            attempt: ATTEMPT_UNKNOWN,
            since: turn.now,
            state: RunState::Active,
            hedged: false,
            commitment: None,
        };
        if let Some(agreement) = self.agreements.get_mut(slot) {
            agreement.add(task.index, run);
        }
        self.draw_audit(turn, slot, task);
        true
    }

    /// Whether a task was tried and is not settled.
    fn is_open(&self, task: TaskId) -> bool {
        let cell = self.stages[usize::from(task.stage)].cells.get(task.index);
        cell.is_some_and(|cell| cell.state == CellState::Open)
    }

    /// Expects a result again of a run that was given up.
    pub fn revive(&mut self, task: TaskId, slot: u32) {
        let stage = &mut self.stages[usize::from(task.stage)];
        if let Some(detail) = stage.cells.detail_mut(task.index) {
            for run in detail.runs.iter_mut().filter(|run| run.slot == slot) {
                run.live = true;
            }
            stage.top_up(task.index);
        }
    }

    /// Forgets a run that its provider does not have any more.
    fn lose_run(&mut self, turn: &mut Turn<'_>, slot: u32, task: TaskId) {
        let Some(agreement) = self.agreements.get_mut(slot) else { return };
        let (node, run) = (agreement.node, agreement.take(task.index));
        let stage = &mut self.stages[usize::from(task.stage)];
        let Some(detail) = stage.cells.detail_mut(task.index) else { return };
        let was_live = detail.runs.iter().any(|run| run.slot == slot && run.live);
        detail.runs.retain(|run| run.slot != slot);
        if let Some(run) = run.filter(|_| was_live) {
            let (attempt, failure) = (run.attempt, Failure::ProviderLost);
            self.mishap(turn, task, Mishap { node, attempt, failure, noted: true });
        }
    }

    pub fn on_agreement_ended(&mut self, turn: &mut Turn<'_>, slot: u32, misfit: Misfit) {
        let Some(agreement) = self.drop_agreement(turn, slot) else { return };
        let (stage, node) = (agreement.stage, agreement.node);
        let strike = if misfit == Misfit::Full { Strike::Full } else { Strike::Refusal };
        turn.strike(node, strike);
        self.note(turn, None, Reason::Refused { stage, node, misfit });
        self.settle(turn);
    }

    /// Sends the tasks of a provider that stayed away elsewhere. Its agreement stays for a while: a
    /// late result is as good as any.
    fn abandon(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(agreement) = self.agreements.get_mut(slot) else { return };
        agreement.reach = Reach::Gone { since: turn.now };
        let (node, stage) = (agreement.node, agreement.stage);
        let expected: Vec<(u32, u32)> = agreement
            .runs
            .iter()
            .filter(|(_, run)| !matches!(run.state, RunState::Cancelled | RunState::Abandoned))
            .map(|(index, run)| (*index, run.attempt))
            .collect();
        for (index, attempt) in &expected {
            if let Some(agreement) = self.agreements.get_mut(slot) {
                agreement.shift(*index, RunState::Abandoned);
            }
            let cells = &mut self.stages[usize::from(stage)].cells;
            let Some(detail) = cells.detail_mut(*index) else { continue };
            for run in detail.runs.iter_mut().filter(|run| run.slot == slot) {
                run.live = false;
            }
            let (task, attempt) = (TaskId { stage, index: *index }, *attempt);
            self.mishap(turn, task, Mishap { node, attempt, failure: Failure::ProviderLost, noted: false });
        }
        turn.strike(node, Strike::Loss);
        self.note(turn, None, Reason::ProviderLost { node, tasks: expected.len() as u32 });
        self.stages[usize::from(stage)].find_next_at = turn.now;
        self.dirty.insert(stage);
    }

    /// Time passed: providers that stayed away, results that were not shown, agreements without work.
    pub fn tick_agreements(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        let (grace_ms, resume_ms) = (turn.config.lost_grace_ms, turn.config.proposal_timeout_ms);
        let gone_ms = grace_ms.saturating_mul(GONE_GRACES_MAX);
        for slot in self.agreements.slots_where(|_| true) {
            let Some(agreement) = self.agreements.get(slot) else { continue };
            // Without work although the stage has some: what waits needs other nodes.
            let wanted = self.stages[usize::from(agreement.stage)].wanted() > 0;
            let patience_ms = if wanted { 2 * resume_ms } else { turn.config.idle_ms };
            let idle = agreement.runs.is_empty() && now.ms_since(agreement.busy_at) >= patience_ms;
            let silent = now.ms_since(agreement.heard_at) >= turn.config.silence_ms;
            match agreement.reach {
                Reach::Lost { since } if now.ms_since(since) >= grace_ms => self.abandon(turn, slot),
                Reach::Resuming { since } if now.ms_since(since) >= resume_ms => self.abandon(turn, slot),
                Reach::Gone { since } if now.ms_since(since) >= gone_ms => self.close(turn, slot),
                Reach::Live if idle => self.close(turn, slot),
                Reach::Live if agreement.active() > 0 && silent => self.abandon(turn, slot),
                _ => self.give_up_hidden(turn, slot),
            }
        }
    }

    /// Ends the agreement if results were to be shown and were not.
    fn give_up_hidden(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(agreement) = self.agreements.get(slot).filter(|held| held.held() > 0) else { return };
        let timeout_ms = turn.config.reveal_timeout_ms;
        let hidden = agreement
            .runs
            .values()
            .filter(|run| run.state == RunState::Revealed && turn.now.ms_since(run.since) >= timeout_ms);
        let (node, hidden) = (agreement.node, hidden.count() as u32);
        if hidden > 0 {
            turn.strike(node, Strike::Loss);
            self.note(turn, None, Reason::ProviderLost { node, tasks: hidden });
            self.close(turn, slot);
        }
    }

    /// Closes the agreements of a complete stage, except where a result is still being shown.
    pub fn release(&mut self, turn: &mut Turn<'_>, stage: u16) {
        for slot in self.stages[usize::from(stage)].members.clone() {
            if self.agreements.get(slot).is_some_and(|held| held.active() == 0 && held.held() == 0) {
                self.close(turn, slot);
            }
        }
    }

    /// Ends an agreement from this side.
    pub fn close(&mut self, turn: &mut Turn<'_>, slot: u32) {
        self.flush(turn);
        if let Some(agreement) = self.drop_agreement(turn, slot) {
            turn.effects.push(crate::Effect::Close { agreement: agreement.id, node: agreement.node });
        }
    }

    /// Forgets an agreement; its tasks without a result go elsewhere.
    fn drop_agreement(&mut self, turn: &mut Turn<'_>, slot: u32) -> Option<Agreement> {
        self.flush(turn);
        let mut agreement = self.agreements.remove(slot)?;
        turn.owners.remove(&agreement.id);
        let (stage, node) = (agreement.stage, agreement.node);
        let queues = &mut self.stages[usize::from(stage)];
        queues.members.retain(|member| *member != slot);
        queues.find_next_at = turn.now;
        self.dirty.insert(stage);
        for (index, run) in agreement.take_all() {
            let Some(detail) = self.stages[usize::from(stage)].cells.detail_mut(index) else { continue };
            let was_live = detail.runs.iter().any(|run| run.slot == slot && run.live);
            detail.runs.retain(|run| run.slot != slot);
            if was_live && !self.state.is_final() {
                let (task, attempt) = (TaskId { stage, index }, run.attempt);
                let failure = Failure::ProviderLost;
                self.mishap(turn, task, Mishap { node, attempt, failure, noted: false });
            }
        }
        Some(agreement)
    }
}
