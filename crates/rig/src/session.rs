//! A run: one sky, round after round.

use crate::{
    Arguments,
    faults::{Kind, Scene, chosen},
    history::Auditor,
    host::{self, Need},
    nat,
    report::{Report, Verdict, summaries, table},
    round,
    workload::Workload,
    world::{World, node::Node},
};
use anyhow::{Context, Result};
use serde::Serialize;
use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};

/// What a run goes on with from round to round.
struct Session<'a> {
    arguments: &'a Arguments,
    home: &'a Path,
    reports: Vec<Report>,
}

/// Runs the rig inside its namespaces.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let kinds = chosen(&arguments.only)?;
    host::prepare()?;
    let seed = arguments.seed.unwrap_or_else(seed_by_clock);
    let mut folder = tempfile::Builder::new().prefix("opensky-rig-").tempdir()?;
    eprintln!("{} nodes in {}, seed {seed}", arguments.nodes, folder.path().display());
    let home = folder.path().to_owned();
    let mut session = Session { arguments, home: &home, reports: Vec::new() };
    let played = session.play(&kinds, seed);
    let wrong = played.is_err() || session.reports.iter().any(|one| one.verdict == Verdict::Violation);
    session.sum_up()?;
    if wrong || arguments.keep {
        folder.disable_cleanup(true);
        eprintln!("logs and disks are kept in {}", home.display());
    }
    played?;
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Session<'_> {
    fn play(&mut self, kinds: &[&'static Kind], seed: u64) -> Result<()> {
        let begun = Instant::now();
        let lacks: Vec<Option<String>> = kinds.iter().map(|kind| lack_of(kind)).collect();
        let mut world = World::found(self.home, self.arguments.nodes, Need::Disks.lack().is_none())
            .context("the sky could not be founded")?;
        eprintln!("the sky is up after {:.0} s", begun.elapsed().as_secs_f64());
        let played = self.rounds(&mut world, kinds, &lacks, seed);
        world.nodes.iter().for_each(Node::keep_log);
        played
    }

    fn rounds(
        &mut self,
        world: &mut World,
        kinds: &[&'static Kind],
        lacks: &[Option<String>],
        seed: u64,
    ) -> Result<()> {
        let mut auditor = audit_from_now(world)?;
        let workload = Workload::start(world, &world.recorder, seed);
        let begun = Instant::now();
        let limit = self.arguments.minutes.map(|minutes| Duration::from_secs(minutes * 60));
        let mut next = seed;
        for number in 1..=self.arguments.rounds {
            for (kind, lack) in kinds.iter().zip(lacks) {
                if limit.is_some_and(|limit| begun.elapsed() > limit) {
                    return Ok(());
                }
                let report = match (lack, kind.scene) {
                    (Some(why), _) => Report::skipped(kind, next, why.clone()),
                    (None, Scene::Sky(make)) => round::play(world, &workload, &mut auditor, kind, make, next)
                        .with_context(|| format!("in {} with seed {next}", kind.name))?,
                    (None, Scene::Nat { symmetric }) => nat::play(world, self.home, kind, number, symmetric)?,
                };
                self.say(&report, number)?;
                self.reports.push(report);
                next = next.wrapping_add(1);
            }
        }
        Ok(())
    }

    fn say(&self, report: &Report, number: u32) -> Result<()> {
        if self.arguments.json {
            println!("{}", serde_json::to_string(report)?);
        } else if report.verdict != Verdict::Skipped || number == 1 {
            println!("{}", report.line(number));
        }
        Ok(())
    }

    fn sum_up(&self) -> Result<()> {
        #[derive(Serialize)]
        struct Whole<T> {
            summary: T,
        }
        let all = summaries(&self.reports);
        if self.arguments.json {
            println!("{}", serde_json::to_string(&Whole { summary: all })?);
        } else {
            println!("\n{}", table(&all));
        }
        Ok(())
    }
}

/// Begins to keep accounts at a height that every node agrees on.
fn audit_from_now(world: &World) -> Result<Auditor> {
    loop {
        let height = world.heads()?.iter().map(|head| head.height).max().unwrap_or_default();
        let balances = world.ending(0, height + 1)?.balances;
        // No block came in between.
        if balances.iter().all(|(at, _)| *at == balances[0].0) {
            return Ok(Auditor::new(balances[0].0, balances.into_iter().map(|(_, micros)| micros).collect()));
        }
    }
}

fn lack_of(kind: &Kind) -> Option<String> {
    kind.needs.iter().find_map(|need| need.lack())
}

fn seed_by_clock() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    now.as_secs() % 1_000_000
}
