//! What a service runs, and how it is kept up.

use super::{secret::Secrets, volume::Volumes};
use crate::{
    codec,
    hash::Hash,
    job::{CALL_BYTES_MAX, Program},
    offer::{Constraints, Demand},
    place::{Level, words},
    resources::TaskLimits,
    text::{ParseError, serde_as_text},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// Most replicas of a service.
pub const REPLICAS_MAX: u16 = 64;
/// Most ports of a service.
pub const PORTS_MAX: usize = 16;
/// Most other services that one reaches.
pub const LINKS_MAX: usize = 16;
/// Most characters of a service's name, as of any label in DNS (RFC 1123).
pub const NAME_CHARS_MAX: usize = 63;
/// Most cores of a replica.
pub const CPU_CORES_MAX: u16 = 64;
/// Most bytes of a whole spec, as it travels.
pub const SPEC_BYTES_MAX: usize = 128 * 1024;
/// Longest interval of a health check and longest time to stop, in milliseconds: a day.
const WAIT_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// What a service runs.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ServiceSpec {
    /// Its name among its owner's services: a label as in DNS.
    pub name: String,
    /// What runs, with its arguments and environment.
    pub program: Program,
    /// Ports of the program that members may reach.
    pub ports: Vec<u16>,
    /// Other services that the program reaches by name.
    pub links: Vec<Link>,
    /// How its health is seen; none: what runs is healthy.
    pub health: Option<HealthCheck>,
    /// How many of it run.
    pub replicas: u16,
    /// What each may use.
    pub limits: ReplicaLimits,
    /// Which nodes may run it.
    pub constraints: Constraints,
    /// Whether it starts again when its program ends.
    pub restart: Restart,
    /// How a new revision takes the place of the one before.
    pub update: Update,
    /// Time to end after it was asked to, in milliseconds.
    pub stop_ms: u64,
    /// What only those who run it can read.
    pub secrets: Option<Secrets>,
    /// After so many milliseconds without a connection nothing of a component is in memory; the next one starts it.
    /// None: it stays. Containers stay.
    pub idle_ms: Option<u64>,
    /// Whether as many run as their load needs; `replicas` is then how many there are at first.
    pub scale: Option<Scale>,
    /// Folders that stay when its program ends.
    pub volumes: Option<Volumes>,
}

/// How many replicas run, by their load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Scale {
    /// No fewer.
    pub min: u16,
    /// No more.
    pub max: u16,
    /// What each is to have.
    pub target: Load,
}

/// The load of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Load {
    /// Connections that are open through its host.
    Connections { count: u32 } = 0,
    /// Processor time, in percent of its cores.
    Cpu { percent: u8 } = 1,
}

/// Another service that a program reaches: it connects to `host:port`, as if that were in its own network.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Link {
    /// The name under which the program knows it.
    pub host: String,
    /// Whose name it has in the sky.
    pub service: ServiceRef,
    /// Its port.
    pub port: u16,
}

/// A service by name: one of the same owner, or `name@node` of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct ServiceRef {
    /// Its name.
    pub name: String,
    /// Its owner; none: whoever asks, or whoever alone has a service of that name.
    pub owner: Option<crate::NodeId>,
}

impl ServiceRef {
    /// The same with its owner: `owner`, where it names none.
    pub fn of(&self, owner: crate::NodeId) -> Self {
        Self { name: self.name.clone(), owner: Some(self.owner.unwrap_or(owner)) }
    }
}

impl fmt::Display for ServiceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            None => f.write_str(&self.name),
            Some(owner) => write!(f, "{}@{owner}", self.name),
        }
    }
}

impl FromStr for ServiceRef {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new(text, "a service such as web, or web@NODE of another owner");
        let (name, owner) = match text.split_once('@') {
            None => (text, None),
            Some((name, owner)) => (name, Some(owner.parse().map_err(|_| bad())?)),
        };
        check_name(name).map_err(|_| bad())?;
        Ok(Self { name: name.to_owned(), owner })
    }
}

serde_as_text!(ServiceRef);

/// How the health of a replica is seen.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HealthCheck {
    /// What is tried.
    pub probe: Probe,
    /// Time between two tries, in milliseconds.
    pub interval_ms: u64,
    /// Time for one try, in milliseconds.
    pub timeout_ms: u64,
    /// Failed tries in a row that make a replica unhealthy; it is then started again.
    pub failures_max: u8,
    /// Time after a start during which failed tries do not count, in milliseconds.
    pub start_ms: u64,
}

impl HealthCheck {
    /// A check with the usual times: every 2 s, 1 s for an answer, three failures, 30 s to start.
    pub const fn usual(probe: Probe) -> Self {
        Self { probe, interval_ms: 2_000, timeout_ms: 1_000, failures_max: 3, start_ms: 30_000 }
    }
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Probe {
    /// The port takes a connection.
    Tcp { port: u16 } = 0,
    /// `GET path` is answered with a status from 200 to 399.
    Http { port: u16, path: String } = 1,
    /// The command, run beside the program, ends with 0.
    Command { args: Vec<String> } = 2,
}

/// What one replica may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReplicaLimits {
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Files it may write beside its volumes, in bytes. They are gone with the replica.
    pub scratch_bytes: u64,
    /// Cores; each takes one of the slots of its host.
    pub cpu_cores: u16,
}

impl Default for ReplicaLimits {
    fn default() -> Self {
        Self { memory_bytes: 256 << 20, scratch_bytes: 256 << 20, cpu_cores: 1 }
    }
}

words! {
    /// Whether a replica starts again when its program ends.
    Restart,
    "a restart policy: always, on-failure or never",
    {
        /// Whatever its exit code.
        Always = 0 => "always",
        /// If the exit code is not 0, or something else ended it.
        OnFailure = 1 => "on-failure",
        /// Never.
        Never = 2 => "never",
    }
}

/// How a new revision takes the place of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Update {
    /// Replicas that are replaced at a time.
    pub parallel: u16,
    /// Time in which each new one must get healthy, in milliseconds.
    pub healthy_ms: u64,
    /// Whether the revision before goes on where the new one does not get healthy.
    pub rollback: bool,
}

impl Default for Update {
    fn default() -> Self {
        Self { parallel: 1, healthy_ms: 120_000, rollback: true }
    }
}

/// Why a spec is no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidService {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// Whether a text can be the name of a service.
pub fn check_name(name: &str) -> Result<(), InvalidService> {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_good = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.chars().all(is_inner)
        && !name.starts_with('-')
        && !name.ends_with('-');
    if is_good {
        return Ok(());
    }
    let problem = format!(
        "a name has 1 to {NAME_CHARS_MAX} small letters, digits and dashes, with no dash at its ends"
    );
    Err(InvalidService { field: "name", problem })
}

impl ServiceSpec {
    /// The hash that declarations name it by.
    pub fn hash(&self) -> Hash {
        Hash::of_value("opensky service spec 3", self)
    }

    /// Whether a replica of `other` is as good as one of this: they differ in how many run, and how they change.
    pub fn runs_like(&self, other: &Self) -> bool {
        let run = |spec: &Self| Self { replicas: 1, update: Update::default(), scale: None, ..spec.clone() };
        run(self) == run(other)
    }

    /// Whether a node can give the program all that it needs.
    pub fn can_run_on(&self, node: &crate::NodeId) -> bool {
        self.secrets.as_ref().is_none_or(|secrets| secrets.can_be_read_by(node))
    }

    /// Files of a replica, volumes included, in bytes.
    pub fn disk_bytes(&self) -> u64 {
        let volumes_bytes = self.volumes.as_ref().map_or(0, Volumes::size_bytes);
        self.limits.scratch_bytes.saturating_add(volumes_bytes)
    }

    /// What the market must find for one replica.
    pub fn demand(&self) -> Demand {
        let limits = TaskLimits {
            memory_bytes: self.limits.memory_bytes,
            scratch_bytes: self.disk_bytes(),
            // A service has no end: these limits are of tasks, and every provider that takes any fits.
            fuel: 1,
            wall_ms: 1,
            output_bytes: 0,
        };
        Demand {
            level: self.program.level,
            limits,
            constraints: self.constraints.clone(),
            needs: self.program.needs.clone(),
        }
    }

    /// Checks everything that keepers and hosts rely on, so that no later step needs to.
    pub fn validate(&self) -> Result<(), InvalidService> {
        check_name(&self.name)?;
        self.check_program()?;
        let mut ports = BTreeSet::new();
        if self.ports.len() > PORTS_MAX || !self.ports.iter().all(|port| *port > 0 && ports.insert(*port)) {
            return bad("ports", format!("a service has at most {PORTS_MAX} ports, each once and none 0"));
        }
        self.check_links()?;
        self.check_health()?;
        if !(1..=REPLICAS_MAX).contains(&self.replicas) {
            return bad("replicas", format!("1 to {REPLICAS_MAX}"));
        }
        self.check_scale()?;
        if !(1..=CPU_CORES_MAX).contains(&self.limits.cpu_cores) {
            return bad("cpu", format!("1 to {CPU_CORES_MAX} cores"));
        }
        if self.update.parallel == 0 || self.update.healthy_ms == 0 || self.update.healthy_ms > WAIT_MS_MAX {
            return bad("update", "at least one replica at a time, and 1 ms to a day to get healthy".into());
        }
        if let Some(secrets) = &self.secrets {
            secrets.validate()?;
        }
        if let Some(volumes) = &self.volumes {
            volumes.validate()?;
        }
        if codec::encode(self).len() > SPEC_BYTES_MAX {
            return bad("spec", format!("all of it together has at most {SPEC_BYTES_MAX} bytes"));
        }
        if self.stop_ms > WAIT_MS_MAX {
            return bad("stop", "at most a day".into());
        }
        Ok(())
    }

    fn check_program(&self) -> Result<(), InvalidService> {
        match self.program.level {
            Level::Container => {
                if self.idle_ms.is_some() {
                    return bad(
                        "idle",
                        "only components end while nobody is connected; images stay up".into(),
                    );
                }
            }
            Level::Vm => self.check_component()?,
            Level::Function => {
                return bad("program", "services run images, and components that answer HTTP".into());
            }
        }
        self.program.validate_needs().map_err(|problem| InvalidService { field: "program", problem })?;
        let texts = self.program.args.iter().map(|arg| 8 + arg.len());
        let env = self.program.env.iter().map(|(name, value)| 8 + name.len() + value.len());
        if texts.chain(env).sum::<usize>() > CALL_BYTES_MAX {
            return bad("args", format!("arguments and environment have at most {CALL_BYTES_MAX} bytes"));
        }
        Ok(())
    }

    /// What a component that answers HTTP (`wasi:http/incoming-handler`) can have.
    fn check_component(&self) -> Result<(), InvalidService> {
        if self.ports.len() != 1 {
            return bad("ports", "a component answers HTTP at exactly one port".into());
        }
        if !self.links.is_empty() {
            return bad("links", "a component reaches no other service".into());
        }
        if self.health.is_some() {
            return bad("health", "a component is tried when it starts, and needs no health check".into());
        }
        if self.volumes.is_some() {
            return bad("volumes", "a component has no files; images have volumes".into());
        }
        if self.idle_ms.is_some_and(|ms| !(100..=WAIT_MS_MAX).contains(&ms)) {
            return bad("idle", "100 ms to a day".into());
        }
        let secrets = self.secrets.iter().flat_map(|secrets| &secrets.given);
        if let Some(secret) = secrets.into_iter().find(|secret| secret.is_file) {
            let problem = format!("a component has no files: give '{}' as a variable", secret.name);
            return bad("secrets", problem);
        }
        Ok(())
    }

    fn check_links(&self) -> Result<(), InvalidService> {
        if self.links.len() > LINKS_MAX {
            return bad("links", format!("at most {LINKS_MAX}"));
        }
        let mut seen = BTreeSet::new();
        for link in &self.links {
            check_name(&link.host).map_err(|invalid| InvalidService { field: "links", ..invalid })?;
            if link.port == 0 || !seen.insert((&link.host, link.port)) {
                return bad("links", format!("'{}:{}' is port 0 or there twice", link.host, link.port));
            }
            // Both are in the replica's own network, where only one can listen on a port.
            if self.ports.contains(&link.port) {
                return bad("links", format!("port {} is one of the service's own ports", link.port));
            }
        }
        Ok(())
    }

    fn check_scale(&self) -> Result<(), InvalidService> {
        let Some(Scale { min, max, target }) = self.scale else { return Ok(()) };
        let is_range = min >= 1 && min <= max && max <= REPLICAS_MAX;
        if !is_range || !(min..=max).contains(&self.replicas) {
            let problem = format!("1 to {REPLICAS_MAX} replicas, the first ones within");
            return bad("scale", problem);
        }
        match target {
            Load::Connections { count: 0 } => bad("scale", "at least one connection for each replica".into()),
            Load::Cpu { percent } if !(1..=100).contains(&percent) => bad("scale", "1 to 100 percent".into()),
            Load::Connections { .. } | Load::Cpu { .. } => Ok(()),
        }
    }

    fn check_health(&self) -> Result<(), InvalidService> {
        let Some(health) = &self.health else { return Ok(()) };
        let port_is_known = |port: &u16| self.ports.contains(port);
        match &health.probe {
            Probe::Tcp { port } | Probe::Http { port, .. } if !port_is_known(port) => {
                return bad("health", format!("port {port} is none of the service's ports"));
            }
            Probe::Http { path, .. } if !is_path(path) => {
                return bad("health", "a path begins with '/' and has no spaces, 1024 bytes at most".into());
            }
            Probe::Command { args }
                if args.is_empty() || args.iter().map(String::len).sum::<usize>() > 4_096 =>
            {
                return bad("health", "a command has 1 to 4096 bytes".into());
            }
            _ => {}
        }
        let times = [health.interval_ms, health.timeout_ms];
        if times.iter().any(|ms| !(100..=WAIT_MS_MAX).contains(ms)) || health.start_ms > WAIT_MS_MAX {
            return bad("health", "intervals and timeouts are 100 ms to a day".into());
        }
        if health.failures_max == 0 {
            return bad("health", "at least one failure".into());
        }
        Ok(())
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.len() <= 1_024 && path.bytes().all(|byte| byte.is_ascii_graphic())
}

fn bad(field: &'static str, problem: String) -> Result<(), InvalidService> {
    Err(InvalidService { field, problem })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Needs;

    #[test]
    fn a_link_takes_no_port_of_the_service_itself() {
        let link = |port| Link { host: "db".into(), service: "db".parse().unwrap(), port };
        let mut spec = ServiceSpec {
            name: "web".into(),
            program: Program {
                hash: Hash::of(b"an image"),
                size_bytes: 9,
                level: Level::Container,
                function: String::new(),
                args: Vec::new(),
                env: Vec::new(),
                deterministic: false,
                needs: Needs::default(),
            },
            ports: vec![80],
            links: vec![link(5432)],
            health: None,
            replicas: 1,
            limits: ReplicaLimits::default(),
            constraints: Constraints::default(),
            restart: Restart::Always,
            update: Update::default(),
            stop_ms: 10_000,
            secrets: None,
            idle_ms: None,
            scale: None,
            volumes: None,
        };
        assert_eq!(spec.validate(), Ok(()));
        spec.links.push(link(80));
        let invalid = spec.validate().unwrap_err();
        assert_eq!((invalid.field, invalid.problem.contains("port 80")), ("links", true));
    }
}
