//! Results: checked against their receipts, fetched, judged, kept, countersigned.

use super::{Held, OpenBatch, Run};
use crate::{
    event::Event,
    fetch::{self, FetchError},
    handle::LogChunk,
    inputs::Recipe,
    journal::Promise,
    node::Node,
    receipts,
};
use opensky_ports::{
    LogStream, Pin, Record,
    journal::{TaskRun, Verdict},
};
use opensky_protocol::work::{EngineUsed, ToConsumer, ToProvider};
use opensky_scheduler::{Committed, Ended, Input, Judged, Judgement, Report, TaskState};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signed, Timestamp,
    job::Blob,
    receipt::{BatchHead, Receipt},
    task::{Content, Failure, Outcome, TaskReport},
};
use std::sync::Arc;

/// Stage outputs up to this size wait in memory for the tasks that read them; larger ones are blobs.
const OUTPUT_IN_MEMORY_BYTES_MAX: usize = 1_024;

impl Node {
    /// A provider that works for us says something.
    pub(crate) fn on_provider_message(&mut self, now: Timestamp, node: NodeId, message: ToConsumer) {
        match message {
            ToConsumer::Accept { acceptance } => self.on_accepted(now, node, &acceptance),
            ToConsumer::Refuse { agreement, misfit } => {
                if self.consumer.proposals.get(&agreement).is_some_and(|(_, terms)| terms.provider == node) {
                    self.on_refused(now, node, agreement, misfit);
                }
            }
            ToConsumer::Committed { agreement, commitments } if self.is_with(agreement, node) => {
                let commitments = commitments.into_iter().map(|commitment| Committed {
                    task: commitment.task,
                    attempt: commitment.attempt,
                    hash: commitment.hash,
                });
                self.schedule(now, Input::Committed { agreement, commitments: commitments.collect() });
            }
            ToConsumer::Results { agreement, engine, reports, head } if self.is_with(agreement, node) => {
                self.on_results(now, node, agreement, &engine, reports, head);
            }
            ToConsumer::Output { agreement, task, stderr, bytes } if self.is_with(agreement, node) => {
                let stream = if stderr { LogStream::Stderr } else { LogStream::Stdout };
                if let Some(follower) = self.consumer.followers.get(&(agreement, task))
                    && follower.try_send(LogChunk { stream, bytes }).is_err()
                {
                    self.consumer.followers.remove(&(agreement, task));
                    self.tell_provider(node, ToProvider::Follow { agreement, task, on: false });
                }
            }
            ToConsumer::Standing { agreement, slots, tasks } if self.is_with(agreement, node) => {
                self.schedule(now, Input::Standing { agreement, slots, tasks });
            }
            ToConsumer::Ended { agreement, misfit } => self.on_agreement_ended(now, node, agreement, misfit),
            ToConsumer::Heartbeat => {}
            ToConsumer::Committed { agreement, .. }
            | ToConsumer::Results { agreement, .. }
            | ToConsumer::Output { agreement, .. }
            | ToConsumer::Standing { agreement, .. } => {
                tracing::debug!(%node, %agreement, "message under an agreement that is over");
            }
        }
    }

    fn is_with(&self, agreement: AgreementId, node: NodeId) -> bool {
        self.consumer.agreements.get(&agreement).is_some_and(|open| open.terms.provider == node)
    }

    /// Results with their receipts: nothing of them counts before the receipts hold.
    fn on_results(
        &mut self,
        now: Timestamp,
        node: NodeId,
        agreement: AgreementId,
        engine: &EngineUsed,
        reports: Vec<TaskReport>,
        head: Signed<BatchHead>,
    ) {
        if let Some(invalid) = reports.iter().find_map(|report| report.outcome.validate().err()) {
            return self.drop_provider(now, node, &invalid);
        }
        let Some(receipts) = self.expected_receipts(agreement, engine, &reports) else {
            return self.drop_provider(now, node, &"results for tasks that do not exist");
        };
        let root = match receipts::verify_batch(&head, &receipts) {
            Ok(root) => root,
            Err(error) => return self.drop_provider(now, node, &error),
        };
        if self.consumer.batches.contains_key(&root) || self.countersign_again(node, root, &receipts) {
            return;
        }
        let Some(open) = self.consumer.agreements.get_mut(&agreement) else { return };
        let (job, restored) = (open.terms.job, open.restored);
        let batch =
            OpenBatch { provider: node, judged: vec![None; reports.len()], open: reports.len() as u32 };
        self.consumer.batches.insert(root, batch);
        let (mut ready, mut fetching, mut unknown) =
            (Vec::with_capacity(reports.len()), Vec::new(), Vec::new());
        for (index, (report, receipt)) in (0..).zip(reports.into_iter().zip(&receipts)) {
            let run = (report.task, report.attempt);
            let handed_out = open.inputs.remove(&run).is_some();
            if self.consumer.held.contains_key(&(agreement, run)) || !(handed_out || restored) {
                unknown.push(index);
                continue;
            }
            let blobs = report.outcome.blobs();
            let held = Held { job, node, report, receipt: receipt.id(), root, index };
            self.consumer.held.insert((agreement, run), held);
            if blobs.is_empty() { ready.push(run) } else { fetching.push((run, blobs)) }
        }
        self.keep_record(Record::ReceiptsSigned { head, receipts });
        unknown.into_iter().for_each(|index| self.settle(root, index, false));
        fetching.into_iter().for_each(|(run, blobs)| self.fetch_outputs(agreement, job, node, run, blobs));
        self.report(now, agreement, &ready);
    }

    /// A delivery that was countersigned before, and whose signature got lost on its way.
    fn countersign_again(&mut self, node: NodeId, root: Hash, receipts: &[Receipt]) -> bool {
        let fresh = receipts.first().is_some_and(|first| {
            let open = self.consumer.agreements.get(&first.agreement);
            open.is_some_and(|open| open.inputs.contains_key(&(first.task, first.attempt)))
        });
        if fresh {
            return false;
        }
        let proof = receipts.first().and_then(|first| self.journal.receipt(first.id()).ok().flatten());
        let Some(countersignature) = proof.and_then(|proof| proof.countersignature) else { return false };
        if countersignature.decode_unverified().is_ok_and(|content| content.root != root) {
            return false;
        }
        self.tell_provider(node, ToProvider::Countersign { countersignature });
        true
    }

    /// The receipts that honest reports lead to; `None` if a report is about no task of the job.
    fn expected_receipts(
        &self,
        agreement: AgreementId,
        engine: &EngineUsed,
        reports: &[TaskReport],
    ) -> Option<Vec<Receipt>> {
        let open = self.consumer.agreements.get(&agreement)?;
        let expect = |report: &TaskReport| {
            let handed_out = open.inputs.get(&(report.task, report.attempt)).copied();
            let input = handed_out.or_else(|| self.input_again(&open.terms.job, report))?;
            Some(Receipt::of(agreement, &open.terms, (&engine.name, engine.config), input, report))
        };
        reports.iter().map(expect).collect()
    }

    /// The input hash of a run that this node forgot: it was reported before, or before a restart.
    fn input_again(&self, job: &JobId, report: &TaskReport) -> Option<Hash> {
        let active = self.consumer.jobs.get(job)?;
        let stage = active.spec.stages.get(usize::from(report.task.stage))?;
        let count = *active.spec.task_counts().get(usize::from(report.task.stage))?;
        if report.task.index >= count {
            return None;
        }
        match Recipe::of(&active.spec, &active.outputs, report.task)
            .and_then(|recipe| recipe.make(self.blobs.as_ref(), *job))
        {
            Ok(input) => Some(input.hash()),
            Err(error) => {
                tracing::warn!(%job, stage = stage.name, %error, "input of a repeated result cannot be made");
                None
            }
        }
    }

    fn fetch_outputs(
        &mut self,
        agreement: AgreementId,
        job: JobId,
        node: NodeId,
        run: Run,
        blobs: Vec<Blob>,
    ) {
        let fetch = fetch::fetch_all(self.fetcher(), node, blobs, Pin::Job(job));
        let events = self.events.clone();
        self.tasks.spawn(async move {
            let result = fetch.await;
            let _ = events.send(Event::OutputsFetched { agreement, run, result }).await;
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
        }
        self.report(now, agreement, &[run]);
    }

    /// Tells the scheduler of results that are complete. It judges each run that it has handed out
    /// once, now or when replicas are in; what it knew before a restart it does not judge again.
    fn report(&mut self, now: Timestamp, agreement: AgreementId, runs: &[Run]) {
        let held = runs.iter().filter_map(|run| self.consumer.held.get(&(agreement, *run)));
        let reports: Vec<Report> = held.map(|held| report_of(&held.report)).collect();
        if reports.is_empty() {
            return;
        }
        self.schedule(now, Input::Reported { agreement, reports });
        if self.consumer.agreements.get(&agreement).is_some_and(|open| open.restored) {
            self.settle_known(agreement, runs);
        }
    }

    /// After a restart: settles runs that were judged before it.
    fn settle_known(&mut self, agreement: AgreementId, runs: &[Run]) {
        for run in runs {
            let Some(held) = self.consumer.held.get(&(agreement, *run)) else { continue };
            let state = self.consumer.scheduler.task(&held.job, run.0).map(|task| task.state);
            if matches!(state, Some(TaskState::Accepted | TaskState::Failed)) {
                let known = self.consumer.jobs.get(&held.job).map(|active| &active.receipts_accepted);
                let accepted = known.is_some_and(|receipts| receipts.contains(&held.receipt));
                let (root, index) = (held.root, held.index);
                self.consumer.held.remove(&(agreement, *run));
                self.settle(root, index, accepted);
            }
        }
    }

    /// Writes judgements to the journal and, batch by batch, signs for what is accepted.
    pub(super) fn judge(&mut self, job: JobId, agreement: AgreementId, judged: &[Judged]) {
        for judgement in judged {
            let run = (judgement.task, judgement.attempt);
            let Some(held) = self.consumer.held.remove(&(agreement, run)) else { continue };
            self.consumer.followers.remove(&(agreement, judgement.task));
            let verdict = verdict(judgement.judgement);
            if verdict == Verdict::Accepted {
                self.keep_output(job, &held.report);
            }
            self.consumer.judged.entry(job).or_default().push(TaskRun {
                task: held.report.task,
                attempt: held.report.attempt,
                node: held.node,
                outcome: held.report.outcome,
                usage: held.report.usage,
                receipt: Some(held.receipt),
                verdict,
            });
            self.settle(held.root, held.index, !matches!(verdict, Verdict::Rejected));
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

    /// Keeps an accepted stdout for the tasks that read it.
    fn keep_output(&mut self, job: JobId, report: &TaskReport) {
        let Some(active) = self.consumer.jobs.get_mut(&job) else { return };
        if !active.outputs.wants(report.task.stage) {
            return;
        }
        let stdout = match report.outcome.stdout() {
            Content::Inline(bytes) if bytes.len() > OUTPUT_IN_MEMORY_BYTES_MAX => {
                let put = self.blobs.put(bytes).and_then(|blob| {
                    self.blobs.pin(Pin::Job(job), &[blob.hash])?;
                    Ok(blob)
                });
                match put {
                    Ok(blob) => Content::Blob(blob),
                    Err(error) => {
                        tracing::warn!(%job, %error, "an output stays in memory, since it cannot be stored");
                        report.outcome.stdout().clone()
                    }
                }
            }
            content => content.clone(),
        };
        active.outputs.set(report.task, stdout);
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
        let countersignature = receipts::countersign(&self.key, root, &accepted);
        self.keep_record(Record::ReceiptsCountersigned { countersignature: countersignature.clone(), root });
        let message = Box::new(ToProvider::Countersign { countersignature });
        self.promise(Promise::Tell { node: batch.provider, message });
    }

    /// Moves the runs judged in this round to the journal, a row a job.
    pub(crate) fn consumer_flush(&mut self) {
        for (job, runs) in std::mem::take(&mut self.consumer.judged) {
            self.keep_record(Record::TasksRun { job, runs });
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

fn report_of(report: &TaskReport) -> Report {
    Report {
        task: report.task,
        attempt: report.attempt,
        output: report.outcome.hash(),
        ended: match &report.outcome {
            Outcome::Exited(output) => Ended::Exited { code: output.exit_code },
            Outcome::Failed { failure, .. } => Ended::Failed(failure.clone()),
        },
        wall_us: report.usage.wall_us,
        salt: report.salt,
    }
}
