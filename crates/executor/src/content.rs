//! Content on its way between programs and the blob store: inputs out, outputs in.
//!
//! Blob stores block, so everything that may touch a disk happens on the blocking pool; what stays
//! inline never goes there.

use opensky_ports::blobs::{BlobError, BlobReader, BlobStore, BlobWriter};
use opensky_types::{
    Hash,
    job::INLINE_BYTES_MAX,
    task::{Content, Failure},
};
use std::{
    io::{Cursor, Read, Write},
    sync::Arc,
};
use tokio::task::spawn_blocking;

/// Most bytes of one piece of input.
pub const PIECE_BYTES: usize = 256 << 10;
/// Bytes of output gathered before they go to disk.
const SPILL_BYTES: usize = 256 << 10;

/// Standard input of one task, read piece by piece.
pub struct InputReader {
    blobs: Arc<dyn BlobStore>,
    contents: std::vec::IntoIter<Content>,
    open: Option<Open>,
}

struct Open {
    reader: Box<dyn Read + Send>,
    hash: Hash,
}

impl InputReader {
    /// A reader of these contents, one after the other.
    pub fn new(blobs: Arc<dyn BlobStore>, contents: Vec<Content>) -> Self {
        Self { blobs, contents: contents.into_iter(), open: None }
    }

    /// The next bytes; empty at the end.
    pub async fn next_piece(self) -> (Self, Result<Vec<u8>, Failure>) {
        let work = move || {
            let mut this = self;
            let piece = this.read_piece();
            (this, piece)
        };
        spawn_blocking(work).await.expect("reading a blob does not panic")
    }

    fn read_piece(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(open) = &mut self.open {
                let piece = open.read_piece()?;
                if !piece.is_empty() {
                    return Ok(piece);
                }
                self.open = None;
            }
            match self.contents.next() {
                None => return Ok(Vec::new()),
                Some(content) => self.open = Some(Open::new(&*self.blobs, content)?),
            }
        }
    }
}

impl Open {
    fn new(blobs: &dyn BlobStore, content: Content) -> Result<Self, Failure> {
        let hash = content.hash();
        let reader: Box<dyn Read + Send> = match content {
            Content::Inline(bytes) => Box::new(Cursor::new(bytes)),
            Content::Blob(_) => open_blob(blobs, hash)?,
        };
        Ok(Self { reader, hash })
    }

    fn read_piece(&mut self) -> Result<Vec<u8>, Failure> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let mut part = (&mut self.reader).take(PIECE_BYTES as u64);
        part.read_to_end(&mut piece).map_err(|error| unavailable(self.hash, error.to_string()))?;
        Ok(piece)
    }
}

/// Opens a blob that must be here.
pub fn open_blob(blobs: &dyn BlobStore, hash: Hash) -> Result<Box<dyn BlobReader>, Failure> {
    match blobs.open(&hash) {
        Ok(Some(reader)) => Ok(reader),
        Ok(None) => Err(unavailable(hash, "it is not on this node".into())),
        Err(error) => Err(unavailable(hash, describe(&error))),
    }
}

fn unavailable(hash: Hash, message: String) -> Failure {
    Failure::InputUnavailable { hash, message }
}

/// The content of one output, kept in memory while it is small.
#[derive(Default)]
pub struct OutputWriter {
    buffer: Vec<u8>,
    blob: Option<Box<dyn BlobWriter>>,
    size_bytes: u64,
    /// Why nothing more is kept.
    failed: Option<String>,
}

impl OutputWriter {
    /// Bytes so far.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Adds bytes. `size_hint_bytes` is the size it will have, as far as anyone knows.
    pub async fn push(&mut self, blobs: &Arc<dyn BlobStore>, bytes: &[u8], size_hint_bytes: u64) {
        self.size_bytes += bytes.len() as u64;
        if self.failed.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
        if self.buffer.len() >= SPILL_BYTES {
            self.spill(blobs, size_hint_bytes).await;
        }
    }

    /// The content, in the blob store unless small.
    pub async fn finish(mut self, blobs: &Arc<dyn BlobStore>) -> Result<Content, String> {
        if self.blob.is_none() && self.failed.is_none() && self.buffer.len() <= INLINE_BYTES_MAX {
            return Ok(Content::Inline(self.buffer));
        }
        let size_bytes = self.size_bytes;
        self.spill(blobs, size_bytes).await;
        match (self.blob, self.failed) {
            (Some(blob), None) => spawn_blocking(move || blob.finish(None))
                .await
                .expect("finishing a blob does not panic")
                .map(Content::Blob)
                .map_err(|error| describe(&error)),
            (_, failed) => Err(failed.unwrap_or_else(|| "the blob was lost".into())),
        }
    }

    async fn spill(&mut self, blobs: &Arc<dyn BlobStore>, size_hint_bytes: u64) {
        if self.failed.is_some() {
            return;
        }
        let bytes = std::mem::take(&mut self.buffer);
        let blob = self.blob.take();
        let blobs = blobs.clone();
        let hint = size_hint_bytes.max(bytes.len() as u64);
        let written = spawn_blocking(move || {
            let mut blob = blob.map_or_else(|| blobs.create(hint), Ok)?;
            blob.write_all(&bytes)
                .map_err(|source| BlobError::Io { context: "writing an output".into(), source })?;
            Ok::<_, BlobError>(blob)
        });
        match written.await.expect("writing a blob does not panic") {
            Ok(blob) => self.blob = Some(blob),
            Err(error) => self.failed = Some(describe(&error)),
        }
    }
}

fn describe(error: &BlobError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
