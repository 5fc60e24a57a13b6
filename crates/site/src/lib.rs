//! A folder of files as a component that answers HTTP.
//!
//! [`component`] takes files by path and gives a WASM component of `wasi:http/incoming-handler` with all of them
//! inside: a service that needs no container engine and no storage, on any node that runs components. What each path
//! is answered with is decided here ([`answers`]) and written down as a table ([`table`]); the program
//! (`server.wat`) only looks it up. The table is a passive segment of data, so a request takes memory for its own
//! answer alone, however large the site is.

mod answers;
mod component;
mod table;

pub use component::component;

use std::collections::BTreeMap;

/// Files by path: relative, parts joined by `/`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Most bytes of all files together. Programs have an end of 64 MiB on every node.
pub const BYTES_MAX: usize = 48 << 20;
/// Most files.
pub const FILES_MAX: usize = 20_000;
/// Longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 1_000;

/// Why files are no site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// Nothing would answer at `/`.
    #[error("there is no index.html in it")]
    NoIndex,
    /// Too many.
    #[error("it has more than {FILES_MAX} files")]
    TooManyFiles,
    /// Too much.
    #[error("its files have {0} bytes, at most {BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// A path that cannot be asked for.
    #[error("the path {0:?} is longer than {PATH_BYTES_MAX} bytes, or is none that a browser can ask for")]
    Path(String),
}
