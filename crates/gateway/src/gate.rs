//! What a request passes before its handler, and its answer after: who asks, whether that caller may, how
//! often and for how long, and what is written down of it.

use crate::{
    auth::{Caller, Door, Needs, allowed, changes},
    graphql::Vouched,
    metrics::Metrics,
    problem::{Answer, Outcome, problem},
    rate::Rates,
    replay::{ANSWER_BYTES_MAX, Begun, Kept, Replays},
    source::Source,
    streams::Streams,
};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use opensky_api::{
    Code, Problem,
    routes::{IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_BYTES_MAX, IDEMPOTENCY_REPLAYED},
};
use opensky_types::{Hash, codec};
use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The target of lines that say who changed what.
pub(crate) const AUDIT: &str = "audit";
/// Longest time until an answer begins, with the reading of the request. The longest wait that a route
/// offers is a third of it.
const TIME_MAX: Duration = Duration::from_secs(90);

/// What all routes share. Each request clones it at every layer that it passes: that is one count.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Shared>);

/// What is behind a [`Gate`].
pub(crate) struct Shared {
    pub(crate) door: Door,
    rates: Rates,
    replays: Arc<Mutex<Replays>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) streams: Streams,
}

impl Gate {
    pub(crate) fn new(door: Door) -> Self {
        let streams = Streams::new(door.tasks.clone());
        let (rates, replays, metrics) = (Rates::default(), Arc::default(), Arc::default());
        Self(Arc::new(Shared { door, rates, replays, metrics, streams }))
    }
}

impl Gate {
    /// Lets a caller in who goes on, over what stays open; or says why not. It is asked for every piece of
    /// work, and counts like a request.
    pub(crate) fn again(&self, caller: &Caller) -> Outcome<Caller> {
        let caller = self.door.still(caller)?;
        let taken = self.rates.take(&caller, Source::HERE, Instant::now());
        taken.map_err(|wait| too_often(&caller, wait)).map(|()| caller)
    }
}

fn lock(replays: &Mutex<Replays>) -> MutexGuard<'_, Replays> {
    replays.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deref for Gate {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// One route's way through the gate.
#[derive(Clone)]
pub(crate) struct Passage {
    pub(crate) gate: Gate,
    /// As in the table.
    pub(crate) route: &'static str,
    pub(crate) needs: Needs,
    /// Whether its answer must begin in time. An upload may take as long as it moves.
    pub(crate) is_timed: bool,
}

/// Lets a request through, or answers why not; counts it, and notes who changed what.
pub(crate) async fn guard(State(passage): State<Passage>, mut request: Request, next: Next) -> Response {
    let (began, method) = (Instant::now(), request.method().clone());
    let caller = match request.extensions_mut().remove::<Vouched>() {
        Some(Vouched(caller)) => passage.gate.door.still(&caller),
        None => passage.gate.door.caller(&request, passage.needs),
    };
    let answer = match caller {
        Ok(caller) => passage.audited(caller, request, next).await,
        Err(answer) => answer.into_response(),
    };
    passage.gate.metrics.count(&method, passage.route, answer.status(), began.elapsed());
    answer
}

impl Passage {
    async fn audited(&self, caller: Caller, mut request: Request, next: Next) -> Response {
        let mut noted = changes(request.method()).then(|| Noted::new(&caller, &request));
        let source = request.extensions().get::<Source>().copied().unwrap_or(Source::HERE);
        request.extensions_mut().insert(caller.clone());
        request.extensions_mut().insert(source);
        let answer = self.admit(&caller, source, request, next).await;
        if let Some(noted) = &mut noted {
            noted.status = Some(answer.status());
        }
        answer
    }

    async fn admit(&self, caller: &Caller, source: Source, request: Request, next: Next) -> Response {
        if let Err(answer) = allowed(caller, self.needs) {
            return answer.into_response();
        }
        if let Err(wait) = self.gate.rates.take(caller, source, Instant::now()) {
            return slowed_down(caller, wait);
        }
        if self.is_timed { in_time(TIME_MAX, next.run(request)).await } else { next.run(request).await }
    }
}

/// A line of the audit log, written when its request ends: also that of a caller who goes away before the
/// answer, as what was asked may be done all the same.
struct Noted {
    caller: String,
    method: Method,
    path: String,
    status: Option<StatusCode>,
}

impl Noted {
    fn new(caller: &Caller, request: &Request) -> Self {
        let (method, path) = (request.method().clone(), request.uri().to_string());
        Self { caller: caller.to_string(), method, path, status: None }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        let Self { caller, method, path, status } = self;
        match status.map(|status| status.as_u16()) {
            Some(status) => tracing::info!(target: AUDIT, %caller, %method, path, status, "request"),
            None => tracing::info!(target: AUDIT, %caller, %method, path, "request whose caller went away"),
        }
    }
}

fn too_often(caller: &Caller, wait: Duration) -> Answer {
    let detail = format!("{caller} asks more often than it may");
    let next = format!("ask again in {} s, and then more slowly", seconds(wait));
    Answer(Problem::new(Code::RateLimited, detail).with_next(next))
}

fn slowed_down(caller: &Caller, wait: Duration) -> Response {
    let mut answer = too_often(caller, wait).into_response();
    answer.headers_mut().insert(header::RETRY_AFTER, seconds(wait).into());
    answer
}

const fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

async fn in_time(time_max: Duration, answer: impl Future<Output = Response>) -> Response {
    tokio::time::timeout(time_max, answer).await.unwrap_or_else(|_| {
        let detail = format!(
            "there was no answer within {} s; it may have been done all the same",
            time_max.as_secs()
        );
        let next = "look whether it was done before you ask again, or ask with an Idempotency-Key";
        Answer(Problem::new(Code::TimedOut, detail).with_next(next)).into_response()
    })
}

/// Does what is asked with an `Idempotency-Key` once, however often it is asked.
pub(crate) async fn once(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY).cloned() else { return next.run(request).await };
    do_once(gate, &key, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn do_once(gate: Gate, key: &HeaderValue, request: Request, next: Next) -> Outcome<Response> {
    let (parts, body) = request.into_parts();
    let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await?;
    let (slot, asked) = (slot(&parts, key)?, asked(&parts, &bytes));
    let begun = lock(&gate.replays).begin(slot, asked, Instant::now());
    match begun {
        Begun::First => {}
        Begun::Again(kept) => return Ok(again(kept)),
        Begun::Running => {
            let detail = "what was asked with this Idempotency-Key is being done; ask again for its answer";
            return Err(problem(Code::IdempotencyRunning, detail));
        }
        Begun::Other => {
            let detail = "this Idempotency-Key was used for another request; each has one of its own";
            return Err(problem(Code::IdempotencyMismatch, detail));
        }
        Begun::Full => return Err(problem(Code::Busy, "too many requests are being done; ask again")),
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    // In a task of its own: it is done and remembered, though whoever asked may go away.
    let replays = Arc::clone(&gate.replays);
    let tasks = gate.streams.tasks.clone();
    let doing = tasks.spawn(async move {
        let kept = kept(next.run(request).await).await;
        let is_answer = kept.as_ref().is_none_or(|kept| !kept.status.is_server_error());
        let kept = kept.unwrap_or_else(|| failed("the answer cannot be kept"));
        lock(&gate.replays).end(slot, is_answer.then(|| kept.clone()));
        kept
    });
    let kept = doing.await.unwrap_or_else(|_| {
        let kept = failed("the request failed on its way");
        lock(&replays).end(slot, Some(kept.clone()));
        kept
    });
    Ok(response(kept))
}

/// Whose key, for what.
fn slot(parts: &Parts, key: &HeaderValue) -> Outcome<Hash> {
    let key = key.to_str().ok().filter(|key| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len()));
    let key = key.ok_or_else(|| {
        let detail =
            format!("an Idempotency-Key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters");
        problem(Code::InvalidRequest, detail)
    })?;
    // Who is given a name anew is another caller than who had it before.
    let caller = parts.extensions.get::<Caller>().map(|caller| (caller.to_string(), caller.named_at()));
    let slot = (caller, parts.method.as_str(), parts.uri.path(), key);
    Ok(Hash::of(&codec::encode(&slot)))
}

/// All that says what is asked.
fn asked(parts: &Parts, body: &Bytes) -> Hash {
    Hash::of(&codec::encode(&(parts.uri.query(), &body[..])))
}

/// `None` if it is too large.
async fn kept(answer: Response) -> Option<Kept> {
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.ok()?;
    let content_type = parts.headers.get(header::CONTENT_TYPE).cloned();
    Some(Kept { status: parts.status, content_type, body })
}

fn failed(what: &str) -> Kept {
    let problem = Problem::new(Code::Internal, format!("{what}; it may have been done all the same"));
    let body = serde_json::to_vec(&problem).expect("a problem is plain data");
    let content_type = HeaderValue::from_static(opensky_api::routes::PROBLEM_CONTENT_TYPE);
    Kept { status: StatusCode::INTERNAL_SERVER_ERROR, content_type: Some(content_type), body: body.into() }
}

fn response(kept: Kept) -> Response {
    let mut answer = (kept.status, kept.body).into_response();
    match kept.content_type {
        Some(content_type) => answer.headers_mut().insert(header::CONTENT_TYPE, content_type),
        None => answer.headers_mut().remove(header::CONTENT_TYPE),
    };
    answer
}

fn again(kept: Kept) -> Response {
    let mut answer = response(kept);
    answer.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn w5_a_handler_that_hangs_is_answered_for() {
        let late = in_time(Duration::ZERO, std::future::pending()).await;
        assert_eq!(late.status().as_u16(), Code::TimedOut.status());
        let soon = in_time(TIME_MAX, async { "done".into_response() }).await;
        assert_eq!(soon.status().as_u16(), 200);
    }

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_caller_asked_who_goes_away_is_noted() {
        let (log, request) =
            (Log::default(), Request::post("/v1/stop").body(Body::empty()).expect("a request"));
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || drop(Noted::new(&Caller::Token, &request)));
        let text = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
        let words = "audit: request whose caller went away caller=token method=POST path=\"/v1/stop\"";
        assert!(text.contains(words), "{text}");
    }
}
