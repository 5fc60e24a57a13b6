//! JSON. serde_json says whether the text is JSON at all; the scan below only adds places, so it
//! may rely on that.

use super::{DEPTH_MAX, Key, Node, Value};
use crate::source::{Fault, Span, offset_of};
use std::collections::BTreeSet;

pub fn parse(text: &str) -> Result<Node, Fault> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| {
        let start = offset_of(text, error.line(), error.column());
        let message = error.to_string();
        let problem = message.split(" at line ").next().unwrap_or(&message);
        Fault::new(Span { start, end: start + 1 }, format!("not valid JSON: {problem}"))
    })?;
    Scan { text, at: 0 }.node(0)
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    /// The byte at hand, after blanks.
    fn peek(&mut self) -> u8 {
        let rest = self.text[self.at..].trim_start_matches([' ', '\t', '\n', '\r']);
        self.at = self.text.len() - rest.len();
        rest.as_bytes().first().copied().unwrap_or_default()
    }

    fn node(&mut self, depth: usize) -> Result<Node, Fault> {
        let first = self.peek();
        let start = self.at;
        if depth > DEPTH_MAX {
            return Err(Fault::new(Span { start, end: start + 1 }, "nested too deep"));
        }
        let value = match first {
            b'{' => Value::Table(self.table(depth)?),
            b'[' => Value::List(self.list(depth)?),
            b'"' => Value::Text(self.string()?),
            b't' | b'f' => Value::Bool(self.word() == "true"),
            b'n' => {
                self.word();
                Value::Null
            }
            _ => {
                let digits = self.word();
                match digits.parse() {
                    Ok(integer) => Value::Integer(integer),
                    Err(_) => Value::Float(digits.parse().unwrap_or(f64::NAN)),
                }
            }
        };
        Ok(Node { span: Span { start, end: self.at }, value })
    }

    fn table(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, Fault> {
        self.at += 1;
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut names = BTreeSet::new();
        loop {
            match self.peek() {
                b'}' => break,
                b',' => self.at += 1,
                _ => {
                    let start = self.at;
                    let text = self.string()?;
                    let key = Key { span: Span { start, end: self.at }, text };
                    if !names.insert(key.text.clone()) {
                        return Err(Fault::new(key.span, format!("the key '{}' is there twice", key.text)));
                    }
                    self.peek();
                    self.at += 1; // the colon
                    entries.push((key, self.node(depth + 1)?));
                }
            }
        }
        self.at += 1;
        Ok(entries)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Fault> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.peek() {
                b']' => break,
                b',' => self.at += 1,
                _ => items.push(self.node(depth + 1)?),
            }
        }
        self.at += 1;
        Ok(items)
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while bytes[self.at] != b'"' {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_str(&self.text[start..self.at])
            .map_err(|error| Fault::new(Span { start, end: self.at }, error.to_string()))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> &str {
        let rest = &self.text[self.at..];
        let end = rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }
}
