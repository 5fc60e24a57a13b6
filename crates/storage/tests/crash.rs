//! F1: kill -9 at any moment loses nothing that was acknowledged and leaves nothing half done.

#[path = "support/common.rs"]
mod common;
#[path = "support/ledger.rs"]
mod ledger;

use opensky_storage::LedgerStore;
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

const ROUNDS: u32 = 120;
/// Set for the child process: the folder to work in.
const FOLDER: &str = "OPENSKY_TEST_CRASH_FOLDER";

/// The child's part; does nothing in a run of the whole suite.
#[test]
fn child_that_works_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (journal, blobs) = common::open(Path::new(&folder));
    for number in common::commits_kept(&journal).. {
        common::step(&journal, &blobs, number);
        acknowledge(u64::from(number) + 1);
    }
}

fn acknowledge(number: u64) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "acknowledged {number}").and_then(|()| out.flush()).unwrap();
}

#[test]
fn f1_kill_9_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = 0;
    for round in 0..ROUNDS {
        let child = "child_that_works_until_it_is_killed";
        let acknowledged =
            work_and_kill(child, folder.path(), round % 7).map_or(kept, |number| number as u32);
        kept = common::check_steps(folder.path(), acknowledged);
    }
    assert!(kept > ROUNDS, "the child did real work: {kept} commits");
}

/// Every third block is synced, and every twelfth has a snapshot.
const SYNCED: u64 = 3;
const SNAPSHOT: u64 = 12;

/// The part of the child that keeps a ledger; does nothing in a run of the whole suite.
#[test]
fn child_that_keeps_a_ledger_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = LedgerStore::open(Path::new(&folder)).unwrap();
    let newest = store.newest().unwrap().unwrap_or(0);
    let due = newest / SNAPSHOT * SNAPSHOT;
    if due > 0 && store.snapshot().unwrap().is_none_or(|found| found.height < due) {
        ledger::put_snapshot(&store, due);
    }
    for height in newest + 1.. {
        ledger::append(&store, height, height % SYNCED == 0);
        if height % SNAPSHOT == 0 {
            ledger::put_snapshot(&store, height);
            store.prune(height.saturating_sub(40), 10).unwrap();
        }
        if height % SYNCED == 0 {
            acknowledge(height);
        }
    }
}

#[test]
fn f1_kill_9_leaves_the_ledger_whole_up_to_what_was_synced() {
    let folder = tempfile::tempdir().unwrap();
    let (mut kept, mut snapshot) = (0, 0);
    for round in 0..ROUNDS {
        let child = "child_that_keeps_a_ledger_until_it_is_killed";
        let acknowledged = work_and_kill(child, folder.path(), round % 7).unwrap_or(0);
        let store = LedgerStore::open(folder.path()).unwrap();
        let found = ledger::check_blocks(&store);
        let least = acknowledged.max(kept);
        assert!((least..=least + SYNCED).contains(&found), "{found} kept, {least} acknowledged");
        let least = (acknowledged / SNAPSHOT * SNAPSHOT).max(snapshot);
        snapshot = ledger::check_snapshot(&store).unwrap_or(0);
        assert!((least..=found).contains(&snapshot), "snapshot {snapshot} kept, {least} acknowledged");
        kept = found;
    }
    assert!(kept > u64::from(ROUNDS), "the child did real work: {kept} blocks");
    assert!(snapshot > u64::from(ROUNDS) / 2, "and snapshots: up to {snapshot}");
}

/// Lets a child work for at least `steps` steps, kills it, and answers its last acknowledged step.
fn work_and_kill(child: &str, folder: &Path, steps: u32) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged =
        lines.map_while(|line| Some(line.ok()?.strip_prefix("acknowledged ").map(|n| n.parse().unwrap())));
    let mut last = None;
    let mut seen = 0;
    while seen < steps {
        if let Some(number) = acknowledged.next().expect("the child works until it is killed") {
            last = Some(number);
            seen += 1;
        }
    }
    child.kill().unwrap();
    // What it still acknowledged before the signal reached it counts too.
    last = acknowledged.flatten().last().or(last);
    child.wait().unwrap();
    last
}
