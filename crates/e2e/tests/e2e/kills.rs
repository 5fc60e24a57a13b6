//! A validator that is killed again and again while it commits: what it said to be final stays so.
//!
//! `OPENSKY_KILLS` says how often; a few by default, so that every run has some.

use anyhow::{Context, Result, ensure};
use opensky_client::{
    Client, ClientError,
    api::{
        Code,
        transaction::WhereView,
        wallet::{Payee, TransferRequest, WalletQuery},
    },
};
use opensky_e2e::{Node, until};
use opensky_types::{Hash, Keypair, Micros};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const KILLS: u32 = 5;
/// Transfers on their way at a time.
const LANES: usize = 4;
const SUPPLY: u64 = 1_000_000_000;
const AMOUNT: u64 = 7;
/// A life lasts so long at least, and at most twice as long and a bit, in milliseconds.
const LIFE_MS: u64 = 60;

/// What was sent, what was said to be final, and what lost its number to a transfer of an earlier life.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    finals: AtomicU64,
    dropped: AtomicU64,
}

fn payee() -> Payee {
    Payee::of_node(Keypair::from_seed([77; 32]).id())
}

/// Sends money until the node is gone. A node that lives takes every transfer.
async fn spend(client: Client, counts: Arc<Counts>) -> Result<()> {
    let request = TransferRequest {
        to: payee(),
        amount_micros: Micros::new(AMOUNT),
        memo: String::new(),
        dry_run: false,
    };
    loop {
        // Counted before: a node that dies may have taken it without a word.
        counts.sent.fetch_add(1, Ordering::SeqCst);
        let Some(sent) = answered(client.transfer(&request).await)? else { return Ok(()) };
        let id = sent.id.context("a transfer has an id")?;
        let Some(found) = answered(client.transaction(id, Duration::from_secs(1)).await)? else {
            return Ok(());
        };
        match found.standing {
            WhereView::Final => _ = counts.finals.fetch_add(1, Ordering::SeqCst),
            WhereView::Unknown => _ = counts.dropped.fetch_add(1, Ordering::SeqCst),
            WhereView::Waiting | WhereView::DryRun => {}
        }
    }
}

/// What a node answered; none if it is gone.
fn answered<T>(answer: Result<T, ClientError>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ClientError::Problem(problem)) => Err(ClientError::Problem(problem).into()),
        Err(_) => Ok(None),
    }
}

/// What the founder has.
async fn left(client: &Client) -> Result<u64> {
    let wallet = client.wallet(&WalletQuery::default()).await?;
    Ok(wallet.total.free_micros.get() + wallet.total.granted_micros.get())
}

/// The delays are the same in every run.
fn life(round: u32) -> Duration {
    let drawn = Hash::of(&round.to_le_bytes()).as_bytes()[0];
    Duration::from_millis(LIFE_MS + u64::from(drawn))
}

#[tokio::test]
async fn f1_a_validator_killed_while_it_commits_loses_nothing_that_was_final() -> Result<()> {
    let kills = match std::env::var("OPENSKY_KILLS") {
        Ok(text) => text.parse().context("OPENSKY_KILLS is a number")?,
        Err(_) => KILLS,
    };
    let folder = tempfile::tempdir()?;
    let new = ["--economy", "paid", "--supply", "1000", "--epoch-blocks", "50"];
    let mut node = Node::start_with(folder.path().join("n1"), &new).await?;
    let counts = Arc::new(Counts::default());
    let mut starts = Vec::new();
    for round in 0..kills {
        let lanes: Vec<_> = (0..LANES)
            .map(|_| Ok(tokio::spawn(spend(node.client()?, Arc::clone(&counts)))))
            .collect::<Result<_>>()?;
        let before = counts.finals.load(Ordering::SeqCst);
        let is_over = || lanes.iter().all(tokio::task::JoinHandle::is_finished);
        until("something to be final", async || {
            Ok(is_over() || counts.finals.load(Ordering::SeqCst) > before)
        })
        .await?;
        tokio::time::sleep(life(round)).await;
        node.kill()?;
        for lane in lanes {
            lane.await??;
        }
        let (finals, sent) = (counts.finals.load(Ordering::SeqCst), counts.sent.load(Ordering::SeqCst));
        let start = Instant::now();
        node.spawn(None)?;
        node.ready().await?;
        let client = node.client()?;
        until("what was final to be there", async || Ok(held_or_none(&client).await? >= finals * AMOUNT))
            .await?;
        starts.push(start.elapsed());
        let received = held_or_none(&client).await?;
        ensure!(received.is_multiple_of(AMOUNT), "half a transfer: {received}");
        ensure!(received <= sent * AMOUNT, "{received} received of {sent} transfers");
        let left = left(&client).await?;
        // What waited when it died may become final between the two looks.
        ensure!(left + received <= SUPPLY && left >= SUPPLY - sent * AMOUNT, "{left} left, {received} given");
    }
    starts.sort_unstable();
    let middle = starts.get(starts.len() / 2).copied().unwrap_or_default();
    let longest = starts.last().copied().unwrap_or_default();
    let [finals, dropped] = [&counts.finals, &counts.dropped].map(|count| count.load(Ordering::SeqCst));
    eprintln!(
        "{kills} kills, {finals} final transfers, all there, {dropped} to be sent again; \
         back after {middle:?}, {longest:?} at most"
    );
    Ok(())
}

/// What the payee has; it has no account before the first transfer.
async fn held_or_none(client: &Client) -> Result<u64> {
    match client.wallet(&WalletQuery { account: Some(payee()) }).await {
        Ok(wallet) => Ok(wallet.total.free_micros.get() + wallet.total.granted_micros.get()),
        Err(ClientError::Problem(problem)) if problem.code == Code::AccountNotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}
