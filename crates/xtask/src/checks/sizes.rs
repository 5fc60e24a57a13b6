//! Files that can be read at once: 600 lines at most, 120 for a `lib.rs`. Tests may be longer.

use crate::{finding::Finding, source, workspace::Workspace};
use anyhow::Result;
use std::path::Path;

const FILE_LINES_MAX: usize = 600;
const LIB_LINES_MAX: usize = 120;
const TEST_LINES_MAX: usize = 1_000;

/// Checks every tracked Rust file.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in workspace.files_in(Path::new(""), "rs") {
        let lines = workspace.read(file)?.lines().count();
        let lines_max = lines_max(file);
        if lines > lines_max {
            let problem = format!("{lines} lines, {lines_max} at most; split it along its ideas");
            findings.push(Finding::new(file.display().to_string(), problem));
        }
    }
    Ok(findings)
}

fn lines_max(file: &Path) -> usize {
    if source::is_test_file(file) {
        TEST_LINES_MAX
    } else if file.ends_with("src/lib.rs") {
        LIB_LINES_MAX
    } else {
        FILE_LINES_MAX
    }
}
