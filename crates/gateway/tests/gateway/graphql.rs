//! GraphQL: what REST can do, with what REST checks.

use crate::support::{Served, TOKEN, serve, serve_with};
use futures::{SinkExt, StreamExt};
use opensky_client::api::{
    key::{KeyQuery, KeyRequest, Role},
    routes,
    session::OpenSessionQuery,
};
use opensky_types::Micros;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::path::PathBuf;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

fn post(served: &Served, secret: &str, body: &Value) -> RequestBuilder {
    let request = reqwest::Client::new().post(format!("http://{}{}", served.address, routes::GRAPHQL));
    request.bearer_auth(secret).header("content-type", "application/json").body(body.to_string())
}

async fn answer(request: RequestBuilder) -> Value {
    let answer = request.send().await.expect("answer");
    serde_json::from_slice(&answer.bytes().await.expect("body")).expect("JSON")
}

async fn ask(served: &Served, query: &str, variables: Value) -> Value {
    answer(post(served, TOKEN, &json!({ "query": query, "variables": variables }))).await
}

async fn key(served: &Served, name: &str, role: Role) -> String {
    let request = KeyRequest { name: name.into(), role, valid_ms: None, spend: None };
    served.client.create_key(&request).await.expect("key").secret
}

fn error_code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {answer}"))
}

/// A change here is a change of the API: think of clients that exist. `UPDATE_GOLDEN=1` writes it anew.
#[test]
fn the_published_schema_is_the_codes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema.graphql");
    let made = opensky_gateway::graphql_schema();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &made).expect("written");
    }
    let published = std::fs::read_to_string(&path).expect("docs/schema.graphql");
    assert!(
        published == made,
        "docs/schema.graphql is not what the code says: UPDATE_GOLDEN=1 if it is meant"
    );
}

#[tokio::test]
async fn a_job_is_submitted_and_read_with_its_runs_in_one_request() {
    let served = serve().await;
    let program = served.client.upload(b"program".to_vec()).await.expect("upload").hash;
    let mut request = serde_json::to_value(crate::support::job(program, "g", "")).expect("JSON");
    request["stages"][0]["constraints"] = json!({ "arch": Value::Null });
    let submitted = ask(
        &served,
        "mutation ($input: JobRequest!) { submit(input: $input) { job tasks } }",
        json!({ "input": request }),
    )
    .await;
    let job = submitted["data"]["submit"]["job"].as_str().unwrap_or_else(|| panic!("{submitted}")).to_owned();
    served.client.wait(job.parse().expect("an id")).await.expect("it ends");
    let read = "query ($job: JobId!) {
        job(job: $job) { name state runs(limit: 5) { runs { task verdict proof { provider } } } notes { notes { kind } } }
        jobs(limit: 3) { jobs { job detail { stages { name level } } } }
    }";
    let read = ask(&served, read, json!({ "job": job })).await;
    assert!(read.get("errors").is_none() || read["data"]["job"].is_object(), "{read}");
    let found = &read["data"]["job"];
    assert_eq!((&found["name"], &found["state"]), (&json!("g"), &json!("succeeded")));
    assert_eq!(found["runs"]["runs"][0]["verdict"], "accepted", "{read}");
    assert!(found["notes"]["notes"].as_array().is_some_and(|notes| !notes.is_empty()));
    assert_eq!(read["data"]["jobs"]["jobs"][0]["detail"]["stages"][0]["level"], "vm");
}

#[tokio::test]
async fn w1_each_field_needs_what_its_route_needs() {
    let served = serve().await;
    let viewer = key(&served, "viewer", Role::Viewer).await;
    let read =
        answer(post(&served, &viewer, &json!({ "query": "{ status { name } keys { keys { name } } }" })))
            .await;
    assert_eq!(read["data"], json!({ "status": { "name": "tester" }, "keys": null }), "others are answered");
    assert_eq!((error_code(&read), &read["errors"][0]["path"]), ("not-allowed", &json!(["keys"])));
    let stop = answer(post(&served, &viewer, &json!({ "query": "mutation { stop }" }))).await;
    assert_eq!((error_code(&stop), &stop["data"]["stop"]), ("not-allowed", &Value::Null));
    served.client.status().await.expect("it was not stopped");
    let operator = key(&served, "operator", Role::Operator).await;
    let pay = json!({ "query": "mutation { transfer(input: { to: \"x\", amount_micros: 1 }) { id } }" });
    assert_eq!(error_code(&answer(post(&served, &operator, &pay)).await), "not-allowed");
    let nobody = answer(post(&served, "wrong", &json!({ "query": "{ __typename }" }))).await;
    assert_eq!(nobody["code"], "unauthorized");
}

#[tokio::test]
async fn a_transfer_with_a_key_is_paid_once_and_two_fields_are_two_transfers() {
    let served = serve_with(Micros::new(10_000_000)).await;
    let to = opensky_types::Keypair::from_seed([9; 32]).id().to_string();
    let document = "mutation ($to: Payee!) {
        one: transfer(input: { to: $to, amount_micros: 2000000 }) { id }
        two: transfer(input: { to: $to, amount_micros: 2000000 }) { id }
    }";
    let body = json!({ "query": document, "variables": { "to": to } });
    let paid = answer(post(&served, TOKEN, &body).header(routes::IDEMPOTENCY_KEY, "pay")).await;
    let again = answer(post(&served, TOKEN, &body).header(routes::IDEMPOTENCY_KEY, "pay")).await;
    assert_eq!(paid, again, "the same answers");
    assert!(paid["data"]["one"]["id"].is_string(), "{paid}");
    assert_ne!(paid["data"]["one"]["id"], paid["data"]["two"]["id"]);
    let bad =
        ask(&served, "mutation { transfer(input: { to: \"x\", amount_micros: 1 }) { id } }", json!({})).await;
    assert_eq!(error_code(&bad), "invalid-request");
}

#[tokio::test]
async fn w5_costly_documents_are_refused_before_anything_is_done() {
    let served = serve().await;
    for (document, code) in [
        (
            format!("{{ {} }}", (0..21).map(|n| format!("a{n}: status {{ name }} ")).collect::<String>()),
            "too-large",
        ),
        (format!("{{ status {{ {} }} }}", "name ".repeat(1_001)), "too-large"),
        ("{ a".repeat(5_000), "invalid-request"),
        ("{ ...f } fragment f on Query { ...f }".to_owned(), "invalid-request"),
    ] {
        let refused = ask(&served, &document, json!({})).await;
        assert!(refused.get("data").is_none(), "{refused}");
        assert_eq!(error_code(&refused), code);
    }
    let batch = post(&served, TOKEN, &json!([{ "query": "{ __typename }" }])).send().await.expect("answer");
    assert_eq!(batch.status(), StatusCode::BAD_REQUEST);
    let mutation = format!("http://{}{}?query=mutation%7Bstop%7D", served.address, routes::GRAPHQL);
    let by_link = answer(reqwest::Client::new().get(mutation).bearer_auth(TOKEN)).await;
    assert!(by_link["errors"][0]["message"].as_str().is_some_and(|text| text.contains("POST")), "{by_link}");
    served.client.status().await.expect("a link stops no node");
}

#[tokio::test]
async fn w5_a_list_of_links_asks_a_bounded_number_of_routes() {
    let served = serve().await;
    let program = served.client.upload(b"program".to_vec()).await.expect("upload").hash;
    for number in 0..60 {
        let job = crate::support::job(program, &number.to_string(), "");
        served.client.submit(job).await.expect("a job");
    }
    let read =
        ask(&served, "{ jobs(limit: 60) { jobs { runs { next } notes { notes { kind } } } } }", json!({}))
            .await;
    let errors = read["errors"].as_array().expect("errors");
    assert!(errors.iter().all(|error| error["extensions"]["code"] == "too-large"), "{errors:?}");
    assert_eq!(errors.len(), 21, "a hundred calls were made: that of the list, and 99 of 120");
}

#[tokio::test]
async fn a_query_is_sent_once_and_named_by_its_hash() {
    let served = serve().await;
    let query = "{ status { name } }";
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(query));
    let named = json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } });
    let missing = answer(post(&served, TOKEN, &named)).await;
    assert_eq!(missing["errors"][0]["message"], "PersistedQueryNotFound");
    let mut whole = named.clone();
    whole["query"] = query.into();
    assert_eq!(answer(post(&served, TOKEN, &whole)).await["data"]["status"]["name"], "tester");
    assert_eq!(answer(post(&served, TOKEN, &named)).await["data"]["status"]["name"], "tester");
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(served: &Served, secret: &str) -> Socket {
    open_as(served, "authorization", &format!("Bearer {secret}")).await
}

async fn open_as(served: &Served, header: &'static str, value: &str) -> Socket {
    let mut request =
        format!("ws://{}{}", served.address, routes::GRAPHQL).into_client_request().expect("a request");
    let headers = request.headers_mut();
    headers.insert(header, HeaderValue::from_str(value).expect("a value"));
    headers.insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    connect_async(request).await.expect("a socket").0
}

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.expect("sent");
}

async fn hear(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.expect("a message").expect("a whole one") {
            Message::Text(text) => {
                let heard: Value = serde_json::from_str(&text).expect("JSON");
                if heard["type"] != "ping" {
                    return heard;
                }
            }
            Message::Close(frame) => return json!(frame.map(|frame| u16::from(frame.code))),
            _ => {}
        }
    }
}

fn subscribe(id: &str, query: &str) -> Value {
    json!({ "id": id, "type": "subscribe", "payload": { "query": query } })
}

async fn begun(served: &Served, secret: &str) -> Socket {
    let mut socket = open(served, secret).await;
    begin(&mut socket).await;
    socket
}

async fn begin(socket: &mut Socket) {
    say(socket, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(socket).await, json!({ "type": "connection_ack" }));
}

#[tokio::test]
async fn a_job_is_subscribed_to_until_it_ends() {
    let served = serve().await;
    let program = served.client.upload(b"program".to_vec()).await.expect("upload").hash;
    let job = served.client.submit(crate::support::job(program, "s", "")).await.expect("a job").job;
    let mut socket = begun(&served, TOKEN).await;
    let document = format!("subscription {{ jobEvents(job: \"{job}\") {{ event state cursor kind }} }}");
    say(&mut socket, subscribe("1", &document)).await;
    let mut events = Vec::new();
    loop {
        let heard = hear(&mut socket).await;
        assert_eq!(heard["id"], "1", "{heard}");
        if heard["type"] == "complete" {
            break;
        }
        events.push(heard["payload"]["data"]["jobEvents"].clone());
    }
    let last = events.last().expect("events");
    assert_eq!((&last["event"], &last["state"]), (&json!("job"), &json!("succeeded")), "{events:?}");
    let notes = |events: &[Value]| events.iter().filter(|event| event["event"] == "note").count();
    assert!(notes(&events) > 1);
    let cursor = last["cursor"].as_str().expect("a cursor");
    let document = format!("subscription {{ jobEvents(job: \"{job}\", after: \"{cursor}\") {{ event }} }}");
    say(&mut socket, subscribe("2", &document)).await;
    let mut rest = Vec::new();
    while let heard @ Value::Object(_) = hear(&mut socket).await {
        if heard["type"] == "complete" {
            break;
        }
        rest.push(heard["payload"]["data"]["jobEvents"].clone());
    }
    assert!(notes(&rest) == 0 && !rest.is_empty(), "nothing comes twice: {rest:?}");
    say(&mut socket, subscribe("3", "{ status { name } }")).await;
    assert_eq!(hear(&mut socket).await["payload"]["data"]["status"]["name"], "tester", "queries too");
}

#[tokio::test]
async fn w5_a_socket_has_its_protocol_and_its_limits() {
    let served = serve().await;
    let mut early = open(&served, TOKEN).await;
    say(&mut early, subscribe("1", "{ __typename }")).await;
    assert_eq!(hear(&mut early).await, 4401, "it did not begin");
    let mut twice = begun(&served, TOKEN).await;
    say(&mut twice, json!({ "type": "connection_init" })).await;
    assert_eq!(hear(&mut twice).await, 4429);
    let mut garbage = begun(&served, TOKEN).await;
    say(&mut garbage, json!({ "type": "nothing" })).await;
    assert_eq!(hear(&mut garbage).await, 4400);
    let mut same = begun(&served, TOKEN).await;
    for _ in 0..2 {
        say(&mut same, subscribe("1", "subscription { ledgerEvents { event } }")).await;
    }
    let heard = [hear(&mut same).await, hear(&mut same).await];
    assert!(heard.contains(&json!(4409)), "{heard:?}");
    let mut many = begun(&served, TOKEN).await;
    for number in 0..=32 {
        say(&mut many, subscribe(&number.to_string(), "subscription { ledgerEvents { event } }")).await;
    }
    while let Value::Object(heard) = hear(&mut many).await {
        assert_eq!(heard["type"], "next");
    }
    let mut costly = begun(&served, TOKEN).await;
    say(&mut costly, subscribe("1", &format!("{{ status {{ {} }} }}", "name ".repeat(1_001)))).await;
    let heard = hear(&mut costly).await;
    assert_eq!(
        (&heard["type"], &heard["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("too-large"))
    );
}

#[tokio::test]
async fn w3_another_page_opens_no_graphql_socket() {
    let served = serve().await;
    let cookie = crate::support::session(&served).await;
    for (origin, is_own) in
        [("http://evil.example".to_owned(), false), (format!("http://{}", served.address), true)]
    {
        let mut request =
            format!("ws://{}{}", served.address, routes::GRAPHQL).into_client_request().expect("one");
        let headers = request.headers_mut();
        headers.insert("cookie", HeaderValue::from_str(&cookie).expect("a value"));
        headers.insert("origin", HeaderValue::from_str(&origin).expect("a value"));
        headers.insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        assert_eq!(connect_async(request).await.is_ok(), is_own, "{origin}");
    }
    let plain = reqwest::Client::new().post(format!("http://{}{}", served.address, routes::GRAPHQL));
    let plain = plain.header("cookie", cookie).header("content-type", "application/json");
    let forged = plain.body(r#"{"query":"mutation { stop }"}"#).send().await.expect("answer");
    assert_eq!(forged.status(), StatusCode::FORBIDDEN, "a form of another page has no such header");
}

/// A socket whose caller was let in and is nobody now ends at the next thing that is asked of it.
async fn refused_on(mut socket: Socket, id: &str) {
    say(&mut socket, subscribe(id, "mutation { stop }")).await;
    assert_eq!(hear(&mut socket).await, 4403);
}

#[tokio::test]
async fn w1_a_revoked_key_does_nothing_through_a_socket_that_is_open() {
    let served = serve().await;
    let secret = key(&served, "owner", Role::Owner).await;
    let mut socket = begun(&served, &secret).await;
    say(&mut socket, subscribe("1", "{ status { name } }")).await;
    assert_eq!(hear(&mut socket).await["payload"]["data"]["status"]["name"], "tester");
    assert_eq!(hear(&mut socket).await["type"], "complete");
    served.client.revoke_key(&KeyQuery { name: "owner".into() }).await.expect("revoked");
    key(&served, "owner", Role::Owner).await;
    refused_on(socket, "2").await;
    served.client.status().await.expect("it was not stopped");
}

#[tokio::test]
async fn w3_a_session_that_ended_does_nothing_through_a_socket_that_is_open() {
    let served = serve().await;
    let cookie = crate::support::session(&served).await;
    let mut socket = open_as(&served, "cookie", &cookie).await;
    begin(&mut socket).await;
    say(&mut socket, subscribe("1", "{ status { name } }")).await;
    assert_eq!(hear(&mut socket).await["payload"]["data"]["status"]["name"], "tester");
    assert_eq!(hear(&mut socket).await["type"], "complete");
    let open = served.client.sessions().await.expect("sessions").sessions;
    served.client.end_session(&OpenSessionQuery { id: open[0].id.clone() }).await.expect("ended");
    refused_on(socket, "2").await;
    served.client.status().await.expect("it was not stopped");
}

#[tokio::test]
async fn w5_documents_on_a_socket_count_like_requests() {
    let served = serve().await;
    let secret = key(&served, "greedy", Role::Viewer).await;
    let mut socket = begun(&served, &secret).await;
    let mut codes = Vec::new();
    // Sixteen at a time: as many may run at once, and each answer alone waits for the line.
    for batch in (0..4_000).collect::<Vec<u32>>().chunks(16) {
        for number in batch {
            say(&mut socket, subscribe(&number.to_string(), "{ __typename }")).await;
        }
        let mut over = 0;
        while over < batch.len() {
            let heard = hear(&mut socket).await;
            over += usize::from(heard["type"] != "next");
            codes.extend(heard["payload"][0]["extensions"]["code"].as_str().map(str::to_owned));
        }
        if !codes.is_empty() {
            break;
        }
    }
    assert_eq!(codes.first().map(String::as_str), Some("rate-limited"), "though they ask no route");
}

#[tokio::test]
async fn w5_an_answer_that_grows_without_end_is_cut_off() {
    let served = serve().await;
    // Few enough fields and aliases, each written out for every field of every type.
    let kind = "kind name description ofType { kind name description ofType { kind name description } }";
    let field = format!(
        "name description isDeprecated deprecationReason args {{ name description }} type {{ {kind} }}"
    );
    let fields: String = (0..45).map(|number| format!("a{number}: fields {{ {field} }} ")).collect();
    let bomb = format!("{{ __schema {{ types {{ {fields} }} }} }}");
    let over = ask(&served, &bomb, json!({})).await;
    assert_eq!((error_code(&over), over.get("data")), ("too-large", None));
    let mut socket = begun(&served, TOKEN).await;
    say(&mut socket, subscribe("1", &bomb)).await;
    let heard = hear(&mut socket).await;
    assert_eq!(heard["payload"][0]["extensions"]["code"], "too-large", "{}", heard["type"]);
    served.client.status().await.expect("others are served");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_graphql() {
    let served = serve().await;
    let cookie = crate::support::session(&served).await;
    let listed = ask(&served, "{ sessions { sessions { id role is_own } } }", json!({})).await;
    let session = &listed["data"]["sessions"]["sessions"][0];
    assert_eq!((&session["role"], &session["is_own"]), (&json!("owner"), &json!(false)), "{listed}");
    let own = reqwest::Client::new().post(format!("http://{}{}", served.address, routes::GRAPHQL));
    let own =
        own.header("cookie", cookie).header("x-opensky-csrf", "1").header("content-type", "application/json");
    let own = answer(own.body(json!({ "query": "{ sessions { sessions { is_own } } }" }).to_string())).await;
    assert_eq!(own["data"]["sessions"]["sessions"][0]["is_own"], true, "{own}");
    let ending = "mutation End($id: String!) { endSession(id: $id) { sessions { id } } }";
    let ended = ask(&served, ending, json!({ "id": session["id"] })).await;
    assert_eq!(ended["data"]["endSession"]["sessions"], json!([]), "{ended}");
}
