//! The DHT: who advertises a key, and where a member is.

use super::Driver;
use crate::addresses;
use libp2p::{
    PeerId,
    kad::{
        self, GetClosestPeersError, GetProvidersOk, InboundRequest, QueryId, QueryResult, store::RecordStore,
    },
    swarm::{DialError, dial_opts::PeerCondition},
};
use opensky_types::{Hash, NodeId};
use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Time for one lookup.
const FIND_TIMEOUT: Duration = Duration::from_secs(5);
/// Most nodes that a lookup returns.
const FOUND_MAX: usize = 32;
/// Lookups at a time.
const FINDS_MAX: usize = 64;
/// Keys that this node advertises at most.
const ADVERTISED_MAX: usize = 256;
/// After a member came, its part of the DHT is told what this node advertises; not more often.
const ANNOUNCE_AFTER: Duration = Duration::from_secs(1);
const ANNOUNCE_SPACING: Duration = Duration::from_secs(60);
/// In a sky with more members than this one more is seldom among those who keep a record (Kademlia's k, twice).
const ANNOUNCE_MEMBERS_MAX: usize = 40;

struct Find {
    answer: oneshot::Sender<Vec<NodeId>>,
    found: BTreeSet<NodeId>,
    gives_up_at: Instant,
}

/// Lookups under way, and what is advertised.
#[derive(Default)]
pub(super) struct Lookups {
    finds: HashMap<QueryId, Find>,
    /// Members whose addresses are searched.
    searched: HashMap<QueryId, PeerId>,
    advertised: BTreeSet<Hash>,
    announce_at: Option<Instant>,
    announced_at: Option<Instant>,
}

impl Lookups {
    /// The DHT got larger; so many members are connected now.
    pub fn on_member_up(&mut self, now: Instant, connected: usize) {
        if connected > ANNOUNCE_MEMBERS_MAX {
            return;
        }
        let earliest = self.announced_at.map_or(now, |at| at + ANNOUNCE_SPACING);
        self.announce_at.get_or_insert(earliest.max(now + ANNOUNCE_AFTER));
    }
}

fn record_key(key: &Hash) -> kad::RecordKey {
    kad::RecordKey::new(key.as_bytes())
}

impl Driver {
    pub(super) fn on_advertise(&mut self, keys: Vec<Hash>) {
        let wanted: BTreeSet<Hash> = keys.into_iter().take(ADVERTISED_MAX).collect();
        let kad = &mut self.swarm.behaviour_mut().members.inner().kad;
        for key in self.lookups.advertised.difference(&wanted) {
            kad.stop_providing(&record_key(key));
        }
        let new: Vec<Hash> = wanted.difference(&self.lookups.advertised).copied().collect();
        self.lookups.advertised = wanted;
        self.announce(new);
    }

    fn announce(&mut self, keys: Vec<Hash>) {
        let kad = &mut self.swarm.behaviour_mut().members.inner().kad;
        for key in keys {
            if let Err(error) = kad.start_providing(record_key(&key)) {
                tracing::warn!(%key, %error, "cannot advertise");
            }
        }
    }

    pub(super) fn announce_again(&mut self, now: Instant) {
        if self.lookups.announce_at.is_some_and(|at| at <= now) {
            self.lookups.announce_at = None;
            self.lookups.announced_at = Some(now);
            self.announce(self.lookups.advertised.iter().copied().collect());
        }
    }

    pub(super) fn on_find(&mut self, key: Hash, answer: oneshot::Sender<Vec<NodeId>>) {
        if self.lookups.finds.len() >= FINDS_MAX {
            tracing::warn!("lookup dropped: too many are under way");
            return;
        }
        let id = self.swarm.behaviour_mut().members.inner().kad.get_providers(record_key(&key));
        let gives_up_at = Instant::now() + FIND_TIMEOUT;
        self.lookups.finds.insert(id, Find { answer, found: BTreeSet::new(), gives_up_at });
    }

    pub(super) fn give_up_finds(&mut self, now: Instant) {
        let late = self.lookups.finds.iter().filter(|(_, find)| find.gives_up_at <= now);
        let late: Vec<QueryId> = late.map(|(id, _)| *id).collect();
        for id in late {
            self.end_find(id);
        }
    }

    fn end_find(&mut self, id: QueryId) {
        let Some(find) = self.lookups.finds.remove(&id) else { return };
        if let Some(mut query) = self.swarm.behaviour_mut().members.inner().kad.query_mut(&id) {
            query.finish();
        }
        // The caller may have gone.
        let _ = find.answer.send(find.found.into_iter().take(FOUND_MAX).collect());
    }

    /// Searches the DHT for the addresses of a member that a call waits for. `false`: there is
    /// nothing more to try.
    pub(super) fn look_up_addresses(&mut self, peer: PeerId, error: &DialError) -> bool {
        let searching = self.lookups.searched.values().any(|other| *other == peer);
        let worth = matches!(error, DialError::NoAddresses) && self.connections.up_count() > 0;
        if !searching && worth && self.openings.are_for(&peer) {
            let id = self.swarm.behaviour_mut().members.inner().kad.get_closest_peers(peer);
            self.lookups.searched.insert(id, peer);
            return true;
        }
        searching
    }

    pub(super) fn on_kad(&mut self, event: kad::Event) {
        match event {
            kad::Event::OutboundQueryProgressed { id, result, step, .. } => {
                self.on_query(id, result, step.last);
            }
            kad::Event::InboundRequest { request: InboundRequest::AddProvider { record: Some(record) } } => {
                tracing::trace!(provider = %record.provider, "provider record");
                let kad = &mut self.swarm.behaviour_mut().members.inner().kad;
                if let Err(error) = kad.store_mut().add_provider(record) {
                    tracing::debug!(%error, "provider record not kept");
                }
            }
            _ => {}
        }
    }

    fn on_query(&mut self, id: QueryId, result: QueryResult, last: bool) {
        match result {
            QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })) => {
                let Some(find) = self.lookups.finds.get_mut(&id) else { return };
                find.found.extend(providers.iter().filter_map(addresses::node_of));
                if last || find.found.len() >= FOUND_MAX {
                    self.end_find(id);
                }
            }
            QueryResult::GetProviders(_) if last => self.end_find(id),
            QueryResult::StartProviding(Err(error)) | QueryResult::RepublishProvider(Err(error)) => {
                tracing::debug!(%error, "not advertised to all");
            }
            QueryResult::GetClosestPeers(result) if last => {
                let Some(peer) = self.lookups.searched.remove(&id) else { return };
                let near = match result {
                    Ok(found) => found.peers,
                    Err(GetClosestPeersError::Timeout { peers, .. }) => peers,
                };
                match near.into_iter().find(|near| near.peer_id == peer) {
                    Some(found) => {
                        self.book.learn(&peer, found.addrs);
                        self.dial(peer, PeerCondition::DisconnectedAndNotDialing);
                    }
                    None => self.fail_openings(&peer, "none of its addresses is known, here or in the DHT"),
                }
            }
            _ => {}
        }
    }
}
