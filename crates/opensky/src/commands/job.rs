//! `opensky job`

use crate::{
    commands::Context,
    fail::{Exit, Fail},
    output::print_line,
};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use opensky_jobfile::{Format, plan::InputsPlan};
use std::path::{Path, PathBuf};

/// Check job files
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// Print the JSON Schema of job files
    #[command(
        after_help = "Example:\n  opensky job schema > job.schema.json   # editors complete and check with it"
    )]
    Schema,
    /// Check a job file and the files it names, without running it
    Check {
        /// A job file: .toml, .yaml, .yml or .json
        file: PathBuf,
    },
}

pub fn run(context: &Context, command: JobCommand) -> Result<()> {
    match command {
        JobCommand::Schema => print_line(&opensky_jobfile::schema()),
        JobCommand::Check { file } => check(context, &file),
    }
}

fn check(context: &Context, path: &Path) -> Result<()> {
    let name = path.display().to_string();
    let format = Format::of_name(&name).ok_or_else(|| {
        Fail::new(
            Exit::Invalid,
            format!("{name} is not a job file: its name ends in none of .toml, .yaml, .yml, .json"),
        )
    })?;
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let invalid = |error: opensky_jobfile::JobFileError| Fail::new(Exit::Invalid, error.to_string());
    let plan = opensky_jobfile::parse(&name, &text, format).map_err(invalid)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for stage in &plan.job().stages {
        let mut named = vec![&stage.program];
        match &stage.inputs {
            InputsPlan::One { stdin: Some(file) } => named.push(file),
            InputsPlan::Lines { file, .. } | InputsPlan::Bytes { file, .. } => named.push(file),
            _ => {}
        }
        for at in named {
            let path = folder.join(&at.value);
            if !path.is_file() {
                let hint = "paths are relative to the job file".to_owned();
                return Err(invalid(plan.error_at(
                    at,
                    format!("there is no file {}", path.display()),
                    Some(hint),
                ))
                .into());
            }
        }
    }
    let stages = plan.job().stages.len();
    let checked = serde_json::json!({ "file": name, "stages": stages });
    context.format.print(&checked, |_| format!("{name} is right: {stages} stage(s)"))
}
