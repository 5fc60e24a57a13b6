//! `opensky wallet auto-transfer`

use crate::{
    amount::{amount, percent},
    commands::{Context, invite::millis},
    fail::{Exit, Fail},
    output::{ago, duration, now, table},
};
use anyhow::Result;
use clap::{Args, Subcommand};
use opensky_api::wallet::{AUTO_TRANSFERS_MAX, AutoTransferView, AutoTransfers, Payee, WhenView};
use opensky_client::Client;
use opensky_types::Micros;

/// Let money move by itself
#[derive(Debug, Subcommand)]
pub enum AutoTransferCommand {
    /// List them
    List,
    /// Add one; it holds at once and over restarts
    Add(AddArgs),
    /// Remove one
    Remove {
        /// Its number in the list
        #[arg(value_parser = clap::value_parser!(u16).range(1..))]
        number: u16,
    },
}

/// Add one
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("when").required(true),
    after_help = "\
Examples:
  opensky wallet auto-transfer add --to osk1… --on-receipt 20%      a fifth of all that comes in
  opensky wallet auto-transfer add --to osk1… --above 10            all that is above 10 credits
  opensky wallet auto-transfer add --to osk1… --every 7d --amount 5 --keep 1
The first transfer of --every comes after that time. What --keep names stays whatever happens."
)]
pub struct AddArgs {
    /// To whom: an account (osk1…) or a node (12D3KooW…)
    #[arg(long, value_name = "ACCOUNT")]
    to: Payee,
    /// Whenever something is received: this part of it
    #[arg(long, value_name = "PERCENT", group = "when", value_parser = percent)]
    on_receipt: Option<u8>,
    /// Whenever more than this is available: what is above
    #[arg(long, value_name = "AMOUNT", group = "when", value_parser = amount)]
    above: Option<Micros>,
    /// Each time so much time has passed, such as 12h or 7d
    #[arg(long, value_name = "DURATION", group = "when", requires = "amount", value_parser = millis)]
    every: Option<u64>,
    /// How much each time
    #[arg(
        long,
        value_name = "AMOUNT",
        requires = "every",
        conflicts_with_all = ["on_receipt", "above"],
        value_parser = amount
    )]
    amount: Option<Micros>,
    /// What stays in the account
    #[arg(long, value_name = "AMOUNT", default_value = "0", value_parser = amount)]
    keep: Micros,
}

impl AddArgs {
    fn when(&self) -> Option<WhenView> {
        let received = self.on_receipt.map(|percent| WhenView::Received { percent });
        let above = self.above.map(|amount| WhenView::Above { threshold_micros: amount });
        let every = self.every.zip(self.amount).map(|(interval_ms, amount_micros)| WhenView::Every {
            interval_ms,
            amount_micros,
            last_at: None,
        });
        received.or(above).or(every)
    }
}

pub async fn run(context: &Context, client: &Client, command: AutoTransferCommand) -> Result<()> {
    let mut all = client.auto_transfers().await?;
    match command {
        AutoTransferCommand::List => {}
        AutoTransferCommand::Add(args) => {
            let Some(when) = args.when() else {
                return Err(Fail::new(Exit::Invalid, "name one of --on-receipt, --above and --every").into());
            };
            if all.transfers.len() >= AUTO_TRANSFERS_MAX {
                let what = format!("there are {AUTO_TRANSFERS_MAX} automatic transfers, no more are kept");
                let next = "remove one first: opensky wallet auto-transfer remove NUMBER";
                return Err(Fail::new(Exit::Failed, what).next(next).into());
            }
            all.transfers.push(AutoTransferView { to: args.to, when, keep_micros: args.keep });
            all = client.set_auto_transfers(&all).await?;
        }
        AutoTransferCommand::Remove { number } => {
            let index = usize::from(number) - 1;
            if index >= all.transfers.len() {
                let what = format!("there is no automatic transfer {number}");
                let next = "`opensky wallet auto-transfer list` numbers them";
                return Err(Fail::new(Exit::NotFound, what).next(next).into());
            }
            all.transfers.remove(index);
            all = client.set_auto_transfers(&all).await?;
        }
    }
    context.format.print(&all, show)
}

fn show(all: &AutoTransfers) -> String {
    if all.transfers.is_empty() {
        return "there are no automatic transfers".to_owned();
    }
    let rows = all.transfers.iter().zip(1u16..).map(|(transfer, number)| {
        vec![
            number.to_string(),
            transfer.to.to_string(),
            words(&transfer.when),
            transfer.keep_micros.to_string(),
        ]
    });
    table(&["NUMBER", "TO", "WHEN", "KEEPS"], rows)
}

fn words(when: &WhenView) -> String {
    match when {
        WhenView::Received { percent } => format!("{percent}% of what is received"),
        WhenView::Above { threshold_micros } => format!("what is above {threshold_micros}"),
        WhenView::Every { interval_ms, amount_micros, last_at } => {
            let last = last_at.map(|at| format!(", counted from {}", ago(now(), at))).unwrap_or_default();
            format!("{amount_micros} every {}{last}", duration(*interval_ms))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        add: AddArgs,
    }

    fn when(line: &str) -> Option<WhenView> {
        let to = opensky_types::AccountId::from_bytes([7; 32]).to_string();
        let words = ["add", "--to", &to].into_iter().chain(line.split(' '));
        Line::try_parse_from(words).ok()?.add.when()
    }

    #[test]
    fn exactly_one_occasion_is_named() {
        assert_eq!(when("--on-receipt 20%"), Some(WhenView::Received { percent: 20 }));
        assert_eq!(when("--above 10"), Some(WhenView::Above { threshold_micros: Micros::new(10_000_000) }));
        let every = WhenView::Every {
            interval_ms: 7 * 86_400_000,
            amount_micros: Micros::new(5_000_000),
            last_at: None,
        };
        assert_eq!(when("--every 7d --amount 5 --keep 1"), Some(every));
        for line in
            ["--keep 1", "--every 7d", "--amount 5", "--above 1 --on-receipt 5%", "--above 1 --amount 5"]
        {
            assert_eq!(when(line), None, "{line}");
        }
    }
}
