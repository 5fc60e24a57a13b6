//! One stage: its tasks, the queues they wait in, and its place in the job's graph.

use crate::{
    cells::{CellState, Cells, RunRef},
    draw::Draw,
    pace::Pace,
};
use opensky_types::{
    Hash, NodeId, Timestamp,
    job::{StageInputs, StageSpec, Verify},
    reason::MisfitCounts,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
};

/// Where a stage's tasks get their inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// From the spec.
    Spec,
    /// From the task with the same index of an earlier stage.
    Each(u16),
    /// From a run of tasks of an earlier stage.
    Reduce { stage: u16, fan_in: u32 },
}

/// Tasks that were never tried and could be.
#[derive(Debug)]
enum Fresh {
    /// Every untried task from here on.
    From(u32),
    /// These, if still untried.
    Listed(VecDeque<u32>),
}

/// How many answers a task needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    pub agree: u8,
    pub replicas: u8,
    pub replicas_max: u8,
}

/// A proposal that was not answered yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proposal {
    pub slots: u16,
    pub at: Timestamp,
    pub rank: u32,
    pub score: u32,
    pub fitting: u32,
    pub audit_parts: u32,
}

/// One stage.
#[derive(Debug)]
pub(crate) struct Stage {
    pub cells: Cells,
    pub reads: Reads,
    /// Stages that read this one's outputs.
    pub readers: Vec<u16>,
    /// Stages that wait until this one is complete, or whose conditions are about it.
    pub followers: Vec<u16>,
    /// Whether they were told.
    pub is_told: bool,
    /// Whether its tasks may fail and the job goes on.
    pub may_fail: bool,
    /// Stages that this one waits for and that are not complete.
    pub after_left: u16,
    /// For a reduce stage: inputs that each task still lacks.
    missing: Vec<u16>,
    fresh: Fresh,
    /// Retries, hedges and what lost providers had: first in, first served.
    urgent: VecDeque<u32>,
    /// Tasks that are tried again later, and when; some of them may be settled by then.
    paused: BinaryHeap<Reverse<(Timestamp, u32)>>,
    /// Further replicas of started tasks, drawn from at random so that no two nodes can arrange to
    /// be paired (threat C2).
    pool: Vec<u32>,
    /// Untried tasks whose inputs are there.
    pub ready: u32,
    /// Tasks that were tried and are not settled.
    pub open: u32,
    /// Runs of open tasks that wait to be placed.
    pub queued: u32,
    pub accepted: u32,
    pub failed: u32,
    pub skipped: u32,
    /// For each test that later stages make of results: of how many it holds.
    pub held: Vec<u32>,
    /// The same task by task, where a later stage wants to know.
    pub tests: Vec<u32>,
    pub attempts: u64,
    /// Places of its agreements.
    pub members: Vec<u32>,
    pub proposals: BTreeMap<NodeId, Proposal>,
    /// When the market was asked and has not answered.
    pub asked_at: Option<Timestamp>,
    pub find_next_at: Timestamp,
    /// Whether a slow run found no node for its second copy.
    pub hedge_lacks_node: bool,
    pub starved_since: Option<Timestamp>,
    /// The market's last answer, if it brought nothing and nothing was placed since.
    pub counts: Option<MisfitCounts>,
    /// Counts of the last note, so that none is written twice.
    pub noted: Option<MisfitCounts>,
    pub pace: Pace,
}

impl Stage {
    /// A stage whose queues are still to be filled by [`Stage::open_up`].
    pub fn new(spec: &StageSpec, count: u32, now: Timestamp) -> Self {
        let reads = match spec.inputs {
            StageInputs::Each { stage } => Reads::Each(stage),
            StageInputs::Reduce { stage, fan_in } => Reads::Reduce { stage, fan_in },
            _ => Reads::Spec,
        };
        Self {
            cells: Cells::new(count),
            reads,
            readers: Vec::new(),
            followers: Vec::new(),
            is_told: false,
            may_fail: spec.may_fail,
            after_left: 0,
            missing: Vec::new(),
            fresh: Fresh::From(0),
            urgent: VecDeque::new(),
            paused: BinaryHeap::new(),
            pool: Vec::new(),
            ready: 0,
            open: 0,
            queued: 0,
            accepted: 0,
            failed: 0,
            skipped: 0,
            held: Vec::new(),
            tests: Vec::new(),
            attempts: 0,
            members: Vec::new(),
            proposals: BTreeMap::new(),
            asked_at: None,
            find_next_at: now,
            hedge_lacks_node: false,
            starved_since: None,
            counts: None,
            noted: None,
            pace: Pace::default(),
        }
    }

    /// Whether nothing of it is left to do.
    pub fn is_complete(&self) -> bool {
        let failed = if self.may_fail { self.failed } else { 0 };
        self.accepted + self.skipped + failed == self.cells.count()
    }

    /// Gives a task its result, which may be that it failed.
    pub fn give_result(&mut self, index: u32, failed: bool, output: &Hash, tests: u32) {
        if failed {
            self.cells.at(index).state = CellState::Failed;
            self.failed += 1;
        } else {
            self.cells.at(index).accept(output);
            self.accepted += 1;
        }
        for (bit, held) in self.held.iter_mut().enumerate() {
            *held += tests >> bit & 1;
        }
        if let Some(of_task) = self.tests.get_mut(index as usize) {
            *of_task = tests;
        }
    }

    /// Skips a task that was never tried.
    pub fn skip(&mut self, index: u32) {
        let cell = self.cells.at(index);
        if cell.state == CellState::Untried {
            cell.state = CellState::Skipped;
            self.skipped += 1;
        }
    }

    /// Skips all tasks that were never tried.
    pub fn skip_rest(&mut self) {
        (0..self.cells.count()).for_each(|index| self.skip(index));
        self.ready = 0;
    }

    /// Runs that could be placed now.
    pub fn wanted(&self) -> u32 {
        self.ready.saturating_add(self.queued)
    }

    /// Empties the queues, for filling them anew.
    pub fn clear_queues(&mut self) {
        self.fresh = if self.reads == Reads::Spec { Fresh::From(0) } else { Fresh::Listed(VecDeque::new()) };
        self.urgent.clear();
        self.paused.clear();
        self.pool.clear();
        self.missing.clear();
        (self.ready, self.open, self.queued) = (0, 0, 0);
        (self.asked_at, self.starved_since, self.counts, self.noted) = (None, None, None, None);
    }

    /// Sets how many inputs each task of a reduce stage lacks.
    pub fn set_missing(&mut self, missing: Vec<u16>) {
        self.missing = missing;
    }

    /// Counts one more input of a reduce task and says whether it was the last.
    pub fn input_came(&mut self, index: u32) -> bool {
        let Some(missing) = self.missing.get_mut(index as usize) else { return false };
        *missing = missing.saturating_sub(1);
        *missing == 0
    }

    pub fn lacks_inputs(&self, index: u32) -> bool {
        self.missing.get(index as usize).is_some_and(|missing| *missing > 0)
    }

    /// Makes every untried task of a stage that reads the spec ready.
    pub fn make_all_ready(&mut self) {
        let untried = (0..self.cells.count()).filter(|index| self.cells.state(*index) == CellState::Untried);
        self.ready = untried.count() as u32;
    }

    /// Makes one untried task ready whose inputs have come.
    pub fn make_ready(&mut self, index: u32) {
        if let Fresh::Listed(list) = &mut self.fresh
            && self.cells.state(index) == CellState::Untried
        {
            list.push_back(index);
            self.ready += 1;
        }
    }

    /// The next task that was never tried; it stays untried until [`Stage::start`].
    pub fn next_fresh(&mut self) -> Option<u32> {
        if self.ready == 0 {
            return None;
        }
        match &mut self.fresh {
            Fresh::From(from) => {
                let found = (*from..self.cells.count())
                    .find(|index| self.cells.state(*index) == CellState::Untried)?;
                *from = found + 1;
                Some(found)
            }
            Fresh::Listed(list) => {
                while let Some(index) = list.pop_front() {
                    if self.cells.state(index) == CellState::Untried {
                        return Some(index);
                    }
                }
                None
            }
        }
    }

    /// Opens a ready task. The caller places its first run; further replicas are queued here.
    pub fn start(&mut self, index: u32, plan: Plan) {
        let detail = self.cells.open(index);
        detail.agree = plan.agree;
        detail.target = plan.replicas;
        detail.target_max = plan.replicas_max;
        detail.queued = plan.replicas;
        self.ready -= 1;
        self.open += 1;
        self.queued += u32::from(plan.replicas);
        for _ in 1..plan.replicas {
            self.pool.push(index);
        }
    }

    /// Counts a queued run of an open task as handed out.
    pub fn run_placed(&mut self, index: u32, slot: u32, node: NodeId) {
        if let Some(detail) = self.cells.detail_mut(index) {
            detail.queued -= 1;
            detail.runs.push(RunRef { slot, node, live: true });
            self.queued -= 1;
        }
    }

    /// Ends work on an open task.
    pub fn settle_task(&mut self, index: u32, state: CellState) {
        if let Some(detail) = self.cells.detail(index) {
            self.queued -= u32::from(detail.queued);
            self.open -= 1;
            self.cells.drop_detail(index);
        }
        self.cells.at(index).state = state;
    }

    /// Brings the queues in line with what the task wants now.
    pub fn top_up(&mut self, index: u32) {
        let Some(detail) = self.cells.detail_mut(index) else { return };
        let change = detail.queue_change();
        detail.queued = detail.queued.saturating_add_signed(change as i8);
        self.queued = self.queued.saturating_add_signed(change);
        let plain = detail.is_plain();
        for _ in 0..change.max(0) {
            if plain {
                self.urgent.push_back(index);
            } else {
                self.pool.push(index);
            }
        }
    }

    /// Lets one run that a task lacks wait until then. `false`: it lacks none.
    pub fn pause(&mut self, index: u32, until: Timestamp) -> bool {
        let Some(detail) = self.cells.detail_mut(index).filter(|detail| detail.queue_change() > 0) else {
            return false;
        };
        detail.paused += 1;
        self.paused.push(Reverse((until, index)));
        true
    }

    /// Queues the runs that have waited long enough.
    pub fn wake(&mut self, now: Timestamp) {
        while let Some(Reverse((until, index))) = self.paused.peek().copied()
            && until <= now
        {
            self.paused.pop();
            if let Some(detail) = self.cells.detail_mut(index).filter(|detail| detail.paused > 0) {
                detail.paused -= 1;
                self.top_up(index);
            }
        }
    }

    /// Entries of paused runs, those included that do not count any more.
    pub fn paused_entries(&self) -> usize {
        self.paused.len()
    }

    /// Takes from the urgent queue the first task, of the first `probes`, that `suits`.
    pub fn next_urgent(&mut self, probes: usize, suits: impl Fn(&Cells, u32) -> bool) -> Option<u32> {
        for _ in 0..probes.min(self.urgent.len()) {
            let index = self.urgent.pop_front()?;
            if self.cells.detail(index).is_none_or(|detail| detail.queued == 0) {
                continue;
            }
            if suits(&self.cells, index) {
                return Some(index);
            }
            self.urgent.push_back(index);
        }
        None
    }

    /// Takes a random task that `suits` from the pool. A small pool is searched whole.
    pub fn next_replica(
        &mut self,
        draw: &mut Draw,
        probes: usize,
        suits: impl Fn(&Cells, u32) -> bool,
    ) -> Option<u32> {
        let whole = self.pool.len() <= 4 * probes;
        let tries = if whole { self.pool.len() } else { probes };
        let mut place = if self.pool.is_empty() { 0 } else { draw.below(self.pool.len()) };
        for _ in 0..tries {
            if self.pool.is_empty() {
                return None;
            }
            place = if whole { place % self.pool.len() } else { draw.below(self.pool.len()) };
            let index = self.pool[place];
            if self.cells.detail(index).is_none_or(|detail| detail.queued == 0) {
                self.pool.swap_remove(place);
            } else if suits(&self.cells, index) {
                self.pool.swap_remove(place);
                return Some(index);
            } else {
                place += 1;
            }
        }
        None
    }

    pub fn pool_len(&self) -> usize {
        self.pool.len()
    }

    /// Entries of both queues, those included that do not count any more.
    pub fn queue_entries(&self) -> usize {
        self.urgent.len() + self.pool.len()
    }

    /// Tasks with a run that waits to be placed, at most `most` of them.
    pub fn unplaced(&self, most: usize) -> impl Iterator<Item = u32> + '_ {
        self.urgent.iter().chain(&self.pool).copied().take(most)
    }

    /// Queues one run of a task that was opened without placing its first.
    pub fn push_urgent(&mut self, index: u32) {
        self.urgent.push_back(index);
    }

    /// Bytes held by tasks and queues.
    pub fn size_bytes(&self) -> usize {
        let listed = if let Fresh::Listed(list) = &self.fresh { list.capacity() } else { 0 };
        self.cells.size_bytes()
            + size_of::<u32>() * (listed + self.urgent.capacity() + self.pool.capacity())
            + size_of::<(Timestamp, u32)>() * self.paused.capacity()
            + size_of::<u16>() * self.missing.capacity()
    }
}

/// How many answers a task needs that is not drawn for an audit.
pub(crate) fn plan(verify: Verify) -> Plan {
    match verify {
        Verify::None | Verify::Sample { .. } | Verify::Reputation => {
            Plan { agree: 1, replicas: 1, replicas_max: 1 }
        }
        Verify::Quorum { agree, replicas, replicas_max }
        | Verify::Checked { agree, replicas, replicas_max } => Plan { agree, replicas, replicas_max },
    }
}

/// Distinct nodes that a stage needs at least.
pub(crate) fn nodes_min(verify: Verify) -> u32 {
    match verify {
        Verify::None | Verify::Sample { per_mille: 0 } => 1,
        Verify::Sample { .. } | Verify::Reputation => 2,
        Verify::Quorum { replicas, .. } | Verify::Checked { replicas, .. } => u32::from(replicas),
    }
}
