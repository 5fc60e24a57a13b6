//! Components that answer HTTP: reached, resting, woken, and stopped at their limits.

use crate::support::{HEALTHY, Setup};
use async_trait::async_trait;
use opensky_ports::{ByteStream, Instance, InstanceEnd, Outlet, ServiceEngine, ServiceRun};
use opensky_types::{
    NodeId, ServiceId,
    job::Program,
    place::Level,
    service::{ReplicaId, ReplicaLimits, Secret, SecretValue},
    task::Failure,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{io, sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const HTTP: &str = include_str!("http.wat");
const PORT: u16 = 80;
/// Longest wait for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

struct NoOutlet;

#[async_trait]
impl Outlet for NoOutlet {
    async fn connect(&self, _: usize) -> io::Result<ByteStream> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

fn run(setup: &Setup, wasm: impl AsRef<[u8]>) -> ServiceRun {
    let program = Program { deterministic: false, ..setup.batch(Level::Vm, wasm).program };
    ServiceRun {
        replica: ReplicaId {
            service: ServiceId::of(&NodeId::from_public_key([1; 32]), "web"),
            slot: 0,
            generation: 1,
        },
        program,
        limits: ReplicaLimits { memory_bytes: 16 << 20, scratch_bytes: 0, cpu_cores: 1 },
        ports: vec![PORT],
        outlets: Vec::new(),
        secrets: Vec::new(),
        idle: None,
        volumes: Vec::new(),
        other_volumes: Vec::new(),
        begin: None,
        gpus: Vec::new(),
    }
}

async fn started(setup: &Setup, run: ServiceRun) -> Arc<dyn Instance> {
    let started = setup.executor.services().start(run, Arc::new(NoOutlet)).await;
    started.unwrap_or_else(|failure| panic!("it does not start: {failure}"))
}

async fn refused(setup: &Setup, run: ServiceRun) -> Failure {
    let started = setup.executor.services().start(run, Arc::new(NoOutlet)).await;
    started.err().expect("it does not start")
}

/// The whole answer to a request on a connection of its own.
async fn get(instance: &dyn Instance, path: &str) -> String {
    let mut stream = instance.dial(PORT).await.expect("it is reached");
    let request = format!("GET {path} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("it ends").expect("it is read");
    String::from_utf8(answer).expect("text")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// The worker processes of a setup.
fn pids(setup: &Setup) -> Vec<Pid> {
    let mark = setup.dir().to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|process| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        let pid = process.file_name().to_str()?.parse().ok()?;
        if String::from_utf8_lossy(&line).contains(&mark) { Pid::from_raw(pid) } else { None }
    });
    pids.collect()
}

async fn until(mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.expect("it comes true");
}

#[tokio::test(flavor = "multi_thread")]
async fn c2_c10_a_component_answers_http() {
    let setup = Setup::new(1);
    let instance = started(&setup, run(&setup, HTTP)).await;
    let answer = get(instance.as_ref(), "/hello").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(body(&answer).contains("hello\n"), "{answer}");
    // Nothing of a request is left for the next one.
    for _ in 0..3 {
        assert!(body(&get(instance.as_ref(), "/count").await).contains('1'));
    }
    assert!(instance.dial(PORT + 1).await.is_err(), "it has one port");
    // Several requests on one connection.
    let mut stream = instance.dial(PORT).await.expect("it is reached");
    for _ in 0..3 {
        stream.write_all(b"GET /hello HTTP/1.1\r\nHost: web\r\n\r\n").await.expect("it is sent");
        let mut answer = Vec::new();
        while !answer.ends_with(b"0\r\n\r\n") {
            let byte = stream.read_u8().await.expect("it goes on");
            answer.push(byte);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    }
    drop(stream);
    // What it writes is its log.
    get(instance.as_ref(), "/log").await;
    until(|| instance.last_words(100) == b"hello\n").await;
    instance.stop(Duration::ZERO).await;
    assert_eq!(instance.ended().await, InstanceEnd::Exited(0));
    assert!(instance.dial(PORT).await.is_err(), "it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_a_component_rests_while_nobody_is_connected_and_wakes_for_the_next() {
    let setup = Setup::new(1);
    let mut run = run(&setup, HTTP);
    run.idle = Some(Duration::from_millis(200));
    let instance = started(&setup, run).await;
    assert!(get(instance.as_ref(), "/hello").await.contains("200 OK"));
    // The spare worker is all that is left.
    until(|| pids(&setup).len() == 1).await;
    assert!(get(instance.as_ref(), "/hello").await.contains("200 OK"), "it is there again");
    // Whoever is connected keeps it awake.
    let mut stream = instance.dial(PORT).await.expect("it is reached");
    until(|| pids(&setup).len() == 2).await;
    stream.write_all(b"GET /hello HTTP/1.0\r\n\r\n").await.expect("it is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it is read");
    assert!(answer.starts_with(b"HTTP/1.0 200"), "older clients name no host");
    instance.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j1_a_request_that_misbehaves_fails_alone() {
    let setup = Setup::new(1);
    let instance = started(&setup, run(&setup, HTTP)).await;
    let spinning = {
        let instance = instance.clone();
        tokio::spawn(async move { get(instance.as_ref(), "/spin").await })
    };
    // Others are answered meanwhile.
    for _ in 0..5 {
        assert!(get(instance.as_ref(), "/hello").await.contains("200 OK"));
    }
    assert!(spinning.await.expect("it ends").contains("500"), "its fuel ends");
    for path in ["/memory", "/trap", "/nothing"] {
        assert!(get(instance.as_ref(), path).await.starts_with("HTTP/1.1 500"), "{path}");
        assert!(get(instance.as_ref(), "/hello").await.contains("200 OK"), "after {path}");
    }
    until(|| {
        let words = String::from_utf8_lossy(&instance.last_words(usize::MAX)).into_owned();
        ["GET /spin: ", "fuel", "GET /memory: ", "memory", "GET /trap: ", "GET /nothing: "]
            .iter()
            .all(|word| words.contains(word))
    })
    .await;
    instance.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn j1_nonsense_on_a_connection_harms_nobody() {
    let setup = Setup::new(1);
    let instance = started(&setup, run(&setup, HTTP)).await;
    let long = vec![b'a'; 1 << 20];
    for bytes in [&b"\0\xff\0\xff"[..], b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n", &long] {
        let mut stream = instance.dial(PORT).await.expect("it is reached");
        // The other side may hang up before all is sent.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it ends");
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
        assert!(get(instance.as_ref(), "/hello").await.contains("200 OK"));
    }
    instance.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_a_component_has_its_variables_and_secrets() {
    let setup = Setup::new(1);
    let mut run = run(&setup, HTTP);
    let secret = Secret { name: "pw".into(), is_file: false, env: Some("PASSWORD".into()) };
    run.secrets = vec![(secret, SecretValue::new(b"open sesame".to_vec()))];
    let instance = started(&setup, run).await;
    assert!(body(&get(instance.as_ref(), "/env").await).contains("open sesame"));
    instance.stop(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn c10_what_answers_no_http_is_refused_with_a_reason() {
    let setup = Setup::new(1);
    for (wasm, word) in [(HEALTHY, "module"), ("(component)", "incoming-handler"), ("(no wasm)", "")] {
        let bytes = match wat::parse_str(wasm) {
            Ok(bytes) => bytes,
            Err(_) => wasm.as_bytes().to_vec(),
        };
        let mut run = run(&setup, HTTP);
        let blob = opensky_ports::BlobStore::put(&setup.blobs, &bytes).unwrap();
        (run.program.hash, run.program.size_bytes) = (blob.hash, blob.size_bytes);
        let failure = refused(&setup, run).await;
        assert!(
            matches!(&failure, Failure::InvalidProgram { message } if message.contains(word)),
            "{failure}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_a_worker_that_dies_ends_its_component_and_the_next_start_finds_another() {
    let setup = Setup::new(1);
    let instance = started(&setup, run(&setup, HTTP)).await;
    // Its own, and the one that waits.
    until(|| pids(&setup).len() == 2).await;
    for pid in pids(&setup) {
        kill_process(pid, Signal::KILL).expect("it is ended");
    }
    let end = tokio::time::timeout(PATIENCE, instance.ended()).await.expect("it ends");
    assert!(matches!(end, InstanceEnd::Failed(Failure::WorkerLost { .. })), "{end:?}");
    let again = started(&setup, run(&setup, HTTP)).await;
    assert!(get(again.as_ref(), "/hello").await.contains("200 OK"));
    again.stop(Duration::ZERO).await;
}

#[test]
fn the_example_component_is_made_of_its_text() {
    let text = include_str!("../../../../examples/services/hello-http.wat");
    let bytes = include_bytes!("../../../../examples/services/hello-http.wasm");
    assert_eq!(wat::parse_str(text).unwrap(), bytes);
}

/// Head and body of the answer to a request on a connection of its own.
async fn ask(instance: &dyn Instance, line: &str, headers: &str) -> (String, String) {
    let mut stream = instance.dial(PORT).await.expect("it is reached");
    let request = format!("{line} HTTP/1.1\r\nHost: site\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("it ends").expect("it is read");
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("it has a head");
    (head.to_lowercase(), body.to_owned())
}

#[tokio::test]
async fn c7_a_folder_of_files_is_a_service() {
    let large = "0123456789".repeat(30_000);
    let files = [
        ("index.html", "<h1>first</h1>"),
        ("about.html", "about"),
        ("docs/index.html", "docs"),
        ("docs/a \u{e4}.txt", "a name that is encoded"),
        ("large.txt", &large),
        ("empty.css", ""),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let component = opensky_site::component(&files.into()).unwrap();
    let setup = Setup::new(1);
    let site = started(&setup, run(&setup, component)).await;
    let site = site.as_ref();

    for (path, status, text) in [
        ("/", "200", "<h1>first</h1>"),
        ("/?x=%zz", "200", "<h1>first</h1>"),
        ("/about", "200", "about"),
        ("/docs/", "200", "docs"),
        ("/docs/a%20%C3%A4.txt", "200", "a name that is encoded"),
        ("/docs/a%20%c3%a4%2etxt", "200", "a name that is encoded"),
        ("/large.txt", "200", &large),
        ("/empty.css", "200", ""),
        ("/docs", "301", ""),
        ("/none", "404", "there is nothing here\n"),
        ("/../index.html", "404", "there is nothing here\n"),
        (&format!("/{}", "x".repeat(5_000)), "404", "there is nothing here\n"),
        ("/%", "400", "this is no path\n"),
        ("/%4", "400", "this is no path\n"),
        ("/%g0", "400", "this is no path\n"),
    ] {
        let (head, body) = ask(site, &format!("GET {path}"), "").await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{path}: {head}");
        assert_eq!(body, text, "{path}");
    }

    // Only what changed comes again.
    let (head, _) = ask(site, "GET /large.txt", "").await;
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("it has a tag").to_owned();
    let (head, body) = ask(site, "GET /large.txt", &format!("If-None-Match: \"x\", W/{tag}\r\n")).await;
    assert!(head.starts_with("http/1.1 304") && head.contains(&tag) && body.is_empty(), "{head}");
    let (head, body) = ask(site, "GET /large.txt", "If-None-Match: \"other\"\r\n").await;
    assert!(head.starts_with("http/1.1 200") && body == large, "{head}");

    let (head, body) = ask(site, "HEAD /large.txt", "").await;
    assert!(head.contains("content-length: 300000") && body.is_empty(), "{head}");
    let (head, _) = ask(site, "POST /", "Content-Length: 0\r\n").await;
    assert!(head.starts_with("http/1.1 405") && head.contains("allow: get, head"), "{head}");
}
