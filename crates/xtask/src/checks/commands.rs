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

/// What clippy fails on, beside what is wrong by default; in the form in which it takes them from `cargo clippy`.
const LINTS: &str = "-Dwarnings__CLIPPY_HACKERY__-Dclippy::too_many_lines__CLIPPY_HACKERY__";

/// Compiles everything, tests too, with clippy looking on.
pub fn clippy(workspace: &Workspace) -> Result<Vec<Finding>> {
    cargo(workspace, &["build", "--workspace", "--all-targets", "--quiet"])
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
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(&workspace.root);
    // Clippy compiles as rustc does, so what it looked at need not be compiled again to be run. `cargo clippy` itself
    // throws away what it compiles, libraries of others included.
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_ARGS", LINTS);
    let status = command.status()?;
    if status.success() {
        return Ok(Vec::new());
    }
    Ok(vec![Finding::new(format!("cargo {}", arguments[0]), format!("failed ({status}), see above"))])
}
