//! Variables in values: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?error}`, `${NAME:+instead}`, `$$`.
//!
//! As the Compose specification has it, section "Interpolation". Without the colon, an empty value counts as one.

use opensky_textfile::{
    Fault, Span,
    tree::{Node, Value},
};
use std::collections::BTreeMap;

/// How deep a default may hold further variables.
const DEPTH_MAX: usize = 8;
/// Longest text that variables make of one value, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most text that variables make of one file, in bytes.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Fills in variables and remembers those that nobody set.
pub(crate) struct Interpolation<'a> {
    vars: &'a BTreeMap<String, String>,
    /// Variables without value and default, with the place of the first value that wants them.
    pub unset: BTreeMap<String, Span>,
    filled_bytes: usize,
}

impl<'a> Interpolation<'a> {
    pub fn new(vars: &'a BTreeMap<String, String>) -> Self {
        Self { vars, unset: BTreeMap::new(), filled_bytes: 0 }
    }

    /// The tree with all its values filled in. Keys stay as they are.
    pub fn tree(&mut self, node: &Node) -> Result<Node, Fault> {
        let value = match &node.value {
            Value::Text(text) if text.contains('$') => Value::Text(self.text(text, node.span)?),
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.tree(item)).collect::<Result<_, _>>()?)
            }
            Value::Table(entries) => {
                let entry = |(key, value): &(_, Node)| Ok((Clone::clone(key), self.tree(value)?));
                Value::Table(entries.iter().map(entry).collect::<Result<_, Fault>>()?)
            }
            other => other.clone(),
        };
        Ok(Node { span: node.span, value })
    }

    /// One text with its variables filled in.
    pub fn text(&mut self, text: &str, span: Span) -> Result<String, Fault> {
        let filled = self.fill(text, span, 0)?;
        self.filled_bytes += filled.len();
        if self.filled_bytes > FILE_BYTES_MAX {
            return Err(Fault::new(
                span,
                format!("variables make more than {FILE_BYTES_MAX} bytes of the file"),
            ));
        }
        Ok(filled)
    }

    fn fill(&mut self, text: &str, span: Span, depth: usize) -> Result<String, Fault> {
        if depth > DEPTH_MAX {
            return Err(Fault::new(span, "variables in variables, too deep"));
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            let (value, tail) = if let Some(tail) = after.strip_prefix('$') {
                ("$".to_owned(), tail)
            } else if let Some(inner) = after.strip_prefix('{') {
                let end = closing(inner).ok_or_else(|| bad(text, span, "'${' is not closed"))?;
                (self.braced(text, &inner[..end], span, depth)?, &inner[end + 1..])
            } else {
                let end = name_end(after);
                if end == 0 {
                    return Err(bad(text, span, "'$' stands before no variable"));
                }
                (self.variable(&after[..end], span), &after[end..])
            };
            filled.push_str(&value);
            rest = tail;
            if filled.len() > TEXT_BYTES_MAX {
                return Err(Fault::new(
                    span,
                    format!("variables make it longer than {TEXT_BYTES_MAX} bytes"),
                ));
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn variable(&mut self, name: &str, span: Span) -> String {
        self.vars.get(name).cloned().unwrap_or_else(|| {
            self.unset.entry(name.to_owned()).or_insert(span);
            String::new()
        })
    }

    /// What stands between braces.
    fn braced(&mut self, whole: &str, inner: &str, span: Span, depth: usize) -> Result<String, Fault> {
        let end = name_end(inner);
        let (name, rest) = inner.split_at(end);
        if name.is_empty() {
            return Err(bad(whole, span, "'${' stands before no variable"));
        }
        let (empty_counts, operator) = match rest.strip_prefix(':') {
            Some(operator) => (false, operator),
            None => (true, rest),
        };
        let value = self.vars.get(name).filter(|value| empty_counts || !value.is_empty()).cloned();
        let mut chars = operator.chars();
        match (chars.next(), value) {
            (None, _) if empty_counts => Ok(self.variable(name, span)),
            (Some('-' | '?'), Some(value)) => Ok(value),
            (Some('-'), None) | (Some('+'), Some(_)) => self.fill(chars.as_str(), span, depth + 1),
            (Some('+'), None) => Ok(String::new()),
            (Some('?'), None) => {
                let said = self.fill(chars.as_str(), span, depth + 1)?;
                let problem = match said.is_empty() {
                    true => format!("the variable '{name}' is not set"),
                    false => format!("the variable '{name}' is not set: {said}"),
                };
                Err(Fault::new(span, problem)
                    .with_hint(format!("set it in the environment, or in .env: {name}=…")))
            }
            _ => Err(bad(whole, span, &format!("'${{{inner}}}' is no use of a variable"))),
        }
    }
}

fn bad(text: &str, span: Span, problem: &str) -> Fault {
    let problem = format!("{problem} in '{}'", text.chars().take(80).collect::<String>());
    Fault::new(span, problem).with_hint("write '$$' for a plain '$'")
}

fn name_end(text: &str) -> usize {
    let is_digit_first = text.starts_with(|c: char| c.is_ascii_digit());
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if is_digit_first { 0 } else { text.find(|c| !is_name(c)).unwrap_or(text.len()) }
}

/// Where the brace is closed that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vars() -> BTreeMap<String, String> {
        [("A", "one"), ("EMPTY", ""), ("B2", "two")].map(|(name, value)| (name.into(), value.into())).into()
    }

    #[test]
    fn variables_are_filled_in_as_compose_does() {
        for (text, expected) in [
            ("$A-${B2}", Some("one-two")),
            ("$$A $${A}", Some("$A ${A}")),
            ("${C:-x}${C-y}${EMPTY:-z}${EMPTY-w}", Some("xyz")),
            ("${C:-${A}/${D:-d}}", Some("one/d")),
            ("${A:+set}${C:+set}${EMPTY+set}", Some("setset")),
            ("${A:?no}${EMPTY?no}", Some("one")),
            ("$C|", Some("|")),
            ("${C:?tell me}", None),
            ("${EMPTY:?}", None),
            ("${A", None),
            ("${}", None),
            ("${1}", None),
            ("$1", None),
            ("cost: 5$", None),
            ("${A:x}", None),
            ("${A:}", None),
            ("${A/b}", None),
        ] {
            let vars = vars();
            let filled = Interpolation::new(&vars).text(text, Span::default());
            assert_eq!(filled.ok().as_deref(), expected, "{text}");
        }
        let vars = vars();
        let mut interpolation = Interpolation::new(&vars);
        interpolation.text("$A $C ${D} ${E:-e}", Span::default()).unwrap();
        assert_eq!(interpolation.unset.keys().collect::<Vec<_>>(), ["C", "D"]);
        let error = Interpolation::new(&vars).text("${C:?tell me}", Span::default()).unwrap_err();
        assert_eq!(error.problem, "the variable 'C' is not set: tell me");
    }

    proptest! {
        #[test]
        fn any_text_is_filled_in_or_refused(text in "[${}A:?+ -é]{0,40}") {
            let vars = vars();
            let _ = Interpolation::new(&vars).text(&text, Span::default());
        }
    }
}
