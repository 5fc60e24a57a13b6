//! The only door into a running node.

mod images;
mod ledger;
mod services;
mod settings;

pub use ledger::TransactError;

use crate::{fetch::blocking, quote::Quote, requests::Request};
use opensky_market::Cluster;
use opensky_ports::{
    BlobError, BlobStore, Clock, Journal, JournalError, LedgerEngine, LogStream, Pin,
    journal::{StoredJob, TaskRun},
    transport::NetworkView,
};
use opensky_scheduler::JobView as JobProgress;
use opensky_types::{
    Hash, JobId, NodeId, TaskId, Timestamp,
    job::{InvalidJob, JobNote, JobSpec, JobState},
    limits::ContributionLimits,
    membership::{Genesis, Invite, InviteToken, MembershipChain},
    offer::Offer,
    receipt::ReceiptProof,
    resources::{HardwareProfile, Readings},
};
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot};

/// The node stopped before it could answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node has stopped")]
pub struct NodeGone;

/// Why a job was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The spec is not a job.
    #[error(transparent)]
    Invalid(#[from] InvalidJob),
    /// A program or input was not uploaded before.
    #[error("blob {0} is not in this node's store; upload it first")]
    BlobMissing(Hash),
    /// Too much is going on.
    #[error("{active} jobs are active, which is the limit; wait for one to end or cancel one")]
    TooManyJobs { active: usize },
    /// Nothing can be promised, since nothing can be kept.
    #[error("the node cannot write to its disk ({0}); it takes no new jobs until it can")]
    DiskFailed(String),
    /// The node stopped.
    #[error(transparent)]
    Gone(#[from] NodeGone),
}

/// Why no invite was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// The genesis says who may.
    #[error("only the founder of this sky may invite")]
    NotAllowed,
    /// The node stopped.
    #[error(transparent)]
    Gone(#[from] NodeGone),
}

/// An invite of this node with what became of it.
#[derive(Debug, Clone)]
pub struct IssuedInvite {
    /// Its text form.
    pub token: InviteToken,
    /// What it says.
    pub invite: Invite,
    /// Who joined with it, oldest first.
    pub used_by: Vec<NodeId>,
}

/// The node at a glance.
#[derive(Debug, Clone)]
pub struct Status {
    /// Its id.
    pub node: NodeId,
    /// Its sky.
    pub genesis: Genesis,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// The machine.
    pub hardware: HardwareProfile,
    /// How the machine is doing.
    pub readings: Readings,
    /// What it offers now; `None` before the first offer.
    pub offer: Option<Offer>,
    /// What its owner allows.
    pub limits: ContributionLimits,
    /// Why it does not share right now, if so.
    pub sharing_note: String,
    /// Tasks that it takes at a time.
    pub slots_total: u16,
    /// Tasks of others that run and wait here.
    pub tasks_running: u32,
    /// See `tasks_running`.
    pub tasks_queued: u32,
    /// Tasks done for others since start.
    pub tasks_done: u64,
    /// Own jobs that are active.
    pub jobs_active: u32,
    /// Members connected.
    pub peers: u32,
    /// Blob store: bytes used, and cap.
    pub blobs_used_bytes: u64,
    /// See `blobs_used_bytes`.
    pub blobs_cap_bytes: u64,
    /// Why the node cannot write, if so.
    pub disk_problem: Option<String>,
}

/// An offer as this node knows it.
#[derive(Debug, Clone)]
pub struct OfferView {
    /// The offer.
    pub offer: Offer,
    /// Round trip to its node, where measured.
    pub rtt_us: Option<u64>,
    /// Whether it is this node's own.
    pub own: bool,
}

/// A job with its live counts.
#[derive(Debug, Clone)]
pub struct JobView {
    /// What is kept of it.
    pub stored: StoredJob,
    /// Live counts; `None` once it has ended and left memory.
    pub progress: Option<JobProgress>,
}

/// What happens to a job.
#[derive(Debug, Clone)]
pub enum JobEvent {
    /// Its state changed.
    Changed { job: JobId, state: JobState },
    /// Its counts moved; at most a few times a second.
    Progress { job: JobId, progress: Arc<JobProgress> },
    /// Something worth explaining.
    Noted { job: JobId, note: JobNote },
}

impl JobEvent {
    /// Which job.
    pub const fn job(&self) -> JobId {
        match self {
            Self::Changed { job, .. } | Self::Progress { job, .. } | Self::Noted { job, .. } => *job,
        }
    }
}

/// Output of a task as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// Which stream.
    pub stream: LogStream,
    /// What was written.
    pub bytes: Vec<u8>,
}

/// Talks to a node. Cheap to clone; outlives the node harmlessly.
#[derive(Clone)]
pub struct Handle {
    pub(crate) node: NodeId,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) job_events: broadcast::Sender<JobEvent>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) ledger: Arc<dyn LedgerEngine>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Handle {
    /// The node's id.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The blob store, for uploads and downloads. Its calls block.
    pub fn blobs(&self) -> &Arc<dyn BlobStore> {
        &self.blobs
    }

    /// The node at a glance.
    pub async fn status(&self) -> Result<Status, NodeGone> {
        self.ask(Request::Status).await
    }

    /// Peers, addresses, traffic.
    pub async fn network(&self) -> Result<NetworkView, NodeGone> {
        self.ask(Request::Network).await
    }

    /// Every live offer this node knows.
    pub async fn offers(&self) -> Result<Vec<OfferView>, NodeGone> {
        self.ask(Request::Offers).await
    }

    /// Clusters that these offers form: nodes of one region with one capability.
    pub async fn clusters(&self) -> Result<Vec<Cluster>, NodeGone> {
        self.ask(Request::Clusters).await
    }

    /// Changes the owner's limits, now and for later starts.
    pub async fn set_limits(&self, limits: ContributionLimits) -> Result<(), NodeGone> {
        self.ask(|answer| Request::SetLimits { limits, answer }).await
    }

    /// Issues an invite for `uses_max` nodes over `ttl_ms`.
    pub async fn invite(&self, uses_max: u32, ttl_ms: u64) -> Result<InviteToken, InviteError> {
        self.ask(|answer| Request::Invite { uses_max, ttl_ms, answer }).await?
    }

    /// Opens the door on the local network for `ttl_ms`; 0 closes it.
    pub async fn open_local_door(&self, ttl_ms: u64) -> Result<(), InviteError> {
        self.ask(|answer| Request::OpenLocalDoor { ttl_ms, answer }).await?
    }

    /// Takes a job. Once this returns, the job survives a crash (if its spec says `durable`).
    pub async fn submit(&self, spec: JobSpec) -> Result<JobId, SubmitError> {
        spec.validate()?;
        let job = JobId::from_bytes(self.clock.random()[..10].try_into().expect("ten bytes"));
        let durable = spec.durable;
        let (blobs, spec) = (Arc::clone(&self.blobs), Box::new(spec));
        let pinned = blocking(move || pin_blobs(blobs.as_ref(), job, &spec).map(|()| spec)).await;
        let submitted = match pinned {
            Ok(spec) => self.ask(|answer| Request::Submit { job, spec, answer }).await,
            Err(error) => Ok(Err(error)),
        };
        // A node that is gone may have taken the job all the same; one that refused has not.
        if let (true, Ok(Err(_))) = (durable, &submitted) {
            let blobs = Arc::clone(&self.blobs);
            if let Err(error) = blocking(move || blobs.unpin(Pin::Job(job))).await {
                tracing::warn!(%job, %error, "blobs of a refused job could not be freed");
            }
        }
        submitted?
    }

    /// What a job would cost, and who could run it; nothing is started.
    pub async fn quote(&self, spec: JobSpec) -> Result<Quote, SubmitError> {
        spec.validate()?;
        Ok(self.ask(|answer| Request::Quote { spec: Box::new(spec), answer }).await?)
    }

    /// Stops a job; answers whether it was active.
    pub async fn cancel(&self, job: JobId) -> Result<bool, NodeGone> {
        self.ask(|answer| Request::Cancel { job, answer }).await
    }

    /// Runs what failed or was cancelled again; answers whether the job is known.
    pub async fn retry(&self, job: JobId) -> Result<bool, SubmitError> {
        self.ask(|answer| Request::Retry { job, answer }).await?
    }

    /// Forgets an ended job and frees its blobs; answers whether it was there and ended.
    pub async fn remove(&self, job: JobId) -> Result<bool, NodeGone> {
        self.ask(|answer| Request::Remove { job, answer }).await
    }

    /// A job's live counts; `None` if it is not active.
    pub async fn progress(&self, job: JobId) -> Result<Option<JobProgress>, NodeGone> {
        self.ask(|answer| Request::Progress { job, answer }).await
    }

    /// Follows a task's output from the start while it runs; ends when the task does.
    pub async fn follow(&self, job: JobId, task: TaskId) -> Result<mpsc::Receiver<LogChunk>, NodeGone> {
        self.ask(|answer| Request::Follow { job, task, answer }).await
    }

    /// What happens to jobs from now on. A slow reader misses events and is told so.
    pub fn watch(&self) -> broadcast::Receiver<JobEvent> {
        self.job_events.subscribe()
    }

    /// Jobs, newest first.
    pub async fn jobs(
        &self,
        before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<StoredJob>, JournalError> {
        self.read(move |journal| journal.jobs(before, limit)).await
    }

    /// One job with its live counts.
    pub async fn job(&self, job: JobId) -> Result<Option<JobView>, JournalError> {
        let progress = self.progress(job).await.unwrap_or(None);
        let mut stored = self.read(move |journal| journal.job(job)).await?;
        if stored.is_none() && progress.is_some() && self.ask(Request::Written).await.is_ok() {
            // It was submitted just now, as not durable: by now it can be read.
            stored = self.read(move |journal| journal.job(job)).await?;
        }
        Ok(stored.map(|stored| JobView { stored, progress }))
    }

    /// Runs of a job that `keep` wants, in the order they were judged, skipping the first `skip` of
    /// them, at most `limit`.
    pub async fn runs(
        &self,
        job: JobId,
        keep: impl Fn(&TaskRun) -> bool + Send + 'static,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<TaskRun>, JournalError> {
        self.read(move |journal| {
            let (mut seen, mut runs) = (0, Vec::new());
            journal.runs(job, &mut |run| {
                if runs.len() < limit && keep(&run) {
                    if seen >= skip {
                        runs.push(run);
                    }
                    seen += 1;
                }
            })?;
            Ok(runs)
        })
        .await
    }

    /// Folds all runs of a job into `total`, in the order they were judged, one at a time.
    pub async fn fold_runs<T: Send + 'static>(
        &self,
        job: JobId,
        mut total: T,
        add: impl Fn(&mut T, &TaskRun) + Send + 'static,
    ) -> Result<T, JournalError> {
        self.read(move |journal| {
            journal.runs(job, &mut |run| add(&mut total, &run))?;
            Ok(total)
        })
        .await
    }

    /// Why things happened to a job, oldest first.
    pub async fn notes(&self, job: JobId) -> Result<Vec<JobNote>, JournalError> {
        self.read(move |journal| journal.notes(job)).await
    }

    /// A receipt with its proof.
    pub async fn receipt(&self, id: Hash) -> Result<Option<ReceiptProof>, JournalError> {
        self.read(move |journal| journal.receipt(id)).await
    }

    /// Invites issued here and what became of them.
    pub async fn invites(&self) -> Result<Vec<IssuedInvite>, NodeGone> {
        self.ask(Request::Invites).await
    }

    /// Known members with their memberships and last addresses.
    pub async fn members(&self) -> Result<Vec<(NodeId, MembershipChain, Vec<String>)>, JournalError> {
        self.read(|journal| journal.members()).await
    }

    /// Asks the node to stop: running work of others is ended, own jobs resume at the next start.
    pub async fn shut_down(&self) {
        // A node that is gone already has shut down.
        let _ = self.ask(Request::ShutDown).await;
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, NodeGone> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| NodeGone)?;
        answered.await.map_err(|_| NodeGone)
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&dyn Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let journal = Arc::clone(&self.journal);
        blocking(move || query(journal.as_ref())).await
    }
}

/// Checks that all that a job names is here, and holds on to it. A job that does not outlive the
/// node needs no pins: its caller's upload holds the blobs.
fn pin_blobs(blobs: &dyn BlobStore, job: JobId, spec: &JobSpec) -> Result<(), SubmitError> {
    let disk = |error: BlobError| SubmitError::DiskFailed(error.to_string());
    let hashes = spec.blobs();
    // Pinned first, so that nothing can be dropped between the look and the pin.
    if spec.durable {
        blobs.pin(Pin::Job(job), &hashes).map_err(disk)?;
    }
    for hash in &hashes {
        if blobs.open(hash).map_err(disk)?.is_none() {
            return Err(SubmitError::BlobMissing(*hash));
        }
    }
    Ok(())
}
