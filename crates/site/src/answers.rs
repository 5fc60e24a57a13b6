//! What each path of a site is answered with.

use crate::{BYTES_MAX, FILES_MAX, Files, PATH_BYTES_MAX, SiteError};
use mime_guess::mime;
use opensky_types::Hash;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::collections::BTreeMap;

/// The answer to what no path is. The program asks for these keys, which no path can be: paths begin with `/`.
const BAD_REQUEST: &str = "400";
const NOT_FOUND: &str = "404";
const METHOD_NOT_ALLOWED: &str = "405";

/// What has another meaning in a URL than itself.
const NOT_IN_PATHS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?');

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    pub status: u16,
    /// A quoted tag that changes with the body; for what can be kept.
    pub tag: Option<String>,
    pub headers: Vec<(&'static str, String)>,
    pub body: &'a [u8],
}

/// The answer to each path, by the path as it is after decoding.
///
/// A file answers at its path, `index.html` at its folder as well, and `about.html` at `about` unless that is something
/// else. A folder without its slash leads to the one with it.
pub fn answers(files: &Files) -> Result<BTreeMap<String, Answer<'_>>, SiteError> {
    check(files)?;
    let mut answers = BTreeMap::new();
    for (path, body) in files {
        let answer = file(path, body);
        if path == "404.html" {
            answers.insert(NOT_FOUND.to_owned(), Answer { status: 404, tag: None, ..answer.clone() });
        }
        if let Some(folder) =
            path.strip_suffix("index.html").filter(|rest| rest.is_empty() || rest.ends_with('/'))
        {
            answers.insert(format!("/{folder}"), answer.clone());
        }
        answers.insert(format!("/{path}"), answer);
    }
    for path in files.keys() {
        for (at, _) in path.match_indices('/') {
            let folder = format!("/{}", &path[..at]);
            let to = format!("{}/", utf8_percent_encode(&folder, NOT_IN_PATHS));
            answers.entry(folder).or_insert_with(|| Answer {
                status: 301,
                tag: None,
                headers: vec![("location", to), length(b"")],
                body: b"",
            });
        }
    }
    for (path, body) in files {
        if let Some(short) = path.strip_suffix(".html").filter(|short| !short.is_empty()) {
            answers.entry(format!("/{short}")).or_insert_with(|| file(path, body));
        }
    }
    for (key, status, text) in [
        (BAD_REQUEST, 400, "this is no path\n"),
        (NOT_FOUND, 404, "there is nothing here\n"),
        (METHOD_NOT_ALLOWED, 405, "files are read with GET and HEAD\n"),
    ] {
        answers.entry(key.to_owned()).or_insert_with(|| told(status, text.as_bytes()));
    }
    Ok(answers)
}

fn check(files: &Files) -> Result<(), SiteError> {
    if files.len() > FILES_MAX {
        return Err(SiteError::TooManyFiles);
    }
    let bytes = files.values().map(Vec::len).sum();
    if bytes > BYTES_MAX {
        return Err(SiteError::TooLarge(bytes));
    }
    let is_path = |path: &str| {
        path.len() <= PATH_BYTES_MAX && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
    };
    if let Some(path) = files.keys().find(|path| !is_path(path)) {
        return Err(SiteError::Path(path.clone()));
    }
    if files.contains_key("index.html") { Ok(()) } else { Err(SiteError::NoIndex) }
}

/// Kept by who reads it, and asked about each time: what a site's next revision changes is seen at once.
fn file<'a>(path: &str, body: &'a [u8]) -> Answer<'a> {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    let is_text = mime.type_() == mime::TEXT || matches!(mime.subtype().as_str(), "javascript" | "json");
    let content_type = if is_text { format!("{mime}; charset=utf-8") } else { mime.to_string() };
    let hash = Hash::of(body).to_string();
    let headers = vec![
        ("cache-control", "no-cache".to_owned()),
        ("content-type", content_type),
        ("x-content-type-options", "nosniff".to_owned()),
        length(body),
    ];
    Answer { status: 200, tag: Some(format!("\"{}\"", &hash[..32])), headers, body }
}

fn told(status: u16, body: &[u8]) -> Answer<'_> {
    let mut headers = vec![("content-type", "text/plain; charset=utf-8".to_owned()), length(body)];
    if status == 405 {
        headers.push(("allow", "GET, HEAD".to_owned()));
    }
    Answer { status, tag: None, headers, body }
}

fn length(body: &[u8]) -> (&'static str, String) {
    ("content-length", body.len().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> Files {
        paths.iter().map(|path| ((*path).to_owned(), path.as_bytes().to_vec())).collect()
    }

    fn header<'a>(answer: &'a Answer<'_>, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn c7_a_site_answers_at_paths_folders_and_short_names() {
        let files =
            files(&["index.html", "about.html", "blog/index.html", "blog/a b.html", "blog.html", "x/y.png"]);
        let answers = answers(&files).unwrap();
        let body =
            |path: &str| answers.get(path).map(|answer| String::from_utf8(answer.body.to_vec()).unwrap());
        for (path, file) in [
            ("/", "index.html"),
            ("/index.html", "index.html"),
            ("/about", "about.html"),
            ("/blog/", "blog/index.html"),
            ("/blog/a b", "blog/a b.html"),
            ("/x/y.png", "x/y.png"),
        ] {
            assert_eq!(body(path).as_deref(), Some(file), "{path}");
        }
        assert_eq!(body("/x/"), None);
        assert_eq!((answers["/blog"].status, header(&answers["/blog"], "location")), (301, Some("/blog/")));
        assert_eq!(header(&answers["/x/y.png"], "content-type"), Some("image/png"));
        assert_eq!(header(&answers["/"], "content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(header(&answers["405"], "allow"), Some("GET, HEAD"));
        assert_ne!(answers["/"].tag, answers["/about"].tag);
    }

    #[test]
    fn c7_a_site_has_its_own_page_for_what_is_not_there() {
        let own = files(&["index.html", "404.html"]);
        let own = answers(&own).unwrap();
        assert_eq!((own["404"].status, own["404"].body), (404, &b"404.html"[..]));
        assert_eq!(own["404"].tag, None, "nobody keeps that something is not there");
        assert_eq!(own["/404.html"].status, 200);
    }

    #[test]
    fn c7_what_is_no_site_is_refused() {
        assert_eq!(answers(&files(&["page.html"])), Err(SiteError::NoIndex));
        for path in ["a//b", "../x", "a/./b", &"x".repeat(PATH_BYTES_MAX + 1)] {
            assert_eq!(answers(&files(&["index.html", path])), Err(SiteError::Path(path.to_owned())));
        }
        let large = Files::from([("index.html".to_owned(), vec![0; BYTES_MAX + 1])]);
        assert_eq!(answers(&large), Err(SiteError::TooLarge(BYTES_MAX + 1)));
    }
}
