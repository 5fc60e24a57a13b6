//! Results that a check decides about (spec V1): each by itself, or two by two. The check runs elsewhere; here is
//! what is asked of it and what follows from what it says.

use crate::{
    CheckedRun, Effect, Judgement,
    cells::{Answer, AnswerCheck, Detail},
    job::Job,
    turn::Turn,
    verification::Stance,
};
use opensky_types::{TaskId, job::CheckDecision, reason::Reason, task::Failure};

impl Job {
    /// Makes up its mind about a task of a stage with a check, as far as the checks have come.
    pub fn decide_by_check(&mut self, turn: &mut Turn<'_>, task: TaskId) {
        let job = self.id;
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail_mut(task.index) else { return };
        let wanted = if detail.agree == 1 { first_alone(detail) } else { unknown_pairs(detail) };
        for check in wanted {
            let run = |attempt| detail.answers.iter().find(|answer| answer.attempt == attempt).map(run_of);
            let runs = [Some(check.first), check.second].into_iter().flatten().filter_map(run).collect();
            turn.effects.push(Effect::Check { job, task, runs });
            detail.checks.push(check);
        }
        let is_open = detail.agree == 1 || detail.checks.iter().any(|check| check.decision.is_none());
        if is_open || detail.answers.is_empty() {
            return;
        }
        let close =
            |answer: &Answer| detail.answers.iter().filter(|other| detail.alike(answer, other)).count();
        let counts: Vec<usize> = detail.answers.iter().map(close).collect();
        let agreeing = counts.iter().copied().max().unwrap_or(0);
        let best = counts.iter().position(|count| *count == agreeing).unwrap_or(0);
        if agreeing < usize::from(detail.agree) {
            let distinct = distinct(detail);
            return self.ask_more(turn, task, distinct);
        }
        let winner = detail.answers.remove(best);
        let mut answers: Vec<(Answer, Stance)> = Vec::with_capacity(detail.answers.len() + 1);
        let others = std::mem::take(&mut detail.answers);
        let stances: Vec<Stance> = others.iter().map(|other| detail.stance(&winner, other)).collect();
        answers.push((winner, Stance::Agrees));
        answers.extend(others.into_iter().zip(stances));
        self.conclude(turn, task, answers, agreeing as u8);
    }

    pub fn on_checked(
        &mut self,
        turn: &mut Turn<'_>,
        task: TaskId,
        runs: &[CheckedRun],
        decision: CheckDecision,
        message: String,
    ) {
        let Some(detail) =
            self.stages.get_mut(usize::from(task.stage)).and_then(|stage| stage.cells.detail_mut(task.index))
        else {
            return;
        };
        let (first, second) = (runs.first().map(|run| run.attempt), runs.get(1).map(|run| run.attempt));
        let asked = detail
            .checks
            .iter_mut()
            .find(|check| Some(check.first) == first && check.second == second && check.decision.is_none());
        let Some(asked) = asked else { return };
        asked.decision = Some(decision);
        let node = |attempt: Option<u32>| {
            let of_run = |answer: &&Answer| Some(answer.attempt) == attempt;
            detail.answers.iter().find(of_run).map(|answer| answer.node)
        };
        let nodes = (node(first), node(second));
        let is_alone = detail.agree == 1;
        if let (Some(node), other) = nodes {
            let reason = Reason::Checked { node, other, decision, message: message.clone() };
            match decision {
                CheckDecision::Passed => self.note_routine(turn, task, reason),
                CheckDecision::Failed | CheckDecision::Broken => self.note(turn, Some(task), reason),
            }
        }
        if is_alone {
            self.settle_alone(turn, task, first.unwrap_or_default(), (decision, message));
        } else {
            self.decide_by_check(turn, task);
        }
        self.dirty.insert(task.stage);
        self.settle(turn);
    }

    /// A result that was checked by itself is the task's, or another run is needed.
    fn settle_alone(
        &mut self,
        turn: &mut Turn<'_>,
        task: TaskId,
        attempt: u32,
        (decision, message): (CheckDecision, String),
    ) {
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail_mut(task.index) else { return };
        let Some(at) = detail.answers.iter().position(|answer| answer.attempt == attempt) else { return };
        let answer = detail.answers.remove(at);
        detail.checks.clear();
        let (judgement, message) = match decision {
            CheckDecision::Passed => {
                // Others that came meanwhile were never looked at.
                let others = std::mem::take(&mut detail.answers);
                let mut answers = vec![(answer, Stance::Agrees)];
                let output = answers[0].0.output;
                answers.extend(others.into_iter().map(|other| {
                    let stance = if other.output == output { Stance::Agrees } else { Stance::Unclear };
                    (other, stance)
                }));
                return self.conclude(turn, task, answers, 1);
            }
            CheckDecision::Failed => {
                (Judgement::Rejected, format!("its result did not pass the check{}", after(&message)))
            }
            CheckDecision::Broken => {
                (Judgement::Failed, format!("its result could not be checked{}", after(&message)))
            }
        };
        self.outbox.judge(answer.agreement, answer.node, task, answer.attempt, judgement);
        if judgement == Judgement::Rejected {
            self.liars.insert(answer.node);
        }
        self.count_failure(turn, task, answer.node, answer.attempt, Failure::Unchecked { message });
        self.decide_by_check(turn, task);
    }
}

fn after(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

impl Detail {
    /// Whether two answers count as the same, as far as is known.
    fn alike(&self, left: &Answer, right: &Answer) -> bool {
        self.stance(left, right) == Stance::Agrees
    }

    fn stance(&self, left: &Answer, right: &Answer) -> Stance {
        if left.output == right.output && left.failure.is_some() == right.failure.is_some() {
            return Stance::Agrees;
        }
        // Two failures are compared like results. Of a result and a failure no check has seen both: where programs
        // differ from run to run, either may be honest.
        match (&left.failure, &right.failure) {
            (Some(_), Some(_)) => return Stance::Differs,
            (Some(_), None) | (None, Some(_)) => return Stance::Unclear,
            (None, None) => {}
        }
        match self.checks.iter().find(|check| is_of(check, left, right)).and_then(|check| check.decision) {
            Some(CheckDecision::Passed) => Stance::Agrees,
            Some(CheckDecision::Failed) => Stance::Differs,
            Some(CheckDecision::Broken) | None => Stance::Unclear,
        }
    }
}

fn is_of(check: &AnswerCheck, left: &Answer, right: &Answer) -> bool {
    let pair = (check.first, check.second);
    pair == (left.attempt, Some(right.attempt)) || pair == (right.attempt, Some(left.attempt))
}

fn run_of(answer: &Answer) -> CheckedRun {
    CheckedRun { agreement: answer.agreement, attempt: answer.attempt }
}

/// The first answer, if it is not being checked.
fn first_alone(detail: &Detail) -> Vec<AnswerCheck> {
    let first = detail.answers.first().filter(|_| detail.checks.is_empty());
    first
        .map(|answer| AnswerCheck { first: answer.attempt, second: None, decision: None })
        .into_iter()
        .collect()
}

/// Pairs of results that differ and were never compared.
fn unknown_pairs(detail: &Detail) -> Vec<AnswerCheck> {
    let mut pairs = Vec::new();
    for (at, right) in detail.answers.iter().enumerate() {
        for left in &detail.answers[..at] {
            let is_decided = left.failure.is_some() || right.failure.is_some() || left.output == right.output;
            if !is_decided && !detail.checks.iter().any(|check| is_of(check, left, right)) {
                pairs.push(AnswerCheck { first: left.attempt, second: Some(right.attempt), decision: None });
            }
        }
    }
    pairs
}

/// How many answers there are that none before them is like.
fn distinct(detail: &Detail) -> u8 {
    let is_new = |(at, answer): &(usize, &Answer)| {
        !detail.answers[..*at].iter().any(|earlier| detail.alike(earlier, answer))
    };
    detail.answers.iter().enumerate().filter(is_new).count() as u8
}
