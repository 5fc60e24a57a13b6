//! The test vectors of the ledger and of logins are what an independent implementation makes.
//!
//! The tests read the checked-in file. Where node and the pinned package are installed, it is made anew
//! and compared too.

use super::tools::answers;
use crate::{finding::Finding, workspace::Workspace};
use anyhow::Result;
use std::process::Command;

const FOLDER: &str = "crates/ledger/vectors";
/// What makes them, and the file that it makes.
const SCRIPTS: [(&str, &str); 2] =
    [("generate.mjs", "crates/ledger/vectors/evm.json"), ("siwe.mjs", "crates/gateway/vectors/siwe.json")];

/// Compares the checked-in vectors with new ones where that can be done.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let folder = workspace.root.join(FOLDER);
    if !answers("node") || !folder.join("node_modules/viem").exists() {
        println!(
            "skipped making the ledger's vectors anew: node is absent, or `npm ci` was not run in {FOLDER}"
        );
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for (script, made) in SCRIPTS {
        let output = Command::new("node").args([script, "--check"]).current_dir(&folder).output()?;
        if !output.status.success() {
            let problem = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            findings.push(Finding::new(made, problem));
        }
    }
    Ok(findings)
}
