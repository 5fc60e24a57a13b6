//! Developer commands: `cargo xtask check` is the one door through which every change passes.
//!
//! What it is: checks of the workspace, each a function in `checks/` that returns findings. What it
//! never does: change a file, but for `programs`, which builds the example programs anew, `map`, which
//! adds tests to a table of the docs, and `bench`, which keeps results. `rig` builds and runs
//! `crates/rig`. Start at `checks.rs`, the list.

mod bench;
mod checks;
mod finding;
mod report;
mod rig;
mod source;
mod workspace;

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
use std::process::{Command, ExitCode};
use workspace::Workspace;

/// Developer commands of OpenSky.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Everything that must hold before a change lands: the quick checks, clippy, all tests.
    Check,
    /// The quick checks only: a few seconds, no compilation.
    Lint,
    /// Adds tests whose names start with the id of an attack or fault to docs/security.md.
    Map,
    /// Measures: one area of benches/areas.toml, or all of them.
    Bench {
        /// The area; all if absent.
        area: Option<String>,
        /// Runs of each side where there is a peer.
        #[arg(long, default_value_t = 10)]
        rounds: usize,
    },
    /// Breaks real networks, disks, clocks and processes under a sky of real nodes (docs/rig.md).
    #[command(disable_help_flag = true)]
    Rig {
        /// What the rig is told; `--release` builds node and rig for release, `--help` says more
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Builds the example programs anew, with their hashes. Needs clang, wasi-libc and wabt.
    Programs,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let workspace = Workspace::load()?;
    match arguments.action {
        Action::Check => Ok(report::run(&workspace, &[checks::QUICK, checks::SLOW].concat())),
        Action::Lint => Ok(report::run(&workspace, checks::QUICK)),
        Action::Bench { area, rounds } => {
            bench::run(&workspace, area.as_deref(), rounds).map(|()| ExitCode::SUCCESS)
        }
        Action::Map => checks::update_security_map(&workspace).map(|()| ExitCode::SUCCESS),
        Action::Rig { arguments } => rig::run(&workspace, &arguments),
        Action::Programs => build_programs(&workspace).map(|()| ExitCode::SUCCESS),
    }
}

fn build_programs(workspace: &Workspace) -> Result<()> {
    let status = Command::new(workspace.root.join("examples/programs/build.sh")).status()?;
    ensure!(status.success(), "examples/programs/build.sh failed: {status}");
    Ok(())
}
