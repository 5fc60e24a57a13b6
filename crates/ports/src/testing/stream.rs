//! A stream between two in-process nodes that breaks when their link does.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Bytes that wait in one direction before the writer must.
const BUFFER_BYTES: usize = 256 * 1024;

/// Bytes that one node sent and received.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) sent_bytes: AtomicU64,
    pub(super) received_bytes: AtomicU64,
}

/// One end of a stream.
pub(super) struct LinkStream {
    pipe: DuplexStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    traffic: Arc<Traffic>,
}

impl LinkStream {
    /// Both ends of a stream over the link that lives until `cut`.
    pub(super) fn pair(cut: &CancellationToken, one: Arc<Traffic>, other: Arc<Traffic>) -> (Self, Self) {
        let (left, right) = tokio::io::duplex(BUFFER_BYTES);
        let end = |pipe, traffic| Self { pipe, cut: Box::pin(cut.clone().cancelled_owned()), traffic };
        (end(left, one), end(right, other))
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for LinkStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.pipe).poll_read(cx, buffer))?;
        let read = (buffer.filled().len() - before) as u64;
        self.traffic.received_bytes.fetch_add(read, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LinkStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        let written = ready!(Pin::new(&mut self.pipe).poll_write(cx, bytes))?;
        self.traffic.sent_bytes.fetch_add(written as u64, Ordering::Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}
