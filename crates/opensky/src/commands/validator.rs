//! `opensky validator`

use crate::{
    acting::{ActArgs, act},
    amount::bare,
    commands::Context,
    output::table,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use opensky_api::validators::{DryRunQuery, ValidatorRequest, Validators};
use opensky_types::NodeId;

/// Show who votes on blocks, or change it
#[derive(Debug, Subcommand)]
pub enum ValidatorCommand {
    /// List who votes, and who may from the next epoch on
    List,
    /// Name a node that is to vote from the next epoch on
    #[command(after_help = "\
Examples:
  opensky validator add 12D3KooW… --yes
In a private sky its founder names validators; elsewhere a node names itself, with stake and reputation.
The node has to be willing and reachable, since its key signs too.")]
    Add(NodeArgs),
    /// Let a node vote no longer, from the next epoch on
    #[command(after_help = "Example:\n  opensky validator remove 12D3KooW… --dry-run")]
    Remove(NodeArgs),
}

/// Which node
#[derive(Debug, Args)]
pub struct NodeArgs {
    /// The node's id
    node: NodeId,
    #[command(flatten)]
    act: ActArgs,
}

pub async fn run(context: &Context, command: ValidatorCommand) -> Result<()> {
    let client = context.client()?;
    match command {
        ValidatorCommand::List => context.format.print(&client.validators().await?, show),
        ValidatorCommand::Add(NodeArgs { node, act: args }) => {
            let send = async |dry_run| client.add_validator(&ValidatorRequest { node, dry_run }).await;
            act(context, &client, args, &format!("Let {node} vote from the next epoch on?"), send).await
        }
        ValidatorCommand::Remove(NodeArgs { node, act: args }) => {
            let send = async |dry_run| client.remove_validator(node, &DryRunQuery { dry_run }).await;
            act(context, &client, args, &format!("Let {node} vote no longer?"), send).await
        }
    }
}

fn show(all: &Validators) -> String {
    let rows = all.validators.iter().map(|validator| {
        let standing = match (validator.votes_now, validator.is_candidate) {
            (true, true) => "votes",
            (true, false) => "votes until the epoch ends",
            (false, _) => "candidate",
        };
        let this = if validator.is_own { "this node" } else { "" };
        vec![
            validator.node.to_string(),
            standing.to_owned(),
            bare(validator.staked_micros),
            format!("{} {}", validator.reputation.score, validator.reputation.tier),
            this.to_owned(),
        ]
    });
    let place =
        format!("height {}, epoch {} of {} blocks", all.head.height, all.head.epoch, all.epoch_blocks);
    format!("{}\n\n{place}", table(&["NODE", "STANDING", "STAKE", "REPUTATION", ""], rows))
}
