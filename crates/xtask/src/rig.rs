//! `cargo xtask rig`: builds the node and the rig together, and runs the rig (`crates/rig`).

use crate::workspace::Workspace;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::{
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

/// A line of what cargo says of a build; other lines have other fields.
#[derive(Deserialize)]
struct Built {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds for release if `arguments` hold `--release`, else for development, and hands on the others.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let (release, others): (Vec<_>, Vec<_>) = arguments.iter().partition(|word| *word == "--release");
    let profile = if release.is_empty() { "dev" } else { "release" };
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--workspace", "--bin", "opensky", "--bin", "opensky-rig", "--profile", profile]);
    cargo.args(["--message-format", "json-render-diagnostics"]).current_dir(&workspace.root);
    let output = cargo.stderr(Stdio::inherit()).output().context("building the node and the rig")?;
    ensure!(output.status.success(), "building the node and the rig failed: {}", output.status);
    let program = program(&String::from_utf8_lossy(&output.stdout)).context("cargo built no opensky-rig")?;
    eprintln!("opensky of the profile {profile}");
    let status = Command::new(&program)
        .args(others)
        .status()
        .with_context(|| format!("running {}", program.display()))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Where cargo put the rig.
fn program(said: &str) -> Option<PathBuf> {
    let lines = said.lines().filter_map(|line| serde_json::from_str::<Built>(line).ok());
    let mut rigs =
        lines.filter(|built| built.target.as_ref().is_some_and(|target| target.name == "opensky-rig"));
    rigs.find_map(|built| built.executable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_in_what_cargo_says() {
        let said = r#"{"reason":"compiler-artifact","target":{"name":"opensky"},"executable":"/t/opensky"}
{"reason":"compiler-artifact","target":{"name":"opensky-rig"},"executable":"/t/opensky-rig"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(program(said), Some(PathBuf::from("/t/opensky-rig")));
        assert_eq!(program("no JSON"), None);
    }
}
