//! Measurements: those that are documented, and no others.

use crate::support::{Served, TOKEN, serve};
use opensky_client::{Client, api::routes};
use reqwest::header;
use std::collections::BTreeSet;

/// Name and type of each metric in docs/metrics.md.
fn documented() -> BTreeSet<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let text = std::fs::read_to_string(path).expect("docs/metrics.md");
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        Some((name.to_owned(), cells.next()?.to_owned()))
    });
    rows.collect()
}

/// The same of a scrape. What is sampled of a counter and an info has a suffix that its type line lacks.
fn exported(text: &str) -> BTreeSet<(String, String)> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let full = types.map(|(name, kind)| {
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        (format!("{name}{suffix}"), kind.to_owned())
    });
    full.collect()
}

async fn scrape(served: &Served) -> String {
    let request = reqwest::Client::new().get(format!("http://{}{}", served.address, routes::METRICS));
    let answer = request.bearer_auth(TOKEN).send().await.expect("answer");
    assert_eq!(answer.status(), 200);
    let content_type = answer.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned();
    assert!(content_type.starts_with("application/openmetrics-text"), "{content_type}");
    answer.text().await.expect("text")
}

#[tokio::test]
async fn the_documented_metrics_are_the_exported_ones() {
    let served = serve().await;
    served.client.status().await.expect("a request to be counted");
    let text = scrape(&served).await;
    let (documented, exported) = (documented(), exported(&text));
    assert_eq!(exported, documented);
    assert!(documented.len() > 20 && text.ends_with("# EOF\n"), "{text}");
    for (name, _) in documented {
        assert!(text.lines().any(|line| line.starts_with(&name)), "{name} has no sample");
    }
}

/// What the board in docs/grafana.json asks Prometheus for.
fn on_the_board() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/grafana.json");
    let board: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("docs/grafana.json")).expect("JSON");
    let panels = board["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let mut queries: Vec<String> =
        targets.map(|target| target["expr"].as_str().expect("a query").to_owned()).collect();
    let variables = board["templating"]["list"].as_array().expect("variables");
    queries.extend(
        variables.iter().filter_map(|variable| Some(variable["query"]["query"].as_str()?.to_owned())),
    );
    queries
}

#[test]
fn the_board_asks_for_metrics_that_exist_and_for_all_of_them() {
    let documented = documented();
    let samples: BTreeSet<String> = documented
        .iter()
        .flat_map(|(name, kind)| match kind.as_str() {
            "histogram" => ["_bucket", "_count", "_sum"].map(|part| format!("{name}{part}")).to_vec(),
            _ => vec![name.clone()],
        })
        .collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let queries = on_the_board();
    let words = queries.iter().flat_map(|query| query.split(|c| !is_word(c)));
    let asked: BTreeSet<&str> = words.filter(|word| word.starts_with("opensky_")).collect();
    for name in &asked {
        assert!(samples.contains(*name), "{name} is no metric");
    }
    for (name, _) in &documented {
        let parts = ["", "_bucket", "_count", "_sum"].map(|part| format!("{name}{part}"));
        assert!(parts.iter().any(|part| asked.contains(part.as_str())), "{name} is on no panel");
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_made_up_ones_make_no_labels() {
    let served = serve().await;
    let stranger = Client::new(&served.address, "wrong");
    stranger.status().await.expect_err("refused");
    for _ in 0..2 {
        served.client.status().await.expect("status");
    }
    let http = reqwest::Client::new();
    for path in ["/v1/made-up", "/v1/jobs/made-up"] {
        let request =
            http.request("MADEUP".parse().expect("a method"), format!("http://{}{path}", served.address));
        request.bearer_auth(TOKEN).send().await.expect("answer");
    }
    let text = scrape(&served).await;
    for line in [
        "opensky_http_requests_total{method=\"GET\",route=\"/v1/status\",status=\"200\"} 2",
        "opensky_http_requests_total{method=\"GET\",route=\"/v1/status\",status=\"401\"} 1",
        "opensky_http_requests_total{method=\"other\",route=\"/v1/{*rest}\",status=\"404\"} 1",
        "opensky_http_request_seconds_count{route=\"/v1/status\"} 3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
    assert!(!text.to_lowercase().contains("made"), "{text}");
}
