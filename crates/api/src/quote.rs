//! What a job would cost, before it is started.

use crate::progress::MisfitCountsView;
use opensky_types::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a job would cost, all in: the ledger takes no fees, and data moves for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuoteView {
    /// `true`: prices are zero.
    pub economy_free: bool,
    /// Each stage, in order.
    pub stages: Vec<StageQuoteView>,
    /// In micros, if every run used all the fuel that it may, on the dearest node that fits; the budget, if
    /// that is less.
    pub cost_max_micros: Micros,
    /// In micros, by what the same programs used before, at the median price; absent where one never ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_expected_micros: Option<Micros>,
    /// The owner's bound, in micros.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_micros: Option<Micros>,
    /// What this node's account can spend now, in micros.
    pub available_micros: Micros,
}

/// What a stage would cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageQuoteView {
    /// Its name.
    pub name: String,
    /// Its tasks.
    pub tasks: u32,
    /// Runs that are paid for if nothing goes wrong, replicas and expected checks with them.
    pub runs: u64,
    /// Who fits, and what excluded the others.
    pub nodes: MisfitCountsView,
    /// Prices of one billion fuel among those that fit; absent if nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_per_gfuel: Option<PriceRange>,
    /// As of the whole job.
    pub cost_max_micros: Micros,
    /// As of the whole job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_expected_micros: Option<Micros>,
}

/// Prices, in micros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceRange {
    /// The lowest.
    pub lowest: Micros,
    /// The one in the middle.
    pub median: Micros,
    /// The highest.
    pub highest: Micros,
}
