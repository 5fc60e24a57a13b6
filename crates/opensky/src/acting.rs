//! Acting on the ledger: asking first, sending, waiting until it is final.

use crate::{
    commands::Context,
    fail::{Exit, Fail},
    output::fields,
};
use anyhow::Result;
use clap::Args;
use indicatif::ProgressBar;
use opensky_api::transaction::{TransactionView, WhereView};
use opensky_client::{Client, ClientError};
use opensky_types::Hash;
use std::{
    io::{self, BufRead, IsTerminal, Write},
    time::Duration,
};

/// How long one question for a transaction waits at the node.
const WAIT: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(100);

/// How to act.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ActArgs {
    /// Only say what would come of it
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask first
    #[arg(long, short)]
    pub yes: bool,
    /// Do not wait until it is final
    #[arg(long)]
    pub no_wait: bool,
}

/// Asks, sends, waits, and prints what became of it. `send` is told whether to only try it out.
pub async fn act(
    context: &Context,
    client: &Client,
    args: ActArgs,
    question: &str,
    send: impl AsyncFnOnce(bool) -> Result<TransactionView, ClientError>,
) -> Result<()> {
    if args.dry_run {
        return context.format.print(&send(true).await?, show);
    }
    confirm(question, args.yes)?;
    let sent = send(false).await?;
    let settled = match sent.id {
        Some(id) if !args.no_wait => settle(context, client, id, &sent.sentence).await?,
        _ => sent,
    };
    context.format.print(&settled, show)
}

/// Lets only a person's yes, or the flag that says so, through.
pub fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let what = "this has to be confirmed, and nobody is at a terminal to do so";
        return Err(Fail::new(Exit::Invalid, what).next("look at it with --dry-run, then say --yes").into());
    }
    eprint!("{} [y/N] ", crate::terminal::clean(question));
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Fail::new(Exit::Failed, "nothing was done").into()),
    }
}

/// Waits until the transaction is final. Ctrl-c ends the waiting, not the transaction.
async fn settle(context: &Context, client: &Client, id: Hash, sentence: &str) -> Result<TransactionView> {
    let spinner = spinner(context, id);
    let settled = tokio::select! {
        settled = until_settled(client, id) => settled,
        _ = tokio::signal::ctrl_c() => Err(Fail::new(Exit::Interrupted, format!("transaction {id} is on its way"))
            .next("`opensky wallet history` shows it once it is final")
            .into()),
    };
    spinner.finish_and_clear();
    Ok(TransactionView { sentence: sentence.to_owned(), ..settled? })
}

fn spinner(context: &Context, id: Hash) -> ProgressBar {
    if context.quiet || !io::stderr().is_terminal() {
        context.say(format!("transaction {id} waits for its block"));
        return ProgressBar::hidden();
    }
    let spinner =
        ProgressBar::new_spinner().with_message(format!("transaction {} waits for its block", id.short()));
    spinner.enable_steady_tick(TICK);
    spinner
}

async fn until_settled(client: &Client, id: Hash) -> Result<TransactionView> {
    loop {
        let view = client.transaction(id, WAIT).await?;
        match view.standing {
            WhereView::Waiting => {}
            WhereView::Final | WhereView::DryRun => return Ok(view),
            WhereView::Unknown => {
                let what = format!("transaction {id} came into no block in time and was given up");
                let next = "nothing was done; do the validators run? `opensky ledger info` shows the ledger";
                return Err(Fail::new(Exit::Failed, what).next(next).into());
            }
        }
    }
}

fn show(view: &TransactionView) -> String {
    let mut rows = vec![("what", view.sentence.clone()), ("standing", view.standing.as_str().to_owned())];
    rows.extend(view.id.map(|id| ("transaction", id.to_string())));
    rows.extend(view.height.map(|height| ("height", height.to_string())));
    rows.extend(view.happenings.iter().map(|happening| ("then", happening.sentence.clone())));
    fields(&rows)
}
