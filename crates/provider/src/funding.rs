//! Money that consumers put aside: work starts once it is there, and goes on as far as it reaches.

use crate::{Effect, Provider};
use opensky_types::{
    AgreementId, Micros, Timestamp, agreement::Terms, reason::Misfit, receipt::run_price, task::TaskReport,
};

/// What a consumer has put aside for an agreement, and what was used of it.
#[derive(Debug)]
pub(crate) struct Funding {
    funds: Funds,
    /// The prices of all runs that ended.
    spent: Micros,
    runs: u64,
    /// When the consumer was last told that it runs low.
    told_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Funds {
    /// Nothing is paid.
    Free,
    /// Nothing is there yet.
    Awaited { since: Timestamp },
    /// So much is there in all; if too little for one more task, since when.
    Put { amount: Micros, used_up_at: Option<Timestamp> },
}

impl Funding {
    /// The state at the beginning, or after a restart with what was `spent` before.
    pub fn new(terms: &Terms, spent: Micros, now: Timestamp) -> Self {
        let funds = if terms.payment.is_some() { Funds::Awaited { since: now } } else { Funds::Free };
        Self { funds, spent, runs: 0, told_at: None }
    }

    /// How many tasks the money reaches for, while `running` are on their way.
    pub fn reach(&self, running: usize) -> usize {
        let amount = match self.funds {
            Funds::Free => return usize::MAX,
            Funds::Awaited { .. } => return 0,
            Funds::Put { amount, .. } => amount,
        };
        let left = amount.checked_sub(self.spent).unwrap_or_default();
        if left == Micros::ZERO {
            return 0;
        }
        // Until one has ended nobody knows what a task costs; batches are of one then.
        let Some(each) = self.spent.get().checked_div(self.runs).filter(|each| *each > 0) else {
            return usize::MAX;
        };
        usize::try_from(left.get() / each).unwrap_or(usize::MAX).saturating_sub(running)
    }

    /// A run ended.
    pub fn use_up(&mut self, price: Micros) {
        self.spent = self.spent.checked_add(price).unwrap_or(Micros::new(u64::MAX));
        self.runs += 1;
    }

    /// The consumer never sees the result of a run that ended.
    pub fn give_back(&mut self, price: Micros) {
        self.spent = self.spent.checked_sub(price).unwrap_or_default();
        self.runs = self.runs.saturating_sub(1);
    }

    fn is_low(&self) -> bool {
        matches!(self.funds, Funds::Put { amount, .. } if self.spent.get() >= amount.get() / 2 || self.reach(0) == 0)
    }
}

impl Provider {
    /// The ledger shows how much is put aside in all.
    pub(crate) fn on_funded(&mut self, id: AgreementId, amount: Micros) {
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        let funding = &mut agreement.funding;
        let is_known = matches!(funding.funds, Funds::Put { amount: known, .. } if known == amount);
        if funding.funds != Funds::Free && !is_known {
            funding.funds = Funds::Put { amount, used_up_at: None };
            funding.told_at = None;
        }
    }

    /// Tells consumers whose money runs low, and ends what has no money or no time left.
    pub(crate) fn look_after_funds(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let mut over = Vec::new();
        for agreement in self.agreements.values_mut() {
            let Some(payment) = agreement.terms.payment else { continue };
            let funding = &mut agreement.funding;
            let waited_ms = funding.told_at.map_or(u64::MAX, |told| now.ms_since(told));
            if funding.is_low() && waited_ms >= self.config.standing_ms {
                funding.told_at = Some(now);
                let (to, spent) = (agreement.terms.consumer, funding.spent);
                effects.push(Effect::FundsLow { to, agreement: agreement.id, spent });
            }
            let is_used_up = funding.reach(0) == 0;
            let is_dry = agreement.batches.is_empty()
                && match &mut funding.funds {
                    Funds::Free => false,
                    Funds::Awaited { since } => now.ms_since(*since) >= self.config.unfunded_ms,
                    Funds::Put { used_up_at, .. } => {
                        *used_up_at = is_used_up.then(|| used_up_at.unwrap_or(now));
                        used_up_at.is_some_and(|at| now.ms_since(at) >= self.config.used_up_ms)
                    }
                };
            if is_dry {
                over.push((agreement.id, Misfit::Unfunded));
            } else if now >= payment.expires_at {
                over.push((agreement.id, Misfit::Expired));
            }
        }
        for (id, misfit) in over {
            self.end(id, Some(misfit), effects);
        }
    }
}

/// What a run costs, as its receipt will say.
pub(crate) fn price(terms: &Terms, report: &TaskReport) -> Micros {
    run_price(&report.outcome, report.usage.fuel, terms.price_per_gfuel)
}
