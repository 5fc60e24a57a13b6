//! Programs beside cargo that some checks need.

use crate::finding::Finding;
use anyhow::Result;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Whether this machine has a program.
pub fn answers(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs a command that says itself what is wrong; a finding if something is.
pub fn passes(command: &mut Command, name: String) -> Result<Option<Finding>> {
    let status = command.status()?;
    Ok((!status.success()).then(|| Finding::new(name, format!("failed ({status}), see above"))))
}

/// A script of a package of npm; `node` is the binary that it tries.
pub fn npm(root: &Path, folder: &str, script: &str, node: Option<&Path>) -> Result<Option<Finding>> {
    let mut command = Command::new("npm");
    command.args(["run", "--silent", script]).current_dir(root.join(folder));
    if let Some(node) = node {
        command.env("OPENSKY_BIN", node);
    }
    passes(&mut command, format!("npm run {script} in {folder}"))
}

/// Whether `npm ci` was run in a folder, and npm is there to go on with.
pub fn has_packages(root: &Path, folder: &str) -> bool {
    answers("npm") && root.join(folder).join("node_modules").exists()
}

/// The `opensky` that the tests before this check have built, beside this program.
pub fn built_node() -> Result<Result<PathBuf, Finding>> {
    let node = std::env::current_exe()?.with_file_name("opensky");
    if node.exists() {
        return Ok(Ok(node));
    }
    let problem = "is missing; the tests build it, or `cargo build`";
    Ok(Err(Finding::new(node.display().to_string(), problem)))
}
