//! The way to a service from this node: over any of its replicas that answers.

use super::{Instances, NoRoute, Node, Route, ServiceEvent, Target, asking::ask_on_stream};
use crate::event::Event;
use async_trait::async_trait;
use opensky_ports::{ByteStream, Outlet, Transport};
use opensky_protocol::service::{ServiceAsk, ServiceReply};
use opensky_types::{
    NodeId, Timestamp,
    service::{Refusal, ReplicaId},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{Semaphore, mpsc, oneshot},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Longest wait for one replica to take a connection.
const DIAL_WAIT: Duration = Duration::from_secs(3);
/// How long a connection waits for a replica that answers: long enough for one that died to be replaced.
const REACH_WAIT: Duration = Duration::from_secs(15);
/// Wait between two rounds over all replicas.
const AGAIN: Duration = Duration::from_millis(200);
/// Connections at a time through one local port.
const CONNECTIONS_MAX: usize = 1_024;

/// Connections by replica.
#[derive(Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<BTreeMap<ReplicaId, u32>>>);

/// One connection, until it is dropped.
pub(crate) struct Counted {
    counts: Counts,
    replica: ReplicaId,
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ReplicaId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn one_more(&self, replica: ReplicaId) -> Counted {
        *self.lock().entry(replica).or_default() += 1;
        Counted { counts: self.clone(), replica }
    }

    pub(crate) fn all(&self) -> BTreeMap<ReplicaId, u32> {
        self.lock().clone()
    }

    fn of(&self, replica: ReplicaId) -> u32 {
        self.lock().get(&replica).copied().unwrap_or(0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.replica) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.replica);
            }
        }
    }
}

/// A stream that is counted while it is open.
struct CountedStream {
    stream: ByteStream,
    _counted: [Option<Counted>; 2],
}

/// Reaches services on behalf of whoever has it.
#[derive(Clone)]
pub(crate) struct Reacher {
    own: NodeId,
    transport: Arc<dyn Transport>,
    events: mpsc::Sender<Event>,
    instances: Instances,
    hosted: Counts,
    led: Counts,
    tasks: TaskTracker,
}

impl Node {
    pub(crate) fn reacher(&self) -> Reacher {
        Reacher {
            own: self.own,
            transport: Arc::clone(&self.transport),
            events: self.events.clone(),
            instances: Arc::clone(&self.services.instances),
            hosted: self.services.hosted_connections.clone(),
            led: self.services.led_connections.clone(),
            tasks: self.tasks.clone(),
        }
    }

    /// Replicas that take connections, the least used one first, then the nearest.
    pub(super) fn routes(&self, now: Timestamp, target: &Target) -> Result<Vec<Route>, NoRoute> {
        let directory = &self.services.directory;
        let resolved = directory.resolve(&target.service, self.own)?;
        let declaration = directory.declaration(resolved.service);
        if declaration.is_some_and(|declaration| !declaration.ports.contains(&target.port)) {
            return Err(NoRoute::NoSuchPort(target.port));
        }
        let answering = directory.answering(now, resolved.service).into_iter();
        let mut routes: Vec<Route> = answering.map(|(replica, node)| Route { replica, node }).collect();
        routes.sort_by_cached_key(|route| {
            let is_own = route.node == self.own;
            let rtt_us = if is_own { 0 } else { self.rtt_us.get(&route.node).copied().unwrap_or(u64::MAX) };
            (self.services.led_connections.of(route.replica), rtt_us)
        });
        Ok(routes)
    }
}

impl Reacher {
    /// A stream to a replica that answers, waiting for one if there is none right now.
    pub(crate) async fn reach(&self, target: &Target) -> io::Result<ByteStream> {
        let give_up_at = Instant::now() + REACH_WAIT;
        loop {
            let problem = match self.routes(target).await? {
                Err(no_route @ NoRoute::NoSuchPort(_)) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, no_route));
                }
                Err(NoRoute::Unknown(unknown)) => unknown.to_string(),
                Ok(routes) => {
                    for route in routes {
                        if let Some(stream) = self.try_route(route, target.port).await? {
                            return Ok(stream);
                        }
                    }
                    format!("no replica of {} answers", target.service)
                }
            };
            if Instant::now() >= give_up_at {
                return Err(io::Error::new(io::ErrorKind::ConnectionRefused, problem));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn routes(&self, target: &Target) -> io::Result<Result<Vec<Route>, NoRoute>> {
        let (answer, answered) = oneshot::channel();
        let asked = ServiceEvent::RoutesAsked { target: target.clone(), answer };
        let gone = |_| io::Error::other("the node has stopped");
        self.events.send(Event::Service(Box::new(asked))).await.map_err(|_| gone(()))?;
        answered.await.map_err(|_| gone(()))
    }

    /// One replica; `None` if it does not answer, an error if trying others is of no use.
    async fn try_route(&self, route: Route, port: u16) -> io::Result<Option<ByteStream>> {
        let led = self.led.one_more(route.replica);
        let dialled = tokio::time::timeout(DIAL_WAIT, self.dial(route, port)).await;
        match dialled {
            Ok(Ok((stream, hosted))) => {
                Ok(Some(Box::new(CountedStream { stream, _counted: [Some(led), hosted] })))
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidInput => Err(error),
            Ok(Err(_)) | Err(_) => {
                let doubted = ServiceEvent::Doubted { replica: route.replica };
                let _ = self.events.send(Event::Service(Box::new(doubted))).await;
                Ok(None)
            }
        }
    }

    async fn dial(&self, route: Route, port: u16) -> io::Result<(ByteStream, Option<Counted>)> {
        if route.node == self.own {
            let running =
                self.instances.lock().unwrap_or_else(PoisonError::into_inner).get(&route.replica).cloned();
            let instance = running.ok_or(io::ErrorKind::ConnectionRefused)?;
            let counted = self.hosted.one_more(route.replica);
            return Ok((instance.dial(port).await?, Some(counted)));
        }
        let ask = ServiceAsk::Dial { replica: route.replica, port };
        match ask_on_stream(self.transport.as_ref(), route.node, &ask).await? {
            (ServiceReply::Opened, stream) => Ok((stream, None)),
            (ServiceReply::Refused { refusal: refusal @ Refusal::NoSuchPort }, _) => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, refusal))
            }
            (ServiceReply::Refused { refusal }, _) => {
                Err(io::Error::new(io::ErrorKind::ConnectionRefused, refusal))
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// The way out of a replica whose outlets lead to `targets`.
    pub(crate) fn outlet(&self, targets: Vec<Target>) -> impl Outlet + use<> {
        Ways { reacher: self.clone(), targets }
    }

    /// Leads every connection to a local port to the service, until told to stop.
    pub(crate) async fn serve_port(self, listener: TcpListener, target: Target, stop: CancellationToken) {
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            let (mut stream, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of files, mostly: time helps.
                    tracing::warn!(%error, "a connection to a service could not be taken");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            };
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
            let (reacher, target, stop) = (self.clone(), target.clone(), stop.clone());
            self.tasks.spawn(async move {
                let _permit = permit;
                let leading = async {
                    let mut inner = reacher.reach(&target).await?;
                    tokio::io::copy_bidirectional(&mut stream, &mut inner).await
                };
                if let Some(Err(error)) = stop.run_until_cancelled(leading).await {
                    tracing::debug!(%from, service = %target.service, %error, "a connection to a service ended");
                }
            });
        }
    }
}

/// What the outlets of one replica lead to.
struct Ways {
    reacher: Reacher,
    targets: Vec<Target>,
}

#[async_trait]
impl Outlet for Ways {
    async fn connect(&self, index: usize) -> io::Result<ByteStream> {
        let target = self.targets.get(index).ok_or(io::ErrorKind::NotFound)?;
        self.reacher.reach(target).await
    }
}

impl AsyncRead for CountedStream {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::pin::Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
