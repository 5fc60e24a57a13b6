//! What a component costs as a service, beside a server of the same engine in this process, made as `wasmtime serve`
//! makes it: a pool of instances, no meters, a fresh instance for each request.
//!
//! `cargo run --release -p opensky-executor-wasm --example http`

use async_trait::async_trait;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use opensky_executor_wasm::{Config, WasmExecutor};
use opensky_ports::{
    BlobStore, ByteStream, Instance, Outlet, ServiceEngine, ServiceRun, testing::MemoryBlobs,
};
use opensky_types::{
    NodeId, ServiceId,
    job::Program,
    place::Level,
    service::{ReplicaId, ReplicaLimits},
};
use std::{
    io,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use wasmtime::{
    Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
    io::TokioIo,
    p2::{
        bindings::{ProxyPre, http::types::Scheme},
        body::HyperOutgoingBody,
    },
};

const HELLO: &[u8] = include_bytes!("../../../examples/services/hello-http.wasm");
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// The last bytes of an answer in chunks.
const END: &[u8] = b"0\r\n\r\n";
const COLD_STARTS: usize = 100;
const CONNECTIONS: usize = 16;
const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 4;

struct NoOutlet;

#[async_trait]
impl Outlet for NoOutlet {
    async fn connect(&self, _: usize) -> io::Result<ByteStream> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return opensky_executor_wasm::worker::main();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure());
    ExitCode::SUCCESS
}

async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = MemoryBlobs::new(1 << 30);
    let config = Config {
        worker_command: (std::env::current_exe().expect("it has a path"), vec!["worker".into()]),
        workers: 1,
        cache_dir: folder.path().join("cache"),
        cache_cap_bytes: 64 << 20,
        scratch_dir: folder.path().join("scratch"),
        worker_memory_bytes_max: 1 << 30,
        request: Default::default(),
    };
    let executor = WasmExecutor::start(config, Arc::new(blobs.clone())).expect("it starts");
    let begun = Instant::now();
    let rests = start(&executor, &blobs, 0, Some(Duration::from_millis(100))).await;
    println!("first start (compile, a worker, load)      {:>10.1} ms", ms(begun.elapsed()));
    cold_starts(rests.as_ref()).await;
    rests.stop(Duration::ZERO).await;

    let stays = start(&executor, &blobs, 1, None).await;
    let ours = lead_in(stays.clone()).await;
    let peer = serve_here().await;
    let (mut of_ours, mut of_peer) = (0, 0);
    // In turns, so that what else the machine does hits both.
    for _ in 0..ROUNDS {
        of_peer += answers(peer).await;
        of_ours += answers(ours).await;
    }
    let per_second = |count: u64| count as f64 / (ROUND * ROUNDS as u32).as_secs_f64();
    println!("requests in a second, this process's engine {:>9.0}", per_second(of_peer));
    println!("requests in a second, as a service          {:>9.0}", per_second(of_ours));
    println!("as a service, of this process's engine      {:>9.2}", of_ours as f64 / of_peer as f64);
    stays.stop(Duration::ZERO).await;
    executor.services().shut_down().await;
}

async fn start(
    executor: &WasmExecutor,
    blobs: &MemoryBlobs,
    slot: u16,
    idle: Option<Duration>,
) -> Arc<dyn Instance> {
    let blob = blobs.put(HELLO).expect("room for it");
    let owner = NodeId::from_public_key([1; 32]);
    let run = ServiceRun {
        replica: ReplicaId { service: ServiceId::of(&owner, "hello"), slot, generation: 1 },
        program: Program {
            hash: blob.hash,
            size_bytes: blob.size_bytes,
            level: Level::Vm,
            function: String::new(),
            args: Vec::new(),
            env: Vec::new(),
            deterministic: false,
        },
        limits: ReplicaLimits { memory_bytes: 256 << 20, scratch_bytes: 0, cpu_cores: cores() },
        ports: vec![80],
        outlets: Vec::new(),
        secrets: Vec::new(),
        idle,
    };
    let started = executor.services().start(run, Arc::new(NoOutlet)).await;
    started.unwrap_or_else(|failure| panic!("it does not start: {failure}"))
}

fn cores() -> u16 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u16)
}

/// From a connection to the whole answer, while nothing of the component is in memory.
async fn cold_starts(instance: &dyn Instance) {
    let mut times = Vec::with_capacity(COLD_STARTS);
    for _ in 0..COLD_STARTS {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let begun = Instant::now();
        let mut stream = instance.dial(80).await.expect("it is reached");
        answer(&mut stream).await.expect("it answers");
        times.push(begun.elapsed());
    }
    times.sort();
    println!("cold start to the whole answer, median      {:>9.2} ms", ms(times[times.len() / 2]));
    println!("cold start to the whole answer, 99 of 100   {:>9.2} ms", ms(times[times.len() * 99 / 100]));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// One request on a connection that stays.
async fn answer(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) -> io::Result<()> {
    stream.write_all(REQUEST).await?;
    let mut read = Vec::with_capacity(512);
    while !read.ends_with(END) {
        if stream.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    assert!(read.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&read));
    Ok(())
}

/// How many requests are answered in one round, over several connections.
async fn answers(address: SocketAddr) -> u64 {
    let count = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + ROUND;
    let asking = (0..CONNECTIONS).map(|_| {
        let count = count.clone();
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("it listens");
            stream.set_nodelay(true).expect("a TCP connection");
            while Instant::now() < until {
                answer(&mut stream).await.expect("it answers");
                count.fetch_add(1, Relaxed);
            }
        })
    });
    for asking in asking.collect::<Vec<_>>() {
        asking.await.expect("no panic");
    }
    count.load(Relaxed)
}

/// A local port that leads to the component, as a node makes it.
async fn lead_in(instance: Arc<dyn Instance>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has one");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let instance = instance.clone();
            tokio::spawn(async move {
                stream.set_nodelay(true)?;
                let mut inner = instance.dial(80).await?;
                tokio::io::copy_bidirectional(&mut stream, &mut inner).await
            });
        }
    });
    address
}

/// The peer: `wasmtime serve` in small.
async fn serve_here() -> SocketAddr {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(1_000);
    let mut config = wasmtime::Config::new();
    config.concurrency_support(false).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).expect("an engine");
    let component = Component::new(&engine, HELLO).expect("it is a component");
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI is linked");
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).expect("HTTP is linked");
    let pre = linker.instantiate_pre(&component).expect("all is there");
    let pre = ProxyPre::new(pre).expect("it answers HTTP");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has one");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let pre = pre.clone();
            tokio::spawn(async move {
                stream.set_nodelay(true)?;
                let service = service_fn(move |request| handle(pre.clone(), request));
                let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                served.map_err(io::Error::other)
            });
        }
    });
    address
}

async fn handle(
    pre: ProxyPre<Here>,
    request: Request<Incoming>,
) -> wasmtime::Result<Response<HyperOutgoingBody>> {
    let here = Here {
        wasi: WasiCtx::builder().build(),
        http: WasiHttpCtx::new(),
        table: ResourceTable::new(),
        hooks: Denied,
    };
    let mut store = Store::new(pre.engine(), here);
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let out = store.data_mut().http().new_response_outparam(sender)?;
    tokio::spawn(async move {
        let proxy = pre.instantiate_async(&mut store).await?;
        proxy.wasi_http_incoming_handler().call_handle(&mut store, request, out).await
    });
    Ok(receiver.await??)
}

struct Here {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    hooks: Denied,
}

impl WasiView for Here {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Here {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

struct Denied;

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Denied {
    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}
