//! The task that a worker is on, as the executor sees it: where its input comes from and what it has
//! put out so far. Everything a worker says about it is checked here.

use crate::frame::{Ended, Ending};
use opensky_executor::{
    content::{InputReader, OutputWriter},
    scratch::{OUTPUT_FILES_MAX, is_output_name},
};
use opensky_ports::{blobs::BlobStore, executor::WorkItem};
use opensky_types::{
    resources::{TaskLimits, Usage},
    task::{Content, Failure, Outcome, TaskOutput},
};
use std::{sync::Arc, time::Instant};

/// Bytes of standard input that travel with the order; more is asked for by the worker.
const STDIN_WITH_ORDER_BYTES_MAX: u64 = 16 << 10;

/// The standard input of `item` in one piece, if it is small and at hand.
pub fn whole_stdin(item: &WorkItem) -> Option<Vec<u8>> {
    let contents = &item.input.stdin;
    let total: u64 = contents.iter().map(Content::size_bytes).sum();
    if total > STDIN_WITH_ORDER_BYTES_MAX {
        return None;
    }
    let mut bytes = Vec::with_capacity(total as usize);
    for content in contents {
        match content {
            Content::Inline(inline) => bytes.extend_from_slice(inline),
            Content::Blob(_) => return None,
        }
    }
    Some(bytes)
}

/// A worker said what a worker of ours does not say.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("it broke the protocol: {0}")]
pub struct Violation(pub &'static str);

/// A task that runs.
pub struct RunningTask {
    started: Instant,
    stdout: OutputWriter,
    stderr: OutputWriter,
    files: Vec<(String, Content)>,
    file: Option<OpenFile>,
    files_bytes: u64,
    input: Option<InputReader>,
    input_bytes: u64,
    /// The executor's own reason why it fails, which goes before the worker's.
    failure: Option<Failure>,
}

struct OpenFile {
    path: String,
    size_bytes: u64,
    writer: OutputWriter,
}

impl RunningTask {
    /// The task starts now.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            stdout: OutputWriter::default(),
            stderr: OutputWriter::default(),
            files: Vec::new(),
            file: None,
            files_bytes: 0,
            input: None,
            input_bytes: 0,
            failure: None,
        }
    }

    /// When it started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// The next piece of its input, or `None` if that cannot be had.
    pub async fn next_piece(&mut self, blobs: &Arc<dyn BlobStore>, item: &WorkItem) -> Option<Vec<u8>> {
        let input =
            self.input.take().unwrap_or_else(|| InputReader::new(blobs.clone(), item.input.stdin.clone()));
        let (input, piece) = input.next_piece().await;
        self.input = Some(input);
        match piece {
            Ok(piece) => {
                self.input_bytes += piece.len() as u64;
                Some(piece)
            }
            Err(failure) => {
                self.failure = Some(failure);
                None
            }
        }
    }

    /// It wrote to standard output or error.
    pub async fn wrote(
        &mut self,
        blobs: &Arc<dyn BlobStore>,
        limits: &TaskLimits,
        is_stderr: bool,
        bytes: &[u8],
    ) -> Result<(), Violation> {
        let writer = if is_stderr { &mut self.stderr } else { &mut self.stdout };
        if writer.size_bytes() + bytes.len() as u64 > limits.output_bytes {
            return Err(Violation("more output than the limit"));
        }
        writer.push(blobs, bytes, 0).await;
        Ok(())
    }

    /// It left a file, whose bytes follow.
    pub async fn file_starts(
        &mut self,
        blobs: &Arc<dyn BlobStore>,
        limits: &TaskLimits,
        path: String,
        size_bytes: u64,
    ) -> Result<(), Violation> {
        let in_order = self.files.last().is_none_or(|(last, _)| *last < path);
        self.files_bytes = self.files_bytes.saturating_add(size_bytes);
        if self.file.is_some() || !in_order || !is_output_name(&path) {
            return Err(Violation("a file out of order or with a bad name"));
        }
        if self.files.len() >= OUTPUT_FILES_MAX || self.files_bytes > limits.output_bytes {
            return Err(Violation("more files than the limit"));
        }
        self.file = Some(OpenFile { path, size_bytes, writer: OutputWriter::default() });
        self.close_file_if_whole(blobs).await;
        Ok(())
    }

    /// The next bytes of the file.
    pub async fn file_piece(&mut self, blobs: &Arc<dyn BlobStore>, bytes: &[u8]) -> Result<(), Violation> {
        let Some(file) = &mut self.file else { return Err(Violation("bytes of no file")) };
        if file.writer.size_bytes() + bytes.len() as u64 > file.size_bytes {
            return Err(Violation("more bytes than the file has"));
        }
        file.writer.push(blobs, bytes, file.size_bytes).await;
        self.close_file_if_whole(blobs).await;
        Ok(())
    }

    async fn close_file_if_whole(&mut self, blobs: &Arc<dyn BlobStore>) {
        if let Some(file) = self.file.take_if(|file| file.writer.size_bytes() == file.size_bytes) {
            match file.writer.finish(blobs).await {
                Ok(content) => self.files.push((file.path, content)),
                Err(message) => self.not_kept(message),
            }
        }
    }

    fn not_kept(&mut self, message: String) {
        let message = format!("an output could not be kept: {message}");
        self.failure.get_or_insert(Failure::ProviderStopped { message });
    }

    /// It ended by its worker's word.
    pub async fn ended(
        mut self,
        blobs: &Arc<dyn BlobStore>,
        item: &WorkItem,
        ended: Ended,
    ) -> Result<(Outcome, Usage), Violation> {
        if self.file.is_some() {
            return Err(Violation("half a file"));
        }
        let given = whole_stdin(item).map_or(self.input_bytes, |bytes| bytes.len() as u64);
        let usage = Usage {
            fuel: ended.fuel,
            memory_peak_bytes: ended.memory_peak_bytes,
            wall_us: ended.wall_us,
            cpu_us: ended.cpu_us,
            input_bytes: given,
            output_bytes: self.output_bytes(),
        };
        let (stdout, stderr) = self.finish_streams(blobs).await;
        let outcome = match (self.failure, ended.ending) {
            (Some(failure), _) | (None, Ending::Failed(failure)) => {
                Outcome::Failed { failure, stdout, stderr }
            }
            (None, Ending::Exited { code }) => {
                Outcome::Exited(TaskOutput { exit_code: code, stdout, stderr, files: self.files })
            }
        };
        Ok((outcome, usage))
    }

    /// It ended by ours: stopped, or its worker is gone.
    pub async fn stopped(mut self, blobs: &Arc<dyn BlobStore>, failure: Failure) -> (Outcome, Usage) {
        let usage = Usage {
            wall_us: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            input_bytes: self.input_bytes,
            output_bytes: self.output_bytes(),
            ..Usage::default()
        };
        let (stdout, stderr) = self.finish_streams(blobs).await;
        (Outcome::Failed { failure, stdout, stderr }, usage)
    }

    fn output_bytes(&self) -> u64 {
        self.stdout.size_bytes() + self.stderr.size_bytes() + self.files_bytes
    }

    async fn finish_streams(&mut self, blobs: &Arc<dyn BlobStore>) -> (Content, Content) {
        let mut contents = [Content::empty(), Content::empty()];
        let writers = [std::mem::take(&mut self.stdout), std::mem::take(&mut self.stderr)];
        for (content, writer) in contents.iter_mut().zip(writers) {
            match writer.finish(blobs).await {
                Ok(kept) => *content = kept,
                Err(message) => self.not_kept(message),
            }
        }
        contents.into()
    }
}
