//! The clients for other languages hold what the API's description says and pass their tests, against a
//! real node too.
//!
//! What is absent is skipped by name: npm or its packages, Python.

use super::tools::{answers, built_node, has_packages, npm, passes};
use crate::{finding::Finding, workspace::Workspace};
use anyhow::Result;
use std::{path::Path, process::Command};

const TYPESCRIPT: &str = "sdk/typescript";
const PYTHON: &str = "sdk/python";
/// Python's steps: the generated files are up to date, everything compiles, the tests pass.
const STEPS: [&[&str]; 3] =
    [&["generate.py", "--check"], &["-m", "compileall", "-q", "."], &["-m", "unittest"]];

/// Checks each client where that can be done.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let node = match built_node()? {
        Ok(node) => node,
        Err(missing) => return Ok(vec![missing]),
    };
    let mut findings = typescript(&workspace.root, &node)?;
    findings.extend(python(&workspace.root, &node)?);
    Ok(findings)
}

fn typescript(root: &Path, node: &Path) -> Result<Vec<Finding>> {
    if !has_packages(root, TYPESCRIPT) {
        println!("skipped the TypeScript client: npm is absent, or `npm ci` was not run in {TYPESCRIPT}");
        return Ok(Vec::new());
    }
    let found = ["check", "test"].map(|script| npm(root, TYPESCRIPT, script, Some(node)));
    Ok(found.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn python(root: &Path, node: &Path) -> Result<Vec<Finding>> {
    if !answers("python3") {
        println!("skipped the Python client: python3 is absent");
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for step in STEPS {
        let mut command = Command::new("python3");
        command.args(step).current_dir(root.join(PYTHON)).env("OPENSKY_BIN", node);
        findings.extend(passes(&mut command, format!("python3 {} in {PYTHON}", step.join(" ")))?);
    }
    Ok(findings)
}
