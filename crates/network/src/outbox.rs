//! Events on their way to the node. A slow node must not make the network hold an unbounded amount:
//! who is up is kept as a state, of which only the differences are told; everything else is dropped
//! when too much waits, and dropping says no to whoever sent it.

use opensky_ports::TransportEvent;
use opensky_types::NodeId;
use std::collections::{BTreeSet, VecDeque};
use tokio::sync::mpsc;

/// The queue.
pub(crate) struct Outbox {
    events: mpsc::Sender<TransportEvent>,
    queue: Queue,
    waiting_max: usize,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<TransportEvent>,
    up: BTreeSet<NodeId>,
    told: BTreeSet<NodeId>,
}

impl Outbox {
    pub fn new(events: mpsc::Sender<TransportEvent>, waiting_max: usize) -> Self {
        Self { events, queue: Queue::default(), waiting_max }
    }

    /// A member's first connection is up, or its last is gone.
    pub fn set_up(&mut self, node: NodeId, up: bool) {
        if up {
            self.queue.up.insert(node);
        } else {
            self.queue.up.remove(&node);
        }
        self.flush();
    }

    /// Sends or queues an event. `false`: dropped, for too many wait.
    pub fn push(&mut self, event: TransportEvent) -> bool {
        if self.queue.waiting.len() >= self.waiting_max {
            return false;
        }
        self.queue.waiting.push_back(event);
        self.flush();
        true
    }

    /// Whether something waits for room.
    pub fn is_waiting(&self) -> bool {
        !self.queue.waiting.is_empty() || self.queue.up != self.queue.told
    }

    /// The node's end, to wait for room.
    pub fn sender(&self) -> mpsc::Sender<TransportEvent> {
        self.events.clone()
    }

    /// Sends what fits: first who is up and who is not, for the rest may speak of them.
    pub fn flush(&mut self) {
        while let Ok(slot) = self.events.try_reserve() {
            match self.queue.next() {
                Some(event) => slot.send(event),
                None => return,
            }
        }
    }
}

impl Queue {
    fn next(&mut self) -> Option<TransportEvent> {
        if let Some(node) = self.told.difference(&self.up).next().copied() {
            self.told.remove(&node);
            return Some(TransportEvent::PeerDown { node });
        }
        if let Some(node) = self.up.difference(&self.told).next().copied() {
            self.told.insert(node);
            return Some(TransportEvent::PeerUp { node });
        }
        self.waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::Outbox;
    use opensky_ports::TransportEvent;
    use opensky_types::NodeId;
    use tokio::sync::mpsc;

    fn node(byte: u8) -> NodeId {
        NodeId::from_public_key([byte; 32])
    }

    fn names(receiver: &mut mpsc::Receiver<TransportEvent>) -> Vec<String> {
        let mut names = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            names.push(match event {
                TransportEvent::PeerUp { node } => format!("up {}", node.public_key()[0]),
                TransportEvent::PeerDown { node } => format!("down {}", node.public_key()[0]),
                TransportEvent::Welcomed { from, .. } => format!("welcome {}", from.public_key()[0]),
                _ => "other".to_owned(),
            });
        }
        names
    }

    fn welcome(byte: u8) -> TransportEvent {
        TransportEvent::Welcomed { from: node(byte), address: String::new(), body: Vec::new() }
    }

    #[test]
    fn up_and_down_are_never_lost_and_come_before_what_follows_them() {
        let (sender, mut receiver) = mpsc::channel(1);
        let mut outbox = Outbox::new(sender, 2);
        assert!(outbox.push(welcome(9)));
        outbox.set_up(node(1), true);
        outbox.set_up(node(2), true);
        assert!(outbox.push(welcome(1)));
        assert!(outbox.push(welcome(2)));
        assert!(!outbox.push(welcome(3)), "the queue is bounded");
        outbox.set_up(node(2), false);
        let mut seen = Vec::new();
        while outbox.is_waiting() {
            seen.extend(names(&mut receiver));
            outbox.flush();
        }
        seen.extend(names(&mut receiver));
        assert_eq!(seen, ["welcome 9", "up 1", "welcome 1", "welcome 2"]);
    }
}
