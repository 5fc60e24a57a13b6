//! One work stream: frames in become events, messages out go through a bounded queue.

use crate::event::Event;
use opensky_ports::ByteStream;
use opensky_protocol::{Message, frame::HEADER_BYTES, read_frame_len};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Messages that may wait for a slow peer before it counts as lost.
const QUEUE_MESSAGES_MAX: usize = 1_024;

/// The sending end of a work stream. Dropping it ends the stream once what waits has been sent.
pub(crate) struct Link<M> {
    queue: mpsc::Sender<M>,
    closed: CancellationToken,
}

impl<M: Message + Send + Sync + 'static> Link<M> {
    /// Runs a stream: each message that arrives goes through `on_message`, the end through `on_end`.
    pub(crate) fn spawn<I: Message + Send + 'static>(
        stream: ByteStream,
        silence_max: Duration,
        tasks: &TaskTracker,
        events: mpsc::Sender<Event>,
        on_message: impl Fn(I) -> Event + Send + 'static,
        on_end: Event,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MESSAGES_MAX);
        let closed = CancellationToken::new();
        let (reader, writer) = tokio::io::split(stream);
        let stop = closed.clone();
        tasks.spawn(async move {
            let mut reading = std::pin::pin!(read_messages(reader, silence_max, &events, on_message));
            let ended = tokio::select! {
                result = &mut reading => result,
                () = stop.cancelled() => Ok(()),
                // All is said: the other side closes once it has read it, and only then it has.
                result = write_messages(writer, waiting) => match result {
                    Ok(()) => stop.run_until_cancelled(reading).await.unwrap_or(Ok(())),
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "work stream ended");
            }
            // If the loop is gone there is nobody left to tell.
            let _ = events.send(on_end).await;
        });
        Self { queue, closed }
    }

    /// Queues a message; a peer that does not keep up loses its stream.
    pub(crate) fn send(&self, message: M) {
        if self.queue.try_send(message).is_err() {
            self.cut();
        }
    }

    /// Queues a message that the peer can do without, unless much waits already.
    pub(crate) fn offer(&self, message: M) {
        if self.queue.capacity() > QUEUE_MESSAGES_MAX / 2 {
            self.send(message);
        }
    }

    /// Ends the stream at once, whatever waits.
    pub(crate) fn cut(&self) {
        self.closed.cancel();
    }
}

async fn read_messages<I: Message>(
    mut reader: impl AsyncRead + Unpin,
    silence_max: Duration,
    events: &mpsc::Sender<Event>,
    on_message: impl Fn(I) -> Event,
) -> io::Result<()> {
    loop {
        let message = tokio::time::timeout(silence_max, read_message(&mut reader))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the other side fell silent"))??;
        let Some(message) = message else { return Ok(()) };
        if events.send(on_message(message)).await.is_err() {
            return Ok(());
        }
    }
}

/// Reads one frame; `None` at a clean end of the stream.
pub(crate) async fn read_message<I: Message>(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<I>> {
    let mut header = [0; HEADER_BYTES];
    match reader.read_exact(&mut header).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    };
    let bad = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let length = read_frame_len::<I>(header).map_err(bad)?;
    // Grown as bytes arrive, so that a header alone reserves nothing.
    let mut body = Vec::with_capacity(length.min(64 * 1024));
    reader.take(length as u64).read_to_end(&mut body).await?;
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    I::from_body(&body).map(Some).map_err(bad)
}

async fn write_messages<M: Message>(
    mut writer: impl AsyncWrite + Unpin,
    mut waiting: mpsc::Receiver<M>,
) -> io::Result<()> {
    while let Some(message) = waiting.recv().await {
        writer.write_all(&message.to_frame()).await?;
        // Flush only when nothing else waits: frames written back to back share packets.
        if waiting.is_empty() {
            writer.flush().await?;
        }
    }
    writer.shutdown().await
}
