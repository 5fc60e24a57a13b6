//! One listener: who comes in is served over HTTP/1.1, each in a task of its own, and cannot keep a connection
//! by saying nothing, nor by reading nothing.

use crate::{moving::Moving, source::Source};
use axum::{Router, body::Body, extract::Request, serve::Listener};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{net::SocketAddr, pin::pin, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// How long a caller may take from the start of a connection, or from the answer before, until the head of a
/// request is there.
const HEAD_MAX: Duration = Duration::from_secs(30);
/// How long requests that are open may take to end, once the node stops.
const ENDING_MAX: Duration = Duration::from_secs(60);

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

/// Serves one connection until its caller leaves or dawdles, or until `stop` fires and nothing is open, or what is
/// has had its time.
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
    let mut connection = pin!(http.serve_connection(TokioIo::new(Moving::new(io)), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let Ok(ended) = timeout(ENDING_MAX, connection).await else {
                tracing::debug!(?source, "a connection is cut off: the node stops");
                return;
            };
            ended
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, ?source, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moving::STALL_MAX;
    use axum::{Extension, body::Bytes, routing::get};
    use futures::stream;
    use std::convert::Infallible;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        task::JoinHandle,
        time::{Instant, sleep},
    };

    /// An answer that is larger than what waits on its way.
    const LARGE_BYTES: usize = 4 * 1024 * 1024;

    fn served() -> (DuplexStream, JoinHandle<()>, CancellationToken) {
        let (line, other) = duplex(4096);
        let whence = |Extension(source): Extension<Source>| async move { format!("{source:?}") };
        let large = || async { vec![b'x'; LARGE_BYTES] };
        let endless = || async {
            Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; 1024]))))
        };
        let routes = Router::new().route("/", get(whence)).route("/large", get(large));
        let (routes, stop) = (routes.route("/endless", get(endless)), CancellationToken::new());
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

    #[tokio::test(start_paused = true)]
    async fn w5_who_never_reads_an_answer_is_let_go() {
        for path in ["/large", "/endless"] {
            let (mut line, served, _stop) = served();
            let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            line.write_all(head.as_bytes()).await.expect("sent");
            let started = Instant::now();
            served.await.expect("no panic");
            let took = started.elapsed();
            assert!(took >= STALL_MAX && took <= STALL_MAX + Duration::from_secs(2), "{path}: {took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn w5_who_reads_slowly_gets_the_whole_answer() {
        let (mut line, served, _stop) = served();
        line.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
        let (mut answer, mut piece) = (Vec::new(), [0; 1024]);
        for _ in 0..10 {
            sleep(STALL_MAX - Duration::from_secs(1)).await;
            line.read_exact(&mut piece).await.expect("it goes on");
            answer.extend(piece);
        }
        line.read_to_end(&mut answer).await.expect("all of it");
        assert!(answer.len() > LARGE_BYTES && answer.ends_with(&[b'x'; 1024]), "{}", answer.len());
        served.await.expect("no panic");
    }

    #[tokio::test(start_paused = true)]
    async fn w5_a_stream_that_is_open_holds_the_end_up_for_a_moment_only() {
        for reads in [false, true] {
            let (mut line, served, stop) = served();
            line.write_all(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
            sleep(Duration::from_secs(5)).await;
            let reader = tokio::spawn(async move {
                let mut piece = [0; 1024];
                while !reads || line.read(&mut piece).await.is_ok_and(|count| count > 0) {
                    sleep(Duration::from_secs(1)).await;
                }
            });
            let started = Instant::now();
            stop.cancel();
            served.await.expect("no panic");
            assert!(started.elapsed() <= ENDING_MAX + Duration::from_secs(1), "{:?}", started.elapsed());
            reader.abort();
        }
    }
}
