//! One listener: who comes in is served over HTTP/1.1, each in a task of its own, and cannot keep a connection
//! by saying nothing.

use crate::source::Source;
use axum::{Router, body::Body, extract::Request, serve::Listener};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{net::SocketAddr, pin::pin, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// How long a caller may take from the start of a connection, or from the answer before, until the head of a
/// request is there.
const HEAD_MAX: Duration = Duration::from_secs(30);

/// Serves whoever comes in until `stop` fires, then waits for the requests that are open.
pub(crate) async fn listen<L>(mut listener: L, routes: Router, stop: &CancellationToken)
where
    L: Listener<Addr = SocketAddr>,
{
    let connections = TaskTracker::new();
    loop {
        let (io, from) = tokio::select! {
            taken = listener.accept() => taken,
            () = stop.cancelled() => break,
        };
        connections.spawn(serve(io, from.into(), routes.clone(), stop.clone()));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Serves one connection until its caller leaves or dawdles, or until `stop` fires and nothing is open.
async fn serve<T>(io: T, source: Source, routes: Router, stop: CancellationToken)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(source);
        routes.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
    let mut connection = pin!(http.serve_connection(TokioIo::new(io), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, ?source, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Extension, routing::get};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        task::JoinHandle,
        time::{Instant, sleep},
    };

    fn served() -> (DuplexStream, JoinHandle<()>, CancellationToken) {
        let (line, other) = duplex(4096);
        let whence = |Extension(source): Extension<Source>| async move { format!("{source:?}") };
        let (routes, stop) = (Router::new().route("/", get(whence)), CancellationToken::new());
        (line, tokio::spawn(serve(other, Source::HERE, routes, stop.clone())), stop)
    }

    #[tokio::test(start_paused = true)]
    async fn w5_a_head_that_comes_drop_by_drop_is_not_waited_for() {
        let (mut line, served, _stop) = served();
        let started = Instant::now();
        line.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").await.expect("sent");
        while !served.is_finished() {
            sleep(Duration::from_secs(1)).await;
            if line.write_all(b"A: b\r\n").await.is_err() {
                break;
            }
        }
        served.await.expect("no panic");
        assert!(started.elapsed() <= HEAD_MAX + Duration::from_secs(2), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn w5_a_connection_that_asks_nothing_more_ends() {
        let (mut line, served, _stop) = served();
        line.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
        let (started, mut answer) = (Instant::now(), String::new());
        line.read_to_string(&mut answer).await.expect("it ends");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("127.0.0.1"), "{answer}");
        served.await.expect("no panic");
        assert!(started.elapsed() <= HEAD_MAX + Duration::from_secs(2), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_ends_with_the_server() {
        let (mut line, served, stop) = served();
        line.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
        let mut first = [0; 12];
        line.read_exact(&mut first).await.expect("an answer");
        let started = Instant::now();
        stop.cancel();
        served.await.expect("no panic");
        assert!(started.elapsed() < Duration::from_secs(1), "at once");
    }
}
