//! Licences of all dependencies, against the list in `deny.toml` (which cargo-deny reads as well).

use crate::{finding::Finding, workspace::Workspace};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Deny {
    licenses: Licences,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

/// Licences allowed for one crate only.
#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

/// Checks every package of the graph but our own.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let deny: Deny = toml::from_str(&workspace.read(Path::new("deny.toml"))?).context("reading deny.toml")?;
    let mut findings = Vec::new();
    for package in
        workspace.packages.values().filter(|package| !package.manifest_path.starts_with(&workspace.root))
    {
        let expression = package.license.as_deref().unwrap_or_default();
        let exception = deny.licenses.exceptions.iter().find(|exception| exception.name == package.name);
        let allowed = |licence: &str| {
            let mut all =
                deny.licenses.allow.iter().chain(exception.iter().flat_map(|exception| &exception.allow));
            all.any(|allowed| allowed == licence)
        };
        if !is_allowed(expression, &allowed) {
            let problem =
                format!("has licence '{expression}'; replace it, or allow it in deny.toml with a reason");
            findings.push(Finding::new(format!("{} {}", package.name, package.version), problem));
        }
    }
    Ok(findings)
}

/// Evaluates an SPDX expression (SPDX 2.3, annex D): `OR` asks for one side, `AND` for both. Old
/// manifests write `/` for `OR`.
fn is_allowed(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    let value = any_of(&mut rest, allowed);
    !words.is_empty() && rest.is_empty() && value
}

fn any_of(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut value = all_of(words, allowed);
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        value |= all_of(words, allowed);
    }
    value
}

fn all_of(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut value = one(words, allowed);
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        value &= one(words, allowed);
    }
    value
}

fn one(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let value = any_of(words, allowed);
            let [")", rest @ ..] = *words else { return false };
            *words = rest;
            value
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            allowed(&format!("{licence} WITH {exception}"))
        }
        [licence, rest @ ..] => {
            *words = rest;
            allowed(licence)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spdx_expressions_are_evaluated() {
        let allowed = |licence: &str| matches!(licence, "MIT" | "ISC" | "Apache-2.0 WITH LLVM-exception");
        let cases = [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("MIT/Apache-2.0", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND ISC", true),
            ("ISC AND (GPL-3.0 OR AGPL-3.0)", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
            ("GPL-3.0 AND GPL-2.0 OR MIT", true),
            ("", false),
            ("(MIT", false),
            ("MIT MIT", false),
        ];
        for (expression, expected) in cases {
            assert_eq!(is_allowed(expression, &allowed), expected, "{expression:?}");
        }
    }
}
