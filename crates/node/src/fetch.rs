//! Blobs from other nodes: verified as they stream, kept only whole.

use crate::link::read_message;
use opensky_ports::{BlobError, BlobStore, BlobWriter, ByteStream, Pin, Transport, TransportError};
use opensky_protocol::{
    Message,
    transfer::{self, Fetch, FetchReply, Plan, TransferError},
};
use opensky_types::{Hash, NodeId, job::Blob};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::RuntimeFlavor,
};

/// Longest wait for an answer or for the next chunk.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Tries before a blob counts as unavailable.
const TRIES: u32 = 3;
/// Blobs of one task or result that are fetched side by side.
const PARALLEL: usize = 4;

/// Why a blob could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the other node does not have it")]
    Missing,
    #[error("the other node fell silent")]
    Silent,
    #[error("the stream broke: {0}")]
    Broken(#[from] std::io::Error),
    #[error("what came is not what was asked for: {0}")]
    Wrong(#[from] TransferError),
    #[error("announced with {announced} bytes, but has {found}")]
    OtherSize { announced: u64, found: u64 },
    #[error(transparent)]
    Store(#[from] BlobError),
}

impl FetchError {
    /// Whether another try may go better.
    const fn is_passing(&self) -> bool {
        matches!(self, Self::Transport(_) | Self::Silent | Self::Broken(_))
    }
}

/// What every fetch needs.
#[derive(Clone)]
pub(crate) struct Fetcher {
    pub(crate) own: NodeId,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) blobs: Arc<dyn BlobStore>,
}

/// Makes sure that all of `blobs` are in the store, fetching from `node` what is not. Answers the
/// first that could not be had.
pub(crate) async fn fetch_all(
    fetcher: Fetcher,
    node: NodeId,
    blobs: Vec<Blob>,
    pin: Pin,
) -> Result<(), (Hash, FetchError)> {
    let hashes: Vec<Hash> = blobs.iter().map(|blob| blob.hash).collect();
    let first = hashes.first().copied().unwrap_or(Hash::from_bytes([0; 32]));
    // Pinned first, so that what is here already cannot be dropped while the rest is fetched.
    let store = Arc::clone(&fetcher.blobs);
    blocking(move || store.pin(pin, &hashes)).await.map_err(|error| (first, error.into()))?;
    use futures::{StreamExt, TryStreamExt};
    let wanted = futures::stream::iter(blobs);
    let fetched = wanted.map(|blob| {
        let fetcher = fetcher.clone();
        async move { fetcher.fetch(node, blob).await.map_err(|error| (blob.hash, error)) }
    });
    fetched.buffer_unordered(PARALLEL).try_collect().await
}

impl Fetcher {
    /// Makes sure that one blob is in the store.
    async fn fetch(&self, node: NodeId, blob: Blob) -> Result<(), FetchError> {
        let mut tried = 0;
        loop {
            let store = Arc::clone(&self.blobs);
            if let Some(known) = blocking(move || store.open(&blob.hash)).await? {
                let (announced, found) = (blob.size_bytes, known.size_bytes());
                return if announced == found {
                    Ok(())
                } else {
                    Err(FetchError::OtherSize { announced, found })
                };
            }
            if node == self.own {
                return Err(FetchError::Missing);
            }
            tried += 1;
            match self.fetch_once(node, blob).await {
                Err(error) if error.is_passing() && tried < TRIES => {
                    tracing::debug!(%node, hash = %blob.hash, tried, %error, "fetch failed, trying again");
                    tokio::time::sleep(Duration::from_millis(100 << tried)).await;
                }
                result => return result,
            }
        }
    }

    async fn fetch_once(&self, node: NodeId, blob: Blob) -> Result<(), FetchError> {
        let mut stream = within(self.transport.open(node, transfer::PROTOCOL)).await??;
        stream.write_all(&Fetch { hash: blob.hash, from_chunk: 0 }.to_frame()).await?;
        stream.flush().await?;
        let reply = within(read_message::<FetchReply>(&mut stream)).await??;
        let Some(FetchReply::Found { size_bytes, subtrees }) = reply else { return Err(FetchError::Missing) };
        if size_bytes != blob.size_bytes {
            return Err(FetchError::OtherSize { announced: blob.size_bytes, found: size_bytes });
        }
        let plan = Plan::new(blob.hash, size_bytes, subtrees)?;
        let store = Arc::clone(&self.blobs);
        let mut writer = blocking(move || store.create(size_bytes)).await?;
        for index in 0..plan.chunk_count() {
            let chunk = read_chunk(&mut stream, plan.chunk_size_bytes(index)).await?;
            plan.verify_chunk(index, &chunk)?;
            writer = blocking(move || write_chunk(writer, &chunk)).await?;
        }
        blocking(move || writer.finish(Some(blob.hash))).await?;
        Ok(())
    }
}

async fn read_chunk(stream: &mut ByteStream, size_bytes: usize) -> Result<Vec<u8>, FetchError> {
    let mut chunk = vec![0; size_bytes];
    within(stream.read_exact(&mut chunk)).await??;
    Ok(chunk)
}

fn write_chunk(mut writer: Box<dyn BlobWriter>, chunk: &[u8]) -> Result<Box<dyn BlobWriter>, BlobError> {
    match writer.write_all(chunk) {
        Ok(()) => Ok(writer),
        Err(source) => Err(BlobError::Io { context: "writing a fetched blob".into(), source }),
    }
}

async fn within<F: Future>(wait: F) -> Result<F::Output, FetchError> {
    tokio::time::timeout(SILENCE_MAX, wait).await.map_err(|_| FetchError::Silent)
}

/// Runs what blocks off the async threads. A runtime that has one thread only, as in tests and simulations,
/// does it at once: then everything has one order, which comes out the same each time.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if tokio::runtime::Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        tokio::task::yield_now().await;
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
