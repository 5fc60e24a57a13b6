//! Who answers for a service right now, as hosts advertise it.

use opensky_types::{
    Hash, NodeId, ServiceId, Signed, Timestamp,
    service::{Advert, ClaimError, Declaration, Placement, ReplicaId, ReplicaState, ServiceRef},
};
use std::collections::{BTreeMap, BTreeSet};

/// Most adverts that are known at a time.
const ADVERTS_MAX: usize = 16_384;
/// Most of one node.
const ADVERTS_OF_NODE_MAX: usize = 1_024;
/// How far ahead an advert may reach, in milliseconds.
const TTL_MS_MAX: u64 = 10 * 60 * 1_000;

/// What became of an advert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It is news, and was checked.
    New { replica: ReplicaId, node: NodeId, revision: u64, state: ReplicaState },
    /// It is right, and known or over.
    Old,
    /// Whoever made it broke the rules.
    Wrong(ClaimError),
}

/// A service that somebody advertises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its newest declaration that was seen.
    pub declaration: Declaration,
    /// Its replicas that are advertised.
    pub replicas: Vec<(ReplicaId, NodeId, u64, ReplicaState)>,
}

/// A service by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// Which.
    pub service: ServiceId,
    /// Whose.
    pub owner: NodeId,
}

/// Why a name stands for no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownService {
    /// Nobody advertises it.
    #[error("no service of that name is known here")]
    None,
    /// Several owners have one of that name.
    #[error("several owners have a service of that name; say which as NAME@NODE: {}", owners(.0))]
    Ambiguous(Vec<NodeId>),
}

fn owners(nodes: &[NodeId]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// All adverts known.
#[derive(Debug)]
pub struct Directory {
    sky: Hash,
    adverts: BTreeMap<ReplicaId, Row>,
    declarations: BTreeMap<ServiceId, Declaration>,
    count_by_node: BTreeMap<NodeId, usize>,
}

#[derive(Debug)]
struct Row {
    node: NodeId,
    revision: u64,
    state: ReplicaState,
    sequence: u64,
    expires_at: Timestamp,
    signed: Signed<Advert>,
}

impl Directory {
    /// A directory that knows nobody.
    pub const fn new(sky: Hash) -> Self {
        Self { sky, adverts: BTreeMap::new(), declarations: BTreeMap::new(), count_by_node: BTreeMap::new() }
    }

    /// Checks an advert and takes it in.
    pub fn hear(&mut self, now: Timestamp, signed: &Signed<Advert>) -> Heard {
        let (advert, declaration, placement) = match signed.check(self.sky) {
            Ok(checked) => checked,
            Err(error) => return Heard::Wrong(error),
        };
        let is_over = advert.expires_at <= now
            || placement.expires_at <= now
            || advert.expires_at > now.plus_ms(TTL_MS_MAX);
        if self.adverts.get(&placement.replica).is_some_and(|known| known.expires_at <= now) {
            self.remove(placement.replica);
        }
        if is_over || !self.is_news(&advert, &declaration, &placement) {
            return Heard::Old;
        }
        let Placement { replica, node, revision, .. } = placement;
        let service = replica.service;
        let known = self.declarations.entry(service).or_insert_with(|| declaration.clone());
        if declaration.revision > known.revision {
            *known = declaration;
        }
        // One that leaves is remembered too: what it said before may come later.
        let row = Row {
            node,
            revision,
            state: advert.state,
            sequence: advert.sequence,
            expires_at: advert.expires_at.min(placement.expires_at),
            signed: signed.clone(),
        };
        if self.adverts.insert(replica, row).is_none() {
            *self.count_by_node.entry(node).or_default() += 1;
        }
        Heard::New { replica, node, revision, state: advert.state }
    }

    fn is_news(&self, advert: &Advert, declaration: &Declaration, placement: &Placement) -> bool {
        // A service that is removed answers nobody, whoever says so; nor does one that the newest keepers did not
        // place.
        let newest = self.declarations.get(&placement.replica.service);
        let is_outdated = newest.is_some_and(|newest| {
            newest.revision > declaration.revision && !newest.keepers.contains(&advert.placement.signer())
        });
        if declaration.spec.is_none() || is_outdated {
            return false;
        }
        match self.adverts.get(&placement.replica) {
            // One replica runs on one node: the first that was heard of holds until it is over.
            Some(known) => known.node == placement.node && known.sequence < advert.sequence,
            None => {
                let of_node = self.count_by_node.get(&placement.node).copied().unwrap_or(0);
                self.adverts.len() < ADVERTS_MAX && of_node < ADVERTS_OF_NODE_MAX
            }
        }
    }

    fn remove(&mut self, replica: ReplicaId) {
        let Some(row) = self.adverts.remove(&replica) else { return };
        if let Some(count) = self.count_by_node.get_mut(&row.node) {
            *count -= 1;
            if *count == 0 {
                self.count_by_node.remove(&row.node);
            }
        }
    }

    /// A replica did not answer: it is left out until it is advertised anew.
    pub fn doubt(&mut self, replica: ReplicaId) {
        if let Some(row) = self.adverts.get_mut(&replica) {
            row.state = ReplicaState::Unhealthy;
        }
    }

    /// Drops what is over.
    pub fn expire(&mut self, now: Timestamp) {
        let over: Vec<ReplicaId> = self
            .adverts
            .iter()
            .filter(|(_, row)| row.expires_at <= now)
            .map(|(replica, _)| *replica)
            .collect();
        over.into_iter().for_each(|replica| self.remove(replica));
        let named: BTreeSet<ServiceId> = self.adverts.keys().map(|replica| replica.service).collect();
        self.declarations.retain(|service, _| named.contains(service));
    }

    /// The service that a name stands for, asked by `own`: its own first, then the only one of that name.
    pub fn resolve(&self, name: &ServiceRef, own: NodeId) -> Result<Resolved, UnknownService> {
        if let Some(owner) = name.owner {
            let service = ServiceId::of(&owner, &name.name);
            let is_known = self.declarations.contains_key(&service);
            return if is_known { Ok(Resolved { service, owner }) } else { Err(UnknownService::None) };
        }
        let of_own = ServiceId::of(&own, &name.name);
        if self.declarations.contains_key(&of_own) {
            return Ok(Resolved { service: of_own, owner: own });
        }
        let mut found = self.declarations.iter().filter(|(_, declaration)| declaration.name == name.name);
        match (found.next(), found.next()) {
            (None, _) => Err(UnknownService::None),
            (Some((service, declaration)), None) => {
                Ok(Resolved { service: *service, owner: declaration.owner })
            }
            (Some(first), Some(second)) => {
                let all = [first, second].into_iter().chain(found);
                Err(UnknownService::Ambiguous(all.map(|(_, declaration)| declaration.owner).collect()))
            }
        }
    }

    /// Replicas that take connections: of each slot the newest healthy one; those that are to move only where
    /// there is no other.
    pub fn answering(&self, now: Timestamp, service: ServiceId) -> Vec<(ReplicaId, NodeId)> {
        let mut best: BTreeMap<u16, (bool, ReplicaId, NodeId)> = BTreeMap::new();
        for (replica, row) in self.rows(service) {
            if row.expires_at <= now || !row.state.answers() {
                continue;
            }
            let candidate = (row.state == ReplicaState::Healthy, *replica, row.node);
            let known = best.entry(replica.slot).or_insert(candidate);
            *known = candidate.max(*known);
        }
        best.into_values().map(|(_, replica, node)| (replica, node)).collect()
    }

    /// The declaration of a service, as it was last seen in an advert.
    pub fn declaration(&self, service: ServiceId) -> Option<&Declaration> {
        self.declarations.get(&service)
    }

    /// All services that are advertised.
    pub fn known(&self) -> impl Iterator<Item = Known> + '_ {
        self.declarations.iter().map(|(service, declaration)| Known {
            declaration: declaration.clone(),
            replicas: self
                .rows(*service)
                .map(|(replica, row)| (*replica, row.node, row.revision, row.state))
                .collect(),
        })
    }

    /// Adverts for a newcomer, at most so many, of replicas that answer.
    pub fn adverts(&self, now: Timestamp, limit: usize) -> Vec<Signed<Advert>> {
        let live = self.adverts.values().filter(|row| row.expires_at > now && row.state.answers());
        live.take(limit).map(|row| row.signed.clone()).collect()
    }

    fn rows(&self, service: ServiceId) -> impl Iterator<Item = (&ReplicaId, &Row)> {
        let first = ReplicaId { service, slot: 0, generation: 0 };
        let last = ReplicaId { service, slot: u16::MAX, generation: u64::MAX };
        self.adverts.range(first..=last)
    }
}
