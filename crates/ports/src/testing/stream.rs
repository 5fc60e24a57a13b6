//! A stream between two in-process nodes that breaks when their link does.

use super::network::{LOOK, Weather};
use opensky_types::NodeId;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf},
    sync::mpsc,
    time::Instant,
};
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

    /// Both ends of a stream whose bytes take as long as the weather says.
    pub(super) fn far_pair(
        cut: &CancellationToken,
        (one, one_traffic): (NodeId, Arc<Traffic>),
        (other, other_traffic): (NodeId, Arc<Traffic>),
        weather: &Arc<dyn Weather>,
    ) -> (Self, Self) {
        let (near, left) = Self::pair(cut, one_traffic, Arc::default());
        let (right, far) = Self::pair(cut, Arc::default(), other_traffic);
        let (left_reader, left_writer) = tokio::io::split(left);
        let (right_reader, right_writer) = tokio::io::split(right);
        tokio::spawn(carry(left_reader, right_writer, (one, other), Arc::clone(weather)));
        tokio::spawn(carry(right_reader, left_writer, (other, one), Arc::clone(weather)));
        (near, far)
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

/// Pieces that are on their way at a time.
const PIECES_MAX: usize = 64;
const PIECE_BYTES: usize = 16 * 1024;

/// Carries bytes one way, in order, each piece as late as the weather says. A broken link ends it.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    (sender, receiver): (NodeId, NodeId),
    weather: Arc<dyn Weather>,
) {
    let (queue, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES_MAX);
    let reading = async move {
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let Ok(count) = from.read(&mut piece).await else { return };
            piece.truncate(count);
            let delay = loop {
                match weather.delay(sender, receiver) {
                    Some(delay) => break delay,
                    None => tokio::time::sleep(LOOK).await,
                }
            };
            // An empty piece is the end of the stream.
            if queue.send((Instant::now() + delay, piece)).await.is_err() || count == 0 {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((at, piece)) = waiting.recv().await {
            tokio::time::sleep_until(at).await;
            let written = if piece.is_empty() { to.shutdown().await } else { to.write_all(&piece).await };
            if written.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
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
