//! The API of a real node on in-memory ports, spoken to with the real client.

use crate::support::{Served, TOKEN, code, serve};
use opensky_client::{
    Client,
    api::{
        Code, Problem,
        event::{JobEvent, LogQuery},
        job::{InputsRequest, JobRequest},
        membership::InviteRequest,
        progress::{RunsQuery, StateView},
        routes,
        status::RenameRequest,
    },
};
use opensky_types::{Hash, JobId};
use std::time::Duration;

/// A job of `count` tasks.
fn job(program: Hash, count: i64, args: &str) -> JobRequest {
    let mut job = crate::support::job(program, "numbers", args);
    job.stages[0].inputs = InputsRequest::Numbers { from: 0, to: count, step: 1 };
    job
}

#[tokio::test]
async fn a_node_gets_another_name_or_hears_why_not() {
    let served = serve().await;
    let named = served.client.rename(&RenameRequest { name: " attic ".into() }).await.expect("renamed");
    assert_eq!(named.name, "attic");
    assert_eq!(served.client.status().await.expect("status").name, "attic");
    let refused = served.client.rename(&RenameRequest { name: String::new() }).await.expect_err("refused");
    assert_eq!(code(&refused), Some(Code::InvalidRequest));
    assert_eq!(served.client.status().await.expect("status").name, "attic");
}

#[tokio::test]
async fn w1_no_token_no_answer() {
    let served = serve().await;
    let stranger = Client::new(&served.address, "wrong");
    assert_eq!(code(&stranger.status().await.expect_err("refused")), Some(Code::Unauthorized));
    let bare = reqwest::get(format!("http://{}{}", served.address, routes::JOBS)).await.expect("answer");
    assert_eq!(bare.status(), 401);
    assert_eq!(bare.headers()["content-type"], routes::PROBLEM_CONTENT_TYPE);
}

#[tokio::test]
async fn w3_a_name_of_the_internet_is_not_this_machine() {
    let served = serve().await;
    let request = reqwest::Client::new()
        .get(format!("http://{}{}", served.address, routes::STATUS))
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("host", "evil.example");
    let answer = request.send().await.expect("answer");
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn a_job_is_submitted_followed_and_read() {
    let Served { client, .. } = serve().await;
    let program = client.upload(b"program".to_vec()).await.expect("upload");
    assert_eq!(client.blob(program.hash).await.expect("download"), b"program");
    let submitted = client.submit(job(program.hash, 5, "{item}")).await.expect("submit");
    assert_eq!(submitted.tasks, 5);
    let mut events = client.events(submitted.job);
    let mut last = None;
    while let Some(event) = events.next().await.expect("event") {
        if let JobEvent::Job { state, .. } = event {
            last = Some(state);
        }
    }
    assert_eq!(last, Some(StateView::Succeeded), "the stream ends with the job");
    let detail = client.job(submitted.job).await.expect("detail");
    assert_eq!(detail.summary.tasks.done, 5);
    assert_eq!(detail.nodes.iter().map(|node| node.accepted).sum::<u32>(), 5);
    let page = client
        .runs_page(submitted.job, &RunsQuery { limit: Some(2), ..RunsQuery::default() })
        .await
        .expect("page");
    assert_eq!((page.runs.len(), page.next.is_some()), (2, true));
    let outputs = client.outputs(submitted.job, 0).await.expect("outputs");
    assert_eq!(
        outputs.iter().map(|output| output.stdout.clone()).collect::<Vec<_>>(),
        [b"0", b"1", b"2", b"3", b"4"]
    );
    let receipt = page.runs[0].receipt.expect("receipt");
    client.receipt(receipt).await.expect("receipt").verify().expect("holds offline");
    let log = client
        .task_log(submitted.job, "0.3".parse().expect("task"), &LogQuery::default())
        .await
        .expect("log");
    assert_eq!(log.bytes().await.expect("bytes"), "3");
    client.remove(submitted.job).await.expect("removed");
    assert_eq!(code(&client.job(submitted.job).await.expect_err("gone")), Some(Code::JobNotFound));
}

#[tokio::test]
async fn a_running_job_is_cancelled_and_not_removed_before() {
    let Served { client, .. } = serve().await;
    let program = client.upload(b"program".to_vec()).await.expect("upload");
    let submitted = client.submit(job(program.hash, 3, "slow")).await.expect("submit");
    assert_eq!(code(&client.remove(submitted.job).await.expect_err("it runs")), Some(Code::WrongState));
    client.cancel(submitted.job).await.expect("cancelled");
    assert_eq!(client.wait(submitted.job).await.expect("ends").summary.state, StateView::Cancelled);
    assert_eq!(code(&client.cancel(submitted.job).await.expect_err("over")), Some(Code::WrongState));
}

#[tokio::test]
async fn wrong_requests_get_problems() {
    let Served { client, address, .. } = serve().await;
    let missing = client.submit(job(Hash::of(b"never uploaded"), 1, "")).await.expect_err("missing blob");
    assert_eq!(code(&missing), Some(Code::BlobNotFound));
    let program = client.upload(b"program".to_vec()).await.expect("upload");
    let empty = client.submit(job(program.hash, 0, "")).await.expect_err("no tasks");
    assert_eq!(code(&empty), Some(Code::InvalidJob));
    let http = reqwest::Client::new();
    for (method, route, body, expected) in [
        ("POST", routes::JOBS, "{", Code::InvalidRequest),
        ("POST", routes::JOBS, r#"{"name":"x","stages":[],"surprise":1}"#, Code::InvalidRequest),
        ("POST", routes::JOBS_QUOTE, r#"{"name":"x","stages":[]}"#, Code::InvalidJob),
        ("GET", "/v1/jobs/nonsense", "", Code::InvalidRequest),
        ("GET", "/v1/jobs/0000000000000000", "", Code::JobNotFound),
        ("GET", "/v1/nothing", "", Code::NoSuchRoute),
        ("PUT", routes::LIMITS, r#"{"share":true}"#, Code::InvalidRequest),
        ("POST", routes::INVITES, r#"{"uses_max":0}"#, Code::InvalidRequest),
        ("GET", "/v1/blobs/00", "", Code::InvalidRequest),
        ("POST", routes::IMAGES, r#"{"name":"a"}"#, Code::InvalidRequest),
        ("DELETE", routes::IMAGES, "", Code::InvalidRequest),
        ("DELETE", "/v1/images?name=none", "", Code::ImageNotFound),
        ("GET", "/v1/jobs?limit=x", "", Code::InvalidRequest),
    ] {
        let request = http
            .request(method.parse().expect("method"), format!("http://{address}{route}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .body(body);
        let answer = request.send().await.expect("answer");
        let status = answer.status().as_u16();
        let problem: Problem =
            serde_json::from_slice(&answer.bytes().await.expect("body")).expect("a problem");
        assert_eq!((problem.code, problem.status), (expected, status), "{method} {route} {body}");
    }
}

/// The routes that go on until their reader leaves.
fn followed_routes(job: JobId) -> [String; 4] {
    [
        format!("{}?follow=true", routes::LOGS),
        format!("/v1/jobs/{job}/tasks/0.0/log?follow=true"),
        format!("/v1/jobs/{job}/events"),
        routes::LEDGER_EVENTS.to_owned(),
    ]
}

#[tokio::test]
async fn the_server_ends_at_once_while_everything_is_followed() {
    let Served { client, address, stop, server, .. } = serve().await;
    let program = client.upload(b"program".to_vec()).await.expect("upload");
    let submitted = client.submit(job(program.hash, 3, "slow")).await.expect("submit");
    let http = reqwest::Client::new();
    let mut open = Vec::new();
    for route in followed_routes(submitted.job) {
        let request =
            http.get(format!("http://{address}{route}")).header("authorization", format!("Bearer {TOKEN}"));
        let answer = request.send().await.expect("answer");
        assert_eq!(answer.status(), 200, "{route}");
        open.push((route, answer));
    }
    stop.cancel();
    // The limit ends a hang; nothing is waited for.
    let ended = tokio::time::timeout(Duration::from_secs(30), server).await;
    ended.expect("it ends").expect("no panic").expect("no error");
    for (route, answer) in open {
        assert!(answer.bytes().await.is_ok(), "{route} ends in order");
    }
}

#[tokio::test]
async fn limits_invites_and_logs() {
    let Served { client, .. } = serve().await;
    let mut limits = client.limits().await.expect("limits").limits;
    limits.share = false;
    let changed = client.set_limits(&limits).await.expect("set");
    assert_eq!((changed.limits.share, changed.closed_reason.as_str()), (false, "paused"));
    let invite = client.invite(&InviteRequest::default()).await.expect("invite");
    let listed = client.invites().await.expect("invites");
    assert_eq!(listed.invites[0].token, invite.token);
    let log = client.logs(&serde_json::from_str(r#"{"lines":2}"#).expect("query")).await.expect("log");
    assert_eq!(log.text().await.expect("text"), "two\nthree\n");
    let status = client.status().await.expect("status");
    assert_eq!((status.name.as_str(), status.sharing.closed_reason.as_str()), ("tester", "paused"));
    assert_eq!(client.members().await.expect("members").members.len(), 0);
}
