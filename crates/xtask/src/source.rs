//! Rust source text, as far as the checks need to understand it.

use std::path::Path;

/// Whether a file holds nothing but tests, benches or what serves them.
pub fn is_test_file(file: &Path) -> bool {
    let in_tests = file.components().any(|part| {
        matches!(part.as_os_str().to_str(), Some("tests" | "testing" | "benches" | "testkit" | "e2e"))
    });
    in_tests
        || matches!(
            file.file_name().and_then(|name| name.to_str()),
            Some("tests.rs" | "testing.rs" | "samples.rs")
        )
}

/// The lines of shipped code, numbered from 1, without comments: tests are by custom the last part
/// of a file, from `#[cfg(test)]` on.
pub fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter_map(|(number, line)| {
            let code = line.find("//").map_or(line, |comment| &line[..comment]).trim_end();
            (!code.is_empty()).then_some((number, code))
        })
}

/// The names of the tests in a file: functions with an attribute such as `#[test]` or
/// `#[tokio::test(...)]` right above.
pub fn test_names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let function = line.trim_start_matches("pub ").trim_start_matches("async ").strip_prefix("fn ");
        if let Some(rest) = function {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            if is_test {
                names.push(&rest[..end]);
            }
            is_test = false;
        } else if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.contains("::test]") || line.contains("::test(");
        } else if !line.starts_with("//") && !line.is_empty() {
            is_test = false;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "//! Docs with std::fs.\nuse std::fs; // why\n\nfn shipped() {}\n\n#[cfg(test)]\nmod tests {\n    \
        #[test]\n    fn first() {}\n    fn helper() {}\n    #[tokio::test(start_paused = true)]\n    \
        // A word.\n    async fn second() {}\n}\n";

    #[test]
    fn comments_and_tests_are_not_code() {
        let lines: Vec<(usize, &str)> = code_lines(TEXT).collect();
        assert_eq!(lines, [(2, "use std::fs;"), (4, "fn shipped() {}")]);
    }

    #[test]
    fn tests_are_found_by_their_attribute() {
        assert_eq!(test_names(TEXT), ["first", "second"]);
    }

    #[test]
    fn test_files_are_known_by_their_place() {
        for file in ["crates/a/tests/b.rs", "crates/a/src/b/tests.rs", "crates/a/src/testing/c.rs"] {
            assert!(is_test_file(Path::new(file)), "{file}");
        }
        assert!(!is_test_file(Path::new("crates/a/src/b.rs")));
    }
}
