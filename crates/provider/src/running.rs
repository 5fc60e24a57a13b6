//! Slots: what starts next, and what an end means.

use crate::{
    BatchId, Effect, Provider, RunItem, TaskAttempt, TaskEnd,
    agreement::{Agreement, Phase, ProgramState, Task},
    batch::Share,
};
use opensky_types::{
    AgreementId, Timestamp,
    resources::TaskLimits,
    task::{Failure, Outcome},
};

impl Provider {
    /// Fills free slots, one batch at a time.
    pub(crate) fn start(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        while self.slots_free() > 0 {
            let Some(id) = self.choose() else { return };
            self.start_batch(now, id, effects);
            self.fetch_inputs(id, effects);
        }
    }

    /// Slots without a batch.
    pub(crate) fn slots_free(&self) -> usize {
        let slots = if self.gate.closed().is_some() { 0 } else { usize::from(self.gate.slots()) };
        slots.saturating_sub(self.batches.open.len())
    }

    /// Who is next: the consumer with the fewest running batches, then the one served longest ago;
    /// among its agreements likewise. So long tasks of one never crowd out short ones of another.
    fn choose(&self) -> Option<AgreementId> {
        let consumers = self.consumers.values().filter_map(|consumer| {
            let agreements = || consumer.agreements.iter().filter_map(|id| self.agreements.get(id));
            let startable = agreements().filter(|agreement| self.may_start(agreement));
            let next = startable.min_by_key(|agreement| (agreement.batches.len(), agreement.served))?;
            let running: usize = agreements().map(|agreement| agreement.batches.len()).sum();
            Some((running, consumer.served, next.id))
        });
        consumers.min().map(|(_, _, id)| id)
    }

    fn may_start(&self, agreement: &Agreement) -> bool {
        let limits = &agreement.terms.limits;
        let memory_bytes = self.batches.memory_bytes.saturating_add(limits.memory_bytes);
        let disk_bytes = self.batches.disk_bytes.saturating_add(disk_bytes(limits));
        self.wants_to_start(agreement)
            && memory_bytes <= self.gate.memory_bytes()
            && disk_bytes <= self.gate.disk_bytes()
            && self.free_gpus(agreement).is_some()
    }

    /// Whether there is something to start under an agreement, and nobody's room would be too little for it.
    fn wants_to_start(&self, agreement: &Agreement) -> bool {
        agreement.program == ProgramState::Ready
            && !agreement.queue.ready.is_empty()
            && agreement.batches.len() < usize::from(agreement.slots)
            && agreement.funding.reach(self.batches.tasks_left(agreement)) > 0
    }

    /// GPUs for one more batch, out of those that nothing has; none where there are too few. What an agreement that
    /// was served longer ago waits for is left to it, however many it needs.
    fn free_gpus(&self, agreement: &Agreement) -> Option<Vec<u8>> {
        if agreement.terms.program.needs.gpus.is_none() {
            return Some(Vec::new());
        }
        let machine = self.gate.gpus();
        let free = |of: &Agreement| {
            let places = self.gate.containers(&of.engine).gpus.into_iter();
            places.filter(|place| !self.batches.has_gpu(*place)).collect::<Vec<u8>>()
        };
        let chosen = |of: &Agreement| of.terms.program.needs.choose_gpus(free(of), machine);
        let waits = |other: &&Agreement| {
            other.served < agreement.served && self.wants_to_start(other) && chosen(other).is_none()
        };
        let waited_for = self.agreements.values().filter(waits);
        let needs: Vec<_> = waited_for.filter_map(|other| other.terms.program.needs.gpus.as_ref()).collect();
        let is_left = |place: &u8| {
            let gpu = machine.get(usize::from(*place));
            !gpu.is_some_and(|gpu| needs.iter().any(|need| need.is_met_by(gpu)))
        };
        agreement.terms.program.needs.choose_gpus(free(agreement).into_iter().filter(is_left), machine)
    }

    fn start_batch(&mut self, now: Timestamp, id: AgreementId, effects: &mut Vec<Effect>) {
        let slots_free = self.slots_free();
        let served = self.count();
        let gpus = self.agreements.get(&id).and_then(|agreement| self.free_gpus(agreement));
        let Some(gpus) = gpus else { return };
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        let may_hold = slots_free.min(usize::from(agreement.slots) - agreement.batches.len());
        let ready = agreement.queue.ready.len();
        let reach = agreement.funding.reach(self.batches.tasks_left(agreement));
        let length = agreement.pace.batch_len(self.config.batch_target_us, ready, may_hold).min(reach);
        let tasks: Vec<TaskAttempt> =
            agreement.queue.ready.iter().take(length).map(|(_, task)| *task).collect();
        let limits = &agreement.terms.limits;
        let share =
            Share { memory_bytes: limits.memory_bytes, disk_bytes: disk_bytes(limits), gpus: gpus.clone() };
        let batch = self.batches.add(now, id, share, &tasks);
        let mut items = Vec::with_capacity(tasks.len());
        for task in tasks {
            agreement.move_to(task, Phase::Running(batch));
            if let Some(Task::Live(live)) = agreement.tasks.get(&task) {
                items.push(RunItem { task, input: live.input.clone() });
            }
        }
        agreement.batches.insert(batch);
        agreement.served = served;
        if let Some(consumer) = self.consumers.get_mut(&agreement.terms.consumer) {
            consumer.served = served;
        }
        effects.push(Effect::Run { batch, agreement: id, terms: agreement.terms.clone(), items, gpus });
    }

    pub(crate) fn on_ended(&mut self, now: Timestamp, ends: Vec<TaskEnd>, effects: &mut Vec<Effect>) {
        for end in ends {
            self.on_end(now, end, effects);
        }
    }

    fn on_end(&mut self, now: Timestamp, end: TaskEnd, effects: &mut Vec<Effect>) {
        let Some(batch) = self.batches.open.get_mut(&end.batch) else { return };
        let Some((task, is_wanted)) = batch.end(now, end.item) else { return };
        let (id, stopped) = (batch.agreement, batch.stopped);
        let (is_over, is_head_released) = (batch.is_over(), batch.is_head_released());
        if is_over {
            self.batches.remove(end.batch);
            if let Some(agreement) = self.agreements.get_mut(&id) {
                agreement.batches.remove(&end.batch);
            }
        }
        if is_wanted {
            let outcome = owned_up(end.outcome, stopped);
            if outcome_took_its_time(&outcome)
                && let Some(agreement) = self.agreements.get_mut(&id)
            {
                agreement.pace.observe(end.usage.wall_us);
            }
            self.finish(id, task, outcome, end.usage, (end.started_at, end.ended_at));
        }
        if is_head_released {
            self.stop(end.batch, "no longer wanted", effects);
        }
    }

    /// Cancels a batch. The tasks behind the one that runs go back into the queue; the one that runs
    /// is reported as stopped by the provider, unless it ends by itself first.
    pub(crate) fn stop(&mut self, id: BatchId, why: &'static str, effects: &mut Vec<Effect>) {
        let Some(batch) = self.batches.open.get_mut(&id) else { return };
        if batch.stopped.is_none() {
            batch.stopped = Some(why);
            effects.push(Effect::Stop { batch: id });
            self.requeue_followers(id);
        }
    }

    /// Puts the tasks behind the one that runs back into the queue, at their old place.
    pub(crate) fn requeue_followers(&mut self, id: BatchId) {
        let Some(batch) = self.batches.open.get_mut(&id) else { return };
        let followers = batch.release_followers();
        let Some(agreement) = self.agreements.get_mut(&batch.agreement) else { return };
        for task in followers {
            if agreement.phase(task) == Some(Phase::Running(id)) {
                agreement.move_to(task, Phase::Ready);
            }
        }
    }

    /// A running task is not wanted any more. Its batch is stopped if it is the one that runs now;
    /// otherwise when its turn comes.
    pub(crate) fn release_item(&mut self, id: BatchId, task: TaskAttempt, effects: &mut Vec<Effect>) {
        let Some(batch) = self.batches.open.get_mut(&id) else { return };
        batch.release(task);
        if batch.is_head_released() {
            self.stop(id, "no longer wanted", effects);
        }
    }
}

/// Scratch and output, which a task may fill both.
pub(crate) fn disk_bytes(limits: &TaskLimits) -> u64 {
    limits.scratch_bytes.saturating_add(limits.output_bytes)
}

/// The executor calls every stop a cancellation. The consumer did not cancel what is still wanted:
/// this provider did.
fn owned_up(outcome: Outcome, why: Option<&'static str>) -> Outcome {
    match outcome {
        Outcome::Failed { failure: Failure::Cancelled, stdout, stderr } => {
            let message = why.unwrap_or("its executor shut down").to_owned();
            Outcome::Failed { failure: Failure::ProviderStopped { message }, stdout, stderr }
        }
        other => other,
    }
}

/// Whether the run says how long tasks of its kind take.
fn outcome_took_its_time(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Exited(_) => true,
        Outcome::Failed { failure, .. } => failure.is_programs_fault(),
    }
}
