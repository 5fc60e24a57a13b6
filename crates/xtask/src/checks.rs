//! The list of checks. A new one is a file in `checks/` and a line here.

mod advisories;
mod commands;
mod docs;
mod layers;
mod licences;
mod programs;
mod purity;
mod sdks;
mod sizes;
mod style;
mod tools;
mod vectors;
mod web;

use crate::{finding::Finding, workspace::Workspace};
use anyhow::Result;

pub use docs::update_security_map;

/// One thing that must hold.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its name in the output.
    pub name: &'static str,
    /// What holds when it passes.
    pub meaning: &'static str,
    /// Looks, and returns what it found.
    pub run: fn(&Workspace) -> Result<Vec<Finding>>,
}

/// Checks that take seconds.
pub const QUICK: &[Check] = &[
    Check { name: "format", meaning: "the code is formatted (run `cargo fmt`)", run: commands::format },
    Check { name: "layers", meaning: "crates depend only on crates of lower layers", run: layers::check },
    Check { name: "purity", meaning: "the cores do no I/O and know no clock or chance", run: purity::check },
    Check { name: "sizes", meaning: "files are short enough to be read at once", run: sizes::check },
    Check { name: "style", meaning: "no glob imports, ignored tests or unfinished code", run: style::check },
    Check { name: "programs", meaning: "example programs belong to their sources", run: programs::check },
    Check {
        name: "vectors",
        meaning: "the ledger's test vectors are what an independent implementation makes",
        run: vectors::check,
    },
    Check {
        name: "licences",
        meaning: "every dependency's licence is allowed in deny.toml",
        run: licences::check,
    },
    Check { name: "advisories", meaning: "no dependency has a known hole", run: advisories::check },
    Check { name: "docs", meaning: "the tests that the docs name exist", run: docs::check },
];

/// Checks that compile the workspace.
pub const SLOW: &[Check] = &[
    Check { name: "clippy", meaning: "clippy has nothing to say", run: commands::clippy },
    Check { name: "tests", meaning: "all tests pass", run: commands::tests },
    Check { name: "doc tests", meaning: "the examples in the docs work", run: commands::doc_tests },
    Check { name: "sdks", meaning: "the clients for other languages work against a node", run: sdks::check },
    Check { name: "web", meaning: "the dashboard works in a browser", run: web::check },
];
