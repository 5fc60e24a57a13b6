//! Results judged: fetched, told to the scheduler, kept, countersigned.

use super::{Consumer, Held, Run};
use crate::{
    audits::JudgedRun,
    event::Event,
    fetch::{self, FetchError},
    journal::Promise,
    node::Node,
};
use opensky_ports::{
    BlobError, Pin, Record,
    journal::{TaskRun, Verdict},
};
use opensky_protocol::work::ToProvider;
use opensky_scheduler::{Ended, Input, Judged, Judgement, Report, TaskState};
use opensky_types::{
    AgreementId, Hash, JobId, Micros, NodeId, TaskId, Timestamp,
    job::Blob,
    receipt::Countersignature,
    task::{Content, Failure, Outcome, TaskReport},
};
use std::sync::Arc;

/// Stage outputs up to this size wait in memory for the tasks that read them; larger ones are blobs.
const OUTPUT_IN_MEMORY_BYTES_MAX: usize = 1_024;

impl Node {
    pub(super) fn fetch_outputs(
        &mut self,
        agreement: AgreementId,
        job: JobId,
        node: NodeId,
        run: Run,
        blobs: Vec<Blob>,
    ) {
        let fetch = fetch::fetch_all(self.fetcher(), node, blobs, Pin::Job(job));
        let Some(over) = self.consumer.jobs.get(&job).map(|active| active.over.clone()) else { return };
        let events = self.events.clone();
        self.tasks.spawn(async move {
            // When the job ends, what is held for it is settled without its outputs.
            if let Some(result) = over.run_until_cancelled(fetch).await {
                let _ = events.send(Event::OutputsFetched { agreement, run, result }).await;
            }
        });
    }

    /// A result's blobs are here, or it counts as lost.
    pub(crate) fn on_outputs_fetched(
        &mut self,
        now: Timestamp,
        agreement: AgreementId,
        run: Run,
        result: Result<(), (Hash, FetchError)>,
    ) {
        if let Err((hash, error)) = result
            && let Some(held) = self.consumer.held.get_mut(&(agreement, run))
        {
            tracing::warn!(task = %run.0, %hash, %error, "a result's output could not be fetched");
            let failure = Failure::InputUnavailable { hash, message: error.to_string() };
            held.report.outcome =
                Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::empty() };
            held.output = held.report.outcome.hash();
            held.undelivered = true;
        }
        self.report(now, agreement, &[run]);
    }

    /// Tells the scheduler of results that are complete. It judges each run that it has handed out
    /// once, now or when replicas are in; what it does not expect any more it never judges.
    pub(super) fn report(&mut self, now: Timestamp, agreement: AgreementId, runs: &[Run]) {
        let held = runs.iter().filter_map(|run| self.consumer.held.get(&(agreement, *run)));
        let reports: Vec<Report> = held.map(|held| self.consumer.report_of(held)).collect();
        if reports.is_empty() {
            return;
        }
        self.schedule(now, Input::Reported { agreement, reports });
        for run in runs {
            self.settle_unexpected(agreement, *run);
        }
    }

    /// Settles a run that the scheduler was told of and will not judge: it was judged before a
    /// restart, taken for lost, or its agreement is over.
    fn settle_unexpected(&mut self, agreement: AgreementId, run: Run) {
        let Some(held) = self.consumer.held.get(&(agreement, run)) else { return };
        let task = self.consumer.scheduler.task(&held.job, run.0);
        let is_gathered = self.consumer.scheduler.holds(&agreement)
            && task.is_some_and(|task| {
                !matches!(task.state, TaskState::Accepted | TaskState::Failed) && task.answers > 0
            });
        if is_gathered {
            return;
        }
        let active = self.consumer.jobs.get(&held.job);
        let accepted = active.is_some_and(|active| active.receipts_accepted.contains(&held.receipt));
        let (root, index) = (held.root, held.index);
        self.consumer.held.remove(&(agreement, run));
        self.settle(root, index, accepted);
    }

    /// Writes judgements to the journal and, batch by batch, signs for what is accepted.
    pub(super) fn judge(&mut self, job: JobId, agreement: AgreementId, judged: &[Judged]) {
        let mut large = Vec::new();
        for judgement in judged {
            let run = (judgement.task, judgement.attempt);
            let Some(held) = self.consumer.held.remove(&(agreement, run)) else { continue };
            self.consumer.followers.remove(&(agreement, judgement.task));
            let verdict = verdict(judgement.judgement);
            self.see_fuel(job, &held.report);
            if verdict == Verdict::Accepted {
                large.extend(self.keep_output(job, &held.report));
            }
            let owed = verdict != Verdict::Rejected && !held.undelivered;
            let batch = self.consumer.batches.get(&held.root).filter(|_| owed);
            let price = batch.and_then(|batch| batch.prices.get(held.index as usize)).copied();
            self.consumer.judged.entry(job).or_default().push(TaskRun {
                task: held.report.task,
                attempt: held.report.attempt,
                node: held.node,
                outcome: held.report.outcome,
                usage: held.report.usage,
                receipt: Some(held.receipt),
                verdict,
                price: price.unwrap_or_default(),
            });
            if self.reports_audits(job, held.report.task.stage) {
                let (node, receipt) = (held.node, held.receipt);
                let run = JudgedRun { node, agreement, receipt, verdict };
                self.consumer.audited.entry((job, held.report.task)).or_default().push(run);
            }
            self.settle(held.root, held.index, owed);
        }
        if !large.is_empty() {
            self.store_outputs(job, large);
        }
    }

    /// Remembers what a run used, for quotes.
    fn see_fuel(&mut self, job: JobId, report: &TaskReport) {
        let stage = usize::from(report.task.stage);
        let Some(active) = self.consumer.jobs.get(&job) else { return };
        if let (Some(stage), Outcome::Exited(_)) = (active.spec.stages.get(stage), &report.outcome) {
            self.consumer.fuel_seen.note(stage.program.hash, report.usage.fuel);
        }
    }

    /// Settles what is still held for a job that is over.
    pub(super) fn release_held(&mut self, job: JobId) {
        let of_job = self.consumer.held.iter().filter(|(_, held)| held.job == job);
        let keys: Vec<(AgreementId, Run)> = of_job.map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(held) = self.consumer.held.remove(&key) {
                self.settle(held.root, held.index, false);
            }
        }
    }

    /// Keeps an accepted stdout for the tasks that read it; answers it if it is too large to stay in
    /// memory.
    fn keep_output(&mut self, job: JobId, report: &TaskReport) -> Option<(TaskId, Vec<u8>)> {
        let active = self.consumer.jobs.get_mut(&job)?;
        let stage = active.spec.stages.get(usize::from(report.task.stage))?;
        // What a task wrote that failed is no result for others to read.
        if !active.outputs.wants(report.task.stage) || stage.is_failure(&report.outcome) {
            return None;
        }
        let stdout = report.outcome.stdout();
        active.outputs.set(report.task, stdout.clone());
        match stdout {
            Content::Inline(bytes) if bytes.len() > OUTPUT_IN_MEMORY_BYTES_MAX => {
                Some((report.task, bytes.clone()))
            }
            Content::Inline(_) | Content::Blob(_) => None,
        }
    }

    /// Moves outputs from memory into the store.
    fn store_outputs(&self, job: JobId, outputs: Vec<(TaskId, Vec<u8>)>) {
        let (blobs, events) = (Arc::clone(&self.blobs), self.events.clone());
        self.tasks.spawn(async move {
            let store = move || -> Result<Vec<(TaskId, Blob)>, BlobError> {
                let stored = outputs.iter().map(|(task, bytes)| Ok((*task, blobs.put(bytes)?)));
                let stored = stored.collect::<Result<Vec<_>, BlobError>>()?;
                let hashes: Vec<Hash> = stored.iter().map(|(_, blob)| blob.hash).collect();
                blobs.pin(Pin::Job(job), &hashes)?;
                Ok(stored)
            };
            match fetch::blocking(store).await {
                Ok(stored) => {
                    let _ = events.send(Event::OutputsStored { job, stored }).await;
                }
                Err(error) => {
                    tracing::warn!(%job, %error, "outputs stay in memory, since they cannot be stored");
                }
            }
        });
    }

    pub(crate) fn on_outputs_stored(&mut self, job: JobId, stored: Vec<(TaskId, Blob)>) {
        if let Some(active) = self.consumer.jobs.get_mut(&job) {
            stored.into_iter().for_each(|(task, blob)| active.outputs.set(task, Content::Blob(blob)));
        }
    }

    /// One receipt of a batch is judged; the last one sends the countersignature, once all that it
    /// covers is on disk.
    pub(super) fn settle(&mut self, root: Hash, index: u32, accepted: bool) {
        let Some(batch) = self.consumer.batches.get_mut(&root) else { return };
        let Some(slot) = batch.judged.get_mut(index as usize).filter(|slot| slot.is_none()) else { return };
        *slot = Some(accepted);
        batch.open -= 1;
        if batch.open > 0 {
            return;
        }
        let Some(batch) = self.consumer.batches.remove(&root) else { return };
        let accepted: Vec<bool> = batch.judged.iter().map(|judged| *judged == Some(true)).collect();
        let countersignature = Countersignature::sign(&self.key, root, &accepted);
        let priced = batch.prices.iter().zip(&accepted).filter(|(_, accepted)| **accepted);
        let amount = Micros::new(priced.map(|(price, _)| price.get()).fold(0, u64::saturating_add));
        let voucher = self.owe(batch.agreement, &countersignature, amount);
        let message = ToProvider::Countersign { countersignature: countersignature.clone(), voucher };
        self.keep_record_as(batch.keeping, Record::ReceiptsCountersigned { countersignature, root });
        let message = Box::new(message);
        self.promise_as(batch.keeping, Promise::Tell { node: batch.provider, message });
    }

    /// Moves what was judged and noted in this round to the journal, a row a job.
    pub(crate) fn consumer_flush(&mut self, now: Timestamp) {
        let audited = std::mem::take(&mut self.consumer.audited);
        self.find_in_audits(now, audited);
        for (job, runs) in std::mem::take(&mut self.consumer.judged) {
            self.keep_record_as(self.consumer.keeping(job), Record::TasksRun { job, runs });
        }
        for (job, notes) in std::mem::take(&mut self.consumer.noted) {
            self.keep_record_as(self.consumer.keeping(job), Record::JobNoted { job, notes });
        }
    }

    /// What a fetch needs, apart from whom to ask for what.
    pub(crate) fn fetcher(&self) -> fetch::Fetcher {
        fetch::Fetcher {
            own: self.own,
            transport: Arc::clone(&self.transport),
            blobs: Arc::clone(&self.blobs),
        }
    }
}

const fn verdict(judgement: Judgement) -> Verdict {
    match judgement {
        Judgement::Accepted => Verdict::Accepted,
        Judgement::Agreed => Verdict::Agreed,
        Judgement::Failed => Verdict::Failed,
        Judgement::Rejected => Verdict::Rejected,
        Judgement::Undecided => Verdict::Undecided,
    }
}

impl Consumer {
    /// A run as the scheduler hears of it.
    fn report_of(&self, held: &Held) -> Report {
        let report = &held.report;
        let active = self.jobs.get(&held.job);
        Report {
            task: report.task,
            attempt: report.attempt,
            output: held.output,
            ended: match &report.outcome {
                Outcome::Exited(output) => Ended::Exited { code: output.exit_code },
                Outcome::Failed { failure, .. } => Ended::Failed(failure.clone()),
            },
            wall_us: report.usage.wall_us,
            salt: report.salt,
            tests: active.map_or(0, |active| active.tests.look(report.task.stage, &report.outcome)),
        }
    }
}
