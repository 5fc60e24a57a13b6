//! `opensky wallet`

mod automatic;
mod owner;
mod show;

use crate::{
    acting::{ActArgs, act},
    amount::amount,
    commands::Context,
};
use anyhow::Result;
use automatic::AutoTransferCommand;
use clap::{Args, Subcommand};
use opensky_api::{
    history::{HistoryQuery, Place},
    wallet::{Payee, StakeRequest, TransferRequest, WalletQuery},
};
use opensky_types::Micros;
use owner::OwnerCommand;

/// Show balances and move money
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Show what an account has, and what the nodes that it owns have
    #[command(after_help = "\
Examples:
  opensky wallet balance                 this node's account
  opensky wallet balance osk1…           another one; an owner's is shown with its nodes'
  opensky wallet balance 12D3KooW…       the account of that node")]
    Balance {
        /// An account (osk1…) or a node (12D3KooW…) [default: this node]
        account: Option<Payee>,
    },
    /// Show what happened to an account, newest first
    #[command(after_help = "\
Examples:
  opensky wallet history --limit 100
  opensky wallet history --before 1024:3     goes on where the page before ended
History is kept for this node's account and its owner's, from when the node began to follow the ledger.")]
    History(HistoryArgs),
    /// Give money of this node's account away
    Transfer(TransferArgs),
    /// Let money move by itself
    #[command(subcommand)]
    AutoTransfer(AutoTransferCommand),
    /// Put money at stake; only money that was not granted can be
    #[command(after_help = "Example:\n  opensky wallet stake 1000 --dry-run")]
    Stake(StakeArgs),
    /// Send stake on its way out; it answers as before until it is free
    #[command(after_help = "Example:\n  opensky wallet unstake 1000 --yes")]
    Unstake(StakeArgs),
    /// Change who owns this node's account
    #[command(subcommand)]
    Owner(OwnerCommand),
}

/// Show what happened to an account
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// An account (osk1…) or a node (12D3KooW…) [default: this node]
    account: Option<Payee>,
    /// At most this many lines
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Only what came before this place
    #[arg(long, value_name = "HEIGHT:INDEX")]
    before: Option<Place>,
}

/// Give money away
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky wallet transfer osk1… 1.5 --memo \"for the render\"
  opensky wallet transfer 12D3KooW… 1500000u --dry-run
  opensky wallet transfer osk1… 0.25 --yes --no-wait       for scripts
Amounts are credits (1.5), or micros with a u (1500000u). 1 credit is 1,000,000 micros.")]
pub struct TransferArgs {
    /// To whom: an account (osk1…) or a node (12D3KooW…)
    to: Payee,
    /// How much
    #[arg(value_parser = amount)]
    amount: Micros,
    /// A few words that everyone can read, at most 64 bytes
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    memo: String,
    #[command(flatten)]
    act: ActArgs,
}

/// An amount into or out of stake
#[derive(Debug, Args)]
pub struct StakeArgs {
    /// How much
    #[arg(value_parser = amount)]
    amount: Micros,
    #[command(flatten)]
    act: ActArgs,
}

pub async fn run(context: &Context, command: WalletCommand) -> Result<()> {
    let client = context.client()?;
    match command {
        WalletCommand::Balance { account } => {
            let wallet = client.wallet(&WalletQuery { account }).await?;
            context.format.print(&wallet, show::wallet)
        }
        WalletCommand::History(args) => {
            let query = HistoryQuery { account: args.account, before: args.before, limit: Some(args.limit) };
            let history = client.wallet_history(&query).await?;
            context.format.print(&history, show::history)?;
            if let Some(next) = history.next {
                context.say(format!("older lines: --before {next}"));
            }
            Ok(())
        }
        WalletCommand::Transfer(args) => {
            let TransferArgs { to, amount, memo, act: args } = args;
            let question = format!("Transfer {amount} to {to}?");
            let send = async |dry_run| {
                client.transfer(&TransferRequest { to, amount_micros: amount, memo, dry_run }).await
            };
            act(context, &client, args, &question, send).await
        }
        WalletCommand::AutoTransfer(command) => automatic::run(context, &client, command).await,
        WalletCommand::Stake(StakeArgs { amount, act: args }) => {
            let send = async |dry_run| client.stake(&StakeRequest { amount_micros: amount, dry_run }).await;
            act(context, &client, args, &format!("Put {amount} at stake?"), send).await
        }
        WalletCommand::Unstake(StakeArgs { amount, act: args }) => {
            let send = async |dry_run| client.unstake(&StakeRequest { amount_micros: amount, dry_run }).await;
            act(context, &client, args, &format!("Take {amount} out of stake?"), send).await
        }
        WalletCommand::Owner(command) => owner::run(context, &client, command).await,
    }
}
