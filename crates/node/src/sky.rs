//! The sky around this node: who knocks, who is there, what they offer.

use crate::{
    event::Event,
    fetch::blocking,
    handle::InviteError,
    journal::Promise,
    link::read_message,
    membership::Decision,
    node::{End, Node},
    offers::Sighting,
    requests::tell,
};
use opensky_market::{capability_keys, keys_for};
use opensky_ports::{
    Record, Transport,
    transport::{GossipVerdict, KnockAnswer, PeerView},
};
use opensky_protocol::{
    GOSSIP_BYTES_MAX, Message, TOPIC_OFFERS, ledger,
    query::{self, OFFERS_MAX, Query, QueryReply},
    service,
};
use opensky_types::{
    Hash, JobId, NodeId, Signed, Timestamp, codec,
    membership::InviteToken,
    offer::{Demand, Offer},
    resources::{HardwareProfile, Readings},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, sync::oneshot};

/// Longest wait for an answer to a question.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
/// Nodes found in the DHT that are asked for their offer.
const LOOKUP_NODES_MAX: usize = 16;

impl Node {
    /// A stranger knocks. A new member is only let in once that is on disk.
    pub(crate) fn on_knock(
        &mut self,
        now: Timestamp,
        from: NodeId,
        address: &str,
        body: &[u8],
        answer: oneshot::Sender<KnockAnswer>,
    ) {
        let decision = self.membership.judge(&self.key, from, address, body, now);
        let reply = self.membership.reply(&decision);
        let reply =
            KnockAnswer { body: codec::encode(&reply), admitted: !matches!(decision, Decision::Refuse(_)) };
        let (chain, invite) = match decision {
            Decision::Refuse(refusal) => {
                tracing::info!(%from, %refusal, "knock refused");
                return tell(answer, reply);
            }
            Decision::Welcome { chain } => (chain, None),
            Decision::Join { chain, invite } => {
                tracing::info!(%from, "a node joined the sky");
                (chain, invite)
            }
        };
        if let Some(nonce) = invite {
            self.keep_record(Record::InviteUsed { nonce, node: from, at: now });
        }
        let addresses = vec![address.to_owned()];
        self.keep_record(Record::MemberKnown { node: from, chain, addresses: addresses.clone() });
        self.promise(Promise::Admit { node: from, addresses, reply, answer });
    }

    /// A node that we knocked at shows its own membership in turn.
    pub(crate) fn on_welcome(&mut self, from: NodeId, address: &str, body: &[u8]) {
        match self.membership.welcomes(from, body) {
            Ok(chain) => {
                let addresses = vec![address.to_owned()];
                self.keep_record(Record::MemberKnown { node: from, chain, addresses: addresses.clone() });
                self.members.entry(from).or_insert(false);
                self.transport.admit(from, addresses);
            }
            Err(error) => tracing::debug!(%from, %error, "a node that let us in is no member itself"),
        }
    }

    pub(crate) fn on_peer_up(&mut self, now: Timestamp, node: NodeId) {
        self.members.insert(node, true);
        tracing::info!(%node, "peer connected");
        self.retry_lost(now, node);
        self.ask_offers(vec![node], Query::Offers { limit: OFFERS_MAX });
        self.ask_about_ledger(node);
        self.ask_for_adverts(node);
    }

    pub(crate) fn on_peer_down(&mut self, _now: Timestamp, node: NodeId) {
        self.members.insert(node, false);
        tracing::info!(%node, "peer disconnected");
    }

    /// Asks the network how near its peers are.
    pub(crate) fn see_peers(&self) {
        let (transport, events) = (Arc::clone(&self.transport), self.events.clone());
        self.tasks.spawn(async move {
            let peers = transport.view().await.peers;
            let _ = events.send(Event::PeersSeen(peers)).await;
        });
    }

    pub(crate) fn on_peers_seen(&mut self, peers: Vec<PeerView>) {
        self.rtt_us = peers.iter().filter_map(|peer| Some((peer.node, peer.rtt_us?))).collect();
        for (node, rtt_us) in &self.rtt_us {
            self.market.observe_rtt(*node, *rtt_us);
        }
    }

    pub(crate) fn peers_connected(&self) -> usize {
        self.members.values().filter(|connected| **connected).count()
    }

    /// Gossip is only forwarded once it is known to be right and new.
    pub(crate) fn on_gossip(
        &mut self,
        now: Timestamp,
        topic: &'static str,
        from: NodeId,
        bytes: Vec<u8>,
        verdict: oneshot::Sender<GossipVerdict>,
    ) {
        match topic {
            ledger::TOPIC_BLOCKS => return self.on_block_heard(from, &bytes, verdict),
            ledger::TOPIC_TRANSACTIONS => return self.on_transaction_heard(&bytes, verdict),
            ledger::TOPIC_CHECKPOINTS => return self.on_checkpoint_heard(from, &bytes, verdict),
            service::TOPIC_ADVERTS => {
                let judged = self.on_advert_heard(now, &bytes);
                return tell(verdict, judged);
            }
            _ => {}
        }
        let judged = match codec::decode::<Signed<Offer>>(&bytes, GOSSIP_BYTES_MAX) {
            Ok(signed) => self.take_offer(now, signed),
            Err(_) => GossipVerdict::Reject,
        };
        tell(verdict, judged);
    }

    /// Checks an offer and takes it into the market.
    fn take_offer(&mut self, now: Timestamp, signed: Signed<Offer>) -> GossipVerdict {
        let Ok(offer) = signed.verify() else { return GossipVerdict::Reject };
        if offer.node != signed.signer() {
            return GossipVerdict::Reject;
        }
        if offer.node == self.own {
            if self.offers.sight(offer.sequence, &signed) == Sighting::Twin {
                tracing::error!(
                    "another process offers under this node's key: was the data folder copied? this node stops"
                );
                self.end = Some(End::Twin);
            }
            return GossipVerdict::Ignore;
        }
        if !self.members.contains_key(&offer.node) {
            // Its own neighbours have checked its membership; what counts here is the signature.
            tracing::debug!(node = %offer.node, "offer of a member that was not met yet");
        }
        match self.market.insert(now, offer, signed) {
            Ok(_) => GossipVerdict::Accept,
            Err(rejected) if rejected.is_senders_fault() => {
                tracing::debug!(%rejected, "offer rejected");
                GossipVerdict::Reject
            }
            Err(_) => GossipVerdict::Ignore,
        }
    }

    pub(crate) fn on_offers_fetched(&mut self, now: Timestamp, offers: Vec<Signed<Offer>>) {
        for offer in offers {
            self.take_offer(now, offer);
        }
    }

    /// Asks nodes for offers; what comes back is checked like gossip.
    fn ask_offers(&mut self, nodes: Vec<NodeId>, query: Query) {
        let (transport, events) = (Arc::clone(&self.transport), self.events.clone());
        self.tasks.spawn(async move {
            let offers = ask_all(transport, nodes, query).await;
            let _ = events.send(Event::OffersFetched { offers }).await;
        });
    }

    /// Looks for providers where gossip has brought none: in the DHT, or by name where the demand
    /// names them.
    pub(crate) fn look_up(&mut self, job: JobId, stage: u16, demand: &Demand) {
        let (transport, events, own) = (Arc::clone(&self.transport), self.events.clone(), self.own);
        let keys: Vec<Hash> = keys_for(demand);
        let named = demand.constraints.peers.iter().filter(|node| self.market.get(**node).is_none());
        let named: BTreeSet<NodeId> = named.copied().collect();
        self.tasks.spawn(async move {
            let mut found = BTreeSet::new();
            for key in keys {
                found.extend(transport.find(key).await);
            }
            let mut found: Vec<NodeId> = found.difference(&named).copied().collect();
            // Each job asks others of those that are found, so that not all jobs of a sky ask the same few.
            found.sort_by_cached_key(|node| Hash::of_value("opensky lookup 1", &(job, stage, own, *node)));
            let nodes = named.into_iter().chain(found).filter(|node| *node != own);
            let nodes = nodes.take(LOOKUP_NODES_MAX).collect();
            let offers = ask_all(transport, nodes, Query::OwnOffer).await;
            let _ = events.send(Event::LookedUp { job, stage, offers }).await;
        });
    }

    /// Makes and spreads this node's offer when its time has come.
    pub(crate) fn offer_if_due(&mut self, now: Timestamp) {
        let members = self.market.len().max(self.peers_connected());
        if !self.offers.is_due(now, &self.config, members) {
            return;
        }
        let draft = self.host.provider.offer();
        let signed = self.offers.make(now, &self.key, &self.config, members, &self.hardware, draft);
        if let Some((offer, _)) = self.offers.latest() {
            self.transport.advertise(capability_keys(offer));
            if let Err(rejected) = self.market.insert(now, offer.clone(), signed.clone()) {
                tracing::warn!(%rejected, "own offer is not acceptable");
            }
        }
        self.transport.gossip(TOPIC_OFFERS, codec::encode(&signed));
    }

    /// Reads the machine off the loop, one reading at a time.
    pub(crate) fn read_machine(&mut self) {
        if std::mem::replace(&mut self.reading, true) {
            return;
        }
        let (machine, events) = (Arc::clone(&self.machine), self.events.clone());
        self.tasks.spawn(async move {
            let (hardware, readings) =
                blocking(move || (Box::new(machine.profile()), machine.readings())).await;
            let _ = events.send(Event::Readings { hardware, readings }).await;
        });
    }

    pub(crate) fn on_readings(&mut self, now: Timestamp, hardware: HardwareProfile, readings: Readings) {
        self.reading = false;
        self.readings = readings;
        if hardware != self.hardware {
            self.hardware = hardware;
            self.provide(now, opensky_provider::Input::Hardware(self.hardware.clone()));
        }
        self.provide(now, opensky_provider::Input::Readings(readings));
        self.look_at_engines(now);
    }

    /// Issues an invite; it is shown once it is on disk.
    pub(crate) fn issue_invite(
        &mut self,
        now: Timestamp,
        uses_max: u32,
        ttl_ms: u64,
        addresses: Vec<String>,
        answer: oneshot::Sender<Result<InviteToken, InviteError>>,
    ) {
        if !self.membership.may_invite() {
            return tell(answer, Err(InviteError::NotAllowed));
        }
        let nonce = u64::from_le_bytes(self.clock.random()[..8].try_into().expect("eight bytes"));
        let expires_at = now.plus_ms(ttl_ms);
        let (invite, token) = self.membership.invite(&self.key, addresses, nonce, expires_at, uses_max);
        self.keep_record(Record::InviteIssued { invite });
        self.promise(Promise::Invited { token: Box::new(token), answer });
    }
}

async fn ask_all(transport: Arc<dyn Transport>, nodes: Vec<NodeId>, query: Query) -> Vec<Signed<Offer>> {
    let asked = nodes.into_iter().map(|node| {
        let (transport, query) = (Arc::clone(&transport), query.clone());
        async move {
            match tokio::time::timeout(QUERY_TIMEOUT, ask(transport.as_ref(), node, query)).await {
                Ok(Ok(offers)) => offers,
                Ok(Err(error)) => {
                    tracing::debug!(%node, %error, "a node did not say what it offers");
                    Vec::new()
                }
                Err(_) => Vec::new(),
            }
        }
    });
    futures::future::join_all(asked).await.concat()
}

async fn ask(transport: &dyn Transport, node: NodeId, query: Query) -> std::io::Result<Vec<Signed<Offer>>> {
    let mut stream = transport.open(node, query::PROTOCOL).await.map_err(std::io::Error::other)?;
    stream.write_all(&query.to_frame()).await?;
    stream.flush().await?;
    match read_message::<QueryReply>(&mut stream).await? {
        Some(QueryReply::Offers { offers }) => Ok(offers),
        None => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}
