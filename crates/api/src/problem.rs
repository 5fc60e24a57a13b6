//! Errors as RFC 9457 problem details, with codes that stay.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// The page that has a section for each code.
const EXPLAINED_AT: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/problems.md");

/// What went wrong, for programs. A code never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The request is not JSON of the right shape.
    InvalidRequest,
    /// The job's specification breaks a rule.
    InvalidJob,
    /// No token, key or session, or one that does not work.
    Unauthorized,
    /// There is no such route.
    NoSuchRoute,
    /// The route does not take that method.
    WrongMethod,
    /// There is no such job.
    JobNotFound,
    /// There is no such task in the job.
    TaskNotFound,
    /// The content is not on this node.
    BlobNotFound,
    /// There is no such receipt on this node.
    ReceiptNotFound,
    /// No image is kept by that name.
    ImageNotFound,
    /// There is no such service, or it has no such local address.
    ServiceNotFound,
    /// A service breaks a rule.
    InvalidService,
    /// There is no API key of that name.
    KeyNotFound,
    /// No session of a browser is called that.
    SessionNotFound,
    /// There is no such account: it begins with its first income.
    AccountNotFound,
    /// This node has seen no such epoch end.
    CheckpointNotFound,
    /// The job has not ended yet, or has ended already.
    WrongState,
    /// Nothing fits and the caller did not want to wait.
    NoNodeFits,
    /// The caller may not do that, or this node may not in its sky.
    NotAllowed,
    /// The API key has spent what it may.
    SpendLimit,
    /// The ledger's rules do not allow the transaction now.
    TransactionRejected,
    /// Another node has to sign the transaction too, and did not.
    NotApproved,
    /// The ledger of this node is not far enough for that.
    LedgerNotReady,
    /// The request is larger than allowed.
    TooLarge,
    /// The blob store is full of things that are in use.
    StorageFull,
    /// The `Idempotency-Key` was used for another request.
    IdempotencyMismatch,
    /// What was asked with the `Idempotency-Key` is being done.
    IdempotencyRunning,
    /// The caller asks more often than it may.
    RateLimited,
    /// There was no answer in time; it may have been done all the same.
    TimedOut,
    /// Too much at a time; try again.
    Busy,
    /// The node is shutting down.
    ShuttingDown,
    /// A bug or a broken disk; the node's log says more.
    Internal,
    /// A code that this client does not know yet.
    #[serde(other)]
    Unknown,
}

impl Code {
    /// Every code that a node answers.
    pub const ALL: &'static [Self] = &[
        Self::InvalidRequest,
        Self::InvalidJob,
        Self::Unauthorized,
        Self::NoSuchRoute,
        Self::WrongMethod,
        Self::JobNotFound,
        Self::TaskNotFound,
        Self::BlobNotFound,
        Self::ReceiptNotFound,
        Self::ImageNotFound,
        Self::ServiceNotFound,
        Self::InvalidService,
        Self::KeyNotFound,
        Self::SessionNotFound,
        Self::AccountNotFound,
        Self::CheckpointNotFound,
        Self::WrongState,
        Self::NoNodeFits,
        Self::NotAllowed,
        Self::SpendLimit,
        Self::TransactionRejected,
        Self::NotApproved,
        Self::LedgerNotReady,
        Self::TooLarge,
        Self::StorageFull,
        Self::IdempotencyMismatch,
        Self::IdempotencyRunning,
        Self::RateLimited,
        Self::TimedOut,
        Self::Busy,
        Self::ShuttingDown,
        Self::Internal,
    ];

    /// The word for it, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid-request",
            Self::InvalidJob => "invalid-job",
            Self::Unauthorized => "unauthorized",
            Self::NoSuchRoute => "no-such-route",
            Self::WrongMethod => "wrong-method",
            Self::JobNotFound => "job-not-found",
            Self::TaskNotFound => "task-not-found",
            Self::BlobNotFound => "blob-not-found",
            Self::ReceiptNotFound => "receipt-not-found",
            Self::ImageNotFound => "image-not-found",
            Self::ServiceNotFound => "service-not-found",
            Self::InvalidService => "invalid-service",
            Self::KeyNotFound => "key-not-found",
            Self::SessionNotFound => "session-not-found",
            Self::AccountNotFound => "account-not-found",
            Self::CheckpointNotFound => "checkpoint-not-found",
            Self::WrongState => "wrong-state",
            Self::NoNodeFits => "no-node-fits",
            Self::NotAllowed => "not-allowed",
            Self::SpendLimit => "spend-limit",
            Self::TransactionRejected => "transaction-rejected",
            Self::NotApproved => "not-approved",
            Self::LedgerNotReady => "ledger-not-ready",
            Self::TooLarge => "too-large",
            Self::StorageFull => "storage-full",
            Self::IdempotencyMismatch => "idempotency-mismatch",
            Self::IdempotencyRunning => "idempotency-running",
            Self::RateLimited => "rate-limited",
            Self::TimedOut => "timed-out",
            Self::Busy => "busy",
            Self::ShuttingDown => "shutting-down",
            Self::Internal => "internal",
            Self::Unknown => "unknown",
        }
    }

    /// The HTTP status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Unauthorized => 401,
            Self::NotAllowed | Self::SpendLimit => 403,
            Self::NoSuchRoute
            | Self::JobNotFound
            | Self::TaskNotFound
            | Self::BlobNotFound
            | Self::ReceiptNotFound
            | Self::ImageNotFound
            | Self::ServiceNotFound
            | Self::KeyNotFound
            | Self::SessionNotFound
            | Self::AccountNotFound
            | Self::CheckpointNotFound => 404,
            Self::WrongMethod => 405,
            Self::WrongState | Self::TransactionRejected | Self::NotApproved | Self::IdempotencyRunning => {
                409
            }
            Self::TooLarge => 413,
            Self::InvalidJob | Self::InvalidService | Self::IdempotencyMismatch => 422,
            Self::RateLimited => 429,
            Self::NoNodeFits | Self::Busy | Self::ShuttingDown | Self::LedgerNotReady => 503,
            Self::TimedOut => 504,
            Self::StorageFull => 507,
            Self::Internal | Self::Unknown => 500,
        }
    }

    /// Where it is explained, for [`Problem::type_uri`].
    pub fn uri(self) -> String {
        match self {
            Self::Unknown => about_blank(),
            known => format!("{EXPLAINED_AT}#{}", known.as_str()),
        }
    }

    /// A few words that stay the same for every occurrence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "the request is malformed",
            Self::InvalidJob => "the job is not valid",
            Self::Unauthorized => "no token, key or session that works",
            Self::NoSuchRoute => "there is no such route",
            Self::WrongMethod => "the route does not take that method",
            Self::JobNotFound => "there is no such job",
            Self::TaskNotFound => "there is no such task",
            Self::BlobNotFound => "the content is not on this node",
            Self::ReceiptNotFound => "there is no such receipt",
            Self::ImageNotFound => "there is no such image",
            Self::ServiceNotFound => "there is no such service",
            Self::InvalidService => "the service is not valid",
            Self::KeyNotFound => "there is no such API key",
            Self::SessionNotFound => "there is no such session",
            Self::AccountNotFound => "there is no such account",
            Self::CheckpointNotFound => "there is no such checkpoint",
            Self::TransactionRejected => "the rules of the ledger do not allow it",
            Self::NotApproved => "another node did not sign",
            Self::LedgerNotReady => "the ledger is not far enough",
            Self::WrongState => "the job's state does not allow that",
            Self::NoNodeFits => "no node fits",
            Self::NotAllowed => "not allowed",
            Self::SpendLimit => "the key has spent what it may",
            Self::TooLarge => "the request is too large",
            Self::StorageFull => "the blob store is full",
            Self::IdempotencyMismatch => "the idempotency key was used for another request",
            Self::IdempotencyRunning => "the request is being done",
            Self::RateLimited => "asked too often",
            Self::TimedOut => "there was no answer in time",
            Self::Busy => "the node is busy",
            Self::ShuttingDown => "the node is shutting down",
            Self::Internal => "the node failed",
            Self::Unknown => "an error unknown to this client",
        }
    }
}

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Where the code is explained: [`Code::uri`].
    #[serde(rename = "type", default = "about_blank")]
    pub type_uri: String,
    /// [`Code::title`].
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Which problem.
    pub code: Code,
    /// What happened and why, this time.
    pub detail: String,
    /// What to do next, where there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

fn about_blank() -> String {
    "about:blank".into()
}

impl Problem {
    /// A problem without advice.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            type_uri: code.uri(),
            title: code.title().into(),
            status: code.status(),
            code,
            detail: detail.into(),
            next: None,
        }
    }

    /// Adds what to do next.
    pub fn with_next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}
