//! Who may do what: every route, with every kind of caller.

use crate::support::{Served, TOKEN, code, serve, serve_node};
use opensky_client::{
    Client,
    api::{
        Code,
        key::{KeyQuery, KeyRequest, NewKey, Role},
        limits::Limits,
        routes,
        session::CSRF_HEADER,
    },
};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use std::time::SystemTime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Routes that do something and that an operator may use.
const OF_OPERATORS: [(&str, &str); 13] = [
    ("post", routes::BLOBS),
    ("post", routes::IMAGES),
    ("delete", routes::IMAGES),
    ("post", routes::SERVICES),
    ("delete", routes::SERVICE),
    ("post", routes::SERVICE_SCALE),
    ("post", routes::SERVICE_ROLLBACK),
    ("post", routes::SERVICE_PORTS),
    ("delete", routes::SERVICE_PORTS),
    ("post", routes::JOBS),
    ("delete", routes::JOB),
    ("post", routes::JOB_CANCEL),
    ("post", routes::JOB_RETRY),
];
/// Routes that are not GET and change nothing that is not the caller's own.
const OF_VIEWERS: [(&str, &str); 3] =
    [("post", routes::JOBS_QUOTE), ("delete", routes::SESSION), ("post", routes::GRAPHQL)];
/// What is read by the owner only: it opens doors.
const READ_BY_OWNERS: [&str; 4] = [routes::INVITES, routes::KEYS, routes::SESSIONS, routes::WALLET_LOGINS];
/// Routes for everybody.
const OF_ALL: [(&str, &str); 4] = [
    ("get", routes::OPENAPI),
    ("post", routes::SESSION),
    ("post", routes::SESSION_CHALLENGES),
    ("post", routes::SESSION_WALLET),
];

/// The least role of a route, said once more, apart from the table.
fn least(method: &str, path: &str) -> Option<Role> {
    let is_in = |list: &[(&str, &str)]| list.contains(&(method, path));
    if is_in(&OF_ALL) {
        return None;
    }
    let is_read = method == "get" && !READ_BY_OWNERS.contains(&path);
    Some(match () {
        () if is_read || is_in(&OF_VIEWERS) => Role::Viewer,
        () if is_in(&OF_OPERATORS) => Role::Operator,
        () => Role::Owner,
    })
}

/// Method, path and least role of each route, as described. What ends the session and the node is last.
fn described() -> Vec<(String, String, Option<Role>)> {
    let document: Value = serde_json::from_str(&opensky_gateway::openapi()).expect("JSON");
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let role =
                operation["security"][0]["token"][0].as_str().map(|role| role.parse().expect("a role"));
            found.push((method.clone(), path.clone(), role));
        }
    }
    found.sort_by_key(|(method, path, _)| match (method.as_str(), path.as_str()) {
        ("delete", routes::SESSION) => 1,
        (_, routes::STOP) => 2,
        _ => 0,
    });
    found
}

#[test]
fn w1_the_table_says_what_roles_are_for() {
    for (method, path, role) in described() {
        assert_eq!(role, least(&method, &path), "{method} {path}");
    }
}

/// A caller: what is put into a request, and what the caller may do; `None` for one that is nobody.
struct Caller {
    name: &'static str,
    bearer: Option<String>,
    cookie: Option<String>,
    role: Option<Role>,
}

impl Caller {
    fn of_key(name: &'static str, secret: &str, role: Option<Role>) -> Self {
        Self { name, bearer: Some(secret.to_owned()), cookie: None, role }
    }

    fn asks(&self, request: RequestBuilder) -> RequestBuilder {
        let request = match &self.bearer {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        };
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie).header(CSRF_HEADER, "1"),
            None => request,
        }
    }
}

async fn key(served: &Served, name: &str, role: Role, valid_ms: Option<u64>) -> NewKey {
    let request = KeyRequest { name: name.into(), role, valid_ms, spend: None };
    served.client.create_key(&request).await.expect("a key")
}

/// A session that a key opens.
async fn session_of(served: &Served, key: &NewKey) -> String {
    let request = reqwest::Client::new().post(format!("http://{}{}", served.address, routes::SESSION));
    let request = request.header("content-type", "application/json").bearer_auth(&key.secret).body("{}");
    let answer = request.send().await.expect("answer");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    cookie.split(';').next().expect("a pair").to_owned()
}

/// Every kind of caller, those that may nothing first.
async fn callers(served: &Served) -> Vec<Caller> {
    let expired = key(served, "expired", Role::Owner, Some(1)).await;
    let expires_at = expired.key.expires_at.expect("it expires").as_millis();
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis();
    while now() < u128::from(expires_at) {
        tokio::task::yield_now().await;
    }
    let revoked = key(served, "revoked", Role::Owner, None).await;
    served.client.revoke_key(&KeyQuery { name: "revoked".into() }).await.expect("revoked");
    let mut callers = vec![
        Caller { name: "nobody", bearer: None, cookie: None, role: None },
        Caller::of_key("a wrong key", "opensky_00", None),
        Caller::of_key("an expired key", &expired.secret, None),
        Caller::of_key("a revoked key", &revoked.secret, None),
    ];
    let mut sessions = Vec::new();
    for (name, role) in [("viewer", Role::Viewer), ("operator", Role::Operator), ("owner", Role::Owner)] {
        let key = key(served, name, role, None).await;
        callers.push(Caller::of_key(name, &key.secret, Some(role)));
        let cookie = Some(session_of(served, &key).await);
        sessions.push(Caller { name: "a session of a key", bearer: None, cookie, role: Some(role) });
    }
    callers.extend(sessions);
    let cookie = Some(crate::support::session(served).await);
    callers.push(Caller { name: "session", bearer: None, cookie, role: Some(Role::Owner) });
    callers.push(Caller::of_key("token", TOKEN, Some(Role::Owner)));
    callers
}

/// Whether an answer is this API's refusal of the caller, and no other 403 of a sky.
async fn refused(answer: reqwest::Response) -> Option<StatusCode> {
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    match status {
        StatusCode::UNAUTHORIZED => Some(status),
        StatusCode::FORBIDDEN if text.contains("this needs the role") => Some(status),
        _ => None,
    }
}

#[tokio::test]
async fn w1_every_route_holds_for_every_caller() {
    let served = serve().await;
    let callers = callers(&served).await;
    let http =
        reqwest::Client::builder().timeout(std::time::Duration::from_secs(30)).build().expect("client");
    let mut asked = 0;
    for (method, path, role) in described() {
        for caller in &callers {
            // Parameters are malformed and bodies no JSON, so that what is let through does nothing; what
            // takes neither does no harm, and what ends something is last.
            let is_stream = path == routes::LEDGER_EVENTS;
            let query = if path == routes::WALLET { "" } else { "?none=1" };
            let url = format!("http://{}{}{query}", served.address, path.replace(['{', '}'], "~"));
            let request = http.request(method.to_uppercase().parse::<Method>().expect("method"), url);
            let answer = caller.asks(request).body("{").send().await.expect("answer");
            let expected = match (caller.role, role) {
                (_, None) if caller.bearer.is_none() => None,
                (None, _) => Some(StatusCode::UNAUTHORIZED),
                (has, needs) if has < needs => Some(StatusCode::FORBIDDEN),
                _ => None,
            };
            let found =
                if is_stream && answer.status().is_success() { None } else { answer_of(&path, answer).await };
            assert_eq!(found, expected, "{method} {path} by {}", caller.name);
            asked += 1;
            let is_over = path == routes::STOP && expected.is_none();
            if is_over {
                return assert!(asked > 400, "all were asked");
            }
        }
    }
}

/// An opened session's 401 is about the code, not about the caller.
async fn answer_of(path: &str, answer: reqwest::Response) -> Option<StatusCode> {
    if path == routes::SESSION && answer.status() == StatusCode::BAD_REQUEST {
        return None;
    }
    refused(answer).await
}

#[tokio::test]
async fn w1_a_key_does_what_its_role_may_and_lasts() {
    let served = serve().await;
    let made = key(&served, "ci", Role::Operator, None).await;
    assert!(made.secret.starts_with("opensky_"));
    let operator = Client::new(&served.address, &made.secret);
    operator.upload(b"program".to_vec()).await.expect("operators upload");
    let limits: Limits = operator.limits().await.expect("operators read").limits;
    assert_eq!(code(&operator.set_limits(&limits).await.expect_err("refused")), Some(Code::NotAllowed));
    assert_eq!(code(&operator.keys().await.expect_err("refused")), Some(Code::NotAllowed));
    let listed = serde_json::to_string(&served.client.keys().await.expect("keys")).expect("JSON");
    assert!(listed.contains("\"ci\"") && !listed.contains(&made.secret), "{listed}");

    let owner = key(&served, "boss", Role::Owner, None).await;
    let owner = Client::new(&served.address, &owner.secret);
    owner.set_limits(&limits).await.expect("owners do all");
    let link = owner.login_link().await.expect_err("but open no session that outlives their key");
    assert_eq!(code(&link), Some(Code::NotAllowed));

    // Another server on the same node reads what was kept.
    let later = serve_node(served.handle.clone()).await;
    let operator = Client::new(&later.address, &made.secret);
    operator.status().await.expect("the key lasts");
    later.client.revoke_key(&KeyQuery { name: "ci".into() }).await.expect("revoked");
    assert_eq!(code(&operator.status().await.expect_err("refused")), Some(Code::Unauthorized));
    let again = later.client.revoke_key(&KeyQuery { name: "ci".into() }).await.expect_err("it is gone");
    assert_eq!(code(&again), Some(Code::KeyNotFound));
}

#[tokio::test]
async fn w1_an_upload_whose_key_was_revoked_meanwhile_is_not_kept() {
    let served = serve().await;
    let made = key(&served, "ci", Role::Operator, None).await;
    let mut line = TcpStream::connect(&served.address).await.expect("a connection");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 7\r\n\
         Expect: 100-continue\r\nConnection: close\r\n\r\n",
        routes::BLOBS,
        made.secret
    );
    line.write_all(head.as_bytes()).await.expect("sent");
    let mut go_on = [0; 25];
    line.read_exact(&mut go_on).await.expect("it was let in");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    line.write_all(b"pro").await.expect("sent");
    served.client.revoke_key(&KeyQuery { name: "ci".into() }).await.expect("revoked");
    line.write_all(b"gram").await.expect("sent");
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let blob = routes::BLOB.replace("{hash}", &opensky_types::Hash::of(b"program").to_string());
    let found = reqwest::Client::new().get(format!("http://{}{blob}", served.address)).bearer_auth(TOKEN);
    assert_eq!(found.send().await.expect("answer").status(), StatusCode::NOT_FOUND);
}
