//! `opensky job`

use crate::{
    commands::Context,
    fail::{Exit, Fail},
    output::print_line,
    terminal,
};
use anyhow::{Context as _, Result};
use clap::Subcommand;
use opensky_client::ImageSource;
use opensky_jobfile::{
    Format,
    plan::{CheckPlan, InputsPlan},
};
use opensky_types::place::Level;
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
        // Images by name are looked up when the job runs.
        let by_name = stage.needs.image.is_some() || ImageSource::of(&stage.program.value).is_some();
        let by_name = stage.level == Level::Container && by_name;
        let mut named = if by_name { Vec::new() } else { vec![&stage.program] };
        if let Some(CheckPlan::Program { program, .. }) = &stage.check {
            named.push(program);
        }
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
    let stages = &plan.job().stages;
    let levels = stages.iter().map(|stage| {
        let because = stage.level_reason;
        serde_json::json!({ "stage": stage.name, "level": stage.level, "because": because, "runs": stage.program.value })
    });
    let levels: Vec<_> = levels.collect();
    let checked = serde_json::json!({ "file": name, "stages": stages.len(), "levels": levels });
    context.format.print(&checked, |_| {
        let lines = stages.iter().map(|stage| {
            let (program, level) = (&stage.program.value, stage.level);
            format!(
                "\n  stage {}: {program} runs as {level}, since {}",
                stage.name,
                stage.level_reason.sentence()
            )
        });
        let lines: String = lines.collect();
        terminal::clean_lines(&format!("{name} is right: {} stage(s){lines}", stages.len()))
    })
}
