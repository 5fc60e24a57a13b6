//! Runs checks, and says how each went.

use crate::{checks::Check, workspace::Workspace};
use std::{process::ExitCode, time::Instant};

/// Runs all of `checks`, also after one has failed, so that one run shows everything.
pub fn run(workspace: &Workspace, checks: &[Check]) -> ExitCode {
    let mut failed: Vec<&str> = Vec::new();
    for check in checks {
        let start = Instant::now();
        let result = (check.run)(workspace);
        let seconds = start.elapsed().as_secs_f32();
        match result {
            Ok(findings) if findings.is_empty() => println!("ok      {} ({seconds:.1} s)", check.name),
            Ok(findings) => {
                println!("FAILED  {} ({seconds:.1} s): {}", check.name, check.meaning);
                findings.iter().for_each(|finding| println!("        {finding}"));
                failed.push(check.name);
            }
            Err(error) => {
                println!("FAILED  {}: the check itself could not run: {error:#}", check.name);
                failed.push(check.name);
            }
        }
    }
    if failed.is_empty() {
        println!("all {} checks passed", checks.len());
        return ExitCode::SUCCESS;
    }
    println!("{} of {} checks failed: {}", failed.len(), checks.len(), failed.join(", "));
    ExitCode::FAILURE
}
