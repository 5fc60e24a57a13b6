//! `opensky ledger checkpoint`

use crate::{
    commands::Context,
    output::{fields, table},
};
use anyhow::Result;
use clap::Args;
use opensky_api::checkpoint::{CheckpointQuery, CheckpointView};

/// Show what validators signed for public chains where an epoch ended
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky ledger checkpoint                  the newest one
  opensky ledger checkpoint 7 --json         that of epoch 7, as a contract takes it
A checkpoint sums up all withdrawals. It counts once more than two thirds of the validators of its epoch
have signed; each names its key on the ledger by itself, for the epochs that begin after that.")]
pub struct CheckpointArgs {
    /// The epoch [default: the newest that ended]
    epoch: Option<u64>,
}

pub async fn run(context: &Context, args: &CheckpointArgs) -> Result<()> {
    let query = CheckpointQuery { epoch: args.epoch };
    context.format.print(&context.client()?.checkpoint(&query).await?, show)
}

fn show(view: &CheckpointView) -> String {
    let message = &view.typed_data.message;
    let standing = match view.is_complete {
        true => "complete".to_owned(),
        false => format!("{} are needed", view.quorum),
    };
    let rows = [
        ("epoch", message.epoch.to_string()),
        ("previous", message.previous.clone()),
        ("root", message.root.clone()),
        ("total", format!("{} micros", message.total)),
        ("set", message.set_id.to_string()),
        ("digest", view.digest.clone()),
        ("signed by", format!("{} of {}; {standing}", view.signatures.len(), view.signers.len())),
    ];
    let signatures = view.signatures.iter().map(|one| vec![one.address.clone(), one.signature.clone()]);
    format!("{}\n{}", fields(&rows), table(&["ADDRESS", "SIGNATURE"], signatures))
}
