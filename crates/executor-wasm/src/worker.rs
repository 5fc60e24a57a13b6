//! The worker's side.

use std::process::ExitCode;

/// Runs as a worker: locks the process in, then serves the executor at the other end of standard
/// input until it hangs up.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
