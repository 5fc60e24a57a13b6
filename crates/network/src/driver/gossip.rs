//! Gossip. Nothing is forwarded before the node has judged it.

use super::{Driver, Waiting};
use crate::{addresses, behaviour, config::Config, limits::Buckets};
use futures::FutureExt;
use libp2p::{
    PeerId,
    gossipsub::{self, IdentTopic, MessageAcceptance, MessageId, PublishError, TopicHash},
};
use opensky_ports::{TransportEvent, transport::GossipVerdict};
use opensky_types::NodeId;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, time};

/// Messages that wait for the node's verdict.
const VERDICTS_MAX: usize = 1_024;
/// Time for a verdict. gossipsub keeps the message about as long.
const VERDICT_TIMEOUT: Duration = Duration::from_secs(4);

/// A judged message.
pub(super) struct Judged {
    id: MessageId,
    by: PeerId,
    acceptance: MessageAcceptance,
}

/// Topics, and messages under judgement.
pub(super) struct Gossip {
    names: BTreeMap<&'static str, IdentTopic>,
    topics: BTreeMap<TopicHash, &'static str>,
    pub verdicts: Waiting<Judged>,
    authors: Buckets<NodeId>,
    bytes_max: usize,
}

impl Gossip {
    pub fn new(config: &Config) -> Self {
        let rate = config.limits.gossip_per_second_max;
        let names: BTreeMap<_, _> =
            config.topics.iter().map(|name| (*name, behaviour::topic(config, name))).collect();
        Self {
            topics: names.iter().map(|(name, topic)| (topic.hash(), *name)).collect(),
            names,
            verdicts: Waiting::new(),
            authors: Buckets::new(rate.saturating_mul(10), rate),
            bytes_max: config.limits.gossip_bytes_max,
        }
    }
}

impl Driver {
    pub(super) fn publish(&mut self, topic: &'static str, bytes: Vec<u8>) {
        let Some(full) = self.gossip.names.get(topic) else {
            tracing::error!(topic, "gossip dropped: this topic is not in the network's configuration");
            return;
        };
        if bytes.len() > self.gossip.bytes_max {
            tracing::error!(topic, size_bytes = bytes.len(), "gossip dropped: too large");
            return;
        }
        let hash = full.hash();
        match self.swarm.behaviour_mut().members.inner().gossip.publish(hash, bytes) {
            Ok(_) => {}
            Err(PublishError::NoPeersSubscribedToTopic | PublishError::Duplicate) => {
                tracing::debug!(topic, "nobody to tell");
            }
            Err(error) => tracing::warn!(topic, %error, "gossip dropped"),
        }
    }

    pub(super) fn on_gossip(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message { propagation_source, message_id, message } = event else { return };
        let refused = match self.ask_verdict(propagation_source, message_id.clone(), message) {
            Ok(()) => return,
            Err(acceptance) => acceptance,
        };
        self.on_verdict(Judged { id: message_id, by: propagation_source, acceptance: refused });
    }

    /// Hands a message to the node, or says what to do with it instead.
    fn ask_verdict(
        &mut self,
        by: PeerId,
        id: MessageId,
        message: gossipsub::Message,
    ) -> Result<(), MessageAcceptance> {
        let topic = *self.gossip.topics.get(&message.topic).ok_or(MessageAcceptance::Ignore)?;
        let author = message.source.as_ref().and_then(addresses::node_of);
        let from = author.ok_or(MessageAcceptance::Reject)?;
        if message.data.len() > self.gossip.bytes_max {
            return Err(MessageAcceptance::Reject);
        }
        // Too fast is the author's fault, not that of whoever passed it on.
        if self.gossip.verdicts.len() >= VERDICTS_MAX || !self.gossip.authors.take(from, Instant::now()) {
            return Err(MessageAcceptance::Ignore);
        }
        let (verdict, judged) = oneshot::channel();
        if !self.outbox.push(TransportEvent::Gossip { topic, from, bytes: message.data, verdict }) {
            return Err(MessageAcceptance::Ignore);
        }
        let judged = async move {
            let acceptance = match time::timeout(VERDICT_TIMEOUT, judged).await {
                Ok(Ok(GossipVerdict::Accept)) => MessageAcceptance::Accept,
                Ok(Ok(GossipVerdict::Reject)) => MessageAcceptance::Reject,
                Ok(Ok(GossipVerdict::Ignore) | Err(_)) | Err(_) => MessageAcceptance::Ignore,
            };
            Judged { id, by, acceptance }
        };
        self.gossip.verdicts.push(judged.boxed());
        Ok(())
    }

    pub(super) fn on_verdict(&mut self, judged: Judged) {
        let Judged { id, by, acceptance } = judged;
        let gossip = &mut self.swarm.behaviour_mut().members.inner().gossip;
        gossip.report_message_validation_result(&id, &by, acceptance);
    }
}
