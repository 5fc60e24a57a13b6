//! One job: its life from submission to its end.

use crate::{
    Effect, Judgement, Restored,
    agreements::{Agreement, Agreements, Reach},
    cells::CellState,
    draw::Draw,
    stage::{self, Stage},
    turn::{Outbox, Turn},
};
use opensky_types::{
    JobId, NodeId, TaskId, Timestamp,
    job::{Condition, JobNote, JobSpec, JobState, LevelReason, ResultTests},
    reason::Reason,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub id: JobId,
    pub spec: Arc<JobSpec>,
    pub state: JobState,
    /// When it was submitted or last retried.
    pub started_at: Timestamp,
    pub stages: Vec<Stage>,
    pub agreements: Agreements,
    pub draw: Draw,
    pub outbox: Outbox,
    /// Stages that this input may have given something to do.
    pub dirty: BTreeSet<u16>,
    /// Why the job has to stop, found while handling this input.
    pub doom: Option<(Option<TaskId>, Reason)>,
    /// Nodes whose results were rejected while handling this input.
    pub liars: BTreeSet<NodeId>,
    pub attempts_from: u32,
    /// Tests that stages make of earlier ones' results.
    pub tests: ResultTests,
    /// The condition by which a stage is being skipped.
    pub skipping: Option<Condition>,
    pub accepted_by: BTreeMap<NodeId, u64>,
    notes_left: u32,
    /// Whether each placement is noted: only for jobs of moderate size.
    notes_routine: bool,
}

impl Job {
    pub fn new(turn: &Turn<'_>, id: JobId, spec: Arc<JobSpec>) -> Self {
        let counts = spec.task_counts();
        let tasks: u64 = counts.iter().copied().map(u64::from).sum();
        let stages = spec.stages.iter().zip(counts).map(|(stage, count)| Stage::new(stage, count, turn.now));
        let mut job = Self {
            id,
            state: JobState::Waiting,
            started_at: turn.now,
            stages: stages.collect(),
            agreements: Agreements::default(),
            draw: Draw::new(&turn.config.secret, &id, spec.seed),
            outbox: Outbox::default(),
            dirty: BTreeSet::new(),
            doom: None,
            liars: BTreeSet::new(),
            attempts_from: 0,
            tests: ResultTests::default(),
            skipping: None,
            accepted_by: BTreeMap::new(),
            notes_left: turn.config.notes_max,
            notes_routine: tasks <= u64::from(turn.config.placed_notes_tasks_max),
            spec,
        };
        job.link();
        job
    }

    pub fn on_submitted(&mut self, turn: &mut Turn<'_>) {
        let spec = Arc::clone(&self.spec);
        for (position, stage) in spec.stages.iter().enumerate() {
            let (stage, level, because) = (position as u16, stage.program.level, stage.level_reason);
            if because != LevelReason::Given {
                self.note_last(turn, None, Reason::LevelChosen { stage, level, because });
            }
        }
        self.rebuild();
        turn.effects.push(Effect::Changed { job: self.id, state: self.state });
        self.settle(turn);
    }

    pub fn on_restored(&mut self, turn: &mut Turn<'_>, restored: &Restored) {
        self.started_at = restored.submitted_at;
        self.attempts_from = restored.attempts_from;
        for accepted in &restored.accepted {
            let TaskId { stage, index } = accepted.task;
            let Some(stage) = self.stages.get_mut(usize::from(stage)) else { continue };
            if stage.cells.get(index).is_some_and(|cell| cell.state == CellState::Untried) {
                stage.give_result(index, accepted.failed, &accepted.output, accepted.tests);
            }
        }
        self.rebuild();
        for failed in &restored.failed {
            self.restore_failure(failed.task, failed.node);
        }
        for held in &restored.agreements {
            let Some(stage) = self.stages.get_mut(usize::from(held.stage)) else { continue };
            let mut agreement = Agreement::new(held.agreement, held.stage, held.node, held.slots, turn.now);
            if commits_first(&self.spec, held.stage) || stage.is_complete() {
                turn.effects.push(Effect::Close { agreement: held.agreement, node: held.node });
                continue;
            }
            agreement.reach = Reach::Resuming { since: turn.now };
            agreement.taken = Some(BTreeSet::new());
            agreement.audit_parts = held.audit_parts;
            let slot = self.agreements.insert(agreement);
            stage.members.push(slot);
            turn.owners.insert(held.agreement, (self.id, slot));
        }
        let accepted = self.stages.iter().map(|stage| stage.accepted).sum();
        self.note_last(turn, None, Reason::Resumed { accepted });
        turn.effects.push(Effect::Changed { job: self.id, state: self.state });
        self.settle(turn);
    }

    fn restore_failure(&mut self, task: TaskId, node: NodeId) {
        self.open_unplaced(task);
        let Some(stage) = self.stages.get_mut(usize::from(task.stage)) else { return };
        if let Some(detail) = stage.cells.detail_mut(task.index)
            && !detail.failed_on.contains(&node)
        {
            detail.failed_on.push(node);
        }
    }

    /// Opens a ready task that was never tried here, for what is known of it from before a restart.
    /// Its runs are queued.
    pub fn open_unplaced(&mut self, task: TaskId) {
        let position = usize::from(task.stage);
        let state = self.stages.get(position).and_then(|stage| stage.cells.get(task.index));
        if state.is_some_and(|cell| cell.state == CellState::Untried) && self.is_ready(task) {
            self.stages[position].start(task.index, stage::plan(self.spec.stages[position].verify));
            self.stages[position].push_urgent(task.index);
            self.dirty.insert(task.stage);
        }
    }

    pub fn on_cancel(&mut self, turn: &mut Turn<'_>) {
        if !self.state.is_final() {
            self.note_last(turn, None, Reason::Cancelled);
            self.stop(turn, JobState::Cancelled);
        }
    }

    pub fn on_retry(&mut self, turn: &mut Turn<'_>) {
        if !matches!(self.state, JobState::Failed | JobState::Cancelled) {
            return;
        }
        for stage in &mut self.stages {
            stage.cells.reset(!stage.may_fail);
            if !stage.may_fail {
                stage.failed = 0;
            }
            stage.find_next_at = turn.now;
        }
        self.started_at = turn.now;
        self.state = JobState::Waiting;
        self.rebuild();
        let left = |stage: &Stage| stage.cells.count() - stage.accepted - stage.failed - stage.skipped;
        let tasks = self.stages.iter().map(left).sum();
        self.note_last(turn, None, Reason::RetriedByOwner { tasks });
        turn.effects.push(Effect::Changed { job: self.id, state: self.state });
        self.settle(turn);
    }

    pub fn on_give_up(&mut self, turn: &mut Turn<'_>, reason: Reason) {
        if !self.state.is_final() {
            self.doom.get_or_insert((None, reason));
            self.settle(turn);
        }
    }

    pub fn on_tick(&mut self, turn: &mut Turn<'_>) {
        if self.state.is_final() && self.agreements.iter().next().is_none() {
            return;
        }
        let deadline_ms = self.spec.deadline_ms.filter(|_| !self.state.is_final());
        if let Some(deadline_ms) = deadline_ms
            && turn.now.ms_since(self.started_at) >= deadline_ms
        {
            self.doom = Some((None, Reason::Deadline { deadline_ms }));
            return self.settle(turn);
        }
        self.tick_agreements(turn);
        for stage in 0..self.stages.len() as u16 {
            let queues = &mut self.stages[usize::from(stage)];
            queues.wake(turn.now);
            if !self.state.is_final() && !queues.is_complete() && queues.ready + queues.open > 0 {
                self.hedge(turn, stage);
                self.tick_seeking(turn, stage);
            }
        }
        self.settle(turn);
    }

    /// Does what the input has made possible: places tasks, looks for nodes, ends the job.
    pub fn settle(&mut self, turn: &mut Turn<'_>) {
        self.punish(turn);
        while let Some(stage) = self.dirty.pop_first() {
            if self.stages[usize::from(stage)].is_complete() {
                self.release(turn, stage);
            } else if !self.state.is_final() && self.doom.is_none() {
                self.fill(turn, stage);
                self.seek(turn, stage);
            }
        }
        if let Some((task, reason)) = self.doom.take() {
            self.note_last(turn, task, reason);
            self.stop(turn, JobState::Failed);
        }
        self.flush(turn);
        if !self.state.is_final() && self.stages.iter().all(Stage::is_complete) {
            let tasks = self.stages.iter().map(|stage| stage.accepted).sum();
            self.note_last(turn, None, Reason::Done { tasks });
            self.state = JobState::Succeeded;
            turn.effects.push(Effect::Changed { job: self.id, state: self.state });
        }
    }

    /// Ends the job without success: everything that runs is stopped, open answers stay undecided.
    fn stop(&mut self, turn: &mut Turn<'_>, state: JobState) {
        for (position, stage) in self.stages.iter().enumerate() {
            for detail in stage.cells.open_details() {
                let task = TaskId { stage: position as u16, index: detail.index };
                for answer in detail.answers.iter().chain(&detail.fallback) {
                    let judgement =
                        if answer.failure.is_some() { Judgement::Failed } else { Judgement::Undecided };
                    self.outbox.judge(answer.agreement, answer.node, task, answer.attempt, judgement);
                }
            }
        }
        self.state = state;
        for slot in self.agreements.slots_where(|_| true) {
            self.close(turn, slot);
        }
        for stage in &mut self.stages {
            stage.cells.reset(false);
            stage.clear_queues();
            stage.proposals.clear();
        }
        self.dirty.clear();
        self.flush(turn);
        turn.effects.push(Effect::Changed { job: self.id, state });
    }

    pub fn flush(&mut self, turn: &mut Turn<'_>) {
        self.outbox.flush(self.id, &self.agreements, turn.effects);
    }

    /// Notes a step, unless the job has had its share of notes.
    pub fn note(&mut self, turn: &mut Turn<'_>, task: Option<TaskId>, reason: Reason) {
        if self.notes_left > 0 {
            self.notes_left -= 1;
            self.note_last(turn, task, reason);
        }
    }

    /// Notes a step that is only of interest in jobs of moderate size.
    pub fn note_routine(&mut self, turn: &mut Turn<'_>, task: TaskId, reason: Reason) {
        if self.notes_routine {
            self.note(turn, Some(task), reason);
        }
    }

    /// Notes a step that must never be missing.
    pub fn note_last(&mut self, turn: &mut Turn<'_>, task: Option<TaskId>, reason: Reason) {
        let note = JobNote { at: turn.now, task, reason };
        turn.effects.push(Effect::Note { job: self.id, note });
    }
}

/// Whether results of this stage are committed to before they are shown.
pub(crate) fn commits_first(spec: &JobSpec, stage: u16) -> bool {
    spec.stages[usize::from(stage)].verify.commits_first()
}
