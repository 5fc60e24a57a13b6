//! What a job would cost.

use crate::output::{fields, table as columns};
use opensky_api::quote::QuoteView;
use opensky_types::Micros;

/// Each stage, and the whole.
pub fn table(quote: &QuoteView) -> String {
    let rows = quote.stages.iter().map(|stage| {
        let price = stage.prices_per_gfuel.map_or("nobody fits".to_owned(), |prices| {
            if prices.lowest == prices.highest {
                prices.median.to_string()
            } else {
                format!("{} to {}", prices.lowest, prices.highest)
            }
        });
        vec![
            stage.name.clone(),
            stage.tasks.to_string(),
            stage.runs.to_string(),
            format!("{} of {}", stage.nodes.fitting, stage.nodes.offers),
            price,
            stage.cost_expected_micros.map_or("unknown".to_owned(), |cost| cost.to_string()),
            stage.cost_max_micros.to_string(),
        ]
    });
    let head = ["STAGE", "TASKS", "RUNS", "NODES", "PER GFUEL", "EXPECTED", "AT MOST"];
    let stages = columns(&head, rows);
    format!("{stages}\n\n{}", whole(quote))
}

fn whole(quote: &QuoteView) -> String {
    if quote.economy_free {
        return "Work is free in this sky.".to_owned();
    }
    let budget = quote.budget_micros.map_or("none; set one with --budget".to_owned(), |at| at.to_string());
    fields(&[
        ("expected", expected(quote.cost_expected_micros)),
        ("at most", quote.cost_max_micros.to_string()),
        ("budget", budget),
        ("in the account", quote.available_micros.to_string()),
    ])
}

fn expected(cost: Option<Micros>) -> String {
    cost.map_or("unknown: a program in it never ran from this node".to_owned(), |cost| cost.to_string())
}

/// The quote in one line, where there is something to pay.
pub fn line(quote: &QuoteView) -> Option<String> {
    if quote.economy_free || quote.cost_max_micros == Micros::ZERO {
        return None;
    }
    let expected = quote.cost_expected_micros.map_or(String::new(), |cost| format!("about {cost}, "));
    let bound = quote.cost_max_micros;
    Some(format!("it costs {expected}{bound} at most; {} in the account", quote.available_micros))
}
