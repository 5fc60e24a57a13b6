//! The streams of a container: input in, outputs into the blob store.

use super::{End, Watching};
use crate::{images::lost, slots::Slot};
use bollard::container::{AttachContainerResults, LogOutput};
use futures::StreamExt;
use opensky_executor::{
    content::{InputReader, OutputWriter},
    scratch::{CollectError, Scratch},
};
use opensky_ports::{
    blobs::BlobStore,
    executor::{LogSink, LogStream},
};
use opensky_types::{
    resources::Limit,
    task::{Content, Failure},
};
use std::{
    io::Read,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// Time between two looks at what a container uses.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Bytes of an output file read at a time.
const READ_BYTES: usize = 256 << 10;

/// What went in and came out.
pub struct Streams {
    blobs: Arc<dyn BlobStore>,
    limit_bytes: u64,
    stdout: OutputWriter,
    stderr: OutputWriter,
    pub input_bytes: u64,
}

impl Streams {
    pub fn new(blobs: Arc<dyn BlobStore>, limit_bytes: u64) -> Self {
        let (stdout, stderr) = (OutputWriter::default(), OutputWriter::default());
        Self { blobs, limit_bytes, stdout, stderr, input_bytes: 0 }
    }

    pub fn output_bytes(&self) -> u64 {
        self.stdout.size_bytes() + self.stderr.size_bytes()
    }

    /// Feeds and hears a container until its program ends or has to be ended.
    pub async fn run(
        &mut self,
        attached: AttachContainerResults,
        contents: Vec<Content>,
        to: (u64, &dyn LogSink),
        stop: [&CancellationToken; 2],
        (watching, slot): (&mut Watching, &Slot),
    ) -> End {
        let AttachContainerResults { mut output, input } = attached;
        let fed_bytes = AtomicU64::new(0);
        let mut feeding = std::pin::pin!(feed(Arc::clone(&self.blobs), input, contents, &fed_bytes));
        let mut is_fed = false;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut deadline = std::pin::pin!(tokio::time::sleep(watching.wall_left()));
        let end = loop {
            let step = tokio::select! {
                () = stop[0].cancelled() => Err(Failure::Cancelled),
                () = stop[1].cancelled() => Err(Failure::Cancelled),
                () = &mut deadline => Err(Failure::Limit { limit: Limit::Time }),
                _ = looks.tick() => watching.look(slot).await,
                fed = &mut feeding, if !is_fed => {
                    is_fed = true;
                    fed
                }
                piece = output.next() => match piece {
                    None => break End::Over,
                    Some(Err(error)) => Err(lost(&error)),
                    Some(Ok(piece)) => self.hear(piece, to).await,
                },
            };
            if let Err(failure) = step {
                break End::Stopped(failure);
            }
        };
        self.input_bytes = fed_bytes.load(Ordering::Relaxed);
        end
    }

    async fn hear(&mut self, piece: LogOutput, (key, sink): (u64, &dyn LogSink)) -> Result<(), Failure> {
        let (stream, writer, bytes) = match piece {
            LogOutput::StdErr { message } => (LogStream::Stderr, &mut self.stderr, message),
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                (LogStream::Stdout, &mut self.stdout, message)
            }
            LogOutput::StdIn { .. } => return Ok(()),
        };
        let room = self.limit_bytes.saturating_sub(writer.size_bytes());
        let kept = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        if !kept.is_empty() {
            sink.written(key, stream, kept);
            writer.push(&self.blobs, kept, 0).await;
        }
        if kept.len() == bytes.len() { Ok(()) } else { Err(Failure::Limit { limit: Limit::Output }) }
    }

    /// What came out, and whether all of it could be kept.
    pub async fn finish(self) -> (Content, Content, Result<(), Failure>) {
        let mut kept = Ok(());
        let mut contents = [Content::empty(), Content::empty()];
        for (content, writer) in contents.iter_mut().zip([self.stdout, self.stderr]) {
            match writer.finish(&self.blobs).await {
                Ok(finished) => *content = finished,
                Err(message) => kept = Err(not_kept(&message)),
            }
        }
        let [stdout, stderr] = contents;
        (stdout, stderr, kept)
    }
}

fn not_kept(message: &str) -> Failure {
    Failure::ProviderStopped { message: format!("an output could not be kept: {message}") }
}

/// Writes the contents to the program, as fast as it reads. One that closes its input early has had enough.
async fn feed(
    blobs: Arc<dyn BlobStore>,
    mut input: Pin<Box<dyn AsyncWrite + Send>>,
    contents: Vec<Content>,
    fed_bytes: &AtomicU64,
) -> Result<(), Failure> {
    let mut reader = InputReader::new(blobs, contents);
    loop {
        let (rest, piece) = reader.next_piece().await;
        reader = rest;
        let piece = piece?;
        if piece.is_empty() || input.write_all(&piece).await.is_err() {
            // Its end tells the program that there is no more; a program that is gone need not hear it.
            let _ = input.shutdown().await;
            return Ok(());
        }
        fed_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
    }
}

/// The files under `/out`, in order of path, and how many bytes they have.
pub async fn collect(
    scratch: Arc<Scratch>,
    blobs: Arc<dyn BlobStore>,
    limit_bytes: u64,
) -> Result<(Vec<(String, Content)>, u64), CollectError> {
    let listed = Arc::clone(&scratch);
    let paths = blocking(move || listed.output_paths()).await?;
    let (mut files, mut left) = (Vec::with_capacity(paths.len()), limit_bytes);
    for path in paths {
        let (opened, name) = (Arc::clone(&scratch), path.clone());
        let (mut file, size_bytes) =
            blocking(move || opened.open_output(&name).map_err(CollectError::Io)).await?;
        left = left.checked_sub(size_bytes).ok_or(CollectError::Limit(Limit::Output))?;
        let mut writer = OutputWriter::default();
        loop {
            let (same, piece) = blocking(move || {
                let mut piece = Vec::with_capacity(READ_BYTES);
                (&mut file).take(READ_BYTES as u64).read_to_end(&mut piece).map_err(CollectError::Io)?;
                Ok((file, piece))
            })
            .await?;
            file = same;
            if piece.is_empty() {
                break;
            }
            writer.push(&blobs, &piece, size_bytes).await;
        }
        let content = writer.finish(&blobs).await;
        files.push((path, content.map_err(|message| CollectError::Io(std::io::Error::other(message)))?));
    }
    Ok((files, limit_bytes - left))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CollectError> + Send + 'static,
) -> Result<T, CollectError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| Err(CollectError::Io(std::io::Error::other(panic))))
}
