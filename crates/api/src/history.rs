//! The history of an account, a line each.

use crate::{happening::HappeningView, wallet::Payee};
use opensky_ledger::{
    action::Action,
    escrow::id_of,
    transaction::{Checked, Transaction},
};
use opensky_types::{
    AccountId, AgreementId, Hash, Micros, Timestamp, schema, serde_as_text, text::ParseError,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// A place in a history: a height and the place within that block, as `HEIGHT:INDEX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The block.
    pub height: u64,
    /// The place within it.
    pub index: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.height, self.index)
    }
}

impl FromStr for Place {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let numbers = text.split_once(':').and_then(|(height, index)| {
            Some(Self { height: height.parse().ok()?, index: index.parse().ok()? })
        });
        // Rust reads `+1` and `01` as numbers too; a place has one spelling.
        let place = numbers.filter(|place| place.to_string() == text);
        place.ok_or_else(|| ParseError::new(text, "a place such as 1024:3 (HEIGHT:INDEX)"))
    }
}

serde_as_text!(Place);

impl PartialSchema for Place {
    fn schema() -> RefOr<Schema> {
        schema::text("A place in a history: `HEIGHT:INDEX`.", "^[0-9]+:[0-9]+$")
    }
}

impl ToSchema for Place {}

/// Asks for a page of a history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Whose; this node's account if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Payee>,
    /// Only what came before this place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Place>,
    /// At most this many lines, at most 1,000; 50 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of a history, newest first. Kept for this node's account and its owner's, from when the node
/// began to follow block by block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct History {
    /// Whose.
    pub account: AccountId,
    /// The lines.
    pub lines: Vec<HistoryLine>,
    /// What `before` has to be for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Place>,
}

/// Which way money went, seen from what the account can spend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// It came in.
    In,
    /// It went out.
    Out,
    /// What the account can spend did not change by it.
    #[default]
    None,
}

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryLine {
    /// Where it stands.
    pub place: Place,
    /// The block's time.
    pub at: Timestamp,
    /// A word for it, such as `transfer` or `paid`.
    pub kind: String,
    /// Which way money went.
    pub direction: Direction,
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_micros: Option<Micros>,
    /// The other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<AccountId>,
    /// Under which agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementId>,
    /// The memo of a transfer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub memo: String,
    /// The transaction's id, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Hash>,
    /// It in a sentence.
    pub sentence: String,
}

impl HistoryLine {
    /// A transaction that `account` made, or that names it.
    pub fn of_transaction(account: AccountId, place: Place, at: Timestamp, checked: &Checked) -> Self {
        let moved = moved(account, &checked.transaction);
        let memo = match &checked.transaction.action {
            Action::Transfer { memo, .. } => memo.to_string(),
            _ => String::new(),
        };
        let by = checked.transaction.account;
        Self {
            place,
            at,
            kind: moved.kind.to_owned(),
            direction: moved.direction,
            amount_micros: moved.amount,
            other: moved.other.or_else(|| (by != account).then_some(by)),
            agreement: moved.agreement,
            memo,
            transaction: Some(checked.id),
            sentence: checked.transaction.action.describe(),
        }
    }

    /// Something that followed, and befell `account`.
    pub fn of_happening(account: AccountId, place: Place, at: Timestamp, happening: HappeningView) -> Self {
        let is_its = happening.account == Some(account);
        let direction = match happening.kind.as_str() {
            "paid" | "objected" | "closed" | "unstaked" if is_its => Direction::In,
            _ => Direction::None,
        };
        Self {
            place,
            at,
            direction,
            other: if is_its { happening.other } else { happening.account },
            kind: happening.kind,
            amount_micros: happening.amount_micros,
            agreement: happening.agreement,
            memo: String::new(),
            transaction: None,
            sentence: happening.sentence,
        }
    }
}

/// What a transaction moved.
#[derive(Default)]
struct Moved {
    kind: &'static str,
    direction: Direction,
    amount: Option<Micros>,
    other: Option<AccountId>,
    agreement: Option<AgreementId>,
}

fn moved(account: AccountId, transaction: &Transaction) -> Moved {
    let is_own = transaction.account == account;
    let own = |direction| if is_own { direction } else { Direction::None };
    let plain = |kind| Moved { kind, ..Moved::default() };
    match &transaction.action {
        Action::Transfer { to, amount, .. } => Moved {
            kind: "transfer",
            direction: if is_own { Direction::Out } else { Direction::In },
            amount: Some(*amount),
            other: is_own.then_some(*to),
            ..Moved::default()
        },
        Action::OpenEscrow(opening) => Moved {
            kind: "escrow",
            direction: own(Direction::Out),
            amount: Some(opening.amount),
            other: is_own.then_some(opening.provider),
            agreement: Some(id_of(&opening.terms, &transaction.account, transaction.nonce)),
        },
        Action::TopUp { agreement, amount } => Moved {
            kind: "top-up",
            direction: own(Direction::Out),
            amount: Some(*amount),
            agreement: Some(*agreement),
            ..Moved::default()
        },
        Action::CompleteCharge { consumer, cost, .. } => Moved {
            kind: "charge",
            direction: if *consumer == account { Direction::Out } else { Direction::In },
            amount: Some(*cost),
            other: is_own.then_some(*consumer),
            ..Moved::default()
        },
        Action::BeginCharge { provider, limit, .. } => {
            Moved { amount: Some(*limit), other: is_own.then_some(*provider), ..plain("begin-charge") }
        }
        Action::Withdraw { amount, .. } => {
            Moved { direction: own(Direction::Out), amount: Some(*amount), ..plain("withdraw") }
        }
        Action::Deposit { to, amount, .. } => {
            let direction = if *to == account { Direction::In } else { Direction::None };
            Moved { direction, amount: Some(*amount), ..plain("deposit") }
        }
        Action::Stake { amount } => {
            Moved { direction: own(Direction::Out), amount: Some(*amount), ..plain("stake") }
        }
        Action::Unstake { amount } => Moved { amount: Some(*amount), ..plain("unstake") },
        Action::Object { agreement, owed, .. } => {
            Moved { amount: Some(*owed), agreement: Some(*agreement), ..plain("object") }
        }
        Action::CloseEscrow { agreement } => Moved { agreement: Some(*agreement), ..plain("close-escrow") },
        other => plain(word(other)),
    }
}

/// A word for what moves no money by itself.
const fn word(action: &Action) -> &'static str {
    match action {
        Action::RotateKeys { .. } => "rotate-keys",
        Action::Delegate { .. } => "delegate",
        Action::RevokeSession { .. } => "revoke-session",
        Action::LinkOwner { .. } => "link-owner",
        Action::UnlinkOwner => "unlink-owner",
        Action::Pay { .. } => "pay",
        Action::Claim { .. } => "claim",
        Action::RegisterMachine(_) => "register-machine",
        Action::ReportOnline(_) => "report-online",
        Action::AuditReport(_) => "audit-report",
        Action::ValidatorAdd(_) => "validator-add",
        Action::ValidatorRemove { .. } => "validator-remove",
        Action::ScheduleRules { .. } => "schedule-rules",
        Action::CallOffRules => "call-off-rules",
        Action::SetCheckpointKey { .. } => "set-checkpoint-key",
        _ => "other",
    }
}
