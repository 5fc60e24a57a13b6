//! Which result counts. Every task has a plan (how many answers, how many of them equal): one for
//! a task that is believed, two for one that is drawn for an audit (`auditing.rs`), the stage's own for
//! a quorum. From there on all three are the same.
//!
//! With commitments, an answer is shown only once as many nodes as the round wants have committed,
//! so that none of them can copy another's (threats C1, C2).

use crate::{
    Judgement,
    agreements::RunState,
    cells::{Answer, CellState},
    job::Job,
    rests::Strike,
    turn::Turn,
};
use opensky_types::{Hash, NodeId, TaskId, reason::Reason, task::Failure};

impl Job {
    /// Makes up its mind about a task once an answer came in.
    pub fn decide(&mut self, turn: &mut Turn<'_>, task: TaskId) {
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail_mut(task.index) else { return };
        let (best, agreeing) = most_frequent(&detail.answers);
        let answers = detail.answers.len();
        if agreeing >= usize::from(detail.agree) {
            let answers = std::mem::take(&mut detail.answers);
            return self.conclude(turn, task, answers, best, agreeing as u8);
        }
        if answers < usize::from(detail.target) {
            return;
        }
        if detail.target >= detail.target_max {
            let (agree, replicas) = (detail.agree, answers as u8);
            return self.fail(task, Reason::NoQuorum { agree, replicas });
        }
        let replicas = detail.target;
        detail.target += 1;
        let distinct = distinct_answers(&detail.answers) as u8;
        self.note(turn, Some(task), Reason::Disagreement { replicas, answers: distinct });
        self.rerun(task);
    }

    /// Settles a task on the answer that enough replicas gave.
    fn conclude(
        &mut self,
        turn: &mut Turn<'_>,
        task: TaskId,
        answers: Vec<Answer>,
        best: Hash,
        agreeing: u8,
    ) {
        let replicas = answers.len() as u8;
        let fault = answers.iter().find(|answer| answer.output == best).and_then(|a| a.failure.clone());
        let mut winner = None;
        for answer in answers {
            let judgement = match (&answer.failure, answer.output == best) {
                (Some(_), _) => Judgement::Failed,
                (None, true) if winner.is_none() => {
                    winner = Some(answer.node);
                    Judgement::Accepted
                }
                (None, true) => Judgement::Agreed,
                (None, false) => {
                    self.note(turn, Some(task), Reason::Outvoted { node: answer.node, agreeing });
                    self.liars.insert(answer.node);
                    Judgement::Rejected
                }
            };
            self.outbox.judge(answer.agreement, answer.node, task, answer.attempt, judgement);
        }
        match (winner, fault) {
            (Some(node), None) => {
                self.note_routine(turn, task, Reason::Accepted { agreeing, replicas });
                self.accept(turn, task, node, best);
            }
            (_, Some(failure)) => self.fail(task, Reason::Poisoned { nodes: agreeing, failure }),
            (None, None) => {}
        }
    }

    /// The task has its result. Runs that go on are stopped, unless they have ended already: then
    /// their work is looked at and judged.
    pub fn accept(&mut self, turn: &mut Turn<'_>, task: TaskId, node: NodeId, output: Hash) {
        self.end_other_runs(turn, task);
        let stage = &mut self.stages[usize::from(task.stage)];
        stage.settle_task(task.index, CellState::Accepted);
        stage.cells.at(task.index).accept(&output);
        stage.accepted += 1;
        *self.accepted_by.entry(node).or_default() += 1;
        turn.rests.forgive(&node);
        self.advance(task.stage, task.index);
    }

    fn end_other_runs(&mut self, turn: &mut Turn<'_>, task: TaskId) {
        let cells = &mut self.stages[usize::from(task.stage)].cells;
        let Some(detail) = cells.detail_mut(task.index).filter(|detail| !detail.runs.is_empty()) else {
            return;
        };
        for run in std::mem::take(&mut detail.runs) {
            let Some(agreement) = self.agreements.get_mut(run.slot) else { continue };
            match agreement.runs.get(&task.index).map(|run| run.state) {
                Some(RunState::Active) => {
                    agreement.shift(task.index, RunState::Cancelled);
                    self.outbox.cancel(run.slot, task);
                }
                Some(RunState::Abandoned) => {
                    agreement.shift(task.index, RunState::Cancelled);
                }
                Some(RunState::Committed) => self.reveal(turn, task, run.slot),
                _ => {}
            }
        }
    }

    /// The task failed for good, on too many nodes or by too many mishaps.
    pub fn poison(&mut self, task: TaskId) {
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail(task.index) else { return };
        let nodes = u8::try_from(detail.failed_on.len().max(1)).unwrap_or(u8::MAX);
        let failure = detail.last_failure.clone().unwrap_or(Failure::ProviderLost);
        self.fail(task, Reason::Poisoned { nodes, failure });
    }

    /// The task has no result and gets none; the job stops when this input is dealt with.
    fn fail(&mut self, task: TaskId, reason: Reason) {
        let stage = &mut self.stages[usize::from(task.stage)];
        if let Some(detail) = stage.cells.detail_mut(task.index) {
            for answer in std::mem::take(&mut detail.answers) {
                let judgement =
                    if answer.failure.is_some() { Judgement::Failed } else { Judgement::Undecided };
                self.outbox.judge(answer.agreement, answer.node, task, answer.attempt, judgement);
            }
        }
        stage.settle_task(task.index, CellState::Failed);
        stage.failed += 1;
        self.doom.get_or_insert((Some(task), reason));
    }

    /// Asks for another run in place of one that is gone without an answer.
    pub fn rerun(&mut self, task: TaskId) {
        let stage = &mut self.stages[usize::from(task.stage)];
        if let Some(detail) = stage.cells.detail_mut(task.index) {
            detail.hedges = 0;
            stage.top_up(task.index);
            self.dirty.insert(task.stage);
        }
    }

    /// Counts a failure that was not the program's fault, and asks for another run.
    pub fn mishap(&mut self, mishaps_max: u8, task: TaskId, node: NodeId, failure: Failure) {
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail_mut(task.index) else { return };
        detail.mishaps = detail.mishaps.saturating_add(1);
        detail.mishap_on = Some(node);
        if detail.mishaps >= mishaps_max {
            detail.last_failure = Some(failure);
            self.poison(task);
        } else {
            self.rerun(task);
        }
    }

    /// Has all commitments of a task shown, once there are as many as the round wants.
    pub fn reveal_when_all_committed(&mut self, turn: &mut Turn<'_>, task: TaskId) {
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail(task.index) else { return };
        let mut committed = Vec::with_capacity(detail.runs.len());
        let mut shown = detail.answers.len();
        for run in &detail.runs {
            let state = self.agreements.get(run.slot).and_then(|held| held.runs.get(&task.index));
            match state.map(|run| run.state) {
                Some(RunState::Committed) => committed.push(run.slot),
                Some(RunState::Revealed) => shown += 1,
                _ => {}
            }
        }
        if committed.len() + shown >= usize::from(detail.target) {
            for slot in committed {
                self.reveal(turn, task, slot);
            }
        }
    }

    /// Has one commitment shown.
    pub fn reveal(&mut self, turn: &mut Turn<'_>, task: TaskId, slot: u32) {
        let Some(agreement) = self.agreements.get_mut(slot) else { return };
        agreement.shift(task.index, RunState::Revealed);
        if let Some(run) = agreement.runs.get_mut(&task.index) {
            run.since = turn.now;
        }
        self.outbox.reveal(slot, task);
    }

    /// Ends every agreement with nodes whose results were rejected, and lets them rest for long.
    pub fn punish(&mut self, turn: &mut Turn<'_>) {
        while let Some(node) = self.liars.pop_first() {
            turn.strike(node, Strike::Rejection);
            for slot in self.agreements.slots_where(|agreement| agreement.node == node) {
                self.close(turn, slot);
            }
        }
    }
}

/// The most frequent output and how often it was given; the earlier one of a tie.
fn most_frequent(answers: &[Answer]) -> (Hash, usize) {
    let count = |output: &Hash| answers.iter().filter(|answer| answer.output == *output).count();
    let mut best = (Hash::from_bytes([0; 32]), 0);
    for answer in answers {
        let times = count(&answer.output);
        if times > best.1 {
            best = (answer.output, times);
        }
    }
    best
}

fn distinct_answers(answers: &[Answer]) -> usize {
    let is_new = |(position, answer): &(usize, &Answer)| {
        !answers[..*position].iter().any(|earlier| earlier.output == answer.output)
    };
    answers.iter().enumerate().filter(is_new).count()
}
