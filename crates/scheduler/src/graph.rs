//! The job's graph: which tasks become ready when others are accepted.

use crate::{
    cells::CellState,
    job::Job,
    stage::{Reads, Stage},
};

impl Job {
    /// Tells each stage which others read it or wait for it.
    pub fn link(&mut self) {
        for position in 0..self.stages.len() {
            let this = position as u16;
            if let Reads::Each(stage) | Reads::Reduce { stage, .. } = self.stages[position].reads {
                self.stages[usize::from(stage)].readers.push(this);
            }
            for earlier in &self.spec.stages[position].after {
                self.stages[usize::from(*earlier)].followers.push(this);
            }
        }
    }

    /// Fills every queue from the states of the tasks. Looks at each task once; for a new, restored
    /// or retried job.
    pub fn rebuild(&mut self) {
        for position in 0..self.stages.len() {
            let after = &self.spec.stages[position].after;
            let left = after.iter().filter(|earlier| !self.stages[usize::from(**earlier)].is_complete());
            let left = left.count() as u16;
            let missing = self.missing_inputs(position);
            let stage = &mut self.stages[position];
            stage.clear_queues();
            stage.after_left = left;
            stage.set_missing(missing);
            if left == 0 {
                self.open_up(position as u16);
            }
        }
    }

    fn missing_inputs(&self, position: usize) -> Vec<u16> {
        let Reads::Reduce { stage, fan_in } = self.stages[position].reads else { return Vec::new() };
        let upstream = &self.stages[usize::from(stage)];
        let mut missing = vec![0; self.stages[position].cells.count() as usize];
        for index in 0..upstream.cells.count() {
            if upstream.cells.state(index) != CellState::Accepted {
                missing[(index / fan_in) as usize] += 1;
            }
        }
        missing
    }

    /// Lets a stage start: nothing that it waits for as a whole is left.
    fn open_up(&mut self, stage: u16) {
        let position = usize::from(stage);
        match self.stages[position].reads {
            Reads::Spec => self.stages[position].make_all_ready(),
            Reads::Each(upstream) => {
                let (earlier, later) = self.stages.split_at_mut(position);
                let upstream = &earlier[usize::from(upstream)];
                for index in 0..later[0].cells.count() {
                    if upstream.cells.state(index) == CellState::Accepted {
                        later[0].make_ready(index);
                    }
                }
            }
            Reads::Reduce { .. } => {
                let stage = &mut self.stages[position];
                for index in 0..stage.cells.count() {
                    if !stage.lacks_inputs(index) {
                        stage.make_ready(index);
                    }
                }
            }
        }
        self.dirty.insert(stage);
    }

    /// Passes on that a task was accepted.
    pub fn advance(&mut self, stage: u16, index: u32) {
        let position = usize::from(stage);
        for reader in 0..self.stages[position].readers.len() {
            let reader = self.stages[position].readers[reader];
            let downstream = &mut self.stages[usize::from(reader)];
            let (index, came) = match downstream.reads {
                Reads::Reduce { fan_in, .. } => (index / fan_in, downstream.input_came(index / fan_in)),
                _ => (index, true),
            };
            if came && downstream.after_left == 0 {
                downstream.make_ready(index);
                self.dirty.insert(reader);
            }
        }
        if Stage::is_complete(&self.stages[position]) {
            self.dirty.insert(stage);
            for follower in 0..self.stages[position].followers.len() {
                let follower = self.stages[position].followers[follower];
                let waiting = &mut self.stages[usize::from(follower)];
                waiting.after_left = waiting.after_left.saturating_sub(1);
                if waiting.after_left == 0 {
                    self.open_up(follower);
                }
            }
        }
    }
}
