//! What the door of a service costs: a new connection, a word there and back, and bytes, beside the same program
//! on the loopback of this machine.
//!
//! `cargo run --release -p opensky-executor-container --features testing --example door`

use async_trait::async_trait;
use opensky_executor_container::{Config, ContainerExecutor, testing};
use opensky_ports::{
    BlobStore, ByteStream, Executor, Instance, Outlet, ServiceEngine, ServiceRun, testing::MemoryBlobs,
};
use opensky_types::{
    ServiceId,
    job::{Needs, Program},
    place::Level,
    samples,
    service::{ReplicaId, ReplicaLimits},
};
use std::{
    io,
    process::{Child, Command},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// New connections, and words on one.
const ROUNDS: usize = 200;
const WORDS: usize = 5_000;
/// Bytes that go there and back.
const BYTES: usize = 256 << 20;
/// Bytes at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Leads nowhere.
struct NoOutlet;

#[async_trait]
impl Outlet for NoOutlet {
    async fn connect(&self, _: usize) -> io::Result<ByteStream> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

/// The two ways to the same program.
enum Way {
    Door(Arc<dyn Instance>),
    Loopback(u16, Child),
}

impl Way {
    async fn connect(&self) -> ByteStream {
        loop {
            let stream = match self {
                Self::Door(instance) => instance.dial(80).await,
                Self::Loopback(port, _) => loopback(*port).await,
            };
            match stream {
                Ok(stream) => return stream,
                // It does not listen yet.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }
}

async fn loopback(port: u16) -> io::Result<ByteStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

#[tokio::main]
async fn main() {
    let Some(archive) = testing::busybox() else {
        println!("skipped: there is no {}", testing::BUSYBOX);
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Arc::new(MemoryBlobs::new(1 << 30));
    let image = blobs.put(&archive).expect("room for it");
    let config = Config {
        sockets: Vec::new(),
        runtime: None,
        registries: Vec::new(),
        gpus: Vec::new(),
        look_every: Duration::from_secs(5),
        slots: 1,
        scratch_dir: folder.path().join("scratch"),
        volumes_dir: folder.path().join("volumes"),
        images_cap_bytes: 4 << 30,
        owner: "bench-door".to_owned(),
    };
    let executor = ContainerExecutor::start(config, blobs).await.expect("folders can be made");
    if executor.engines().is_empty() {
        println!("skipped: no container engine answers");
        return;
    }
    let program = Program {
        hash: image.hash,
        size_bytes: image.size_bytes,
        level: Level::Container,
        function: String::new(),
        args: ["nc", "-ll", "-p", "80", "-e", "cat"].map(String::from).to_vec(),
        env: Vec::new(),
        deterministic: false,
        needs: Needs::default(),
    };
    let replica = ReplicaId { service: ServiceId::of(&samples::node(1), "bench"), slot: 0, generation: 1 };
    let limits = ReplicaLimits { cpu_cores: 2, ..ReplicaLimits::default() };
    let run = ServiceRun {
        replica,
        program,
        limits,
        ports: vec![80],
        outlets: Vec::new(),
        secrets: Vec::new(),
        idle: None,
        volumes: Vec::new(),
        other_volumes: Vec::new(),
        begin: None,
        gpus: Vec::new(),
    };
    let started = Instant::now();
    let instance = executor.services().start(run, Arc::new(NoOutlet)).await.expect("it starts");
    drop(Way::Door(Arc::clone(&instance)).connect().await);
    println!("started and reached after {:.0?}", started.elapsed());

    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = free.expect("a free port").port();
    let mut busybox = Command::new(testing::BUSYBOX);
    let beside = busybox.args(["nc", "-ll", "-p", &port.to_string(), "-e", "cat"]).spawn().expect("busybox");
    let mut loopback = Way::Loopback(port, beside);
    let (ours, plain) = (measure(&Way::Door(instance)).await, measure(&loopback).await);
    if let Way::Loopback(_, beside) = &mut loopback {
        beside.kill().expect("it runs");
        beside.wait().expect("it ends");
    }
    for (what, ours, plain) in [("a new connection and a word", ours.0, plain.0), ("a word", ours.1, plain.1)]
    {
        println!("{what}: {ours:.0?} through the door, {plain:.0?} on the loopback, both there and back");
    }
    println!("{:.0} MB/s there and back through the door, {:.0} on the loopback", ours.2, plain.2);
    println!("ratio {:.2}", plain.2 / ours.2);
    executor.shut_down().await;
}

/// Medians of a new connection with a word and of a word, and megabytes a second.
async fn measure(way: &Way) -> (Duration, Duration, f64) {
    let (mut connections, mut words) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        word(&mut way.connect().await).await;
        connections.push(started.elapsed());
    }
    let mut stream = way.connect().await;
    for _ in 0..WORDS {
        let started = Instant::now();
        word(&mut stream).await;
        words.push(started.elapsed());
    }
    let (mut read, mut write) = tokio::io::split(stream);
    let started = Instant::now();
    let writing = async {
        let piece = vec![7; PIECE_BYTES];
        for _ in 0..BYTES / PIECE_BYTES {
            write.write_all(&piece).await.expect("it takes all");
        }
    };
    let reading = async {
        let (mut piece, mut left) = (vec![0; PIECE_BYTES], BYTES);
        while left > 0 {
            left -= read.read(&mut piece).await.expect("it answers");
        }
    };
    tokio::join!(writing, reading);
    let speed = BYTES as f64 / 1e6 / started.elapsed().as_secs_f64();
    (median(connections), median(words), speed)
}

async fn word(stream: &mut ByteStream) {
    stream.write_all(b"w").await.expect("it listens");
    stream.read_u8().await.expect("it answers");
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
