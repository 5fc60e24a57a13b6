//! Logs: a file in the data folder, and warnings on standard error.

use anyhow::{Context, Result};
use std::{
    fs,
    io::{self, IsTerminal},
    path::Path,
    sync::Mutex,
};
use tracing_subscriber::{
    EnvFilter, Layer, filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

/// Size from which the log of earlier runs is moved aside at start, in bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The validator's engine tells of every vote; its warnings are enough, unless a filter names it.
const QUIET: &str = "commonware_actor=warn,commonware_broadcast=warn,commonware_consensus=warn,\
    commonware_p2p=warn,commonware_resolver=warn,commonware_runtime=warn,commonware_storage=warn,\
    commonware_stream=warn";

/// Who changed what through the API is written down whatever the level.
const AUDIT: &str = "audit=info";

/// Logs what `filter` lets through to `file`, and warnings (with `verbose`: all of it) to standard
/// error.
pub fn start(file: &Path, filter: &str, verbose: bool) -> Result<()> {
    if fs::metadata(file).is_ok_and(|meta| meta.len() > FILE_BYTES_MAX) {
        fs::rename(file, file.with_extension("log.1")).context("cannot move the old log aside")?;
    }
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .with_context(|| format!("cannot write the log {}", file.display()))?;
    let filter = EnvFilter::try_new(format!("{QUIET},{AUDIT},{filter}"))?;
    let to_file = fmt::layer().with_ansi(false).with_writer(Mutex::new(log)).with_filter(filter);
    // A founder has no peers at first, which the DHT finds worth a warning.
    let level = if verbose { LevelFilter::DEBUG } else { LevelFilter::WARN };
    let level = EnvFilter::try_new(format!("{QUIET},libp2p_kad=error,{level}"))?;
    let to_screen = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .with_filter(level);
    tracing_subscriber::registry()
        .with(to_file)
        .with(to_screen)
        .try_init()
        .context("logs were started before")
}
