//! Adds tests to the security map: those whose name starts with an id belong to that id's row.

use super::{Tests, is_id, named_tests};

/// The map with every test added that carries the id of a row (`fn f1_f12_…` belongs to two), unless
/// the row is for later.
pub fn with_tests(map: &str, tests: &Tests) -> String {
    map.lines().map(|line| row_with_tests(line, tests) + "\n").collect()
}

fn row_with_tests(line: &str, tests: &Tests) -> String {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [id, what, state, named] = cells[..] else { return line.to_owned() };
    if !is_id(id) || state == "later" {
        return line.to_owned();
    }
    let known = named_tests(named);
    let carried =
        tests.iter().flat_map(|(room, names)| names.iter().map(move |name| (room.as_str(), name.as_str())));
    let new =
        carried.filter(|(_, name)| ids_of(name).any(|of| of == id)).filter(|test| !known.contains(test));
    let new: Vec<String> = new.map(|(room, name)| format!("`{room}::{name}`")).collect();
    if new.is_empty() {
        return line.to_owned();
    }
    format!("| {id} | {what} | {state} | {} |", format!("{named} {}", new.join(" ")).trim())
}

/// The ids that a test's name starts with.
fn ids_of(name: &str) -> impl Iterator<Item = String> {
    name.split('_').map(str::to_uppercase).take_while(|word| is_id(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn tests_are_added_once_to_the_rows_of_their_ids() {
        let names =
            BTreeSet::from(["f1_f12_a_crash".to_owned(), "f2_a_cut".to_owned(), "f_1_no_id".to_owned()]);
        let tests = Tests::from([("node".to_owned(), names)]);
        let map = "| id | fault | state | tests |\n| F1 | crash | done | `node::other` |\n| F2 | cut | later | |\n| F12 | loss | part | |\n";
        let expected = "| id | fault | state | tests |\n| F1 | crash | done | `node::other` `node::f1_f12_a_crash` |\n\
            | F2 | cut | later | |\n| F12 | loss | part | `node::f1_f12_a_crash` |\n";
        assert_eq!(with_tests(map, &tests), expected);
        assert_eq!(with_tests(expected, &tests), expected);
    }
}
