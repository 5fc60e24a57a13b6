//! Images as files name them.

use crate::import::Given;
use opensky_textfile::{Fault, needs, values::At};
use opensky_types::{job::ImageRef as RegistryImage, place::Level};
use std::fmt;

/// An image that is not found yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageRef {
    /// `docker:NAME`: one that the container engine of this machine has.
    Engine(String),
    /// `sky:NAME`: one that the node keeps.
    Kept(String),
    /// `REGISTRY/NAME@sha256:DIGEST`: one that whoever runs it takes from a registry.
    Registry(RegistryImage),
    /// The path of an archive as `docker save` writes it, relative to the file.
    Archive(String),
    /// The path of a component that answers HTTP, relative to the file: it ends in `.wasm`.
    Component(String),
    /// The path of a folder whose files are a web site, relative to the file: it ends in `/`.
    Site(String),
}

impl ImageRef {
    /// How it runs.
    pub const fn level(&self) -> Level {
        match self {
            Self::Engine(_) | Self::Kept(_) | Self::Registry(_) | Self::Archive(_) => Level::Container,
            Self::Component(_) | Self::Site(_) => Level::Vm,
        }
    }

    /// The image, if it is one in a registry.
    pub const fn in_registry(&self) -> Option<&RegistryImage> {
        match self {
            Self::Registry(image) => Some(image),
            _ => None,
        }
    }

    /// Whether it answers HTTP without a container engine.
    pub const fn is_component(&self) -> bool {
        matches!(self, Self::Component(_) | Self::Site(_))
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(name) => write!(f, "docker:{name}"),
            Self::Kept(name) => write!(f, "sky:{name}"),
            Self::Registry(image) => image.fmt(f),
            Self::Archive(path) | Self::Component(path) | Self::Site(path) => f.write_str(path),
        }
    }
}

/// What an engine knows of an image, where the caller asked one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// TCP ports that the image says it listens on (`EXPOSE`).
    pub ports: Vec<u16>,
    /// Its entry point; empty for an image without one.
    pub entry_point: Vec<String>,
}

/// The image that a service file names.
pub(crate) fn of_service_file(at: &At<String>) -> Result<At<ImageRef>, Fault> {
    let text = at.value.as_str();
    if let Some(image) = needs::image(at)? {
        return Ok(At { span: at.span, value: ImageRef::Registry(image) });
    }
    let value = match (text.strip_prefix("docker:"), text.strip_prefix("sky:")) {
        (Some(name), _) => ImageRef::Engine(checked(at, name)?),
        (_, Some(name)) => ImageRef::Kept(checked(at, name)?),
        _ if text.is_empty() => {
            return Err(Fault::new(at.span, "the image's path is empty")
                .with_hint("name an image with \"docker:NAME\" or \"sky:NAME\", or an archive by its path"));
        }
        _ if text.ends_with('/') => ImageRef::Site(text.to_owned()),
        _ if text.ends_with(".wasm") => ImageRef::Component(text.to_owned()),
        _ => ImageRef::Archive(text.to_owned()),
    };
    Ok(At { span: at.span, value })
}

/// The image that a file of another system names: one of the engine of this machine, or `sky:NAME`, one that the
/// node keeps.
pub(crate) fn of_engine(at: &At<String>) -> Result<At<ImageRef>, Fault> {
    let value = match at.value.strip_prefix("sky:") {
        Some(name) => ImageRef::Kept(checked(at, name)?),
        None => ImageRef::Engine(checked(at, &at.value)?),
    };
    Ok(At { span: at.span, value })
}

fn checked(at: &At<String>, name: &str) -> Result<String, Fault> {
    // A name that begins with a dash would be an option of the engine's command line.
    let is_name = !name.is_empty() && !name.starts_with('-') && name.chars().all(|c| c.is_ascii_graphic());
    if is_name {
        return Ok(name.to_owned());
    }
    let fault = Fault::new(at.span, format!("'{name}' is no image's name"));
    Err(fault.with_hint("a name is such as nginx, postgres:17 or registry.example/team/web:1.2"))
}

/// The last part of an image's name, without registry, tag and digest: `postgres` of `docker.io/library/postgres:17`.
pub(crate) fn base_name(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    last.split(':').next().unwrap_or_default()
}

/// Ports on which programs of well-known images listen for other services, by the last part of their names.
/// Compose files seldom say them, since a Compose network has no closed ports.
const USUAL_PORTS: &[(&str, &[u16])] = &[
    ("cassandra", &[9042]),
    ("clickhouse-server", &[8123, 9000]),
    ("cockroach", &[26257]),
    ("consul", &[8500]),
    ("couchdb", &[5984]),
    ("elasticsearch", &[9200]),
    ("etcd", &[2379]),
    ("influxdb", &[8086]),
    ("kafka", &[9092]),
    ("mariadb", &[3306]),
    ("meilisearch", &[7700]),
    ("memcached", &[11211]),
    ("minio", &[9000]),
    ("mongo", &[27017]),
    ("mosquitto", &[1883]),
    ("mysql", &[3306]),
    ("nats", &[4222]),
    ("neo4j", &[7474, 7687]),
    ("opensearch", &[9200]),
    ("pgvector", &[5432]),
    ("postgis", &[5432]),
    ("postgres", &[5432]),
    ("qdrant", &[6333]),
    ("rabbitmq", &[5672]),
    ("redis", &[6379]),
    ("rethinkdb", &[28015]),
    ("solr", &[8983]),
    ("timescaledb", &[5432]),
    ("valkey", &[6379]),
    ("zookeeper", &[2181]),
];

/// Official images that have no entry point: what follows is the whole command, so that an entry point can be said.
const WITHOUT_ENTRY_POINT: &[&str] = &[
    "alpine", "busybox", "centos", "debian", "fedora", "gcc", "golang", "perl", "python", "ruby", "rust",
    "ubuntu",
];

pub(crate) fn usual_ports(image: &str) -> &'static [u16] {
    let name = base_name(image);
    USUAL_PORTS.iter().find(|(known, _)| *known == name).map_or(&[], |(_, ports)| ports)
}

/// Whether an image is one of Docker's own that has no entry point.
fn is_without_entry_point(image: &str) -> bool {
    let is_official = ["docker.io/library/", "library/"].iter().find_map(|prefix| image.strip_prefix(prefix));
    let name = is_official.unwrap_or(image);
    !name.contains('/') && WITHOUT_ENTRY_POINT.contains(&base_name(name))
}

/// Whether a command can stand in the place of an image's entry point: only where there is none.
pub(crate) fn can_take_entry_point(image: &str, given: &Given) -> bool {
    match given.images.get(image) {
        Some(facts) => facts.entry_point.is_empty(),
        None => is_without_entry_point(image),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_registry_tag_and_digest() {
        for (image, name) in [
            ("postgres", "postgres"),
            ("docker.io/library/postgres:17", "postgres"),
            ("host.example:5000/team/redis@sha256:00", "redis"),
            ("", ""),
        ] {
            assert_eq!(base_name(image), name, "{image}");
        }
        assert_eq!(usual_ports("bitnami/rabbitmq:4"), [5672]);
        assert!(is_without_entry_point("docker.io/library/ubuntu:24.04"));
        assert!(!is_without_entry_point("somebody/ubuntu"), "who knows what somebody put into it");
    }
}
