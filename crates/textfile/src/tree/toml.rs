//! TOML, by the `toml` crate's spanned values.

use super::{DEPTH_MAX, Key, Node, Value};
use crate::source::{Fault, Span};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub fn parse(text: &str) -> Result<Node, Fault> {
    let document = DeTable::parse(text).map_err(|error| Fault {
        span: error.span().map(Span::from),
        problem: format!("not valid TOML: {}", error.message()),
        hint: None,
    })?;
    let span = Span::from(document.span());
    table(Span { start: span.start, end: span.start }, document.into_inner(), 0)
}

fn table(span: Span, entries: DeTable<'_>, depth: usize) -> Result<Node, Fault> {
    if depth > DEPTH_MAX {
        return Err(Fault::new(span, "nested too deep"));
    }
    let entry = |(key, value): (Spanned<std::borrow::Cow<'_, str>>, Spanned<DeValue<'_>>)| {
        let key = Key { span: key.span().into(), text: key.into_inner().into_owned() };
        Ok((key, node(value, depth + 1)?))
    };
    let mut entries = entries.into_iter().map(entry).collect::<Result<Vec<_>, Fault>>()?;
    // The parser sorts by key; errors and plans are better in the order of the file.
    entries.sort_by_key(|(key, _)| key.span.start);
    Ok(Node { span, value: Value::Table(entries) })
}

fn node(spanned: Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Fault> {
    let span = Span::from(spanned.span());
    if depth > DEPTH_MAX {
        return Err(Fault::new(span, "nested too deep"));
    }
    let value = match spanned.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(truth) => Value::Bool(truth),
        DeValue::Integer(digits) => Value::Integer(
            i128::from_str_radix(digits.as_str(), digits.radix())
                .map_err(|_| Fault::new(span, "the number is too large"))?,
        ),
        DeValue::Float(digits) => Value::Float(
            digits.as_str().parse().map_err(|_| Fault::new(span, "not a number that can be read"))?,
        ),
        DeValue::Datetime(_) => {
            return Err(Fault::new(span, "a date is not used in these files")
                .with_hint("write a duration such as \"10m\" in quotes"));
        }
        DeValue::Array(items) => {
            let nodes = items.into_iter().map(|item| node(item, depth + 1));
            Value::List(nodes.collect::<Result<_, _>>()?)
        }
        DeValue::Table(entries) => return table(span, entries, depth),
    };
    Ok(Node { span, value })
}
