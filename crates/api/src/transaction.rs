//! Transactions on their way into the ledger.

use crate::happening::HappeningView;
use opensky_types::{Hash, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Longest wait that [`TransactionQuery::wait_ms`] asks for; the client asks again.
pub const WAIT_MS_MAX: u64 = 30_000;

/// A transaction that somebody signed elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// The encoded transaction with its signatures, in hex.
    pub transaction: String,
    /// Only try it out.
    #[serde(default)]
    pub dry_run: bool,
}

impl SubmitRequest {
    /// For these bytes.
    pub fn of(bytes: &[u8], dry_run: bool) -> Self {
        Self { transaction: hex::encode(bytes), dry_run }
    }
}

/// Asks where a transaction is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TransactionQuery {
    /// How long to wait for it to be final, at most [`WAIT_MS_MAX`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// Where a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhereView {
    /// It was only tried out: the rules allow it now, and nothing was done.
    DryRun,
    /// It waits for a block.
    Waiting,
    /// It is in a final block.
    Final,
    /// Not known: never seen, given up, or older than what the node remembers.
    Unknown,
}

impl WhereView {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DryRun => "dry run: the rules allow it; nothing was done",
            Self::Waiting => "waiting for a block",
            Self::Final => "final",
            Self::Unknown => "unknown",
        }
    }
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionView {
    /// Its id; absent for one that was only tried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Hash>,
    /// Where it is.
    pub standing: WhereView,
    /// The block it is in, once it is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// The block's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What it does, in a sentence, where this answer is to whoever asked for it; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// What would follow from it, for one that was only tried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub happenings: Vec<HappeningView>,
}
