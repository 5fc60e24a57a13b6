//! The journal's writer: commits what waits in one go, then lets the answers out. Facts that nobody
//! waits for are gathered for a moment; facts that may end with the node are not synced one by one.

use crate::{
    event::Event,
    fetch::blocking,
    handle::{InviteError, SubmitError},
};
use opensky_ledger::transaction::SignedTransaction;
use opensky_ports::{Journal, Record, transport::KnockAnswer};
use opensky_protocol::work::ToProvider;
use opensky_types::{JobId, NodeId, agreement::Terms, membership::InviteToken, text::causes};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

/// Facts that may wait for the disk before the loop stops taking more.
const QUEUE_COMMITS_MAX: usize = 4_096;
/// Most records of one commit.
const COMMIT_RECORDS_MAX: usize = 4_096;
/// Longest that facts which nobody waits for are gathered before they are written.
const LINGER: Duration = Duration::from_millis(50);
/// Longest that written facts stay off the disk.
const SYNC_WITHIN: Duration = Duration::from_secs(1);
/// Pause before a full disk is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// What waits until facts are on disk.
pub(crate) enum Promise {
    /// "Your job is taken."
    Submitted { job: JobId, answer: oneshot::Sender<Result<JobId, SubmitError>> },
    /// "Your job goes on."
    Retried { answer: oneshot::Sender<Result<bool, SubmitError>> },
    /// "Here is your invite."
    Invited { token: Box<InviteToken>, answer: oneshot::Sender<Result<InviteToken, InviteError>> },
    /// "Come in."
    Admit { node: NodeId, addresses: Vec<String>, reply: KnockAnswer, answer: oneshot::Sender<KnockAnswer> },
    /// "Your work is accepted."
    Tell { node: NodeId, message: Box<ToProvider> },
    /// "This is what was found."
    Transact(Box<SignedTransaction>),
    /// "It is done."
    Done(oneshot::Sender<()>),
    /// Job states that watchers may now see.
    Publish(Vec<crate::handle::JobEvent>),
}

/// Facts and the promises that rest on them.
#[derive(Default)]
pub(crate) struct Commit {
    pub(crate) records: Vec<Record>,
    pub(crate) promises: Vec<Promise>,
    /// Whether they must be on disk before a promise goes out. If not, readable is enough: they
    /// belong to work that is given up with its node anyway, and reach the disk a moment later.
    pub(crate) synced: bool,
}

impl Commit {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.promises.is_empty()
    }

    fn append(&mut self, other: Self) {
        self.records.extend(other.records);
        self.promises.extend(other.promises);
        self.synced |= other.synced;
    }
}

/// Whether facts must be on disk before anyone is told of them, or need only be readable by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// A crash may not take them once they were acknowledged.
    Durable,
    /// They end with their node: a crash may take the last second of them.
    Fleeting,
}

impl Keeping {
    /// How facts of a job are kept.
    pub(crate) const fn of_job(durable: bool) -> Self {
        if durable { Self::Durable } else { Self::Fleeting }
    }

    /// How the receipts of an agreement are kept: as the work is, but never lightly where money
    /// hangs on them.
    pub(crate) const fn of_receipts(terms: &Terms) -> Self {
        Self::of_job(terms.orphan_grace_ms > 0 || terms.price_per_gfuel.get() > 0)
    }
}

/// The sending end of the task that writes the journal.
pub(crate) struct JournalWriter {
    queue: mpsc::Sender<Commit>,
    task: JoinHandle<()>,
}

impl JournalWriter {
    /// Starts the task. Promises come back as [`Event::Kept`], on a channel of their own that never
    /// makes the task wait: else it and the loop could wait for each other.
    pub(crate) fn start(journal: Arc<dyn Journal>) -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (queue, waiting) = mpsc::channel(QUEUE_COMMITS_MAX);
        let (events, kept) = mpsc::unbounded_channel();
        let gathered = Commit::default();
        let writing = Writing { journal, waiting, events, gathered, write_at: None, sync_at: None };
        (Self { queue, task: tokio::spawn(writing.run()) }, kept)
    }

    /// Queues a commit; waits while the disk is that far behind.
    pub(crate) async fn commit(&self, commit: Commit) {
        // A node that cannot keep facts must not go on as if it could.
        self.queue.send(commit).await.expect("the writer of the journal lives as long as this end");
    }

    /// Writes out what waits and ends the task.
    pub(crate) async fn finish(self) {
        drop(self.queue);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the writer of the journal failed");
        }
    }
}

/// What the writing task works with. Commits run one at a time where blocking is allowed.
struct Writing {
    journal: Arc<dyn Journal>,
    waiting: mpsc::Receiver<Commit>,
    events: mpsc::UnboundedSender<Event>,
    /// What came in and is not written yet.
    gathered: Commit,
    /// When that must be written.
    write_at: Option<Instant>,
    /// When what is written, but perhaps not on disk, must be.
    sync_at: Option<Instant>,
}

impl Writing {
    /// Until the sending end is gone and all that it sent is on disk.
    async fn run(mut self) {
        loop {
            let ended = !self.gather().await;
            let now = Instant::now();
            let due = |at: Option<Instant>| ended || at.is_some_and(|at| at <= now);
            let sync = self.gathered.synced || due(self.sync_at);
            let awaited = !self.gathered.promises.is_empty();
            let full = self.gathered.records.len() >= COMMIT_RECORDS_MAX;
            if (sync || awaited || full || due(self.write_at)) && !self.write(sync).await {
                return;
            }
            if ended {
                return;
            }
        }
    }

    /// Takes in what comes until something is due; `false` when nothing more will come.
    async fn gather(&mut self) -> bool {
        let due = self.write_at.into_iter().chain(self.sync_at).min();
        let next = match due {
            None => self.waiting.recv().await,
            Some(due) => match tokio::time::timeout_at(due, self.waiting.recv()).await {
                Ok(next) => next,
                Err(_) => return true,
            },
        };
        let Some(next) = next else { return false };
        self.gathered.append(next);
        while self.gathered.records.len() < COMMIT_RECORDS_MAX
            && let Ok(next) = self.waiting.try_recv()
        {
            self.gathered.append(next);
        }
        self.write_at.get_or_insert_with(|| Instant::now() + LINGER);
        true
    }

    /// Writes what was gathered and lets the promises out; `false` when the node ended before it could.
    async fn write(&mut self, sync: bool) -> bool {
        let Commit { records, promises, synced: _ } = std::mem::take(&mut self.gathered);
        self.write_at = None;
        let changes = !records.is_empty();
        if (changes || sync && self.sync_at.is_some()) && !self.commit_until_done(records, sync).await {
            return false;
        }
        if sync {
            self.sync_at = None;
        } else if changes {
            self.sync_at.get_or_insert_with(|| Instant::now() + SYNC_WITHIN);
        }
        // The loop may be gone during shutdown; the facts are kept all the same.
        if !promises.is_empty() && self.events.send(Event::Kept(promises)).is_err() {
            tracing::debug!("facts were kept after the loop had ended");
        }
        true
    }

    /// Tries until the facts are kept; `false` when the node stops before they could be.
    async fn commit_until_done(&self, records: Vec<Record>, sync: bool) -> bool {
        let records = Arc::new(records);
        let mut failed = false;
        loop {
            let (journal, facts) = (Arc::clone(&self.journal), Arc::clone(&records));
            let commit = move || if sync { journal.commit(&facts) } else { journal.commit_unsynced(&facts) };
            match blocking(commit).await {
                Ok(()) => {
                    if failed {
                        let _ = self.events.send(Event::Disk { problem: None });
                    }
                    return true;
                }
                Err(error) => {
                    if !failed {
                        let problem = causes(&error);
                        tracing::error!(%problem, "facts could not be kept; the node promises nothing until they can");
                        let _ = self.events.send(Event::Disk { problem: Some(problem) });
                    }
                    failed = true;
                    if self.events.is_closed() || self.waiting.is_closed() {
                        return false;
                    }
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }
}
