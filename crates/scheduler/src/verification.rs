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
use opensky_types::{Hash, NodeId, TaskId, Timestamp, reason::Reason, task::Failure};

/// How an answer stands to the one that settles its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stance {
    /// It is that one, or counts as the same.
    Agrees,
    Differs,
    /// They could not be compared.
    Unclear,
}

/// A run that is gone by no fault of the program.
pub(crate) struct Mishap {
    pub node: NodeId,
    pub attempt: u32,
    pub failure: Failure,
    /// Whether it is worth a note of its own, and not one of many that went at once.
    pub noted: bool,
}

impl Job {
    /// Makes up its mind about a task once an answer came in.
    pub fn decide(&mut self, turn: &mut Turn<'_>, task: TaskId) {
        if self.spec.stages[usize::from(task.stage)].check.is_some() {
            return self.decide_by_check(turn, task);
        }
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail_mut(task.index) else { return };
        let (best, agreeing) = most_frequent(&detail.answers);
        if agreeing >= usize::from(detail.agree) {
            let stance = |answer: Answer| {
                let stance = if answer.output == best { Stance::Agrees } else { Stance::Differs };
                (answer, stance)
            };
            let answers = std::mem::take(&mut detail.answers).into_iter().map(stance).collect();
            return self.conclude(turn, task, answers, agreeing as u8);
        }
        let distinct = distinct_answers(&detail.answers) as u8;
        self.ask_more(turn, task, distinct);
    }

    /// Wants one answer more where those that came do not settle a task, up to the stage's bound.
    pub fn ask_more(&mut self, turn: &mut Turn<'_>, task: TaskId, distinct: u8) {
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail_mut(task.index) else { return };
        let answers = detail.answers.len();
        if answers < usize::from(detail.target) {
            return;
        }
        if detail.target >= detail.target_max {
            let (agree, replicas) = (detail.agree, answers as u8);
            return self.fail(task, Reason::NoQuorum { agree, replicas });
        }
        let replicas = detail.target;
        detail.target += 1;
        self.note(turn, Some(task), Reason::Disagreement { replicas, answers: distinct });
        self.rerun(task);
    }

    /// Settles a task on the first answer that agrees with enough others.
    pub fn conclude(
        &mut self,
        turn: &mut Turn<'_>,
        task: TaskId,
        answers: Vec<(Answer, Stance)>,
        agreeing: u8,
    ) {
        let replicas = answers.len() as u8;
        let may_fail = self.spec.stages[usize::from(task.stage)].may_fail;
        let mut winner: Option<Answer> = None;
        let mut fault = None;
        for (answer, stance) in answers {
            let judgement = match (&answer.failure, stance) {
                (Some(failure), stance) if !(may_fail && stance == Stance::Agrees) => {
                    fault = if stance == Stance::Agrees { Some(failure.clone()) } else { fault };
                    Judgement::Failed
                }
                (_, Stance::Agrees) if winner.is_none() => Judgement::Accepted,
                (_, Stance::Agrees) => Judgement::Agreed,
                (_, Stance::Unclear) => Judgement::Undecided,
                (_, Stance::Differs) => {
                    self.note(turn, Some(task), Reason::Outvoted { node: answer.node, agreeing });
                    self.liars.insert(answer.node);
                    Judgement::Rejected
                }
            };
            self.outbox.judge(answer.agreement, answer.node, task, answer.attempt, judgement);
            if judgement == Judgement::Accepted {
                winner = Some(answer);
            }
        }
        match (winner, fault) {
            (Some(winner), _) if winner.failure.is_none() => {
                self.note_routine(turn, task, Reason::Accepted { agreeing, replicas });
                self.accept(turn, task, &winner);
            }
            (Some(winner), _) => self.accept_failure(turn, task, &winner),
            (None, Some(failure)) => self.fail(task, Reason::Poisoned { nodes: agreeing, failure }),
            (None, None) => {}
        }
    }

    /// The task has its result. Runs that go on are stopped, unless they have ended already: then
    /// their work is looked at and judged.
    pub fn accept(&mut self, turn: &mut Turn<'_>, task: TaskId, winner: &Answer) {
        self.settle_with(turn, task, winner);
        *self.accepted_by.entry(winner.node).or_default() += 1;
        turn.rests.forgive(&winner.node);
        self.advance(turn, task.stage, task.index);
    }

    /// The task has failed for good, in a stage that may: that is its result.
    fn accept_failure(&mut self, turn: &mut Turn<'_>, task: TaskId, last: &Answer) {
        if let Some(failure) = last.failure.clone() {
            self.note(turn, Some(task), Reason::TaskFailed { node: last.node, failure });
        }
        self.settle_with(turn, task, last);
        self.advance(turn, task.stage, task.index);
    }

    fn settle_with(&mut self, turn: &mut Turn<'_>, task: TaskId, winner: &Answer) {
        self.end_other_runs(turn, task);
        let stage = &mut self.stages[usize::from(task.stage)];
        let detail = stage.cells.detail_mut(task.index);
        // Answers that nobody has decided about are judged too: whoever gave them waits for it.
        let left = detail.map(|detail| (detail.fallback.take(), std::mem::take(&mut detail.answers)));
        // Its state for now: what counts is what its result says.
        stage.settle_task(task.index, CellState::Failed);
        stage.give_result(task.index, winner.failure.is_some(), &winner.output, winner.tests);
        let (before, answers) = left.unwrap_or_default();
        self.judge_failed(task, before);
        self.judge_undecided(task, answers);
    }

    /// Judges answers that the task does without.
    fn judge_undecided(&mut self, task: TaskId, answers: impl IntoIterator<Item = Answer>) {
        for answer in answers {
            let judgement = if answer.failure.is_some() { Judgement::Failed } else { Judgement::Undecided };
            self.outbox.judge(answer.agreement, answer.node, task, answer.attempt, judgement);
        }
    }

    /// Judges a failure that turned out not to be the task's result.
    pub fn judge_failed(&mut self, task: TaskId, answer: Option<Answer>) {
        if let Some(Answer { agreement, node, attempt, .. }) = answer {
            self.outbox.judge(agreement, node, task, attempt, Judgement::Failed);
        }
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
    pub fn poison(&mut self, turn: &mut Turn<'_>, task: TaskId) {
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail_mut(task.index) else { return };
        if let Some(last) = detail.fallback.take() {
            self.outbox.judge(last.agreement, last.node, task, last.attempt, Judgement::Accepted);
            return self.accept_failure(turn, task, &last);
        }
        let nodes = u8::try_from(detail.failed_on.len().max(1)).unwrap_or(u8::MAX);
        let failure = detail.last_failure.clone().unwrap_or(Failure::ProviderLost);
        self.fail(task, Reason::Poisoned { nodes, failure });
    }

    /// The task has no result and gets none; the job stops when this input is dealt with.
    pub fn fail(&mut self, task: TaskId, reason: Reason) {
        let stage = &mut self.stages[usize::from(task.stage)];
        let detail = stage.cells.detail_mut(task.index);
        let left = detail.map(|detail| (detail.fallback.take(), std::mem::take(&mut detail.answers)));
        let (fallback, answers) = left.unwrap_or_default();
        self.judge_undecided(task, answers.into_iter().chain(fallback));
        let stage = &mut self.stages[usize::from(task.stage)];
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

    /// Asks for another run as [`Job::rerun`] does, but not before so long.
    pub fn rerun_after(&mut self, now: Timestamp, task: TaskId, after_ms: u64) {
        let stage = &mut self.stages[usize::from(task.stage)];
        if after_ms > 0
            && let Some(detail) = stage.cells.detail_mut(task.index)
        {
            detail.hedges = 0;
            stage.pause(task.index, now.plus_ms(after_ms));
        }
        self.rerun(task);
    }

    /// How long a task waits after the failures that it has had.
    pub fn retry_wait_ms(&self, task: TaskId) -> u64 {
        let stage = usize::from(task.stage);
        self.stages[stage].cells.detail(task.index).map_or(0, |detail| {
            let failures = detail.failed_on.len() as u32 + u32::from(detail.mishaps);
            self.spec.stages[stage].retry.wait_ms(failures)
        })
    }

    /// Counts a failure that was not the program's fault, and asks for another run.
    pub fn mishap(&mut self, turn: &mut Turn<'_>, task: TaskId, mishap: Mishap) {
        let Mishap { node, attempt, failure, noted } = mishap;
        let stage = usize::from(task.stage);
        let Some(detail) = self.stages[stage].cells.detail_mut(task.index) else { return };
        detail.mishaps = detail.mishaps.saturating_add(1);
        detail.mishap_on = Some(node);
        let retry = &self.spec.stages[stage].retry;
        let (count, count_max) = (detail.mishaps, retry.losses_max);
        if !retry.is_worth_it(&failure) {
            return self.fail(task, Reason::NotTriedAgain { attempt, node, failure });
        }
        if count >= count_max {
            // Nodes that are lost say nothing of the program, so an earlier failure is no result either.
            let nodes = u8::try_from(detail.failed_on.len().max(1)).unwrap_or(u8::MAX);
            return self.fail(task, Reason::Poisoned { nodes, failure });
        }
        let after_ms = self.retry_wait_ms(task);
        if noted {
            let reason = Reason::TriedAgain { attempt, node, failure, count, count_max, after_ms };
            self.note(turn, Some(task), reason);
        }
        self.rerun_after(turn.now, task, after_ms);
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
