//! What may be written in a service file. The comments here are the descriptions in the published schema.

use crate::values::{Health, Idle, Port, VolumeValue};
use opensky_textfile::{
    constraints::Constraints,
    needs::{Gpus, IsolationWord},
    values::{At, Millis, OneOrMany, Size},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// OpenSky services: images that stay up, each in one or several replicas.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "OpenSky service file")]
pub struct ServiceFile {
    /// The services, 64 at most, in any order.
    pub service: At<Vec<At<Service>>>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name among its owner's services: 1 to 63 small letters, digits and dashes, with no dash at its ends.
    pub name: At<String>,
    /// The image: `docker:NAME` for one that Docker or Podman has on this machine, `sky:NAME` for one that the node
    /// keeps, or the path of an archive as `docker save` writes it, relative to the file. A path that ends in `.wasm` is
    /// one of a component that answers HTTP (`wasi:http/incoming-handler`), one that ends in `/` a folder whose files are a web site; both run without a container
    /// engine. `REGISTRY/NAME@sha256:DIGEST` is an image that whoever runs it takes from a registry that its owner allows.
    pub image: At<String>,
    /// What keeps an image's program from its host: `gvisor`, or `any` (the default): what the host's owner has chosen.
    pub isolation: Option<At<IsolationWord>>,
    /// GPUs that each replica has for itself: how many, or which.
    pub gpus: Option<At<Gpus>>,
    /// Arguments. They follow the image's entry point, instead of its usual command.
    #[serde(default)]
    pub args: At<Vec<String>>,
    /// Environment variables.
    #[serde(default)]
    pub env: At<BTreeMap<String, String>>,
    /// Values that only those who run the service can read, by name: each is the file `/run/secrets/NAME`, or a variable.
    #[serde(default)]
    pub secrets: BTreeMap<String, At<SecretTable>>,
    /// Folders that stay when the program ends, by name, 8 at most: where the program finds each, and how much it holds. Each
    /// replica has its own.
    #[serde(default)]
    pub volumes: At<BTreeMap<String, At<VolumeValue>>>,
    /// When volumes are saved, and how long a lost host is waited for.
    pub saving: Option<At<Saving>>,
    /// TCP ports of the program that members of the sky may reach, 16 at most.
    #[serde(default)]
    pub ports: At<Vec<At<Port>>>,
    /// Local addresses on the owner's node that lead to the service: `8080:80`, `127.0.0.1:8080:80`, or `80` for a
    /// free local port. Without an address, 127.0.0.1. The port after the last colon becomes one of `ports`.
    #[serde(default)]
    pub publish: OneOrMany<At<String>>,
    /// Other services that the program reaches as HOST:PORT, 16 at most: `db:5432`, or `cache=redis@NODE:6379` for a
    /// service of another owner and under another name.
    #[serde(default)]
    pub links: At<OneOrMany<At<String>>>,
    /// How its health is seen. A connection to its first port if absent; false: what runs is healthy.
    pub health: Option<At<Health>>,
    /// How many of it run, 1 to 64. 1 if absent.
    pub replicas: Option<At<u16>>,
    /// As many replicas as their load needs; `replicas` is then how many there are at first.
    pub scale: Option<At<ScaleTable>>,
    /// What each replica may use.
    #[serde(default)]
    pub resources: At<Resources>,
    /// Which nodes may run it. Any if absent.
    pub constraints: Option<Constraints>,
    /// Whether a replica starts again when its program ends. `always` if absent.
    #[serde(default)]
    pub restart: RestartWord,
    /// How a new revision takes the place of the one before.
    #[serde(default)]
    pub update: At<Update>,
    /// Time to end after it was asked to, at most a day. 10s if absent.
    pub stop: Option<At<Millis>>,
    /// After so long without a connection nothing of a component is in memory, and the next one starts it: 100ms to a day.
    /// 30s if absent; false: it stays. Of components alone.
    pub idle: Option<At<Idle>>,
    /// Services of this file that must be healthy before this one starts.
    #[serde(default)]
    pub after: OneOrMany<At<String>>,
}

/// Exactly one of `http`, `tcp` and `command` says what is tried.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthTable {
    /// `GET` of this path is answered with a status from 200 to 399.
    pub http: Option<At<String>>,
    /// The port of `http`. The service's first if absent.
    pub port: Option<At<Port>>,
    /// This port takes a connection.
    pub tcp: Option<At<Port>>,
    /// This command, run beside the program, ends with 0.
    pub command: Option<At<Vec<String>>>,
    /// From one try to the next, 100ms to a day. 2s if absent.
    pub interval: Option<Millis>,
    /// For one try, 100ms to a day. 1s if absent.
    pub timeout: Option<Millis>,
    /// Failed tries in a row that make a replica unhealthy; it is then started again. 3 if absent.
    pub failures: Option<At<u8>>,
    /// After a start, during which failed tries do not count. 30s if absent.
    pub start: Option<Millis>,
}

/// Exactly one of `file`, `variable` and `input` says where the value is when the service is started.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretTable {
    /// A file, relative to this one. Its bytes are taken as they are.
    pub file: Option<String>,
    /// An environment variable of whoever starts the service, or a line of the file `.env` beside this one.
    pub variable: Option<String>,
    /// Standard input; for one secret of a file.
    #[serde(default)]
    pub input: bool,
    /// The environment variable of the program that holds it, in place of a file.
    pub env: Option<String>,
}

/// A folder that stays.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeTable {
    /// Where the program finds it.
    pub path: String,
    /// Most bytes in it. 1GiB if absent.
    pub size: Option<Size>,
}

/// When volumes are saved, and how long a lost host is waited for.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Saving {
    /// From one save to the next while the program runs, 1s to a day. 1m if absent.
    pub every: Option<Millis>,
    /// How long a host that does not answer is waited for before what was saved last goes on elsewhere, at most a day.
    /// 1m if absent.
    pub wait: Option<Millis>,
}

/// Exactly one of `connections` and `cpu` says what each replica is to have.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleTable {
    /// No fewer than these. 1 if absent.
    pub min: Option<u16>,
    /// No more than these, 64 at most.
    pub max: u16,
    /// Connections that are open to each.
    pub connections: Option<u32>,
    /// Processor time of each, in percent of its cores.
    pub cpu: Option<u8>,
}

/// What one replica may use.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Memory. 256MiB if absent.
    pub memory: Option<Size>,
    /// Files it may write; they are gone with the replica. 256MiB if absent.
    pub scratch: Option<Size>,
    /// Cores, 1 to 64. 1 if absent.
    pub cpu: Option<At<u16>>,
}

/// Whether a replica starts again when its program ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RestartWord {
    /// Whatever its exit code.
    #[default]
    Always,
    /// If the exit code is not 0, or something else ended it.
    OnFailure,
    /// Never.
    Never,
}

/// How a new revision takes the place of the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// Replicas that are replaced at a time. 1 if absent.
    pub parallel: Option<u16>,
    /// Time in which each new one must get healthy. 2m if absent.
    pub healthy: Option<Millis>,
    /// Whether the revision before goes on where the new one does not get healthy. True if absent.
    pub rollback: Option<bool>,
}
