//! Logins by wallet (EIP-4361), spoken to as a browser's page would.

use crate::support::{Served, code, serve, serve_node};
use opensky_client::api::{
    key::{Role, WalletLoginQuery, WalletLoginRequest},
    routes,
    session::{CSRF_HEADER, ChallengeView},
};
use opensky_ledger::evm::{EvmKey, personal_digest};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};

/// A wallet, and the page of a node that it logs in to.
struct Wallet {
    key: EvmKey,
    http: reqwest::Client,
    address: String,
}

impl Wallet {
    fn new(served: &Served, seed: u8) -> Self {
        let key = EvmKey::from_secret(&[seed; 32]).expect("a key");
        Self { key, http: reqwest::Client::new(), address: served.address.clone() }
    }

    fn name(&self) -> String {
        self.key.address().to_string()
    }

    fn post(&self, route: &str, body: &Value) -> RequestBuilder {
        let request = self.http.request(Method::POST, format!("http://{}{route}", self.address));
        let request = request.header("origin", format!("http://{}", self.address));
        request.header("content-type", "application/json").body(body.to_string())
    }

    async fn challenge(&self) -> String {
        let asked = self.post(routes::SESSION_CHALLENGES, &json!({ "address": self.name(), "chain_id": 1 }));
        let answer = asked.send().await.expect("answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
        let view: ChallengeView = serde_json::from_slice(&answer.bytes().await.expect("body")).expect("JSON");
        view.message
    }

    fn signed(&self, message: &str) -> Value {
        let signature = self.key.sign(&personal_digest(message.as_bytes()));
        json!({ "message": message, "signature": format!("0x{}", hex::encode(signature.as_bytes())) })
    }

    async fn log_in(&self) -> Response {
        let message = self.challenge().await;
        self.post(routes::SESSION_WALLET, &self.signed(&message)).send().await.expect("answer")
    }

    async fn cookie(&self) -> String {
        let answer = self.log_in().await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
        for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        cookie.split(';').next().expect("a pair").to_owned()
    }

    async fn with(&self, cookie: &str, method: Method, route: &str) -> Response {
        let request = self.http.request(method, format!("http://{}{route}", self.address));
        request.header("cookie", cookie).header(CSRF_HEADER, "1").send().await.expect("answer")
    }
}

async fn json_of(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.expect("body")).expect("JSON")
}

async fn named(served: &Served, wallet: &Wallet, role: Role) {
    let request = WalletLoginRequest { address: wallet.name(), role };
    served.client.add_wallet_login(&request).await.expect("named");
}

#[tokio::test]
async fn w3_a_wallet_that_the_owner_named_logs_in_with_its_role() {
    let served = serve().await;
    let wallet = Wallet::new(&served, 1);
    let stranger = wallet.log_in().await;
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert!(json_of(stranger).await["next"].as_str().is_some_and(|next| next.contains("keys wallet add")));
    named(&served, &wallet, Role::Operator).await;
    let cookie = wallet.cookie().await;
    let session = json_of(wallet.with(&cookie, Method::GET, routes::SESSION).await).await;
    assert_eq!((&session["role"], &session["wallet"]), (&json!("operator"), &json!(wallet.name())));
    assert_eq!(wallet.with(&cookie, Method::GET, routes::STATUS).await.status(), StatusCode::OK);
    for route in [routes::STOP, routes::INVITES, routes::SESSION_LINKS] {
        assert_eq!(
            wallet.with(&cookie, Method::POST, route).await.status(),
            StatusCode::FORBIDDEN,
            "{route}"
        );
    }
    assert_eq!(wallet.with(&cookie, Method::DELETE, routes::SESSION).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(wallet.with(&cookie, Method::GET, routes::STATUS).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn w3_a_signed_message_opens_one_session() {
    let served = serve().await;
    let wallet = Wallet::new(&served, 1);
    named(&served, &wallet, Role::Viewer).await;
    let message = wallet.challenge().await;
    let signed = wallet.signed(&message);
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let answer = wallet.post(routes::SESSION_WALLET, &signed).send().await.expect("answer");
        statuses.push(answer.status());
    }
    assert_eq!(statuses, [StatusCode::CREATED, StatusCode::UNAUTHORIZED], "a replay opens nothing");
    let elsewhere = serve_node(served.handle.clone()).await;
    let elsewhere = Wallet::new(&elsewhere, 1);
    let fresh = wallet.signed(&wallet.challenge().await);
    let answer = elsewhere.post(routes::SESSION_WALLET, &fresh).send().await.expect("answer");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "another server never gave it");
}

#[tokio::test]
async fn w3_another_page_gets_no_message_and_no_session() {
    let served = serve().await;
    let wallet = Wallet::new(&served, 1);
    named(&served, &wallet, Role::Owner).await;
    let ask = json!({ "address": wallet.name(), "chain_id": 1 });
    for (name, value) in
        [("origin", "http://evil.example"), ("host", "evil.example"), ("sec-fetch-site", "cross-site")]
    {
        let request = wallet.http.post(format!("http://{}{}", wallet.address, routes::SESSION_CHALLENGES));
        let request =
            request.header("content-type", "application/json").header(name, value).body(ask.to_string());
        assert_eq!(request.send().await.expect("answer").status(), StatusCode::FORBIDDEN, "{name}");
        let signed = wallet.signed(&wallet.challenge().await);
        let request = wallet.http.post(format!("http://{}{}", wallet.address, routes::SESSION_WALLET));
        let request =
            request.header("content-type", "application/json").header(name, value).body(signed.to_string());
        assert_eq!(request.send().await.expect("answer").status(), StatusCode::FORBIDDEN, "{name}");
    }
    // A page that has a message signed for itself gains nothing here.
    let message = wallet.challenge().await.replace(&wallet.address, "evil.example");
    let phished = wallet.post(routes::SESSION_WALLET, &wallet.signed(&message)).send().await.expect("answer");
    assert_eq!(phished.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn w3_malformed_requests_for_logins_are_refused() {
    let served = serve().await;
    let wallet = Wallet::new(&served, 1);
    let long = format!("localhost:{}", "0".repeat(30_000));
    let asked = wallet.http.post(format!("http://{}{}", wallet.address, routes::SESSION_CHALLENGES));
    let asked = asked.header("content-type", "application/json").header("host", long);
    let asked = asked.body(json!({ "address": wallet.name(), "chain_id": 1 }).to_string());
    assert_eq!(asked.send().await.expect("answer").status(), StatusCode::FORBIDDEN, "no name is as long");
    for ask in [
        json!({ "address": "0x12", "chain_id": 1 }),
        json!({ "address": wallet.name().to_lowercase().replace("0x1", "0X1"), "chain_id": 1 }),
        json!({ "address": wallet.name(), "chain_id": 0 }),
        json!({ "address": wallet.name(), "chain_id": u64::MAX }),
        json!({ "address": wallet.name() }),
    ] {
        let answer = wallet.post(routes::SESSION_CHALLENGES, &ask).send().await.expect("answer");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{ask}");
    }
    for signed in [
        json!({ "message": "", "signature": "" }),
        json!({ "message": "x".repeat(100_000), "signature": "0x" }),
        json!({ "message": wallet.challenge().await, "signature": "0x00" }),
    ] {
        let answer = wallet.post(routes::SESSION_WALLET, &signed).send().await.expect("answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn w3_a_wallet_that_is_removed_has_no_session_any_more() {
    let served = serve().await;
    let (wallet, other) = (Wallet::new(&served, 1), Wallet::new(&served, 2));
    named(&served, &wallet, Role::Owner).await;
    named(&served, &other, Role::Viewer).await;
    let (cookie, other_cookie) = (wallet.cookie().await, other.cookie().await);
    let query = WalletLoginQuery { address: wallet.name() };
    let left = served.client.remove_wallet_login(&query).await.expect("removed");
    assert_eq!(left.wallets.iter().map(|one| one.role).collect::<Vec<_>>(), [Role::Viewer]);
    assert_eq!(wallet.with(&cookie, Method::GET, routes::STATUS).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(wallet.log_in().await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(other.with(&other_cookie, Method::GET, routes::STATUS).await.status(), StatusCode::OK);
    let again = served.client.remove_wallet_login(&query).await.expect_err("it is gone");
    assert_eq!(code(&again), Some(opensky_client::api::Code::KeyNotFound));
    named(&served, &wallet, Role::Owner).await;
    let revived = wallet.with(&cookie, Method::GET, routes::STATUS).await;
    assert_eq!(revived.status(), StatusCode::UNAUTHORIZED, "what ended does not come back with its wallet");
    wallet.cookie().await;
    // Who may log in is kept; a server that starts anew knows no sessions.
    let later = serve_node(served.handle.clone()).await;
    let other = Wallet::new(&later, 2);
    assert_eq!(
        other.with(&other_cookie, Method::GET, routes::STATUS).await.status(),
        StatusCode::UNAUTHORIZED
    );
    other.cookie().await;
}
