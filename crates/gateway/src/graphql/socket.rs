//! GraphQL over a WebSocket: the protocol `graphql-transport-ws`, as the library graphql-ws describes it.

use super::{Graphql, call, http};
use crate::{
    auth::Caller,
    gate::Gate,
    problem::{Answer, Outcome, problem},
    socket::{self, Unsent},
    streams::Place,
};
use async_graphql::{Response as Answered, parser::types::OperationType};
use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    response::{IntoResponse, Response},
};
use futures::{Stream, StreamExt, stream, stream::BoxStream};
use opensky_api::{Code, graphql::GraphqlRequest};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{pin::pin, time::Duration};
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_stream::StreamMap;
use tokio_util::sync::CancellationToken;

const PROTOCOL: &str = "graphql-transport-ws";
/// Largest message of a client, in bytes: a document with its variables.
const HEARD_BYTES_MAX: usize = 256 * 1024;
/// Operations that may run on one socket at a time.
const RUNNING_MAX: usize = 32;
/// Longest id of an operation, in bytes.
const ID_BYTES_MAX: usize = 128;
/// How long a client may take to begin.
const BEGIN_MAX: Duration = Duration::from_secs(10);
/// How often a client is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long a client may say nothing at all.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Heard {
    ConnectionInit {},
    Ping {},
    Pong {},
    Subscribe { id: String, payload: GraphqlRequest },
    Complete { id: String },
}

/// Why a socket ends, in the protocol's codes.
struct End(u16, String);

pub(super) fn answer(
    upgrade: WebSocketUpgrade,
    graphql: Graphql,
    (gate, caller): (Gate, Caller),
    stop: CancellationToken,
) -> Outcome<Response> {
    if !upgrade.requested_protocols().any(|name| name == PROTOCOL) {
        let detail = format!("this route speaks '{PROTOCOL}'; name it in 'Sec-WebSocket-Protocol'");
        return Err(problem(Code::InvalidRequest, detail));
    }
    let (place, tracker) = (gate.streams.take(&caller)?, gate.streams.tasks.clone());
    let upgrade =
        upgrade.protocols([PROTOCOL]).max_message_size(HEARD_BYTES_MAX).max_frame_size(HEARD_BYTES_MAX);
    let serving = move |socket| {
        let gone = gate.door.clone().gone(caller.clone());
        let talk = Talk { graphql, gate, caller, running: StreamMap::new(), has_begun: false, _place: place };
        tracker.track_future(talk.run(socket, gone, stop))
    };
    Ok(upgrade.on_upgrade(serving).into_response())
}

/// What an operation tells: its answers, then that it is over.
type Told = BoxStream<'static, Option<Answered>>;

struct Talk {
    graphql: Graphql,
    gate: Gate,
    caller: Caller,
    running: StreamMap<String, Told>,
    has_begun: bool,
    _place: Place,
}

impl Talk {
    /// Until the client leaves, falls silent or is `gone` from this node, or the node stops.
    async fn run(mut self, mut socket: WebSocket, gone: impl Future<Output = ()>, stop: CancellationToken) {
        let (started, mut gone) = (Instant::now(), pin!(gone));
        let (mut heard_at, mut pings) = (started, interval_at(started + PING_EVERY, PING_EVERY));
        let end = loop {
            let said = tokio::select! {
                biased;
                () = stop.cancelled() => break stopping(),
                () = &mut gone => break forbidden(),
                () = sleep_until(started + BEGIN_MAX), if !self.has_begun => {
                    break End(4408, "Connection initialisation timeout".into());
                }
                heard = socket.recv() => {
                    heard_at = Instant::now();
                    match heard {
                        Some(Ok(Message::Text(text))) => self.hear(&text),
                        Some(Ok(Message::Binary(_))) => Err(End(4400, "messages are text".into())),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    }
                }
                Some((id, told)) = self.running.next() => Ok(Some(self.tell(&id, told))),
                _ = pings.tick() => match heard_at.elapsed() >= SILENCE_MAX {
                    true => Err(End(4408, "the client says nothing any more".into())),
                    false => Ok(Some(json!({ "type": "ping" }))),
                },
            };
            match said {
                Ok(None) => {}
                Ok(Some(message)) => {
                    let message = Message::text(message.to_string());
                    match socket::send(&mut socket, message, &mut gone, &stop).await {
                        Ok(()) => {}
                        Err(Unsent::Broken) => return,
                        Err(Unsent::Slow) => break End(4408, "the client is too slow".into()),
                        Err(Unsent::Gone) => break forbidden(),
                        Err(Unsent::Stopping) => break stopping(),
                    }
                }
                Err(end) => break end,
            }
        };
        let goodbye = Message::Close(Some(CloseFrame { code: end.0, reason: end.1.into() }));
        if timeout(Duration::from_secs(2), socket.send(goodbye)).await.is_err() {
            tracing::debug!("a GraphQL client did not hear that its socket ends");
        }
    }

    fn hear(&mut self, text: &str) -> Result<Option<Value>, End> {
        let heard = serde_json::from_str(text).map_err(|_| End(4400, "Invalid message received".into()))?;
        match heard {
            Heard::ConnectionInit {} if self.has_begun => {
                Err(End(4429, "Too many initialisation requests".into()))
            }
            Heard::ConnectionInit {} => {
                self.has_begun = true;
                Ok(Some(json!({ "type": "connection_ack" })))
            }
            Heard::Ping {} => Ok(Some(json!({ "type": "pong" }))),
            Heard::Pong {} => Ok(None),
            Heard::Subscribe { .. } if !self.has_begun => Err(End(4401, "Unauthorized".into())),
            Heard::Subscribe { id, payload } => self.begin(id, payload).map(|()| None),
            Heard::Complete { id } => {
                self.running.remove(&id);
                Ok(None)
            }
        }
    }

    fn begin(&mut self, id: String, payload: GraphqlRequest) -> Result<(), End> {
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(End(4400, format!("an id has 1 to {ID_BYTES_MAX} bytes")));
        }
        if self.running.contains_key(&id) {
            return Err(End(4409, format!("Subscriber for {id} already exists")));
        }
        if self.running.len() >= RUNNING_MAX {
            return Err(End(4429, format!("{RUNNING_MAX} operations run on this socket, which is the most")));
        }
        // A document counts like a request, though it may ask no route.
        let prepared = match self.gate.again(&self.caller) {
            Ok(caller) => self.graphql.prepare(caller, None, payload),
            Err(Answer(problem)) if problem.code == Code::Unauthorized => return Err(forbidden()),
            Err(Answer(problem)) => Err(call::error(&problem)),
        };
        let answers: BoxStream<'static, Answered> = match prepared {
            Ok((request, OperationType::Subscription)) => self.graphql.subscribe(request).boxed(),
            Ok((request, _)) => {
                let graphql = self.graphql.clone();
                stream::once(async move { graphql.execute(request).await }).boxed()
            }
            Err(error) => stream::iter([http::refused(error)]).boxed(),
        };
        self.running.insert(id, ended(answers).boxed());
        Ok(())
    }

    /// What is sent for an answer of an operation. One that was refused is an error, which ends it.
    fn tell(&mut self, id: &str, told: Option<Answered>) -> Value {
        let Some(answered) = told else {
            self.running.remove(id);
            return json!({ "type": "complete", "id": id });
        };
        let body = http::body(&answered);
        if body.get("data").is_none() {
            self.running.remove(id);
            return json!({ "type": "error", "id": id, "payload": body["errors"] });
        }
        json!({ "type": "next", "id": id, "payload": body })
    }
}

/// The caller's key, session or wallet works no longer.
fn forbidden() -> End {
    End(4403, "Forbidden".into())
}

fn stopping() -> End {
    End(1001, "the node is stopping".into())
}

fn ended(answers: impl Stream<Item = Answered>) -> impl Stream<Item = Option<Answered>> {
    answers.map(Some).chain(stream::once(async { None }))
}
