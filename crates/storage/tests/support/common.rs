//! What several tests of this crate need.

#![allow(dead_code, reason = "each test file uses its own part")]

use opensky_ports::{
    BlobStore, Journal, Pin, Record,
    journal::{TaskRun, Verdict},
};
use opensky_storage::{FileBlobs, RedbJournal};
use opensky_types::{Hash, Micros, TaskId, samples};
use std::path::Path;

/// Setting under which commit number n is counted.
const COUNT: &str = "count";

pub fn run(index: u32) -> TaskRun {
    TaskRun {
        task: TaskId { stage: 0, index },
        attempt: 0,
        node: samples::node(1),
        outcome: samples::outcome("forty-two"),
        usage: samples::usage(),
        receipt: None,
        verdict: Verdict::Accepted,
        price: Micros::new(7),
    }
}

/// What commit number `number` holds: three runs and the count, in three records.
pub fn records(number: u32) -> [Record; 3] {
    let job = samples::job_id();
    [
        Record::TasksRun { job, runs: vec![run(3 * number), run(3 * number + 1)] },
        Record::TasksRun { job, runs: vec![run(3 * number + 2)] },
        Record::Setting { name: COUNT.into(), value: (number + 1).to_le_bytes().into() },
    ]
}

/// How many commits are there; checks that each is there whole.
pub fn commits_kept(journal: &impl Journal) -> u32 {
    let count = journal.setting(COUNT).unwrap();
    let count = count.map_or(0, |value| u32::from_le_bytes(value.try_into().unwrap()));
    let mut next = 0;
    journal
        .runs(samples::job_id(), &mut |found| {
            assert_eq!(found, run(next), "runs are whole and in order");
            next += 1;
        })
        .unwrap();
    assert_eq!(next, 3 * count, "a commit is there with all its records, or not at all");
    count
}

/// The content of blob number `number`: sizes around and above what is checked at once.
pub fn blob_content(number: u32) -> Vec<u8> {
    let size = if number.is_multiple_of(7) { 1_500_000 } else { 20_000 };
    (0..size).map(|index: u32| (index ^ number) as u8).chain(number.to_le_bytes()).collect()
}

/// Opens both stores of a folder.
pub fn open(folder: &Path) -> (RedbJournal, FileBlobs) {
    let journal = RedbJournal::open(folder).unwrap();
    let blobs = FileBlobs::open(&folder.join("blobs"), 1 << 30).unwrap();
    (journal, blobs)
}

/// Step number `number`: its blob is put and pinned, then its commit is made.
pub fn step(journal: &RedbJournal, blobs: &FileBlobs, number: u32) {
    let blob = blobs.put(&blob_content(number)).unwrap();
    blobs.pin(Pin::Job(samples::job_id()), &[blob.hash]).unwrap();
    journal.commit(&records(number)).unwrap();
}

/// Checks that the first `acknowledged` steps are there.
pub fn check_steps(folder: &Path, acknowledged: u32) -> u32 {
    let (journal, blobs) = open(folder);
    let kept = commits_kept(&journal);
    assert!(kept == acknowledged || kept == acknowledged + 1, "{kept} kept, {acknowledged} acknowledged");
    for number in acknowledged.saturating_sub(3)..kept {
        let content = blob_content(number);
        assert_eq!(blobs.get(&Hash::of(&content), u64::MAX).unwrap(), Some(content), "blob {number}");
    }
    kept
}
