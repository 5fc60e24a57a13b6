//! Services: what their owner declares, and how they are.

mod secret;
mod volume;

pub use secret::{SecretText, SecretView};
pub use volume::{SavedView, VolumeView, VolumesView};

use crate::{
    event::StreamView,
    job::{ConstraintsView, NeedsView, no_hash},
};
use opensky_types::{
    Hash, NodeId, ServiceId, Timestamp,
    job::Program,
    place::Level,
    service::{
        HealthCheck, InvalidService, Link, Load, Probe, ReplicaId, ReplicaLimits, ReplicaState, Restart,
        Scale, Secret, SecretValue, ServiceRef, ServiceSpec, Update, Volumes,
    },
};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use utoipa::{IntoParams, ToSchema};

/// A service to declare, or its next revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceRequest {
    /// Its name among the services of this node: a label as in DNS.
    pub name: String,
    /// The uploaded image, by hash; for the level `vm` a component that answers HTTP. Of an image in a registry that of
    /// its name, which may be left out.
    #[serde(default = "no_hash")]
    pub image: Hash,
    /// How it runs: `container`, or `vm` for a component.
    #[serde(default = "container")]
    pub level: Level,
    /// Size of the image's archive, in bytes; 0 of an image in a registry.
    #[serde(default)]
    pub image_size_bytes: u64,
    /// For the level `container`: what it needs beside a processor, memory and files.
    #[serde(default, skip_serializing_if = "NeedsView::is_nothing")]
    pub needs: NeedsView,
    /// Arguments after the image's entry point; none: the image's usual command.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment variables: pairs of a name and a value.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// Ports of the program that members may reach.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Other services that the program reaches by name.
    #[serde(default)]
    pub links: Vec<LinkView>,
    /// How its health is seen. Absent: what runs is healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthView>,
    /// How many of it run.
    #[serde(default = "one")]
    pub replicas: u16,
    /// What each may use.
    #[serde(default)]
    pub limits: ReplicaLimitsView,
    /// Which nodes may run it.
    #[serde(default)]
    pub constraints: ConstraintsView,
    /// Whether it starts again when its program ends.
    #[serde(default = "always")]
    pub restart: Restart,
    /// How a new revision takes the place of the one before.
    #[serde(default)]
    pub update: UpdateView,
    /// Time to end after it was asked to, in milliseconds.
    #[serde(default = "stop_ms_default")]
    pub stop_ms: u64,
    /// After so many milliseconds without a connection nothing of a component is in memory; the next one starts it.
    /// Absent: it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
    /// As many run as their load needs; `replicas` is then how many there are at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleView>,
    /// What only those who run it can read. Their values are never shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretView>,
    /// Folders that stay when its program ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<VolumesView>,
}

const fn container() -> Level {
    Level::Container
}

const fn one() -> u16 {
    1
}

const fn always() -> Restart {
    Restart::Always
}

const fn stop_ms_default() -> u64 {
    10_000
}

/// How many replicas run, by their load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServiceScaleView)]
pub struct ScaleView {
    /// No fewer.
    pub min: u16,
    /// No more.
    pub max: u16,
    /// What each is to have.
    pub target: LoadView,
}

/// The load of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LoadView {
    /// Connections that are open.
    Connections { count: u32 },
    /// Processor time, in percent of its cores.
    Cpu { percent: u8 },
}

impl From<ScaleView> for Scale {
    fn from(ScaleView { min, max, target }: ScaleView) -> Self {
        let target = match target {
            LoadView::Connections { count } => Load::Connections { count },
            LoadView::Cpu { percent } => Load::Cpu { percent },
        };
        Self { min, max, target }
    }
}

impl From<Scale> for ScaleView {
    fn from(Scale { min, max, target }: Scale) -> Self {
        let target = match target {
            Load::Connections { count } => LoadView::Connections { count },
            Load::Cpu { percent } => LoadView::Cpu { percent },
        };
        Self { min, max, target }
    }
}

/// Another service that a program reaches as `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServiceLinkView)]
pub struct LinkView {
    /// The name under which the program knows it.
    pub host: String,
    /// Which service.
    pub service: ServiceRef,
    /// Its port.
    pub port: u16,
}

/// How the health of a replica is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthView {
    /// What is tried.
    pub probe: ProbeView,
    /// Time between two tries, in milliseconds.
    pub interval_ms: u64,
    /// Time for one try, in milliseconds.
    pub timeout_ms: u64,
    /// Failed tries in a row that make a replica unhealthy.
    pub failures_max: u8,
    /// Time after a start during which failed tries do not count, in milliseconds.
    pub start_ms: u64,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProbeView {
    /// The port takes a connection.
    Tcp { port: u16 },
    /// `GET path` is answered with a status from 200 to 399.
    Http { port: u16, path: String },
    /// The command, run beside the program, ends with 0.
    Command { args: Vec<String> },
}

/// What one replica may use. Absent ones have their default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplicaLimitsView {
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Files it may write beside its volumes, in bytes.
    pub scratch_bytes: u64,
    /// Cores.
    pub cpu_cores: u16,
}

impl Default for ReplicaLimitsView {
    fn default() -> Self {
        let ReplicaLimits { memory_bytes, scratch_bytes, cpu_cores } = ReplicaLimits::default();
        Self { memory_bytes, scratch_bytes, cpu_cores }
    }
}

/// How a new revision takes the place of the one before. Absent ones have their default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateView {
    /// Replicas that are replaced at a time.
    pub parallel: u16,
    /// Time in which each new one must get healthy, in milliseconds.
    pub healthy_ms: u64,
    /// Whether the revision before goes on where the new one does not get healthy.
    pub rollback: bool,
}

impl Default for UpdateView {
    fn default() -> Self {
        let Update { parallel, healthy_ms, rollback } = Update::default();
        Self { parallel, healthy_ms, rollback }
    }
}

impl ServiceRequest {
    /// The service that it asks for, but for its secrets: those are sealed first.
    pub fn into_spec(self) -> Result<ServiceSpec, InvalidService> {
        let ReplicaLimitsView { memory_bytes, scratch_bytes, cpu_cores } = self.limits;
        let UpdateView { parallel, healthy_ms, rollback } = self.update;
        let links = self.links.into_iter();
        let (hash, size_bytes) = self.needs.content(self.image, self.image_size_bytes);
        let spec = ServiceSpec {
            name: self.name,
            program: Program {
                hash,
                size_bytes,
                level: self.level,
                function: String::new(),
                args: self.args,
                env: self.env,
                deterministic: false,
                needs: self.needs.into(),
            },
            ports: self.ports,
            links: links.map(|LinkView { host, service, port }| Link { host, service, port }).collect(),
            health: self.health.map(HealthView::into_check),
            replicas: self.replicas,
            limits: ReplicaLimits { memory_bytes, scratch_bytes, cpu_cores },
            constraints: self.constraints.into(),
            restart: self.restart,
            update: Update { parallel, healthy_ms, rollback },
            stop_ms: self.stop_ms,
            secrets: None,
            idle_ms: self.idle_ms,
            scale: self.scale.map(Scale::from),
            volumes: self.volumes.map(Volumes::from),
        };
        spec.validate()?;
        Ok(spec)
    }
}

impl ServiceRequest {
    /// Takes the secrets out of it, each with its value where it has one.
    pub fn take_secrets(&mut self) -> Vec<(Secret, Option<SecretValue>)> {
        let secrets = std::mem::take(&mut self.secrets).into_iter();
        let taken = secrets.map(|SecretView { name, file, env, value }| {
            (Secret { name, is_file: file, env }, value.map(SecretText::into_value))
        });
        taken.collect()
    }

    /// The same as a node shows it.
    pub fn without_values(&self) -> Self {
        let mut shown = self.clone();
        shown.secrets.iter_mut().for_each(|secret| secret.value = None);
        shown
    }
}

impl HealthView {
    fn into_check(self) -> HealthCheck {
        let probe = match self.probe {
            ProbeView::Tcp { port } => Probe::Tcp { port },
            ProbeView::Http { port, path } => Probe::Http { port, path },
            ProbeView::Command { args } => Probe::Command { args },
        };
        HealthCheck {
            probe,
            interval_ms: self.interval_ms,
            timeout_ms: self.timeout_ms,
            failures_max: self.failures_max,
            start_ms: self.start_ms,
        }
    }
}

impl From<HealthCheck> for HealthView {
    fn from(check: HealthCheck) -> Self {
        let probe = match check.probe {
            Probe::Tcp { port } => ProbeView::Tcp { port },
            Probe::Http { port, path } => ProbeView::Http { port, path },
            Probe::Command { args } => ProbeView::Command { args },
        };
        Self {
            probe,
            interval_ms: check.interval_ms,
            timeout_ms: check.timeout_ms,
            failures_max: check.failures_max,
            start_ms: check.start_ms,
        }
    }
}

impl From<ServiceSpec> for ServiceRequest {
    fn from(spec: ServiceSpec) -> Self {
        let ReplicaLimits { memory_bytes, scratch_bytes, cpu_cores } = spec.limits;
        let Update { parallel, healthy_ms, rollback } = spec.update;
        let links = spec.links.into_iter();
        let secrets = spec.secrets.map(|secrets| secrets.given).unwrap_or_default().into_iter();
        Self {
            name: spec.name,
            image: spec.program.hash,
            level: spec.program.level,
            image_size_bytes: spec.program.size_bytes,
            needs: spec.program.needs.into(),
            args: spec.program.args,
            env: spec.program.env,
            ports: spec.ports,
            links: links.map(|Link { host, service, port }| LinkView { host, service, port }).collect(),
            health: spec.health.map(HealthView::from),
            replicas: spec.replicas,
            limits: ReplicaLimitsView { memory_bytes, scratch_bytes, cpu_cores },
            constraints: spec.constraints.into(),
            restart: spec.restart,
            update: UpdateView { parallel, healthy_ms, rollback },
            stop_ms: spec.stop_ms,
            idle_ms: spec.idle_ms,
            scale: spec.scale.map(ScaleView::from),
            volumes: spec.volumes.map(VolumesView::from),
            secrets: secrets
                .map(|Secret { name, is_file, env }| SecretView { name, file: is_file, env, value: None })
                .collect(),
        }
    }
}

/// Services that a node owns, keeps or has heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Services {
    /// In order of name.
    pub services: Vec<ServiceView>,
}

/// A service as a node knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceView {
    /// Its id.
    pub service: ServiceId,
    /// Its name among its owner's services.
    pub name: String,
    /// Whose it is.
    pub owner: NodeId,
    /// Whether it is this node's own.
    pub own: bool,
    /// All in all.
    pub state: ServiceStateView,
    /// The newest revision.
    pub revision: u64,
    /// The revision that is to run: an earlier one where the newest did not get healthy.
    pub wanted: u64,
    /// How many replicas are to run; known to keepers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas_wanted: Option<u16>,
    /// Why the newest revision is not the one that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// How often replicas of the revision that is to run failed, while none of them has been well yet.
    #[serde(default)]
    pub failures: u32,
    /// What went wrong with the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When the newest revision was declared.
    pub declared_at: Timestamp,
    /// Ports that members may reach.
    pub ports: Vec<u16>,
    /// Who keeps it up, in order.
    pub keepers: Vec<NodeId>,
    /// Whether this node acts as its keeper.
    pub acting: bool,
    /// What runs; known to its owner and its keepers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<ServiceRequest>,
    /// Nodes that can read its secrets: its owner, and those that may run it. Empty for one without secrets; known to
    /// its owner and its keepers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readers: Vec<NodeId>,
    /// Its replicas, by slot.
    pub replicas: Vec<ReplicaView>,
    /// Local addresses of this node that lead to it.
    pub open_ports: Vec<OpenPortView>,
    /// What happened lately, oldest first; known to its keepers.
    pub notes: Vec<ServiceNoteView>,
}

/// How a service is, all in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceStateView {
    /// No replica has answered yet.
    Starting,
    /// All replicas of the revision that is to run answer.
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

impl ServiceStateView {
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

/// A replica as a node knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplicaView {
    /// Its name.
    pub replica: ReplicaId,
    /// Which of the service's replicas, from 0.
    pub slot: u16,
    /// Where it runs.
    pub node: NodeId,
    /// Of which revision.
    pub revision: u64,
    /// How it stands, as last heard.
    pub state: ReplicaState,
    /// Whether its host has fallen silent.
    pub lost: bool,
    /// Whether it was asked to end.
    pub ending: bool,
    /// For how long it has stood so, in milliseconds; known to keepers, like what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// How often its program was started again.
    #[serde(default)]
    pub restarts: u32,
    /// Connections that are open through its host.
    #[serde(default)]
    pub connections: u32,
    /// Processor time that it takes, in percent of its cores; where the service scales by it.
    #[serde(default)]
    pub cpu_percent: u8,
    /// What is wrong, where something is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
    /// What its program wrote last, where something is wrong.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_words: String,
    /// What was saved last of its volumes; known to keepers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<SavedView>,
}

/// A local address that leads to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenPortView {
    /// Where the node listens.
    #[schema(value_type = String)]
    pub listen: SocketAddr,
    /// The service's port.
    pub port: u16,
}

/// Something that happened to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceNoteView {
    /// When.
    pub at: Timestamp,
    /// To which replica, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u16>,
    /// What, in a sentence.
    pub text: String,
}

/// When a declaration counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DeclareQuery {
    /// Only if the newest revision is this one still; 0: only if there is no such service yet. Absent: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// How many replicas are to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleRequest {
    /// How many.
    pub replicas: u16,
}

/// A local address to lead to a port of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenPortRequest {
    /// The service's port.
    pub port: u16,
    /// Where to listen; port 0 takes a free one. Absent: a free port of this machine alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub listen: Option<SocketAddr>,
}

/// Which local address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClosePortQuery {
    /// Where the node listens.
    #[param(value_type = String)]
    #[schema(value_type = String)]
    pub listen: SocketAddr,
}

/// Which part of a service's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ServiceLogQuery {
    /// Only this replica.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<u16>,
    /// Whether it goes on as it is written.
    pub follow: bool,
}

/// A part of a service's log: one line of JSON each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceLogPart {
    /// Whose output it is.
    pub replica: ReplicaId,
    /// Which output.
    pub stream: StreamView,
    /// What was written; bytes that are no text are replaced.
    pub text: String,
}
