//! A file's text, places in it, and faults at places.

use crate::{
    FILE_BYTES_MAX, Format,
    error::FileError,
    tree::{self, Node},
};

/// A part of a file, in bytes from its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// First byte after it.
    pub end: usize,
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// Something wrong at a place; [`Source::error`] makes it readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where; `None` while the reader has not come out to a value that has a place.
    pub span: Option<Span>,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl Fault {
    /// A problem at a place.
    pub fn new(span: Span, problem: impl Into<String>) -> Self {
        Self { span: Some(span), problem: problem.into(), hint: None }
    }

    /// The same, saying what would be right.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A named text.
#[derive(Debug, Clone)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// A text under the name that errors show.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name that errors show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text as a tree, or where it is none: more than [`FILE_BYTES_MAX`], not in this format, a key twice, more
    /// than 32 levels, or aliases that make far more of it than is there.
    pub fn tree(&self, format: Format) -> Result<Node, Fault> {
        if self.text.len() > FILE_BYTES_MAX {
            let problem = format!("the file is larger than {FILE_BYTES_MAX} bytes");
            return Err(Fault::new(Span::default(), problem));
        }
        match format {
            Format::Toml => tree::toml::parse(&self.text),
            Format::Yaml => tree::yaml::parse(&self.text),
            Format::Json => tree::json::parse(&self.text),
        }
    }

    /// The fault with its line and column.
    pub fn error(&self, fault: Fault) -> FileError {
        let span = fault.span.unwrap_or_default();
        let start = floor_char_boundary(&self.text, span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_text = self.text[line_start..].lines().next().unwrap_or_default();
        let end = floor_char_boundary(&self.text, span.end.max(start)).min(line_start + line_text.len());
        FileError {
            file: self.name.clone(),
            line: self.text[..line_start].matches('\n').count() as u32 + 1,
            column: self.text[line_start..start].chars().count() as u32 + 1,
            length: self.text.get(start..end).map_or(1, |marked| marked.chars().count().max(1)) as u32,
            line_text: line_text.to_owned(),
            problem: fault.problem,
            hint: fault.hint,
        }
    }
}

/// The byte offset of a line and column (both from 1, the column in characters).
pub fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let line_start = match line.saturating_sub(1) {
        0 => 0,
        newlines => text.match_indices('\n').nth(newlines - 1).map_or(text.len(), |(at, _)| at + 1),
    };
    let rest = &text[line_start..];
    line_start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
