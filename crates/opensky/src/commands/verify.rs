//! `opensky verify`

use crate::{
    commands::Context,
    fail::{Exit, Fail},
    output::{fields, fuel, size},
};
use anyhow::{Context as _, Result};
use clap::Args;
use opensky_api::receipt::{ReceiptView, StandingView};
use opensky_types::Hash;
use std::path::PathBuf;

/// Check a receipt, offline
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky verify receipt.json              needs no node and no network
  opensky verify 5e0c… --save receipt.json fetches it from the local node first")]
pub struct VerifyArgs {
    /// A receipt's file, or its id
    receipt: String,
    /// Keep the receipt in this file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

pub async fn run(context: &Context, args: VerifyArgs) -> Result<()> {
    let view = match args.receipt.parse::<Hash>() {
        Ok(id) if !std::path::Path::new(&args.receipt).exists() => context.client()?.receipt(id).await?,
        _ => read(&args.receipt)?,
    };
    view.verify().map_err(|error| {
        Fail::new(Exit::Invalid, format!("the receipt does not hold: {error}"))
            .next("fetch it again where the job ran: opensky verify ID --save FILE")
    })?;
    if let Some(path) = &args.save {
        let text = serde_json::to_string_pretty(&view)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        context.say(format!("kept in {}", path.display()));
    }
    context.format.print(&view, show)
}

fn read(path: &str) -> Result<ReceiptView> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Fail::new(Exit::NotFound, format!("cannot read the receipt {path}: {error}"))
            .next("name a file, or a receipt's id of 64 hex digits (`opensky jobs show JOB`)")
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Fail::new(Exit::Invalid, format!("{path} is not a receipt: {error}"))
            .next("receipts are files that `opensky verify ID --save FILE` wrote")
            .into()
    })
}

fn show(view: &ReceiptView) -> String {
    let standing = match view.standing {
        StandingView::Accepted => "valid: signed by the provider, accepted by the consumer",
        StandingView::Claimed => "valid: signed by the provider; the consumer has not signed it",
        StandingView::Rejected => "valid: signed by the provider; the consumer did not accept the result",
    };
    let usage = &view.usage;
    let used = format!(
        "{} fuel, {:.1} ms, {} of memory",
        fuel(usage.fuel),
        usage.wall_us as f64 / 1000.0,
        size(usage.memory_peak_bytes)
    );
    fields(&[
        ("receipt", view.id.to_string()),
        ("standing", standing.to_owned()),
        ("provider", view.provider.to_string()),
        ("consumer", view.consumer.to_string()),
        ("job, task", format!("{}, {} (attempt {})", view.job, view.task, view.attempt)),
        ("program", view.program.to_string()),
        ("input", view.input.to_string()),
        ("output", view.output.to_string()),
        ("used", used),
        ("price", view.price.to_string()),
        ("engine", format!("{} ({})", view.engine, view.engine_config.short())),
    ])
}
