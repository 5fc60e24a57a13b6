//! Job files: text in, a typed and checked plan out.
//!
//! What it is: one schema for TOML, YAML and JSON, read with the position of every value, so that
//! each mistake is shown with its file, line, column, the line itself and a hint. What it never
//! does: read a file, expand a glob or upload anything; [`Plan`] says what must be read, and whoever
//! runs the job (the Rust client) reads it. Start at [`parse`], then [`file::JobFile`] (what may be
//! written) and [`plan`] (what it comes to). The published schema is [`schema`].

pub mod cut;
mod decode;
mod error;
pub mod file;
mod lower;
pub mod plan;
mod source;
mod suggest;
mod tree;
pub mod values;

pub use error::JobFileError;
pub use plan::Plan;
pub use source::Span;

/// The three spellings of a job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.toml`
    Toml,
    /// `.yaml`, `.yml`
    Yaml,
    /// `.json`
    Json,
}

impl Format {
    /// The format that a file's name ends in, if it is one of them.
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Reads and checks a job file. `name` is used in error messages only.
pub fn parse(name: &str, text: &str, format: Format) -> Result<Plan, JobFileError> {
    let source = source::Source::new(name, text);
    let lowered = read(&source, format).and_then(|file| lower::lower(&file));
    match lowered {
        Ok(job) => Ok(Plan::new(source, job)),
        Err(fault) => Err(source.error(fault)),
    }
}

fn read(source: &source::Source, format: Format) -> Result<file::JobFile, source::Fault> {
    if source.text().len() > FILE_BYTES_MAX {
        let problem = format!("the file is larger than {FILE_BYTES_MAX} bytes");
        return Err(source::Fault::new(Span::default(), problem));
    }
    let tree = match format {
        Format::Toml => tree::toml::parse(source.text())?,
        Format::Yaml => tree::yaml::parse(source.text())?,
        Format::Json => tree::json::parse(source.text())?,
    };
    decode::decode(&tree)
}

/// Largest job file, in bytes. Inputs are named by files, never written into the job file.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;

/// The JSON Schema of job files, as published in `docs/job.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(file::JobFile);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}
