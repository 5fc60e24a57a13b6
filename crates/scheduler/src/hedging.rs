//! Second copies of slow runs, so that one slow or silent provider does not hold up a job (F10).

use crate::{
    agreements::{Reach, RunState},
    job::Job,
    turn::Turn,
};
use opensky_types::{TaskId, reason::Reason};

/// Runs of one agreement that may get copies in one go when its provider vanishes.
const LOST_COPIES_MAX: usize = 1_024;

/// Most extra copies of one task at a time; each must be slow itself before the next is started.
const COPIES_MAX: u8 = 3;

/// When a run counts as slow.
#[derive(Debug, Clone, Copy)]
struct Patience {
    limit_ms: u64,
    expected_ms: u64,
}

impl Job {
    /// Starts copies of runs that take much longer than the stage's others, as far as slots are free.
    pub fn hedge(&mut self, turn: &mut Turn<'_>, stage: u16) {
        let position = usize::from(stage);
        if !self.spec.stages[position].hedge || self.stages[position].is_complete() {
            return;
        }
        let patience = self.patience(turn, stage);
        self.stages[position].hedge_lacks_node = false;
        for slot in self.stages[position].members.clone() {
            let Some(agreement) = self.agreements.get(slot) else { continue };
            if matches!(agreement.reach, Reach::Gone { .. }) || agreement.active() == 0 {
                continue;
            }
            let slow: Vec<u32> = agreement
                .runs
                .iter()
                .filter(|(_, run)| {
                    run.state == RunState::Active
                        && !run.hedged
                        && turn.now.ms_since(run.since) > patience.limit_ms
                })
                .map(|(index, _)| *index)
                .collect();
            for index in slow {
                if !self.copy(turn, slot, TaskId { stage, index }, patience.expected_ms) {
                    break;
                }
            }
        }
    }

    fn patience(&self, turn: &Turn<'_>, stage: u16) -> Patience {
        let queues = &self.stages[usize::from(stage)];
        let config = turn.config;
        let Some(mean_ms) = queues.pace.mean_ms() else {
            // Nothing is known but the limit that the provider should have enforced.
            let expected_ms = self.spec.stages[usize::from(stage)].limits.wall_ms;
            return Patience { limit_ms: expected_ms.saturating_add(config.hedge_floor_ms), expected_ms };
        };
        let at_tail = queues.wanted() == 0;
        let (factor, floor_ms) = if at_tail {
            (config.hedge_factor.div_ceil(2), config.hedge_floor_ms / 5)
        } else {
            (config.hedge_factor, config.hedge_floor_ms)
        };
        let limit_ms = mean_ms.saturating_mul(u64::from(factor)).max(queues.pace.most_ms()).max(floor_ms);
        Patience { limit_ms, expected_ms: mean_ms }
    }

    /// Wants a copy of one run, if some other node has a slot for it. `false`: no slot is free.
    fn copy(&mut self, turn: &mut Turn<'_>, slot: u32, task: TaskId, expected_ms: u64) -> bool {
        let position = usize::from(task.stage);
        let queues = &self.stages[position];
        let Some(detail) = queues.cells.detail(task.index).filter(|detail| detail.hedges < COPIES_MAX) else {
            return true;
        };
        let mut spare = 0;
        for agreement in queues.members.iter().filter_map(|member| self.agreements.get(*member)) {
            if agreement.is_usable(turn.now) && !detail.has_used(&agreement.node) {
                spare += u32::from(agreement.slots).saturating_sub(agreement.active());
            }
        }
        if spare <= queues.queued {
            self.stages[position].hedge_lacks_node = true;
            return false;
        }
        let Some(agreement) = self.agreements.get_mut(slot) else { return false };
        let node = agreement.node;
        let Some(run) = agreement.runs.get_mut(&task.index) else { return true };
        run.hedged = true;
        let (attempt, elapsed_ms) = (run.attempt, turn.now.ms_since(run.since));
        self.want_copy(task);
        self.note(turn, Some(task), Reason::Hedged { attempt, node, elapsed_ms, expected_ms });
        true
    }

    fn want_copy(&mut self, task: TaskId) {
        let queues = &mut self.stages[usize::from(task.stage)];
        if let Some(detail) = queues.cells.detail_mut(task.index).filter(|detail| detail.hedges < COPIES_MAX)
        {
            detail.hedges += 1;
            queues.top_up(task.index);
            self.dirty.insert(task.stage);
        }
    }

    /// A provider vanished: while it may yet come back, what it had is copied to slots that have
    /// nothing else to do.
    pub fn hedge_lost(&mut self, turn: &Turn<'_>, slot: u32) {
        let Some(lost) = self.agreements.get(slot) else { return };
        let stage = lost.stage;
        let queues = &self.stages[usize::from(stage)];
        if queues.wanted() > 0 {
            return;
        }
        let spare = queues.members.iter().filter_map(|member| self.agreements.get(*member));
        let spare: u32 = spare
            .filter(|held| held.is_usable(turn.now))
            .map(|held| u32::from(held.slots).saturating_sub(held.active()))
            .sum();
        let running = lost.runs.iter().filter(|(_, run)| run.state == RunState::Active);
        let tasks: Vec<u32> =
            running.take(LOST_COPIES_MAX.min(spare as usize)).map(|(index, _)| *index).collect();
        for index in tasks {
            self.want_copy(TaskId { stage, index });
        }
    }
}
