//! Events on their way to a reader: as server-sent events, or over a WebSocket.

use crate::{
    auth::{Caller, Door},
    graphql::Relay,
    problem::{Answer, Outcome},
    socket::{self, Line},
    streams::{self, Streams},
};
use axum::{
    Extension, RequestPartsExt,
    body::{Body, Bytes},
    extract::{FromRequestParts, ws::Message},
    http::{header, request::Parts},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt, stream};
use serde::Serialize;
use std::{convert::Infallible, io};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

/// Events that may wait for a slow reader; then what tells them waits too.
const WAITING_MAX: usize = 256;

/// What a stranger's program wrote is never guessed at.
const NOSNIFF: [(header::HeaderName, &str); 1] = [(header::X_CONTENT_TYPE_OPTIONS, "nosniff")];

/// Bytes of something longer.
pub(super) struct Bound {
    /// Where in it they begin.
    pub(super) from: u64,
    /// How many there are, if that is known.
    pub(super) length: Option<u64>,
    /// What they are.
    pub(super) content_type: &'static str,
}

/// One event, in JSON.
pub(crate) struct Told {
    name: &'static str,
    id: String,
    json: String,
}

impl Told {
    pub(crate) fn new(name: &'static str, id: String, event: &impl Serialize) -> Self {
        Self { name, id, json: serde_json::to_string(event).expect("an event is plain data") }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    fn server_sent(self) -> Result<Event, Infallible> {
        Ok(Event::default().event(self.name).id(self.id).data(self.json))
    }

    fn message(self) -> Message {
        // Ids are numbers, so they need no escapes.
        Message::text(format!(r#"{{"id":"{}","event":{}}}"#, self.id, self.json))
    }
}

/// Who wants to be told, and how.
pub(crate) struct Telling {
    pub(super) line: Line,
    pub(super) stop: CancellationToken,
    pub(super) streams: Streams,
    pub(super) caller: Caller,
    pub(super) door: Door,
    /// Where events go instead, if they are wanted inside this process.
    relay: Option<Relay>,
}

impl<S: Send + Sync> FromRequestParts<S> for Telling {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Outcome<Self> {
        let line = Line::from_request_parts(parts, state).await?;
        let missing = "the router gives every request these";
        let Extension(stop) = parts.extract().await.expect(missing);
        let Extension(streams) = parts.extract().await.expect(missing);
        let Extension(caller) = parts.extract().await.expect(missing);
        let Extension(door) = parts.extract().await.expect(missing);
        let relay = parts.extensions.remove::<Relay>();
        Ok(Self { line, stop, streams, caller, door, relay })
    }
}

impl Telling {
    /// Once the reader may read no longer.
    fn gone(&self) -> impl Future<Output = ()> + Send + 'static {
        self.door.clone().gone(self.caller.clone())
    }

    /// Once the reader may read no longer, or the node stops.
    fn end(&self) -> impl Future<Output = ()> + Send + 'static {
        let (gone, stop) = (self.gone(), self.stop.clone());
        async move {
            tokio::select! {
                () = gone => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Answers with lines of JSON; over a WebSocket each is a text.
    pub(super) fn answer_lines<S>(self, content_type: &'static str, lines: S) -> Outcome<Response>
    where
        S: Stream<Item = String> + Send + 'static,
    {
        let place = self.streams.take(&self.caller)?;
        let (lines, gone, end) = (streams::held(place, lines), self.gone(), self.end());
        Ok(match self.line.0 {
            Some(upgrade) => {
                socket::carry(upgrade, lines.map(Message::text), &self.streams.tasks, gone, self.stop)
            }
            None => {
                let lines = lines.take_until(end).map(|line| Ok::<_, Infallible>(line + "\n"));
                ([(header::CONTENT_TYPE, content_type)], NOSNIFF, Body::from_stream(lines)).into_response()
            }
        })
    }

    /// Answers with bytes as they come; over a WebSocket it is said first where they begin, as that is the
    /// reader's cursor.
    pub(super) fn answer_bytes<S>(self, bound: Bound, bytes: S) -> Outcome<Response>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let place = self.streams.take(&self.caller)?;
        let (bytes, gone, end) = (streams::held(place, bytes), self.gone(), self.end());
        Ok(match self.line.0 {
            Some(upgrade) => {
                let start = Message::text(format!(r#"{{"from":{}}}"#, bound.from));
                // What breaks the bytes off is in the log; a reader that counts them goes on from there.
                let bytes = bytes.take_while(|bytes| std::future::ready(bytes.is_ok()));
                let bytes = bytes.filter_map(|bytes| std::future::ready(bytes.ok().map(Message::Binary)));
                let messages = stream::once(async { start }).chain(bytes);
                socket::carry(upgrade, messages, &self.streams.tasks, gone, self.stop)
            }
            None => {
                let type_of = [(header::CONTENT_TYPE, bound.content_type)];
                let mut answer = (type_of, NOSNIFF, Body::from_stream(bytes.take_until(end))).into_response();
                if let Some(length) = bound.length {
                    answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
                }
                answer
            }
        })
    }

    /// Answers with what a follower tells.
    pub(super) fn answer<F>(self, follower: impl FnOnce(mpsc::Sender<Told>) -> F) -> Outcome<Response>
    where
        F: Future<Output = Option<()>> + Send + 'static,
    {
        let place = self.streams.take(&self.caller)?;
        let (sender, events) = mpsc::channel(WAITING_MAX);
        let telling = follower(sender.clone());
        let (gone, end) = (self.gone(), self.end());
        streams::follow(&self.streams.tasks, place, end, sender, telling);
        if let Some(relay) = self.relay {
            relay.hand_over(events);
            return Ok(().into_response());
        }
        let events = ReceiverStream::new(events);
        Ok(match self.line.0 {
            Some(upgrade) => {
                socket::carry(upgrade, events.map(Told::message), &self.streams.tasks, gone, self.stop)
            }
            None => Sse::new(events.map(Told::server_sent)).keep_alive(KeepAlive::default()).into_response(),
        })
    }
}
