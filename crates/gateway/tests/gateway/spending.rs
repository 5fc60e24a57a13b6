//! What a key may spend: counted over transfers, stake and jobs, over restarts too.

use crate::support::{Served, code, serve, serve_node, serve_with};
use opensky_client::{
    Client, ClientError,
    api::{
        Code,
        job::JobRequest,
        key::{KeyQuery, KeyRequest, Role, SpendLimit, SpendPer},
        routes,
        wallet::{AutoTransfers, OwnerRequest, Payee, StakeRequest, TransferRequest},
    },
};
use opensky_types::{AccountId, Keypair, Micros};

const SUPPLY: Micros = Micros::new(100_000_000);

fn limited(name: &str, role: Role, micros: u64) -> KeyRequest {
    let spend = Some(SpendLimit { limit_micros: Micros::new(micros), per: SpendPer::Ever });
    KeyRequest { name: name.into(), role, valid_ms: None, spend }
}

async fn client_of(served: &Served, request: &KeyRequest) -> Client {
    let secret = served.client.create_key(request).await.expect("a key").secret;
    Client::new(&served.address, &secret)
}

fn payee() -> Payee {
    Payee(AccountId::of_node(Keypair::from_seed([9; 32]).id()))
}

async fn pay(client: &Client, micros: u64) -> Result<(), ClientError> {
    let request = TransferRequest {
        to: payee(),
        amount_micros: Micros::new(micros),
        memo: String::new(),
        dry_run: false,
    };
    client.transfer(&request).await.map(drop)
}

async fn spent(served: &Served, name: &str) -> u64 {
    let keys = served.client.keys().await.expect("keys").keys;
    let key = keys.into_iter().find(|key| key.name == name).expect("the key");
    key.spend.expect("a limit").spent_micros.get()
}

fn refusal(done: Result<(), ClientError>) -> Option<Code> {
    code(&done.expect_err("refused"))
}

#[tokio::test]
async fn w1_a_key_with_a_limit_pays_and_stakes_up_to_it() {
    let served = serve_with(SUPPLY).await;
    let client = client_of(&served, &limited("bot", Role::Owner, 5_000_000)).await;
    pay(&client, 2_000_000).await.expect("within");
    let stake = StakeRequest { amount_micros: Micros::new(2_000_000), dry_run: false };
    client.stake(&stake).await.expect("within");
    assert_eq!(spent(&served, "bot").await, 4_000_000);
    assert_eq!(refusal(pay(&client, 1_000_001).await), Some(Code::SpendLimit));
    pay(&client, 1_000_000).await.expect("exactly the rest");
    assert_eq!(refusal(client.stake(&stake).await.map(drop)), Some(Code::SpendLimit));
    // The same for whoever comes after a restart.
    let later = serve_node(served.handle.clone()).await;
    assert_eq!(spent(&later, "bot").await, 5_000_000);
    pay(&served.client, 10_000_000).await.expect("the owner has no limit");
}

#[tokio::test]
async fn w1_what_is_tried_out_or_refused_costs_nothing() {
    let served = serve_with(SUPPLY).await;
    let client = client_of(&served, &limited("bot", Role::Owner, 200_000_000)).await;
    let dry = TransferRequest {
        to: payee(),
        amount_micros: Micros::new(7_000_000),
        memo: String::new(),
        dry_run: true,
    };
    client.transfer(&dry).await.expect("tried out");
    assert_eq!(spent(&served, "bot").await, 0);
    assert_eq!(
        refusal(pay(&client, 150_000_000).await),
        Some(Code::TransactionRejected),
        "more than there is"
    );
    assert_eq!(spent(&served, "bot").await, 0, "given back");
    let body = format!(r#"{{"to":"{}","amount_micros":3000000}}"#, payee().0);
    let secret =
        served.client.create_key(&limited("twice", Role::Owner, 3_000_000)).await.expect("a key").secret;
    for _ in 0..2 {
        let request =
            reqwest::Client::new().post(format!("http://{}{}", served.address, routes::WALLET_TRANSFER));
        let request = request.bearer_auth(&secret).header("content-type", "application/json");
        let answer =
            request.header(routes::IDEMPOTENCY_KEY, "x").body(body.clone()).send().await.expect("answer");
        assert!(answer.status().is_success(), "asked twice, paid and counted once");
    }
    assert_eq!(spent(&served, "twice").await, 3_000_000);
}

#[tokio::test]
async fn w1_many_at_a_time_spend_no_more_than_one_after_another() {
    let served = serve_with(SUPPLY).await;
    let client = client_of(&served, &limited("bot", Role::Owner, 5_000_000)).await;
    let paying = (0..20).map(|_| pay(&client, 1_000_000));
    let done = futures::future::join_all(paying).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 5, "{done:?}");
    assert_eq!(spent(&served, "bot").await, 5_000_000);
}

fn job(program: opensky_types::Hash, budget: Option<u64>) -> JobRequest {
    JobRequest { budget_micros: budget.map(Micros::new), ..crate::support::job(program, "x", "") }
}

#[tokio::test]
async fn w1_jobs_count_with_their_budget() {
    let served = serve_with(SUPPLY).await;
    let client = client_of(&served, &limited("ci", Role::Operator, 5_000_000)).await;
    let program = client.upload(b"program".to_vec()).await.expect("upload").hash;
    client.submit(job(program, Some(3_000_000))).await.expect("within");
    assert_eq!(spent(&served, "ci").await, 3_000_000);
    assert_eq!(refusal(client.submit(job(program, Some(3_000_000))).await.map(drop)), Some(Code::SpendLimit));
    assert_eq!(
        refusal(client.submit(job(program, None)).await.map(drop)),
        Some(Code::SpendLimit),
        "without end"
    );
    let missing = opensky_types::Hash::of(b"missing");
    assert_eq!(refusal(client.submit(job(missing, Some(1))).await.map(drop)), Some(Code::BlobNotFound));
    assert_eq!(spent(&served, "ci").await, 3_000_000, "what did not start costs nothing");
    let free = serve().await;
    let client = client_of(&free, &limited("ci", Role::Operator, 0)).await;
    let program = client.upload(b"program".to_vec()).await.expect("upload").hash;
    client.submit(job(program, None)).await.expect("nothing costs anything in a sky without prices");
}

#[tokio::test]
async fn w1_a_key_with_a_limit_finds_no_way_around_it() {
    let served = serve_with(SUPPLY).await;
    let client = client_of(&served, &limited("bot", Role::Owner, 1)).await;
    let unlimited = KeyRequest { name: "free".into(), role: Role::Owner, valid_ms: None, spend: None };
    assert_eq!(refusal(client.create_key(&unlimited).await.map(drop)), Some(Code::SpendLimit));
    let transfers = AutoTransfers { transfers: Vec::new() };
    assert_eq!(refusal(client.set_auto_transfers(&transfers).await.map(drop)), Some(Code::SpendLimit));
    let owner = OwnerRequest { owner: Some(payee()), dry_run: false };
    assert_eq!(refusal(client.set_owner(&owner).await.map(drop)), Some(Code::SpendLimit));
    let wallet = opensky_client::api::key::WalletLoginRequest {
        address: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".into(),
        role: Role::Owner,
    };
    assert_eq!(refusal(client.add_wallet_login(&wallet).await.map(drop)), Some(Code::SpendLimit));
    let query = reqwest::Client::new().post(format!("http://{}{}", served.address, routes::GRAPHQL));
    let secret = served.client.create_key(&limited("gql", Role::Owner, 1)).await.expect("a key").secret;
    let document =
        format!("mutation {{ transfer(input: {{ to: \"{}\", amount_micros: 2 }}) {{ id }} }}", payee().0);
    let query = query.bearer_auth(secret).header("content-type", "application/json");
    let answer =
        query.body(serde_json::json!({ "query": document }).to_string()).send().await.expect("answer");
    assert!(answer.text().await.expect("text").contains("\"spend-limit\""), "GraphQL is no way around it");
    // A key that comes after another of its name has nothing of it.
    served.client.revoke_key(&KeyQuery { name: "bot".into() }).await.expect("revoked");
    let anew = KeyRequest { name: "bot".into(), role: Role::Owner, valid_ms: None, spend: None };
    let anew = client_of(&served, &anew).await;
    pay(&anew, 2_000_000).await.expect("no limit");
}

/// What the node keeps of what keys may spend.
async fn kept(served: &Served) -> Option<Vec<u8>> {
    served.handle.kept("api-key-spending/1").await.expect("it can be read")
}

#[tokio::test]
async fn w1_limits_of_revoked_keys_are_kept_no_longer() {
    let served = serve().await;
    served.client.create_key(&limited("stays", Role::Viewer, 1)).await.expect("a key");
    let before = kept(&served).await;
    for _ in 0..3 {
        served.client.create_key(&limited("goes", Role::Viewer, 1)).await.expect("a key");
        assert_ne!(kept(&served).await, before);
        served.client.revoke_key(&KeyQuery { name: "goes".into() }).await.expect("revoked");
        assert_eq!(kept(&served).await, before, "nothing is left of it");
    }
}

#[tokio::test]
async fn w1_two_who_make_one_key_at_a_time_give_it_one_limit() {
    let served = serve().await;
    let free = |name: &str| KeyRequest { name: name.into(), role: Role::Viewer, valid_ms: None, spend: None };
    for round in 0..32 {
        let name = format!("key{round}");
        let (strict, free) = (limited(&name, Role::Viewer, 1), free(&name));
        let (one, other) = tokio::join!(served.client.create_key(&strict), served.client.create_key(&free));
        assert!(one.is_ok() != other.is_ok(), "one of them made it");
        let keys = served.client.keys().await.expect("keys").keys;
        let made = keys.iter().find(|key| key.name == name).expect("the key");
        assert_eq!(made.spend.is_some(), one.is_ok(), "with the limit that its maker gave it");
    }
}

#[tokio::test]
async fn w1_a_node_that_kept_limits_of_keys_that_are_gone_starts() {
    let served = serve().await;
    let mut limits = 200_u32.to_le_bytes().to_vec();
    for number in 0..200 {
        let name = format!("{number:0>64}");
        limits.extend((name.len() as u32).to_le_bytes());
        limits.extend(name.as_bytes());
        limits.extend([0; 25]);
    }
    served.handle.keep("api-key-spending/1", limits).await.expect("kept");
    let later = serve_node(served.handle.clone()).await;
    later.client.status().await.expect("it is served");
}
