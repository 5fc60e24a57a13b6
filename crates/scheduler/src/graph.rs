//! The job's graph: which tasks become ready when others are settled, and which never will.

use crate::{
    cells::CellState,
    job::Job,
    stage::{Reads, Stage},
    turn::Turn,
};
use opensky_types::{
    TaskId,
    job::{Condition, ResultTests, TasksMeant, Test},
    reason::Reason,
};

/// Whether what a task reads is there.
enum Feed {
    Ready,
    NotYet,
    /// It never will be, for want of a result or by this condition.
    Never(Option<Condition>),
}

impl Job {
    /// Tells each stage which others read it or wait for it, and what they ask of its results.
    pub fn link(&mut self) {
        let spec = self.spec.clone();
        self.tests = ResultTests::of(&spec);
        for (position, stage) in spec.stages.iter().enumerate() {
            let this = position as u16;
            self.stages[position].held = vec![0; self.tests.count(this)];
            if let Reads::Each(earlier) | Reads::Reduce { stage: earlier, .. } = self.stages[position].reads {
                self.stages[usize::from(earlier)].readers.push(this);
            }
            for earlier in stage.predecessors() {
                self.stages[usize::from(earlier)].followers.push(this);
            }
            for condition in stage.when.iter().filter(|condition| condition.of == TasksMeant::Each) {
                let earlier = &mut self.stages[usize::from(condition.stage)];
                earlier.tests = vec![0; earlier.cells.count() as usize];
            }
        }
    }

    /// Fills every queue from the states of the tasks. Looks at each task once; for a new, restored
    /// or retried job.
    pub fn rebuild(&mut self) {
        for position in 0..self.stages.len() {
            let this = position as u16;
            let awaited = self.spec.stages[position].predecessors();
            let left = awaited.iter().filter(|earlier| !self.stages[usize::from(**earlier)].is_complete());
            let left = left.count() as u16;
            let missing = self.missing_inputs(position);
            let stage = &mut self.stages[position];
            stage.clear_queues();
            stage.cells.forget_skipped();
            stage.skipped = 0;
            stage.after_left = left;
            stage.set_missing(missing);
            for index in 0..self.stages[position].cells.count() {
                if matches!(self.feed(this, index), Feed::Never(_)) {
                    self.stages[position].skip(index);
                }
            }
            if left == 0 {
                match self.broken_condition(this) {
                    Some(_) => self.stages[position].skip_rest(),
                    None => self.open_up(this),
                }
            }
            self.stages[position].is_told = self.stages[position].is_complete();
        }
    }

    fn missing_inputs(&self, position: usize) -> Vec<u16> {
        let Reads::Reduce { stage, fan_in } = self.stages[position].reads else { return Vec::new() };
        let upstream = &self.stages[usize::from(stage)];
        let mut missing = vec![0; self.stages[position].cells.count() as usize];
        for index in 0..upstream.cells.count() {
            if !upstream.cells.state(index).is_settled() {
                missing[(index / fan_in) as usize] += 1;
            }
        }
        missing
    }

    /// Whether what a task reads is there.
    fn feed(&self, stage: u16, index: u32) -> Feed {
        match self.stages[usize::from(stage)].reads {
            Reads::Spec => Feed::Ready,
            Reads::Each(upstream) => match self.stages[usize::from(upstream)].cells.state(index) {
                CellState::Untried | CellState::Open => Feed::NotYet,
                CellState::Failed | CellState::Skipped => Feed::Never(None),
                CellState::Accepted => {
                    self.broken_for_task(stage, index).map_or(Feed::Ready, |broken| Feed::Never(Some(broken)))
                }
            },
            Reads::Reduce { .. } if self.stages[usize::from(stage)].lacks_inputs(index) => Feed::NotYet,
            Reads::Reduce { stage: upstream, fan_in } => {
                let cells = &self.stages[usize::from(upstream)].cells;
                let from = index.saturating_mul(fan_in);
                let to = from.saturating_add(fan_in).min(cells.count());
                let has_result = (from..to).any(|index| cells.state(index) == CellState::Accepted);
                if has_result { Feed::Ready } else { Feed::Never(None) }
            }
        }
    }

    /// Whether a task could run: nothing that it waits for is missing.
    pub fn is_ready(&self, task: TaskId) -> bool {
        self.stages[usize::from(task.stage)].after_left == 0
            && matches!(self.feed(task.stage, task.index), Feed::Ready)
    }

    /// A condition of a task alone that does not hold, for one whose input has a result.
    fn broken_for_task(&self, stage: u16, index: u32) -> Option<Condition> {
        let conditions = &self.spec.stages[usize::from(stage)].when;
        let mut of_task = conditions.iter().filter(|condition| condition.of == TasksMeant::Each);
        of_task
            .find(|condition| {
                let tests = &self.stages[usize::from(condition.stage)].tests;
                let bit = self.tests.bit(condition.stage, &condition.test);
                let held =
                    bit.zip(tests.get(index as usize)).is_some_and(|(bit, tests)| tests >> bit & 1 == 1);
                held == condition.not
            })
            .cloned()
    }

    /// A condition of a stage as a whole that does not hold. All that they are about is settled.
    fn broken_condition(&self, stage: u16) -> Option<Condition> {
        let conditions = &self.spec.stages[usize::from(stage)].when;
        conditions.iter().find(|condition| !self.holds(condition)).cloned()
    }

    fn holds(&self, condition: &Condition) -> bool {
        let stage = &self.stages[usize::from(condition.stage)];
        let of_result = |test| {
            let bit = self.tests.bit(condition.stage, test);
            bit.and_then(|bit| stage.held.get(bit as usize)).copied().unwrap_or(0)
        };
        let matching = match &condition.test {
            Test::Succeeded => stage.accepted + stage.skipped,
            Test::Failed => stage.failed,
            Test::Skipped => stage.skipped,
            test => of_result(test),
        };
        let holds = match condition.of {
            TasksMeant::All => matching == stage.cells.count(),
            TasksMeant::Any => matching > 0,
            TasksMeant::Each => return true,
        };
        holds != condition.not
    }

    /// Lets a stage start: nothing that it waits for as a whole is left.
    fn open_up(&mut self, stage: u16) {
        let position = usize::from(stage);
        if self.stages[position].reads == Reads::Spec {
            self.stages[position].make_all_ready();
        } else {
            for index in 0..self.stages[position].cells.count() {
                if matches!(self.feed(stage, index), Feed::Ready) {
                    self.stages[position].make_ready(index);
                }
            }
        }
        self.dirty.insert(stage);
    }

    /// Passes on that a task is settled.
    pub fn advance(&mut self, turn: &mut Turn<'_>, stage: u16, index: u32) {
        let mut settled = vec![(stage, index)];
        while let Some((stage, index)) = settled.pop() {
            for reader in 0..self.stages[usize::from(stage)].readers.len() {
                let reader = self.stages[usize::from(stage)].readers[reader];
                let downstream = &mut self.stages[usize::from(reader)];
                let (index, came) = match downstream.reads {
                    Reads::Reduce { fan_in, .. } => (index / fan_in, downstream.input_came(index / fan_in)),
                    _ => (index, true),
                };
                if came && downstream.cells.state(index) == CellState::Untried {
                    settled.extend(self.fed(turn, reader, index));
                }
            }
            self.tell_followers(turn, stage);
        }
    }

    /// All that an untried task reads is settled: it is ready, or never will be, and then it is settled too.
    fn fed(&mut self, turn: &mut Turn<'_>, stage: u16, index: u32) -> Option<(u16, u32)> {
        match self.feed(stage, index) {
            Feed::NotYet => None,
            Feed::Ready => {
                let downstream = &mut self.stages[usize::from(stage)];
                if downstream.after_left == 0 {
                    downstream.make_ready(index);
                    self.dirty.insert(stage);
                }
                None
            }
            Feed::Never(condition) => {
                self.stages[usize::from(stage)].skip(index);
                self.note_routine(turn, TaskId { stage, index }, Reason::TaskSkipped { condition });
                Some((stage, index))
            }
        }
    }

    /// Once a stage is complete: lets go those that wait for all of it.
    fn tell_followers(&mut self, turn: &mut Turn<'_>, stage: u16) {
        let position = usize::from(stage);
        if !Stage::is_complete(&self.stages[position]) || self.stages[position].is_told {
            return;
        }
        self.stages[position].is_told = true;
        self.dirty.insert(stage);
        let tasks = self.stages[position].skipped;
        if tasks == self.stages[position].cells.count() {
            let condition = self.skipping.take();
            self.note_last(turn, None, Reason::StageSkipped { stage, tasks, condition });
        }
        for follower in 0..self.stages[position].followers.len() {
            let follower = self.stages[position].followers[follower];
            let waiting = &mut self.stages[usize::from(follower)];
            waiting.after_left = waiting.after_left.saturating_sub(1);
            if waiting.after_left == 0 {
                self.begin(turn, follower);
            }
        }
    }

    /// All that a stage waits for is settled: it starts, or is skipped.
    fn begin(&mut self, turn: &mut Turn<'_>, stage: u16) {
        let position = usize::from(stage);
        if self.stages[position].is_complete() {
            return;
        }
        let Some(condition) = self.broken_condition(stage) else {
            if !self.spec.stages[position].when.is_empty() {
                self.note_last(turn, None, Reason::StageRuns { stage });
            }
            return self.open_up(stage);
        };
        let cells = &self.stages[position].cells;
        let untried = (0..cells.count()).filter(|index| cells.state(*index) == CellState::Untried);
        let untried: Vec<u32> = untried.collect();
        self.stages[position].skip_rest();
        self.skipping = Some(condition);
        untried.into_iter().for_each(|index| self.advance(turn, stage, index));
        self.skipping = None;
    }
}
