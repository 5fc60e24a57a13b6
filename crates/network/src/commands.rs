//! How the handle talks to the task. Calls that want an answer wait in a bounded queue. Orders do
//! not wait: the last word on each matter replaces those before it, so they need no queue and none
//! can be lost.

use libp2p::Multiaddr;
use opensky_ports::{ByteStream, TransportError, transport::NetworkView};
use opensky_types::{Hash, NodeId};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};
use tokio::sync::{Notify, oneshot};

pub(crate) type OpenAnswer = oneshot::Sender<Result<ByteStream, TransportError>>;
pub(crate) type KnockReply = oneshot::Sender<Result<Vec<u8>, TransportError>>;

/// A call of the node that has an answer, or that may be dropped when too many wait.
pub(crate) enum Call {
    Open { to: NodeId, protocol: &'static str, answer: OpenAnswer },
    Knock { node: NodeId, addresses: Vec<Multiaddr>, body: Vec<u8>, answer: KnockReply },
    Gossip { topic: &'static str, bytes: Vec<u8> },
    Find { key: Hash, answer: oneshot::Sender<Vec<NodeId>> },
    View { answer: oneshot::Sender<NetworkView> },
    Nearby { answer: oneshot::Sender<Vec<(NodeId, Vec<String>)>> },
}

/// What the node says about another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Member(Vec<Multiaddr>),
    Expelled,
}

/// Orders not yet carried out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    pub standings: BTreeMap<NodeId, Standing>,
    pub advertised: Option<Vec<Hash>>,
    pub knock_body: Option<Vec<u8>>,
    pub shut_down: bool,
}

/// The orders' mailbox.
#[derive(Default)]
pub(crate) struct Orders {
    pending: Mutex<Pending>,
    changed: Notify,
}

impl Orders {
    pub fn set_standing(&self, node: NodeId, standing: Standing) {
        let mut pending = self.lock();
        match (pending.standings.get_mut(&node), standing) {
            (Some(Standing::Member(known)), Standing::Member(more)) => known.extend(more),
            (_, standing) => {
                pending.standings.insert(node, standing);
            }
        }
        drop(pending);
        self.changed.notify_one();
    }

    pub fn set_advertised(&self, keys: Vec<Hash>) {
        self.lock().advertised = Some(keys);
        self.changed.notify_one();
    }

    pub fn set_knock_body(&self, body: Vec<u8>) {
        self.lock().knock_body = Some(body);
        self.changed.notify_one();
    }

    pub fn shut_down(&self) {
        self.lock().shut_down = true;
        self.changed.notify_one();
    }

    /// Waits until there may be orders.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes what is there.
    pub fn take(&self) -> Pending {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().expect("no code panics while holding this lock")
    }
}
