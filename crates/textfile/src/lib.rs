//! Text that people write: TOML, YAML and JSON, read into one tree in which every value knows its place.
//!
//! What it is: what job files and service files share, so that a mistake in any of them is shown with its file,
//! line, column, the line itself and a hint. What it never does: read a file, or know what one is about. Start at
//! [`Source`], then [`Source::tree`] and [`decode`].

pub mod constraints;
mod decode;
mod error;
pub mod needs;
mod source;
mod suggest;
pub mod tree;
pub mod values;

pub use decode::decode;
pub use error::FileError;
pub use source::{Fault, Source, Span};
pub use suggest::nearest;

/// Largest file, in bytes. Contents are named by files, never written into one that says what to run.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;

/// The three spellings of a file.
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

/// The JSON Schema of a kind of file, as text that is published.
pub fn schema_of<T: schemars::JsonSchema>() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(T)).expect("a schema is plain JSON");
    text.push('\n');
    text
}
