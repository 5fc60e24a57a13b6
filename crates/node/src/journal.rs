//! The journal's thread: commits what waits in one go, then lets the answers out.

use crate::{
    event::Event,
    handle::{InviteError, SubmitError},
};
use opensky_ports::{Journal, JournalError, Record, transport::KnockAnswer};
use opensky_protocol::work::ToProvider;
use opensky_types::{JobId, NodeId, membership::InviteToken};
use std::{sync::Arc, thread, time::Duration};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

/// Facts that may wait for the disk before the loop stops taking more.
const QUEUE_COMMITS_MAX: usize = 4_096;
/// Most records of one commit.
const COMMIT_RECORDS_MAX: usize = 4_096;
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
}

/// The sending end of the journal's thread.
pub(crate) struct JournalWriter {
    queue: mpsc::Sender<Commit>,
    thread: thread::JoinHandle<()>,
}

impl JournalWriter {
    /// Starts the thread. Promises come back as [`Event::Kept`], on a channel of their own that never
    /// makes the thread wait: else it and the loop could wait for each other.
    pub(crate) fn start(
        journal: Arc<dyn Journal>,
    ) -> std::io::Result<(Self, mpsc::UnboundedReceiver<Event>)> {
        let (queue, waiting) = mpsc::channel(QUEUE_COMMITS_MAX);
        let (events, kept) = mpsc::unbounded_channel();
        let runtime = Handle::current();
        let thread = thread::Builder::new()
            .name("journal".into())
            .spawn(move || write(&runtime, journal.as_ref(), waiting, &events))?;
        Ok((Self { queue, thread }, kept))
    }

    /// Queues a commit; waits while the disk is that far behind.
    pub(crate) async fn commit(&self, commit: Commit) {
        // A node that cannot keep facts must not go on as if it could.
        self.queue.send(commit).await.expect("the journal's thread lives as long as this end");
    }

    /// Writes out what waits and ends the thread.
    pub(crate) async fn finish(self) {
        drop(self.queue);
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the journal's thread panicked");
        }
    }
}

fn write(
    runtime: &Handle,
    journal: &dyn Journal,
    mut waiting: mpsc::Receiver<Commit>,
    events: &mpsc::UnboundedSender<Event>,
) {
    while let Some(mut commit) = waiting.blocking_recv() {
        while commit.records.len() < COMMIT_RECORDS_MAX
            && let Ok(next) = waiting.try_recv()
        {
            commit.records.extend(next.records);
            commit.promises.extend(next.promises);
        }
        let Commit { records, promises } = commit;
        if !records.is_empty() && !commit_until_done(runtime, journal, &records, &waiting, events) {
            return;
        }
        // The loop may be gone during shutdown; the facts are kept all the same.
        if !promises.is_empty() && events.send(Event::Kept(promises)).is_err() {
            tracing::debug!("facts were kept after the loop had ended");
        }
    }
}

/// Tries until the facts are kept; `false` when the node stops before they could be.
fn commit_until_done(
    runtime: &Handle,
    journal: &dyn Journal,
    records: &[Record],
    waiting: &mpsc::Receiver<Commit>,
    events: &mpsc::UnboundedSender<Event>,
) -> bool {
    let mut failed = false;
    loop {
        match journal.commit(records) {
            Ok(()) => {
                if failed {
                    let _ = events.send(Event::Disk { problem: None });
                }
                return true;
            }
            Err(error) => {
                if !failed {
                    let problem = chain(&error);
                    tracing::error!(%problem, "facts could not be kept; the node promises nothing until they can");
                    let _ = events.send(Event::Disk { problem: Some(problem) });
                }
                failed = true;
                if events.is_closed() || waiting.is_closed() {
                    return false;
                }
                // On the clock of everything else, so that a test may own it.
                runtime.block_on(async { tokio::time::sleep(RETRY_PAUSE).await });
            }
        }
    }
}

fn chain(error: &JournalError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
