//! What a file is about, by what it says.

use opensky_textfile::{Format, Source, tree::Node};

/// What a file that OpenSky reads is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Services, in OpenSky's own words: [`crate::parse`].
    ServiceFile,
    /// A job, in OpenSky's own words: `opensky_jobfile::parse`.
    JobFile,
    /// A Compose file: [`crate::compose::read`].
    Compose,
    /// An Akash SDL: [`crate::sdl::read`].
    Sdl,
    /// A Bacalhau job: [`crate::bacalhau::read`].
    Bacalhau,
}

/// What a file is about; none if it is nothing that OpenSky reads. A file with a mistake in it is still what it was
/// meant to be, so that its reader can show the mistake.
pub fn detect(name: &str, text: &str) -> Option<Kind> {
    let source = Source::new(name, text);
    match source.tree(format_of(name)?) {
        Ok(tree) => by_keys(&tree).or_else(|| by_name(name)),
        Err(_) => by_words(name, text),
    }
}

/// The format of a file, by its name.
pub fn format_of(name: &str) -> Option<Format> {
    Format::of_name(name)
}

fn by_keys(tree: &Node) -> Option<Kind> {
    let has = |name: &str| tree.get(name).is_some();
    let has_any_case = |name: &str| {
        tree.entries().unwrap_or_default().iter().any(|(key, _)| key.text.eq_ignore_ascii_case(name))
    };
    if has("service") {
        Some(Kind::ServiceFile)
    } else if has("stage") {
        Some(Kind::JobFile)
    } else if has("services") {
        let is_sdl =
            has("deployment") || tree.get("profiles").is_some_and(|node| node.get("compute").is_some());
        Some(if is_sdl { Kind::Sdl } else { Kind::Compose })
    } else if has_any_case("tasks") && (has_any_case("type") || has_any_case("name")) {
        Some(Kind::Bacalhau)
    } else {
        None
    }
}

/// A guess at a text that cannot be read, by how its lines begin.
fn by_words(name: &str, text: &str) -> Option<Kind> {
    let begins = |words: &[&str]| {
        text.lines()
            .any(|line| words.iter().any(|word| line.trim_start_matches(['{', ' ']).starts_with(word)))
    };
    let begins_line = |word: &str| text.lines().any(|line| line.starts_with(word));
    if begins(&["[[service]]", "service:", "service =", "\"service\""]) {
        Some(Kind::ServiceFile)
    } else if begins(&["[[stage]]", "stage:", "stage =", "\"stage\""]) {
        Some(Kind::JobFile)
    } else if begins_line("services:") {
        Some(if begins_line("deployment:") { Kind::Sdl } else { Kind::Compose })
    } else if begins(&["Tasks:", "tasks:", "\"Tasks\""]) {
        Some(Kind::Bacalhau)
    } else {
        by_name(name)
    }
}

/// The names under which Compose itself looks for its files.
fn by_name(name: &str) -> Option<Kind> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let is_compose = file.starts_with("compose.") || file.starts_with("docker-compose.");
    is_compose.then_some(Kind::Compose)
}
