//! What one call of `handle` lends to the job that it is about, and what the job sends in batches.

use crate::{
    Config, Effect, Judged, Judgement,
    agreements::Agreements,
    rests::{Rests, Strike},
};
use opensky_types::{AgreementId, JobId, NodeId, TaskId, Timestamp};
use std::collections::BTreeMap;

/// The world outside one job, for the length of one input.
pub(crate) struct Turn<'a> {
    pub now: Timestamp,
    pub config: &'a Config,
    pub rests: &'a mut Rests,
    /// Which job, and which place in it, an agreement belongs to.
    pub owners: &'a mut BTreeMap<AgreementId, (JobId, u32)>,
    pub effects: &'a mut Vec<Effect>,
}

impl Turn<'_> {
    /// Counts a strike against a node, tells the market, and says until when the node rests.
    pub fn strike(&mut self, node: NodeId, strike: Strike) -> Timestamp {
        let until = self.rests.strike(self.config, self.now, node, strike);
        if until > self.now {
            self.effects.push(Effect::Rest { node, until });
        }
        until
    }
}

/// Messages about single tasks, gathered so that each agreement gets one of each kind per input.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    judged: BTreeMap<AgreementId, (NodeId, Vec<Judged>)>,
    reveals: BTreeMap<u32, Vec<TaskId>>,
    cancels: BTreeMap<u32, Vec<TaskId>>,
    assigns: BTreeMap<u32, Vec<(TaskId, u32)>>,
}

impl Outbox {
    pub fn judge(
        &mut self,
        agreement: AgreementId,
        node: NodeId,
        task: TaskId,
        attempt: u32,
        judgement: Judgement,
    ) {
        let (_, judged) = self.judged.entry(agreement).or_insert((node, Vec::new()));
        judged.push(Judged { task, attempt, judgement });
    }

    pub fn reveal(&mut self, slot: u32, task: TaskId) {
        self.reveals.entry(slot).or_default().push(task);
    }

    pub fn cancel(&mut self, slot: u32, task: TaskId) {
        self.cancels.entry(slot).or_default().push(task);
    }

    pub fn assign(&mut self, slot: u32, task: TaskId, attempt: u32) {
        self.assigns.entry(slot).or_default().push((task, attempt));
    }

    /// Sends everything gathered: judgements first, so that what follows from them comes after.
    pub fn flush(&mut self, job: JobId, agreements: &Agreements, effects: &mut Vec<Effect>) {
        for (agreement, (node, judged)) in std::mem::take(&mut self.judged) {
            effects.push(Effect::Judge { job, agreement, node, judged });
        }
        for (slot, tasks) in std::mem::take(&mut self.reveals) {
            if let Some(held) = agreements.get(slot) {
                effects.push(Effect::Reveal { agreement: held.id, node: held.node, tasks });
            }
        }
        for (slot, tasks) in std::mem::take(&mut self.cancels) {
            if let Some(held) = agreements.get(slot) {
                effects.push(Effect::CancelTasks { agreement: held.id, node: held.node, tasks });
            }
        }
        for (slot, tasks) in std::mem::take(&mut self.assigns) {
            if let Some(held) = agreements.get(slot) {
                effects.push(Effect::Assign { job, agreement: held.id, node: held.node, tasks });
            }
        }
    }
}
