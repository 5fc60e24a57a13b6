//! What a job would cost, and who could run it, before anything is started.

use crate::node::Node;
use opensky_types::{
    Hash, Micros, NodeId, Timestamp,
    job::{JobSpec, StageSpec, Verify},
    reason::MisfitCounts,
    receipt::fuel_price,
};
use std::collections::BTreeMap;

/// Nodes whose prices a quote looks at, the best for the stage.
const PRICED_MAX: usize = 256;
/// Programs whose use of fuel is remembered.
const PROGRAMS_MAX: usize = 1_024;
/// A whole, of which shares are parts.
const PARTS: u64 = 100_000;

/// What a job would cost: all of it, since the ledger takes no fees and data moves for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Whether work has a price in this sky.
    pub has_prices: bool,
    /// Each stage, in order.
    pub stages: Vec<StageQuote>,
    /// If every run used all the fuel that it may, on the dearest node that fits; the budget, if that is
    /// less.
    pub cost_max: Micros,
    /// By what runs of the same programs used before, at the median price; none where one never ran here.
    pub cost_expected: Option<Micros>,
    /// The owner's bound.
    pub budget: Option<Micros>,
    /// What can be spent now.
    pub available: Micros,
}

/// What a stage would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageQuote {
    /// Its name.
    pub name: String,
    /// Its tasks.
    pub tasks: u32,
    /// Runs that are paid for if nothing goes wrong, replicas and expected checks with them.
    pub runs: u64,
    /// Who fits.
    pub counts: MisfitCounts,
    /// Lowest, median and highest price of one billion fuel among those that fit; none if nobody does.
    pub prices: Option<[Micros; 3]>,
    /// The same two bounds as of the whole job.
    pub cost_max: Micros,
    pub cost_expected: Option<Micros>,
}

/// Fuel that runs of each program used.
#[derive(Debug, Default)]
pub(crate) struct FuelSeen {
    programs: BTreeMap<Hash, (u64, u128)>,
}

impl FuelSeen {
    /// A run of a program used so much.
    pub(crate) fn note(&mut self, program: Hash, fuel: u64) {
        if self.programs.len() >= PROGRAMS_MAX && !self.programs.contains_key(&program) {
            self.programs.pop_first();
        }
        let (runs, sum) = self.programs.entry(program).or_default();
        (*runs, *sum) = (*runs + 1, *sum + u128::from(fuel));
    }

    /// What one run uses on average.
    pub(crate) fn mean(&self, program: &Hash) -> Option<u64> {
        let (runs, sum) = self.programs.get(program)?;
        u64::try_from(sum / u128::from(*runs)).ok()
    }
}

impl Node {
    /// What a job would cost now.
    pub(crate) fn quote(&self, now: Timestamp, spec: &JobSpec) -> Quote {
        let counts = spec.task_counts();
        let stages: Vec<StageQuote> = spec
            .stages
            .iter()
            .zip(counts)
            .map(|(stage, tasks)| self.stage_quote(now, stage, tasks))
            .collect();
        let cost_max = total(stages.iter().map(|stage| stage.cost_max));
        let expected: Option<Vec<Micros>> = stages.iter().map(|stage| stage.cost_expected).collect();
        Quote {
            has_prices: self.ledger.has_prices(),
            cost_max: spec.budget.map_or(cost_max, |budget| budget.min(cost_max)),
            cost_expected: expected.map(|costs| total(costs.into_iter())),
            budget: spec.budget,
            available: self.uncommitted(),
            stages,
        }
    }

    /// How often the work of nodes is checked, on average.
    fn mean_audit_parts(&self, now: Timestamp, nodes: &[NodeId]) -> u64 {
        let parts = self.audit_parts(now, nodes.iter().copied());
        parts.iter().map(|parts| u64::from(*parts)).sum::<u64>() / (parts.len() as u64).max(1)
    }

    fn stage_quote(&self, now: Timestamp, stage: &StageSpec, tasks: u32) -> StageQuote {
        let found = self.market.find(now, &stage.demand(), PRICED_MAX, &[], 0);
        let nodes: Vec<NodeId> = found.ranked.iter().chain(&found.busy).map(|found| found.node).collect();
        let mut prices: Vec<Micros> = nodes.iter().map(|node| self.price_of(*node)).collect();
        prices.sort_unstable();
        let prices = match prices.as_slice() {
            [] => None,
            [lowest, .., highest] => Some([*lowest, prices[prices.len() / 2], *highest]),
            [only] => Some([*only; 3]),
        };
        let checked = match stage.verify {
            Verify::Reputation => self.mean_audit_parts(now, &nodes),
            _ => 0,
        };
        let each = runs_of_each(stage.verify, checked);
        let runs = u64::from(tasks).saturating_mul(each) / PARTS;
        let cost = |fuel: u64, price: Micros| Micros::new(fuel_price(fuel, price).get().saturating_mul(runs));
        let [_, median, highest] = prices.unwrap_or_default();
        StageQuote {
            name: stage.name.clone(),
            tasks,
            runs,
            counts: found.counts,
            prices,
            cost_max: cost(stage.limits.fuel, highest),
            cost_expected: self.consumer.fuel_seen.mean(&stage.program.hash).map(|fuel| cost(fuel, median)),
        }
    }
}

/// Runs of a task that are paid for, in parts of 100,000; `checked` of those that reputation decides on.
fn runs_of_each(verify: Verify, checked: u64) -> u64 {
    match verify {
        Verify::None => PARTS,
        Verify::Sample { per_mille } => PARTS + u64::from(per_mille) * (PARTS / 1_000),
        Verify::Quorum { replicas, .. } | Verify::Checked { replicas, .. } => PARTS * u64::from(replicas),
        Verify::Reputation => PARTS + checked,
    }
}

fn total(costs: impl Iterator<Item = Micros>) -> Micros {
    Micros::new(costs.map(Micros::get).fold(0, u64::saturating_add))
}
