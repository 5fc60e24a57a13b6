//! Skies under seeds: as many as `OPENSKY_SKIES` says, and two runs of each named one.

use opensky_sim::explore::{Outcome, explore, run_apart};
use std::{path::Path, process::Command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_opensky-sim");

#[test]
fn t1_a_seed_run_twice_is_the_same_run() {
    for seed in [1, 2, 3] {
        let runs = [0, 1].map(|_| run_apart(Path::new(PROGRAM), seed).expect("it runs"));
        let [Outcome::Right(one), Outcome::Right(other)] = &runs else { panic!("seed {seed}: {runs:?}") };
        assert!(one.steps > 1_000, "seed {seed} did next to nothing: {one:?}");
        assert_eq!((&one.hash, one.steps), (&other.hash, other.steps), "seed {seed}");
    }
}

#[test]
fn t1_f1_f2_f4_f5_f7_f8_f9_f12_f15_f17_skies_come_right() {
    let count = std::env::var("OPENSKY_SKIES").ok().and_then(|text| text.parse().ok()).unwrap_or(40);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let explored = explore(Path::new(PROGRAM), 0..count, threads, |_, _| ()).expect("they run");
    assert!(explored.wrong.is_empty(), "run `opensky-sim replay SEED` for {:#?}", explored.wrong);
    let counts = &explored.counts;
    for what in ["jobs Succeeded", "tasks accepted", "transfers final"] {
        assert!(counts.get(what).is_some_and(|count| *count > 0), "{what} never happened: {counts:#?}");
    }
    // What the name says was tried.
    for fault in
        ["Kill", "PowerCut", "DiskFull", "Rot", "ClockJump", "Split", "Storm", "Leave", "PowerCutForAll"]
    {
        assert!(counts.contains_key(&format!("deed {fault}")), "{fault} never happened: {counts:#?}");
    }
}

/// Each plan in `plans/` went wrong once, as its name says; it was made small by the shrinker.
#[test]
fn t1_plans_that_went_wrong_once_go_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let mut names: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    names.sort();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        let ran = Command::new(PROGRAM).arg("replay").arg("--plan").arg(&name).output().expect("it runs");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{}: {}", name.display(), said.lines().last().unwrap_or_default());
    }
}
