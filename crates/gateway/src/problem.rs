//! The one place that turns errors into problems.

use axum::{
    extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use opensky_api::{Code, Problem, routes::PROBLEM_CONTENT_TYPE};
use opensky_node::{InviteError, NodeGone, SubmitError, TransactError};
use opensky_ports::{BlobError, JournalError, ledger::FollowError};

/// A problem as an HTTP answer.
pub(crate) struct Answer(pub(crate) Problem);

/// What handlers answer.
pub(crate) type Outcome<T> = Result<T, Answer>;

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).expect("a problem is plain data");
        (status, [(header::CONTENT_TYPE, PROBLEM_CONTENT_TYPE)], body).into_response()
    }
}

/// A problem with this code and detail.
pub(crate) fn problem(code: Code, detail: impl std::fmt::Display) -> Answer {
    Answer(Problem::new(code, detail.to_string()))
}

impl From<NodeGone> for Answer {
    fn from(gone: NodeGone) -> Self {
        problem(Code::ShuttingDown, gone)
    }
}

impl From<InviteError> for Answer {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::NotAllowed => problem(Code::NotAllowed, error),
            InviteError::Gone(gone) => gone.into(),
        }
    }
}

impl From<JournalError> for Answer {
    fn from(error: JournalError) -> Self {
        tracing::error!(%error, "the journal could not be read");
        problem(Code::Internal, error)
    }
}

impl From<BlobError> for Answer {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full { .. } => Self(Problem::new(Code::StorageFull, error.to_string()).with_next(
                "remove ended jobs (`opensky jobs remove`) or raise the limit (`opensky limits set disk=…`)",
            )),
            error => {
                tracing::error!(%error, "the blob store failed");
                problem(Code::Internal, error)
            }
        }
    }
}

impl From<SubmitError> for Answer {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Invalid(_) => problem(Code::InvalidJob, error),
            SubmitError::BlobMissing(_) => problem(Code::BlobNotFound, error),
            SubmitError::TooManyJobs { .. } => problem(Code::Busy, error),
            SubmitError::DiskFailed(_) => Self(
                Problem::new(Code::StorageFull, error.to_string())
                    .with_next("free some disk space; the node goes on by itself"),
            ),
            SubmitError::Gone(gone) => gone.into(),
        }
    }
}

impl From<TransactError> for Answer {
    fn from(error: TransactError) -> Self {
        match error {
            TransactError::Rejected(_) => problem(Code::TransactionRejected, error),
            TransactError::Refused(_) => problem(Code::Busy, error),
            TransactError::NotApproved(_) => problem(Code::NotApproved, error),
            TransactError::Gone(gone) => gone.into(),
        }
    }
}

impl From<FollowError> for Answer {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::NotNext { .. } => problem(Code::LedgerNotReady, error),
            FollowError::Sender(_) | FollowError::Own(_) => {
                tracing::error!(?error, "the ledger could not be read");
                problem(Code::Internal, error)
            }
        }
    }
}

/// Requests that are not of their route's form.
macro_rules! rejected {
    ($($rejection:ty),*) => {
        $(impl From<$rejection> for Answer {
            fn from(rejection: $rejection) -> Self {
                let code = match rejection.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
                    _ => Code::InvalidRequest,
                };
                problem(code, rejection.body_text())
            }
        })*
    };
}
rejected!(JsonRejection, PathRejection, QueryRejection, BytesRejection);
