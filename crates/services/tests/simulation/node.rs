//! One node: its three cores, wired as a node's loop does it.

use crate::{
    chance::Chance,
    programs::Engine,
    sky::{Ask, Reply, sky_hash, time},
    volumes::Store,
};
use opensky_services::{
    Capacity, Directory, Heard, Host, HostConfig, HostEffect, HostInput, Keeper, KeeperConfig, KeeperEffect,
    KeeperInput, SlotData, Taken,
};
use opensky_types::{
    NodeId, ServiceId, Signed,
    job::{Blob, Program},
    key::Keypair,
    offer::ContainerOffer,
    place::Level,
    samples,
    service::{Advert, Declared, Placement, ReplicaId, Saved},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// How long an advert counts, in milliseconds.
const ADVERT_MS: u64 = 45_000;
const GIB: u64 = 1 << 30;

/// What a node orders of the world.
#[derive(Debug)]
pub enum Port {
    Ask(NodeId, Ask),
    Answer(u64, Reply),
    Gossip(Signed<Advert>),
    Prepare(ReplicaId, Program, Option<Blob>, Vec<NodeId>),
    Launch(ReplicaId, u32),
    Probe(ReplicaId, u32),
    Stop(ReplicaId, u32, u64),
    Find(ServiceId, u16, Vec<NodeId>),
    Save(ReplicaId),
    Hold(ServiceId, u16, Saved, Vec<NodeId>),
}

pub struct Node {
    pub id: NodeId,
    key: Keypair,
    pub is_up: bool,
    /// Counts its starts: what an earlier life ordered is not for this one.
    pub life: u32,
    /// Whom it reaches.
    pub group: u64,
    /// When it last went, came, or was cut off.
    pub changed_at: u64,
    /// Whether it hears adverts.
    pub listens: bool,
    pub host: Host,
    pub keeper: Keeper,
    pub directory: Directory,
    pub capacity: Capacity,
    pub engine: Engine,
    reserved: (u16, u64, u64),
    /// What survives a crash.
    disk: BTreeMap<ServiceId, Declared>,
    data: BTreeMap<ServiceId, Vec<SlotData>>,
    pub store: Store,
    sequence: u64,
    /// Signatures that were checked already: checking them at each step would take all the time.
    checked: RefCell<BTreeSet<[u8; 64]>>,
    read: RefCell<BTreeSet<[u8; 64]>>,
}

impl Node {
    pub fn new(number: usize, slots: u16) -> Self {
        let key = samples::keypair(number as u8 + 1);
        let id = key.id();
        let capacity = Capacity {
            slots,
            memory_bytes: u64::from(slots) * GIB,
            disk_bytes: u64::from(slots) * GIB,
            levels: vec![Level::Container],
            containers: ContainerOffer::default(),
            gpus: Vec::new(),
            is_free: true,
            is_closed: slots == 0,
            must_end: false,
        };
        Self {
            id,
            key,
            is_up: true,
            life: 0,
            group: 0,
            changed_at: 0,
            listens: slots == 0,
            host: Host::new(HostConfig::new(sky_hash(), id)),
            keeper: Keeper::new(KeeperConfig::new(sky_hash(), id)),
            directory: Directory::new(sky_hash()),
            capacity,
            engine: Engine::default(),
            reserved: (0, 0, 0),
            disk: BTreeMap::new(),
            data: BTreeMap::new(),
            store: Store::default(),
            sequence: 0,
            checked: RefCell::default(),
            read: RefCell::default(),
        }
    }

    /// All that was in memory is gone.
    pub fn crash(&mut self, now: u64) {
        self.is_up = false;
        self.life += 1;
        self.changed_at = now;
        self.host = Host::new(HostConfig::new(sky_hash(), self.id));
        self.keeper = Keeper::new(KeeperConfig::new(sky_hash(), self.id));
        self.directory = Directory::new(sky_hash());
        self.engine = Engine::default();
        self.reserved = (0, 0, 0);
    }

    pub fn come_back(&mut self, now: u64, ports: &mut Vec<Port>) {
        self.is_up = true;
        self.changed_at = now;
        self.tell_capacity(now, ports);
        for declared in self.disk.values().cloned().collect::<Vec<_>>() {
            let declaration = Box::new(declared.check(sky_hash()).expect("what is kept was checked"));
            let data = self.data.get(&declaration.service()).cloned().unwrap_or_default();
            let input = KeeperInput::Restored { declaration, declared: Box::new(declared), data };
            self.tell_keeper(now, input, ports);
        }
    }

    pub fn tell_capacity(&mut self, now: u64, ports: &mut Vec<Port>) {
        self.tell_host(now, HostInput::Capacity(self.capacity.clone()), ports);
    }

    pub fn free_slots(&self) -> u16 {
        self.capacity.slots.saturating_sub(self.reserved.0)
    }

    pub fn tick(&mut self, now: u64, ports: &mut Vec<Port>) {
        self.directory.expire(time(now));
        for ((replica, launch), exit_code) in self.engine.ended(now) {
            let (end, last_words) = (Ok(exit_code), "no more".to_owned());
            self.tell_host(now, HostInput::Ended { replica, launch, end, last_words }, ports);
        }
        self.store.write(self.engine.replicas());
        self.tell_host(now, HostInput::Tick, ports);
        self.tell_keeper(now, KeeperInput::Tick, ports);
    }

    /// What holds at every moment, whatever goes wrong.
    pub fn check(&self, now: u64) {
        let (slots, memory_bytes, disk_bytes) = self.reserved;
        let capacity = &self.capacity;
        assert!(slots <= capacity.slots, "more slots than there are");
        assert!(memory_bytes <= capacity.memory_bytes && disk_bytes <= capacity.disk_bytes);
        assert!(self.engine.cores() <= slots, "programs use what is not reserved");
        for replica in self.engine.replicas() {
            assert!(self.host.hosted(replica).is_some(), "{replica} runs and nobody knows");
        }
        for view in self.host.views(time(now)) {
            let hosted = self.host.hosted(view.report.replica).expect("it is here");
            let (signed, declaration, declared, revision) = hosted;
            if self.checked.borrow_mut().insert(*signed.signature().as_bytes()) {
                let placement = signed.check(declaration).expect("a keeper wants it");
                assert_eq!((placement.node, placement.revision), (self.id, revision));
                assert!(declaration.keepers.contains(&signed.signer()));
                assert_eq!(declared.check(sky_hash()).as_ref(), Ok(declaration));
            }
        }
    }
}

/// What happens to its host.
impl Node {
    pub fn tell_host(&mut self, now: u64, input: HostInput, ports: &mut Vec<Port>) {
        let mut effects = Vec::new();
        self.host.handle(time(now), input, &mut effects);
        for effect in effects {
            match effect {
                HostEffect::Answer { ask, answer } => ports.push(Port::Answer(ask, Reply::Done(answer))),
                HostEffect::AnswerReports { ask, reports } => {
                    let placement = |replica| self.host.hosted(replica).map(|hosted| hosted.0.clone());
                    let placed = reports.into_iter().filter_map(|report| {
                        let placement = placement(report.replica)?;
                        Some((report, placement))
                    });
                    ports.push(Port::Answer(ask, Reply::Reports(placed.collect())));
                }
                HostEffect::Prepare { replica, saved, sources, .. } => {
                    if let Some(program) = self.program(replica) {
                        ports.push(Port::Prepare(replica, program.0, saved, sources));
                    }
                }
                HostEffect::Launch { replica, launch } => ports.push(Port::Launch(replica, launch)),
                HostEffect::Probe { replica, launch, .. } => ports.push(Port::Probe(replica, launch)),
                HostEffect::Stop { replica, launch, grace_ms } => {
                    ports.push(Port::Stop(replica, launch, grace_ms));
                }
                HostEffect::Advertise { replica, state } => {
                    let Some((placement, _, declared, _)) = self.host.hosted(replica) else { continue };
                    self.sequence += 1;
                    let advert = Advert {
                        declaration: declared.declaration.clone(),
                        placement: placement.clone(),
                        sequence: self.sequence,
                        state,
                        expires_at: time(now + ADVERT_MS),
                    };
                    ports.push(Port::Gossip(Signed::sign(&advert, &self.key)));
                }
                HostEffect::Save { replica } => ports.push(Port::Save(replica)),
                HostEffect::Gone { replica, is_handed_over, .. } => {
                    if is_handed_over {
                        self.store.forget(replica);
                    }
                }
                HostEffect::Reserve(Taken { slots, memory_bytes, disk_bytes, .. }) => {
                    self.reserved = (slots, memory_bytes, disk_bytes);
                }
            }
        }
    }

    fn program(&self, replica: ReplicaId) -> Option<(Program, u16)> {
        let (_, declaration, declared, revision) = self.host.hosted(replica)?;
        let spec = declared.spec_of(declaration, revision)?;
        Some((spec.program.clone(), spec.limits.cpu_cores))
    }

    pub fn start(
        &mut self,
        now: u64,
        chance: &mut Chance,
        (replica, launch): (ReplicaId, u32),
        calm: bool,
        ports: &mut Vec<Port>,
    ) {
        let Some((program, cores)) = self.program(replica) else { return };
        let result = self.engine.start(now, chance, (replica, launch), (&program, cores), calm);
        if result.is_ok() && self.has_volumes(replica) {
            self.store.begin(now, replica, self.host.begins_with(replica));
        }
        self.tell_host(now, HostInput::Launched { replica, launch, result }, ports);
    }

    fn has_volumes(&self, replica: ReplicaId) -> bool {
        let hosted = self.host.hosted(replica);
        let spec =
            hosted.and_then(|(_, declaration, declared, revision)| declared.spec_of(declaration, revision));
        spec.is_some_and(|spec| spec.volumes.is_some())
    }

    pub fn probe(&mut self, now: u64, (replica, launch): (ReplicaId, u32), ports: &mut Vec<Port>) {
        let is_well = self.engine.answers(now, (replica, launch));
        let result = if is_well { Ok(()) } else { Err("no answer".to_owned()) };
        self.tell_host(now, HostInput::Probed { replica, launch, result }, ports);
    }

    pub fn stop(&mut self, now: u64, (replica, launch): (ReplicaId, u32), ports: &mut Vec<Port>) {
        self.engine.stop((replica, launch));
        self.tell_host(now, HostInput::Stopped { replica, launch }, ports);
    }
}

/// What happens to its keeper.
impl Node {
    pub fn tell_keeper(&mut self, now: u64, input: KeeperInput, ports: &mut Vec<Port>) {
        let mut effects = Vec::new();
        self.keeper.handle(time(now), input, &mut effects);
        for effect in effects {
            match effect {
                KeeperEffect::Hand { to, service } => {
                    if let Some(declared) = self.declared(service) {
                        ports.push(Port::Ask(to, Ask::Keep(declared)));
                    }
                }
                KeeperEffect::AskKeeper { to, service } => ports.push(Port::Ask(to, Ask::Keeping(service))),
                KeeperEffect::AskReport { to, service, renewed, held } => {
                    let sign = |placement: &Placement| Signed::sign(placement, &self.key);
                    let renewed = renewed.iter().map(sign).collect();
                    ports.push(Port::Ask(to, Ask::Report(service, renewed, held)));
                }
                KeeperEffect::Place { placement, saved } => {
                    if let Some(declared) = self.declared(placement.replica.service) {
                        let signed = Signed::sign(&placement, &self.key);
                        ports.push(Port::Ask(placement.node, Ask::Place(declared, signed, saved)));
                    }
                }
                KeeperEffect::Withdraw { to, replica } => ports.push(Port::Ask(to, Ask::Withdraw(replica))),
                KeeperEffect::Find { service, slot, used, .. } => ports.push(Port::Find(service, slot, used)),
                KeeperEffect::HoldData { service, slot, saved, sources } => {
                    ports.push(Port::Hold(service, slot, saved, sources));
                }
                KeeperEffect::RememberData { service } => {
                    self.data.insert(service, self.keeper.data(service));
                }
                KeeperEffect::Hold { .. } => {}
                KeeperEffect::Remember { service } => {
                    let (_, declared) = self.keeper.declared(service).expect("it is kept");
                    self.disk.insert(service, declared.clone());
                }
                KeeperEffect::Forget { service } => drop(self.disk.remove(&service)),
            }
        }
    }

    fn declared(&self, service: ServiceId) -> Option<Rc<Declared>> {
        self.keeper.declared(service).map(|(_, declared)| Rc::new(declared.clone()))
    }

    pub fn on_declared(&mut self, now: u64, declared: &Declared, ports: &mut Vec<Port>) {
        let Ok(declaration) = declared.check(sky_hash()) else { panic!("keepers hand on what they checked") };
        self.listens |= declaration.keepers.contains(&self.id);
        let (declaration, declared) = (Box::new(declaration), Box::new(declared.clone()));
        let input = HostInput::Declared { declaration: declaration.clone(), declared: declared.clone() };
        self.tell_host(now, input, ports);
        self.tell_keeper(now, KeeperInput::Declared { declaration, declared }, ports);
    }

    pub fn on_asked(&mut self, now: u64, from: NodeId, call: u64, ask: Ask, ports: &mut Vec<Port>) {
        match ask {
            Ask::Keep(declared) => {
                self.on_declared(now, &declared, ports);
                ports.push(Port::Answer(call, Reply::Done(Ok(()))));
            }
            Ask::Keeping(service) => {
                let (revision, is_acting, given_up) = self.keeper.stand(service).unwrap_or_default();
                let saved = self.keeper.held(service);
                ports.push(Port::Answer(call, Reply::Keeping(revision, is_acting, given_up, saved)));
            }
            Ask::Place(declared, placement, saved) => {
                let declared = Box::new(Declared::clone(&declared));
                self.tell_host(now, HostInput::Place { ask: call, from, declared, placement, saved }, ports);
            }
            Ask::Withdraw(replica) => {
                self.tell_host(now, HostInput::Withdraw { ask: call, from, replica }, ports);
            }
            Ask::Report(service, renewed, held) => {
                self.tell_host(now, HostInput::Report { ask: call, from, service, renewed, held }, ports);
            }
        }
    }

    pub fn on_answered(
        &mut self,
        now: u64,
        node: NodeId,
        ask: Ask,
        reply: Option<Reply>,
        ports: &mut Vec<Port>,
    ) {
        let input = match (ask, reply) {
            (Ask::Place(_, signed, _), reply) => {
                let placement = signed.decode_unverified().expect("it was signed here");
                let answer = match reply {
                    Some(Reply::Done(answer)) => Some(answer),
                    _ => None,
                };
                KeeperInput::PlacedAt { replica: placement.replica, answer }
            }
            (Ask::Report(service, ..), Some(Reply::Reports(placed))) => {
                let reports = placed.into_iter().filter_map(|(report, signed)| {
                    let is_known = !self.read.borrow_mut().insert(*signed.signature().as_bytes());
                    let placement =
                        if is_known { signed.decode_unverified().ok()? } else { signed.verify().ok()? };
                    let fits = placement.node == node && placement.replica == report.replica;
                    (fits && placement.revision == report.revision).then_some(report)
                });
                KeeperInput::Reported { service, node, reports: Some(reports.collect()) }
            }
            (Ask::Report(service, ..), _) => KeeperInput::Reported { service, node, reports: None },
            (Ask::Keeping(service), Some(Reply::Keeping(revision, is_acting, given_up, saved))) => {
                KeeperInput::KeeperSaid { service, node, revision, is_acting, given_up, saved }
            }
            _ => return,
        };
        self.tell_keeper(now, input, ports);
    }

    pub fn on_gossip(&mut self, now: u64, advert: &Signed<Advert>, ports: &mut Vec<Port>) {
        match self.directory.hear(time(now), advert) {
            Heard::New { replica, node, revision, state } => {
                self.tell_keeper(now, KeeperInput::Seen { replica, node, revision, state }, ports);
            }
            Heard::Old => {}
            Heard::Wrong(error) => panic!("a host's advert is refused: {error}"),
        }
    }
}
