//! Known holes in dependencies, from two sources: the floor versions in `deny.toml` (for advisories
//! that no database has yet), and a local copy of the RustSec database, where the environment
//! variable `OPENSKY_ADVISORY_DB` names one.

use crate::{
    finding::Finding,
    workspace::{Package, Workspace},
};
use anyhow::{Context, Result};
use semver::VersionReq;
use serde::Deserialize;
use std::{env, fs, path::Path};

/// Where a copy of the RustSec database lies.
const DATABASE_VARIABLE: &str = "OPENSKY_ADVISORY_DB";

#[derive(Deserialize)]
struct Deny {
    bans: Bans,
    advisories: Advisories,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

/// Versions that must not be used.
#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    spec: String,
    reason: String,
}

#[derive(Deserialize)]
struct Advisories {
    ignore: Vec<Ignored>,
}

/// An advisory that does not touch us.
#[derive(Deserialize)]
struct Ignored {
    id: String,
}

/// The head of an advisory's file.
#[derive(Deserialize)]
struct Advisory {
    advisory: Head,
    versions: Versions,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    #[serde(default)]
    withdrawn: Option<String>,
    /// Set where it is a notice, such as `unmaintained`, and no hole.
    #[serde(default)]
    informational: Option<String>,
}

#[derive(Deserialize)]
struct Versions {
    #[serde(default)]
    patched: Vec<VersionReq>,
    #[serde(default)]
    unaffected: Vec<VersionReq>,
}

/// Checks every package of the graph.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let deny: Deny = toml::from_str(&workspace.read(Path::new("deny.toml"))?).context("reading deny.toml")?;
    let mut findings = check_bans(workspace, &deny.bans.deny)?;
    match env::var_os(DATABASE_VARIABLE) {
        Some(database) => {
            findings.extend(check_database(workspace, Path::new(&database), &deny.advisories.ignore)?)
        }
        None => println!("skipped the advisory database: {DATABASE_VARIABLE} names none"),
    }
    Ok(findings)
}

fn check_bans(workspace: &Workspace, bans: &[Ban]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for ban in bans {
        let (name, versions) = ban.spec.split_once('@').unwrap_or((&ban.spec, "*"));
        let versions = VersionReq::parse(versions).with_context(|| format!("deny.toml: '{}'", ban.spec))?;
        let banned = |package: &&Package| package.name == name && versions.matches(&package.version);
        for package in workspace.packages.values().filter(banned) {
            findings.push(Finding::new(
                format!("{name} {}", package.version),
                format!("is banned: {}", ban.reason),
            ));
        }
    }
    Ok(findings)
}

fn check_database(workspace: &Workspace, database: &Path, ignored: &[Ignored]) -> Result<Vec<Finding>> {
    fs::metadata(database.join("crates"))
        .with_context(|| format!("{} is no advisory database", database.display()))?;
    let mut findings = Vec::new();
    for package in workspace.packages.values() {
        let Ok(files) = fs::read_dir(database.join("crates").join(&package.name)) else { continue };
        for file in files {
            let path = file?.path();
            let text = fs::read_to_string(&path)?;
            let advisory = parse(&text).with_context(|| format!("reading {}", path.display()))?;
            let ignored = ignored.iter().any(|ignored| ignored.id == advisory.advisory.id);
            if !ignored && advisory.affects(package) {
                let problem = format!("has the known hole {}; update or replace it", advisory.advisory.id);
                findings.push(Finding::new(format!("{} {}", package.name, package.version), problem));
            }
        }
    }
    Ok(findings)
}

impl Advisory {
    fn affects(&self, package: &Package) -> bool {
        let safe = self.versions.patched.iter().chain(&self.versions.unaffected);
        self.advisory.withdrawn.is_none()
            && self.advisory.informational.as_deref().is_none_or(|kind| kind == "unsound")
            && !safe.into_iter().any(|versions| versions.matches(&package.version))
    }
}

/// An advisory is a Markdown file that opens with a fenced TOML block.
fn parse(text: &str) -> Result<Advisory> {
    let block = text.strip_prefix("```toml").and_then(|rest| rest.split_once("```"));
    let (head, _) = block.context("no TOML block at its start")?;
    Ok(toml::from_str(head)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVISORY: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2024-0336\"\ndate = \"2024-04-19\"\n\n[versions]\n\
        patched = [\">= 0.23.5\", \">= 0.22.4, < 0.23.0\"]\nunaffected = [\"< 0.20.0\"]\n```\n\n# A title\n";

    fn package(version: &str) -> Package {
        Package {
            id: String::new(),
            name: "rustls".to_owned(),
            version: version.parse().expect("a version"),
            license: None,
            manifest_path: Path::new("").to_owned(),
            dependencies: Vec::new(),
        }
    }

    #[test]
    fn a_version_is_affected_unless_patched_or_older_than_the_hole() {
        let advisory = parse(ADVISORY).expect("an advisory");
        let cases =
            [("0.23.4", true), ("0.23.5", false), ("0.22.4", false), ("0.22.3", true), ("0.19.1", false)];
        for (version, affected) in cases {
            assert_eq!(advisory.affects(&package(version)), affected, "{version}");
        }
    }

    #[test]
    fn notices_and_withdrawn_advisories_do_not_count() {
        for line in ["informational = \"unmaintained\"", "withdrawn = \"2024-05-01\""] {
            let text = ADVISORY.replace("date =", &format!("{line}\ndate ="));
            assert!(!parse(&text).expect("an advisory").affects(&package("0.23.4")), "{line}");
        }
    }
}
