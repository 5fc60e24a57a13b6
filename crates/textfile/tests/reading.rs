//! Any text is read or refused, in a time that its size bounds, and every place is in the text.

use opensky_textfile::{
    Format, Source,
    tree::{Node, Value},
};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const FORMATS: [Format; 3] = [Format::Toml, Format::Yaml, Format::Json];

fn check_places(text: &str, node: &Node) {
    assert!(node.span.start <= node.span.end && node.span.end <= text.len(), "{:?} in {text:?}", node.span);
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| check_places(text, item)),
        Value::Table(entries) => entries.iter().for_each(|(key, node)| {
            assert!(key.span.end <= text.len(), "{key:?} in {text:?}");
            check_places(text, node);
        }),
        _ => {}
    }
}

/// Reads `text` in every format; faults are shown, which cuts lines out of the text.
fn read(text: &str) {
    for format in FORMATS {
        let source = Source::new("any", text);
        match source.tree(format) {
            Ok(tree) => check_places(text, &tree),
            Err(fault) => assert!(!source.error(fault).to_string().is_empty()),
        }
    }
}

#[test]
fn places_are_those_of_the_values() {
    let text = "a: é\nb:\n  - 'x y'\n  - 1.10\nc: &n {d: true}\ne: *n\n";
    let tree = Source::new("a.yaml", text).tree(Format::Yaml).unwrap();
    let slice = |node: &Node| &text[node.span.start..node.span.end];
    assert_eq!(slice(tree.get("a").unwrap()), "é");
    let Value::List(items) = &tree.get("b").unwrap().value else { panic!("a list") };
    assert_eq!(items.iter().map(slice).collect::<Vec<_>>(), ["'x y'", "1.10"]);
    assert_eq!(slice(tree.get("e").unwrap()), "*n");
}

#[test]
fn large_files_take_little_time() {
    let lines = 60_000;
    let yaml: String = (0..lines).map(|line| format!("k{line}: {line}\n")).collect();
    let toml = yaml.replace(':', " =");
    let json: Vec<String> = (0..lines).map(|line| format!("\"k{line}\":{line}")).collect();
    let json = format!("{{{}}}", json.join(","));
    let started = Instant::now();
    for (text, format) in [(yaml, Format::Yaml), (toml, Format::Toml), (json, Format::Json)] {
        assert_eq!(Source::new("any", &text).tree(format).unwrap().entries().unwrap().len(), lines);
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn aliases_that_grow_without_end_are_refused() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let item = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![item; 10].join(","));
    }
    let source = Source::new("a.yaml", &bomb);
    assert!(source.tree(Format::Yaml).is_err());
    let long = "x".repeat(300_000);
    let copies = vec!["*a"; 40_000].join(",");
    let source = format!("a: &a {long}\nb: [{copies}]\n");
    assert!(Source::new("a.yaml", &source).tree(Format::Yaml).is_err(), "12 GB of text");
    let merged = "a: &a {b: 1}\nc: {<<: *a, d: 2}\n";
    let tree = Source::new("a.yaml", merged).tree(Format::Yaml).unwrap();
    assert!(tree.get("c").unwrap().get("b").is_some(), "merge keys are aliases too");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        read(&text);
    }

    #[test]
    fn what_looks_like_a_file_is_read_or_refused(
        text in "([a-c\"'é]{1,3}[:=] ?([0-9.]{1,4}|[\\[{\"'&*a|>-]{1,3}[a-c, :=\\]}\"']{0,8})?[\n ]{1,3}){0,12}"
    ) {
        read(&text);
    }
}
