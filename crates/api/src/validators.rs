//! Who votes on blocks.

use crate::{ledger::HeadView, wallet::ReputationView};
use opensky_types::{AccountId, Micros, NodeId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Asks to add or remove a validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidatorRequest {
    /// Which node.
    pub node: NodeId,
    /// Only try it out.
    #[serde(default)]
    pub dry_run: bool,
}

/// The query of what removes a validator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DryRunQuery {
    /// Only try it out.
    pub dry_run: bool,
}

/// Who votes, and who may from the next epoch on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Validators {
    /// The block after which this was read.
    pub head: HeadView,
    /// Blocks of an epoch.
    pub epoch_blocks: u64,
    /// Who names validators, in a private sky.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<AccountId>,
    /// In the order of their ids.
    pub validators: Vec<ValidatorView>,
}

/// One validator, or one that would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ValidatorView {
    /// The node that votes.
    pub node: NodeId,
    /// Whose stake answers for it.
    pub account: AccountId,
    /// Whether it is this node.
    pub is_own: bool,
    /// Whether it votes in this epoch.
    pub votes_now: bool,
    /// Whether it is a candidate for the next.
    pub is_candidate: bool,
    /// What it has at stake.
    pub staked_micros: Micros,
    /// How far it is trusted.
    pub reputation: ReputationView,
}
