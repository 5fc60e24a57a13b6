//! The maps in `docs/` hold: every test that they name exists, and every row that claims something
//! names one.
//!
//! A row starts with an id (`J1`, `F12`, `C3`), has a state in its third cell (`done`, `part` or
//! `later`), and names its tests in backticks, as `crate::test`.

use crate::{finding::Finding, source, workspace::Workspace};
use anyhow::Result;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

mod map;

const SECURITY_MAP: &str = "docs/security.md";
const MAPS: [&str; 2] = ["docs/features.md", SECURITY_MAP];
const STATES: [&str; 3] = ["done", "part", "later"];

/// Tests of the workspace: crate folder → names.
type Tests = BTreeMap<String, BTreeSet<String>>;

/// Checks both maps.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let tests = all_tests(workspace)?;
    let mut findings = Vec::new();
    for map in MAPS {
        let text = workspace.read(Path::new(map))?;
        for (index, line) in text.lines().enumerate() {
            let problems = problems_of_row(line, &tests);
            findings.extend(
                problems.into_iter().map(|problem| Finding::new(format!("{map}:{}", index + 1), problem)),
            );
        }
    }
    Ok(findings)
}

/// Adds the tests that carry an id to the security map.
pub fn update_security_map(workspace: &Workspace) -> Result<()> {
    let map = map::with_tests(&workspace.read(Path::new(SECURITY_MAP))?, &all_tests(workspace)?);
    Ok(fs::write(workspace.root.join(SECURITY_MAP), map)?)
}

fn all_tests(workspace: &Workspace) -> Result<Tests> {
    let mut tests = Tests::new();
    for member in workspace.members() {
        let folder = workspace.folder_of(member);
        let name = member.name.strip_prefix("opensky-").unwrap_or(&member.name);
        let names = tests.entry(name.to_owned()).or_default();
        for file in workspace.files_in(folder, "rs") {
            names.extend(source::test_names(&workspace.read(file)?).into_iter().map(str::to_owned));
        }
    }
    Ok(tests)
}

fn problems_of_row(line: &str, tests: &Tests) -> Vec<String> {
    let named = named_tests(line);
    let missing =
        named.iter().filter(|(room, test)| !tests.get(*room).is_some_and(|names| names.contains(*test)));
    let mut problems: Vec<String> =
        missing.map(|(room, test)| format!("there is no test {room}::{test}")).collect();

    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    if let [id, _, state, ..] = cells[..]
        && is_id(id)
    {
        if !STATES.contains(&state) {
            problems.push(format!("{id}: the state is '{state}', not one of {}", STATES.join(", ")));
        } else if state != "later" && named.is_empty() {
            problems.push(format!("{id} is said to be {state}, but no test is named"));
        }
    }
    problems
}

/// The tests named in a line, in backticks.
fn named_tests(line: &str) -> Vec<(&str, &str)> {
    line.split('`').skip(1).step_by(2).filter_map(as_test).collect()
}

/// `crate::test`, but no path with more parts and no type.
fn as_test(code: &str) -> Option<(&str, &str)> {
    let (room, test) = code.split_once("::")?;
    let is_name = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
    };
    (is_name(room) && is_name(test)).then_some((room, test))
}

fn is_id(cell: &str) -> bool {
    let mut letters = cell.chars();
    letters.next().is_some_and(|first| first.is_ascii_uppercase())
        && !letters.as_str().is_empty()
        && letters.all(|letter| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_held_to_their_word() {
        let tests = Tests::from([("node".to_owned(), BTreeSet::from(["j1_bombs".to_owned()]))]);
        let cases = [
            ("| J1 | bombs | done | `node::j1_bombs` |", 0),
            ("| J1 | bombs | done | `node::j2_bombs` |", 1),
            ("| J1 | bombs | part | |", 1),
            ("| J1 | bombs | later | |", 0),
            ("| J1 | bombs | soon | `node::j1_bombs` |", 1),
            ("| id | what | state | tests |", 0),
            ("Types such as `types::Hash` are no tests, `nowhere::j1_bombs` is a wrong one.", 1),
        ];
        for (row, problems) in cases {
            assert_eq!(problems_of_row(row, &tests).len(), problems, "{row}");
        }
    }
}
