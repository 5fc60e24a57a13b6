//! Jobs taken up again: after a restart, and when their owner retries them.

use super::{ActiveJob, Agreement};
use crate::{
    event::Event, fetch::blocking, handle::SubmitError, inputs::StageOutputs, journal::Promise, node::Node,
    requests::tell, start::StartError, steady::translated,
};
use opensky_ports::{
    Journal, JournalError, Record,
    journal::{StoredJob, Verdict},
};
use opensky_scheduler::{AUDIT_PARTS_ALL, AcceptedTask, FailedRun, HeldAgreement, Input, Restored};
use opensky_types::{
    AgreementId, Hash, JobId, Signed, TaskId, Timestamp,
    agreement::Terms,
    job::{JobNote, JobState, ResultTests, Verify},
    reason::Reason,
    task::{Content, Outcome},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::oneshot;

/// Attempts of one task that may be handed out in one life of the node; numbers go on above them.
const ATTEMPTS_PER_LIFE: u32 = 65_536;
/// Jobs looked at after a restart.
const JOBS_RESTORED_MAX: usize = 10_000;

/// Where attempts are numbered from in a life of the node: above those of all lives before.
pub(super) fn attempts_from(starts: u32) -> u32 {
    // Half of the numbers stay free for jobs that are retried.
    starts.saturating_mul(ATTEMPTS_PER_LIFE).min(u32::MAX / 2)
}

/// A job as the journal has it, ready to go on.
pub(crate) struct LoadedJob {
    stored: StoredJob,
    accepted: Vec<AcceptedTask>,
    failed: Vec<FailedRun>,
    outputs: Vec<(TaskId, Content)>,
    receipts: BTreeSet<Hash>,
    attempts_from: u32,
}

impl LoadedJob {
    /// Reads a job. Blocks on the disk.
    pub(crate) fn read(journal: &dyn Journal, stored: StoredJob) -> Result<Self, JournalError> {
        let (wanted, tests) = (StageOutputs::of(&stored.spec), ResultTests::of(&stored.spec));
        let (mut accepted, mut failed, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
        let (mut receipts, mut attempts_from) = (BTreeSet::new(), 0u32);
        journal.runs(stored.job, &mut |run| {
            attempts_from = attempts_from.max(run.attempt.saturating_add(ATTEMPTS_PER_LIFE));
            let stage = run.task.stage;
            match run.verdict {
                Verdict::Accepted => {
                    receipts.extend(run.receipt);
                    let spec = stored.spec.stages.get(usize::from(stage));
                    let is_failure = spec.is_some_and(|spec| spec.is_failure(&run.outcome));
                    let (output, tests) = (run.outcome.hash(), tests.look(stage, &run.outcome));
                    accepted.push(AcceptedTask { task: run.task, output, failed: is_failure, tests });
                    if wanted.wants(stage) && !is_failure {
                        outputs.push((run.task, run.outcome.stdout().clone()));
                    }
                }
                Verdict::Failed if is_programs_fault(&run.outcome) => {
                    failed.push(FailedRun { task: run.task, node: run.node });
                }
                // A result that did not pass its check is no try to be made again on the same node.
                Verdict::Rejected
                    if stored
                        .spec
                        .stages
                        .get(usize::from(stage))
                        .is_some_and(|spec| spec.check.is_some()) =>
                {
                    failed.push(FailedRun { task: run.task, node: run.node });
                }
                Verdict::Failed | Verdict::Agreed | Verdict::Rejected | Verdict::Undecided => {}
            }
        })?;
        Ok(Self { stored, accepted, failed, outputs, receipts, attempts_from })
    }
}

impl LoadedJob {
    /// Whether the owner may ask for another try.
    fn is_retryable(&self) -> bool {
        matches!(self.stored.state, JobState::Failed | JobState::Cancelled)
    }
}

impl Node {
    /// Takes up every job that was not over.
    pub(crate) fn consumer_restore(
        &mut self,
        now: Timestamp,
        agreements: &[(AgreementId, Signed<Terms>)],
    ) -> Result<(), StartError> {
        for stored in self.journal.jobs(None, JOBS_RESTORED_MAX)? {
            let job = stored.job;
            if stored.state.is_final() {
                continue;
            }
            if !stored.spec.durable {
                // Its caller waited for it and is gone; nothing holds its blobs.
                self.keep_record(Record::JobNoted { job, notes: vec![note(now, Reason::Cancelled)] });
                self.keep_record(Record::JobChanged { job, state: JobState::Cancelled, at: now });
                continue;
            }
            let loaded = LoadedJob::read(self.journal.as_ref(), stored)?;
            let held = self.held_agreements(now, &loaded.stored, agreements);
            self.resume_job(now, loaded, held);
        }
        Ok(())
    }

    /// Agreements of a job with other nodes, put back in place.
    fn held_agreements(
        &mut self,
        now: Timestamp,
        stored: &StoredJob,
        agreements: &[(AgreementId, Signed<Terms>)],
    ) -> Vec<HeldAgreement> {
        let mut held = Vec::new();
        for (agreement, signed) in agreements {
            let Ok(terms) = signed.decode_unverified() else { continue };
            if terms.consumer != self.own || terms.provider == self.own || terms.job != stored.job {
                continue;
            }
            let (stage, node, slots) = (terms.stage, terms.provider, terms.slots);
            let audit_parts = AUDIT_PARTS_ALL;
            held.push(HeldAgreement { agreement: *agreement, stage, node, slots, audit_parts });
            let open = Agreement { terms, slots, inputs: BTreeMap::new(), restored: true };
            self.consumer.agreements.insert(*agreement, open);
            self.links.expect_back(node);
        }
        if stored.spec.stages.iter().any(|stage| stage.verify == Verify::Reputation) {
            let rates = self.audit_parts(now, held.iter().map(|held| held.node));
            held.iter_mut().zip(rates).for_each(|(held, rate)| held.audit_parts = rate);
        }
        held
    }

    fn resume_job(&mut self, now: Timestamp, loaded: LoadedJob, agreements: Vec<HeldAgreement>) {
        let LoadedJob { stored, accepted, failed, outputs: kept, receipts, attempts_from } = loaded;
        let job = stored.job;
        let spec = Arc::new(stored.spec);
        let mut outputs = StageOutputs::of(&spec);
        kept.into_iter().for_each(|(task, stdout)| outputs.set(task, stdout));
        tracing::info!(%job, accepted = accepted.len(), "job resumed");
        let active = ActiveJob { outputs, receipts_accepted: receipts, ..ActiveJob::new(Arc::clone(&spec)) };
        self.consumer.jobs.insert(job, active);
        let restored = Restored {
            job,
            spec,
            submitted_at: translated(stored.submitted_at, now, self.steady.now(self.clock.as_ref())),
            accepted,
            failed,
            attempts_from: attempts_from.max(self.consumer.attempts_from),
            agreements,
        };
        self.schedule(now, Input::Restored(Box::new(restored)));
    }

    /// The owner wants an ended job to go on: reads it back off the loop, once all that was said of
    /// it is on disk.
    pub(crate) fn retry(&mut self, job: JobId, answer: oneshot::Sender<Result<bool, SubmitError>>) {
        if let Some(problem) = &self.disk_problem {
            return tell(answer, Err(SubmitError::DiskFailed(problem.clone())));
        }
        if self.consumer.is_active(job) {
            return tell(answer, Ok(true));
        }
        let (done, kept) = oneshot::channel();
        self.promise(Promise::Done(done));
        let (journal, events) = (Arc::clone(&self.journal), self.events.clone());
        self.tasks.spawn(async move {
            if kept.await.is_err() {
                return;
            }
            let loaded = blocking(move || match journal.job(job)? {
                Some(stored) => LoadedJob::read(journal.as_ref(), stored).map(Some),
                None => Ok(None),
            });
            let loaded = loaded.await;
            let _ = events.send(Event::JobLoaded { job, loaded, answer }).await;
        });
    }

    pub(crate) fn on_job_loaded(
        &mut self,
        now: Timestamp,
        job: JobId,
        loaded: Result<Option<LoadedJob>, JournalError>,
        answer: oneshot::Sender<Result<bool, SubmitError>>,
    ) {
        let mut loaded = match loaded {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return tell(answer, Ok(false)),
            Err(error) => return tell(answer, Err(SubmitError::DiskFailed(error.to_string()))),
        };
        if loaded.is_retryable() && !self.consumer.is_active(job) {
            self.consumer.forget_final(job);
            // Should its end not have been dealt with yet.
            self.schedule(now, Input::Forget { job });
            // The owner asks for another try: what failed before does not count against it, nor does
            // the time that has passed.
            loaded.failed.clear();
            loaded.stored.submitted_at = now;
            let tasks: u32 = loaded.stored.spec.task_counts().iter().sum();
            let tasks = tasks.saturating_sub(loaded.accepted.len() as u32);
            self.consumer.noted.entry(job).or_default().push(note(now, Reason::RetriedByOwner { tasks }));
            self.resume_job(now, loaded, Vec::new());
        }
        self.promise(Promise::Retried { answer });
    }
}

/// Whether a failed run counts towards poisoning its task: mishaps of a node do not.
fn is_programs_fault(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Exited(_) => true,
        Outcome::Failed { failure, .. } => failure.is_programs_fault(),
    }
}

fn note(at: Timestamp, reason: Reason) -> JobNote {
    JobNote { at, task: None, reason }
}
