//! What providers say, and results first of all: checked against their receipts, then held.

use super::{Held, OpenBatch};
use crate::{handle::LogChunk, host::OUTPUT_PIECE_BYTES_MAX, journal::Keeping, node::Node};
use opensky_ports::{LogStream, Record};
use opensky_protocol::work::{EngineUsed, TASKS_MAX, ToConsumer, ToProvider};
use opensky_scheduler::{Committed, Input};
use opensky_types::{
    AgreementId, Hash, NodeId, Signed, TaskId, Timestamp,
    agreement::Terms,
    receipt::{Batch, BatchHead, Receipt},
    task::{Failure, InvalidOutcome, Outcome, TaskReport},
};

/// Longest name of an engine, in bytes.
const ENGINE_BYTES_MAX: usize = 128;
/// Longest text of a failure, in bytes.
const FAILURE_BYTES_MAX: usize = 8 * 1024;
/// Most tasks that a provider's word on how an agreement stands, or its commitments, may name.
const NAMED_TASKS_MAX: usize = 16 * TASKS_MAX;

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
            ToConsumer::Committed { commitments, .. } if commitments.len() > NAMED_TASKS_MAX => {
                self.drop_provider(now, node, &"too many commitments in one message");
            }
            ToConsumer::Standing { tasks, .. } if tasks.len() > NAMED_TASKS_MAX => {
                self.drop_provider(now, node, &"too many tasks in one message");
            }
            ToConsumer::Output { bytes, .. } if bytes.len() > OUTPUT_PIECE_BYTES_MAX => {
                self.drop_provider(now, node, &"too large a piece of output");
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
                self.on_results(now, node, Results { agreement, engine, reports, head });
            }
            ToConsumer::Output { agreement, task, stderr, bytes } if self.is_with(agreement, node) => {
                self.on_output(node, agreement, task, stderr, bytes);
            }
            ToConsumer::Standing { agreement, slots, tasks } if self.is_with(agreement, node) => {
                self.schedule(now, Input::Standing { agreement, slots, tasks });
            }
            ToConsumer::Ended { agreement, misfit } => self.on_agreement_ended(now, node, agreement, misfit),
            ToConsumer::FundsLow { agreement, spent } if self.is_with(agreement, node) => {
                self.on_funds_low(now, agreement, spent);
            }
            ToConsumer::Heartbeat | ToConsumer::FundsLow { .. } => {}
            ToConsumer::Committed { agreement, .. }
            | ToConsumer::Results { agreement, .. }
            | ToConsumer::Output { agreement, .. } => {
                tracing::debug!(%node, %agreement, "message under an agreement that is over");
            }
            // The closing, or its acceptance, was lost on the way.
            ToConsumer::Standing { agreement, .. } => {
                self.tell_provider(node, ToProvider::Close { agreement });
            }
        }
    }

    /// A followed task wrote something. A reader that does not keep up is let go.
    fn on_output(
        &mut self,
        node: NodeId,
        agreement: AgreementId,
        task: TaskId,
        stderr: bool,
        bytes: Vec<u8>,
    ) {
        let stream = if stderr { LogStream::Stderr } else { LogStream::Stdout };
        if let Some(follower) = self.consumer.followers.get(&(agreement, task))
            && follower.try_send(LogChunk { stream, bytes }).is_err()
        {
            self.consumer.followers.remove(&(agreement, task));
            self.tell_provider(node, ToProvider::Follow { agreement, task, on: false });
        }
    }

    pub(super) fn is_with(&self, agreement: AgreementId, node: NodeId) -> bool {
        self.consumer.agreements.get(&agreement).is_some_and(|open| open.terms.provider == node)
    }

    /// Results with their receipts: nothing of them counts before the receipts hold.
    fn on_results(&mut self, now: Timestamp, node: NodeId, results: Results) {
        let Some(open) = self.consumer.agreements.get(&results.agreement) else { return };
        if !self.consumer.jobs.contains_key(&open.terms.job) {
            return;
        }
        if let Err(error) = results.validate(&open.terms) {
            return self.drop_provider(now, node, &error);
        }
        let fresh = |report: &TaskReport| open.inputs.get(&(report.task, report.attempt)).copied();
        let inputs: Option<Vec<Hash>> = results.reports.iter().map(fresh).collect();
        match inputs {
            Some(inputs) => {
                let receipts = results.receipts(&open.terms, inputs);
                self.take_results(now, node, results, receipts);
            }
            None => self.recall(now, node, results),
        }
    }

    /// Results whose receipts are known: holds what was asked for until it is judged.
    pub(super) fn take_results(
        &mut self,
        now: Timestamp,
        node: NodeId,
        results: Results,
        receipts: Vec<Receipt>,
    ) {
        let Results { agreement, reports, head, .. } = results;
        let signed = match Batch::verify(head, receipts) {
            Ok(signed) => signed,
            Err(error) => return self.drop_provider(now, node, &error),
        };
        let root = signed.root();
        if self.consumer.batches.contains_key(&root) {
            return;
        }
        let Some(open) = self.consumer.agreements.get_mut(&agreement) else { return };
        let (job, restored) = (open.terms.job, open.restored);
        let keeping = Keeping::of_receipts(&open.terms);
        let judged = vec![None; reports.len()];
        let is_paid = open.terms.payment.is_some();
        let prices = signed.receipts().iter().filter(|_| is_paid).map(|receipt| receipt.price).collect();
        let open_count = reports.len() as u32;
        let batch = OpenBatch { provider: node, agreement, prices, keeping, judged, open: open_count };
        self.consumer.batches.insert(root, batch);
        let (mut ready, mut fetching, mut unknown) =
            (Vec::with_capacity(reports.len()), Vec::new(), Vec::new());
        for (index, (report, (receipt, id))) in
            (0..).zip(reports.into_iter().zip(signed.receipts().iter().zip(signed.ids())))
        {
            let run = (report.task, report.attempt);
            let handed_out = open.inputs.remove(&run).is_some();
            if self.consumer.held.contains_key(&(agreement, run)) || !(handed_out || restored) {
                unknown.push(index);
                continue;
            }
            let blobs = report.outcome.blobs();
            let (output, receipt) = (receipt.output, *id);
            let held = Held { job, node, report, output, receipt, root, index, undelivered: false };
            self.consumer.held.insert((agreement, run), held);
            if blobs.is_empty() { ready.push(run) } else { fetching.push((run, blobs)) }
        }
        self.keep_record_as(keeping, Record::ReceiptsSigned { batch: signed });
        unknown.into_iter().for_each(|index| self.settle(root, index, false));
        fetching.into_iter().for_each(|(run, blobs)| self.fetch_outputs(agreement, job, node, run, blobs));
        self.report(now, agreement, &ready);
    }
}

/// Results as a provider sent them.
pub(crate) struct Results {
    pub(super) agreement: AgreementId,
    pub(super) engine: EngineUsed,
    pub(super) reports: Vec<TaskReport>,
    pub(super) head: Signed<BatchHead>,
}

/// Why results are not ones that an honest provider sends.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidResults {
    #[error(transparent)]
    Outcome(#[from] InvalidOutcome),
    #[error("{count} results in one message, the limit is {TASKS_MAX}")]
    TooMany { count: usize },
    #[error("an engine's name of {size_bytes} bytes")]
    EngineName { size_bytes: usize },
    #[error("a failure's message of {size_bytes} bytes, the limit is {FAILURE_BYTES_MAX}")]
    FailureMessage { size_bytes: usize },
    #[error("a failure that is for its consumer to say: {failure}")]
    ConsumersWord { failure: Failure },
    #[error("{used} fuel for one task, over the limit that was agreed")]
    Fuel { used: u64 },
    #[error("{size_bytes} bytes of output, over the limit that was agreed")]
    TooLarge { size_bytes: u64 },
}

impl Results {
    /// Checks sizes before anything is built from them.
    fn validate(&self, terms: &Terms) -> Result<(), InvalidResults> {
        if self.reports.len() > TASKS_MAX {
            return Err(InvalidResults::TooMany { count: self.reports.len() });
        }
        // The name is part of every receipt.
        let engine = &self.engine.name;
        if engine.len() > ENGINE_BYTES_MAX || engine.chars().any(char::is_control) {
            return Err(InvalidResults::EngineName { size_bytes: engine.len() });
        }
        for report in &self.reports {
            report.outcome.validate()?;
            if let Outcome::Failed { failure, .. } = &report.outcome {
                validate_failure(failure)?;
            }
            if report.usage.fuel > terms.limits.fuel {
                return Err(InvalidResults::Fuel { used: report.usage.fuel });
            }
            // Standard output, standard error and files have the limit each.
            let blobs = report.outcome.blobs();
            let size_bytes = blobs.iter().map(|blob| blob.size_bytes).fold(0, u64::saturating_add);
            if size_bytes > terms.limits.output_bytes.saturating_mul(3) {
                return Err(InvalidResults::TooLarge { size_bytes });
            }
        }
        Ok(())
    }

    /// The receipts that an honest provider signed, given what each run read.
    pub(super) fn receipts(&self, terms: &Terms, inputs: Vec<Hash>) -> Vec<Receipt> {
        let engine = (self.engine.name.as_str(), self.engine.config);
        let receipt = |(report, input): (&TaskReport, Hash)| {
            Receipt::of(self.agreement, terms, engine, (input, report.outcome.hash()), report)
        };
        self.reports.iter().zip(inputs).map(receipt).collect()
    }
}

fn validate_failure(failure: &Failure) -> Result<(), InvalidResults> {
    let size_bytes = failure.to_string().len();
    if size_bytes > FAILURE_BYTES_MAX {
        return Err(InvalidResults::FailureMessage { size_bytes });
    }
    match failure {
        Failure::ProviderLost | Failure::ExitCode { .. } | Failure::Unchecked { .. } => {
            Err(InvalidResults::ConsumersWord { failure: failure.clone() })
        }
        Failure::Limit { .. }
        | Failure::Trap { .. }
        | Failure::InvalidProgram { .. }
        | Failure::InputUnavailable { .. }
        | Failure::WorkerLost { .. }
        | Failure::Cancelled
        | Failure::ProviderStopped { .. } => Ok(()),
    }
}
