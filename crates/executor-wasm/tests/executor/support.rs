//! A running executor for a test, and programs to run on it.

use opensky_executor_wasm::{Config, RequestLimits, WasmExecutor};
use opensky_ports::{
    BlobStore, Executor, LogSink, LogStream, WorkBatch, WorkItem, WorkResult, testing::MemoryBlobs,
};
use opensky_types::{
    job::{Needs, Program},
    place::Level,
    resources::TaskLimits,
    task::{Content, Failure, Outcome, TaskInput, TaskOutput},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;

/// An executor in a folder of its own.
pub struct Setup {
    pub executor: Arc<WasmExecutor>,
    pub blobs: MemoryBlobs,
    dir: tempfile::TempDir,
}

impl Setup {
    pub fn new(workers: usize) -> Self {
        Self::with_command(workers, env!("CARGO_BIN_EXE_opensky-wasm-worker").into())
    }

    pub fn with_command(workers: usize, command: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let blobs = MemoryBlobs::new(1 << 30);
        let config = config(dir.path(), workers, command);
        let executor = Arc::new(WasmExecutor::start(config, Arc::new(blobs.clone())).unwrap());
        Self { executor, blobs, dir }
    }

    /// The same after a restart of the node.
    pub async fn restarted(self) -> Self {
        let Self { executor, blobs, dir } = self;
        executor.shut_down().await;
        drop(executor);
        let config = config(dir.path(), 1, env!("CARGO_BIN_EXE_opensky-wasm-worker").into());
        let executor = Arc::new(WasmExecutor::start(config, Arc::new(blobs.clone())).unwrap());
        Self { executor, blobs, dir }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn cache_files(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.dir().join("cache")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// A batch of one task of the program that `wasm` (text or binary) is.
    pub fn batch(&self, level: Level, wasm: impl AsRef<[u8]>) -> WorkBatch {
        let bytes = match wasm.as_ref() {
            text @ [b'(' | b';', ..] => wat::parse_bytes(text).unwrap().into_owned(),
            bytes => bytes.to_vec(),
        };
        let blob = self.blobs.put(&bytes).unwrap();
        let program = Program {
            hash: blob.hash,
            size_bytes: blob.size_bytes,
            level,
            function: "run".into(),
            args: Vec::new(),
            env: Vec::new(),
            deterministic: true,
            needs: Needs::default(),
        };
        WorkBatch { program, seed: 1, limits: limits(), gpus: Vec::new(), items: items(1) }
    }

    pub async fn run(&self, batch: WorkBatch) -> Told {
        let told = Told::default();
        self.executor.run(batch, &told, CancellationToken::new()).await;
        told
    }

    /// Runs a batch of one and says how it ended.
    pub async fn run_one(&self, batch: WorkBatch) -> WorkResult {
        let mut results = self.run(batch).await.results();
        assert_eq!(results.len(), 1);
        results.remove(0)
    }

    /// The bytes of a content, wherever they are.
    pub fn bytes(&self, content: &Content) -> Vec<u8> {
        match content {
            Content::Inline(bytes) => bytes.clone(),
            Content::Blob(blob) => self.blobs.get(&blob.hash, 1 << 30).unwrap().unwrap(),
        }
    }
}

fn config(dir: &Path, workers: usize, command: PathBuf) -> Config {
    Config {
        // The argument means nothing to a worker; tests find the workers of a setup by it.
        worker_command: (command, vec![dir.to_string_lossy().into_owned()]),
        workers,
        cache_dir: dir.join("cache"),
        cache_cap_bytes: 64 << 20,
        scratch_dir: dir.join("scratch"),
        worker_memory_bytes_max: 1 << 30,
        // What a bomb reaches soon.
        request: RequestLimits { fuel: 500_000_000, wall_ms: 5_000 },
    }
}

/// Limits that a bomb reaches soon.
pub fn limits() -> TaskLimits {
    TaskLimits {
        memory_bytes: 16 << 20,
        fuel: 200_000_000,
        wall_ms: 10_000,
        scratch_bytes: 1 << 20,
        output_bytes: 64 << 10,
    }
}

pub fn items(count: u64) -> Vec<WorkItem> {
    let input = |key: u64| TaskInput { item: key.to_string(), stdin: Vec::new() };
    (0..count).map(|key| WorkItem { key, input: input(key) }).collect()
}

/// What a batch told.
#[derive(Default)]
pub struct Told {
    results: Mutex<Vec<WorkResult>>,
    written: Mutex<Vec<(u64, LogStream, Vec<u8>)>>,
    pub wrote: tokio::sync::Notify,
}

impl Told {
    pub fn results(&self) -> Vec<WorkResult> {
        self.results.lock().unwrap().clone()
    }

    pub fn log(&self, wanted: LogStream) -> Vec<u8> {
        let written = self.written.lock().unwrap();
        written.iter().filter(|(_, stream, _)| *stream == wanted).flat_map(|(_, _, b)| b.clone()).collect()
    }
}

impl LogSink for Told {
    fn written(&self, key: u64, stream: LogStream, bytes: &[u8]) {
        self.written.lock().unwrap().push((key, stream, bytes.to_vec()));
        self.wrote.notify_one();
    }

    fn ended(&self, result: WorkResult) {
        self.results.lock().unwrap().push(result);
    }
}

pub fn exited(result: &WorkResult) -> &TaskOutput {
    match &result.outcome {
        Outcome::Exited(output) => output,
        other => panic!("the task did not exit: {other:?}"),
    }
}

pub fn failure(result: &WorkResult) -> &Failure {
    match &result.outcome {
        Outcome::Failed { failure, .. } => failure,
        other => panic!("the task did not fail: {other:?}"),
    }
}

/// A WASI 0.1 module with the usual imports, a memory and helpers, around `body`.
///
/// `$print` writes `len` bytes at `ptr` to a stream; `$path_open` and the like are the raw calls.
/// Descriptor 3 is `/tmp`, 4 is `/out`.
pub fn wasi(body: &str) -> String {
    const IMPORTS: &[(&str, &str, &str)] = &[
        ("fd_write", "i32 i32 i32 i32", "i32"),
        ("fd_read", "i32 i32 i32 i32", "i32"),
        ("fd_pwrite", "i32 i32 i32 i64 i32", "i32"),
        ("fd_close", "i32", "i32"),
        ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32", "i32"),
        ("path_create_directory", "i32 i32 i32", "i32"),
        ("path_symlink", "i32 i32 i32 i32 i32", "i32"),
        ("random_get", "i32 i32", "i32"),
        ("clock_time_get", "i32 i64 i32", "i32"),
        ("poll_oneoff", "i32 i32 i32 i32", "i32"),
        ("args_sizes_get", "i32 i32", "i32"),
        ("args_get", "i32 i32", "i32"),
        ("environ_sizes_get", "i32 i32", "i32"),
        ("environ_get", "i32 i32", "i32"),
        ("sock_accept", "i32 i32 i32", "i32"),
        ("proc_exit", "i32", ""),
    ];
    let mut text = String::from("(module\n");
    for (name, params, results) in IMPORTS {
        text += &format!(
            "(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} (param {params}) (result {results})))\n"
        );
    }
    text += r#"
        (memory (export "memory") 2)
        (func $print (param $fd i32) (param $ptr i32) (param $len i32)
            (i32.store (i32.const 0) (local.get $ptr))
            (i32.store (i32.const 4) (local.get $len))
            (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
        ;; Opens path (ptr, len) below a folder for writing, made if need be; the result is the error.
        (func $create (param $dir i32) (param $ptr i32) (param $len i32) (result i32)
            (call $path_open (local.get $dir) (i32.const 0) (local.get $ptr) (local.get $len)
                (i32.const 1) (i64.const 0x1fffffff) (i64.const 0x1fffffff) (i32.const 0) (i32.const 12)))
        (func $open (param $dir i32) (param $ptr i32) (param $len i32) (result i32)
            (call $path_open (local.get $dir) (i32.const 1) (local.get $ptr) (local.get $len)
                (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 12)))
    "#;
    text + body + "\n)"
}

/// A command that does nothing, well.
pub const HEALTHY: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
