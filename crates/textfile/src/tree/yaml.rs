//! YAML, by serde-saphyr's spanned values (YAML 1.2 core types, limited aliases, no duplicate keys).

use super::{DEPTH_MAX, Key, Node, Value};
use crate::source::{Fault, Span, offset_of};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};
use std::fmt;

pub fn parse(text: &str) -> Result<Node, Fault> {
    let read: Spanned<Raw> = serde_saphyr::from_str(text).map_err(|error| {
        let location = error.location();
        let message = error.without_snippet().to_string();
        // The message repeats its position at the end, and our own is printed with it.
        let problem = message.lines().next().unwrap_or_default();
        let problem = problem.split(" at line ").next().unwrap_or(problem);
        Fault {
            span: location.map(|location| place(text, location)),
            problem: format!("not valid YAML: {problem}"),
            hint: None,
        }
    })?;
    node(text, read, 0)
}

/// A value as YAML has it, before places are turned into bytes.
enum Raw {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Table(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn place(text: &str, location: Location) -> Span {
    // Counting lines for each of many values would take time by the square of the file.
    if let (Some(start), Some(length)) = (location.span().byte_offset(), location.span().byte_len()) {
        return Span { start: start as usize, end: (start + length) as usize };
    }
    let start = offset_of(text, location.line() as usize, location.column() as usize);
    let length =
        text[start..].chars().take(location.span().len() as usize).map(char::len_utf8).sum::<usize>();
    Span { start, end: start + length }
}

fn node(text: &str, spanned: Spanned<Raw>, depth: usize) -> Result<Node, Fault> {
    let span = place(text, spanned.referenced);
    if depth > DEPTH_MAX {
        return Err(Fault::new(span, "nested too deep"));
    }
    let value = match spanned.value {
        Raw::Null => Value::Null,
        Raw::Bool(truth) => Value::Bool(truth),
        Raw::Integer(number) => Value::Integer(number),
        Raw::Float(number) => Value::Float(number),
        Raw::Text(words) => Value::Text(words),
        Raw::List(items) => {
            let nodes = items.into_iter().map(|item| node(text, item, depth + 1));
            Value::List(nodes.collect::<Result<_, _>>()?)
        }
        Raw::Table(entries) => {
            let entry = |(key, value): (Spanned<String>, Spanned<Raw>)| {
                let key = Key { span: place(text, key.referenced), text: key.value };
                Ok((key, node(text, value, depth + 1)?))
            };
            Value::Table(entries.into_iter().map(entry).collect::<Result<_, Fault>>()?)
        }
    };
    Ok(Node { span, value })
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }
    fn visit_bool<E>(self, truth: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(truth))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Integer(number.into()))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Integer(number.into()))
    }
    fn visit_i128<E>(self, number: i128) -> Result<Raw, E> {
        Ok(Raw::Integer(number))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Float(number))
    }
    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(Raw::Table(table))
    }
}
