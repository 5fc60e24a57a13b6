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
/// Streams that wait for that at a time; further ones are dropped at once.
const LINGERING_MAX: usize = 1_024;

/// Bytes since start.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    sent: AtomicU64,
    received: AtomicU64,
    /// Streams that wait for the other side's end.
    lingering: AtomicUsize,
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
    traffic: Arc<Traffic>,
}

impl<M> Counted<M> {
    pub fn new(inner: M, traffic: Arc<Traffic>) -> Self {
        Self { inner, traffic }
    }
}

/// What a connection's streams have to be.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Bytes for S {}

/// A stream whose bytes are counted.
pub(crate) struct CountedStream<S: Bytes> {
    /// Until it is dropped.
    inner: Option<S>,
    traffic: Arc<Traffic>,
    /// This side has said all.
    has_closed: bool,
    /// The other side has, or failed.
    has_ended: bool,
}

impl<S: Bytes> CountedStream<S> {
    fn new(inner: S, traffic: Arc<Traffic>) -> Self {
        Self { inner: Some(inner), traffic, has_closed: false, has_ended: false }
    }

    fn inner(&mut self) -> Pin<&mut S> {
        Pin::new(self.inner.as_mut().expect("it is there until it is dropped"))
    }

    fn note_read(&mut self, read: io::Result<usize>, is_empty: bool) -> io::Result<usize> {
        match &read {
            Ok(0) if !is_empty => self.has_ended = true,
            Ok(count) => drop(self.traffic.received.fetch_add(*count as u64, Relaxed)),
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
        let traffic = Arc::clone(&self.traffic);
        if traffic.lingering.fetch_add(1, Relaxed) >= LINGERING_MAX {
            traffic.lingering.fetch_sub(1, Relaxed);
            return;
        }
        runtime.spawn(async move {
            let mut rest = [0; 256];
            let ended = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
            // Whoever takes longer has had its chance.
            let _ = time::timeout(LINGER, ended).await;
            traffic.lingering.fetch_sub(1, Relaxed);
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
        Poll::Ready(Ok(CountedStream::new(stream, self.traffic.clone())))
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        Poll::Ready(Ok(CountedStream::new(stream, self.traffic.clone())))
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
        self.traffic.sent.fetch_add(written as u64, Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.inner().poll_write_vectored(cx, slices))?;
        self.traffic.sent.fetch_add(written as u64, Relaxed);
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
