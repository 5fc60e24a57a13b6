//! Where the replicas of a service belong.
//!
//! Everything is decided from what is there, never from what was said to happen: lost and doubled words change
//! nothing for longer than it takes to ask again (threats.md, F15). The first keeper of a declaration that is
//! there acts, the others watch and stand by.

mod data;
mod hearing;
mod kept;
mod note;
mod reconcile;
mod role;
mod scaling;

pub use data::{LastRun, SlotData};
pub use kept::{Failing, GivenUp};
pub use note::{Note, NoteText};

use kept::Kept;
use opensky_types::{
    Hash, NodeId, ServiceId, Timestamp,
    job::Blob,
    reason::MisfitCounts,
    service::{
        Declaration, Declared, Placement, Refusal, ReplicaId, ReplicaReport, ReplicaState, SaveId, Saved,
    },
};
use std::collections::BTreeMap;

/// Most services that one node keeps.
pub const KEPT_MAX: usize = 4_096;

/// Most of one owner: nobody fills another's keeper alone.
const KEPT_OF_OWNER_MAX: usize = 256;

/// How a keeper works. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct KeeperConfig {
    /// The sky.
    pub sky: Hash,
    /// This node.
    pub own: NodeId,
    /// Between two questions to the hosts of a service.
    pub report_ms: u64,
    /// A replica that was not heard of for so long is replaced.
    pub lost_ms: u64,
    /// A keeper that does not say that it acts for so long is stood in for.
    pub takeover_ms: u64,
    /// Time to listen after a restart before anything is placed: longer than hosts take between two adverts of a
    /// replica, or what runs is not known and placed again.
    pub settle_ms: u64,
    /// How long a placement counts.
    pub placement_ms: u64,
    /// Between two searches for a node for one slot, where none was found.
    pub find_ms: u64,
    /// A node that failed a slot is left alone for that slot for so long.
    pub avoid_ms: u64,
    /// A replica that answers for so long is good: an update goes on to the next.
    pub steady_ms: u64,
    /// A replica that is lost is remembered for so long, to be ended if it comes back.
    pub remember_ms: u64,
    /// More load has to last so long before it brings more replicas.
    pub more_ms: u64,
    /// Less load has to last so long before some end.
    pub fewer_ms: u64,
}

impl KeeperConfig {
    /// The usual times.
    pub const fn new(sky: Hash, own: NodeId) -> Self {
        Self {
            sky,
            own,
            report_ms: 1_000,
            lost_ms: 4_000,
            takeover_ms: 3_000,
            settle_ms: 11_000,
            placement_ms: 60 * 60 * 1_000,
            find_ms: 2_000,
            avoid_ms: 60_000,
            steady_ms: 2_000,
            remember_ms: 60 * 60 * 1_000,
            more_ms: 3_000,
            fewer_ms: 60_000,
        }
    }
}

/// What happens to a keeper.
#[derive(Debug, Clone)]
pub enum KeeperInput {
    /// A declaration whose signatures and parts were checked.
    Declared { declaration: Box<Declaration>, declared: Box<Declared> },
    /// The same, read back at start, with what is held of its volumes.
    Restored { declaration: Box<Declaration>, declared: Box<Declared>, data: Vec<SlotData> },
    /// A host says how the replicas of a service are, or does not answer.
    Reported { service: ServiceId, node: NodeId, reports: Option<Vec<ReplicaReport>> },
    /// A host answered a placement; none: it could not be asked.
    PlacedAt { replica: ReplicaId, answer: Option<Result<(), Refusal>> },
    /// Nodes for a slot, best first, and what excluded the others.
    Found { service: ServiceId, slot: u16, nodes: Vec<NodeId>, counts: MisfitCounts },
    /// Another keeper says what it does.
    KeeperSaid {
        service: ServiceId,
        node: NodeId,
        revision: u64,
        is_acting: bool,
        given_up: u64,
        saved: Vec<(u16, Saved)>,
    },
    /// What was saved of a slot's volumes is here now, or cannot be had.
    DataHeld { service: ServiceId, slot: u16, saved: Saved, result: Result<(), String> },
    /// A host advertises a replica of a service that is kept here.
    Seen { replica: ReplicaId, node: NodeId, revision: u64, state: ReplicaState },
    /// Time has passed.
    Tick,
}

/// What a keeper orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeeperEffect {
    /// Hand what was declared to another keeper, or to a host that may not know who keeps it now.
    Hand { to: NodeId, service: ServiceId },
    /// Ask another keeper what it does.
    AskKeeper { to: NodeId, service: ServiceId },
    /// Ask a host how the replicas are, with placements to sign that go on and the saves of each slot that are
    /// held here.
    AskReport { to: NodeId, service: ServiceId, renewed: Vec<Placement>, held: Vec<(u16, SaveId)> },
    /// Ask a host to run a replica, under a placement to sign; its volumes begin with what was saved.
    Place { placement: Placement, saved: Option<Saved> },
    /// Ask a host to end one.
    Withdraw { to: NodeId, replica: ReplicaId },
    /// Find nodes that fit, without those `used`; the preferred one first, if it fits.
    Find { service: ServiceId, slot: u16, used: Vec<NodeId>, preferred: Option<NodeId> },
    /// Get here what was saved of a slot's volumes, from the first of these that has it, and say so.
    HoldData { service: ServiceId, slot: u16, saved: Saved, sources: Vec<NodeId> },
    /// Keep on disk what is known of the volumes, and hold on to no other saves.
    RememberData { service: ServiceId },
    /// Have these programs here, so that hosts can get them.
    Hold { service: ServiceId, blobs: Vec<Blob> },
    /// Keep this on disk.
    Remember { service: ServiceId },
    /// It is removed and nothing of it runs any more.
    Forget { service: ServiceId },
}

/// A service as a keeper sees it.
#[derive(Debug, Clone)]
pub struct KeptView {
    /// Its declaration.
    pub declaration: Declaration,
    /// With the specs.
    pub declared: Declared,
    /// Whether this node acts for it.
    pub is_acting: bool,
    /// The revision that is to run.
    pub wanted: u64,
    /// How many replicas are to run.
    pub replicas_wanted: u16,
    /// The newest revision, where it did not get healthy.
    pub given_up: Option<GivenUp>,
    /// The revision that is to run, while none of its replicas has been well and some failed.
    pub failing: Option<Failing>,
    /// Its replicas.
    pub replicas: Vec<PlacedView>,
    /// What happened lately, oldest first.
    pub notes: Vec<Note>,
}

/// A replica as a keeper sees it.
#[derive(Debug, Clone)]
pub struct PlacedView {
    /// Which.
    pub replica: ReplicaId,
    /// Where.
    pub node: NodeId,
    /// Of which revision.
    pub revision: u64,
    /// What its host last said.
    pub report: Option<ReplicaReport>,
    /// Whether its host has not answered for a while.
    pub is_lost: bool,
    /// Whether it was asked to end.
    pub is_withdrawn: bool,
    /// Whether it is of the revision that is to run, or as good as that.
    pub is_wanted: bool,
    /// What is held here of its slot's volumes.
    pub held: Option<Saved>,
}

/// All services that a node keeps.
#[derive(Debug)]
pub struct Keeper {
    config: KeeperConfig,
    kept: BTreeMap<ServiceId, Kept>,
    /// When it was last told anything.
    told_at: Option<Timestamp>,
}

impl Keeper {
    /// A keeper of nothing.
    pub const fn new(config: KeeperConfig) -> Self {
        Self { config, kept: BTreeMap::new(), told_at: None }
    }

    /// Takes in one fact and appends what follows from it to `effects`.
    pub fn handle(&mut self, now: Timestamp, input: KeeperInput, effects: &mut Vec<KeeperEffect>) {
        self.look_at_clock(now);
        match input {
            KeeperInput::Declared { declaration, declared } => {
                self.on_declared(now, *declaration, *declared, effects);
            }
            KeeperInput::Restored { declaration, declared, data } => {
                self.on_restored(now, *declaration, *declared, data, effects);
            }
            KeeperInput::Reported { service, node, reports } => {
                if let Some(kept) = self.kept.get_mut(&service) {
                    kept.on_reported(now, &self.config, node, reports);
                }
            }
            KeeperInput::PlacedAt { replica, answer } => {
                if let Some(kept) = self.kept.get_mut(&replica.service) {
                    kept.on_placed(now, &self.config, replica, answer);
                }
            }
            KeeperInput::Found { service, slot, nodes, counts } => {
                if let Some(kept) = self.kept.get_mut(&service) {
                    kept.on_found(now, &self.config, slot, &nodes, &counts, effects);
                }
            }
            KeeperInput::KeeperSaid { service, node, revision, is_acting, given_up, saved } => {
                if let Some(kept) = self.kept.get_mut(&service) {
                    kept.on_keeper_said(now, &self.config, node, (revision, is_acting, given_up), effects);
                    kept.on_keeper_holds(now, node, &saved);
                }
            }
            KeeperInput::DataHeld { service, slot, saved, result } => {
                if let Some(kept) = self.kept.get_mut(&service) {
                    kept.on_data_held(now, slot, saved, result);
                    kept.look_at_data(now, &self.config, effects);
                }
            }
            KeeperInput::Seen { replica, node, revision, state } => {
                if let Some(kept) = self.kept.get_mut(&replica.service) {
                    kept.on_seen(now, replica, node, revision, state);
                }
            }
            KeeperInput::Tick => self.on_tick(now, effects),
        }
    }

    /// A machine that slept, or whose clock was set, has heard nobody meanwhile: that says nothing of the others.
    fn look_at_clock(&mut self, now: Timestamp) {
        let Some(told_at) = self.told_at.replace(now) else { return };
        let away_ms = now.ms_since(told_at);
        if now < told_at || away_ms >= 2 * self.config.report_ms {
            let is_long = now < told_at || away_ms >= self.config.takeover_ms;
            let settle_ms = if is_long { self.config.settle_ms } else { 2 * self.config.report_ms };
            self.kept.values_mut().for_each(|kept| kept.look_again(now, now.plus_ms(settle_ms)));
        }
    }

    /// The newest revision known of a service, whether this node acts for it, and what it gave up.
    pub fn stand(&self, service: ServiceId) -> Option<(u64, bool, u64)> {
        let kept = self.kept.get(&service)?;
        Some((kept.declaration.revision, kept.is_acting, kept.given_up_revision()))
    }

    /// Whether a replica is known to be on a node, whoever placed it.
    pub fn knows(&self, replica: ReplicaId, node: NodeId) -> bool {
        let placed = self.kept.get(&replica.service).and_then(|kept| kept.replicas.get(&replica));
        placed.is_some_and(|placed| placed.node == node)
    }

    /// Whether one more service of `owner` can be kept.
    pub fn has_room_for(&self, owner: NodeId) -> bool {
        let of_owner = self.kept.values().filter(|kept| kept.declaration.owner == owner).count();
        let others = self.kept.len() - self.kept_of_own();
        if owner == self.config.own { true } else { others < KEPT_MAX && of_owner < KEPT_OF_OWNER_MAX }
    }

    fn kept_of_own(&self) -> usize {
        self.kept.values().filter(|kept| kept.declaration.owner == self.config.own).count()
    }

    /// What was declared of a service.
    pub fn declared(&self, service: ServiceId) -> Option<(&Declaration, &Declared)> {
        self.kept.get(&service).map(|kept| (&kept.declaration, &kept.declared))
    }

    /// What is known of the volumes of a service, as it is to be on disk.
    pub fn data(&self, service: ServiceId) -> Vec<SlotData> {
        self.kept.get(&service).map(Kept::data_on_disk).unwrap_or_default()
    }

    /// What is held of the volumes of each slot of a service.
    pub fn held(&self, service: ServiceId) -> Vec<(u16, Saved)> {
        self.kept.get(&service).map(Kept::held).unwrap_or_default()
    }

    /// The revision of a service that was healthy last: what a new one falls back to.
    pub fn good(&self, service: ServiceId) -> Option<u64> {
        self.kept.get(&service).and_then(|kept| kept.good)
    }

    /// Services that are kept here.
    pub fn services(&self) -> impl Iterator<Item = ServiceId> + '_ {
        self.kept.keys().copied()
    }

    /// A service as it is seen now.
    pub fn view(&self, now: Timestamp, service: ServiceId) -> Option<KeptView> {
        self.kept.get(&service).map(|kept| kept.view(now, &self.config))
    }

    fn on_declared(
        &mut self,
        now: Timestamp,
        declaration: Declaration,
        declared: Declared,
        effects: &mut Vec<KeeperEffect>,
    ) {
        let service = declaration.service();
        if let Some(kept) = self.kept.get_mut(&service) {
            if declaration.revision <= kept.declaration.revision {
                return;
            }
            kept.renew(now, declaration, declared);
        } else if !declaration.keepers.contains(&self.config.own) || !self.has_room_for(declaration.owner) {
            return;
        } else {
            // Nothing of a first revision can run yet.
            let settled_at = if declaration.revision == 1 { now } else { now.plus_ms(self.config.settle_ms) };
            self.kept.insert(service, Kept::new(now, settled_at, declaration, declared));
        }
        effects.push(KeeperEffect::Remember { service });
        self.begin(now, service, effects);
    }

    fn on_restored(
        &mut self,
        now: Timestamp,
        declaration: Declaration,
        declared: Declared,
        data: Vec<SlotData>,
        effects: &mut Vec<KeeperEffect>,
    ) {
        let service = declaration.service();
        let known = self.kept.get(&service).map(|kept| kept.declaration.revision);
        if known.is_some_and(|revision| revision >= declaration.revision) {
            return;
        }
        let settled_at = now.plus_ms(self.config.settle_ms);
        let mut kept = Kept { is_restored: true, ..Kept::new(now, settled_at, declaration, declared) };
        kept.restore_data(now, data);
        self.kept.insert(service, kept);
        self.begin(now, service, effects);
    }

    /// What a newly known revision sets going at once.
    fn begin(&mut self, now: Timestamp, service: ServiceId, effects: &mut Vec<KeeperEffect>) {
        let Some(kept) = self.kept.get_mut(&service) else { return };
        let blobs = kept.blobs();
        if !blobs.is_empty() {
            effects.push(KeeperEffect::Hold { service, blobs });
        }
        let others = kept.declaration.keepers.iter().filter(|keeper| **keeper != self.config.own);
        effects.extend(others.map(|to| KeeperEffect::Hand { to: *to, service }));
        kept.tick(now, &self.config, effects);
    }

    fn on_tick(&mut self, now: Timestamp, effects: &mut Vec<KeeperEffect>) {
        let mut over = Vec::new();
        for (service, kept) in &mut self.kept {
            kept.tick(now, &self.config, effects);
            if kept.is_over(now, &self.config) {
                over.push(*service);
            }
        }
        for service in over {
            self.kept.remove(&service);
            effects.push(KeeperEffect::Forget { service });
        }
    }
}
