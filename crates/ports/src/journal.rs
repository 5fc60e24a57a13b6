//! What must survive a crash: written before anyone is told.

use opensky_ledger::tab::Tab;
use opensky_types::{
    AgreementId, Hash, JobId, Micros, NodeId, Signed, TaskId, Timestamp,
    job::{JobNote, JobSpec, JobState},
    membership::{Invite, MembershipChain},
    receipt::{Batch, Countersignature, ReceiptProof},
    resources::Usage,
    task::Outcome,
};

/// How a consumer judged one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// This run's result is the task's result.
    Accepted,
    /// It agrees with the accepted result.
    Agreed,
    /// It failed; the task went elsewhere or the job stopped.
    Failed,
    /// It differs from the accepted result, or broke its commitment.
    Rejected,
    /// The job ended before it could be compared.
    Undecided,
}

/// One run of one task, as the consumer keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRun {
    /// Which task.
    pub task: TaskId,
    /// Which try.
    pub attempt: u32,
    /// Who ran it.
    pub node: NodeId,
    /// What came out.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// Its receipt, if one came.
    pub receipt: Option<Hash>,
    /// How it was judged.
    pub verdict: Verdict,
    /// What is owed for it. Money put aside that is used up pays less: the provider bears the rest.
    pub price: Micros,
}

/// A fact to be kept. Facts of one [`Journal::commit`] are kept together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A job was accepted from its owner.
    JobSubmitted { job: JobId, spec: JobSpec, at: Timestamp },
    /// Runs were judged. Kept as one row, so that small tasks stay cheap.
    TasksRun { job: JobId, runs: Vec<TaskRun> },
    /// Steps worth explaining.
    JobNoted { job: JobId, notes: Vec<JobNote> },
    /// A job's state changed.
    JobChanged { job: JobId, state: JobState, at: Timestamp },
    /// A job and all that hangs on it is forgotten.
    JobRemoved { job: JobId },
    /// Receipts under one signature: given by this node as provider, or taken as consumer.
    ReceiptsSigned { batch: Batch },
    /// The consumer's signature under such a batch.
    ReceiptsCountersigned { countersignature: Signed<Countersignature>, root: Hash },
    /// An agreement that this node holds open, as provider or as consumer.
    AgreementHeld { agreement: AgreementId, terms: Signed<opensky_types::agreement::Terms> },
    /// It ended.
    AgreementEnded { agreement: AgreementId },
    /// What is owed under an agreement, by or to this node; the last word counts.
    TabKept { agreement: AgreementId, tab: Tab },
    /// Nothing is owed any more.
    TabSettled { agreement: AgreementId },
    /// An invite was issued.
    InviteIssued { invite: Invite },
    /// A node joined with it.
    InviteUsed { nonce: u64, node: NodeId, at: Timestamp },
    /// A node is known to belong, and where it was last reached.
    MemberKnown { node: NodeId, chain: MembershipChain, addresses: Vec<String> },
    /// A named value of the node's own: limits, sequence numbers, marks.
    Setting { name: String, value: Vec<u8> },
}

/// A job as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    /// Its id.
    pub job: JobId,
    /// What was asked.
    pub spec: JobSpec,
    /// How it stands.
    pub state: JobState,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it reached its state.
    pub changed_at: Timestamp,
}

/// An invite with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredInvite {
    /// The invite.
    pub invite: Invite,
    /// Who joined with it, oldest first.
    pub used_by: Vec<NodeId>,
}

/// Why the journal could not do it. Any error of `commit` means that nothing of it was kept and
/// that the node must stop promising anything.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk said no.
    #[error("journal: {context}")]
    Io {
        /// What was being done.
        context: String,
        /// What the system answered.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is stored cannot be read.
    #[error("journal holds a damaged {what}")]
    Damaged { what: &'static str },
}

/// Facts in, facts out. Methods block; `commit` returns once the facts are on disk.
pub trait Journal: Send + Sync {
    /// Keeps all of `records`, in order, or none; with them, all that was committed before.
    fn commit(&self, records: &[Record]) -> Result<(), JournalError>;

    /// Makes all of `records` readable at once, in order, or none. They are on disk after the next
    /// [`Journal::commit`]; a crash before that may take them, always the last ones first.
    fn commit_unsynced(&self, records: &[Record]) -> Result<(), JournalError>;

    /// Jobs, newest first, at most `limit`, older than `before` where given.
    fn jobs(&self, before: Option<Timestamp>, limit: usize) -> Result<Vec<StoredJob>, JournalError>;

    /// One job.
    fn job(&self, job: JobId) -> Result<Option<StoredJob>, JournalError>;

    /// Hands every run of a job to `each`, in the order they were judged, without holding them all.
    fn runs(&self, job: JobId, each: &mut dyn FnMut(TaskRun)) -> Result<(), JournalError>;

    /// What was noted of a job, oldest first.
    fn notes(&self, job: JobId) -> Result<Vec<JobNote>, JournalError>;

    /// A receipt with its proof, by id.
    fn receipt(&self, id: Hash) -> Result<Option<ReceiptProof>, JournalError>;

    /// Agreements held, on either side, when the node last stopped.
    fn agreements(&self)
    -> Result<Vec<(AgreementId, Signed<opensky_types::agreement::Terms>)>, JournalError>;

    /// What is owed under agreements, by or to this node.
    fn tabs(&self) -> Result<Vec<(AgreementId, Tab)>, JournalError>;

    /// Invites issued and used.
    fn invites(&self) -> Result<Vec<StoredInvite>, JournalError>;

    /// Known members with their last addresses.
    fn members(&self) -> Result<Vec<(NodeId, MembershipChain, Vec<String>)>, JournalError>;

    /// A named value.
    fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError>;
}
