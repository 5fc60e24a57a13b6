//! Other programs, and errors that say what they said.

use anyhow::{Context, Result, ensure};
use std::process::{Command, Stdio};

/// Runs a command that has to succeed and returns what it prints.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("running {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {}", said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command succeeds.
pub fn runs(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs a line of words, parted by spaces, that has to succeed.
pub fn line(words: &str) -> Result<String> {
    let mut parts = words.split_whitespace();
    let program = parts.next().context("a line begins with a program")?;
    run(Command::new(program).args(parts))
}
