//! What signed receipts cost. The product has no switch for them, so their work is done again on
//! the receipts of a real job, timed, and set beside the processor time that the job took.

use crate::dispatch::{self, Shape};
use anyhow::{Context, Result};
use opensky_ports::{Journal, Record, journal::TaskRun};
use opensky_storage::RedbJournal;
use opensky_types::{
    Timestamp,
    receipt::{Batch, Countersignature, Receipt},
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// Receipts under one signature, as seen under load.
const BATCH: usize = 256;

/// Prints each part of the cost.
pub async fn measure(tasks: u32, shape: &Shape) -> Result<()> {
    let (sky, program) = dispatch::warm_sky(shape).await?;
    let measured = dispatch::run(&sky, &program, tasks).await?;
    let handle = &sky.consumer.handle;
    // A batch is of one provider.
    let provider = crate::node::key(2).id();
    let of_provider = move |run: &TaskRun| run.receipt.is_some() && run.node == provider;
    let runs = handle.runs(measured.job, of_provider, 0, BATCH).await?;
    let mut receipts = Vec::new();
    for run in &runs {
        let id = run.receipt.context("asked for runs with receipts")?;
        receipts.push(handle.receipt(id).await?.context("a receipt is missing")?.receipt);
    }
    sky.stop().await?;
    let per_task = |time: Duration| time.as_secs_f64() * 1e6 / receipts.len() as f64;
    let crypto_us = per_task(crypto(&receipts));
    let journal_us = per_task(journal(&receipts)?);
    let total_us: f64 = measured.cpu_us.iter().sum();
    let share = (crypto_us + 2.0 * journal_us) / total_us * 100.0;
    println!("a task takes {total_us:.1} us of processor time on all nodes together");
    println!("receipts: hashing, trees and signatures on both sides {crypto_us:.2} us a task");
    println!("receipts: journal rows {journal_us:.2} us a task on each side");
    println!("{share:.1}");
    Ok(())
}

/// What both sides do for a batch: ids, tree and signature; the same again to check; the
/// countersignature and its check.
fn crypto(receipts: &[Receipt]) -> Duration {
    let (provider, consumer) = (crate::node::key(2), crate::node::key(1));
    let (given, taken) = (receipts.to_vec(), receipts.to_vec());
    best((given, taken), |(given, taken)| {
        let batch = Batch::sign(&provider, given, Timestamp::default());
        let checked = Batch::verify(batch.head().clone(), taken).expect("just signed");
        let accepted = vec![true; checked.receipts().len()];
        let counter = Countersignature::sign(&consumer, checked.root(), &accepted);
        black_box(counter.verify().expect("just signed"));
    })
}

/// Processor time of a commit that carries a batch of receipts, less that of one that does not.
fn journal(receipts: &[Receipt]) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let journal = RedbJournal::open(folder.path())?;
    let setting = |value: u8| Record::Setting { name: "mark".into(), value: vec![value] };
    let mut times = [Duration::ZERO; 2];
    const COMMITS: u8 = 40;
    for commit in 0..COMMITS {
        // Another task each time, so that no batch is kept twice.
        let mut receipts = receipts.to_vec();
        receipts.iter_mut().for_each(|receipt| receipt.attempt = u32::from(commit) + 1);
        let batch = Batch::sign(&crate::node::key(2), receipts, Timestamp::default());
        let commits = [vec![setting(commit)], vec![setting(commit), Record::ReceiptsSigned { batch }]];
        for (records, time) in commits.iter().zip(&mut times) {
            let start = thread_time()?;
            journal.commit(records)?;
            *time += thread_time()?.saturating_sub(start);
        }
    }
    Ok(times[1].saturating_sub(times[0]) / u32::from(COMMITS))
}

fn thread_time() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split(' ').next().context("an empty schedstat")?.parse()?;
    Ok(Duration::from_nanos(nanos))
}

/// The shortest time of `work` on copies of `input`, which are made before the clock runs.
fn best<T: Clone>(input: T, mut work: impl FnMut(T)) -> Duration {
    let time = |_| {
        let input = input.clone();
        let start = Instant::now();
        work(input);
        start.elapsed()
    };
    (0..50).map(time).min().expect("fifty times")
}
