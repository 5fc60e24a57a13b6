//! Prints what the journal and the blob store cost on this machine's disk:
//! `cargo run -p opensky-storage --example measure_storage -- FOLDER`.

use opensky_ports::{
    BlobStore, Journal, Record,
    journal::{TaskRun, Verdict},
};
use opensky_storage::{FileBlobs, RedbJournal};
use opensky_types::{Micros, TaskId, samples};
use std::{path::Path, time::Instant};

const COMMITS: u32 = 200;
const BATCH: u32 = 500;

fn main() {
    let parent = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let folder = tempfile::tempdir_in(parent).expect("the folder can be written");
    measure_journal(folder.path());
    measure_blobs(&folder.path().join("blobs"));
}

/// Processor time of this thread, in milliseconds.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanos: f64 = text.split(' ').next().and_then(|field| field.parse().ok()).expect("a number");
    nanos / 1e6
}

fn measure_journal(folder: &Path) {
    let journal = RedbJournal::open(folder).expect("a new journal opens");
    let job = samples::job_id();
    journal.commit(&[Record::JobSubmitted { job, spec: samples::job(1), at: samples::NOW }]).unwrap();
    let commits: Vec<[Record; 2]> = (0..COMMITS).map(|commit| records(commit * BATCH)).collect();
    let (start, cpu) = (Instant::now(), cpu_ms());
    for records in &commits {
        journal.commit(records).unwrap();
    }
    let (wall_ms, cpu_ms) = (start.elapsed().as_secs_f64() * 1e3, cpu_ms() - cpu);
    let per = f64::from(COMMITS);
    println!(
        "journal: commit of {BATCH} runs and {BATCH} receipts: {:.2} ms, of it CPU {:.2} ms",
        wall_ms / per,
        cpu_ms / per
    );
    println!("journal: {:.0} tasks/s on one thread", per * f64::from(BATCH) / wall_ms * 1e3);
    let bytes = std::fs::metadata(journal.path()).unwrap().len();
    println!("journal: {} MiB for {} tasks", bytes >> 20, COMMITS * BATCH);

    let start = Instant::now();
    let setting = |value| [Record::Setting { name: "mark".into(), value: vec![value] }];
    (0..100).for_each(|value| journal.commit(&setting(value)).unwrap());
    println!("journal: commit of one setting: {:.2} ms", start.elapsed().as_secs_f64() * 10.0);

    let start = Instant::now();
    let oldest = journal.receipt(samples::receipt(7).id()).unwrap();
    println!("journal: oldest receipt found ({}) in {:?}", oldest.is_some(), start.elapsed());
    let start = Instant::now();
    let mut runs = 0;
    journal.runs(job, &mut |_| runs += 1).unwrap();
    println!("journal: {runs} runs read in {:?}", start.elapsed());
    drop(journal);
    let start = Instant::now();
    RedbJournal::open(folder).expect("it opens again");
    println!("journal: opened again in {:?}", start.elapsed());
}

fn records(first: u32) -> [Record; 2] {
    let run = |index| TaskRun {
        task: TaskId { stage: 0, index },
        attempt: 0,
        node: samples::node(1),
        outcome: samples::outcome("forty-two"),
        usage: samples::usage(),
        receipt: None,
        verdict: Verdict::Accepted,
        price: Micros::new(7),
    };
    let receipts: Vec<_> = (first..first + BATCH).map(samples::receipt).collect();
    let batch = opensky_types::receipt::Batch::sign(&samples::provider(), receipts, samples::NOW);
    let runs = (first..first + BATCH).map(run).collect();
    [Record::TasksRun { job: samples::job_id(), runs }, Record::ReceiptsSigned { batch }]
}

fn measure_blobs(root: &Path) {
    let blobs = FileBlobs::open(root, 8 << 30).expect("a new store opens");
    let content: Vec<u8> = (0..256u32 << 20).map(|index| (index % 251) as u8).collect();
    let mut hasher = blake3::Hasher::new();
    let start = Instant::now();
    hasher.update(&content);
    println!("blobs: hashing alone {:.0} MB/s", megabytes_per_second(content.len(), start));
    let start = Instant::now();
    let blob = blobs.put(&content).unwrap();
    println!("blobs: put of 256 MiB, synced, {:.0} MB/s", megabytes_per_second(content.len(), start));
    let start = Instant::now();
    blobs.get(&blob.hash, u64::MAX).unwrap().expect("it is there");
    println!("blobs: get of 256 MiB {:.0} MB/s", megabytes_per_second(content.len(), start));
    let start = Instant::now();
    for index in 0..500u32 {
        blobs.put(&[&index.to_le_bytes()[..], &content[..8 << 10]].concat()).unwrap();
    }
    println!("blobs: put of 8 KiB, synced: {:.2} ms", start.elapsed().as_secs_f64() * 2.0);
}

fn megabytes_per_second(bytes: usize, start: Instant) -> f64 {
    bytes as f64 / 1e6 / start.elapsed().as_secs_f64()
}
