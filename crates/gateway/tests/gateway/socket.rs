//! Events and output over WebSockets: the same gate, the same content, and a cursor to go on from.

use crate::support::{Served, TOKEN, serve, serve_with};
use futures::{SinkExt, StreamExt};
use opensky_client::api::{
    key::{KeyQuery, KeyRequest, Role},
    routes,
};
use opensky_types::{JobId, Micros, TaskId};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderName, HeaderValue, Request, StatusCode},
        protocol::frame::coding::CloseCode,
    },
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn request(served: &Served, path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = format!("ws://{}{path}", served.address).into_client_request().expect("a request");
    for (name, value) in headers {
        let name: HeaderName = name.parse().expect("a name");
        request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a value"));
    }
    request
}

async fn open(served: &Served, path: &str) -> Socket {
    let bearer = format!("Bearer {TOKEN}");
    connect_async(request(served, path, &[("authorization", &bearer)])).await.expect("a socket").0
}

async fn refused(request: Request<()>) -> StatusCode {
    match connect_async(request).await {
        Err(Error::Http(answer)) => answer.status(),
        other => panic!("not refused: {other:?}"),
    }
}

/// The next message that is no ping.
async fn next(socket: &mut Socket) -> Message {
    loop {
        match socket.next().await.expect("a message").expect("a whole one") {
            Message::Ping(_) | Message::Pong(_) => {}
            message => return message,
        }
    }
}

async fn event(socket: &mut Socket) -> (u64, Value) {
    let message = next(socket).await;
    let event: Value = serde_json::from_str(message.to_text().expect("text")).expect("JSON");
    (event["id"].as_str().expect("an id").parse().expect("a number"), event["event"].clone())
}

async fn submitted(served: &Served, args: &str) -> JobId {
    let program = served.client.upload(b"program".to_vec()).await.expect("upload").hash;
    served.client.submit(crate::support::job(program, "x", args)).await.expect("a job").job
}

/// Every event until the stream says goodbye.
async fn all(socket: &mut Socket) -> (Vec<(u64, Value)>, CloseCode) {
    let mut events = Vec::new();
    loop {
        match next(socket).await {
            Message::Text(text) => {
                let event: Value = serde_json::from_str(&text).expect("JSON");
                let id = event["id"].as_str().expect("an id").parse().expect("a number");
                events.push((id, event["event"].clone()));
            }
            Message::Close(Some(frame)) => return (events, frame.code),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_job_is_followed_over_a_socket_and_goes_on_after_a_cursor() {
    let served = serve().await;
    let job = submitted(&served, "").await;
    let mut socket = open(&served, &routes::job_events(job)).await;
    let (events, code) = all(&mut socket).await;
    assert_eq!(code, CloseCode::Normal, "the job has ended");
    let last = events.last().expect("events");
    assert_eq!((&last.1["event"], &last.1["state"]), (&"job".into(), &"succeeded".into()));
    let notes = |events: &[(u64, Value)]| -> Vec<Value> {
        events.iter().filter(|(_, event)| event["event"] == "note").map(|(_, event)| event.clone()).collect()
    };
    let told = notes(&events);
    assert!(told.len() > 1, "{told:?}");

    let mut again = open(&served, &format!("{}?after=1", routes::job_events(job))).await;
    let (rest, _) = all(&mut again).await;
    assert_eq!(notes(&rest), told[1..], "what came before the cursor does not come again");
    let mut done = open(&served, &format!("{}?after={}", routes::job_events(job), last.0)).await;
    let (rest, _) = all(&mut done).await;
    assert!(notes(&rest).is_empty() && !rest.is_empty(), "where it stands is said all the same");
    let wrong = request(
        &served,
        &format!("{}?after=x", routes::job_events(job)),
        &[("authorization", &format!("Bearer {TOKEN}"))],
    );
    assert_eq!(refused(wrong).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn output_comes_over_a_socket_from_any_byte_on() {
    let served = serve().await;
    let job = submitted(&served, "").await;
    all(&mut open(&served, &routes::job_events(job)).await).await;
    let task = TaskId { stage: 0, index: 0 };
    let path = routes::task_log(job, task);
    let plain = reqwest::Client::new().get(format!("http://{}{path}", served.address));
    let plain = plain.bearer_auth(TOKEN).send().await.expect("answer").bytes().await.expect("bytes").to_vec();
    assert!(!plain.is_empty());
    for from in [0, 1, plain.len(), plain.len() + 9] {
        let mut socket = open(&served, &format!("{path}?after={from}")).await;
        let begins = from.min(plain.len());
        assert_eq!(next(&mut socket).await, Message::text(format!(r#"{{"from":{begins}}}"#)));
        let mut bytes = Vec::new();
        let code = loop {
            match next(&mut socket).await {
                Message::Binary(more) => bytes.extend_from_slice(&more),
                Message::Close(Some(frame)) => break frame.code,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((&bytes[..], code), (&plain[begins..], CloseCode::Normal), "from {from}");
    }
}

#[tokio::test]
async fn the_nodes_log_goes_on_where_a_reader_left_it() {
    let served = serve().await;
    let mut socket = open(&served, &format!("{}?lines=1", routes::LOGS)).await;
    assert_eq!(next(&mut socket).await, Message::text(r#"{"from":8}"#), "after one and two");
    assert_eq!(next(&mut socket).await, Message::binary(&b"three\n"[..]));
    let mut later = open(&served, &format!("{}?after=4", routes::LOGS)).await;
    assert_eq!(next(&mut later).await, Message::text(r#"{"from":4}"#));
    assert_eq!(next(&mut later).await, Message::binary(&b"two\nthree\n"[..]));
    let mut other = open(&served, &format!("{}?after=999", routes::LOGS)).await;
    assert_eq!(next(&mut other).await, Message::text(r#"{"from":0}"#), "it is another file now");
}

#[tokio::test]
async fn blocks_come_over_a_socket_and_a_head_that_is_known_does_not() {
    let served = serve_with(Micros::new(10_000_000)).await;
    let mut socket = open(&served, routes::LEDGER_EVENTS).await;
    let (height, head) = event(&mut socket).await;
    assert_eq!((&head["event"], &head["height"]), (&"head".into(), &height.into()));
    let mut later = open(&served, &format!("{}?after={height}", routes::LEDGER_EVENTS)).await;
    let to = opensky_types::Keypair::from_seed([9; 32]).id();
    let body = format!(r#"{{"to":"{to}","amount_micros":2000000}}"#);
    let pay = reqwest::Client::new().post(format!("http://{}{}", served.address, routes::WALLET_TRANSFER));
    let paid = pay.bearer_auth(TOKEN).header("content-type", "application/json").body(body).send().await;
    assert!(paid.expect("answer").status().is_success());
    let (next, block) = event(&mut socket).await;
    assert!(next > height && block["event"] == "block", "{block}");
    // Where the block comes before the second socket listens, it is the head, which is news then.
    let (next, news) = event(&mut later).await;
    assert!(next > height, "the head that the cursor names was not told again: {news}");
}

#[tokio::test]
async fn w3_another_page_opens_no_socket_with_a_session() {
    let served = serve().await;
    let cookie = crate::support::session(&served).await;
    let own = format!("http://{}", served.address);
    let path = routes::LEDGER_EVENTS;
    for origin in
        ["http://evil.example", "http://127.0.0.1:1", "null", &format!("https://{}.evil", served.address)]
    {
        let asked = request(&served, path, &[("cookie", &cookie), ("origin", origin)]);
        assert_eq!(refused(asked).await, StatusCode::FORBIDDEN, "{origin}");
    }
    let foreign = request(&served, path, &[("cookie", &cookie), ("origin", &own), ("host", "evil.example")]);
    assert_eq!(refused(foreign).await, StatusCode::FORBIDDEN);
    let asked = request(&served, path, &[("cookie", &cookie), ("origin", &own)]);
    assert!(connect_async(asked).await.is_ok(), "the node's own page does");
}

#[tokio::test]
async fn w1_a_socket_needs_what_its_route_needs() {
    let served = serve().await;
    assert_eq!(refused(request(&served, routes::LEDGER_EVENTS, &[])).await, StatusCode::UNAUTHORIZED);
    let key = KeyRequest { name: "reader".into(), role: Role::Viewer, valid_ms: None, spend: None };
    let secret = format!("Bearer {}", served.client.create_key(&key).await.expect("key").secret);
    let with_key = || request(&served, routes::LEDGER_EVENTS, &[("authorization", &secret)]);
    assert!(connect_async(with_key()).await.is_ok());
    let none = request(&served, &routes::job_events(missing_job()), &[("authorization", &secret)]);
    assert_eq!(refused(none).await, StatusCode::NOT_FOUND);
    served.client.revoke_key(&KeyQuery { name: "reader".into() }).await.expect("revoked");
    assert_eq!(refused(with_key()).await, StatusCode::UNAUTHORIZED);
}

fn missing_job() -> JobId {
    "0123456789abcdef".parse().expect("an id")
}

#[tokio::test]
async fn w5_a_reader_that_sends_much_is_cut_off() {
    let served = serve().await;
    let mut socket = open(&served, routes::LEDGER_EVENTS).await;
    event(&mut socket).await;
    // The line may break before all is sent.
    let _ = socket.send(Message::binary(vec![0; 1 << 20])).await;
    while let Some(Ok(message)) = socket.next().await {
        assert!(!message.is_text(), "nothing is told any more");
    }
    served.client.status().await.expect("the node lives");
}

#[tokio::test]
async fn a_stopping_node_says_goodbye() {
    let served = serve().await;
    let mut socket = open(&served, routes::LEDGER_EVENTS).await;
    event(&mut socket).await;
    served.stop.cancel();
    match next(&mut socket).await {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Away),
        other => panic!("{other:?}"),
    }
    served.server.await.expect("no panic").expect("no error");
}
