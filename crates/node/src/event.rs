//! Everything that can happen to a node.

use crate::{
    audits::Testified,
    consumer::{LoadedJob, RecallError, Recalled, Results, Verdict},
    fetch::FetchError,
    handle::{InviteError, SubmitError, TransactError},
    inputs::InputError,
    journal::Promise,
    ledger::Caught,
    requests::Request,
    services::ServiceEvent,
};
use opensky_ledger::{approval::Approval, transaction::Transaction};
use opensky_ports::{
    ByteStream, JournalError, LogStream, TransportError, TransportEvent, ledger::News, transport::PeerView,
};
use opensky_protocol::work::{ToConsumer, ToProvider};
use opensky_provider::{BatchId, TaskAttempt, TaskEnd};
use opensky_scheduler::CheckedRun;
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signed, TaskId,
    job::Blob,
    membership::InviteToken,
    offer::Offer,
    resources::{HardwareProfile, Readings},
    task::Assignment,
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// What the loop takes in, one at a time.
pub(crate) enum Event {
    /// The network says something.
    Transport(TransportEvent),
    /// A user asks something.
    Request(Request),
    /// A provider that works for us says something.
    FromProvider { node: NodeId, message: ToConsumer },
    /// A consumer that we work for says something.
    FromConsumer { node: NodeId, message: ToProvider },
    /// The work stream to a provider was opened, or could not be.
    LinkOpened { node: NodeId, stream: Result<ByteStream, TransportError> },
    /// The work stream to a provider ended.
    ProviderLinkEnded { node: NodeId, generation: u64 },
    /// The work stream from a consumer ended.
    ConsumerLinkEnded { node: NodeId, generation: u64 },
    /// The program of an agreement was fetched, or could not be.
    ProgramFetched { agreement: AgreementId, result: Result<(), (Hash, FetchError)> },
    /// What a task reads was fetched, or could not be.
    InputsFetched { agreement: AgreementId, task: TaskAttempt, result: Result<(), (Hash, FetchError)> },
    /// Inputs of tasks to hand out were made from the store, or could not be.
    InputsMade {
        job: JobId,
        agreement: AgreementId,
        node: NodeId,
        tasks: Vec<(TaskId, u32)>,
        result: Result<Vec<Assignment>, InputError>,
    },
    /// Results that are not of fresh runs were looked up in what this node knows from before.
    ResultsRecalled { node: NodeId, root: Hash, known: Result<(Box<Results>, Recalled), RecallError> },
    /// Outputs that later stages read are in the store.
    OutputsStored { job: JobId, stored: Vec<(TaskId, Blob)> },
    /// A result's blobs were fetched, or one could not be.
    OutputsFetched { agreement: AgreementId, run: (TaskId, u32), result: Result<(), (Hash, FetchError)> },
    /// A result was checked here, or two were; `ran`: one of the checks that run at a time.
    Checked { job: JobId, task: TaskId, runs: Vec<CheckedRun>, verdict: Verdict, ran: bool },
    /// A task that ran here ended.
    WorkEnded(TaskEnd),
    /// A task that runs here and is followed wrote something.
    WorkWrote { to: NodeId, agreement: AgreementId, task: TaskId, stream: LogStream, bytes: Vec<u8> },
    /// All of a batch has ended.
    BatchEnded { batch: BatchId },
    /// Facts are on disk; the promises may be kept.
    Kept(Vec<Promise>),
    /// The disk failed or works again.
    Disk { problem: Option<String> },
    /// Offers arrived in answer to a question.
    OffersFetched { offers: Vec<Signed<Offer>> },
    /// The DHT was asked for providers of a stage; their offers are in.
    LookedUp { job: JobId, stage: u16, offers: Vec<Signed<Offer>> },
    /// An ended job was read back, to be tried again.
    JobLoaded {
        job: JobId,
        loaded: Result<Option<LoadedJob>, JournalError>,
        answer: oneshot::Sender<Result<bool, SubmitError>>,
    },
    /// An invite was asked for, and this node's addresses are known.
    InviteAsked {
        uses_max: u32,
        ttl_ms: u64,
        addresses: Vec<String>,
        answer: oneshot::Sender<Result<InviteToken, InviteError>>,
    },
    /// Peers were measured.
    PeersSeen(Vec<PeerView>),
    /// A job ended and may leave memory.
    JobRetired { job: JobId },
    /// The machine was read.
    Readings { hardware: Box<HardwareProfile>, readings: Readings },
    /// A block of the ledger is final.
    BlockFinal(Arc<News>),
    /// A member was asked for blocks that are missing here.
    CaughtUp { from: NodeId, caught: Caught },
    /// Another node has signed a transaction of this one.
    Approved {
        transaction: Box<Transaction>,
        approval: Approval,
        answer: oneshot::Sender<Result<Hash, TransactError>>,
    },
    /// Others were asked to be witnesses of a wrong result.
    Testified { receipt: Hash, gathered: Option<Testified> },
    /// Something about services.
    Service(Box<ServiceEvent>),
    /// Time passed.
    Tick,
}
