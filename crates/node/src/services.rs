//! Services: the cores that keep, host and find them, joined to the world.
//!
//! `keeping` and `hosting` carry out what the cores order, `serving` answers other nodes, `reaching` leads
//! connections to replicas; `owning`, `showing` and `opening` are the users' side.

mod asking;
mod hosting;
mod keeping;
mod measuring;
mod opening;
mod owning;
mod probing;
mod reaching;
mod secrets;
mod serving;
mod showing;
mod volumes;

pub use opening::{OpenError, OpenPort};
pub(crate) use owning::ServiceRequest;
pub use owning::{DeclareError, Declaring, LogPart, ServiceError};
pub use secrets::GivenSecret;
pub use showing::{ReplicaView, ServiceState, ServiceView};

use crate::{event::Event, node::Node};
use opensky_ports::{ByteStream, Instance, ServiceEngine};
use opensky_protocol::service::{ADVERTS_MAX, PlacedReport, ServiceAsk};
use opensky_provider::Reserved;
use opensky_services::{
    Capacity, Directory, Host, HostConfig, HostEffect, HostInput, Keeper, KeeperConfig, KeeperEffect,
    KeeperInput, UnknownService,
};
use opensky_types::{
    Hash, NodeId, ServiceId, Signed, Timestamp,
    engine::Engine,
    service::{Advert, ReplicaId, Saved, ServiceRef},
    task::Failure,
};
use reaching::Counts;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Programs that run here.
pub(crate) type Instances = Arc<Mutex<BTreeMap<ReplicaId, Arc<dyn Instance>>>>;

/// What happens to services.
pub(crate) enum ServiceEvent {
    /// A member asks something on a stream of its own.
    Asked { from: NodeId, ask: Box<ServiceAsk>, stream: ByteStream },
    /// A fact for the keeper.
    Keeper(KeeperInput),
    /// A fact for the host.
    Host(HostInput),
    /// A host said how replicas are; none: it could not be asked.
    Reported { service: ServiceId, node: NodeId, reports: Option<Vec<PlacedReport>> },
    /// A program was started, or not.
    Launched { replica: ReplicaId, launch: u32, result: Result<Arc<dyn Instance>, Failure> },
    /// Somebody here wants to reach a service.
    RoutesAsked { target: Target, answer: oneshot::Sender<Result<Vec<Route>, NoRoute>> },
    /// A peer told of adverts.
    Adverts(Vec<Signed<Advert>>),
    /// A replica did not answer.
    Doubted { replica: ReplicaId },
    /// Processor time that a replica has used since it began.
    Used { replica: ReplicaId, cpu_us: u64 },
}

/// A port of a service, as somebody here knows it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Which, with its owner: names alone may come to mean another's.
    pub(crate) service: ServiceRef,
    pub(crate) port: u16,
}

/// Why no replica can be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRoute {
    /// It may be known later.
    #[error(transparent)]
    Unknown(#[from] UnknownService),
    /// Waiting does not help.
    #[error("the service has no port {0}")]
    NoSuchPort(u16),
}

/// A replica that takes connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) replica: ReplicaId,
    pub(crate) node: NodeId,
}

/// Whoever waits for the host's answer.
pub(crate) enum Asker {
    /// Another node.
    Remote(ByteStream),
    /// This node's own keeper, about a placement.
    Placement(ReplicaId),
    /// The same, about reports.
    Reports(ServiceId),
    /// The same, and the answer changes nothing.
    Nobody,
}

/// All that a node has to do with services.
pub(crate) struct Services {
    pub(crate) keeper: Keeper,
    pub(crate) host: Host,
    pub(crate) directory: Directory,
    engine: Option<Arc<dyn ServiceEngine>>,
    instances: Instances,
    askers: BTreeMap<u64, Asker>,
    asks: u64,
    /// Number of the last advert.
    sequence: u64,
    capacity: Capacity,
    /// Connections through this node, by replica: those that it hosts, and those that it leads elsewhere.
    hosted_connections: Counts,
    led_connections: Counts,
    told_connections: BTreeMap<ReplicaId, u32>,
    ports: BTreeMap<SocketAddr, (OpenPort, CancellationToken)>,
    /// What is saved of volumes elsewhere and on its way here, by slot.
    fetched: BTreeMap<(ServiceId, u16), Saved>,
    /// Programs that are being fetched for services kept here.
    holding: BTreeMap<ServiceId, CancellationToken>,
    /// When replicas were last measured, and what they had used then, both in microseconds.
    used: BTreeMap<ReplicaId, (u64, u64)>,
    /// What members asked since the last second.
    asked: BTreeMap<NodeId, u32>,
}

impl Services {
    pub(crate) fn new(sky: Hash, own: NodeId, engine: Option<Arc<dyn ServiceEngine>>) -> Self {
        Self {
            keeper: Keeper::new(KeeperConfig::new(sky, own)),
            host: Host::new(HostConfig::new(sky, own)),
            directory: Directory::new(sky),
            engine,
            instances: Instances::default(),
            askers: BTreeMap::new(),
            asks: 0,
            sequence: 0,
            capacity: Capacity { is_closed: true, ..Capacity::default() },
            hosted_connections: Counts::default(),
            led_connections: Counts::default(),
            told_connections: BTreeMap::new(),
            ports: BTreeMap::new(),
            fetched: BTreeMap::new(),
            holding: BTreeMap::new(),
            used: BTreeMap::new(),
            asked: BTreeMap::new(),
        }
    }

    /// What runs services here.
    pub(crate) fn engine(&self) -> Option<Arc<dyn ServiceEngine>> {
        self.engine.clone()
    }
}

impl Node {
    pub(crate) fn on_service_event(&mut self, now: Timestamp, event: ServiceEvent) {
        match event {
            ServiceEvent::Asked { from, ask, stream } => self.on_service_asked(now, from, *ask, stream),
            ServiceEvent::Keeper(input @ KeeperInput::DataHeld { .. }) => self.on_data_held(now, input),
            ServiceEvent::Keeper(input) => self.keep_up(now, input),
            ServiceEvent::Host(input) => self.host_service(now, input),
            ServiceEvent::Reported { service, node, reports } => {
                self.on_replicas_reported(now, service, node, reports);
            }
            ServiceEvent::Launched { replica, launch, result } => {
                self.on_launched(now, replica, launch, result);
            }
            ServiceEvent::RoutesAsked { target, answer } => {
                // Whoever asked may have gone away.
                let _ = answer.send(self.routes(now, &target));
            }
            ServiceEvent::Adverts(adverts) => adverts.iter().take(ADVERTS_MAX).for_each(|advert| {
                self.hear_advert(now, advert);
            }),
            ServiceEvent::Doubted { replica } => self.services.directory.doubt(replica),
            ServiceEvent::Used { replica, cpu_us } => self.on_replica_used(now, replica, cpu_us),
        }
    }

    /// The pulse of the cores.
    pub(crate) fn services_tick(&mut self, now: Timestamp) {
        self.look_at_capacity(now);
        self.tell_connections(now);
        self.host_service(now, HostInput::Tick);
        self.keep_up(now, KeeperInput::Tick);
    }

    /// Hands a fact to the keeper and carries out what it orders.
    pub(crate) fn keep_up(&mut self, now: Timestamp, input: KeeperInput) {
        let mut effects: Vec<KeeperEffect> = Vec::new();
        self.services.keeper.handle(now, input, &mut effects);
        effects.into_iter().for_each(|effect| self.perform_kept(now, effect));
    }

    /// Hands a fact to the host and carries out what it orders.
    pub(crate) fn host_service(&mut self, now: Timestamp, input: HostInput) {
        let mut effects: Vec<HostEffect> = Vec::new();
        self.services.host.handle(now, input, &mut effects);
        effects.into_iter().for_each(|effect| self.perform_hosted(now, effect));
    }

    /// Members may ask again.
    pub(crate) fn services_second(&mut self, now: Timestamp) {
        self.services.directory.expire(now);
        self.services.asked.clear();
        self.measure_replicas();
    }

    /// Tells the host what there is room for, where that has changed.
    pub(crate) fn look_at_capacity(&mut self, now: Timestamp) {
        let room = self.host.provider.room(now);
        let mut levels = Engine::levels(&self.executor.engines());
        let of_services = self.services.engine.as_ref().map(|engine| engine.levels()).unwrap_or_default();
        levels.retain(|level| of_services.contains(level));
        // What tasks can ask for is not always a place where services are reached.
        let isolations = self.services.engine.as_ref().map(|engine| engine.isolations()).unwrap_or_default();
        let mut containers = room.containers;
        containers.isolations.retain(|isolation| isolations.contains(isolation));
        let capacity = Capacity {
            slots: room.slots,
            memory_bytes: room.memory_bytes,
            disk_bytes: room.disk_bytes,
            levels,
            containers,
            gpus: self.hardware.gpus.clone(),
            is_free: room.is_free,
            is_closed: room.is_closed,
            must_end: room.must_end,
        };
        if capacity != self.services.capacity {
            self.services.capacity = capacity.clone();
            self.host_service(now, HostInput::Capacity(capacity));
        }
    }

    fn tell_connections(&mut self, now: Timestamp) {
        let counts = self.services.hosted_connections.all();
        if counts == self.services.told_connections {
            return;
        }
        let before = std::mem::replace(&mut self.services.told_connections, counts.clone());
        let ended =
            before.keys().filter(|replica| !counts.contains_key(replica)).map(|replica| (*replica, 0));
        let told: Vec<_> = ended.chain(counts.iter().map(|(replica, count)| (*replica, *count))).collect();
        for (replica, count) in told {
            self.host_service(now, HostInput::Connections { replica, count });
        }
    }

    pub(crate) fn reserve_for_services(&mut self, now: Timestamp, reserved: Reserved) {
        self.provide(now, opensky_provider::Input::Reserved(reserved));
    }

    /// Says something to the loop from within it: handled after what is at hand.
    pub(crate) fn soon(&mut self, event: ServiceEvent) {
        self.local.push_back(Event::Service(Box::new(event)));
    }
}
