//! Results: commit, deliver, keep until countersigned, deliver again.

use crate::{
    Committed, DeliveryId, Effect, Provider, TaskAttempt,
    agreement::Task,
    assigning::attempts_of,
    funding::price,
    kept::{Delivery, Entry, Held, report_bytes},
};
use opensky_types::{
    AgreementId, Hash, NodeId, TaskId, Timestamp,
    reason::Misfit,
    receipt::Receipt,
    resources::{Limit, Usage},
    task::{Content, Failure, Outcome, TaskReport, commitment},
};
use std::sync::Arc;

/// Most reports in one delivery.
const REPORTS_MAX: usize = 1_024;
/// Bytes of reports after which a delivery is closed and another one begun.
const DELIVERY_BYTES: u64 = 2 << 20;
/// Largest report that a message can carry. An executor moves contents out into blobs, so only a
/// very long list of files comes near it.
const REPORT_BYTES_MAX: u64 = 8 << 20;

impl Provider {
    /// A live task is done: its result goes out, or is committed to, at the end of this input.
    pub(crate) fn finish(
        &mut self,
        id: AgreementId,
        task: TaskAttempt,
        outcome: Outcome,
        usage: Usage,
        (started_at, ended_at): (Timestamp, Timestamp),
    ) {
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        let Some(live) = agreement.take_live(task) else { return };
        agreement.busy_at = agreement.busy_at.max(ended_at);
        let TaskAttempt { task: of, attempt } = task;
        let salt = [0; 16];
        let mut report = TaskReport { task: of, attempt, outcome, usage, started_at, ended_at, salt };
        if report_bytes(&report) > REPORT_BYTES_MAX {
            let failure = Failure::Limit { limit: Limit::Output };
            report.outcome = Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::empty() };
        }
        let output = report.outcome.hash();
        let input = live.input.hash();
        agreement.funding.use_up(price(&agreement.terms, &report));
        let outgoing = self.outbox.entry(id).or_default();
        if agreement.terms.commit_first {
            report.salt = salt_of(&self.config.salt_seed, id, task);
            let hash = commitment(&self.config.node, of, &output, &report.salt);
            let held = Box::new(Held { report, input, output });
            let number = self.kept.add(id, Entry::Committed(held));
            agreement.kept.insert(number);
            agreement.tasks.insert(task, Task::Committed(number));
            outgoing.commitments.push(Committed { task, hash });
        } else {
            agreement.tasks.insert(task, Task::Delivered);
            outgoing.held.push(Held { report, input, output });
        }
    }

    pub(crate) fn on_reveal(
        &mut self,
        from: NodeId,
        id: AgreementId,
        tasks: &[TaskId],
        effects: &mut Vec<Effect>,
    ) {
        let Some(agreement) = self.agreements.get_mut(&id).filter(|a| a.terms.consumer == from) else {
            effects.push(Effect::End { to: from, agreement: id, misfit: Misfit::Terms });
            return;
        };
        for task in tasks.iter().take(REPORTS_MAX) {
            for (_, state) in agreement.tasks.range_mut(attempts_of(*task)) {
                let Task::Committed(number) = *state else { continue };
                agreement.kept.remove(&number);
                if let Some(Entry::Committed(held)) = self.kept.remove(number) {
                    *state = Task::Delivered;
                    self.outbox.entry(id).or_default().held.push(*held);
                }
            }
        }
    }

    /// Tells of everything that the input at hand brought.
    pub(crate) fn flush(&mut self, effects: &mut Vec<Effect>) {
        while let Some((id, outgoing)) = self.outbox.pop_first() {
            let Some(agreement) = self.agreements.get(&id) else { continue };
            let to = agreement.terms.consumer;
            if !outgoing.commitments.is_empty() && self.is_up(to) {
                effects.push(Effect::Commit { to, agreement: id, commitments: outgoing.commitments });
            }
            let mut bytes = 0;
            let mut chunk = Vec::new();
            for held in outgoing.held {
                bytes += report_bytes(&held.report);
                chunk.push(held);
                if chunk.len() == REPORTS_MAX || bytes >= DELIVERY_BYTES {
                    self.keep_delivery(id, to, std::mem::take(&mut chunk), effects);
                    bytes = 0;
                }
            }
            self.keep_delivery(id, to, chunk, effects);
        }
        self.drop_oldest(effects);
    }

    fn keep_delivery(&mut self, id: AgreementId, to: NodeId, held: Vec<Held>, effects: &mut Vec<Effect>) {
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        if held.is_empty() {
            return;
        }
        let hashes = held.iter().map(|held| (held.input, held.output)).collect();
        let reports = Arc::new(held.into_iter().map(|held| held.report).collect());
        let delivery = Delivery { to, reports, hashes, was_sent: false };
        let number = self.kept.add(id, Entry::Delivery(delivery));
        agreement.kept.insert(number);
        if self.is_up(to) {
            self.deliver(id, number, effects);
        }
    }

    /// Orders a kept delivery to be sent.
    fn deliver(&mut self, id: AgreementId, number: u64, effects: &mut Vec<Effect>) {
        let Some(agreement) = self.agreements.get(&id) else { return };
        let (terms, engine) = (agreement.terms.clone(), agreement.engine.clone());
        let Some(Entry::Delivery(delivery)) = self.kept.get_mut(number) else { return };
        let again = std::mem::replace(&mut delivery.was_sent, true);
        let (to, reports) = (delivery.to, delivery.reports.clone());
        let hashes = delivery.hashes.clone();
        let pairs = reports.iter().zip(hashes);
        let used = (engine.name.as_str(), engine.config);
        let receipts = pairs.map(|(report, hashes)| Receipt::of(id, &terms, used, hashes, report)).collect();
        let delivery = DeliveryId(number);
        effects.push(Effect::Deliver { delivery, to, agreement: id, engine, reports, receipts, again });
    }

    pub(crate) fn on_countersigned(&mut self, from: NodeId, delivery: DeliveryId) {
        let Some((id, kept)) = self.kept.delivery(delivery) else { return };
        if kept.to == from {
            let reports = kept.reports.clone();
            self.kept.remove(delivery.0);
            self.forget(id, delivery.0, reports.iter().map(task_of));
        }
    }

    /// The consumer is back: all that it may have missed, then what is still to come.
    pub(crate) fn on_resume(
        &mut self,
        now: Timestamp,
        from: NodeId,
        id: AgreementId,
        effects: &mut Vec<Effect>,
    ) {
        let Some(agreement) = self.owned_by(id, from) else {
            effects.push(Effect::End { to: from, agreement: id, misfit: Misfit::Terms });
            return;
        };
        agreement.busy_at = now;
        let kept: Vec<u64> = agreement.kept.iter().copied().collect();
        self.on_consumer_up(from);
        let mut commitments = Vec::new();
        for number in kept {
            match self.kept.get_mut(number) {
                Some(Entry::Delivery(_)) => self.deliver(id, number, effects),
                Some(Entry::Committed(held)) => {
                    let task = task_of(&held.report);
                    let hash = commitment(&self.config.node, task.task, &held.output, &held.report.salt);
                    commitments.push(Committed { task, hash });
                }
                None => {}
            }
        }
        for chunk in commitments.chunks(REPORTS_MAX) {
            effects.push(Effect::Commit { to: from, agreement: id, commitments: chunk.to_vec() });
        }
        self.say_standing(now, id, effects);
    }

    pub(crate) fn say_standing(&mut self, now: Timestamp, id: AgreementId, effects: &mut Vec<Effect>) {
        let slots_total = self.gate.slots();
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        agreement.standing_at = now;
        let tasks = agreement.live_tasks().map(|task| task.task).collect();
        // The owner may have lowered the limits since slots were granted.
        let (to, slots) = (agreement.terms.consumer, agreement.slots.min(slots_total));
        effects.push(Effect::Standing { to, agreement: id, slots, tasks });
    }

    /// Keeps within the bytes for results by dropping the oldest.
    fn drop_oldest(&mut self, effects: &mut Vec<Effect>) {
        while let Some((number, id, entry)) = self.kept.pop_over(self.config.kept_bytes_max) {
            let tasks: Vec<TaskAttempt> = match &entry {
                Entry::Committed(held) => vec![task_of(&held.report)],
                Entry::Delivery(delivery) => delivery.reports.iter().map(task_of).collect(),
            };
            self.forget(id, number, tasks.iter().copied());
            effects.push(Effect::Dropped { agreement: id, tasks });
        }
    }

    /// Forgets done tasks and the kept result that they were in.
    fn forget(&mut self, id: AgreementId, number: u64, tasks: impl Iterator<Item = TaskAttempt>) {
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        agreement.kept.remove(&number);
        for task in tasks {
            if !matches!(agreement.tasks.get(&task), Some(Task::Live(_))) {
                agreement.tasks.remove(&task);
            }
        }
    }
}

fn task_of(report: &TaskReport) -> TaskAttempt {
    TaskAttempt { task: report.task, attempt: report.attempt }
}

/// Sixteen bytes that nobody can guess without the seed, the same each time.
fn salt_of(seed: &[u8; 32], agreement: AgreementId, task: TaskAttempt) -> [u8; 16] {
    let hash = Hash::of_value("opensky commitment salt 1", &(seed, agreement, task.task, task.attempt));
    let (salt, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
    *salt
}
