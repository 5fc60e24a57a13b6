//! Values of other systems' files, which allow several shapes for most of them.

use crate::{decimal, import::Reading};
use opensky_textfile::{
    Fault, Span, nearest,
    tree::{Key, Node, Value},
    values::At,
};

/// What is done about a key of another system's file.
pub(crate) enum Verdict {
    /// It is read.
    Read,
    /// It says nothing that matters.
    Silent,
    /// It is left out, and that is said.
    Note(&'static str),
    /// It would behave otherwise: what, and what can be done instead.
    Refused(&'static str, &'static str),
}

/// The keys of one kind of table.
pub(crate) type Keys = &'static [(&'static str, Verdict)];

impl<'a> Reading<'a> {
    /// Says what is done about each key of a table. A key that the format does not have is a fault.
    pub fn check_keys(&mut self, path: &str, node: &Node, keys: Keys) -> Result<(), Fault> {
        for (key, value) in entries(node)? {
            let is_same =
                |name: &str| name == key.text || self.is_any_case && name.eq_ignore_ascii_case(&key.text);
            let Some((_, verdict)) = keys.iter().find(|(name, _)| is_same(name)) else {
                if key.text.starts_with("x-") {
                    continue;
                }
                return Err(unknown_key(key, keys));
            };
            // A variable leaves a text where the format has a truth.
            let is_empty = is_empty(value) || value.value == Value::Text("false".to_owned());
            let at = join(path, &key.text);
            match verdict {
                Verdict::Note(what) if !is_empty => self.note(&at, key.span, what, ""),
                Verdict::Refused(what, instead) if !is_empty => self.refuse(&at, key.span, what, instead),
                _ => {}
            }
        }
        Ok(())
    }

    /// A text; numbers and truths are taken as they are written.
    pub fn text(&self, node: &Node) -> Result<String, Fault> {
        let written = self.source.text().get(node.span.start..node.span.end).unwrap_or_default();
        match &node.value {
            Value::Text(text) => Ok(text.clone()),
            // `yes` and `no` are words to those who read them, whatever older versions of YAML say.
            Value::Bool(_) if is_old_truth(written) => Ok(written.to_owned()),
            Value::Bool(truth) => Ok(truth.to_string()),
            // A version such as 1.10 is no number to those who read it.
            Value::Integer(number) => Ok(kept(written).unwrap_or_else(|| number.to_string())),
            Value::Float(number) => Ok(kept(written).unwrap_or_else(|| number.to_string())),
            Value::Null | Value::List(_) | Value::Table(_) => Err(expected(node, "a text")),
        }
    }

    /// A text with its place.
    pub fn text_at(&self, node: &Node) -> Result<At<String>, Fault> {
        Ok(At { span: node.span, value: self.text(node)? })
    }

    /// A list of texts; nothing is an empty one.
    pub fn texts(&self, node: &Node) -> Result<Vec<At<String>>, Fault> {
        list(node)?.iter().map(|item| self.text_at(item)).collect()
    }

    /// A list of texts without their places.
    pub fn plain_texts(&self, node: &Node) -> Result<Vec<String>, Fault> {
        list(node)?.iter().map(|item| self.text(item)).collect()
    }

    /// A list of texts, or a text alone.
    pub fn one_or_many(&self, node: &Node) -> Result<Vec<At<String>>, Fault> {
        match &node.value {
            Value::List(_) | Value::Null => self.texts(node),
            _ => Ok(vec![self.text_at(node)?]),
        }
    }

    /// A whole number, be it as a text: variables leave texts behind.
    pub fn whole(&self, node: &Node) -> Result<u64, Fault> {
        let number = match &node.value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| expected(node, "a whole number"))
    }

    /// A whole number that fits.
    pub fn small<T: TryFrom<u64>>(&self, node: &Node) -> Result<T, Fault> {
        let number = self.whole(node)?;
        T::try_from(number).map_err(|_| Fault::new(node.span, format!("{number} is too large")))
    }

    /// True or false, be it as a text.
    pub fn truth(&self, node: &Node) -> Result<bool, Fault> {
        match &node.value {
            Value::Bool(truth) => Ok(*truth),
            Value::Text(text) if text == "true" => Ok(true),
            Value::Text(text) if text == "false" => Ok(false),
            _ => Err(expected(node, "true or false")),
        }
    }

    /// A time, in milliseconds.
    pub fn millis(&self, node: &Node) -> Result<u64, Fault> {
        let text = self.text(node)?;
        decimal::millis(&text).ok_or_else(|| {
            Fault::new(node.span, format!("'{text}' is no time"))
                .with_hint("write such as \"10s\" or \"1m30s\"")
        })
    }

    /// A size, in bytes; `base` is what letters without an `i` count in.
    pub fn bytes(&self, node: &Node, base: u64) -> Result<u64, Fault> {
        let text = self.text(node)?;
        let bytes = decimal::bytes(&text, base);
        bytes.ok_or_else(|| Fault::new(node.span, format!("'{text}' is no size")))
    }

    /// Cores, in thousandths.
    pub fn milli_cores(&self, node: &Node) -> Result<u64, Fault> {
        let text = self.text(node)?;
        let cores = decimal::milli(&text);
        cores.ok_or_else(|| Fault::new(node.span, format!("'{text}' is no number of cores")))
    }

    /// Whole cores for so many thousandths, saying so where they are more.
    pub fn whole_cores(&mut self, path: &str, node: &Node, milli: u64) -> Result<u16, Fault> {
        let cores = milli.div_ceil(1_000).max(1);
        if milli > 0 && !milli.is_multiple_of(1_000) {
            let what = format!("cores are whole here: {cores} in place of {}", decimal::in_words(milli));
            self.note(path, node.span, &what, "");
        }
        u16::try_from(cores).map_err(|_| Fault::new(node.span, "so many cores has no node"))
    }

    /// Variables as `NAME=value` each; what has no `=` is `None`.
    pub fn assignments(&self, node: &Node) -> Result<Vec<(String, Option<String>)>, Fault> {
        let split = |at: At<String>| match at.value.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (at.value, None),
        };
        Ok(self.texts(node)?.into_iter().map(split).collect())
    }
}

/// Whether a word is a truth in YAML 1.1 alone.
fn is_old_truth(written: &str) -> bool {
    ["yes", "no", "on", "off", "y", "n"].iter().any(|word| word.eq_ignore_ascii_case(written))
}

/// A number as it is written, if it is one.
fn kept(written: &str) -> Option<String> {
    written.parse::<f64>().is_ok().then(|| written.to_owned())
}

/// The entries of a table; nothing is an empty one.
pub(crate) fn entries(node: &Node) -> Result<&[(Key, Node)], Fault> {
    match &node.value {
        Value::Table(entries) => Ok(entries),
        Value::Null => Ok(&[]),
        _ => Err(expected(node, "a table")),
    }
}

/// The value under a name that may be written in any case.
pub(crate) fn get<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let entries = node.entries().unwrap_or_default();
    entries.iter().find(|(key, _)| key.text.eq_ignore_ascii_case(name)).map(|(_, node)| node)
}

/// Where the key of a table stands; the table's own place if it has no such key.
pub(crate) fn key_span(node: &Node, name: &str) -> Span {
    let entries = node.entries().unwrap_or_default();
    entries.iter().find(|(key, _)| key.text == name).map_or(node.span, |(key, _)| key.span)
}

/// The items of a list; nothing is an empty one.
pub(crate) fn list(node: &Node) -> Result<&[Node], Fault> {
    match &node.value {
        Value::List(items) => Ok(items),
        Value::Null => Ok(&[]),
        _ => Err(expected(node, "a list")),
    }
}

/// Whether a value asks for nothing.
pub(crate) fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Integer(number) => *number == 0,
        Value::Float(_) => false,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Table(entries) => entries.is_empty(),
    }
}

/// The path of a key in a table.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

pub(crate) fn expected(node: &Node, what: &str) -> Fault {
    let found = match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Integer(number) => format!("the number {number}"),
        Value::Float(number) => format!("the number {number}"),
        Value::Text(text) => format!("the text \"{text}\""),
        Value::List(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    };
    Fault::new(node.span, format!("expected {what}, found {found}"))
}

fn unknown_key(key: &Key, keys: Keys) -> Fault {
    let fault = Fault::new(key.span, format!("unknown key '{}'", key.text));
    match nearest(&key.text, keys.iter().map(|(name, _)| *name)) {
        Some(near) => fault.with_hint(format!("did you mean '{near}'?")),
        None => fault,
    }
}
