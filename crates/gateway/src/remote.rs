//! Listening for callers from other machines: how many at a time, and each over TLS before a byte of it is
//! read as HTTP.

use crate::{source::Source, tls::Tls};
use axum::serve::Listener;
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;

/// Most connections at a time.
const CONNECTIONS_MAX: usize = 1_024;
/// Most connections of one address, or one network of IPv6, at a time.
const OF_SOURCE_MAX: usize = 64;
/// How long a caller may take to agree on keys.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Connections that wait to be served.
const WAITING_MAX: usize = 64;
/// Pause after the system could not take a connection in: it may be short of file handles.
const PAUSE: Duration = Duration::from_millis(500);

/// Where callers from other machines come in.
pub struct Remote {
    /// What listens.
    pub listener: TcpListener,
    /// With what; without it everything can be read and changed on the way.
    pub tls: Option<Tls>,
    /// Names under which the node is reached, beside its addresses.
    pub names: Vec<String>,
}

/// Connections that came in, ready to be served.
pub(crate) struct Incoming {
    ready: mpsc::Receiver<(Wire, SocketAddr)>,
    address: SocketAddr,
}

impl Incoming {
    /// Takes connections in until it is dropped; `tasks` owns what does.
    pub(crate) fn start(remote: Remote, tasks: &TaskTracker) -> io::Result<Self> {
        let address = remote.listener.local_addr()?;
        let (sender, ready) = mpsc::channel(WAITING_MAX);
        tasks.spawn(accept(remote.listener, remote.tls, sender, tasks.clone()));
        Ok(Self { ready, address })
    }
}

impl Listener for Incoming {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        match self.ready.recv().await {
            Some(taken) => taken,
            // What takes connections in ends with this only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<Tls>,
    sender: mpsc::Sender<(Wire, SocketAddr)>,
    tasks: TaskTracker,
) {
    let places = Places::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = sender.closed() => return,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection was not taken in");
                tokio::select! {
                    () = sleep(PAUSE) => continue,
                    () = sender.closed() => return,
                }
            }
        };
        let Some(place) = places.take(from.into()) else {
            tracing::debug!(%from, "a connection too many");
            continue;
        };
        let (tls, sender) = (tls.clone(), sender.clone());
        // Beside the loop, so that one who dawdles holds up nobody.
        tasks.spawn(async move {
            let kind = tokio::select! {
                kind = agreed(stream, tls) => kind,
                () = sender.closed() => None,
            };
            // One that comes when nobody takes it any more is closed by its drop.
            if let Some(kind) = kind
                && sender.send((Wire { kind, _place: place }, from)).await.is_err()
            {
                tracing::debug!(%from, "a connection came too late");
            }
        });
    }
}

/// `None` for a caller who does not speak TLS, or not in time.
async fn agreed(stream: TcpStream, tls: Option<Tls>) -> Option<Kind> {
    stream.set_nodelay(true).ok()?;
    let Some(tls) = tls else { return Some(Kind::Plain(stream)) };
    match timeout(HANDSHAKE_MAX, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => Some(Kind::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a caller does not agree on TLS");
            None
        }
        Err(_) => None,
    }
}

/// Who has how many connections.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<BTreeMap<Source, usize>>>);

/// A connection's place; free again when dropped.
struct Place(Places, Source);

impl Places {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Source, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, source: Source) -> Option<Place> {
        let mut taken = self.lock();
        let (all, own) = (taken.values().sum::<usize>(), taken.get(&source).copied().unwrap_or(0));
        if all >= CONNECTIONS_MAX || own >= OF_SOURCE_MAX {
            return None;
        }
        *taken.entry(source).or_default() += 1;
        Some(Place(self.clone(), source))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.0.lock();
        if let Some(count) = taken.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.1);
            }
        }
    }
}

/// A connection.
pub(crate) struct Wire {
    kind: Kind,
    _place: Place,
}

enum Kind {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Kind::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.kind {
            Kind::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Kind::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Kind::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.kind {
            Kind::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Kind::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    #[test]
    fn w5_connections_are_bounded_in_all_and_by_address() {
        let (places, greedy) = (Places::default(), Source::from(IpAddr::from([10, 0, 0, 1])));
        let mut taken: Vec<Place> = (0..OF_SOURCE_MAX).filter_map(|_| places.take(greedy)).collect();
        assert_eq!(taken.len(), OF_SOURCE_MAX);
        assert!(places.take(greedy).is_none(), "it has its share");
        let others = (0u32..).map(|number| IpAddr::from(Ipv4Addr::from_bits(0x0b00_0000 + number)));
        taken.extend(others.take(2 * CONNECTIONS_MAX).filter_map(|ip| places.take(ip.into())));
        assert_eq!(taken.len(), CONNECTIONS_MAX);
        taken.remove(0);
        assert!(places.take(greedy).is_some(), "a place is free again");
        drop(taken);
        assert!(places.lock().is_empty());
    }
    #[test]
    fn w5_a_network_of_ipv6_has_the_share_of_one_address() {
        let (places, network) = (Places::default(), 0x2001_0db8_0000_0001_u128 << 64);
        let addresses =
            (0..2 * OF_SOURCE_MAX as u128).map(|own| IpAddr::from(Ipv6Addr::from_bits(network + own)));
        let taken: Vec<Place> = addresses.filter_map(|ip| places.take(ip.into())).collect();
        assert_eq!(taken.len(), OF_SOURCE_MAX);
        assert!(places.take(IpAddr::from(Ipv6Addr::from_bits(network + (1 << 64))).into()).is_some());
    }
}
