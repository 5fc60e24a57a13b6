//! The dashboard holds its types, passes its tests, and works in a real browser against real nodes.
//!
//! What is absent is skipped by name: without node the dashboard cannot be built at all, without Chromium
//! it cannot be looked at.

use super::tools::{built_node, has_packages, npm};
use crate::{finding::Finding, workspace::Workspace};
use anyhow::Result;
use std::path::Path;

const FOLDER: &str = "web";
const CHROMIUM: &str = "/usr/bin/chromium";

/// Checks the dashboard where that can be done.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let root = &workspace.root;
    if !has_packages(root, FOLDER) {
        println!("skipped the dashboard: npm is absent, or `npm ci` was not run in {FOLDER}");
        return Ok(Vec::new());
    }
    let mut findings = Vec::new();
    for script in ["check", "test"] {
        findings.extend(npm(root, FOLDER, script, None)?);
    }
    if !Path::new(CHROMIUM).exists() {
        println!("skipped the dashboard in a browser: there is no {CHROMIUM}");
        return Ok(findings);
    }
    match built_node()? {
        Err(missing) => findings.push(missing),
        Ok(node) if findings.is_empty() => findings.extend(npm(root, FOLDER, "e2e", Some(&node))?),
        Ok(_) => {}
    }
    Ok(findings)
}
