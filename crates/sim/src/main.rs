//! `opensky-sim`: runs skies from seeds, repeats them, and makes failures small.

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use opensky_scale::{Options, Part};
use opensky_sim::{
    explore::{Outcome, explore},
    plan::Plan,
    shrink::shrink,
    world,
};
use std::{ops::Range, path::PathBuf, process::ExitCode, time::Instant};

/// Whole skies on one thread, in virtual time, from one seed.
#[derive(Parser)]
#[command(name = "opensky-sim", version, about, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  opensky-sim explore --seeds 0..500       run many, say which go wrong
  opensky-sim replay 42                    run one again, with what its nodes say
  opensky-sim shrink 42 > small.json       the smallest plan that goes wrong as seed 42 does
  opensky-sim replay --plan small.json     run that
  opensky-sim scale                        curves over skies of up to 100,000 nodes, in minutes
  opensky-sim scale --nodes 10000 --only lookups --only gossip --json > curves.json";

#[derive(Subcommand)]
enum Command {
    /// Runs many seeds, each in a process of its own.
    Explore {
        /// Which, as FROM..TO.
        #[arg(long, value_parser = seeds, default_value = "0..100")]
        seeds: Range<u64>,
        /// How many at a time; as many as the machine has cores if not given.
        #[arg(long)]
        jobs: Option<usize>,
    },
    /// Runs one seed or plan again and shows what its nodes say.
    Replay {
        /// The seed.
        seed: Option<u64>,
        /// A plan's file, as `shrink` writes it.
        #[arg(long, conflicts_with = "seed")]
        plan: Option<PathBuf>,
        /// Also shows each message and each step.
        #[arg(long)]
        steps: bool,
    },
    /// Prints the plan of a seed.
    Plan {
        /// The seed.
        seed: u64,
    },
    /// Makes the plan of a seed that goes wrong small, and prints it.
    Shrink {
        /// The seed.
        seed: u64,
        /// Runs at most.
        #[arg(long, default_value_t = 200)]
        tries: usize,
    },
    /// Shows what skies of 1,000 to 100,000 nodes are like, as a model at message level (docs/scale.md).
    Scale {
        /// Nodes of the largest sky; a tenth and a hundredth of it are on the curves too.
        #[arg(long, default_value_t = Options::default().nodes)]
        nodes: usize,
        /// The seed.
        #[arg(long, default_value_t = Options::default().seed)]
        seed: u64,
        /// Only this part: lookups, connections, gossip, offers, market, settlement, traffic, churn or sybils.
        /// Give it again for more.
        #[arg(long)]
        only: Vec<Part>,
        /// Prints the report as JSON.
        #[arg(long, conflicts_with = "csv")]
        json: bool,
        /// Prints one table as CSV, by its name, such as `gossip`.
        #[arg(long)]
        csv: Option<String>,
    },
    /// Runs one seed; for `explore`.
    Run {
        /// The seed.
        seed: u64,
        /// Prints how it went as JSON.
        #[arg(long)]
        json: bool,
    },
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("write FROM..TO, like 0..500")?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is not a number"));
    let range = number(from)?..number(to)?;
    if range.is_empty() { Err("the range is empty".into()) } else { Ok(range) }
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        Command::Explore { seeds, jobs } => explore_seeds(seeds, jobs),
        Command::Replay { seed, plan, steps } => {
            tracing_subscriber::fmt()
                .with_env_filter(
                    tracing_subscriber::EnvFilter::try_from_default_env()
                        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,opensky_sim=info")),
                )
                .without_time()
                .with_writer(std::io::stderr)
                .init();
            let plan = match (seed, plan) {
                (Some(seed), _) => Plan::of_seed(seed),
                (None, Some(path)) => {
                    let text = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
                    serde_json::from_slice(&text).with_context(|| format!("{} is no plan", path.display()))?
                }
                (None, None) => bail!("name a seed or a plan"),
            };
            replay(plan, steps)
        }
        Command::Plan { seed } => {
            println!("{}", serde_json::to_string_pretty(&Plan::of_seed(seed))?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Shrink { seed, tries } => {
            let plan = Plan::of_seed(seed);
            if world::run(plan.clone(), false).is_ok() {
                bail!("seed {seed} goes right; there is nothing to make small");
            }
            let small = shrink(plan, tries, |plan| world::run(plan.clone(), false).is_err());
            println!("{}", serde_json::to_string_pretty(&small)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Scale { nodes, seed, only, json, csv } => {
            scale(&Options { nodes, seed, only }, json, csv.as_deref())
        }
        Command::Run { seed, json } => {
            let outcome = match world::run(Plan::of_seed(seed), false) {
                Ok(report) => Outcome::Right(report),
                Err(error) => Outcome::Wrong(format!("{error:#}")),
            };
            if json {
                println!("{}", serde_json::to_string(&outcome)?);
            } else {
                println!("{outcome:#?}");
            }
            Ok(if matches!(outcome, Outcome::Right(_)) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn scale(options: &Options, json: bool, csv: Option<&str>) -> Result<ExitCode> {
    let started = Instant::now();
    let report = opensky_scale::run(options, &mut |what| {
        eprintln!("{:6.1} s {what}", started.elapsed().as_secs_f64())
    });
    match csv {
        Some(id) => {
            let table = report.tables.iter().find(|table| table.id == id);
            let ids = || report.tables.iter().map(|table| table.id).collect::<Vec<_>>().join(", ");
            print!("{}", table.with_context(|| format!("no table `{id}`; there are {}", ids()))?.csv());
        }
        None if json => println!("{}", serde_json::to_string(&report)?),
        None => println!("{report}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn replay(plan: Plan, steps: bool) -> Result<ExitCode> {
    let started = Instant::now();
    let report = match world::run(plan, steps) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("wrong: {error:#}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let real_ms = started.elapsed().as_millis().max(1);
    println!("right: hash {} over {} steps", report.hash, report.steps);
    println!(
        "{:.1} virtual seconds in {:.1}, {} times as fast",
        report.virtual_ms as f64 / 1e3,
        real_ms as f64 / 1e3,
        u128::from(report.virtual_ms) / real_ms
    );
    for (what, count) in report.counts {
        println!("  {what}: {count}");
    }
    Ok(ExitCode::SUCCESS)
}

fn explore_seeds(seeds: Range<u64>, jobs: Option<usize>) -> Result<ExitCode> {
    let program = std::env::current_exe().context("this program's own path")?;
    let jobs = jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from));
    let count = seeds.end - seeds.start;
    let explored = explore(&program, seeds, jobs, |seed, outcome| {
        if let Outcome::Wrong(problem) = outcome {
            eprintln!("seed {seed}: {problem}\n  again: opensky-sim replay {seed}");
        }
    })?;
    let real_s = explored.took.as_secs_f64();
    let virtual_s = explored.virtual_ms as f64 / 1e3;
    println!("{} of {count} seeds went right, in {real_s:.1} s", explored.right);
    println!(
        "{virtual_s:.0} virtual seconds, {:.0} times as fast as real time",
        virtual_s / real_s.max(0.001)
    );
    for (what, count) in &explored.counts {
        println!("  {what}: {count}");
    }
    if explored.wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} went wrong: {:?}", explored.wrong.len(), explored.wrong.keys().collect::<Vec<_>>());
    Ok(ExitCode::FAILURE)
}
