//! Money of accounts, its history, and what moves it.

use crate::ledger::HeadView;
use opensky_ledger::{reputation::Reputation, stake::Stake};
use opensky_types::{AccountId, Micros, NodeId, Timestamp, schema, serde_as_text, text::ParseError};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

/// Most automatic transfers of a node.
pub const AUTO_TRANSFERS_MAX: usize = 16;

/// An account by its id (`osk1…`), or by the id of the node whose account it is (`12D3KooW…`). Written
/// as the account id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Payee(pub AccountId);

impl Payee {
    /// The account of a node.
    pub fn of_node(node: NodeId) -> Self {
        Self(AccountId::of_node(node))
    }
}

impl FromStr for Payee {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let node = || text.parse().map(AccountId::of_node);
        let account = text.parse().or_else(|_| node());
        account.map(Self).map_err(|_| ParseError::new(text, "an account (osk1…) or a node id (12D3KooW…)"))
    }
}

serde_as_text!(Payee);

impl PartialSchema for Payee {
    fn schema() -> RefOr<Schema> {
        schema::text(
            "An account (`osk1…`), or the node whose account it is (`12D3KooW…`).",
            "^(osk1|12D3KooW)",
        )
    }
}

impl ToSchema for Payee {}

impl fmt::Display for Payee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Asks for a wallet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct WalletQuery {
    /// Whose; this node's account if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Payee>,
}

/// An account, with those of the nodes that name it as their owner, all read after the same block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Wallet {
    /// Whose wallet.
    pub account: AccountId,
    /// The block after which all was read.
    pub head: HeadView,
    /// `true`: prices are zero.
    pub economy_free: bool,
    /// The account itself, then those that it owns.
    pub accounts: Vec<AccountView>,
    /// The sum over them.
    pub total: MoneyView,
}

/// Money by where it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoneyView {
    /// Can be spent, staked and withdrawn.
    pub free_micros: Micros,
    /// Can be spent only: it began as a grant or an overdraft.
    pub granted_micros: Micros,
    /// Put aside for work, as far as the history that this node keeps tells; absent where it keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escrow_micros: Option<Micros>,
    /// At stake.
    pub staked_micros: Micros,
    /// On its way out of stake.
    pub unbonding_micros: Micros,
    /// Owed; income pays it first.
    pub debt_micros: Micros,
}

impl MoneyView {
    /// What can be spent.
    pub fn available(&self) -> Micros {
        sum(self.free_micros, self.granted_micros)
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let escrow = [self.escrow_micros, other.escrow_micros];
        Self {
            free_micros: sum(self.free_micros, other.free_micros),
            granted_micros: sum(self.granted_micros, other.granted_micros),
            escrow_micros: escrow.into_iter().flatten().reduce(sum),
            staked_micros: sum(self.staked_micros, other.staked_micros),
            unbonding_micros: sum(self.unbonding_micros, other.unbonding_micros),
            debt_micros: sum(self.debt_micros, other.debt_micros),
        }
    }
}

/// For showing only: a sum that does not fit is shown as the largest amount.
fn sum(one: Micros, other: Micros) -> Micros {
    Micros::new(one.get().saturating_add(other.get()))
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountView {
    /// Which.
    pub account: AccountId,
    /// Whether it is this node's.
    pub is_own: bool,
    /// Whether it has begun; one begins with its first income.
    pub exists: bool,
    /// Who owns it, if another account does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// Its money.
    pub money: MoneyView,
    /// Until when granted money may not be transferred, if that is still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_locked_until: Option<Timestamp>,
    /// What is on its way out of stake, first free first.
    pub unbonding: Vec<UnbondingView>,
    /// How far it is trusted.
    pub reputation: ReputationView,
    /// The number of its next transaction, after those that wait.
    pub next_number: u64,
}

/// Stake on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnbondingView {
    /// How much.
    pub amount_micros: Micros,
    /// From when it is free.
    pub free_at: Timestamp,
}

impl UnbondingView {
    /// All parts of a stake that are on their way out.
    pub fn of(stake: &Stake) -> Vec<Self> {
        let parts = stake.unbonding().iter();
        parts.map(|part| Self { amount_micros: part.amount, free_at: part.free_at }).collect()
    }
}

/// How far an account is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReputationView {
    /// From 0 to 1000.
    pub score: u16,
    /// `probation`, `new`, `established`, `trusted` or `veteran`.
    pub tier: String,
    /// Until when it may take no work, if that is still to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_until: Option<Timestamp>,
    /// Whether it is banned for good.
    pub is_banned: bool,
}

impl ReputationView {
    /// A reputation at a block time.
    pub fn of(reputation: &Reputation, now: Timestamp) -> Self {
        Self {
            score: reputation.score().get(),
            tier: reputation.tier().as_str().to_owned(),
            frozen_until: reputation.frozen_until(now),
            is_banned: reputation.is_banned(),
        }
    }
}

/// A transfer out of this node's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferRequest {
    /// To whom: an account or a node.
    pub to: Payee,
    /// How much.
    pub amount_micros: Micros,
    /// A few words, at most 64 bytes.
    #[serde(default)]
    pub memo: String,
    /// Only try it out.
    #[serde(default)]
    pub dry_run: bool,
}

/// An amount into or out of stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StakeRequest {
    /// How much.
    pub amount_micros: Micros,
    /// Only try it out.
    #[serde(default)]
    pub dry_run: bool,
}

/// Another owner of this node's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnerRequest {
    /// Who; nobody else if absent.
    #[serde(default)]
    pub owner: Option<Payee>,
    /// Only try it out.
    #[serde(default)]
    pub dry_run: bool,
}

/// The automatic transfers of this node's account, read and written whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoTransfers {
    /// They, at most [`AUTO_TRANSFERS_MAX`].
    pub transfers: Vec<AutoTransferView>,
}

/// Money that moves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoTransferView {
    /// To whom.
    pub to: Payee,
    /// When, and how much.
    pub when: WhenView,
    /// What stays in the account whatever happens.
    #[serde(default)]
    pub keep_micros: Micros,
}

/// When an automatic transfer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum WhenView {
    /// Whenever something is received: this part of it, in hundredths.
    Received { percent: u8 },
    /// Whenever more than this is available: what is above.
    Above { threshold_micros: Micros },
    /// This amount, each time so much time has passed since `last_at`, which is now if absent.
    Every {
        interval_ms: u64,
        amount_micros: Micros,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_at: Option<Timestamp>,
    },
}
