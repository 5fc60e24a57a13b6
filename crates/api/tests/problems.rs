//! Every problem is explained, where its type says.

use opensky_api::{Code, Problem};
use std::collections::BTreeMap;

/// The sections of docs/problems.md: heading and text.
fn sections() -> BTreeMap<String, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/problems.md");
    let text = std::fs::read_to_string(path).expect("docs/problems.md");
    let parts = text.split("\n## ").skip(1).filter_map(|part| part.split_once('\n'));
    parts.map(|(heading, body)| (heading.to_owned(), body.to_owned())).collect()
}

#[test]
fn every_code_has_a_section_and_every_section_a_code() {
    let sections = sections();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut explained: Vec<&str> = sections.keys().map(String::as_str).collect();
    let mut sorted = codes.clone();
    sorted.sort_unstable();
    explained.sort_unstable();
    assert_eq!(explained, sorted);
    for code in Code::ALL {
        let (word, section) = (code.as_str(), &sections[code.as_str()]);
        let status = format!("Status {}.", code.status());
        assert!(section.contains(&status), "{word} does not say '{status}'");
        assert!(section.contains("**What to do:**"), "{word} does not say what to do");
        let problem = Problem::new(*code, "detail");
        assert!(problem.type_uri.ends_with(&format!("/docs/problems.md#{word}")), "{}", problem.type_uri);
        assert_eq!(serde_json::to_value(code).expect("a word"), word, "as in JSON");
    }
}

#[test]
fn all_codes_are_listed() {
    // A code that is not in the list is read as unknown here, and missed in the documents.
    let source =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/problem.rs")).expect("source");
    let body =
        source.split("pub enum Code {").nth(1).and_then(|rest| rest.split("\n}").next()).expect("the enum");
    let variants = body.lines().filter(|line| line.ends_with(',') && !line.trim_start().starts_with("//"));
    assert_eq!(variants.count(), Code::ALL.len() + 1, "all but Unknown");
}
