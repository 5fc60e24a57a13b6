//! Work streams: one to each provider that works for us, one from each consumer we work for. Work
//! for oneself takes the same path without a network.

use crate::{event::Event, link::Link, node::Node};
use opensky_ports::{ByteStream, TransportError};
use opensky_protocol::work::{self, ToConsumer, ToProvider};
use opensky_types::{NodeId, Timestamp, reason::Misfit};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio_util::task::TaskTracker;

/// Time between heartbeats, in milliseconds.
const HEARTBEAT_MS: u64 = 5_000;
/// Time between tries to reach a lost provider, in milliseconds.
const REOPEN_MS: u64 = 2_000;
/// Longest wait for a stream to open.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// Time after which a stream that nothing goes through is closed, in milliseconds.
const IDLE_MS: u64 = 60_000;
/// Messages that wait for a stream to open.
const OPENING_MESSAGES_MAX: usize = 256;

/// A stream to a provider.
enum Outgoing {
    /// Being opened; these messages wait.
    Opening { waiting: Vec<ToProvider> },
    /// Open.
    Open { link: Link<ToProvider>, generation: u64, used_at: Timestamp },
}

/// All work streams of this node.
#[derive(Default)]
pub(crate) struct Links {
    providers: BTreeMap<NodeId, Outgoing>,
    consumers: BTreeMap<NodeId, (u64, Link<ToConsumer>)>,
    /// Providers that were lost while agreements with them were open, and when to try them again.
    lost: BTreeMap<NodeId, Timestamp>,
    generations: u64,
    heartbeat_at: Timestamp,
    /// The streams' own tasks, so that last words can be waited for.
    streams: TaskTracker,
}

impl Links {
    /// Ends all streams once what waits in them has gone out, or time is up.
    pub(crate) async fn close_all(&mut self, patience: Duration) {
        self.providers.clear();
        self.consumers.clear();
        self.streams.close();
        if tokio::time::timeout(patience, self.streams.wait()).await.is_err() {
            tracing::warn!(streams = self.streams.len(), "last words to some nodes did not get out in time");
        }
    }

    /// Whether no stream to a provider is open or expected.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.lost.is_empty() && self.providers.is_empty()
    }

    /// A provider that held work before a restart: to be reached again.
    pub(crate) fn expect_back(&mut self, node: NodeId) {
        self.lost.insert(node, Timestamp::default());
    }

    fn next_generation(&mut self) -> u64 {
        self.generations += 1;
        self.generations
    }
}

impl Node {
    /// Sends to a provider, opening a stream if there is none.
    pub(crate) fn tell_provider(&mut self, node: NodeId, message: ToProvider) {
        if node == self.own {
            self.local.push_back(Event::FromConsumer { node, message });
            return;
        }
        let now = self.clock.now();
        match self.links.providers.get_mut(&node) {
            Some(Outgoing::Open { link, used_at, .. }) => {
                *used_at = now;
                link.send(message);
            }
            Some(Outgoing::Opening { waiting }) if waiting.len() < OPENING_MESSAGES_MAX => {
                waiting.push(message)
            }
            Some(Outgoing::Opening { .. }) => {
                tracing::warn!(%node, "too much waits for a stream to open; dropped")
            }
            None => {
                self.links.providers.insert(node, Outgoing::Opening { waiting: vec![message] });
                self.open_link(node);
            }
        }
    }

    /// Sends to a consumer; a consumer that is gone asks again when it is back.
    pub(crate) fn tell_consumer(&mut self, node: NodeId, message: ToConsumer) {
        if node == self.own {
            self.local.push_back(Event::FromProvider { node, message });
        } else if let Some((_, link)) = self.links.consumers.get(&node) {
            link.send(message);
        }
    }

    /// Sends what a consumer can do without: nothing, while much else waits for it.
    pub(crate) fn show_consumer(&mut self, node: NodeId, message: ToConsumer) {
        if node == self.own {
            self.tell_consumer(node, message);
        } else if let Some((_, link)) = self.links.consumers.get(&node) {
            link.offer(message);
        }
    }

    fn open_link(&mut self, node: NodeId) {
        let (transport, events) = (Arc::clone(&self.transport), self.events.clone());
        self.tasks.spawn(async move {
            let opened = tokio::time::timeout(OPEN_TIMEOUT, transport.open(node, work::PROTOCOL)).await;
            let stream = opened.unwrap_or_else(|_| {
                Err(TransportError::Unreachable { node, reason: "it did not answer in time".into() })
            });
            // The loop may have ended meanwhile.
            let _ = events.send(Event::LinkOpened { node, stream }).await;
        });
    }

    pub(crate) fn on_link_opened(
        &mut self,
        now: Timestamp,
        node: NodeId,
        stream: Result<ByteStream, TransportError>,
    ) {
        let Some(Outgoing::Opening { waiting }) = self.links.providers.remove(&node) else { return };
        match stream {
            Ok(stream) => {
                let generation = self.links.next_generation();
                let link = Link::spawn(
                    stream,
                    Duration::from_millis(self.config.link_silence_ms_max),
                    &self.links.streams,
                    self.events.clone(),
                    move |message| Event::FromProvider { node, message },
                    Event::ProviderLinkEnded { node, generation },
                );
                waiting.into_iter().for_each(|message| link.send(message));
                self.links.providers.insert(node, Outgoing::Open { link, generation, used_at: now });
                if self.links.lost.remove(&node).is_some() {
                    self.on_provider_back(now, node);
                }
            }
            Err(error) => {
                tracing::debug!(%node, %error, "provider cannot be reached");
                for message in waiting {
                    if let ToProvider::Propose { terms } = message {
                        self.on_refused(now, node, terms.agreement_id(), Misfit::Unreachable);
                    }
                }
                self.lose_provider(now, node);
            }
        }
    }

    pub(crate) fn on_provider_link_ended(&mut self, now: Timestamp, node: NodeId, generation: u64) {
        let current = matches!(self.links.providers.get(&node),
            Some(Outgoing::Open { generation: open, .. }) if *open == generation);
        if current {
            self.links.providers.remove(&node);
            self.lose_provider(now, node);
        }
    }

    /// Notes a loss and, while agreements are open, keeps trying to come back.
    fn lose_provider(&mut self, now: Timestamp, node: NodeId) {
        if self.consumer.has_agreements_with(node) {
            self.links.lost.insert(node, now.plus_ms(REOPEN_MS));
        } else {
            self.links.lost.remove(&node);
        }
        self.forget_proposals_to(now, node);
        self.schedule(now, opensky_scheduler::Input::ProviderLost { node });
    }

    /// Drops a provider that broke the protocol.
    pub(crate) fn drop_provider(&mut self, now: Timestamp, node: NodeId, why: &dyn std::fmt::Display) {
        tracing::warn!(%node, %why, "provider broke the protocol");
        if node == self.own {
            return;
        }
        if let Some(Outgoing::Open { link, .. }) = self.links.providers.remove(&node) {
            link.cut();
        }
        self.links.lost.remove(&node);
        self.transport.expel(node);
        self.end_dealings(now, node);
    }

    /// A consumer opened a work stream; a newer one replaces an older one.
    pub(crate) fn accept_link(&mut self, now: Timestamp, node: NodeId, stream: ByteStream) {
        let generation = self.links.next_generation();
        let link = Link::spawn(
            stream,
            Duration::from_millis(self.config.link_silence_ms_max),
            &self.links.streams,
            self.events.clone(),
            move |message| Event::FromConsumer { node, message },
            Event::ConsumerLinkEnded { node, generation },
        );
        self.links.consumers.insert(node, (generation, link));
        self.provide(now, opensky_provider::Input::ConsumerUp { node });
    }

    pub(crate) fn on_consumer_link_ended(&mut self, now: Timestamp, node: NodeId, generation: u64) {
        if self.links.consumers.get(&node).is_some_and(|(open, _)| *open == generation) {
            self.links.consumers.remove(&node);
            self.provide(now, opensky_provider::Input::ConsumerLost { node });
        }
    }

    /// Heartbeats, and new tries for lost providers.
    pub(crate) fn links_tick(&mut self, now: Timestamp) {
        if now >= self.links.heartbeat_at {
            self.links.heartbeat_at = now.plus_ms(HEARTBEAT_MS);
            self.close_idle_links(now);
            for outgoing in self.links.providers.values() {
                if let Outgoing::Open { link, .. } = outgoing {
                    link.send(ToProvider::Heartbeat);
                }
            }
            for (_, link) in self.links.consumers.values() {
                link.send(ToConsumer::Heartbeat);
            }
        }
        let due: Vec<NodeId> =
            self.links.lost.iter().filter(|(_, at)| **at <= now).map(|(node, _)| *node).collect();
        for node in due {
            if !self.consumer.has_agreements_with(node) {
                self.links.lost.remove(&node);
            } else if !self.links.providers.contains_key(&node) {
                self.links.lost.insert(node, now.plus_ms(REOPEN_MS));
                self.links.providers.insert(node, Outgoing::Opening { waiting: Vec::new() });
                self.open_link(node);
            }
        }
    }

    /// Ends streams to providers that nothing is open with.
    fn close_idle_links(&mut self, now: Timestamp) {
        let consumer = &self.consumer;
        self.links.providers.retain(|node, outgoing| match outgoing {
            Outgoing::Open { used_at, .. } => {
                now.ms_since(*used_at) < IDLE_MS || consumer.has_agreements_with(*node)
            }
            Outgoing::Opening { .. } => true,
        });
    }

    /// A lost provider that comes back by itself is tried at once.
    pub(crate) fn retry_lost(&mut self, now: Timestamp, node: NodeId) {
        if let Some(at) = self.links.lost.get_mut(&node) {
            *at = now;
        }
    }
}
