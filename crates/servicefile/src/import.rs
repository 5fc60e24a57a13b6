//! What other systems' files come to, and what of them OpenSky cannot do.

use crate::{image::ImageFacts, plan::Plan};
use opensky_textfile::{Fault, Source, Span};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What the caller knows that the file does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Variables that stand in for `${NAME}`: those of the `.env` file beside it, and over them the environment's.
    pub vars: BTreeMap<String, String>,
    /// Contents of the files that [`Needs::files`] names, by the path as it stands there. One that is absent does
    /// not exist.
    pub files: BTreeMap<String, String>,
    /// Profiles whose services start too.
    pub profiles: BTreeSet<String>,
    /// What the engine knows of images, by the name as it stands in [`Needs::images`]. One that is absent is not
    /// known: its ports are then those of the file and of well-known images, and its entry point cannot be replaced.
    pub images: BTreeMap<String, ImageFacts>,
}

/// What the caller may look up before a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Files with environment variables, relative to the file.
    pub files: Vec<String>,
    /// Images of the engine of this machine.
    pub images: Vec<String>,
}

/// A part of a file that OpenSky does not do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unsupported {
    /// The line, from 1.
    pub line: u32,
    /// Where it stands among the file's keys, such as `services.db.volumes`.
    pub path: String,
    /// What is not done.
    pub what: String,
    /// What can be done instead, where there is something.
    pub instead: Option<String>,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.path, self.what)?;
        match &self.instead {
            Some(instead) => write!(f, "; instead: {instead}"),
            None => Ok(()),
        }
    }
}

/// A file of another system, read. What it comes to can be had only where nothing of it is refused.
#[derive(Debug, Clone)]
pub struct Import<T = Plan> {
    made: Option<T>,
    refused: Vec<Unsupported>,
    notes: Vec<Unsupported>,
}

impl<T> Import<T> {
    /// What would behave otherwise than the file says, by line.
    pub fn refused(&self) -> &[Unsupported] {
        &self.refused
    }

    /// What is left out or done in another way without harm, by line.
    pub fn notes(&self) -> &[Unsupported] {
        &self.notes
    }

    /// What the file comes to, or what of it is refused.
    pub fn accept(self) -> Result<T, Vec<Unsupported>> {
        self.made.filter(|_| self.refused.is_empty()).ok_or(self.refused)
    }
}

/// What is said while a file is read.
pub(crate) struct Reading<'a> {
    pub source: &'a Source,
    /// Whether keys may be written in any case.
    pub is_any_case: bool,
    /// Where lines end, in bytes.
    line_ends: Vec<usize>,
    refused: Vec<Unsupported>,
    notes: Vec<Unsupported>,
}

impl<'a> Reading<'a> {
    pub fn new(source: &'a Source) -> Self {
        let line_ends = source.text().match_indices('\n').map(|(at, _)| at).collect();
        Self { source, is_any_case: false, line_ends, refused: Vec::new(), notes: Vec::new() }
    }

    /// The same for a format whose keys may be written in any case.
    pub fn of_any_case(source: &'a Source) -> Self {
        Self { is_any_case: true, ..Self::new(source) }
    }

    /// Something that would behave otherwise.
    pub fn refuse(&mut self, path: &str, span: Span, what: &str, instead: &str) {
        let unsupported = self.unsupported(path, span, what, instead);
        self.refused.push(unsupported);
    }

    /// Something that is left out, or done in another way.
    pub fn note(&mut self, path: &str, span: Span, what: &str, instead: &str) {
        let unsupported = self.unsupported(path, span, what, instead);
        self.notes.push(unsupported);
    }

    fn unsupported(&self, path: &str, span: Span, what: &str, instead: &str) -> Unsupported {
        Unsupported {
            line: self.line_ends.partition_point(|end| *end < span.start) as u32 + 1,
            path: path.to_owned(),
            what: what.to_owned(),
            instead: (!instead.is_empty()).then(|| instead.to_owned()),
        }
    }

    /// What was made, with all that was said. `make` runs only where nothing is refused: what is refused may be the
    /// reason of a fault that nobody could mend.
    pub fn finish<T>(mut self, make: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<Import<T>, Fault> {
        let made = if self.refused.is_empty() { Some(make(&mut self)?) } else { None };
        for list in [&mut self.refused, &mut self.notes] {
            list.sort();
            list.dedup();
        }
        Ok(Import { made, refused: self.refused, notes: self.notes })
    }
}
