//! A value and where it stands in the file: what all three formats are read into.

pub(crate) mod json;
pub(crate) mod toml;
pub(crate) mod yaml;

use crate::source::Span;

/// Deepest nesting that a file may have.
const DEPTH_MAX: usize = 32;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The place.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// What can stand in a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: `null` of YAML and JSON.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Values by name, in the order of the file, each name once.
    Table(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The place.
    pub span: Span,
    /// The name.
    pub text: String,
}

impl Node {
    /// The entries, if it is a table.
    pub fn entries(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value under a name, if it is a table that has it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entries()?.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }
}
