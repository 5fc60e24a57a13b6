//! The ledger as a whole: where it stands, its blocks, its proofs.

use opensky_ledger::{params::Params, rules::Rules};
use opensky_types::{AccountId, AgreementId, Hash, Micros, NodeId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::happening::HappeningView;
use utoipa::{IntoParams, ToSchema};

/// Content type of a proof.
pub const PROOF_CONTENT_TYPE: &str = "application/octet-stream";

/// A final block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeadView {
    /// Distance from genesis.
    pub height: u64,
    /// Its id.
    pub block: Hash,
    /// The root of the state after it.
    pub state: Hash,
    /// Its time.
    pub at: Timestamp,
    /// Its epoch.
    pub epoch: u64,
}

/// A node's part in the agreement on blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoleView {
    /// It reads along.
    Follower,
    /// It votes.
    Validator,
    /// It should vote and does not.
    Stopped,
}

impl RoleView {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Follower => "follower",
            Self::Validator => "validator",
            Self::Stopped => "stopped",
        }
    }
}

/// The ledger in one screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerView {
    /// The sky.
    pub sky: Hash,
    /// The sky's first facts, encoded, in hex: what `opensky ledger verify --genesis` takes.
    pub genesis: String,
    /// The newest final block that this node knows.
    pub head: HeadView,
    /// Who votes on the next block.
    pub validators: Vec<NodeId>,
    /// This node's part.
    pub role: RoleView,
    /// Why it does not vote, where it should; else empty.
    pub role_note: String,
    /// Where other validators reach it, if it votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator_address: Option<String>,
    /// Transactions that wait.
    pub waiting: u64,
    /// Entries of the state.
    pub entries: u64,
    /// `true`: prices are zero.
    pub economy_free: bool,
    /// The numbers of the rules.
    pub params: ParamsView,
    /// The rules in force.
    pub rules: u32,
    /// A switch of rules to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_next: Option<RulesSwitchView>,
}

/// A switch of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RulesSwitchView {
    /// To which version.
    pub version: u32,
    /// The first height under it.
    pub height: u64,
}

impl RulesSwitchView {
    /// The switch that these rules have before them.
    pub fn of(rules: &Rules) -> Option<Self> {
        rules.switch().map(|switch| Self { version: switch.version.get(), height: switch.height })
    }
}

/// Those numbers of the rules that people ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParamsView {
    /// Who names validators and rules, in a private sky.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<AccountId>,
    /// What a first income must be.
    pub new_account_min_micros: Micros,
    /// Least stake of a validator, in a sky without an authority.
    pub validator_stake_min_micros: Micros,
    /// How long stake is on its way out.
    pub unbonding_ms: u64,
    /// Blocks of an epoch.
    pub epoch_blocks: u64,
    /// Most transactions of a block.
    pub transactions_max: u32,
    /// Longest time that an escrow may be open.
    pub escrow_ms_max: u64,
    /// Shortest time in which a consumer may object to a claim.
    pub claim_window_ms_min: u64,
    /// Longest one.
    pub claim_window_ms_max: u64,
}

impl From<&Params> for ParamsView {
    fn from(params: &Params) -> Self {
        Self {
            authority: params.authority,
            new_account_min_micros: params.new_account_min,
            validator_stake_min_micros: params.validator_stake_min,
            unbonding_ms: params.unbonding_ms,
            epoch_blocks: params.epoch_blocks,
            transactions_max: params.transactions_max,
            escrow_ms_max: params.escrow_ms_max,
            claim_window_ms_min: params.claim_window_ms_min,
            claim_window_ms_max: params.claim_window_ms_max,
        }
    }
}

/// The ledger in the node's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerSummary {
    /// The newest final block that this node knows.
    pub height: u64,
    /// When it was made.
    pub at: Timestamp,
    /// This node's part.
    pub role: RoleView,
    /// Why it does not vote, where it should; else empty.
    pub role_note: String,
    /// What this node's account can spend; absent where the sky has no prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_micros: Option<Micros>,
}

/// Asks for a proof of one entry, or of its absence. Exactly one field is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// Of an account's money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<crate::wallet::Payee>,
    /// Of an agreement's escrow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementId>,
    /// Of any entry, by its encoded key in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Asks for final blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct BlocksQuery {
    /// The first height; 1 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
}

/// Final blocks in a row, as nodes send them to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Blocks {
    /// The height of the first.
    pub from: u64,
    /// Each in hex; the last one, and maybe others, with its certificate. Empty above the head, and
    /// where this node does not keep blocks that old.
    pub blocks: Vec<String>,
    /// The newest final block that this node knows.
    pub head: HeadView,
}

/// One server-sent event of the ledger: the SSE field `event` is the tag, `data` this JSON, `id` the
/// height. The stream starts with `head`, and sends it again where a reader was too slow for blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum LedgerEvent {
    /// The newest final block; blocks before it may have been left out.
    Head(HeadView),
    /// A block became final.
    Block {
        /// The block.
        head: HeadView,
        /// The ids of its transactions, in order.
        transactions: Vec<Hash>,
        /// What happened beside what transactions say.
        happenings: Vec<HappeningView>,
        /// What this node's account was paid and given in it.
        income_micros: Micros,
    },
    /// A kind of event that this client does not know yet.
    #[serde(other)]
    Unknown,
}

impl LedgerEvent {
    /// The SSE field `event`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Head(_) => "head",
            Self::Block { .. } => "block",
            Self::Unknown => "unknown",
        }
    }
}
