//! The client against a small fake of a node's API.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use opensky_client::{
    Client, ClientError, Overrides,
    api::{
        Code, Problem,
        content::BlobRef,
        event::JobEvent,
        job::{InputsRequest, JobRequest, ListOf},
        progress::{StateView, Submitted},
        routes,
    },
};
use opensky_types::{Hash, JobId};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

const TOKEN: &str = "secret-token";

#[derive(Default)]
struct Fake {
    blobs: BTreeMap<Hash, Vec<u8>>,
    job: Option<JobRequest>,
    /// `Last-Event-ID` of each connection to the events.
    connections: Vec<Option<String>>,
}

type Shared = Arc<Mutex<Fake>>;

fn authorised(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|value| value == &format!("Bearer {TOKEN}"))
}

fn problem(code: Code) -> Response {
    let problem = Problem::new(code, "the fake says so").with_next("try something else");
    (StatusCode::from_u16(code.status()).unwrap(), Json(problem)).into_response()
}

async fn upload(State(fake): State<Shared>, headers: HeaderMap, bytes: Bytes) -> Response {
    if !authorised(&headers) {
        return problem(Code::Unauthorized);
    }
    let blob = BlobRef { hash: Hash::of(&bytes), size_bytes: bytes.len() as u64 };
    fake.lock().unwrap().blobs.insert(blob.hash, bytes.to_vec());
    Json(blob).into_response()
}

async fn download(State(fake): State<Shared>, Path(hash): Path<Hash>) -> Response {
    match fake.lock().unwrap().blobs.get(&hash) {
        Some(bytes) => bytes.clone().into_response(),
        None => problem(Code::BlobNotFound),
    }
}

async fn submit(State(fake): State<Shared>, Json(job): Json<JobRequest>) -> Response {
    fake.lock().unwrap().job = Some(job);
    (StatusCode::CREATED, Json(Submitted { job: JobId::from_bytes([7; 10]), tasks: 3 })).into_response()
}

/// The first connection breaks off inside an event; the second one goes on.
async fn events(State(fake): State<Shared>, headers: HeaderMap) -> Response {
    let mut fake = fake.lock().unwrap();
    let last = headers.get("last-event-id").map(|id| id.to_str().unwrap().to_owned());
    fake.connections.push(last);
    let text = match fake.connections.len() {
        1 => {
            "id: 1\nevent: progress\ndata: {\"event\":\"progress\",\"stages\":[]}\n\nid: 2\ndata: {\"event\":"
        }
        _ => {
            "id: 2\nevent: job\ndata: {\"event\":\"job\",\"state\":\"succeeded\",\"at\":5,\"reason\":\"\"}\n\n"
        }
    };
    ([(header::CONTENT_TYPE, "text/event-stream")], text).into_response()
}

async fn start() -> (Client, Shared) {
    let fake = Shared::default();
    let router = Router::new()
        .route(routes::BLOBS, post(upload).layer(DefaultBodyLimit::disable()))
        .route(routes::BLOB, get(download))
        .route(routes::JOBS, post(submit))
        .route(routes::JOB_EVENTS, get(events))
        .with_state(fake.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (Client::new(&address, TOKEN), fake)
}

#[tokio::test]
async fn content_goes_up_and_comes_down() {
    let (client, _) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| n as u8).collect();
    std::fs::write(&path, &bytes).unwrap();
    let blob = client.upload_file(&path).await.unwrap();
    assert_eq!(blob, BlobRef { hash: Hash::of(&bytes), size_bytes: bytes.len() as u64 });
    assert_eq!(client.blob(blob.hash).await.unwrap(), bytes);
}

#[tokio::test]
async fn problems_come_through() {
    let (client, _) = start().await;
    let missing = client.blob(Hash::of(b"nothing")).await.unwrap_err();
    assert!(
        matches!(&missing, ClientError::Problem(problem) if problem.code == Code::BlobNotFound),
        "{missing:?}"
    );
    let stranger = Client::new(client.address(), "wrong");
    let refused = stranger.upload(vec![1]).await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::Problem(problem) if problem.code == Code::Unauthorized),
        "{refused:?}"
    );
    assert!(!format!("{client:?}").contains(TOKEN), "the token is never shown");
}

#[tokio::test]
async fn events_go_on_after_a_broken_connection() {
    let (client, fake) = start().await;
    let mut events = client.events(JobId::from_bytes([7; 10]));
    assert!(matches!(events.next().await.unwrap(), Some(JobEvent::Progress { .. })));
    assert!(matches!(events.next().await.unwrap(), Some(JobEvent::Job { state: StateView::Succeeded, .. })));
    assert!(events.next().await.unwrap().is_none());
    assert_eq!(fake.lock().unwrap().connections, [None, Some("1".into())]);
}

#[tokio::test]
async fn a_job_file_and_its_files_become_a_job() {
    let (client, fake) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("p.wasm", "program");
    write("b.txt", "bb");
    write("a.txt", "a");
    write("lines.txt", &"line\n".repeat(5_000));
    write(
        "job.toml",
        r#"
        name = "words"
        [[stage]]
        name = "files"
        program = "p.wasm"
        files = ["*.txt"]
        output = "out/"
        [[stage]]
        name = "lines"
        program = "p.wasm"
        lines = { file = "lines.txt", per_task = 2 }
        "#,
    );
    let job = client.submit_file(&folder.path().join("job.toml"), &Overrides::default()).await.unwrap();
    assert_eq!((job.name.as_str(), job.tasks, job.outputs.len()), ("words", 3, 1));
    assert!(job.outputs[0].folder);

    let fake = fake.lock().unwrap();
    let request = fake.job.clone().unwrap();
    let InputsRequest::Blobs { blobs: ListOf::Inline(blobs) } = &request.stages[0].inputs else { panic!() };
    let names: Vec<&str> = blobs.iter().map(|blob| blob.name.as_str()).collect();
    assert_eq!(names, ["a.txt", "b.txt", "lines.txt"]);
    let InputsRequest::Slices { cuts: ListOf::Uploaded(list), .. } = &request.stages[1].inputs else {
        panic!()
    };
    assert!(fake.blobs.contains_key(&list.hash), "a long list is uploaded before the job");
    let spec = request.into_spec(0, &fake.blobs).unwrap();
    assert_eq!(spec.task_counts(), [3, 2_500]);
}

#[tokio::test]
async fn a_missing_file_is_shown_where_it_is_named() {
    let (client, _) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.toml");
    std::fs::write(&path, "name = \"x\"\n[[stage]]\nname = \"s\"\nprogram = \"gone.wasm\"\n").unwrap();
    let error = client.submit_file(&path, &Overrides::default()).await.unwrap_err().to_string();
    assert!(error.contains("job.toml:4:11: cannot read the program"), "{error}");
}

/// It would carry the token to wherever the answer says, in clear too.
#[tokio::test]
async fn k1_a_redirect_is_not_followed() {
    let asked = Arc::new(Mutex::new(0));
    let counted = asked.clone();
    let elsewhere = get(move || {
        *counted.lock().unwrap() += 1;
        async { StatusCode::OK }
    });
    let moved = get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]) });
    let router = Router::new().route(routes::STATUS, moved).route("/elsewhere", elsewhere);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(&listener.local_addr().unwrap().to_string(), TOKEN);
    tokio::spawn(async move { axum::serve(listener, router).await });
    client.status().await.expect_err("no answer");
    assert_eq!(*asked.lock().unwrap(), 0);
}

#[tokio::test]
async fn without_a_node_the_message_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = Client::from_data_dir(folder.path()).unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }));
    let closed = Client::new("127.0.0.1:1", TOKEN);
    assert!(matches!(closed.status().await, Err(ClientError::Unreachable { .. })));
}
