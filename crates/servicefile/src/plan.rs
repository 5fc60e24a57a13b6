//! What a file comes to: everything decided but the contents of images.

use crate::{image::ImageRef, publish::Publish, secrets::PlannedSecret};
use opensky_textfile::{Fault, FileError, Source, Span, values::At};
use opensky_types::{
    job::{Blob, Needs, Program},
    offer::Constraints,
    service::{
        HealthCheck, InvalidService, Link, ReplicaLimits, Restart, Scale, ServiceSpec, Update, Volumes,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Checked services, in an order in which each comes after those it needs.
#[derive(Debug, Clone)]
pub struct Plan {
    source: Source,
    services: Vec<PlannedService>,
    left_out: BTreeSet<String>,
}

/// A service whose image is not found yet.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedService {
    /// Its name.
    pub name: At<String>,
    /// Its image.
    pub image: At<ImageRef>,
    /// What it needs of those who run containers.
    pub needs: Needs,
    /// Arguments, after the image's entry point; none: the image's usual command.
    pub args: Vec<String>,
    /// Environment variables, by name.
    pub env: Vec<(String, String)>,
    /// Ports that members may reach.
    pub ports: Vec<u16>,
    /// Local addresses on the owner's node that lead here.
    pub publish: Vec<Publish>,
    /// Other services that it reaches.
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
    pub secrets: Vec<PlannedSecret>,
    /// After how long without a connection nothing of a component is in memory, in milliseconds.
    pub idle_ms: Option<u64>,
    /// Whether as many run as their load needs.
    pub scale: Option<Scale>,
    /// Folders that stay when its program ends.
    pub volumes: Option<Volumes>,
    /// Services of the same plan that must be healthy before it starts, each standing before it.
    pub after: Vec<String>,
    /// Where parts of it stand in the file, by the names that [`InvalidService`] gives them.
    pub(crate) places: BTreeMap<&'static str, Span>,
}

impl Plan {
    pub(crate) fn new(source: Source, services: Vec<PlannedService>) -> Self {
        Self { source, services, left_out: BTreeSet::new() }
    }

    pub(crate) fn leaving_out(self, left_out: BTreeSet<String>) -> Self {
        Self { left_out, ..self }
    }

    /// The services, in the order in which they are to start.
    pub fn services(&self) -> &[PlannedService] {
        &self.services
    }

    /// Names of services that the file has and that are not to start now: nobody asked for their profiles.
    pub const fn left_out(&self) -> &BTreeSet<String> {
        &self.left_out
    }

    /// An error about the value at `at`, such as an image that is not there.
    pub fn error_at<T>(&self, at: &At<T>, problem: impl Into<String>, hint: Option<String>) -> FileError {
        let fault = Fault { span: Some(at.span), problem: problem.into(), hint };
        self.source.error(fault)
    }
}

impl PlannedService {
    /// The service, once its image is found. One in a registry is not looked for.
    pub fn spec(&self, found: Blob) -> Result<ServiceSpec, InvalidService> {
        let of_registry = |image: &opensky_types::job::ImageRef| Blob { hash: image.hash(), size_bytes: 0 };
        let image = self.image.value.in_registry().map_or(found, of_registry);
        let spec = ServiceSpec {
            name: self.name.value.clone(),
            program: Program {
                hash: image.hash,
                size_bytes: image.size_bytes,
                level: self.image.value.level(),
                function: String::new(),
                args: self.args.clone(),
                env: self.env.clone(),
                deterministic: false,
                needs: self.needs.clone(),
            },
            ports: self.ports.clone(),
            links: self.links.clone(),
            health: self.health.clone(),
            replicas: self.replicas,
            limits: self.limits,
            constraints: self.constraints.clone(),
            restart: self.restart,
            update: self.update,
            stop_ms: self.stop_ms,
            // Sealed by the node that declares it.
            secrets: None,
            idle_ms: self.idle_ms,
            scale: self.scale,
            volumes: self.volumes.clone(),
        };
        spec.validate()?;
        Ok(spec)
    }
}
