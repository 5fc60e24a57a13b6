//! Sessions of browsers, and the pages of the dashboard, spoken to as a browser would.

use crate::support::{Served, TOKEN, code, serve};
use opensky_client::api::{
    Code,
    key::{KeyQuery, KeyRequest, Role, SpendLimit, SpendPer},
    routes,
    session::{CSRF_HEADER, LinkView, OpenSessionQuery},
};
use opensky_types::Micros;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};

struct Browser {
    http: reqwest::Client,
    address: String,
}

impl Browser {
    fn of(served: &Served) -> Self {
        Self { http: reqwest::Client::new(), address: served.address.clone() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address))
    }

    fn login(&self, code: &str) -> RequestBuilder {
        let body = serde_json::json!({ "code": code }).to_string();
        self.request(Method::POST, routes::SESSION).header("content-type", "application/json").body(body)
    }

    /// Opens a session and answers its cookie.
    async fn session(&self, served: &Served) -> String {
        let link = served.client.login_link().await.expect("link");
        let answer = send(self.login(&link.code)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        cookie.split(';').next().expect("a pair").to_owned()
    }

    fn share(&self, cookie: &str) -> RequestBuilder {
        let request = self.request(Method::POST, routes::INVITES).header("cookie", cookie);
        request.header("content-type", "application/json").body("{}")
    }
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("answer")
}

#[tokio::test]
async fn w3_a_link_logs_in_once() {
    let served = serve().await;
    let browser = Browser::of(&served);
    assert_eq!(send(browser.request(Method::GET, routes::SESSION)).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send(browser.login("guessed")).await.status(), StatusCode::UNAUTHORIZED);
    let LinkView { code, path, .. } = served.client.login_link().await.expect("link");
    assert_eq!(path, format!("/#login={code}"));
    assert_eq!(send(browser.login(&code)).await.status(), StatusCode::CREATED);
    assert_eq!(send(browser.login(&code)).await.status(), StatusCode::UNAUTHORIZED, "used up");
}

#[tokio::test]
async fn w3_a_session_reads_changes_and_ends() {
    let served = serve().await;
    let browser = Browser::of(&served);
    let cookie = browser.session(&served).await;
    let status =
        || browser.request(Method::GET, routes::STATUS).header("cookie", format!("other=1; {cookie}"));
    assert_eq!(send(status()).await.status(), StatusCode::OK);
    let changed = send(browser.share(&cookie).header(CSRF_HEADER, "1")).await;
    assert_eq!(changed.status(), StatusCode::OK);
    let link = browser.request(Method::POST, routes::SESSION_LINKS).header("cookie", &cookie);
    assert_eq!(
        send(link.header(CSRF_HEADER, "1")).await.status(),
        StatusCode::FORBIDDEN,
        "for the token only"
    );
    let logout = browser.request(Method::DELETE, routes::SESSION).header("cookie", &cookie);
    assert_eq!(send(logout.header(CSRF_HEADER, "1")).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(send(status()).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn w3_another_page_cannot_use_a_session() {
    let served = serve().await;
    let browser = Browser::of(&served);
    let cookie = browser.session(&served).await;
    assert_eq!(send(browser.share(&cookie)).await.status(), StatusCode::FORBIDDEN, "no header");
    let own = format!("http://{}", served.address);
    for (origin, expected) in [
        (own.as_str(), StatusCode::OK),
        ("http://evil.example", StatusCode::FORBIDDEN),
        ("http://127.0.0.1:1", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
    ] {
        let request = browser.share(&cookie).header(CSRF_HEADER, "1").header("origin", origin);
        assert_eq!(send(request).await.status(), expected, "{origin}");
    }
    for (site, expected) in [
        ("same-origin", StatusCode::OK),
        ("same-site", StatusCode::FORBIDDEN),
        ("cross-site", StatusCode::FORBIDDEN),
    ] {
        let request = browser.request(Method::GET, routes::STATUS).header("cookie", &cookie);
        assert_eq!(send(request.header("sec-fetch-site", site)).await.status(), expected, "{site}");
    }
    let link = served.client.login_link().await.expect("link");
    let foreign = browser.login(&link.code).header("origin", "http://evil.example");
    assert_eq!(send(foreign).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        send(browser.login(&link.code)).await.status(),
        StatusCode::CREATED,
        "it did not use the code up"
    );
}

#[tokio::test]
async fn w3_a_foreign_host_gets_neither_page_nor_session() {
    let served = serve().await;
    let browser = Browser::of(&served);
    let cookie = browser.session(&served).await;
    for path in ["/", routes::STATUS] {
        let request =
            browser.request(Method::GET, path).header("cookie", &cookie).header("host", "evil.example");
        assert_eq!(send(request).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    let link = served.client.login_link().await.expect("link");
    let login = browser.login(&link.code).header("host", "evil.example");
    assert_eq!(send(login).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn w3_the_token_needs_no_header_and_a_wrong_one_no_cookie_helps() {
    let served = serve().await;
    let browser = Browser::of(&served);
    let cookie = browser.session(&served).await;
    let bearer = browser.share("").header("authorization", format!("Bearer {TOKEN}"));
    assert_eq!(send(bearer).await.status(), StatusCode::OK);
    let wrong = browser.share(&cookie).header(CSRF_HEADER, "1").header("authorization", "Bearer wrong");
    assert_eq!(send(wrong).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn w1_a_session_of_a_key_may_what_the_key_may_and_ends_with_it() {
    let served = serve().await;
    let browser = Browser::of(&served);
    let request =
        KeyRequest { name: "guest".into(), role: Role::Viewer, valid_ms: Some(60_000), spend: None };
    let key = served.client.create_key(&request).await.expect("a key");
    let login = |secret: &str| {
        let request = browser.request(Method::POST, routes::SESSION).bearer_auth(secret);
        request.header("content-type", "application/json").body("{}")
    };
    let answer = send(login(&key.secret)).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
    let seconds: u64 = cookie.split("Max-Age=").nth(1).and_then(|text| text.parse().ok()).expect("an age");
    assert!(seconds <= 60, "no longer than the key: {cookie}");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let read = |path: &str| browser.request(Method::GET, path).header("cookie", &cookie);
    let shown = send(read(routes::SESSION)).await.text().await.expect("text");
    assert!(shown.contains("\"role\":\"viewer\""), "{shown}");
    assert_eq!(send(read(routes::KEYS)).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(send(browser.share(&cookie).header(CSRF_HEADER, "1")).await.status(), StatusCode::FORBIDDEN);
    let listed = served.client.sessions().await.expect("sessions").sessions;
    assert_eq!(
        listed.iter().map(|open| (open.role, open.key.as_deref())).collect::<Vec<_>>(),
        [(Role::Viewer, Some("guest"))]
    );

    served.client.revoke_key(&KeyQuery { name: "guest".into() }).await.expect("revoked");
    let again = served.client.create_key(&request).await.expect("another of the same name");
    assert_eq!(send(read(routes::STATUS)).await.status(), StatusCode::UNAUTHORIZED, "it ended with its key");
    assert!(served.client.sessions().await.expect("sessions").sessions.is_empty());
    assert_eq!(send(login(&again.secret)).await.status(), StatusCode::CREATED);
    for (body, secret) in [("{}", TOKEN), ("{}", "opensky_00")] {
        let status = send(login(secret).body(body)).await.status();
        assert!(status == StatusCode::BAD_REQUEST || status == StatusCode::UNAUTHORIZED, "{secret}");
    }
}

/// What its sessions spent would be counted nowhere.
#[tokio::test]
async fn w1_a_key_whose_spending_is_limited_opens_no_session() {
    let served = serve().await;
    let browser = Browser::of(&served);
    let spend = Some(SpendLimit { limit_micros: Micros::new(1_000), per: SpendPer::Day });
    let request = KeyRequest { name: "modest".into(), role: Role::Operator, valid_ms: None, spend };
    let key = served.client.create_key(&request).await.expect("a key");
    let login = browser.request(Method::POST, routes::SESSION).bearer_auth(&key.secret);
    let answer = send(login.header("content-type", "application/json").body("{}")).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(answer.text().await.expect("text").contains("limit"));
    assert!(served.client.sessions().await.expect("sessions").sessions.is_empty());
}

#[tokio::test]
async fn w1_an_owner_sees_sessions_and_ends_them() {
    let served = serve().await;
    let browser = Browser::of(&served);
    let (one, other) = (browser.session(&served).await, browser.session(&served).await);
    let mine = browser.request(Method::GET, routes::SESSIONS).header("cookie", &one);
    let listed = send(mine).await.text().await.expect("text");
    assert_eq!(listed.matches("\"is_own\":true").count(), 1, "{listed}");
    let secret = |cookie: &str| cookie.split('=').nth(1).expect("a value").to_owned();
    assert!(!listed.contains(&secret(&one)) && !listed.contains(&secret(&other)), "no secret is shown");
    for session in served.client.sessions().await.expect("sessions").sessions {
        served.client.end_session(&OpenSessionQuery { id: session.id }).await.expect("ended");
    }
    for cookie in [&one, &other] {
        let status =
            send(browser.request(Method::GET, routes::STATUS).header("cookie", cookie)).await.status();
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let gone = served.client.end_session(&OpenSessionQuery { id: "none".into() }).await.expect_err("none");
    assert_eq!(code(&gone), Some(Code::SessionNotFound));
}

#[tokio::test]
async fn j5_pages_come_with_a_strict_policy() {
    let served = serve().await;
    let browser = Browser::of(&served);
    let mut policies = Vec::new();
    for path in ["/", "/index.html", "/jobs/0123456789abcdef", "/..%2f..%2fetc/passwd"] {
        let answer = send(browser.request(Method::GET, path)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        let policy = header("content-security-policy");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
        let text = answer.text().await.expect("text");
        assert!(text.contains(nonce), "the page knows its nonce");
        policies.push(policy);
    }
    policies.dedup();
    assert_eq!(policies.len(), 4, "no nonce comes twice");
    assert_eq!(send(browser.request(Method::GET, "/assets/none.js")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(send(browser.request(Method::POST, "/")).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}
