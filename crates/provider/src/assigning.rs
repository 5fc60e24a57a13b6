//! Tasks come in, their blobs are fetched, and some are cancelled.

use crate::{
    Effect, Provider, TaskAttempt,
    admission::check_assignment,
    agreement::{Phase, ProgramState, Task},
    funding::price,
    kept::Entry,
};
use opensky_types::{
    AgreementId, NodeId, TaskId, Timestamp,
    reason::Misfit,
    task::{Assignment, Content, Failure, Outcome},
};

/// Most tasks in one message.
const TASKS_MAX: usize = 1_024;

impl Provider {
    pub(crate) fn on_assigned(
        &mut self,
        now: Timestamp,
        from: NodeId,
        id: AgreementId,
        tasks: Vec<Assignment>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(terms) = self.owned_by(id, from).map(|agreement| agreement.terms.clone()) else {
            effects.push(Effect::End { to: from, agreement: id, misfit: Misfit::Terms });
            return;
        };
        let wrong = tasks.iter().find_map(|task| check_assignment(&terms, task).err());
        if let Some(what) = wrong.or((tasks.len() > TASKS_MAX).then_some("assigned too many tasks at once")) {
            effects.push(Effect::Breach { by: from, agreement: id, what });
            self.end(id, Some(Misfit::Terms), effects);
            return;
        }
        for Assignment { task, attempt, input } in tasks {
            let task = TaskAttempt { task, attempt };
            let order = self.count();
            let queue_max = self.config.queue_max;
            let Some(agreement) = self.agreements.get_mut(&id) else { return };
            if agreement.tasks.contains_key(&task) {
                continue;
            }
            agreement.busy_at = now;
            let is_full = agreement.live >= queue_max;
            agreement.add(task, order, input);
            if is_full {
                let message = format!("its queue of {queue_max} tasks is full");
                self.fail(now, id, task, Failure::ProviderStopped { message });
            }
        }
        self.fetch_program(id, effects);
        self.fetch_inputs(id, effects);
    }

    pub(crate) fn on_program_ready(&mut self, id: AgreementId) {
        if let Some(agreement) = self.agreements.get_mut(&id) {
            agreement.program = ProgramState::Ready;
        }
    }

    pub(crate) fn on_program_failed(&mut self, now: Timestamp, id: AgreementId, failure: &Failure) {
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        if agreement.program == ProgramState::Ready {
            return;
        }
        agreement.program = ProgramState::Missing;
        let waiting: Vec<TaskAttempt> = agreement.live_tasks().collect();
        for task in waiting {
            self.fail(now, id, task, failure.clone());
        }
    }

    /// Orders the blobs of the tasks that are next in line. Together they may take a quarter of the
    /// disk, so that a long queue of large inputs does not fill it.
    pub(crate) fn fetch_inputs(&mut self, id: AgreementId, effects: &mut Vec<Effect>) {
        let staged_bytes_max = self.gate.disk_bytes() / 4;
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        let inputs = agreement.stage(staged_bytes_max);
        if !inputs.is_empty() {
            let from = agreement.terms.consumer;
            effects.push(Effect::FetchInputs { agreement: id, from, inputs });
        }
    }

    pub(crate) fn on_inputs_ready(&mut self, id: AgreementId, tasks: &[TaskAttempt]) {
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        for task in tasks {
            if agreement.phase(*task) == Some(Phase::Fetching) {
                agreement.move_to(*task, Phase::Ready);
            }
        }
    }

    pub(crate) fn on_inputs_failed(
        &mut self,
        now: Timestamp,
        id: AgreementId,
        task: TaskAttempt,
        failure: Failure,
        effects: &mut Vec<Effect>,
    ) {
        let phase = self.agreements.get(&id).and_then(|agreement| agreement.phase(task));
        if phase == Some(Phase::Fetching) {
            self.fail(now, id, task, failure);
            self.fetch_inputs(id, effects);
        }
    }

    pub(crate) fn on_cancel_tasks(
        &mut self,
        from: NodeId,
        id: AgreementId,
        tasks: &[TaskId],
        effects: &mut Vec<Effect>,
    ) {
        for task in tasks.iter().take(TASKS_MAX) {
            let Some(agreement) = self.owned_by(id, from) else { return };
            let attempts = agreement.tasks.range(attempts_of(*task)).map(|(attempt, _)| *attempt);
            for attempt in attempts.collect::<Vec<_>>() {
                self.cancel(id, attempt, effects);
            }
        }
        self.fetch_inputs(id, effects);
    }

    /// Forgets one try, wherever it is. What was delivered stays until it is countersigned.
    fn cancel(&mut self, id: AgreementId, task: TaskAttempt, effects: &mut Vec<Effect>) {
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        match agreement.tasks.get(&task) {
            Some(Task::Live(_)) => {
                let live = agreement.take_live(task).expect("it is live");
                if let Phase::Running(batch) = live.phase {
                    self.release_item(batch, task, effects);
                }
            }
            Some(Task::Committed(number)) => {
                if let Some(Entry::Committed(held)) = self.kept.remove(*number) {
                    agreement.funding.give_back(price(&agreement.terms, &held.report));
                }
                agreement.kept.remove(number);
                agreement.tasks.remove(&task);
            }
            Some(Task::Delivered) | None => {}
        }
    }

    /// Ends a live task that did not run.
    pub(crate) fn fail(&mut self, now: Timestamp, id: AgreementId, task: TaskAttempt, failure: Failure) {
        let outcome = Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::empty() };
        self.finish(id, task, outcome, Default::default(), (now, now));
    }
}

/// All tries of a task.
pub(crate) fn attempts_of(task: TaskId) -> std::ops::RangeInclusive<TaskAttempt> {
    TaskAttempt { task, attempt: 0 }..=TaskAttempt { task, attempt: u32::MAX }
}
