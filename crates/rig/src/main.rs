//! Real faults against a sky of real nodes: `cargo xtask rig`.
//!
//! What it is: some nodes, each in a network namespace and on a disk of its own, clients that move
//! money on them, faults that are begun and ended ([`faults`]), and a checker of what the clients saw
//! ([`history`]). What it never does: touch the networks, disks and clock of the machine it runs on,
//! or know the inside of a node. Start at [`session`], then [`round`].

mod faults;
mod history;
mod host;
mod nat;
mod report;
mod round;
mod session;
mod shim;
mod stats;
mod workload;
mod world;

use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;

/// Breaks networks, disks, clocks and processes under a sky of real nodes, and checks what clients saw.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "cargo xtask rig",
    bin_name = "cargo xtask rig",
    after_help = "\
Examples:
  cargo xtask rig --list
  cargo xtask rig                                  every fault once
  cargo xtask rig --only kill,power-cut --rounds 50
  cargo xtask rig --only halves --nodes 7 --seed 42 --json
Exit codes: 0 all held, 1 something did not hold, or it could not be run"
)]
pub struct Arguments {
    /// Nodes of the sky, all of them validators
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(4..=9))]
    pub nodes: u8,
    /// Only these faults, with commas
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub only: Vec<String>,
    /// Rounds of each fault
    #[arg(long, default_value_t = 1)]
    pub rounds: u32,
    /// Ends before a round that would begin later than this, in minutes
    #[arg(long, value_name = "MINUTES")]
    pub minutes: Option<u64>,
    /// Where all choices come from [default: the clock]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Name the faults and what each needs, and end
    #[arg(long)]
    pub list: bool,
    /// A line of JSON for each round and one for the summary
    #[arg(long)]
    pub json: bool,
    /// Keep logs and disks even if all held
    #[arg(long)]
    pub keep: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list {
        print!("{}", report::list());
        return Ok(ExitCode::SUCCESS);
    }
    if host::is_inside() {
        session::run(&arguments)
    } else {
        faults::chosen(&arguments.only)?;
        host::enter()
    }
}
