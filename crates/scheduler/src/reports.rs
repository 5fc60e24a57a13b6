//! Results that come in: whose they are, what kind of answer each is, and what becomes of the run.

use crate::{
    Committed, Ended, Judgement, Report,
    agreements::{ATTEMPT_UNKNOWN, Run, RunState},
    cells::{Answer, CellState},
    job::{Job, commits_first},
    rests::Strike,
    turn::Turn,
    verification::Mishap,
};
use opensky_types::{
    AgreementId, NodeId, TaskId, Timestamp,
    job::{FailureKind, Verify},
    reason::Reason,
    resources::Limit,
    task::{Failure, commitment},
};
use std::sync::Arc;

/// The provider's side of an agreement, as far as a report needs it.
#[derive(Debug, Clone, Copy)]
struct Party {
    slot: u32,
    agreement: AgreementId,
    node: NodeId,
    stage: u16,
}

impl Party {
    fn answer(self, report: &Report, failure: Option<Failure>) -> Answer {
        let Self { agreement, node, .. } = self;
        let Report { attempt, output, tests, .. } = *report;
        Answer { agreement, node, attempt, output, failure, tests }
    }
}

/// What a report says about its task.
enum Word {
    /// It has this result.
    Result,
    /// It fails, and would on any node.
    Fault(Failure),
    /// It failed there, by the program's fault, but another node may be luckier.
    Unlucky(Failure),
    /// It failed there, and the program is not to blame.
    Mishap(Failure),
}

impl Job {
    pub fn on_reported(&mut self, turn: &mut Turn<'_>, slot: u32, reports: Vec<Report>) {
        let Some(agreement) = self.agreements.get_mut(slot) else { return };
        (agreement.busy_at, agreement.heard_at) = (turn.now, turn.now);
        let party = Party { slot, agreement: agreement.id, node: agreement.node, stage: agreement.stage };
        for report in reports {
            if let Some(run) = self.take_run(turn, party, &report) {
                self.take_report(turn, party, run, report);
            }
        }
        if let Some(agreement) = self.agreements.get_mut(slot) {
            agreement.widen(turn.config.window_ms);
        }
        self.dirty.insert(party.stage);
        self.settle(turn);
    }

    /// Finds and ends the run that a report is about. `None`: it was never handed out to this
    /// provider, or was judged before.
    fn take_run(&mut self, turn: &mut Turn<'_>, party: Party, report: &Report) -> Option<Run> {
        if report.task.stage != party.stage {
            return None;
        }
        let index = report.task.index;
        let attempts_from = self.attempts_from;
        let agreement = self.agreements.get_mut(party.slot)?;
        let matches = |run: &Run| {
            run.attempt == report.attempt
                || (run.attempt == ATTEMPT_UNKNOWN && report.attempt < attempts_from)
        };
        if agreement.runs.get(&index).is_some_and(matches) {
            let run = agreement.take(index)?;
            if run.attempt == ATTEMPT_UNKNOWN
                && let Some(taken) = &mut agreement.taken
            {
                taken.insert(index);
            }
            return Some(run);
        }
        // A result from before a restart, of a run that nobody remembers here.
        let is_old = report.attempt < attempts_from && !agreement.runs.contains_key(&index);
        let taken = agreement.taken.as_mut().filter(|taken| is_old && !taken.contains(&index))?;
        let stage = self.stages.get(usize::from(party.stage))?;
        stage.cells.get(index)?;
        if stage.cells.detail(index).is_some_and(|detail| detail.has_used(&party.node)) {
            return None;
        }
        taken.insert(index);
        self.open_unplaced(report.task);
        self.draw_audit(turn, party.slot, report.task);
        let since = Timestamp::from_millis(0);
        let state = RunState::Abandoned;
        Some(Run { attempt: report.attempt, since, state, hedged: false, commitment: None })
    }

    fn take_report(&mut self, turn: &mut Turn<'_>, party: Party, run: Run, report: Report) {
        let TaskId { index, .. } = report.task;
        let stage = &mut self.stages[usize::from(party.stage)];
        if matches!(report.ended, Ended::Exited { .. }) {
            if run.state == RunState::Active {
                stage.pace.measure(turn.now.ms_since(run.since));
            }
            if let Some(agreement) = self.agreements.get_mut(party.slot) {
                agreement.measure(report.wall_us);
            }
        }
        if stage.cells.state(index) != CellState::Open || run.state == RunState::Cancelled {
            return self.judge_late(turn, party, &report);
        }
        let Some(detail) = stage.cells.detail_mut(index) else { return };
        detail.runs.retain(|other| other.slot != party.slot);
        let plain = detail.is_plain();
        let is_checked = self.spec.stages[usize::from(party.stage)].check.is_some();
        let accept_any_exit = self.spec.stages[usize::from(party.stage)].accept_any_exit;
        let word = word_of(report.ended.clone(), accept_any_exit);
        if !matches!(word, Word::Mishap(_)) && !self.keeps_commitment(party, &run, &report) {
            self.judge(party, &report, Judgement::Rejected);
            self.note(turn, Some(report.task), Reason::BrokenCommitment { node: party.node });
            self.liars.insert(party.node);
            return self.rerun(report.task);
        }
        match word {
            Word::Mishap(failure) => {
                self.judge(party, &report, Judgement::Failed);
                self.pause_after_mishap(turn, party);
                let (node, attempt) = (party.node, report.attempt);
                self.mishap(turn, report.task, Mishap { node, attempt, failure, noted: true });
            }
            Word::Result if plain && !is_checked => {
                let winner = party.answer(&report, None);
                self.judge(party, &report, Judgement::Accepted);
                self.accept(turn, report.task, &winner);
            }
            Word::Fault(failure) if plain => self.fail_once(turn, party, &report, failure),
            Word::Unlucky(failure) => self.fail_once(turn, party, &report, failure),
            Word::Result => self.answer(turn, party, &report, None),
            Word::Fault(failure) => self.answer(turn, party, &report, Some(failure)),
        }
    }

    /// Whether a result is what its provider committed to, where that was asked for.
    fn keeps_commitment(&self, party: Party, run: &Run, report: &Report) -> bool {
        !commits_first(&self.spec, party.stage)
            || run.commitment.is_some_and(|committed| {
                committed == commitment(&party.node, report.task, &report.output, &report.salt)
            })
    }

    /// Judges a result that came when the task was settled, or was not wanted any more.
    fn judge_late(&mut self, turn: &mut Turn<'_>, party: Party, report: &Report) {
        let spec = &self.spec.stages[usize::from(party.stage)];
        let cell = self.stages[usize::from(party.stage)].cells.get(report.task.index);
        let (same, settled) = cell.map_or((false, false), |cell| {
            (cell.has_output(&report.output), cell.state == CellState::Accepted)
        });
        let judgement = match report.ended {
            Ended::Failed(_) => Judgement::Failed,
            Ended::Exited { .. } if same => Judgement::Agreed,
            // Without determinism, and where a check decides, two honest nodes may differ.
            Ended::Exited { .. } if settled && spec.program.deterministic && spec.check.is_none() => {
                Judgement::Rejected
            }
            Ended::Exited { .. } => Judgement::Undecided,
        };
        if judgement == Judgement::Rejected
            && let Verify::Quorum { agree: agreeing, .. } = spec.verify
        {
            self.note(turn, Some(report.task), Reason::Outvoted { node: party.node, agreeing });
            self.liars.insert(party.node);
        }
        self.judge(party, report, judgement);
    }

    fn judge(&mut self, party: Party, report: &Report, judgement: Judgement) {
        self.outbox.judge(party.agreement, party.node, report.task, report.attempt, judgement);
    }

    /// Counts a failure by the program's fault, and judges it, unless it may be the task's result yet.
    fn fail_once(&mut self, turn: &mut Turn<'_>, party: Party, report: &Report, failure: Failure) {
        let answer = party.answer(report, Some(failure.clone()));
        let (node, attempt) = (answer.node, answer.attempt);
        let may_fail = self.spec.stages[usize::from(party.stage)].may_fail;
        let detail = self.stages[usize::from(party.stage)].cells.detail_mut(report.task.index);
        // What becomes of it is seen with the next run. Where several have to agree, one is no result.
        let judged = match detail.filter(|detail| may_fail && detail.is_plain()) {
            Some(detail) => detail.fallback.replace(answer),
            None => Some(answer),
        };
        self.judge_failed(report.task, judged);
        self.count_failure(turn, report.task, node, attempt, failure);
    }

    /// Counts a failure; on enough distinct nodes, or if its kind is not tried again, it stops the job.
    pub fn count_failure(
        &mut self,
        turn: &mut Turn<'_>,
        task: TaskId,
        node: NodeId,
        attempt: u32,
        failure: Failure,
    ) {
        let spec = Arc::clone(&self.spec);
        let spec = &spec.stages[usize::from(task.stage)];
        let Some(detail) = self.stages[usize::from(task.stage)].cells.detail_mut(task.index) else { return };
        if !detail.failed_on.contains(&node) {
            detail.failed_on.push(node);
        }
        detail.last_failure = Some(failure.clone());
        let (count, count_max) = (detail.failed_on.len() as u8, spec.failures_max);
        // One node's word that its time was up stops nothing that several have to agree on.
        let is_word_of_one = !detail.is_plain() && FailureKind::of(&failure) == FailureKind::Time;
        let is_worth_it = is_word_of_one || spec.retry.is_worth_it(&failure);
        // What a check did not accept is no result, and neither is what failed before it.
        if count >= count_max && matches!(failure, Failure::Unchecked { .. }) {
            return self.fail(task, Reason::Poisoned { nodes: count, failure });
        }
        if !is_worth_it && detail.fallback.is_none() {
            self.fail(task, Reason::NotTriedAgain { attempt, node, failure });
        } else if !is_worth_it || count >= count_max {
            self.poison(turn, task);
        } else {
            let after_ms = self.retry_wait_ms(task);
            let reason = Reason::TriedAgain { attempt, node, failure, count, count_max, after_ms };
            self.note(turn, Some(task), reason);
            self.rerun_after(turn.now, task, after_ms);
        }
    }

    fn answer(&mut self, turn: &mut Turn<'_>, party: Party, report: &Report, failure: Option<Failure>) {
        let stage = &mut self.stages[usize::from(party.stage)];
        if let Some(detail) = stage.cells.detail_mut(report.task.index) {
            detail.answers.push(party.answer(report, failure));
            stage.top_up(report.task.index);
            self.decide(turn, report.task);
        }
    }

    fn pause_after_mishap(&mut self, turn: &mut Turn<'_>, party: Party) {
        let until = turn.strike(party.node, Strike::Mishap);
        if let Some(agreement) = self.agreements.get_mut(party.slot) {
            agreement.paused_until = agreement.paused_until.max(until);
        }
    }

    pub fn on_committed(&mut self, turn: &mut Turn<'_>, slot: u32, commitments: &[Committed]) {
        let Some(agreement) = self.agreements.get_mut(slot) else { return };
        (agreement.busy_at, agreement.heard_at) = (turn.now, turn.now);
        let stage = agreement.stage;
        for committed in commitments.iter().filter(|committed| committed.task.stage == stage) {
            self.take_commitment(turn, slot, *committed);
        }
        self.dirty.insert(stage);
        self.settle(turn);
    }

    fn take_commitment(&mut self, turn: &mut Turn<'_>, slot: u32, committed: Committed) {
        let Committed { task, attempt, hash } = committed;
        let Some(agreement) = self.agreements.get_mut(slot) else { return };
        let Some(run) = agreement.runs.get_mut(&task.index) else { return };
        // The first word counts: a second commitment could be made after seeing others' results.
        if run.attempt != attempt || run.commitment.is_some() {
            return;
        }
        run.commitment = Some(hash);
        let since = run.since;
        let before = agreement.shift(task.index, RunState::Committed);
        let stage = &mut self.stages[usize::from(task.stage)];
        if before == Some(RunState::Active) {
            stage.pace.measure(turn.now.ms_since(since));
        }
        if stage.cells.state(task.index) == CellState::Open {
            self.revive(task, slot);
            self.reveal_when_all_committed(turn, task);
        } else {
            self.reveal(turn, task, slot);
        }
    }
}

fn word_of(ended: Ended, accept_any_exit: bool) -> Word {
    match ended {
        Ended::Exited { code } if code == 0 || accept_any_exit => Word::Result,
        Ended::Exited { code } => Word::Fault(Failure::ExitCode { code }),
        // How long a run takes is the machine's doing as well.
        Ended::Failed(failure @ Failure::Limit { limit: Limit::Time }) => Word::Unlucky(failure),
        Ended::Failed(failure) if failure.is_programs_fault() => Word::Fault(failure),
        Ended::Failed(failure) => Word::Mishap(failure),
    }
}
