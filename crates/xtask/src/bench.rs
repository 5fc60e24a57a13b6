//! `cargo xtask bench [AREA]`: figures of our own, and side by side with peers.
//!
//! `benches/areas.toml` lists the areas. An area with a peer runs both in turn, A B B A, since a
//! machine's speed drifts; each run prints its figure as the last line of its output, and what
//! counts is the ratio within a round. An area without one only shows what it prints.

mod record;
mod stats;

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
};

/// The list of areas.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Areas {
    area: Vec<Area>,
}

/// One thing to measure.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Area {
    name: String,
    /// What is measured, for people.
    about: String,
    /// Commands to run once before, such as a build.
    #[serde(default)]
    prepare: Vec<Vec<String>>,
    /// Our command.
    ours: Vec<String>,
    /// What to compare with.
    peer: Option<Peer>,
}

/// Somebody else's program that does the same.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Peer {
    /// Its name and version.
    name: String,
    /// How to get it, said when it can't be run.
    install: String,
    /// Its command.
    run: Vec<String>,
    /// The unit of both figures.
    unit: String,
    /// Whether more is better.
    more_is_better: bool,
    /// Our figure in times of the peer's that is aimed at, the way that is better.
    goal: f64,
}

/// Measures one area, or all; `rounds` of each side where there is a peer.
pub fn run(workspace: &Workspace, only: Option<&str>, rounds: usize) -> Result<()> {
    ensure!(rounds >= 1, "at least one round");
    let text = workspace.read(Path::new("benches/areas.toml"))?;
    let areas: Areas = toml::from_str(&text).context("reading benches/areas.toml")?;
    let chosen: Vec<&Area> =
        areas.area.iter().filter(|area| only.is_none_or(|name| name == area.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = areas.area.iter().map(|area| area.name.as_str()).collect();
        bail!("no such area; there are {}", names.join(", "));
    }
    warn_of_load();
    for area in chosen {
        println!("== {}: {}", area.name, area.about);
        for command in &area.prepare {
            command_in(workspace, command)?.status().context("preparing").and_then(succeeded)?;
        }
        match &area.peer {
            Some(peer) => compare(workspace, area, peer, rounds)?,
            None => command_in(workspace, &area.ours)?.status().context("measuring").and_then(succeeded)?,
        }
    }
    Ok(())
}

fn compare(workspace: &Workspace, area: &Area, peer: &Peer, rounds: usize) -> Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let our_turn = |ours: &mut Vec<f64>| figure(workspace, &area.ours).map(|figure| ours.push(figure));
        let their_turn = |theirs: &mut Vec<f64>| {
            let figure = figure(workspace, &peer.run)
                .with_context(|| format!("{}; to install it: {}", peer.name, peer.install))?;
            theirs.push(figure);
            anyhow::Ok(())
        };
        if round % 2 == 0 {
            our_turn(&mut ours)?;
            their_turn(&mut theirs)?;
        } else {
            their_turn(&mut theirs)?;
            our_turn(&mut ours)?;
        }
        println!(
            "   round {}: ours {:.1}, {} {:.1} {}",
            round + 1,
            ours[round],
            peer.name,
            theirs[round],
            peer.unit
        );
    }
    let ratios: Vec<f64> = ours
        .iter()
        .zip(&theirs)
        .map(|(ours, theirs)| if peer.more_is_better { ours / theirs } else { theirs / ours })
        .collect();
    let (low, high) = stats::interval_of_median(&ratios);
    let median = stats::median(&ratios);
    let verdict = if median >= peer.goal { "reached" } else { "missed" };
    println!(
        "   ours is {median:.2} times as good (95 % of resamples: {low:.2} to {high:.2}); goal {}: {verdict}",
        peer.goal
    );
    record::write(workspace, &area.name, &peer.name, &peer.unit, [&ours, &theirs, &ratios])
}

/// Runs a command and reads the figure on its last line.
fn figure(workspace: &Workspace, command: &[String]) -> Result<f64> {
    let output =
        command_in(workspace, command)?.stderr(Stdio::inherit()).output().context(command.join(" "))?;
    succeeded(output.status)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    let figure: f64 = line.trim().parse().with_context(|| format!("'{line}' is no figure"))?;
    ensure!(figure.is_finite() && figure > 0.0, "{figure} is no figure");
    Ok(figure)
}

fn command_in(workspace: &Workspace, command: &[String]) -> Result<Command> {
    let (program, arguments) = command.split_first().context("an empty command in benches/areas.toml")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&workspace.root);
    Ok(command)
}

fn succeeded(status: std::process::ExitStatus) -> Result<()> {
    ensure!(status.success(), "it failed: {status}");
    Ok(())
}

/// Other work on the machine makes figures worthless, but only a person can tell whether it matters.
fn warn_of_load() {
    let load: Option<f64> =
        fs::read_to_string("/proc/loadavg").ok().and_then(|text| text.split(' ').next()?.parse().ok());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if let Some(load) = load.filter(|load| *load > cores as f64 * 0.5) {
        println!("warning: this machine is busy (load {load} on {cores} cores); only ratios mean anything");
    }
}
