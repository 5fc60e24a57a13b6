//! The owner's side: services declared, changed, looked at, reached.

use super::{GivenSecret, Node, OpenError, OpenPort, ReplicaView, ServiceView, asking::ask_on_stream};
use crate::{NodeGone, requests::tell};
use opensky_identity::sealing::SealError;
use opensky_ports::ByteStream;
use opensky_protocol::service::{LogPiece, ServiceAsk, ServiceReply};
use opensky_services::{PlacedView, UnknownService};
use opensky_types::{
    Hash, NodeId, ServiceId, Signed, Timestamp,
    service::{
        Declaration, Declared, Earlier, InvalidService, KEEPERS_MAX, Refusal, ReplicaId, ServiceRef,
        ServiceSpec,
    },
};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

/// Keepers of a service, the owner's node among them.
const KEEPERS: usize = 5;
const _: () = assert!(KEEPERS <= KEEPERS_MAX);
/// Most services that one node owns.
const OWNED_MAX: usize = 1_024;
/// Parts of logs that wait for a slow reader.
const LOG_PARTS_MAX: usize = 64;

/// A service to declare.
#[derive(Debug, Clone)]
pub struct Declaring {
    /// What is to run. The secrets in it count if no others are given.
    pub spec: ServiceSpec,
    /// Its secrets, to be sealed.
    pub secrets: Vec<GivenSecret>,
    /// The newest revision that whoever declares this knows: it counts only after that one. None: after any.
    pub after: Option<u64>,
}

impl From<ServiceSpec> for Declaring {
    fn from(spec: ServiceSpec) -> Self {
        Self { spec, secrets: Vec::new(), after: None }
    }
}

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
    /// A secret has no value, and had none before.
    #[error("the secret '{0}' has no value yet; give it one")]
    SecretMissing(String),
    /// The secrets cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Somebody else declared it meanwhile.
    #[error("the service is at revision {revision} meanwhile; look at it, and declare it again")]
    Changed { revision: u64 },
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
        declaring: Box<Declaring>,
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
            ServiceRequest::Declare { declaring, answer } => tell(answer, self.declare(now, *declaring)),
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
    fn declare(&mut self, now: Timestamp, declaring: Declaring) -> Result<(ServiceId, u64), DeclareError> {
        let Declaring { spec, secrets, after } = declaring;
        spec.validate()?;
        let service = ServiceId::of(&self.own, &spec.name);
        let revision = self.services.keeper.stand(service).map_or(0, |(revision, ..)| revision);
        if after.is_some_and(|after| after != revision) {
            return Err(DeclareError::Changed { revision });
        }
        let is_sealed = !secrets.is_empty();
        let spec = self.with_secrets(now, spec, secrets)?;
        if is_sealed && self.is_declared(now, service, &spec) {
            // Only here is it known that the secrets are the same.
            return Ok((service, revision));
        }
        let is_new = self.services.keeper.declared(service).is_none();
        let owned = self.services.keeper.services().filter(|service| self.owns(*service)).count();
        if is_new && owned >= OWNED_MAX {
            return Err(DeclareError::TooMany);
        }
        self.declare_as(now, spec.name.clone(), Some(spec))
    }

    /// Whether this is what is to run already.
    fn is_declared(&self, now: Timestamp, service: ServiceId, spec: &ServiceSpec) -> bool {
        let view = self.services.keeper.view(now, service);
        view.is_some_and(|view| view.declared.spec.as_ref() == Some(spec) && view.given_up.is_none())
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
}
