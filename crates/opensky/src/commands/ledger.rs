//! `opensky ledger`

mod checkpoint;
mod export;
mod proof;

use crate::{
    commands::Context,
    output::{ago, duration, fields, now, table},
};
use anyhow::Result;
use checkpoint::CheckpointArgs;
use clap::Subcommand;
use export::ExportArgs;
use opensky_api::ledger::LedgerView;
use proof::{ProveArgs, VerifyArgs};

/// Look at the sky's ledger, prove what it holds, check proofs
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Show where the ledger stands, who votes, and the numbers of its rules
    Info,
    /// Prove an entry of the ledger to whoever knows the sky's genesis
    Prove(ProveArgs),
    /// Check a proof, offline
    Verify(VerifyArgs),
    /// Write final blocks into a file
    Export(ExportArgs),
    /// Show what validators signed for public chains where an epoch ended
    Checkpoint(CheckpointArgs),
}

pub async fn run(context: &Context, command: LedgerCommand) -> Result<()> {
    match command {
        LedgerCommand::Info => context.format.print(&context.client()?.ledger().await?, show),
        LedgerCommand::Prove(args) => proof::prove(context, args).await,
        LedgerCommand::Verify(args) => proof::verify(context, &args).await,
        LedgerCommand::Export(args) => export::run(context, &args).await,
        LedgerCommand::Checkpoint(args) => checkpoint::run(context, &args).await,
    }
}

fn show(view: &LedgerView) -> String {
    let (head, params) = (&view.head, &view.params);
    let role = match view.role_note.as_str() {
        "" => view.role.as_str().to_owned(),
        why => format!("{}: {why}", view.role.as_str()),
    };
    let prices = if view.economy_free { "none" } else { "yes" };
    let authority = match params.authority {
        Some(authority) => authority.to_string(),
        None => format!("nobody; by stake, {} at least", params.validator_stake_min_micros),
    };
    let rules = match view.rules_next {
        Some(next) => format!("{}; {} from height {} on", view.rules, next.version, next.height),
        None => view.rules.to_string(),
    };
    let windows =
        format!("{} to {}", duration(params.claim_window_ms_min), duration(params.claim_window_ms_max));
    let mut rows = vec![
        ("height", format!("{}, {}", head.height, ago(now(), head.at))),
        ("block", head.block.to_string()),
        ("state root", head.state.to_string()),
        ("epoch", format!("{}, of {} blocks", head.epoch, params.epoch_blocks)),
        ("this node", role),
    ];
    rows.extend(view.validator_address.iter().map(|address| ("votes at", address.clone())));
    rows.extend([
        ("waiting", format!("{} transactions", view.waiting)),
        ("entries", view.entries.to_string()),
        ("prices", prices.to_owned()),
        ("named by", authority),
        ("rules", rules),
        ("new account", format!("from {} on", params.new_account_min_micros)),
        ("unbonding", duration(params.unbonding_ms)),
        ("claim window", windows),
        ("block holds", format!("{} transactions at most", params.transactions_max)),
    ]);
    let validators = view.validators.iter().map(|node| vec![node.to_string()]);
    format!("{}\n{}", fields(&rows), table(&["VALIDATOR"], validators))
}
