//! The binary: arguments, configuration, logs, progress bars, output.
//!
//! What it is: the command line, and the place where adapters are built and handed to the node
//! (`compose.rs`). What it never does: decide anything about jobs, or talk to other nodes by itself;
//! all commands but `up` and `worker` speak to the local node through [`opensky_client`]. Start at
//! [`cli`], then `commands/`, one file per command.

mod acting;
mod amount;
mod cli;
mod commands;
mod compose;
mod config;
mod executors;
mod fail;
mod founding;
mod inspection;
mod logging;
mod output;
mod passphrase;
mod port;
mod progress;
mod remote;
mod score;
mod settings;
mod terminal;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A worker locks itself in before it opens files or starts threads, so it comes before all else.
    if std::env::args_os().nth(1).is_some_and(|command| command == "worker") {
        return opensky_executor_wasm::worker::main();
    }
    forget_key_log();
    let cli = cli::Cli::parse();
    let runtime = if matches!(cli.command, cli::Command::Up(_)) {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()
    } else {
        tokio::runtime::Builder::new_current_thread().enable_all().build()
    };
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(commands::run(cli));
            // A read of standard input may still hang in its thread; it must not hold the exit back.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(anyhow::Error::new(error).context("cannot start the runtime")),
    };
    result.unwrap_or_else(|error| fail::report(&error))
}

/// The TLS library under QUIC writes session keys to the file that this variable names.
fn forget_key_log() {
    // SAFETY: called first in `main`, before any thread is started that could read the environment.
    unsafe { std::env::remove_var("SSLKEYLOGFILE") };
}
