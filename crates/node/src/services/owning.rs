//! The owner's side: services declared, changed, looked at, reached.

use super::{Node, Target};
use crate::{NodeGone, requests::tell, services::asking::ask_on_stream, settings};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ports::ByteStream;
use opensky_protocol::service::{LogPiece, ServiceAsk, ServiceReply};
use opensky_services::{GivenUp, KeptView, Known, PlacedView, UnknownService};
use opensky_types::{
    Hash, NodeId, ServiceId, Signed, Timestamp,
    service::{
        Declaration, Declared, Earlier, InvalidService, KEEPERS_MAX, Refusal, ReplicaId, ReplicaReport,
        ReplicaState, ServiceRef, ServiceSpec,
    },
};
use std::{collections::BTreeSet, io, net::SocketAddr, sync::Arc};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

/// Keepers of a service, the owner's node among them.
const KEEPERS: usize = 5;
const _: () = assert!(KEEPERS <= KEEPERS_MAX);
/// Most services that one node owns.
const OWNED_MAX: usize = 1_024;
/// Local ports that lead to services.
const OPEN_PORTS_MAX: usize = 256;
/// Parts of logs that wait for a slow reader.
const LOG_PARTS_MAX: usize = 64;

/// Why a service was not declared.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// The spec is none.
    #[error(transparent)]
    Invalid(#[from] InvalidService),
    /// Its image was not uploaded before.
    #[error("image {0} is not in this node's store; upload it first")]
    BlobMissing(Hash),
    /// Too many.
    #[error("{OWNED_MAX} services are declared here, which is the limit; remove one first")]
    TooMany,
    /// There is no earlier revision.
    #[error("the service has no earlier revision to go back to")]
    NothingBefore,
    /// Nothing can be promised, since nothing can be kept.
    #[error("the node cannot write to its disk ({0}); it takes no new services until it can")]
    DiskFailed(String),
    /// The name stands for no service, or for one of another owner.
    #[error(transparent)]
    Unknown(#[from] ServiceError),
}

/// Why nothing was done about a service.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The name stands for none.
    #[error(transparent)]
    Unknown(#[from] UnknownService),
    /// Only its owner may.
    #[error("the service belongs to {0}; only its owner's node can do that")]
    NotOwner(NodeId),
    /// The node stopped.
    #[error(transparent)]
    Gone(#[from] NodeGone),
}

/// Why a local port does not lead to a service.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name stands for none.
    #[error(transparent)]
    Unknown(#[from] ServiceError),
    /// The service has others.
    #[error("the service has no port {port}; it has {}", ports(.has))]
    NoSuchPort { port: u16, has: Vec<u16> },
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {listen}: {source}")]
    Listen { listen: SocketAddr, source: io::Error },
    /// Too many.
    #[error("{OPEN_PORTS_MAX} local ports lead to services, which is the limit; close one first")]
    TooMany,
}

fn ports(ports: &[u16]) -> String {
    if ports.is_empty() {
        return "none".to_owned();
    }
    ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A local address that leads to a service.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OpenPort {
    /// Where this node listens.
    pub listen: SocketAddr,
    /// Where it leads.
    pub service: ServiceRef,
    /// The service's port.
    pub port: u16,
}

/// How a service is, all in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// No replica has answered yet.
    Starting,
    /// All replicas of the newest revision answer.
    Healthy,
    /// A new revision takes the place of the one before.
    Updating,
    /// Some replicas answer.
    Degraded,
    /// None answers.
    Down,
    /// It is removed.
    Removed,
}

impl ServiceState {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Updating => "updating",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Removed => "removed",
        }
    }
}

/// A service as this node knows it.
#[derive(Debug, Clone)]
pub struct ServiceView {
    /// Its id.
    pub service: ServiceId,
    /// What its owner declared last, as far as is known here.
    pub declaration: Declaration,
    /// What runs; known to its owner and its keepers.
    pub spec: Option<ServiceSpec>,
    /// All in all.
    pub state: ServiceState,
    /// The revision that is to run.
    pub wanted: u64,
    /// The newest revision, where it did not get healthy.
    pub given_up: Option<GivenUp>,
    /// Whether this node acts as its keeper.
    pub is_acting: bool,
    /// Its replicas.
    pub replicas: Vec<ReplicaView>,
    /// Local addresses that lead to it.
    pub open_ports: Vec<OpenPort>,
    /// What happened lately, oldest first; known to keepers.
    pub notes: Vec<opensky_services::Note>,
}

/// A replica as this node knows it.
#[derive(Debug, Clone)]
pub struct ReplicaView {
    /// Which.
    pub replica: ReplicaId,
    /// Where.
    pub node: NodeId,
    /// Of which revision.
    pub revision: u64,
    /// How it stands, as last heard.
    pub state: ReplicaState,
    /// Whether its host has fallen silent.
    pub is_lost: bool,
    /// Whether it was asked to end.
    pub is_withdrawn: bool,
    /// Whether it is of the revision that is to run, or as good as that.
    pub is_wanted: bool,
    /// What its host says of it; known to keepers.
    pub report: Option<ReplicaReport>,
}

/// A part of a service's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPart {
    /// Whose output it is.
    pub replica: ReplicaId,
    /// Whether it was written to standard error.
    pub is_stderr: bool,
    /// What was written.
    pub bytes: Vec<u8>,
}

/// What a user asks.
pub(crate) enum ServiceRequest {
    Declare {
        spec: Box<ServiceSpec>,
        answer: oneshot::Sender<Result<(ServiceId, u64), DeclareError>>,
    },
    RollBack {
        name: String,
        answer: oneshot::Sender<Result<(ServiceId, u64), DeclareError>>,
    },
    Remove {
        name: String,
        answer: oneshot::Sender<Result<(), DeclareError>>,
    },
    List(oneshot::Sender<Vec<ServiceView>>),
    Show {
        service: ServiceRef,
        answer: oneshot::Sender<Result<ServiceView, ServiceError>>,
    },
    Log {
        service: ServiceRef,
        slot: Option<u16>,
        follow: bool,
        answer: LogAnswer,
    },
    Reach {
        service: ServiceRef,
        port: u16,
        answer: oneshot::Sender<io::Result<ByteStream>>,
    },
    Open {
        listener: TcpListener,
        service: ServiceRef,
        port: u16,
        answer: oneshot::Sender<Result<OpenPort, OpenError>>,
    },
    Close {
        listen: SocketAddr,
        answer: oneshot::Sender<bool>,
    },
}

type LogAnswer = oneshot::Sender<Result<mpsc::Receiver<LogPart>, ServiceError>>;

impl Node {
    pub(crate) fn on_service_request(&mut self, now: Timestamp, request: ServiceRequest) {
        match request {
            ServiceRequest::Declare { spec, answer } => tell(answer, self.declare(now, *spec)),
            ServiceRequest::RollBack { name, answer } => tell(answer, self.roll_back(now, &name)),
            ServiceRequest::Remove { name, answer } => tell(answer, self.remove_service(now, &name)),
            ServiceRequest::List(answer) => tell(answer, self.service_views(now)),
            ServiceRequest::Show { service, answer } => tell(answer, self.service_view(now, &service)),
            ServiceRequest::Log { service, slot, follow, answer } => {
                tell(answer, self.service_log(now, &service, slot, follow));
            }
            ServiceRequest::Reach { service, port, answer } => self.reach_service(service, port, answer),
            ServiceRequest::Open { listener, service, port, answer } => {
                tell(answer, self.open_port(listener, service, port));
            }
            ServiceRequest::Close { listen, answer } => tell(answer, self.close_port(listen)),
        }
    }

    /// Declares a service, or its next revision. It counts once it is on disk.
    fn declare(&mut self, now: Timestamp, spec: ServiceSpec) -> Result<(ServiceId, u64), DeclareError> {
        spec.validate()?;
        let service = ServiceId::of(&self.own, &spec.name);
        let is_new = self.services.keeper.declared(service).is_none();
        let owned = self.services.keeper.services().filter(|service| self.owns(*service)).count();
        if is_new && owned >= OWNED_MAX {
            return Err(DeclareError::TooMany);
        }
        self.declare_as(now, spec.name.clone(), Some(spec))
    }

    fn owns(&self, service: ServiceId) -> bool {
        let declared = self.services.keeper.declared(service);
        declared.is_some_and(|(declaration, _)| declaration.owner == self.own && declaration.spec.is_some())
    }

    fn declare_as(
        &mut self,
        now: Timestamp,
        name: String,
        spec: Option<ServiceSpec>,
    ) -> Result<(ServiceId, u64), DeclareError> {
        if let Some(problem) = &self.disk_problem {
            return Err(DeclareError::DiskFailed(problem.clone()));
        }
        let service = ServiceId::of(&self.own, &name);
        let known = self.services.keeper.declared(service);
        let revision = known.map_or(1, |(declaration, _)| declaration.revision.saturating_add(1));
        let known_keepers = known.map(|(declaration, _)| declaration.keepers.clone()).unwrap_or_default();
        let fallback = spec.as_ref().and_then(|_| self.good_spec(now, service));
        let declaration = Declaration {
            sky: self.membership.genesis().sky(),
            owner: self.own,
            name,
            revision,
            made_at: now,
            keepers: self.keepers_for(service),
            ports: spec.as_ref().map(|spec| spec.ports.clone()).unwrap_or_default(),
            spec: spec.as_ref().map(ServiceSpec::hash),
            fallback: fallback
                .as_ref()
                .map(|(revision, spec)| Earlier { revision: *revision, spec: spec.hash() }),
        };
        let declared = Declared {
            declaration: Signed::sign(&declaration, &self.key),
            spec,
            fallback: fallback.map(|(_, spec)| spec),
        };
        tracing::info!(%service, name = declaration.name, revision, "service declared");
        let earlier = known_keepers.into_iter().filter(|node| !declaration.keepers.contains(node));
        let earlier: Vec<NodeId> = earlier.collect();
        let for_earlier = declared.clone();
        let taken = self.take_declared(now, self.own, declared);
        debug_assert_eq!(taken, Ok(()), "what this node declares holds");
        // Whoever kept it until now has to hear that others do.
        for keeper in earlier {
            let ask = ServiceAsk::Keep { declared: for_earlier.clone() };
            self.ask_about_service(keeper, ask, |_| None);
        }
        Ok((service, revision))
    }

    /// The revision that was whole last, or else one that answers now, with its spec.
    fn good_spec(&self, now: Timestamp, service: ServiceId) -> Option<(u64, ServiceSpec)> {
        let view = self.services.keeper.view(now, service)?;
        let (declaration, declared) = (&view.declaration, &view.declared);
        let answers = |placed: &PlacedView| {
            placed.is_wanted && placed.report.as_ref().is_some_and(|report| report.state.answers())
        };
        let answering = view.replicas.iter().any(answers).then_some(view.wanted);
        let good = self.services.keeper.good(service).or(answering)?;
        Some((good, declared.spec_of(declaration, good)?.clone()))
    }

    /// Who keeps a service: this node, and of the members that are here those that a hash of both puts first, so
    /// that services spread over all members. Keepers of an earlier revision stay.
    fn keepers_for(&self, service: ServiceId) -> Vec<NodeId> {
        let before = self.services.keeper.declared(service).map(|(declaration, _)| &declaration.keepers);
        let is_here = |node: &NodeId| self.members.get(node).copied().unwrap_or(false);
        let mut drawn: Vec<NodeId> = self.members.keys().filter(|node| is_here(node)).copied().collect();
        drawn.sort_by_cached_key(|node| {
            let stays = before.is_some_and(|keepers| keepers.contains(node));
            (!stays, Hash::of_value("opensky keeper 1", &(service, *node)))
        });
        let others = drawn.into_iter().filter(|node| *node != self.own);
        [self.own].into_iter().chain(others).take(KEEPERS).collect()
    }

    fn roll_back(&mut self, now: Timestamp, name: &str) -> Result<(ServiceId, u64), DeclareError> {
        let (_, declared) = self.own_service(name)?;
        let spec = declared.fallback.clone().ok_or(DeclareError::NothingBefore)?;
        self.declare_as(now, name.to_owned(), Some(spec))
    }

    fn remove_service(&mut self, now: Timestamp, name: &str) -> Result<(), DeclareError> {
        self.own_service(name)?;
        self.declare_as(now, name.to_owned(), None)?;
        let removed = ServiceRef { name: name.to_owned(), owner: Some(self.own) };
        let ports = self.services.ports.values().filter(|(open, _)| open.service == removed);
        for listen in ports.map(|(open, _)| open.listen).collect::<Vec<_>>() {
            self.close_port(listen);
        }
        Ok(())
    }

    fn own_service(&self, name: &str) -> Result<(&Declaration, &Declared), ServiceError> {
        let of_own = self.services.keeper.declared(ServiceId::of(&self.own, name));
        match of_own.filter(|(declaration, _)| declaration.spec.is_some()) {
            Some(found) => Ok(found),
            None => {
                let name = ServiceRef { name: name.to_owned(), owner: None };
                let other = self.services.directory.resolve(&name, self.own)?;
                Err(ServiceError::NotOwner(other.owner))
            }
        }
    }

    fn service_views(&self, now: Timestamp) -> Vec<ServiceView> {
        let keeper = &self.services.keeper;
        let kept = keeper.services().filter_map(|service| keeper.view(now, service));
        let mut views: Vec<ServiceView> = kept
            .filter(|view| {
                view.declaration.spec.is_some() || view.replicas.iter().any(|placed| !placed.is_lost)
            })
            .map(|view| self.view_of_kept(view))
            .collect();
        let others = self.services.directory.known();
        let others = others.filter(|known| keeper.declared(known.declaration.service()).is_none());
        views.extend(others.map(|known| self.view_of_known(known)));
        views.sort_by(|one, other| {
            (&one.declaration.name, one.declaration.owner)
                .cmp(&(&other.declaration.name, other.declaration.owner))
        });
        views
    }

    fn service_view(&self, now: Timestamp, name: &ServiceRef) -> Result<ServiceView, ServiceError> {
        let service = self.find_service(name)?;
        if let Some(view) = self.services.keeper.view(now, service) {
            return Ok(self.view_of_kept(view));
        }
        let known = self.services.directory.known().find(|known| known.declaration.service() == service);
        known.map(|known| self.view_of_known(known)).ok_or_else(|| UnknownService::None.into())
    }

    /// A service by name: also one that nobody advertises yet, for its owner and its keepers.
    fn find_service(&self, name: &ServiceRef) -> Result<ServiceId, UnknownService> {
        let kept = |service: ServiceId| {
            self.services.keeper.declared(service).is_some_and(|(declaration, _)| declaration.spec.is_some())
        };
        let own = ServiceId::of(&name.owner.unwrap_or(self.own), &name.name);
        if kept(own) {
            return Ok(own);
        }
        self.services.directory.resolve(name, self.own).map(|resolved| resolved.service)
    }

    fn view_of_kept(&self, view: KeptView) -> ServiceView {
        let service = view.declaration.service();
        let replicas: Vec<ReplicaView> = view.replicas.iter().map(replica_view).collect();
        let spec = view.declared.spec_of(&view.declaration, view.wanted).cloned();
        ServiceView {
            service,
            state: state_of(&view, &replicas),
            spec,
            wanted: view.wanted,
            given_up: view.given_up,
            is_acting: view.is_acting,
            replicas,
            open_ports: self.open_ports_of(service),
            notes: view.notes,
            declaration: view.declaration,
        }
    }

    fn view_of_known(&self, known: Known) -> ServiceView {
        let replicas = known.replicas.iter().map(|(replica, node, revision, state)| ReplicaView {
            replica: *replica,
            node: *node,
            revision: *revision,
            state: *state,
            is_lost: false,
            is_withdrawn: false,
            is_wanted: *revision == known.declaration.revision,
            report: None,
        });
        let replicas: Vec<ReplicaView> = replicas.collect();
        let answers = replicas.iter().any(|replica| replica.state.answers());
        let service = known.declaration.service();
        ServiceView {
            service,
            state: if answers { ServiceState::Healthy } else { ServiceState::Down },
            spec: None,
            wanted: known.declaration.revision,
            given_up: None,
            is_acting: false,
            replicas,
            open_ports: self.open_ports_of(service),
            notes: Vec::new(),
            declaration: known.declaration,
        }
    }

    fn open_ports_of(&self, service: ServiceId) -> Vec<OpenPort> {
        let all = self.services.ports.values().map(|(open, _)| open);
        all.filter(|open| self.find_service(&open.service) == Ok(service)).cloned().collect()
    }

    /// What replicas write, all at once or that of one slot.
    fn service_log(
        &self,
        now: Timestamp,
        name: &ServiceRef,
        slot: Option<u16>,
        follow: bool,
    ) -> Result<mpsc::Receiver<LogPart>, ServiceError> {
        let view = self.service_view(now, name)?;
        let (parts, reader) = mpsc::channel(LOG_PARTS_MAX);
        let wanted = view
            .replicas
            .iter()
            .filter(|replica| !replica.is_lost && slot.is_none_or(|slot| slot == replica.replica.slot));
        for replica in wanted {
            self.read_log(replica, follow, parts.clone());
        }
        Ok(reader)
    }

    fn read_log(&self, view: &ReplicaView, follow: bool, parts: mpsc::Sender<LogPart>) {
        let (replica, node) = (view.replica, view.node);
        let running = self.running().get(&replica).cloned().filter(|_| node == self.own);
        let last_words = view.report.as_ref().map(|report| report.last_words.clone()).unwrap_or_default();
        let transport = Arc::clone(&self.transport);
        let stop = self.stop.clone();
        let reading = async move {
            let part = |is_stderr, bytes| LogPart { replica, is_stderr, bytes };
            if let Some(instance) = running {
                if !follow {
                    let kept = instance.last_words(opensky_ports::service::LOG_KEPT_BYTES);
                    let _ = parts.send(part(false, kept)).await;
                    return;
                }
                let mut written = instance.follow();
                while let Some((from, bytes)) = written.recv().await {
                    let is_stderr = from == opensky_ports::LogStream::Stderr;
                    if parts.send(part(is_stderr, bytes)).await.is_err() {
                        return;
                    }
                }
                return;
            }
            let ask = ServiceAsk::Log { replica, follow };
            match ask_on_stream(transport.as_ref(), node, &ask).await {
                Ok((ServiceReply::Opened, mut stream)) => {
                    while let Ok(Some(piece)) = crate::link::read_message::<LogPiece>(&mut stream).await {
                        if parts.send(part(piece.is_stderr, piece.bytes)).await.is_err() {
                            return;
                        }
                    }
                }
                // Its program does not run: what it wrote last is known from its host's report.
                Ok((ServiceReply::Refused { refusal: Refusal::NotAnswering }, _)) => {
                    let _ = parts.send(part(false, last_words.into_bytes())).await;
                }
                Ok((reply, _)) => tracing::debug!(%node, ?reply, "a log is not shown"),
                Err(error) => tracing::debug!(%node, %error, "a log could not be read"),
            }
        };
        self.tasks.spawn(async move { stop.run_until_cancelled(reading).await });
    }

    fn reach_service(&self, service: ServiceRef, port: u16, answer: oneshot::Sender<io::Result<ByteStream>>) {
        let (reacher, stop) = (self.reacher(), self.stop.clone());
        let target = Target { service: self.with_owner(&service), port };
        self.tasks.spawn(async move {
            if let Some(reached) = stop.run_until_cancelled(reacher.reach(&target)).await {
                tell(answer, reached);
            }
        });
    }

    /// What a name means now, for good: the owner that it has at this moment.
    fn with_owner(&self, name: &ServiceRef) -> ServiceRef {
        let is_own = self.services.keeper.declared(ServiceId::of(&self.own, &name.name)).is_some();
        let found = self.services.directory.resolve(name, self.own).ok().filter(|_| !is_own);
        name.of(found.map_or(self.own, |resolved| resolved.owner))
    }

    fn open_port(
        &mut self,
        listener: TcpListener,
        service: ServiceRef,
        port: u16,
    ) -> Result<OpenPort, OpenError> {
        let id = self.find_service(&service).map_err(ServiceError::from)?;
        let kept = self.services.keeper.declared(id).map(|(declaration, _)| declaration);
        if let Some(declaration) = kept.or_else(|| self.services.directory.declaration(id))
            && !declaration.ports.contains(&port)
        {
            return Err(OpenError::NoSuchPort { port, has: declaration.ports.clone() });
        }
        let service = self.with_owner(&service);
        let open = self.lead_port(listener, service, port)?;
        self.keep_open_ports();
        Ok(open)
    }

    /// Leads a local port to a service, which may come later.
    pub(crate) fn lead_port(
        &mut self,
        listener: TcpListener,
        service: ServiceRef,
        port: u16,
    ) -> Result<OpenPort, OpenError> {
        if self.services.ports.len() >= OPEN_PORTS_MAX {
            return Err(OpenError::TooMany);
        }
        let listen = listener
            .local_addr()
            .map_err(|source| OpenError::Listen { listen: SocketAddr::from(([127, 0, 0, 1], 0)), source })?;
        let open = OpenPort { listen, service: service.clone(), port };
        let stop = self.stop.child_token();
        let target = Target { service, port };
        self.tasks.spawn(self.reacher().serve_port(listener, target, stop.clone()));
        self.services.ports.insert(listen, (open.clone(), stop));
        Ok(open)
    }

    /// Leads the local ports of an earlier life on. One that is taken by now is let go, with a word of it.
    pub(crate) fn restore_open_ports(&mut self, ports: Vec<OpenPort>) {
        for OpenPort { listen, service, port } in ports {
            let bound = std::net::TcpListener::bind(listen).and_then(|listener| {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener)
            });
            let led = bound.map_err(|source| OpenError::Listen { listen, source });
            if let Err(error) = led.and_then(|listener| self.lead_port(listener, service, port)) {
                tracing::warn!(%error, "a local port no longer leads to its service");
            }
        }
    }

    fn close_port(&mut self, listen: SocketAddr) -> bool {
        let Some((_, stop)) = self.services.ports.remove(&listen) else { return false };
        stop.cancel();
        self.keep_open_ports();
        true
    }

    fn keep_open_ports(&mut self) {
        let open: Vec<OpenPort> = self.services.ports.values().map(|(open, _)| open.clone()).collect();
        self.keep_record(settings::open_ports_record(&open));
    }
}

fn replica_view(placed: &PlacedView) -> ReplicaView {
    let state = placed.report.as_ref().map_or(ReplicaState::Preparing, |report| report.state);
    ReplicaView {
        replica: placed.replica,
        node: placed.node,
        revision: placed.revision,
        state,
        is_lost: placed.is_lost,
        is_withdrawn: placed.is_withdrawn,
        is_wanted: placed.is_wanted,
        report: placed.report.clone(),
    }
}

fn state_of(view: &KeptView, replicas: &[ReplicaView]) -> ServiceState {
    let Some(spec) = view.declared.spec_of(&view.declaration, view.wanted) else {
        return ServiceState::Removed;
    };
    let is_good = |replica: &&ReplicaView| {
        let state = replica.state;
        !replica.is_lost && !replica.is_withdrawn && (state.answers() || state == ReplicaState::Ended)
    };
    let good: Vec<&ReplicaView> = replicas.iter().filter(is_good).collect();
    let slots = |is_meant: fn(&ReplicaView) -> bool| {
        let meant = good.iter().filter(|replica| is_meant(replica));
        meant.map(|replica| replica.replica.slot).collect::<BTreeSet<u16>>().len()
    };
    let wanted = usize::from(spec.replicas);
    if slots(|replica| replica.is_wanted) >= wanted {
        ServiceState::Healthy
    } else if good.iter().any(|replica| !replica.is_wanted) {
        ServiceState::Updating
    } else if slots(|_| true) > 0 {
        ServiceState::Degraded
    } else if replicas.iter().any(|replica| replica.report.as_ref().is_some_and(|report| report.restarts > 0))
    {
        ServiceState::Down
    } else {
        ServiceState::Starting
    }
}
