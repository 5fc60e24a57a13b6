//! Measurements: those that are documented, and no others.

mod support;

use opensky_client::{Client, api::routes};
use reqwest::header;
use std::collections::BTreeSet;
use support::{Served, TOKEN, serve};

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
