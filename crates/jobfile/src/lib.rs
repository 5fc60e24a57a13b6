//! Job files: text in, a typed and checked plan out.
//!
//! What it is: one schema for TOML, YAML and JSON, read with the position of every value, so that
//! each mistake is shown with its file, line, column, the line itself and a hint. What it never
//! does: read a file, expand a glob or upload anything; [`Plan`] says what must be read, and whoever
//! runs the job (the Rust client) reads it. Start at [`parse`], then [`file::JobFile`] (what may be
//! written) and [`plan`] (what it comes to). The published schema is [`schema`]. How text is read at all is
//! `opensky-textfile`'s.

pub mod cut;
pub mod file;
mod lower;
pub mod plan;

pub use opensky_textfile::{FILE_BYTES_MAX, FileError as JobFileError, Format, Span, values};
pub use plan::Plan;

use opensky_textfile::{Fault, Source, decode};

/// Reads and checks a job file. `name` is used in error messages only.
pub fn parse(name: &str, text: &str, format: Format) -> Result<Plan, JobFileError> {
    let source = Source::new(name, text);
    let lowered = read(&source, format).and_then(|file| lower::lower(&file));
    match lowered {
        Ok(job) => Ok(Plan::new(source, job)),
        Err(fault) => Err(source.error(fault)),
    }
}

fn read(source: &Source, format: Format) -> Result<file::JobFile, Fault> {
    decode(&source.tree(format)?)
}

/// The JSON Schema of job files, as published in `docs/job.schema.json`.
pub fn schema() -> String {
    opensky_textfile::schema_of::<file::JobFile>()
}
