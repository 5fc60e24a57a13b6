//! Checks that other programs do.

use crate::{finding::Finding, workspace::Workspace};
use anyhow::{Result, ensure};
use std::process::{Command, Stdio};

/// `cargo fmt --check`, which says a file a line.
pub fn format(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut command = Command::new("cargo");
    command.args(["fmt", "--check"]).current_dir(&workspace.root);
    for member in workspace.members() {
        command.args(["--package", &member.name]);
    }
    let output = command.args(["--", "--files-with-diff"]).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let files = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success() || !files.is_empty(), "{errors}");
    let root = workspace.root.display().to_string();
    let place = |file: &str| file.trim_start_matches(&root).trim_start_matches('/').to_owned();
    Ok(files.lines().map(|file| Finding::new(place(file), "is not formatted; run `cargo fmt`")).collect())
}

/// `cargo clippy` on everything, tests too.
pub fn clippy(workspace: &Workspace) -> Result<Vec<Finding>> {
    let lints = ["--", "-D", "warnings", "-D", "clippy::too_many_lines"];
    cargo(workspace, &[&["clippy", "--workspace", "--all-targets", "--quiet"][..], &lints].concat())
}

/// All tests but those in docs: by nextest where it is installed, which runs them faster.
pub fn tests(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut probe = Command::new("cargo");
    probe.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if probe.status().is_ok_and(|status| status.success()) {
        return cargo(workspace, &["nextest", "run", "--workspace", "--no-fail-fast"]);
    }
    cargo(workspace, &["test", "--workspace", "--all-targets", "--no-fail-fast"])
}

/// The examples in doc comments.
pub fn doc_tests(workspace: &Workspace) -> Result<Vec<Finding>> {
    cargo(workspace, &["test", "--workspace", "--doc", "--no-fail-fast"])
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Result<Vec<Finding>> {
    let status = Command::new("cargo").args(arguments).current_dir(&workspace.root).status()?;
    if status.success() {
        return Ok(Vec::new());
    }
    Ok(vec![Finding::new(format!("cargo {}", arguments[0]), format!("failed ({status}), see above"))])
}
