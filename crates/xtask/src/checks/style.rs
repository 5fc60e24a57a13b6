//! Small rules of the house that clippy has no lint for.

use crate::{finding::Finding, source, workspace::Workspace};
use anyhow::Result;
use std::path::Path;

/// Words that shipped code may not hold, and why.
const UNFINISHED: &[(&str, &str)] = &[
    ("todo!(", "unfinished code"),
    ("unimplemented!(", "unfinished code"),
    ("dbg!(", "a trace left behind"),
];

/// Checks every tracked Rust file but this one, which names what it looks for.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in
        workspace.files_in(Path::new(""), "rs").filter(|file| !file.ends_with("xtask/src/checks/style.rs"))
    {
        // In `tests/` the name keeps shared code from being a test program of its own.
        if file.ends_with("mod.rs") && !source::is_test_file(file) {
            findings.push(Finding::new(
                file.display().to_string(),
                "name the file after its module, beside its folder",
            ));
        }
        let text = workspace.read(file)?;
        let problems = problems_of(&text, source::is_test_file(file));
        findings.extend(
            problems
                .into_iter()
                .map(|(number, problem)| Finding::new(format!("{}:{number}", file.display()), problem)),
        );
    }
    for manifest in workspace.files_in(Path::new(""), "toml").filter(|file| file.ends_with("Cargo.toml")) {
        if !says_no_tests(&workspace.read(manifest)?) {
            continue;
        }
        let folder = manifest.parent().unwrap_or(Path::new("")).join("src");
        for file in workspace.files_in(&folder, "rs") {
            if has_tests(&workspace.read(file)?) {
                let problem = format!("a test that `test = false` in {} leaves out", manifest.display());
                findings.push(Finding::new(file.display().to_string(), problem));
            }
        }
    }
    Ok(findings)
}

/// Whether a manifest says that there are no tests in `src`.
fn says_no_tests(manifest: &str) -> bool {
    manifest.lines().any(|line| line.trim() == "test = false")
}

fn has_tests(source: &str) -> bool {
    source.lines().any(|line| ["#[test]", "#[tokio::test"].iter().any(|mark| line.trim().starts_with(mark)))
}

fn problems_of(text: &str, is_test: bool) -> Vec<(usize, String)> {
    let mut problems = Vec::new();
    for (index, line) in
        text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("#[ignore"))
    {
        problems.push((index + 1, format!("'{}': a test runs or it goes", line.trim())));
    }
    if is_test {
        return problems;
    }
    for (number, line) in source::code_lines(text) {
        let is_import = line.trim_start().trim_start_matches("pub ").starts_with("use ");
        if is_import && line.contains("::*") {
            problems.push((number, "a glob import; name what is used".to_owned()));
        }
        for (word, problem) in UNFINISHED.iter().filter(|(word, _)| line.contains(word)) {
            problems.push((number, format!("'{word}': {problem}")));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaches_are_found_where_they_count() {
        let text = "use a::*;\nfn f() {\n    todo!()\n}\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[ignore]\n}\n";
        let lines =
            |is_test| problems_of(text, is_test).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(lines(false), [8, 1, 3]);
        assert_eq!(lines(true), [8]);
    }

    #[test]
    fn tests_that_nobody_runs_are_found() {
        assert!(says_no_tests("[lib]\ntest = false\n") && !says_no_tests("[lib]\n"));
        assert!(
            has_tests("#[test]\nfn f() {}\n")
                && has_tests("    #[tokio::test]\n")
                && !has_tests("fn f() {}\n")
        );
    }
}
