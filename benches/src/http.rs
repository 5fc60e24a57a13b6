//! Requests over HTTP: to a component that runs as a service, and to a node's API; each beside a peer that
//! answers the same under the same load.

mod load;

use crate::{
    idle::{self, Node},
    spread::Spread,
};
use anyhow::{Context, Result, ensure};
use load::{Asked, ask_once, load};
use opensky_client::api::{
    routes,
    service::{OpenPortRequest, ServiceRequest, ServiceStateView},
};
use opensky_types::service::ServiceRef;
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{process::Command, time::sleep};

/// The component that answers with one line.
const COMPONENT: &str = "examples/services/hello-http.wasm";
/// What it says.
const LINE: &[u8] = b"hello from OpenSky\n";
/// How long anything may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rests after which the component is woken.
const WAKES: usize = 30;
/// After how long without a connection it rests.
const IDLE_MS: u64 = 500;

/// The load.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Load {
    /// Connections, each with one request at a time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Requests in all. The API lets its owner's programs ask 50,000 times at once.
    #[arg(long, default_value_t = 40_000)]
    requests: usize,
}

/// A component as a service of a sky of one node: how fast it wakes, and requests a second.
pub async fn component(program: Option<PathBuf>, wanted: Load) -> Result<()> {
    let (node, _folder) = node(program).await?;
    let image = node.client.upload_file(Path::new(COMPONENT)).await?;
    let request = serde_json::json!({
        "name": "hello",
        "level": "vm",
        "image": image.hash,
        "image_size_bytes": image.size_bytes,
        "ports": [80],
        "idle_ms": IDLE_MS,
    });
    let request: ServiceRequest = serde_json::from_value(request)?;
    node.client.declare_service(&request).await?;
    let reference = ServiceRef { name: "hello".to_owned(), owner: None };
    let began = Instant::now();
    while node.client.service(&reference).await?.state != ServiceStateView::Healthy {
        ensure!(began.elapsed() < PATIENCE, "the service does not get healthy");
        sleep(Duration::from_millis(20)).await;
    }
    let open = OpenPortRequest { port: 80, listen: None };
    let address = node.client.open_service_port(&reference, &open).await?.listen;
    let asked = Asked { address, path: "/", token: None };
    let mut wakes = Vec::new();
    for _ in 0..WAKES {
        sleep(Duration::from_millis(2 * IDLE_MS)).await;
        let began = Instant::now();
        ensure!(ask_once(&asked).await? == LINE, "it says something else");
        wakes.push(began.elapsed());
    }
    println!("woken from rest   {}", Spread::of(wakes));
    report(load(&asked, wanted.connections, wanted.requests).await?);
    Ok(())
}

/// The same component behind `wasmtime serve`.
pub async fn wasmtime(program: &Path, wanted: Load) -> Result<()> {
    let address = free_address()?;
    let _peer = Command::new(program)
        .args(["serve", "--addr", &address.to_string(), COMPONENT])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let asked = Asked { address, path: "/", token: None };
    let first = until_answered(&asked).await?;
    ensure!(first == LINE, "it says something else");
    report(load(&asked, wanted.connections, wanted.requests).await?);
    Ok(())
}

/// The API of a node: what it is, with its token.
pub async fn api(program: Option<PathBuf>, wanted: Load) -> Result<()> {
    let (node, folder) = node(program).await?;
    let token = std::fs::read_to_string(folder.path().join(routes::TOKEN_FILE))?;
    let address = node.client.address().parse()?;
    let asked = Asked { address, path: routes::NODE, token: Some(token.trim().to_owned()) };
    println!("bytes of an answer {}", ask_once(&asked).await?.len());
    report(load(&asked, wanted.connections, wanted.requests).await?);
    Ok(())
}

/// Streams of events on which nothing happens: what a node needs for so many; the last line is MB.
pub async fn streams(program: Option<PathBuf>, streams: usize) -> Result<()> {
    let (node, folder) = node(program).await?;
    let token = std::fs::read_to_string(folder.path().join(routes::TOKEN_FILE))?;
    let address = node.client.address().parse()?;
    let asked = Asked { address, path: routes::LEDGER_EVENTS, token: Some(token.trim().to_owned()) };
    let before = node.memory_mb()?;
    let mut open = Vec::with_capacity(streams);
    for _ in 0..streams {
        open.push(load::open_stream(&asked).await?);
    }
    let after = node.memory_mb()?;
    println!("{before:.1} MB without any, {after:.1} MB with {}", open.len());
    println!("{:.2} KiB each", (after - before) * 1e6 / 1024.0 / streams as f64);
    println!("{:.1}", after - before);
    Ok(())
}

/// Axum with one route and nothing else, with an answer of the same kind and size.
pub async fn axum(wanted: Load, answer_bytes: usize) -> Result<()> {
    let answer = serde_json::json!({ "text": "x".repeat(answer_bytes) });
    let route = axum::routing::get(move || std::future::ready(axum::Json(answer.clone())));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let asked = Asked { address: listener.local_addr()?, path: routes::NODE, token: None };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route(routes::NODE, route)).await });
    report(load(&asked, wanted.connections, wanted.requests).await?);
    Ok(())
}

fn report((times, took): (Vec<Duration>, Duration)) {
    let rate = times.len() as f64 / took.as_secs_f64();
    println!("one request       {}", Spread::of(times));
    println!("{rate:.0}");
}

async fn node(program: Option<PathBuf>) -> Result<(Node, TempDir)> {
    let program = idle::program(program)?;
    let folder = tempfile::tempdir()?;
    let (node, _) = idle::up(&program, folder.path(), None).await?;
    Ok((node, folder))
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

async fn until_answered(asked: &Asked) -> Result<Vec<u8>> {
    let began = Instant::now();
    loop {
        match ask_once(asked).await {
            Ok(answer) => return Ok(answer),
            Err(error) => ensure!(began.elapsed() < PATIENCE, "it does not answer: {error}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
}
