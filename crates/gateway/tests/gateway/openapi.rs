//! The description of the API: as published, and as served.

use crate::support::{TOKEN, serve};
use opensky_client::api::{Code, routes};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::{collections::BTreeSet, path::PathBuf};

fn in_workspace(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn document() -> Value {
    serde_json::from_str(&opensky_gateway::openapi()).expect("JSON")
}

/// Method, path and description of each operation.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("an item") {
            found.push((method.as_str(), path.as_str(), operation));
        }
    }
    found
}

/// A change here is a change of the API: think of clients that exist. `UPDATE_GOLDEN=1` writes it anew;
/// `npm run generate` in `web/` then renews the dashboard's types.
#[test]
fn the_published_description_is_the_code_s() {
    let path = in_workspace("docs/openapi.json");
    let made = opensky_gateway::openapi();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &made).expect("written");
    }
    let published = std::fs::read_to_string(&path).expect("docs/openapi.json");
    assert!(
        published == made,
        "docs/openapi.json is not what the code says: run with UPDATE_GOLDEN=1 if it is meant"
    );
}

/// Router and description are made of one table; the constants of `opensky_api::routes`, which clients
/// use, are held to it here.
#[test]
fn every_route_that_clients_know_is_described() {
    let source = std::fs::read_to_string(in_workspace("crates/api/src/routes.rs")).expect("routes.rs");
    let constants = source.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("pub const ")?.split_once(": &str = ")?;
        let path = value.trim_end_matches(';').trim_matches('"');
        path.starts_with('/').then(|| (path.to_owned(), name.to_owned()))
    });
    let known: BTreeSet<String> = constants.map(|(path, _)| path).collect();
    let document = document();
    let described: BTreeSet<&str> = operations(&document).into_iter().map(|(_, path, _)| path).collect();
    assert_eq!(described, known.iter().map(String::as_str).collect());
    assert!(known.len() > 30, "the constants were found");
}

#[tokio::test]
async fn every_described_route_is_served_and_no_other_method() {
    let served = serve().await;
    let http = reqwest::Client::new();
    let document = document();
    let described: BTreeSet<(&str, &str)> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let paths: BTreeSet<&str> = described.iter().map(|(_, path)| *path).collect();
    for path in paths {
        for method in ["get", "post", "put", "delete", "patch"] {
            let is_described = described.contains(&(method, path));
            // A malformed parameter or body: nothing is done, whatever the route.
            let url =
                format!("http://{}{}?no-such-parameter=1", served.address, path.replace(['{', '}'], "~"));
            let asked = http.request(method.to_uppercase().parse::<Method>().expect("method"), url);
            let asked = asked.header("content-type", "text/plain").body("{");
            let may_act = path == routes::STOP || path == routes::SESSION || path == routes::BLOBS;
            let asked = if is_described && may_act { asked } else { asked.bearer_auth(TOKEN) };
            let status = asked.send().await.expect("answer").status();
            let is_wrong = status == StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_described, !is_wrong, "{method} {path} answered {status}");
        }
    }
}

#[tokio::test]
async fn the_served_description_is_the_published_one() {
    let served = serve().await;
    let answer = reqwest::get(format!("http://{}{}", served.address, routes::OPENAPI)).await.expect("answer");
    assert_eq!(answer.status(), StatusCode::OK, "it holds no secret and needs no token");
    let shown: Value = serde_json::from_slice(&answer.bytes().await.expect("body")).expect("JSON");
    assert_eq!(shown, document());
}

#[test]
fn every_operation_is_described_in_full() {
    let document = document();
    let codes = document["components"]["schemas"]["Code"]["enum"].as_array().expect("codes");
    let words: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes, &words, "the codes are those of the API");
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let at = format!("{method} {path}");
        let text = |key: &str| operation[key].as_str().unwrap_or_default();
        assert!(names.insert(text("operationId").to_owned()), "{at}: two operations of one name");
        assert!(text("summary").ends_with(['.', ')']), "{at} has no summary");
        let parameters = operation["parameters"].as_array().expect("parameters");
        let described =
            |parameter: &Value| parameter["description"].as_str().is_some_and(|text| !text.is_empty());
        for parameter in parameters {
            assert!(described(parameter), "{at}: {parameter} has no description");
        }
        let answers = operation["responses"].as_object().expect("responses");
        assert!(answers.keys().any(|status| status.starts_with('2')), "{at} answers nothing");
        for (status, answer) in answers.iter().filter(|(status, _)| !status.starts_with(['1', '2'])) {
            let content = &answer["content"][routes::PROBLEM_CONTENT_TYPE]["schema"]["$ref"];
            assert_eq!(content, "#/components/schemas/Problem", "{at}: {status}");
        }
    }
}

/// Every `$ref` leads somewhere, and nothing says null.
#[test]
fn the_description_is_closed() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Array(list) => list.iter().for_each(|item| references(item, found)),
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|item| references(item, found));
            }
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    assert!(!document.to_string().contains("null"));
}
