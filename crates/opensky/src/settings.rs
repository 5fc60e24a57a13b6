//! What can be set about a node, and what the words mean once they are read.

use crate::remote::{self, Guard};
use opensky_types::{
    job::ImageRef,
    offer::REGISTRIES_MAX,
    place::{NodeKind, Region},
    resources::ByteSize,
};
use std::{net::SocketAddr, path::PathBuf};

/// One setting.
pub struct Key {
    /// Its name in the configuration file; its variable is `OPENSKY_` and the name in capitals.
    pub name: &'static str,
    /// Its value when nobody sets it.
    pub default: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Says what is wrong with a value.
    check: fn(&str) -> Result<(), String>,
}

/// Every setting, in order of name.
pub const KEYS: &[Key] = &[
    Key {
        name: "api",
        default: "127.0.0.1:0",
        help: "address of the local API; port 0 takes a free one",
        check: |v| api(v).map(drop),
    },
    Key {
        name: "blob_cap",
        default: "20GiB",
        help: "most disk for programs, inputs and outputs",
        check: |v| parse::<ByteSize>(v).map(drop),
    },
    Key {
        name: "bootstrap",
        default: "",
        help: "multiaddresses of members to enter the sky by, with commas",
        check: |_| Ok(()),
    },
    Key {
        name: "container_registries",
        default: "",
        help: "registries, or parts of them such as ghcr.io/owner, that images of others may come from, with commas",
        check: |v| registries(v).map(drop),
    },
    Key {
        name: "container_runtime",
        default: "",
        help: "the engine's runtime that images run in, such as runsc for gVisor; empty: the plain one",
        check: |v| runtime(v).map(drop),
    },
    Key {
        name: "container_sockets",
        default: "",
        help: "sockets of Docker or Podman to run images with, with commas; empty: the usual ones",
        check: |_| Ok(()),
    },
    Key {
        name: "containers",
        default: "true",
        help: "run images for others while Docker or Podman is there",
        check: |v| parse::<bool>(v).map(drop),
    },
    Key {
        name: "images_cap",
        default: "20GiB",
        help: "most disk for images in the container engine, unpacked",
        check: |v| parse::<ByteSize>(v).map(drop),
    },
    Key {
        name: "kinds",
        default: "general,wasm",
        help: "what the node is meant for, with commas",
        check: |v| kinds(v).map(drop),
    },
    Key {
        name: "listen",
        default: "4710",
        help: "UDP and TCP port for other nodes; 0 takes a free one and keeps it",
        check: |v| parse::<u16>(v).map(drop),
    },
    Key {
        name: "log",
        default: "info",
        help: "what is logged: error, warn, info, debug, or a filter of tracing",
        check: |v| log(v).map(drop),
    },
    Key {
        name: "loopback_only",
        default: "false",
        help: "listen on this machine only",
        check: |v| parse::<bool>(v).map(drop),
    },
    Key {
        name: "mdns",
        default: "true",
        help: "find and be found on the local network",
        check: |v| parse::<bool>(v).map(drop),
    },
    Key { name: "name", default: "", help: "a name for people, up to 64 characters", check: name },
    Key {
        name: "region",
        default: "unknown",
        help: "where the machine is",
        check: |v| parse::<Region>(v).map(drop),
    },
    Key {
        name: "relay_serve",
        default: "true",
        help: "carry a little traffic for members that cannot reach each other",
        check: |v| parse::<bool>(v).map(drop),
    },
    Key {
        name: "relay_through",
        default: "",
        help: "multiaddresses of relays to be reachable through, with commas",
        check: |_| Ok(()),
    },
    Key {
        name: "remote",
        default: "",
        help: "address and port of the API for other machines, such as 0.0.0.0:4720; empty: none",
        check: |v| remote_address(v).map(drop),
    },
    Key {
        name: "remote_certificate",
        default: "",
        help: "file with the certificate for them, in PEM; or self-signed",
        check: |_| Ok(()),
    },
    Key {
        name: "remote_insecure",
        default: "false",
        help: "meet other machines without TLS: only where the way is safe already",
        check: |v| parse::<bool>(v).map(drop),
    },
    Key {
        name: "remote_key",
        default: "",
        help: "file with the certificate's key, in PEM",
        check: |_| Ok(()),
    },
    Key {
        name: "remote_names",
        default: "",
        help: "names under which other machines reach the API, with commas",
        check: |v| remote_names(v).map(drop),
    },
    Key {
        name: "validate",
        default: "false",
        help: "let whoever decides on validators make this node one",
        check: |v| parse::<bool>(v).map(drop),
    },
    Key {
        name: "validator_address",
        default: "",
        help: "host:port where other validators reach this one; empty: this machine's own address",
        check: |v| validator_address(v).map(drop),
    },
    Key {
        name: "validator_listen",
        default: "4711",
        help: "TCP port for other validators, if this node is one; 0 takes a free one and keeps it",
        check: |v| parse::<u16>(v).map(drop),
    },
];

/// A node's settings as values.
#[derive(Debug, Clone)]
pub struct Settings {
    pub api: SocketAddr,
    pub blob_cap_bytes: u64,
    pub bootstrap: Vec<String>,
    pub container_registries: Vec<String>,
    pub container_runtime: Option<String>,
    pub container_sockets: Vec<PathBuf>,
    pub containers: bool,
    pub images_cap_bytes: u64,
    pub kinds: Vec<NodeKind>,
    pub listen_port: u16,
    pub log: String,
    pub loopback_only: bool,
    pub mdns: bool,
    pub name: String,
    pub region: Region,
    pub relay_serve: bool,
    pub relay_through: Vec<String>,
    pub remote: Option<(SocketAddr, Guard)>,
    pub remote_names: Vec<String>,
    pub validate: bool,
    pub validator_address: Option<String>,
    pub validator_listen_port: u16,
}

/// The setting of this name.
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// Says whether `value` can be used.
    pub fn check(&self, value: &str) -> Result<(), String> {
        (self.check)(value).map_err(|problem| format!("'{}' cannot be '{value}': {problem}", self.name))
    }

    /// Its environment variable.
    pub fn variable(&self) -> String {
        format!("OPENSKY_{}", self.name.to_uppercase())
    }
}

impl Settings {
    /// Settings from texts that passed [`Key::check`].
    pub fn read(value: impl Fn(&str) -> String) -> Result<Self, String> {
        Ok(Self {
            api: api(&value("api"))?,
            blob_cap_bytes: parse::<ByteSize>(&value("blob_cap"))?.get(),
            bootstrap: list(&value("bootstrap")),
            container_registries: registries(&value("container_registries"))?,
            container_runtime: runtime(&value("container_runtime"))?,
            container_sockets: list(&value("container_sockets")).into_iter().map(PathBuf::from).collect(),
            containers: parse(&value("containers"))?,
            images_cap_bytes: parse::<ByteSize>(&value("images_cap"))?.get(),
            kinds: kinds(&value("kinds"))?,
            listen_port: parse(&value("listen"))?,
            log: value("log"),
            loopback_only: parse(&value("loopback_only"))?,
            mdns: parse(&value("mdns"))?,
            name: value("name"),
            region: parse(&value("region"))?,
            relay_serve: parse(&value("relay_serve"))?,
            relay_through: list(&value("relay_through")),
            remote: remote::wanted(
                remote_address(&value("remote"))?,
                &value("remote_certificate"),
                &value("remote_key"),
                parse(&value("remote_insecure"))?,
            )?,
            remote_names: remote_names(&value("remote_names"))?,
            validate: parse(&value("validate"))?,
            validator_address: validator_address(&value("validator_address"))?,
            validator_listen_port: parse(&value("validator_listen"))?,
        })
    }
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn kinds(text: &str) -> Result<Vec<NodeKind>, String> {
    list(text).iter().map(|kind| parse(kind)).collect()
}

/// Registries, or parts of them, as images are named there.
fn registries(text: &str) -> Result<Vec<String>, String> {
    let registries = list(text);
    let any_digest = "0".repeat(64);
    let is_good = |source: &String| {
        // Whatever is right before a name is a registry, or a part of one.
        let image: Option<ImageRef> = format!("{source}/name@sha256:{any_digest}").parse().ok();
        source.len() <= 128 && image.is_some_and(|image| image.is_from(source))
    };
    if let Some(bad) = registries.iter().find(|source| !is_good(source)) {
        return Err(format!("'{bad}' is no registry; write docker.io, or ghcr.io/owner for a part of one"));
    }
    if registries.len() > REGISTRIES_MAX {
        return Err(format!("at most {REGISTRIES_MAX} registries"));
    }
    Ok(registries)
}

/// A name of a runtime as engines give it; none if there is no text.
fn runtime(text: &str) -> Result<Option<String>, String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.len() > 64 || !text.chars().all(is_fine) {
        return Err("the name of a runtime has up to 64 letters, digits, dots and dashes".into());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn api(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = parse(text)?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("it is for this machine only; use 127.0.0.1:PORT or [::1]:PORT, and `remote` for other machines"
        .into())
}

fn remote_address(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

fn remote_names(text: &str) -> Result<Vec<String>, String> {
    let names = list(text);
    let is_name = |name: &&String| {
        name.len() <= 253 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    match names.iter().find(|name| !is_name(name)) {
        Some(wrong) => {
            Err(format!("'{wrong}' is not a name such as node.example.com (without scheme and port)"))
        }
        None => Ok(names),
    }
}

fn validator_address(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(port) if port > 0 => Ok(Some(text.to_owned())),
        _ => Err("write it as host:port".into()),
    }
}

fn log(text: &str) -> Result<tracing_subscriber::EnvFilter, String> {
    tracing_subscriber::EnvFilter::try_new(text).map_err(|error| error.to_string())
}

fn name(text: &str) -> Result<(), String> {
    if text.chars().count() <= 64 && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err("a name has up to 64 characters and no control characters".into())
}
