//! Environment variables of a service: `environment`, and the files that `env_file` names.

use crate::{
    compose::interpolate::Interpolation,
    import::{Given, Reading},
    walk::{expected, list},
};
use opensky_textfile::{
    Fault, FileError, Source, Span,
    tree::{Node, Value},
    values::At,
};
use std::collections::BTreeMap;

/// A file that `env_file` names.
pub(crate) struct EnvFile {
    pub path: At<String>,
    pub is_required: bool,
}

/// The files that a value of `env_file` names, in order.
pub(crate) fn files(reading: &Reading<'_>, node: &Node) -> Result<Vec<EnvFile>, Fault> {
    let items = match &node.value {
        Value::List(_) | Value::Null => list(node)?,
        _ => std::slice::from_ref(node),
    };
    let file = |item: &Node| {
        let Some(entries) = item.entries() else {
            return Ok(EnvFile { path: reading.text_at(item)?, is_required: true });
        };
        for (key, _) in entries {
            if !matches!(key.text.as_str(), "path" | "required" | "format") {
                return Err(Fault::new(key.span, format!("unknown key '{}'", key.text))
                    .with_hint("keys here: path, required, format"));
            }
        }
        let path = item.get("path").ok_or_else(|| Fault::new(item.span, "the key 'path' is missing"))?;
        let is_required = item.get("required").map_or(Ok(true), |node| reading.truth(node))?;
        Ok(EnvFile { path: reading.text_at(path)?, is_required })
    };
    items.iter().map(file).collect()
}

/// All variables of a service, sorted: those of the files, later ones over earlier ones, and over all of them those of
/// `environment`.
pub(crate) fn variables(
    reading: &mut Reading<'_>,
    service: &Node,
    given: &Given,
) -> Result<Vec<(String, String)>, Fault> {
    let mut all = BTreeMap::new();
    let env_files = service.get("env_file").map_or(Ok(Vec::new()), |node| files(reading, node))?;
    for file in env_files {
        match given.files.get(&file.path.value) {
            Some(text) => all.extend(file_variables(&file.path, text, &given.vars)?),
            None if file.is_required => {
                let problem = format!("the file '{}' is not there", file.path.value);
                return Err(Fault::new(file.path.span, problem).with_hint("paths are relative to this file"));
            }
            None => {}
        }
    }
    if let Some(node) = service.get("environment") {
        all.extend(of_environment(reading, node, given)?);
    }
    Ok(all.into_iter().collect())
}

fn file_variables(
    path: &At<String>,
    text: &str,
    vars: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    parse_env_file(&path.value, text, vars).map_err(|error| {
        let problem = format!("{}, line {}: {}", error.file, error.line, error.problem);
        Fault { span: Some(path.span), problem, hint: error.hint }
    })
}

/// `environment`, a table or a list. A name without a value takes the caller's, if there is one.
fn of_environment(reading: &Reading<'_>, node: &Node, given: &Given) -> Result<Vec<(String, String)>, Fault> {
    let pairs: Vec<(String, Option<String>)> = match &node.value {
        Value::List(_) | Value::Null => reading.assignments(node)?,
        Value::Table(entries) => {
            let value = |node: &Node| match node.value {
                Value::Null => Ok(None),
                _ => reading.text(node).map(Some),
            };
            entries
                .iter()
                .map(|(key, node)| Ok((key.text.clone(), value(node)?)))
                .collect::<Result<_, Fault>>()?
        }
        _ => return Err(expected(node, "a table or a list such as NAME=value")),
    };
    let filled = pairs.into_iter().filter_map(|(name, value)| {
        let value = value.or_else(|| given.vars.get(&name).cloned())?;
        Some((name, value))
    });
    Ok(filled.collect())
}

/// Reads a file of variables such as `.env`: `NAME=value` on each line, `#` before comments, quotes around values as
/// in a shell; in values without quotes or in double ones, variables of `vars` and of lines before are filled in.
pub fn parse_env_file(
    name: &str,
    text: &str,
    vars: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, FileError> {
    let source = Source::new(name, text);
    let read = read_env_file(text, vars);
    read.map_err(|fault| source.error(fault))
}

fn read_env_file(text: &str, vars: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Fault> {
    if text.len() > crate::FILE_BYTES_MAX {
        return Err(Fault::new(Span::default(), format!("larger than {} bytes", crate::FILE_BYTES_MAX)));
    }
    let (mut known, mut read) = (vars.clone(), BTreeMap::new());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let span = Span { start: at, end: at + line.trim_end().len() };
        at += line.len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else {
            // A name alone takes the caller's value.
            read.extend(vars.get(line).map(|value| (line.to_owned(), value.clone())));
            continue;
        };
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(
                Fault::new(span, format!("'{name}' is no variable's name")).with_hint("write NAME=value")
            );
        }
        let value = env_value(value.trim(), span, &known)?;
        known.insert(name.to_owned(), value.clone());
        read.insert(name.to_owned(), value);
    }
    Ok(read)
}

fn env_value(text: &str, span: Span, known: &BTreeMap<String, String>) -> Result<String, Fault> {
    let open = || Fault::new(span, "a quote is not closed").with_hint("a value stands on one line");
    if let Some(rest) = text.strip_prefix('\'') {
        return Ok(rest.split_once('\'').ok_or_else(open)?.0.to_owned());
    }
    let mut fill = Interpolation::new(known);
    if let Some(rest) = text.strip_prefix('"') {
        let mut inner = String::new();
        let mut chars = rest.chars();
        loop {
            match chars.next().ok_or_else(open)? {
                '"' => return fill.text(&inner, span),
                '\\' => match chars.next().ok_or_else(open)? {
                    'n' => inner.push('\n'),
                    'r' => inner.push('\r'),
                    't' => inner.push('\t'),
                    '$' => inner.push_str("$$"),
                    c => inner.push(c),
                },
                c => inner.push(c),
            }
        }
    }
    let end = text.find(" #").unwrap_or(text.len());
    fill.text(text[..end].trim_end(), span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn files_of_variables_read_as_in_a_shell() {
        let vars = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
        let text = "# words\nA=1\nexport B = two words # said\nC='$A #'\nD=\"a\\n$A\"\nE=\nHOME\nGONE\nF=${A}${HOME}\n";
        let read = parse_env_file(".env", text, &vars).unwrap();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "$A #"),
            ("D", "a\n1"),
            ("E", ""),
            ("F", "1/root"),
            ("HOME", "/root"),
        ];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        for (text, line) in [("A=1\nB='x\n", 2), ("=1", 1), ("A B=1", 1), ("A=${", 1)] {
            assert_eq!(parse_env_file(".env", text, &vars).unwrap_err().line, line, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_file_of_variables_or_refused(text in "[A='\"\\\\$#{}\né ]{0,60}") {
            let _ = parse_env_file(".env", &text, &BTreeMap::new());
        }
    }
}
