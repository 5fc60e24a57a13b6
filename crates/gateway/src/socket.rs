//! Streams over WebSocket (RFC 6455), on the routes that stream anyway: the same gate, the same content.
//!
//! Events come as texts `{"id": …, "event": {…}}`; `id` is what `after` takes in the next request. Output comes
//! as bytes, after a text `{"from": N}` that says where in it they begin: with the count of bytes that came,
//! `after` goes on there.

use crate::problem::{Answer, Outcome, problem};
use axum::{
    extract::{
        FromRequestParts,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use futures::{Sink, SinkExt, Stream, StreamExt};
use opensky_api::Code;
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Largest message of a reader: it has nothing to say.
const HEARD_BYTES_MAX: usize = 4 * 1024;
/// Most bytes that wait for a slow reader, beside what waits in the stream's own queue.
const WAITING_BYTES_MAX: usize = 1024 * 1024;
/// How often a reader is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long a reader may say nothing at all, not even an answer to that.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long a reader may take no message.
const SEND_MAX: Duration = Duration::from_secs(30);
/// How long a goodbye may take.
const CLOSE_MAX: Duration = Duration::from_secs(2);
const STOPPING: &str = "the node is stopping";
const FORBIDDEN: &str = "the key, session or wallet behind it works no longer";

/// Whether a request asks for a WebSocket; `None` for one that is content with a plain answer.
pub(crate) struct Line(pub(crate) Option<WebSocketUpgrade>);

impl<S: Send + Sync> FromRequestParts<S> for Line {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Outcome<Self> {
        let asked = parts.headers.get(header::UPGRADE);
        if asked.is_none_or(|what| !what.as_bytes().eq_ignore_ascii_case(b"websocket")) {
            return Ok(Self(None));
        }
        let upgrade = WebSocketUpgrade::from_request_parts(parts, state).await;
        upgrade.map(|upgrade| Self(Some(upgrade))).map_err(|error| problem(Code::InvalidRequest, error))
    }
}

/// Answers with a WebSocket that carries these messages, until its reader is `gone` from this node.
pub(crate) fn carry(
    upgrade: WebSocketUpgrade,
    messages: impl Stream<Item = Message> + Send + 'static,
    sockets: &TaskTracker,
    gone: impl Future<Output = ()> + Send + 'static,
    stop: CancellationToken,
) -> Response {
    let tracker = sockets.clone();
    let upgrade = upgrade.max_message_size(HEARD_BYTES_MAX).max_frame_size(HEARD_BYTES_MAX);
    let upgrade = upgrade.write_buffer_size(0).max_write_buffer_size(WAITING_BYTES_MAX);
    upgrade
        .on_upgrade(move |socket: WebSocket| tracker.track_future(carried(socket, messages, gone, stop)))
        .into_response()
}

/// Why a message was not sent.
pub(crate) enum Unsent {
    /// The line is broken.
    Broken,
    /// The reader took nothing for too long.
    Slow,
    /// The reader may read no longer.
    Gone,
    /// The node stops.
    Stopping,
}

/// Sends a message to a reader who may be slow, may be `gone` from this node meanwhile, or outlast it.
pub(crate) async fn send<T: Sink<Message> + Unpin>(
    line: &mut T,
    message: Message,
    gone: &mut (impl Future<Output = ()> + Unpin),
    stop: &CancellationToken,
) -> Result<(), Unsent> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Unsent::Stopping),
        () = gone => Err(Unsent::Gone),
        sent = tokio::time::timeout(SEND_MAX, line.send(message)) => match sent {
            Ok(sent) => sent.map_err(|_| Unsent::Broken),
            Err(_) => Err(Unsent::Slow),
        },
    }
}

/// Until the messages end, the reader leaves, falls silent or may read no longer, or the node stops.
async fn carried<T, E>(
    socket: T,
    messages: impl Stream<Item = Message>,
    gone: impl Future<Output = ()>,
    stop: CancellationToken,
) where
    T: Sink<Message> + Stream<Item = Result<Message, E>>,
{
    let (mut line, mut messages, mut gone) = (pin!(socket), pin!(messages), pin!(gone));
    let mut heard_at = Instant::now();
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.tick().await;
    let (code, why) = loop {
        let message = tokio::select! {
            biased;
            () = stop.cancelled() => break (close_code::AWAY, STOPPING),
            () = &mut gone => break (close_code::POLICY, FORBIDDEN),
            heard = line.next() => match heard {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                    heard_at = Instant::now();
                    continue;
                }
                Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                    break (close_code::UNSUPPORTED, "this stream takes no messages");
                }
                // Its goodbye was answered already; of a broken line there is nobody to tell.
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            message = messages.next() => match message {
                Some(message) => message,
                None => break (close_code::NORMAL, "that was all"),
            },
            _ = pings.tick() => {
                if heard_at.elapsed() >= SILENCE_MAX {
                    break (close_code::POLICY, "the reader says nothing any more");
                }
                Message::Ping(Default::default())
            }
        };
        match send(&mut line, message, &mut gone, &stop).await {
            Ok(()) => {}
            Err(Unsent::Broken) => return,
            Err(Unsent::Slow) => break (close_code::POLICY, "the reader is too slow"),
            Err(Unsent::Gone) => break (close_code::POLICY, FORBIDDEN),
            Err(Unsent::Stopping) => break (close_code::AWAY, STOPPING),
        }
    };
    let goodbye = Message::Close(Some(CloseFrame { code, reason: why.into() }));
    if !matches!(tokio::time::timeout(CLOSE_MAX, line.send(goodbye)).await, Ok(Ok(()))) {
        tracing::debug!(why, "a stream's reader did not hear that it ends");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{channel::mpsc, future, stream};
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    /// Both ends of a line: what the server sends, and what it hears.
    struct FakeLine {
        sent: mpsc::Sender<Message>,
        heard: mpsc::UnboundedReceiver<Message>,
    }

    impl Stream for FakeLine {
        type Item = Result<Message, ()>;
        fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.heard.poll_next_unpin(cx).map(|next| next.map(Ok))
        }
    }

    impl Sink<Message> for FakeLine {
        type Error = mpsc::SendError;
        fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.sent.poll_ready_unpin(cx)
        }
        fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Self::Error> {
            self.sent.start_send_unpin(message)
        }
        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.sent.poll_flush_unpin(cx)
        }
        fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.sent.poll_close_unpin(cx)
        }
    }

    fn line() -> (FakeLine, mpsc::Receiver<Message>, mpsc::UnboundedSender<Message>) {
        let ((sent, outbox), (inbox, heard)) = (mpsc::channel(0), mpsc::unbounded());
        (FakeLine { sent, heard }, outbox, inbox)
    }

    /// The code of the goodbye, and how many pings came before.
    async fn goodbye(outbox: mpsc::Receiver<Message>) -> (u16, usize) {
        let all: Vec<Message> = outbox.collect().await;
        let pings = all.iter().filter(|message| matches!(message, Message::Ping(_))).count();
        match all.last() {
            Some(Message::Close(Some(frame))) => (frame.code, pings),
            other => panic!("no goodbye: {other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn w5_a_reader_that_falls_silent_is_let_go() {
        let (line, outbox, _inbox) = line();
        let carried = carried(line, stream::pending(), future::pending(), CancellationToken::new());
        let ((), (code, pings)) = tokio::join!(carried, goodbye(outbox));
        assert_eq!((code, pings), (close_code::POLICY, 2), "it was asked twice");
    }

    #[tokio::test(start_paused = true)]
    async fn w5_a_reader_that_answers_pings_stays() {
        let (line, mut outbox, inbox) = line();
        let stop = CancellationToken::new();
        let reader = async {
            for _ in 0..100 {
                assert!(matches!(outbox.next().await, Some(Message::Ping(_))));
                inbox.unbounded_send(Message::Pong(Default::default())).expect("it is there");
            }
            stop.cancel();
            goodbye(outbox).await
        };
        let ((), (code, _)) =
            tokio::join!(carried(line, stream::pending(), future::pending(), stop.clone()), reader);
        assert_eq!(code, close_code::AWAY, "the node was stopped");
    }

    #[tokio::test(start_paused = true)]
    async fn w5_a_reader_that_takes_nothing_is_let_go() {
        let (line, outbox, _inbox) = line();
        let endless = stream::repeat_with(|| Message::text("x"));
        carried(line, endless, future::pending(), CancellationToken::new()).await;
        drop(outbox);
    }

    #[tokio::test(start_paused = true)]
    async fn w1_a_reader_that_takes_nothing_is_let_go_once_it_may_read_no_longer() {
        let (line, outbox, _inbox) = line();
        let (endless, started) = (stream::repeat_with(|| Message::text("x")), Instant::now());
        let gone = Box::pin(tokio::time::sleep(Duration::from_secs(5)));
        carried(line, endless, gone, CancellationToken::new()).await;
        assert!(started.elapsed() < SEND_MAX, "{:?}", started.elapsed());
        drop(outbox);
    }

    #[tokio::test(start_paused = true)]
    async fn w5_a_reader_that_takes_nothing_does_not_hold_up_the_end() {
        let (mut line, outbox, _inbox) = line();
        let (stop, started) = (CancellationToken::new(), Instant::now());
        let stopping = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            stop.cancel();
        };
        let sending = async {
            loop {
                let sent = send(&mut line, Message::text("x"), &mut future::pending(), &stop).await;
                if let Err(why) = sent {
                    break why;
                }
            }
        };
        let ((), why) = tokio::join!(stopping, sending);
        assert!(matches!(why, Unsent::Stopping) && started.elapsed() < SEND_MAX, "{:?}", started.elapsed());
        drop(outbox);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_speaks_is_told_that_nobody_listens() {
        let (line, outbox, inbox) = line();
        inbox.unbounded_send(Message::text("hello?")).expect("it is there");
        let ((), (code, _)) = tokio::join!(
            carried(line, stream::pending(), future::pending(), CancellationToken::new()),
            goodbye(outbox)
        );
        assert_eq!(code, close_code::UNSUPPORTED);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_ends_says_so() {
        let (line, outbox, _inbox) = line();
        let messages = stream::iter([Message::text("one"), Message::text("two")]);
        let ((), (code, _)) = tokio::join!(
            carried(line, messages, future::pending(), CancellationToken::new()),
            goodbye(outbox)
        );
        assert_eq!(code, close_code::NORMAL);
    }

    #[tokio::test(start_paused = true)]
    async fn w1_a_reader_that_may_read_no_longer_is_let_go() {
        let (line, outbox, _inbox) = line();
        let carried = carried(line, stream::pending(), future::ready(()), CancellationToken::new());
        let ((), (code, pings)) = tokio::join!(carried, goodbye(outbox));
        assert_eq!((code, pings), (close_code::POLICY, 0));
    }
}
