//! What connections and their streams are wrapped in: it counts the bytes of all streams, for `NetworkView` (what the
//! transports add, packet headers, acknowledgements, handshakes, is not seen at this level), and lets a stream that
//! this side has ended live until the other side has ended it too.
//!
//! Without that a message that wants no answer is lost: a stream's name goes out with its first bytes, and whoever
//! opened it, wrote and let go tells the other side to send nothing any more. That side then cannot say yes to the name,
//! and drops what came. Pushed addresses (identify) and provider records (Kademlia) are such messages.

use futures::{AsyncRead, AsyncReadExt, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use std::{
    io::{self, IoSlice, IoSliceMut},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{runtime, time};

/// How long the other side may take to end a stream that this one has ended and let go.
const LINGER: Duration = Duration::from_secs(5);
/// What it may send meanwhile, in bytes: the answer to a stream's name is meant, which is short.
const LINGER_BYTES: usize = 4 * 1_024;
/// Streams of one connection that wait for that at a time; further ones are dropped at once.
const LINGERING_MAX: usize = 64;

/// Bytes since start.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
}

impl Traffic {
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }
}

/// A connection whose streams' bytes are counted.
pub(crate) struct Counted<M> {
    inner: M,
    shared: Arc<Shared>,
}

/// What a connection's streams share.
struct Shared {
    traffic: Arc<Traffic>,
    /// Streams that wait for the other side's end.
    lingering: AtomicUsize,
}

impl<M> Counted<M> {
    pub fn new(inner: M, traffic: Arc<Traffic>) -> Self {
        Self { inner, shared: Arc::new(Shared { traffic, lingering: AtomicUsize::new(0) }) }
    }
}

/// What a connection's streams have to be.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Bytes for S {}

/// A stream whose bytes are counted.
pub(crate) struct CountedStream<S: Bytes> {
    /// Until it is dropped.
    inner: Option<S>,
    shared: Arc<Shared>,
    /// This side has said all.
    has_closed: bool,
    /// The other side has, or failed.
    has_ended: bool,
}

impl<S: Bytes> CountedStream<S> {
    fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner: Some(inner), shared, has_closed: false, has_ended: false }
    }

    fn inner(&mut self) -> Pin<&mut S> {
        Pin::new(self.inner.as_mut().expect("it is there until it is dropped"))
    }

    fn note_read(&mut self, read: io::Result<usize>, is_empty: bool) -> io::Result<usize> {
        match &read {
            Ok(0) if !is_empty => self.has_ended = true,
            Ok(count) => drop(self.shared.traffic.received.fetch_add(*count as u64, Relaxed)),
            Err(_) => self.has_ended = true,
        }
        read
    }
}

impl<S: Bytes> Drop for CountedStream<S> {
    fn drop(&mut self) {
        let Some(mut stream) = self.inner.take().filter(|_| self.has_closed && !self.has_ended) else {
            return;
        };
        let Ok(runtime) = runtime::Handle::try_current() else { return };
        let shared = Arc::clone(&self.shared);
        if shared.lingering.fetch_add(1, Relaxed) >= LINGERING_MAX {
            shared.lingering.fetch_sub(1, Relaxed);
            return;
        }
        runtime.spawn(async move {
            let mut rest = [0; 256];
            let mut left = LINGER_BYTES;
            let ended = async {
                while let Ok(read @ 1..) = stream.read(&mut rest).await {
                    shared.traffic.received.fetch_add(read as u64, Relaxed);
                    left = left.saturating_sub(read);
                    if left == 0 {
                        return;
                    }
                }
            };
            // Whoever takes longer has had its chance.
            let _ = time::timeout(LINGER, ended).await;
            shared.lingering.fetch_sub(1, Relaxed);
        });
    }
}

impl<M> StreamMuxer for Counted<M>
where
    M: StreamMuxer<Substream: Bytes> + Unpin,
{
    type Substream = CountedStream<M::Substream>;
    type Error = M::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_inbound(cx))?;
        Poll::Ready(Ok(CountedStream::new(stream, self.shared.clone())))
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        Poll::Ready(Ok(CountedStream::new(stream, self.shared.clone())))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, Self::Error>> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

impl<S: Bytes> AsyncRead for CountedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = ready!(self.inner().poll_read(cx, buffer));
        Poll::Ready(self.note_read(read, buffer.is_empty()))
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let read = ready!(self.inner().poll_read_vectored(cx, buffers));
        Poll::Ready(self.note_read(read, buffers.iter().all(|buffer| buffer.is_empty())))
    }
}

impl<S: Bytes> AsyncWrite for CountedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(self.inner().poll_write(cx, bytes))?;
        self.shared.traffic.sent.fetch_add(written as u64, Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.inner().poll_write_vectored(cx, slices))?;
        self.shared.traffic.sent.fetch_add(written as u64, Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = ready!(self.inner().poll_close(cx));
        self.has_closed |= closed.is_ok();
        Poll::Ready(closed)
    }
}
