//! The network's handle, and how it starts.

use crate::{
    addresses::{self, BadAddress},
    commands::{Call, Orders, Standing},
    config::Config,
    driver::Driver,
};
use async_trait::async_trait;
use opensky_ports::{ByteStream, Transport, TransportError, TransportEvent, transport::NetworkView};
use opensky_types::{Hash, Keypair, NodeId};
use std::sync::{Arc, Mutex};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// A running network. All its work is done by one task, which ends with [`Transport::shut_down`] or
/// when this handle is dropped.
pub struct Network {
    node: NodeId,
    calls: mpsc::Sender<Call>,
    orders: Arc<Orders>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// Why a network did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address in the configuration is not one.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// The port is taken, or may not be used.
    #[error("cannot listen on port {port}: {source}; another node may run on it, or choose another port")]
    Listen { port: u16, source: std::io::Error },
    /// A part of libp2p refused its settings.
    #[error("cannot set up {part}: {source}")]
    Setup { part: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
}

impl Network {
    /// Starts listening and connecting. Must be called inside a tokio runtime. The receiver yields
    /// everything that happens until the network is shut down.
    pub fn start(
        config: Config,
        key: &Keypair,
    ) -> Result<(Self, mpsc::Receiver<TransportEvent>), StartError> {
        let (events, receiver) = mpsc::channel(config.limits.events_max.max(1));
        let (calls, inbox) = mpsc::channel(config.limits.calls_max.max(1));
        let orders = Arc::new(Orders::default());
        let driver = Driver::new(config, key, events, inbox, orders.clone())?;
        let task = Mutex::new(Some(tokio::spawn(driver.run())));
        Ok((Self { node: key.id(), calls, orders, task }, receiver))
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// What the network shows from now on when it knocks by itself: this node's membership.
    pub fn set_knock_body(&self, body: Vec<u8>) {
        self.orders.set_knock_body(body);
    }

    /// Nodes heard on the local network (mDNS), members or not, with their addresses.
    pub async fn nearby(&self) -> Vec<(NodeId, Vec<String>)> {
        self.ask(|answer| Call::Nearby { answer }).await.unwrap_or_default()
    }

    async fn ask<T>(&self, call: impl FnOnce(oneshot::Sender<T>) -> Call) -> Result<T, TransportError> {
        let (answer, answered) = oneshot::channel();
        self.calls.try_send(call(answer)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => TransportError::Busy,
            mpsc::error::TrySendError::Closed(_) => TransportError::Closed,
        })?;
        answered.await.map_err(|_| TransportError::Closed)
    }
}

#[async_trait]
impl Transport for Network {
    async fn open(&self, to: NodeId, protocol: &'static str) -> Result<ByteStream, TransportError> {
        self.ask(|answer| Call::Open { to, protocol, answer }).await?
    }

    async fn knock(
        &self,
        node: NodeId,
        addresses: Vec<String>,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, TransportError> {
        let addresses = addresses::parse_all(&addresses);
        self.ask(|answer| Call::Knock { node, addresses, body, answer }).await?
    }

    fn admit(&self, node: NodeId, addresses: Vec<String>) {
        self.orders.set_standing(node, Standing::Member(addresses::parse_all(&addresses)));
    }

    fn expel(&self, node: NodeId) {
        self.orders.set_standing(node, Standing::Expelled);
    }

    fn gossip(&self, topic: &'static str, bytes: Vec<u8>) {
        if self.calls.try_send(Call::Gossip { topic, bytes }).is_err() {
            tracing::warn!(topic, "gossip dropped: too many calls wait, or the network is shut down");
        }
    }

    fn advertise(&self, keys: Vec<Hash>) {
        self.orders.set_advertised(keys);
    }

    async fn find(&self, key: Hash) -> Vec<NodeId> {
        self.ask(|answer| Call::Find { key, answer }).await.unwrap_or_default()
    }

    async fn view(&self) -> NetworkView {
        self.ask(|answer| Call::View { answer }).await.unwrap_or_default()
    }

    async fn shut_down(&self) {
        self.orders.shut_down();
        let task = self.task.lock().expect("no code panics while holding this lock").take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the network's task failed");
        }
    }
}
