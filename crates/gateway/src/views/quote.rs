//! Quotes as the API shows them.

use opensky_api::quote::{PriceRange, QuoteView, StageQuoteView};
use opensky_node::{Quote, StageQuote};

pub(crate) fn quote(quote: &Quote) -> QuoteView {
    QuoteView {
        economy_free: !quote.has_prices,
        stages: quote.stages.iter().map(stage).collect(),
        cost_max_micros: quote.cost_max,
        cost_expected_micros: quote.cost_expected,
        budget_micros: quote.budget,
        available_micros: quote.available,
    }
}

fn stage(stage: &StageQuote) -> StageQuoteView {
    StageQuoteView {
        name: stage.name.clone(),
        tasks: stage.tasks,
        runs: stage.runs,
        nodes: (&stage.counts).into(),
        prices_per_gfuel: stage.prices.map(|[lowest, median, highest]| PriceRange {
            lowest,
            median,
            highest,
        }),
        cost_max_micros: stage.cost_max,
        cost_expected_micros: stage.cost_expected,
    }
}
