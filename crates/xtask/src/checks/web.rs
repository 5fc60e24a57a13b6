//! The dashboard holds its types, passes its tests, and works in a real browser against real nodes.
//!
//! What is absent is skipped by name: without node the dashboard cannot be built at all, without Chromium
//! it cannot be looked at.

use crate::{finding::Finding, workspace::Workspace};
use anyhow::Result;
use std::{
    path::Path,
    process::{Command, Stdio},
};

const FOLDER: &str = "web";
const CHROMIUM: &str = "/usr/bin/chromium";

/// Checks the dashboard where that can be done.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let folder = workspace.root.join(FOLDER);
    if !answers("npm") || !folder.join("node_modules").exists() {
        println!("skipped the dashboard: npm is absent, or `npm ci` was not run in {FOLDER}");
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for script in ["check", "test"] {
        findings.extend(npm(&folder, script, None)?);
    }
    if !Path::new(CHROMIUM).exists() {
        println!("skipped the dashboard in a browser: there is no {CHROMIUM}");
        return Ok(findings);
    }
    // The tests before this check have built it, beside this program.
    let node = std::env::current_exe()?.with_file_name("opensky");
    if !node.exists() {
        let problem = "is missing; the tests build it, or `cargo build`";
        findings.push(Finding::new(node.display().to_string(), problem));
    } else if findings.is_empty() {
        findings.extend(npm(&folder, "e2e", Some(&node))?);
    }
    Ok(findings)
}

fn npm(folder: &Path, script: &str, node: Option<&Path>) -> Result<Option<Finding>> {
    let mut command = Command::new("npm");
    command.args(["run", "--silent", script]).current_dir(folder);
    if let Some(node) = node {
        command.env("OPENSKY_BIN", node);
    }
    let status = command.status()?;
    Ok((!status.success()).then(|| {
        Finding::new(format!("npm run {script} in {FOLDER}"), format!("failed ({status}), see above"))
    }))
}

fn answers(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
