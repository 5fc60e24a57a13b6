//! F1: kill -9 at any moment loses nothing that was acknowledged and leaves nothing half done.

#[path = "support/common.rs"]
mod common;

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
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {}", number + 1).and_then(|()| out.flush()).unwrap();
    }
}

#[test]
fn f1_kill_9_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut kept = 0;
    for round in 0..ROUNDS {
        let acknowledged = work_and_kill(folder.path(), round % 7).unwrap_or(kept);
        kept = common::check_steps(folder.path(), acknowledged);
    }
    assert!(kept > ROUNDS, "the child did real work: {kept} commits");
}

/// Lets a child work for at least `steps` steps, kills it, and answers its last acknowledged step.
fn work_and_kill(folder: &Path, steps: u32) -> Option<u32> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_works_until_it_is_killed", "--nocapture"])
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
