//! Results that come again, or from before a restart: what this node knows of them is read off the
//! loop before they are taken.

use super::Results;
use crate::{
    event::Event,
    fetch::blocking,
    inputs::{InputError, Recipe},
    journal::Promise,
    node::Node,
};
use opensky_ports::JournalError;
use opensky_protocol::work::ToProvider;
use opensky_types::{
    Hash, NodeId, Signed, Timestamp,
    receipt::{Countersignature, Receipt},
    task::TaskReport,
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// What was found out.
pub(crate) struct Recalled {
    /// The receipts that honest results lead to.
    receipts: Vec<Receipt>,
    /// This node's signature, if it has signed them before.
    countersignature: Option<Signed<Countersignature>>,
}

/// Why nothing could be found out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecallError {
    #[error("what a task read cannot be made again")]
    Input(#[from] InputError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// The input of a run: its hash as noted when it was handed out, or the way to make it again.
enum Known {
    Hash(Hash),
    Recipe(Recipe),
}

impl Node {
    /// Looks up results that are not all of runs just handed out.
    pub(super) fn recall(&mut self, now: Timestamp, node: NodeId, results: Results) {
        // Each batch is looked up once at a time, and not while it is being judged: its answer comes.
        let Ok(root) = results.head.decode_unverified().map(|head| head.root) else {
            return self.drop_provider(now, node, &"a batch of receipts that cannot be read");
        };
        if self.consumer.batches.contains_key(&root) || self.consumer.recalling.contains(&(node, root)) {
            return;
        }
        let Some(open) = self.consumer.agreements.get(&results.agreement) else { return };
        let Some(active) = self.consumer.jobs.get(&open.terms.job) else { return };
        let counts = active.spec.task_counts();
        let known = |report: &TaskReport| {
            let count = counts.get(usize::from(report.task.stage)).copied().unwrap_or(0);
            if report.task.stage != open.terms.stage || report.task.index >= count {
                return None;
            }
            let noted = open.inputs.get(&(report.task, report.attempt)).copied().map(Known::Hash);
            let again = || Recipe::of(&active.spec, &active.outputs, report.task).map(Known::Recipe);
            Some(noted.map_or_else(again, Ok))
        };
        let Some(inputs) = results.reports.iter().map(known).collect::<Option<Vec<_>>>() else {
            return self.drop_provider(now, node, &"results for tasks that do not exist");
        };
        let (job, terms) = (open.terms.job, open.terms.clone());
        self.consumer.recalling.insert((node, root));
        let (blobs, journal) = (Arc::clone(&self.blobs), Arc::clone(&self.journal));
        // What was signed just now is found only once it is on disk.
        let (done, kept) = oneshot::channel();
        self.promise(Promise::Done(done));
        let events = self.events.clone();
        self.tasks.spawn(async move {
            if kept.await.is_err() {
                return;
            }
            let look_up = move || -> Result<(Box<Results>, Recalled), RecallError> {
                let hash = |known: Result<Known, InputError>| match known? {
                    Known::Hash(hash) => Ok(hash),
                    Known::Recipe(recipe) => Ok(recipe.make(blobs.as_ref(), job)?.hash()),
                };
                let inputs = inputs.into_iter().map(hash).collect::<Result<Vec<_>, InputError>>()?;
                let receipts = results.receipts(&terms, inputs);
                let first = receipts.first().map(|first| journal.receipt(first.id())).transpose()?;
                let countersignature = first.flatten().and_then(|proof| proof.countersignature);
                Ok((Box::new(results), Recalled { receipts, countersignature }))
            };
            let known = blocking(look_up).await;
            let _ = events.send(Event::ResultsRecalled { node, root, known }).await;
        });
    }

    /// Results were looked up: answered as before, or taken.
    pub(crate) fn on_results_recalled(
        &mut self,
        now: Timestamp,
        node: NodeId,
        root: Hash,
        known: Result<(Box<Results>, Recalled), RecallError>,
    ) {
        self.consumer.recalling.remove(&(node, root));
        let (results, known) = match known {
            Ok(known) => known,
            // Without an answer, the provider keeps them until its agreement ends.
            Err(error) => {
                return tracing::warn!(%node, %error, "repeated results are left unanswered");
            }
        };
        if !self.is_with(results.agreement, node) {
            return;
        }
        match known.countersignature {
            Some(countersignature)
                if countersignature.decode_unverified().is_ok_and(|content| content.root == root) =>
            {
                let voucher = self.voucher(results.agreement);
                self.tell_provider(node, ToProvider::Countersign { countersignature, voucher });
            }
            _ => self.take_results(now, node, *results, known.receipts),
        }
    }
}
