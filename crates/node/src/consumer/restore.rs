//! Jobs taken up again: after a restart, and when their owner retries them.

use super::{ActiveJob, Agreement};
use crate::{
    event::Event,
    handle::SubmitError,
    inputs::StageOutputs,
    journal::Promise,
    node::{Node, StartError},
    requests::tell,
};
use opensky_ports::{
    Journal, JournalError, Record,
    journal::{StoredJob, Verdict},
};
use opensky_scheduler::{AcceptedTask, FailedRun, HeldAgreement, Input, Restored};
use opensky_types::{
    AgreementId, Hash, JobId, Signed, TaskId, Timestamp, agreement::Terms, job::JobNote, reason::Reason,
    task::Content,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::oneshot;

/// Attempts that may have been handed out and never came back; numbers go on above them.
const ATTEMPTS_UNSEEN: u32 = 65_536;
/// Jobs looked at after a restart.
const JOBS_RESTORED_MAX: usize = 10_000;

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
        let wanted = StageOutputs::of(&stored.spec);
        let mut loaded = Self {
            stored,
            accepted: Vec::new(),
            failed: Vec::new(),
            outputs: Vec::new(),
            receipts: BTreeSet::new(),
            attempts_from: 0,
        };
        journal.runs(loaded.stored.job, &mut |run| {
            loaded.attempts_from = loaded.attempts_from.max(run.attempt.saturating_add(ATTEMPTS_UNSEEN));
            match run.verdict {
                Verdict::Accepted => {
                    loaded.receipts.extend(run.receipt);
                    loaded.accepted.push(AcceptedTask { task: run.task, output: run.outcome.hash() });
                    if wanted.wants(run.task.stage) {
                        loaded.outputs.push((run.task, run.outcome.stdout().clone()));
                    }
                }
                Verdict::Failed => loaded.failed.push(FailedRun { task: run.task, node: run.node }),
                Verdict::Agreed | Verdict::Rejected | Verdict::Undecided => {}
            }
        })?;
        Ok(loaded)
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
            if !stored.state.is_final() {
                let job = stored.job;
                let loaded = LoadedJob::read(self.journal.as_ref(), stored)?;
                let held = self.held_agreements(job, agreements);
                self.resume_job(now, loaded, held);
            }
        }
        Ok(())
    }

    /// Agreements of a job with other nodes, put back in place.
    fn held_agreements(
        &mut self,
        job: JobId,
        agreements: &[(AgreementId, Signed<Terms>)],
    ) -> Vec<HeldAgreement> {
        let mut held = Vec::new();
        for (agreement, signed) in agreements {
            let Ok(terms) = signed.decode_unverified() else { continue };
            if terms.consumer != self.own || terms.provider == self.own || terms.job != job {
                continue;
            }
            let (stage, node, slots) = (terms.stage, terms.provider, terms.slots);
            held.push(HeldAgreement { agreement: *agreement, stage, node, slots });
            let open = Agreement { terms, inputs: BTreeMap::new(), restored: true };
            self.consumer.agreements.insert(*agreement, open);
            self.links.expect_back(node);
        }
        held
    }

    fn resume_job(&mut self, now: Timestamp, loaded: LoadedJob, agreements: Vec<HeldAgreement>) {
        let LoadedJob { stored, accepted, failed, outputs: kept, receipts, attempts_from } = loaded;
        let job = stored.job;
        let spec = Arc::new(stored.spec);
        let mut outputs = StageOutputs::of(&spec);
        kept.into_iter().for_each(|(task, stdout)| outputs.set(task, stdout));
        let resumed = Reason::Resumed { accepted: accepted.len() as u32 };
        self.keep_record(Record::JobNoted {
            job,
            notes: vec![JobNote { at: now, task: None, reason: resumed }],
        });
        tracing::info!(%job, accepted = accepted.len(), "job resumed");
        let active = ActiveJob {
            spec: Arc::clone(&spec),
            outputs,
            receipts_accepted: receipts,
            looked_up: BTreeMap::new(),
            published: None,
        };
        self.consumer.jobs.insert(job, active);
        let restored = Restored {
            job,
            spec,
            submitted_at: stored.submitted_at,
            accepted,
            failed,
            attempts_from,
            agreements,
        };
        self.schedule(now, Input::Restored(Box::new(restored)));
    }

    /// The owner wants an ended job to go on: reads it back off the loop.
    pub(crate) fn retry(&mut self, job: JobId, answer: oneshot::Sender<Result<bool, SubmitError>>) {
        let (journal, events) = (Arc::clone(&self.journal), self.events.clone());
        self.tasks.spawn(async move {
            let read = tokio::task::spawn_blocking(move || match journal.job(job)? {
                Some(stored) => LoadedJob::read(journal.as_ref(), stored).map(Some),
                None => Ok(None),
            });
            let loaded = read.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
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
        let known = match loaded {
            Err(error) => Err(SubmitError::DiskFailed(error.to_string())),
            Ok(None) => Ok(false),
            Ok(Some(_)) if self.consumer.jobs.contains_key(&job) => Ok(true),
            Ok(Some(mut loaded)) => {
                self.consumer.finals.remove(&job);
                // The owner asks for another try: what failed before does not count against it.
                loaded.failed.clear();
                self.resume_job(now, loaded, Vec::new());
                self.schedule(now, Input::Retry { job });
                Ok(true)
            }
        };
        match known {
            Ok(true) => self.promise(Promise::Retried { answer }),
            other => tell(answer, other),
        }
    }
}
