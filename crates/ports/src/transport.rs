//! Other nodes: connections, streams, gossip, lookups. Bytes only; meaning is the node's.

use async_trait::async_trait;
use opensky_types::{Hash, NodeId};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
};

/// A stream of bytes both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// An open stream.
pub type ByteStream = Box<dyn Duplex>;

/// How a peer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Straight to it.
    Direct,
    /// Through another node.
    Relayed,
}

/// A connected member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerView {
    /// Who.
    pub node: NodeId,
    /// How.
    pub path: Path,
    /// Its address, as a multiaddress.
    pub address: String,
    /// Last round trip, in microseconds, once measured.
    pub rtt_us: Option<u64>,
    /// Software and version it says to run.
    pub agent: String,
}

/// The network as this node sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkView {
    /// Connected members.
    pub peers: Vec<PeerView>,
    /// Where this node listens.
    pub listening: Vec<String>,
    /// Where others say that they reach it.
    pub external: Vec<String>,
    /// What AutoNAT found: `public`, `private` or `unknown`.
    pub reachability: String,
    /// Bytes sent and received since start, all traffic.
    pub sent_bytes: u64,
    /// See `sent_bytes`.
    pub received_bytes: u64,
}

/// How a gossiped message was judged. It is forwarded only when accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GossipVerdict {
    /// Right and new.
    Accept,
    /// Right but useless, such as an old offer.
    Ignore,
    /// Wrong; its sender loses standing.
    Reject,
}

/// The answer to a knock.
#[derive(Debug)]
pub struct KnockAnswer {
    /// What the other side reads.
    pub body: Vec<u8>,
    /// Whether it may stay.
    pub admitted: bool,
}

/// What happens on the network.
pub enum TransportEvent {
    /// A connected node that is not a known member shows its credentials. Until it is admitted it
    /// can do nothing else.
    Knocked {
        /// Who, by the key its connection was made with.
        from: NodeId,
        /// Its address as a multiaddress.
        address: String,
        /// What it showed.
        body: Vec<u8>,
        /// The answer. Dropping it refuses.
        answer: oneshot::Sender<KnockAnswer>,
    },
    /// A node this one knocked at by itself (a bootstrap or discovered peer) let it in; `body` is
    /// what it showed in turn. The node answers with [`Transport::admit`] or lets it go.
    Welcomed { from: NodeId, address: String, body: Vec<u8> },
    /// A member is connected and ready.
    PeerUp { node: NodeId },
    /// The last connection to a member is gone.
    PeerDown { node: NodeId },
    /// A member opened a stream.
    Stream { from: NodeId, protocol: &'static str, stream: ByteStream },
    /// A member's gossip arrived.
    Gossip { topic: &'static str, from: NodeId, bytes: Vec<u8>, verdict: oneshot::Sender<GossipVerdict> },
}

/// Why a call to another node failed.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No way there.
    #[error("cannot reach {node}: {reason}")]
    Unreachable { node: NodeId, reason: String },
    /// It does not speak this version of the protocol.
    #[error("{node} does not speak {protocol}; it may run another version")]
    Unsupported { node: NodeId, protocol: &'static str },
    /// Too many calls wait already.
    #[error("too many calls are waiting")]
    Busy,
    /// The network was shut down.
    #[error("the network is shut down")]
    Closed,
}

/// The network. Its events come through the channel that the implementation hands out at start.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Opens a stream to a member, dialling it if needed.
    async fn open(&self, to: NodeId, protocol: &'static str) -> Result<ByteStream, TransportError>;

    /// Connects to `node` at `addresses`, shows `body`, answers what it says. How a sky is joined.
    async fn knock(
        &self,
        node: NodeId,
        addresses: Vec<String>,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, TransportError>;

    /// Lets a node in, with addresses to remember. Ends what [`Transport::expel`] began.
    fn admit(&self, node: NodeId, addresses: Vec<String>);

    /// Drops a node and refuses it for a while: it broke the protocol.
    fn expel(&self, node: NodeId);

    /// Tells every member.
    fn gossip(&self, topic: &'static str, bytes: Vec<u8>);

    /// Makes this node findable under `keys`, and only those, until the next call.
    fn advertise(&self, keys: Vec<Hash>);

    /// Nodes that advertise `key`, as far as the DHT knows.
    async fn find(&self, key: Hash) -> Vec<NodeId>;

    /// The network as it is now.
    async fn view(&self) -> NetworkView;

    /// Ends all connections.
    async fn shut_down(&self);
}
