//! Requests that come twice, too often, or too large.

use crate::support::{Served, TOKEN, own_key, serve, serve_with};
use opensky_client::{
    Client,
    api::{
        Code, Problem,
        key::{KeyQuery, KeyRequest, Role},
        progress::Submitted,
        routes,
    },
};
use opensky_types::{Hash, Micros};
use reqwest::{Response, StatusCode, header};

fn job(program: Hash, name: &str) -> String {
    serde_json::to_string(&crate::support::job(program, name, "")).expect("plain data")
}

async fn post(served: &Served, secret: &str, route: &str, key: &str, body: String) -> Response {
    let request = reqwest::Client::new().post(format!("http://{}{route}", served.address));
    let request = request.bearer_auth(secret).header("content-type", "application/json");
    request.header(routes::IDEMPOTENCY_KEY, key).body(body).send().await.expect("answer")
}

async fn problem(answer: Response) -> (StatusCode, Code) {
    let status = answer.status();
    let body = answer.bytes().await.expect("body");
    (status, serde_json::from_slice::<Problem>(&body).expect("a problem").code)
}

async fn submitted(answer: Response) -> Submitted {
    assert_eq!(answer.status(), StatusCode::CREATED);
    serde_json::from_slice(&answer.bytes().await.expect("body")).expect("a job")
}

#[tokio::test]
async fn a_job_that_is_submitted_twice_with_one_key_runs_once() {
    let served = serve().await;
    let program = served.client.upload(b"program".to_vec()).await.expect("upload").hash;
    let first = post(&served, TOKEN, routes::JOBS, "a", job(program, "x")).await;
    assert!(!first.headers().contains_key(routes::IDEMPOTENCY_REPLAYED));
    let first = submitted(first).await;
    let again = post(&served, TOKEN, routes::JOBS, "a", job(program, "x")).await;
    assert_eq!(again.headers()[routes::IDEMPOTENCY_REPLAYED], "true");
    assert_eq!(again.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(submitted(again).await, first, "the same answer");

    let other = post(&served, TOKEN, routes::JOBS, "a", job(program, "y")).await;
    assert_eq!(problem(other).await, (StatusCode::UNPROCESSABLE_ENTITY, Code::IdempotencyMismatch));
    let long = "x".repeat(routes::IDEMPOTENCY_KEY_BYTES_MAX + 1);
    let refused = post(&served, TOKEN, routes::JOBS, &long, job(program, "x")).await;
    assert_eq!(problem(refused).await, (StatusCode::BAD_REQUEST, Code::InvalidRequest));

    // Another key, or the same key of another caller, is another job.
    let request = KeyRequest { name: "ci".into(), role: Role::Operator, valid_ms: None, spend: None };
    let secret = served.client.create_key(&request).await.expect("key").secret;
    let second = submitted(post(&served, TOKEN, routes::JOBS, "b", job(program, "x")).await).await;
    let third = submitted(post(&served, &secret, routes::JOBS, "a", job(program, "x")).await).await;
    assert!(first.job != second.job && first.job != third.job && second.job != third.job);
    let jobs = served.client.jobs(&Default::default()).await.expect("jobs").jobs;
    assert_eq!(jobs.len(), 3);
}

#[tokio::test]
async fn w1_a_key_made_anew_is_given_no_answers_of_the_one_before() {
    let served = serve().await;
    let program = served.client.upload(b"program".to_vec()).await.expect("upload").hash;
    let request = KeyRequest { name: "ci".into(), role: Role::Operator, valid_ms: None, spend: None };
    let before = served.client.create_key(&request).await.expect("key").secret;
    let first = submitted(post(&served, &before, routes::JOBS, "a", job(program, "x")).await).await;
    let again = submitted(post(&served, &before, routes::JOBS, "a", job(program, "x")).await).await;
    assert_eq!(again, first, "its own answer");
    served.client.revoke_key(&KeyQuery { name: "ci".into() }).await.expect("revoked");
    let anew = served.client.create_key(&request).await.expect("key").secret;
    let answer = post(&served, &anew, routes::JOBS, "a", job(program, "x")).await;
    assert!(!answer.headers().contains_key(routes::IDEMPOTENCY_REPLAYED));
    assert_ne!(submitted(answer).await.job, first.job);
    let other = post(&served, &anew, routes::JOBS, "a", job(program, "y")).await;
    assert_eq!(problem(other).await.1, Code::IdempotencyMismatch, "it has slots of its own");
}

#[tokio::test]
async fn a_transfer_that_is_asked_for_twice_is_paid_once() {
    let served = serve_with(Micros::new(10_000_000)).await;
    let to = opensky_types::Keypair::from_seed([9; 32]).id();
    assert_ne!(to, own_key().id());
    let body = format!(r#"{{"to":"{to}","amount_micros":2000000}}"#);
    let mut answers = Vec::new();
    for _ in 0..3 {
        let answer = post(&served, TOKEN, routes::WALLET_TRANSFER, "pay", body.clone()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answers.push(answer.text().await.expect("text"));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one transaction, {answers:?}");
    // What was refused is remembered too: the key says what was meant.
    let refused = r#"{"to":"none","amount_micros":1}"#.to_owned();
    for _ in 0..2 {
        let answer = post(&served, TOKEN, routes::WALLET_TRANSFER, "bad", refused.clone()).await;
        assert_eq!(problem(answer).await, (StatusCode::BAD_REQUEST, Code::InvalidRequest));
    }
}

#[tokio::test]
async fn w5_a_key_that_asks_too_often_waits_and_the_owner_does_not() {
    let served = serve().await;
    let request = KeyRequest { name: "greedy".into(), role: Role::Viewer, valid_ms: None, spend: None };
    let secret = served.client.create_key(&request).await.expect("key").secret;
    let http = reqwest::Client::new();
    let url = format!("http://{}{}", served.address, routes::CONFIG);
    let mut slowed = None;
    // Many at a time, so that a slow machine asks too often too.
    for _ in 0..100 {
        let asked = (0..100).map(|_| http.get(&url).bearer_auth(&secret).send());
        let answers = futures::future::try_join_all(asked).await.expect("answers");
        slowed = answers.into_iter().find(|answer| answer.status() == StatusCode::TOO_MANY_REQUESTS);
        if slowed.is_some() {
            break;
        }
    }
    let slowed = slowed.expect("it has a limit");
    let wait: u64 = slowed.headers()[header::RETRY_AFTER].to_str().expect("text").parse().expect("seconds");
    assert!((1..=2).contains(&wait), "{wait}");
    assert_eq!(problem(slowed).await.1, Code::RateLimited);
    for _ in 0..1_000 {
        served.client.config().await.expect("the owner's programs are not slowed down");
    }
}

#[tokio::test]
async fn w5_a_request_that_is_too_large_is_refused_with_and_without_a_key() {
    let served = serve().await;
    let large = format!("[{}", " ".repeat(routes::REQUEST_BYTES_MAX));
    let answer = post(&served, TOKEN, routes::JOBS, "large", large.clone()).await;
    assert_eq!(problem(answer).await, (StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge));
    let url = format!("http://{}{}", served.address, routes::LIMITS);
    let request =
        reqwest::Client::new().put(url).bearer_auth(TOKEN).header("content-type", "application/json");
    let answer = request.body(large).send().await.expect("answer");
    assert_eq!(problem(answer).await, (StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge));
    let client = Client::new(&served.address, TOKEN);
    client.upload(vec![0; routes::REQUEST_BYTES_MAX + 1]).await.expect("content may be larger");
}
