//! Listening for callers from other machines: how many at a time, and each over TLS before a byte of it is
//! read as HTTP.

use crate::tls::Tls;
use axum::serve::Listener;
use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
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

/// Most connections at a time.
const CONNECTIONS_MAX: usize = 1_024;
/// Most connections of one address at a time.
const OF_ADDRESS_MAX: usize = 64;
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
    /// Takes connections in until it is dropped.
    pub(crate) fn start(remote: Remote) -> io::Result<Self> {
        let address = remote.listener.local_addr()?;
        let (sender, ready) = mpsc::channel(WAITING_MAX);
        tokio::spawn(accept(remote.listener, remote.tls, sender));
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

async fn accept(listener: TcpListener, tls: Option<Tls>, sender: mpsc::Sender<(Wire, SocketAddr)>) {
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
                sleep(PAUSE).await;
                continue;
            }
        };
        let Some(place) = places.take(from.ip()) else {
            tracing::debug!(%from, "a connection too many");
            continue;
        };
        let (tls, sender) = (tls.clone(), sender.clone());
        // Beside the loop, so that one who dawdles holds up nobody.
        tokio::spawn(async move {
            if let Some(kind) = agreed(stream, tls).await {
                let _ = sender.send((Wire { kind, _place: place }, from)).await;
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
struct Places(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// A connection's place; free again when dropped.
struct Place(Places, IpAddr);

impl Places {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, ip: IpAddr) -> Option<Place> {
        let mut taken = self.lock();
        let (all, own) = (taken.values().sum::<usize>(), taken.get(&ip).copied().unwrap_or(0));
        if all >= CONNECTIONS_MAX || own >= OF_ADDRESS_MAX {
            return None;
        }
        *taken.entry(ip).or_default() += 1;
        Some(Place(self.clone(), ip))
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
    use std::net::Ipv4Addr;

    #[test]
    fn w5_connections_are_bounded_in_all_and_by_address() {
        let (places, greedy) = (Places::default(), IpAddr::from([10, 0, 0, 1]));
        let mut taken: Vec<Place> = (0..OF_ADDRESS_MAX).filter_map(|_| places.take(greedy)).collect();
        assert_eq!(taken.len(), OF_ADDRESS_MAX);
        assert!(places.take(greedy).is_none(), "it has its share");
        let others = (0u32..).map(|number| IpAddr::from(Ipv4Addr::from_bits(0x0b00_0000 + number)));
        taken.extend(others.take(2 * CONNECTIONS_MAX).filter_map(|ip| places.take(ip)));
        assert_eq!(taken.len(), CONNECTIONS_MAX);
        taken.remove(0);
        assert!(places.take(greedy).is_some(), "a place is free again");
        drop(taken);
        assert!(places.lock().is_empty());
    }
}
