//! Nodes on loopback, any port, and waiting for what they say.

use opensky_network::{Config, Network};
use opensky_ports::{
    ByteStream, Transport, TransportEvent,
    transport::{GossipVerdict, KnockAnswer},
};
use opensky_types::{Hash, Keypair, NodeId};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};

pub const PROTOCOL: &str = "/opensky/echo/1";
pub const TOPIC: &str = "offers/1";
/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A key that no other test node has.
pub fn key() -> Keypair {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Keypair::from_seed(*Hash::of(&count.to_le_bytes()).as_bytes())
}

/// A closed sky on this machine.
pub fn config() -> Config {
    Config {
        sky: Hash::of(b"test sky"),
        loopback_only: true,
        protocols: vec![PROTOCOL],
        topics: vec![TOPIC],
        version: "test".to_owned(),
        ..Config::default()
    }
}

/// A running node.
pub struct Node {
    pub id: NodeId,
    pub network: Arc<Network>,
    pub events: mpsc::Receiver<TransportEvent>,
}

impl Node {
    pub fn start(config: Config) -> Self {
        Self::with_key(config, &key())
    }

    pub fn with_key(config: Config, key: &Keypair) -> Self {
        // `RUST_LOG=opensky_network=debug` shows what happens; already set up: fine.
        let logs = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(logs).with_test_writer().try_init();
        let (network, events) = Network::start(config, key).expect("a free port on loopback");
        Self { id: key.id(), network: Arc::new(network), events }
    }

    pub async fn addresses(&self) -> Vec<String> {
        self.network.view().await.listening
    }

    /// The QUIC address, with the node's name at its end.
    pub async fn entrance(&self) -> String {
        let all = self.addresses().await;
        let quic = all.iter().find(|text| text.starts_with("/ip4/") && text.contains("quic-v1"));
        format!("{}/p2p/{}", quic.expect("listens on QUIC"), self.id)
    }

    /// The next event that `pick` picks; others are dropped.
    pub async fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(TransportEvent) -> Option<T>) -> T {
        let picked = async {
            loop {
                let event = self.events.recv().await.unwrap_or_else(|| panic!("ended before {what}"));
                if let Some(picked) = pick(event) {
                    return picked;
                }
            }
        };
        timeout(PATIENCE, picked).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }

    pub async fn up(&mut self, peer: NodeId) {
        let is_it = |event| matches!(event, TransportEvent::PeerUp { node } if node == peer).then_some(());
        self.wait("a member to be up", is_it).await;
    }

    pub async fn down(&mut self, peer: NodeId) {
        let is_it = |event| matches!(event, TransportEvent::PeerDown { node } if node == peer).then_some(());
        self.wait("a member to be down", is_it).await;
    }

    /// The next stream.
    pub async fn stream(&mut self) -> (NodeId, ByteStream) {
        self.wait("a stream", |event| match event {
            TransportEvent::Stream { from, stream, .. } => Some((from, stream)),
            _ => None,
        })
        .await
    }

    /// Answers the next knock; returns who knocked with what.
    pub async fn answer(&mut self, body: &[u8], admitted: bool) -> (NodeId, Vec<u8>) {
        let (from, shown, answer) = self
            .wait("a knock", |event| match event {
                TransportEvent::Knocked { from, body, answer, .. } => Some((from, body, answer)),
                _ => None,
            })
            .await;
        answer.send(KnockAnswer { body: body.to_vec(), admitted }).expect("a knock waits");
        (from, shown)
    }

    /// Serves like a node that lets everyone in who shows `credential`, accepts all gossip, and
    /// echoes streams. Returns when the network ends.
    pub async fn serve(mut self, credential: &'static [u8]) {
        while let Some(event) = self.events.recv().await {
            match event {
                TransportEvent::Knocked { body, answer, .. } => {
                    let admitted = body == credential;
                    let _ = answer.send(KnockAnswer { body: b"welcome".to_vec(), admitted });
                }
                TransportEvent::Welcomed { from, address, .. } => self.network.admit(from, vec![address]),
                TransportEvent::Gossip { verdict, .. } => drop(verdict.send(GossipVerdict::Accept)),
                TransportEvent::Stream { stream, .. } => drop(tokio::spawn(echo(stream))),
                TransportEvent::PeerUp { .. } | TransportEvent::PeerDown { .. } => {}
            }
        }
    }
}

async fn echo(stream: ByteStream) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    // A peer that goes away ends its own test.
    let _ = tokio::io::copy(&mut reader, &mut writer).await;
    let _ = tokio::io::AsyncWriteExt::shutdown(&mut writer).await;
}

/// Two nodes that know each other as members and are up.
pub async fn pair(change: impl Fn(&mut Config)) -> (Node, Node) {
    let mut settings = config();
    change(&mut settings);
    let mut one = Node::start(settings.clone());
    let mut other = Node::start(settings);
    befriend(&mut one, &mut other).await;
    (one, other)
}

/// Makes both members for each other and waits until they are up.
pub async fn befriend(one: &mut Node, other: &mut Node) {
    other.network.admit(one.id, Vec::new());
    one.network.admit(other.id, other.addresses().await);
    one.up(other.id).await;
    other.up(one.id).await;
}
