//! The cores are pure: no I/O, clock, chance, environment or async, in their code and in what they
//! depend on. Clippy guards the same by type, through a `clippy.toml` in each core's folder; the
//! words here catch what it can't, such as imports in a core's new dependency.

use crate::{
    finding::Finding,
    source,
    workspace::{Package, Workspace},
};
use anyhow::Result;
use std::path::Path;

/// Crates that decide and do nothing else.
const CORES: &[&str] = &[
    "opensky-types",
    "opensky-ledger",
    "opensky-market",
    "opensky-services",
    "opensky-provider",
    "opensky-scheduler",
    "opensky-protocol",
];

/// Crates that do I/O, keep time or run tasks: no core may need one by any number of steps.
const IMPURE_CRATES: &[&str] = &[
    "async-std",
    "axum",
    "hyper",
    "libp2p",
    "mio",
    "quinn",
    "redb",
    "reqwest",
    "rustix",
    "smol",
    "socket2",
    "tokio",
    "tracing",
    "wasmtime",
];
/// Sources of chance: no core may name one. (Key types below bring theirs, unused.)
const CHANCE_CRATES: &[&str] = &["fastrand", "getrandom", "rand"];

/// Words that no core's code may hold.
const IMPURE_WORDS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "SystemTime",
    "Instant::",
    "HashMap",
    "HashSet",
    "async fn",
    ".await",
    "println!",
    "eprintln!",
    "thread_local!",
];

/// Checks each core's dependencies, code and clippy configuration.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for core in workspace.members().filter(|member| CORES.contains(&member.name.as_str())) {
        check_dependencies(workspace, core, &mut findings);
        check_code(workspace, core, &mut findings)?;
        check_clippy(workspace, core, &mut findings)?;
    }
    Ok(findings)
}

fn check_dependencies(workspace: &Workspace, core: &Package, findings: &mut Vec<Finding>) {
    for needed in workspace.needs_transitively(&core.id) {
        let Some(package) = workspace.packages.get(needed) else { continue };
        if IMPURE_CRATES.contains(&package.name.as_str()) {
            findings.push(Finding::new(&core.name, format!("needs {}, which is not pure", package.name)));
        }
    }
    for dependency in core.dependencies.iter().filter(|dependency| dependency.kind.is_none()) {
        if CHANCE_CRATES.contains(&dependency.name.as_str()) {
            findings.push(Finding::new(&core.name, format!("names {}, a source of chance", dependency.name)));
        }
    }
}

fn check_code(workspace: &Workspace, core: &Package, findings: &mut Vec<Finding>) -> Result<()> {
    let code = workspace.folder_of(core).join("src");
    for file in workspace.files_in(&code, "rs").filter(|file| !source::is_test_file(file)) {
        let text = workspace.read(file)?;
        for (number, word) in impure_words(&text) {
            let place = format!("{}:{number}", file.display());
            findings.push(Finding::new(
                place,
                format!("'{word}' in a core; let the node do it and hand in the result"),
            ));
        }
    }
    Ok(())
}

fn impure_words(text: &str) -> Vec<(usize, &'static str)> {
    let words_in =
        |line: &str| IMPURE_WORDS.iter().copied().filter(|word| line.contains(word)).collect::<Vec<_>>();
    source::code_lines(text)
        .flat_map(|(number, line)| words_in(line).into_iter().map(move |word| (number, word)))
        .collect()
}

/// Every core has the same rules for clippy as the lowest one.
fn check_clippy(workspace: &Workspace, core: &Package, findings: &mut Vec<Finding>) -> Result<()> {
    let model = workspace.read(Path::new("crates/types/clippy.toml"))?;
    let own = workspace.folder_of(core).join("clippy.toml");
    if workspace.read(&own).ok().as_deref() != Some(&model) {
        findings.push(Finding::new(own.display().to_string(), "must be a copy of crates/types/clippy.toml"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impure_words_are_found_in_code_but_not_in_comments_or_tests() {
        let text = "// SystemTime\nuse std::fs;\nlet now = Instant::now();\n#[cfg(test)]\nuse std::env;\n";
        assert_eq!(impure_words(text), [(2, "std::fs"), (3, "Instant::")]);
    }
}
