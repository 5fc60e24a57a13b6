//! Placement: which task goes under which agreement. Tasks bind late: each agreement gets what its
//! slots can run, and of quick tasks as much more as keeps the provider busy for a moment.

use crate::{
    agreements::{Run, RunState, WINDOW_MAX},
    cells::Cells,
    job::{Job, commits_first},
    stage::{nodes_min, plan},
    turn::Turn,
};
use opensky_types::{NodeId, TaskId, job::JobState, reason::Reason};

/// Entries of a queue that are looked at for one agreement before it gets other work.
const PROBES: usize = 16;
/// Open tasks of a verified stage beside those in windows, so that answers that wait for others
/// take bounded memory.
const OPEN_BESIDE_WINDOWS_MAX: u32 = 8_192;

/// What holds for a whole stage while it is filled.
struct Filling {
    /// Whether tasks may be started: a quorum's first round only when every replica has a node, since
    /// commitments that wait for one hold slots that others wait for.
    may_start: bool,
    /// Whether tasks avoid the node of their last mishap: until the market knows no other.
    has_choice: bool,
    /// Most open tasks.
    open_max: u32,
    /// Replicas that are gathered before any is drawn, so that the draw has something to choose from.
    pool_min: usize,
}

/// Queues that have nothing for one agreement.
#[derive(Default)]
struct Dry {
    urgent: bool,
    pool: bool,
}

impl Job {
    /// Hands out what a stage's agreements can take: first one task for each slot, then, shared
    /// evenly, what their windows allow.
    pub fn fill(&mut self, turn: &mut Turn<'_>, stage: u16) {
        let position = usize::from(stage);
        if self.stages[position].wanted() == 0 {
            return;
        }
        let mut usable = Vec::with_capacity(self.stages[position].members.len());
        let (mut slots, mut windows, mut active) = (0, 0, 0);
        for slot in &self.stages[position].members {
            let Some(agreement) = self.agreements.get(*slot) else { continue };
            if agreement.is_usable(turn.now) {
                slots += u32::from(agreement.slots);
                windows += agreement.window();
                active += agreement.active();
                usable.push(*slot);
            }
        }
        if active >= windows {
            return;
        }
        let nodes_min = nodes_min(self.spec.stages[position].verify);
        let verified = nodes_min > 1;
        let filling = Filling {
            may_start: !commits_first(&self.spec, stage) || usable.len() >= nodes_min as usize,
            has_choice: self.stages[position].counts.is_none(),
            open_max: if verified { OPEN_BESIDE_WINDOWS_MAX + 2 * windows } else { u32::MAX },
            pool_min: 2 * slots as usize,
        };
        for slot in &usable {
            self.fill_agreement(turn, *slot, u32::MAX, true, &filling);
        }
        let share = (active + self.stages[position].wanted()).div_ceil(usable.len() as u32);
        for slot in &usable {
            self.fill_agreement(turn, *slot, share, false, &filling);
        }
    }

    fn fill_agreement(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        share: u32,
        slots_only: bool,
        filling: &Filling,
    ) {
        let Some(agreement) = self.agreements.get(slot) else { return };
        let (stage, node) = (agreement.stage, agreement.node);
        let most = if slots_only { u32::from(agreement.slots) } else { agreement.window().min(share) };
        let mut dry = Dry::default();
        for _ in agreement.active()..most.min(WINDOW_MAX) {
            if self.stages[usize::from(stage)].wanted() == 0 {
                return;
            }
            let Some(index) = self.choose(stage, &node, filling, &mut dry) else { return };
            self.place(turn, stage, index, slot, node);
        }
    }

    /// The next task for a node: what is urgent, then a replica if the pool is well filled, then a
    /// task never tried, then any replica.
    fn choose(&mut self, stage: u16, node: &NodeId, filling: &Filling, dry: &mut Dry) -> Option<u32> {
        let position = usize::from(stage);
        let queues = &mut self.stages[position];
        let suits = |cells: &Cells, index: u32| {
            cells.detail(index).is_some_and(|detail| {
                let avoided = filling.has_choice && detail.mishap_on == Some(*node);
                !avoided && !detail.has_used(node)
            })
        };
        if !dry.urgent {
            let urgent = queues.next_urgent(PROBES, suits);
            dry.urgent = urgent.is_none();
            if urgent.is_some() {
                return urgent;
            }
        }
        let may_start = filling.may_start && queues.ready > 0 && queues.open < filling.open_max;
        if !dry.pool && (queues.pool_len() >= filling.pool_min || !may_start) {
            let replica = queues.next_replica(&mut self.draw, PROBES, suits);
            dry.pool = replica.is_none();
            if replica.is_some() {
                return replica;
            }
        }
        if may_start {
            let index = queues.next_fresh()?;
            queues.start(index, plan(self.spec.stages[position].verify));
            return Some(index);
        }
        None
    }

    fn place(&mut self, turn: &mut Turn<'_>, stage: u16, index: u32, slot: u32, node: NodeId) {
        let queues = &mut self.stages[usize::from(stage)];
        let cell = queues.cells.at(index);
        let attempt = self.attempts_from.saturating_add(cell.attempts);
        cell.attempts = cell.attempts.saturating_add(1);
        queues.attempts += 1;
        (queues.starved_since, queues.counts) = (None, None);
        queues.run_placed(index, slot, node);
        if let Some(agreement) = self.agreements.get_mut(slot) {
            let run =
                Run { attempt, since: turn.now, state: RunState::Active, hedged: false, commitment: None };
            agreement.add(index, run);
        }
        let task = TaskId { stage, index };
        self.outbox.assign(slot, task, attempt);
        self.note_routine(turn, task, Reason::Placed { attempt, node });
        self.draw_audit(turn, slot, task);
        if self.state == JobState::Waiting {
            self.state = JobState::Running;
            turn.effects.push(crate::Effect::Changed { job: self.id, state: self.state });
        }
    }
}
