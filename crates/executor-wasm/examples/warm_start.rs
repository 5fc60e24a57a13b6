//! What a warm call costs, beside Wasmtime in the same process.
//!
//! `cargo run --release -p opensky-executor-wasm --example warm_start`

use opensky_executor_wasm::{Config, WasmExecutor};
use opensky_ports::{
    BlobStore, Executor, LogSink, LogStream, WorkBatch, WorkItem, WorkResult, testing::MemoryBlobs,
};
use opensky_types::{
    job::{Needs, Program},
    place::Level,
    resources::TaskLimits,
    task::{Outcome, TaskInput},
};
use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const CALLS: usize = 5_000;
const BATCHED: u64 = 200_000;
const NO_OP: &str =
    r#"(module (memory 1) (data (i32.const 0) "x") (func (export "run") (result i32) i32.const 7))"#;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("worker") {
        return opensky_executor_wasm::worker::main();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure());
    ExitCode::SUCCESS
}

async fn measure() {
    let wasm = wat::parse_str(NO_OP).expect("it is a module");
    let dir = tempfile::tempdir().expect("a folder");
    let blobs = MemoryBlobs::new(1 << 30);
    let blob = blobs.put(&wasm).expect("room for it");
    let batch = WorkBatch {
        program: Program {
            hash: blob.hash,
            size_bytes: blob.size_bytes,
            level: Level::Function,
            function: "run".into(),
            args: Vec::new(),
            env: Vec::new(),
            deterministic: true,
            needs: Needs::default(),
        },
        seed: 1,
        limits: TaskLimits::default(),
        gpus: Vec::new(),
        items: items(1),
    };

    let executor = start(dir.path(), &blobs);
    let begun = Instant::now();
    run(&executor, &batch).await;
    println!("first call (start a worker, compile, run)      {:>10.1} ms", ms(begun.elapsed()));
    executor.shut_down().await;
    let executor = start(dir.path(), &blobs);
    let begun = Instant::now();
    run(&executor, &batch).await;
    println!("first call after a restart (compiled before)   {:>10.1} ms", ms(begun.elapsed()));

    let bare = Bare::new(&wasm, false);
    let metered = Bare::new(&wasm, true);
    let mut times: [Vec<Duration>; 3] = Default::default();
    for round in 0..CALLS {
        // Interleaved, in changing order, so that what else the machine does hits all the same.
        for turn in 0..3 {
            let which = (round + turn) % 3;
            let begun = Instant::now();
            match which {
                0 => bare.call(),
                1 => metered.call(),
                _ => {
                    run(&executor, &batch).await;
                }
            }
            times[which].push(begun.elapsed());
        }
    }
    let [bare, metered, through] = times.map(Spread::of);
    println!("in this process, pooled, bare                  {bare}");
    println!("in this process, pooled, fuel and epochs       {metered}");
    println!("through a worker process, one call at a time   {through}");
    println!("added by the process boundary                  p50 {:>8.1} us", through.p50 - metered.p50);

    let many = WorkBatch { items: items(BATCHED), ..batch };
    let begun = Instant::now();
    let sink = run(&executor, &many).await;
    let seconds = begun.elapsed().as_secs_f64();
    println!("batched, one worker                            {:>10.0} calls/s", BATCHED as f64 / seconds);
    println!(
        "in the worker, per call                        {:>10.1} us cpu",
        sink.cpu_us.load(Relaxed) as f64 / BATCHED as f64
    );
    executor.shut_down().await;
}

fn start(dir: &Path, blobs: &MemoryBlobs) -> WasmExecutor {
    let config = Config {
        worker_command: (std::env::current_exe().expect("our own path"), vec!["worker".into()]),
        workers: 1,
        cache_dir: dir.join("cache"),
        cache_cap_bytes: 1 << 30,
        scratch_dir: dir.join("scratch"),
        worker_memory_bytes_max: 1 << 30,
        request: Default::default(),
    };
    WasmExecutor::start(config, Arc::new(blobs.clone())).expect("it starts")
}

fn items(count: u64) -> Vec<WorkItem> {
    let item = |key| WorkItem { key, input: TaskInput { item: String::new(), stdin: Vec::new() } };
    (0..count).map(item).collect()
}

#[derive(Default)]
struct Sink {
    ended: AtomicU64,
    cpu_us: AtomicU64,
}

impl LogSink for Sink {
    fn written(&self, _key: u64, _stream: LogStream, _bytes: &[u8]) {}
    fn ended(&self, result: WorkResult) {
        assert!(matches!(result.outcome, Outcome::Exited(_)), "{result:?}");
        self.ended.fetch_add(1, Relaxed);
        self.cpu_us.fetch_add(result.usage.cpu_us, Relaxed);
    }
}

async fn run(executor: &WasmExecutor, batch: &WorkBatch) -> Sink {
    let sink = Sink::default();
    executor.run(batch.clone(), &sink, CancellationToken::new()).await;
    assert_eq!(sink.ended.load(Relaxed), batch.items.len() as u64);
    sink
}

/// Wasmtime as one would embed it.
struct Bare {
    engine: wasmtime::Engine,
    pre: wasmtime::InstancePre<()>,
    metered: bool,
}

impl Bare {
    fn new(wasm: &[u8], metered: bool) -> Self {
        let mut config = wasmtime::Config::new();
        config.allocation_strategy(wasmtime::InstanceAllocationStrategy::pooling());
        config.consume_fuel(metered).epoch_interruption(metered);
        let engine = wasmtime::Engine::new(&config).expect("an engine");
        let module = wasmtime::Module::new(&engine, wasm).expect("it compiles");
        let pre = wasmtime::Linker::new(&engine).instantiate_pre(&module).expect("it imports nothing");
        Self { engine, pre, metered }
    }

    fn call(&self) {
        let mut store = wasmtime::Store::new(&self.engine, ());
        if self.metered {
            store.set_fuel(1_000_000).expect("fuel is on");
            store.set_epoch_deadline(1);
        }
        let instance = self.pre.instantiate(&mut store).expect("there is room");
        let run = instance.get_typed_func::<(), i32>(&mut store, "run").expect("it is exported");
        assert_eq!(run.call(&mut store, ()).expect("it returns"), 7);
    }
}

struct Spread {
    p50: f64,
    p99: f64,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: f64| times[(times.len() as f64 * share) as usize].as_nanos() as f64 / 1e3;
        Self { p50: at(0.5), p99: at(0.99) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p50 {:>8.1} us   p99 {:>8.1} us", self.p50, self.p99)
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
