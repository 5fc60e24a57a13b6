//! From program to artefact, each once.

use super::{
    Config,
    cache::{Artefact, Cache, Writer},
    process::{Heard, Process},
};
use crate::{
    engine,
    frame::{Order, PIECE_BYTES_MAX, Report, Role},
    worker::PROGRAM_BYTES_MAX,
};
use opensky_executor::content::open_blob;
use opensky_ports::blobs::{BlobReader, BlobStore};
use opensky_types::{Hash, task::Failure};
use std::{
    collections::BTreeMap,
    io::{Read, Write},
    sync::{Arc, Mutex, Weak},
    time::Duration,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// How long compiling one program may take.
const TIME_MAX: Duration = Duration::from_secs(60);
/// Memory that compiling one program may take, in bytes.
const MEMORY_BYTES_MAX: u64 = 2 << 30;
/// Most bytes of an artefact.
const ARTEFACT_BYTES_MAX: u64 = 1 << 30;
/// Programs compiled at a time.
const AT_A_TIME: usize = 2;
/// Programs remembered as not compilable.
const REFUSED_MAX: usize = 1_024;

/// Compiles programs, each in a fresh process of its own: what one does to the compiler cannot reach
/// the artefact of another.
pub struct Compiler {
    config: Config,
    blobs: Arc<dyn BlobStore>,
    cache: Arc<Cache>,
    permits: Semaphore,
    /// One lock per program that is being compiled, so that others wait for the result.
    running: Mutex<BTreeMap<Hash, Weak<tokio::sync::Mutex<()>>>>,
    refused: Mutex<BTreeMap<Hash, Failure>>,
}

impl Compiler {
    pub fn new(config: Config, blobs: Arc<dyn BlobStore>, cache: Cache) -> Self {
        Self {
            config,
            blobs,
            cache: Arc::new(cache),
            permits: Semaphore::new(AT_A_TIME),
            running: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// The artefact of `program`, compiled now if it is not there.
    pub async fn artefact(&self, program: Hash) -> Result<Arc<Artefact>, Failure> {
        let key = key(program);
        if let Some(artefact) = self.cache.get(&key) {
            return Ok(artefact);
        }
        let lock = self.lock_of(program);
        let _one_at_a_time = lock.lock().await;
        if let Some(artefact) = self.cache.get(&key) {
            return Ok(artefact);
        }
        if let Some(failure) = self.refused().get(&program) {
            return Err(failure.clone());
        }
        let compiled = self.compile(program, key).await;
        if let Err(failure @ Failure::InvalidProgram { .. }) = &compiled {
            self.refuse(program, failure.clone());
        }
        compiled
    }

    /// Remembers that trying `program` again is of no use.
    pub fn refuse(&self, program: Hash, failure: Failure) {
        let mut refused = self.refused();
        if refused.len() >= REFUSED_MAX {
            refused.clear();
        }
        refused.insert(program, failure);
    }

    /// Throws away an artefact that a worker could not use.
    pub fn discard(&self, program: Hash, artefact: &Artefact) {
        self.cache.discard(&key(program), artefact);
    }

    fn lock_of(&self, program: Hash) -> Arc<tokio::sync::Mutex<()>> {
        let mut running = self.running.lock().expect("no user of the compiler panics");
        running.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = running.get(&program).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        running.insert(program, Arc::downgrade(&lock));
        lock
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, BTreeMap<Hash, Failure>> {
        self.refused.lock().expect("no user of the compiler panics")
    }

    async fn compile(&self, program: Hash, key: Hash) -> Result<Arc<Artefact>, Failure> {
        let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
        let blobs = self.blobs.clone();
        let reader = spawn_blocking(move || open_blob(&*blobs, program))
            .await
            .expect("opening a blob does not panic")?;
        let size_bytes = reader.size_bytes();
        if size_bytes > PROGRAM_BYTES_MAX {
            return Err(invalid(format!(
                "it has {size_bytes} bytes, at most {PROGRAM_BYTES_MAX} are allowed"
            )));
        }
        let command = &self.config.worker_command;
        let threads = self.config.workers.clamp(1, 8);
        let mut process = Process::spawn(command, threads, Role::Compile, MEMORY_BYTES_MAX)
            .await
            .map_err(|error| lost(error.to_string()))?;
        let writer = self.cache.create().map_err(|error| stopped(&error))?;
        let exchange = exchange(&mut process, program, reader, writer);
        let result = tokio::time::timeout(TIME_MAX, exchange).await;
        process.kill().await;
        let writer = result
            .unwrap_or_else(|_| Err(invalid(format!("compiling it takes over {} s", TIME_MAX.as_secs()))))?;
        let cache = self.cache.clone();
        spawn_blocking(move || cache.keep(key, writer))
            .await
            .expect("keeping an artefact does not panic")
            .map_err(|error| stopped(&error))
    }
}

/// Sends the program to a fresh compiler and writes down what comes back.
async fn exchange(
    process: &mut Process,
    program: Hash,
    mut reader: Box<dyn BlobReader>,
    mut writer: Writer,
) -> Result<Writer, Failure> {
    let mut left = reader.size_bytes();
    let order = Order::Compile { size_bytes: left };
    process.send(&order).await.map_err(|error| lost(error.to_string()))?;
    while left > 0 {
        let (back, piece) = read_piece(reader).await;
        reader = back;
        let piece = piece.map_err(|error| input_lost(program, error.to_string()))?;
        if piece.is_empty() {
            return Err(input_lost(program, "it is shorter than it says".into()));
        }
        left = left.saturating_sub(piece.len() as u64);
        process.send(&Order::Piece(piece)).await.map_err(|error| lost(error.to_string()))?;
    }
    let mut left = match process.hear().await {
        Heard::Report(Report::Compiled { size_bytes }) if size_bytes <= ARTEFACT_BYTES_MAX => size_bytes,
        Heard::Report(Report::Compiled { size_bytes }) => {
            return Err(invalid(format!("it compiles to {size_bytes} bytes")));
        }
        Heard::Report(Report::NotCompiled { message }) => return Err(invalid(message)),
        other => return Err(crashed(process, other).await),
    };
    while left > 0 {
        match process.hear().await {
            Heard::Report(Report::Piece(piece)) if !piece.is_empty() && piece.len() as u64 <= left => {
                left -= piece.len() as u64;
                let written = spawn_blocking(move || writer.write_all(&piece).map(|()| writer));
                writer = written
                    .await
                    .expect("writing an artefact does not panic")
                    .map_err(|error| stopped(&error))?;
            }
            other => return Err(crashed(process, other).await),
        }
    }
    Ok(writer)
}

/// A compiler that runs into its memory limit or crashes does so because of the program. One that is
/// killed from outside does not.
async fn crashed(process: &mut Process, heard: Heard) -> Failure {
    let message = match heard {
        Heard::Lost { message } | Heard::Report(Report::Fatal { message }) => message,
        Heard::Report(_) => "it answered something else".into(),
    };
    match process.signal() {
        Some(libc::SIGABRT | libc::SIGSEGV | libc::SIGBUS) => {
            invalid(format!("compiling it takes too much memory or stack: the compiler {message}"))
        }
        _ => lost(format!("while compiling: {message}")),
    }
}

async fn read_piece(mut reader: Box<dyn BlobReader>) -> (Box<dyn BlobReader>, std::io::Result<Vec<u8>>) {
    let work = move || {
        let mut piece = Vec::with_capacity(PIECE_BYTES_MAX);
        let read = (&mut reader).take(PIECE_BYTES_MAX as u64).read_to_end(&mut piece);
        (reader, read.map(|_| piece))
    };
    spawn_blocking(work).await.expect("reading a blob does not panic")
}

/// The name of a program's artefact for this engine.
fn key(program: Hash) -> Hash {
    Hash::of_value("opensky compiled program 1", &(program, engine::config_hash()))
}

fn invalid(message: String) -> Failure {
    Failure::InvalidProgram { message }
}

fn lost(message: String) -> Failure {
    Failure::WorkerLost { message }
}

fn stopped(error: &std::io::Error) -> Failure {
    Failure::ProviderStopped { message: format!("cannot write the compiled program: {error}") }
}

fn input_lost(hash: Hash, message: String) -> Failure {
    Failure::InputUnavailable { hash, message }
}
