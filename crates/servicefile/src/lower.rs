//! From the typed service file to the plan: everything that a schema cannot say is checked here, and each
//! fault points at the value that causes it.

use crate::{
    draft::{self, Draft},
    file::{HealthTable, RestartWord, Service, ServiceFile, Update as FileUpdate},
    image::{self, ImageRef},
    links,
    plan::PlannedService,
    publish, secrets,
    values::{Health, Idle, Port},
};
use opensky_textfile::{
    Fault, Span, constraints, needs,
    values::{At, Millis},
};
use opensky_types::{
    job::Needs,
    service::{HealthCheck, Link, Load, Probe, ReplicaLimits, Restart, Scale, Update, Volume, Volumes},
};
use std::collections::BTreeMap;

/// The port of a component that names none.
const HTTP_PORT: u16 = 80;
/// How long a component that nobody uses stays in memory, unless the file says otherwise, in milliseconds.
const IDLE_MS_DEFAULT: u64 = 30_000;

/// Bytes of a volume, unless the file says otherwise.
pub(crate) const VOLUME_BYTES_DEFAULT: u64 = 1 << 30;

/// Time to end, unless the file says otherwise, in milliseconds.
pub(crate) const STOP_MS_DEFAULT: u64 = 10_000;

pub(crate) fn lower(file: &ServiceFile) -> Result<Vec<PlannedService>, Fault> {
    let services = &file.service.value;
    draft::check_count(services.len(), file.service.span)?;
    let drafts = services.iter().map(service).collect::<Result<Vec<_>, _>>()?;
    check_links(services, &drafts)?;
    draft::finish(drafts, file.service.span)
}

fn service(at: &At<Service>) -> Result<Draft, Fault> {
    let given = &at.value;
    let mut ports: Vec<u16> = Vec::new();
    for Port(port) in given.ports.value.iter().map(|port| port.value) {
        ports.push(port);
    }
    let publish = given.publish.0.iter().map(|text| publish::parse(&text.value, text.span));
    let publish = publish.collect::<Result<Vec<_>, _>>()?;
    for port in publish.iter().map(|publish| publish.port) {
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    let image = image::of_service_file(&given.image)?;
    let is_component = image.value.is_component();
    if is_component && ports.is_empty() {
        ports.push(HTTP_PORT);
    }
    let links = given.links.value.0.iter().map(links::parse).collect::<Result<Vec<Link>, _>>()?;
    let needs = needs(given, &image.value)?;
    let planned = PlannedService {
        name: given.name.clone(),
        image,
        needs,
        args: given.args.value.clone(),
        env: given.env.value.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        health: match &given.health {
            None if is_component => None,
            given_health => health(given_health.as_ref(), &ports, given)?,
        },
        ports,
        publish,
        replicas: replicas(given),
        limits: limits(given),
        constraints: constraints::checked(given.constraints.as_ref())?,
        restart: match given.restart {
            RestartWord::Always => Restart::Always,
            RestartWord::OnFailure => Restart::OnFailure,
            RestartWord::Never => Restart::Never,
        },
        update: update(&given.update.value),
        stop_ms: given.stop.as_ref().map_or(STOP_MS_DEFAULT, |at| at.value.0),
        secrets: secrets::of_service_file(&given.secrets)?,
        idle_ms: idle_ms(given, is_component),
        scale: scale(given)?,
        volumes: volumes(given)?,
        after: Vec::new(),
        places: places(at),
        links,
    };
    let own = planned.links.iter().filter(|link| link.service.owner.is_none());
    let prefers = own.map(|link| link.service.name.clone()).collect();
    Ok(Draft { span: at.span, service: planned, after: given.after.0.clone(), prefers })
}

/// What it needs of those who run containers. Of components, nothing of it can be asked.
fn needs(given: &Service, image: &ImageRef) -> Result<Needs, Fault> {
    if !image.is_component() {
        return needs::checked(image.in_registry().cloned(), given.isolation.as_ref(), given.gpus.as_ref());
    }
    needs::none(given.isolation.as_ref(), given.gpus.as_ref(), "a component is none")
}

fn places(at: &At<Service>) -> BTreeMap<&'static str, Span> {
    let given = &at.value;
    let mut places = BTreeMap::from([
        ("name", given.name.span),
        ("program", given.image.span),
        ("args", given.args.span),
        ("env", given.env.span),
        ("ports", given.ports.span),
        ("links", given.links.span),
        ("update", given.update.span),
        ("volumes", given.volumes.span),
    ]);
    let first_published = given.publish.0.first().map(|at| at.span);
    let optional = [
        ("publish", first_published),
        ("health", given.health.as_ref().map(|at| at.span)),
        ("replicas", given.replicas.as_ref().map(|at| at.span)),
        ("cpu", given.resources.value.cpu.as_ref().map(|at| at.span)),
        ("stop", given.stop.as_ref().map(|at| at.span)),
        ("scale", given.scale.as_ref().map(|at| at.span)),
        ("idle", given.idle.as_ref().map(|at| at.span)),
    ];
    places.extend(optional.into_iter().filter_map(|(name, span)| Some((name, span?))));
    if given.ports.value.is_empty() {
        places.extend(first_published.map(|span| ("ports", span)));
    }
    // What is absent has no place of its own.
    places.retain(|_, span| *span != Span::default());
    places
}

/// How many there are at first: where load decides and nothing is said, the fewest.
fn replicas(given: &Service) -> u16 {
    let fewest = given.scale.as_ref().map_or(1, |at| at.value.min.unwrap_or(1));
    given.replicas.as_ref().map_or(fewest, |at| at.value)
}

fn scale(given: &Service) -> Result<Option<Scale>, Fault> {
    let Some(At { span, value }) = &given.scale else { return Ok(None) };
    let target = match (value.connections, value.cpu) {
        (Some(count), None) => Load::Connections { count },
        (None, Some(percent)) => Load::Cpu { percent },
        _ => {
            return Err(Fault::new(
                *span,
                "one of 'connections' and 'cpu' says what each replica is to have",
            )
            .with_hint("such as { min = 1, max = 5, connections = 50 }, or cpu = 70 for percent"));
        }
    };
    Ok(Some(Scale { min: value.min.unwrap_or(1), max: value.max, target }))
}

fn volumes(given: &Service) -> Result<Option<Volumes>, Fault> {
    if given.volumes.value.is_empty() {
        return match &given.saving {
            Some(At { span, .. }) => Err(Fault::new(*span, "there are no volumes to save")
                .with_hint("add volumes = { data = \"/data\" }")),
            None => Ok(None),
        };
    }
    let mounts = given.volumes.value.iter().map(|(name, at)| Volume {
        name: name.clone(),
        path: at.value.0.path.clone(),
        size_bytes: at.value.0.size.map_or(VOLUME_BYTES_DEFAULT, |size| size.0),
    });
    let usual = Volumes::usual(mounts.collect());
    let saving = given.saving.as_ref().map(|at| at.value.clone()).unwrap_or_default();
    Ok(Some(Volumes {
        save_ms: saving.every.map_or(usual.save_ms, |every| every.0),
        wait_ms: saving.wait.map_or(usual.wait_ms, |wait| wait.0),
        ..usual
    }))
}

fn idle_ms(given: &Service, is_component: bool) -> Option<u64> {
    let usual = is_component.then_some(IDLE_MS_DEFAULT);
    match &given.idle {
        None => usual,
        Some(At { value: Idle::After(time), .. }) => Some(time.0),
        Some(At { value: Idle::Never, .. }) => None,
    }
}

fn limits(given: &Service) -> ReplicaLimits {
    let (resources, usual) = (&given.resources.value, ReplicaLimits::default());
    ReplicaLimits {
        memory_bytes: resources.memory.map_or(usual.memory_bytes, |size| size.0),
        scratch_bytes: resources.scratch.map_or(usual.scratch_bytes, |size| size.0),
        cpu_cores: resources.cpu.as_ref().map_or(usual.cpu_cores, |at| at.value),
    }
}

fn update(given: &FileUpdate) -> Update {
    let usual = Update::default();
    Update {
        parallel: given.parallel.unwrap_or(usual.parallel),
        healthy_ms: given.healthy.map_or(usual.healthy_ms, |time| time.0),
        rollback: given.rollback.unwrap_or(usual.rollback),
    }
}

fn health(
    given: Option<&At<Health>>,
    ports: &[u16],
    service: &Service,
) -> Result<Option<HealthCheck>, Fault> {
    let first = ports.first().map(|port| Probe::Tcp { port: *port });
    let Some(At { span, value }) = given else { return Ok(first.map(HealthCheck::usual)) };
    let Health::Check(table) = value else { return Ok(None) };
    let probe = match probe(table, ports, *span)? {
        Some(probe) => probe,
        None => first.ok_or_else(|| {
            Fault::new(*span, format!("service '{}' has no port to try", service.name.value))
                .with_hint("add ports = [80], or health = { command = [\"...\"] }")
        })?,
    };
    let usual = HealthCheck::usual(probe);
    let time = |given: Option<Millis>, usual| given.map_or(usual, |time| time.0);
    Ok(Some(HealthCheck {
        interval_ms: time(table.interval, usual.interval_ms),
        timeout_ms: time(table.timeout, usual.timeout_ms),
        failures_max: table.failures.as_ref().map_or(usual.failures_max, |at| at.value),
        start_ms: time(table.start, usual.start_ms),
        probe: usual.probe,
    }))
}

/// What the table tries; none where it only has times.
fn probe(table: &HealthTable, ports: &[u16], span: Span) -> Result<Option<Probe>, Fault> {
    let mut given: Vec<(&str, Span)> = Vec::new();
    given.extend(table.http.as_ref().map(|at| ("http", at.span)));
    given.extend(table.tcp.as_ref().map(|at| ("tcp", at.span)));
    given.extend(table.command.as_ref().map(|at| ("command", at.span)));
    // The later one in the file is the one to point at.
    given.sort_by_key(|(_, span)| span.start);
    if let [(first, _), (second, span), ..] = given.as_slice() {
        let problem = format!("'{second}' and '{first}' both say what is tried");
        return Err(Fault::new(*span, problem).with_hint("keep one of them"));
    }
    let known = |port: &At<Port>| match ports.contains(&port.value.0) {
        true => Ok(port.value.0),
        false => Err(Fault::new(port.span, format!("port {} is none of the service's ports", port.value.0))
            .with_hint("add it to 'ports'")),
    };
    if let (Some(port), None) = (&table.port, &table.http) {
        return Err(
            Fault::new(port.span, "'port' is of 'http' alone").with_hint("write tcp = PORT to try a port")
        );
    }
    if let Some(path) = &table.http {
        let port = match (&table.port, ports.first()) {
            (Some(port), _) => known(port)?,
            (None, Some(first)) => *first,
            (None, None) => {
                return Err(Fault::new(span, "the service has no port to try").with_hint("add ports = [80]"));
            }
        };
        return Ok(Some(Probe::Http { port, path: path.value.clone() }));
    }
    if let Some(port) = &table.tcp {
        return Ok(Some(Probe::Tcp { port: known(port)? }));
    }
    Ok(table.command.as_ref().map(|args| Probe::Command { args: args.value.clone() }))
}

/// A link to a service of the same file leads to one of its ports. Others may well be there already.
fn check_links(services: &[At<Service>], drafts: &[Draft]) -> Result<(), Fault> {
    for (given, draft) in services.iter().zip(drafts) {
        for (at, link) in given.value.links.value.0.iter().zip(&draft.service.links) {
            let is_target = |other: &&Draft| {
                link.service.owner.is_none() && other.service.name.value == link.service.name
            };
            let Some(target) = drafts.iter().find(is_target) else { continue };
            if target.service.ports.contains(&link.port) {
                continue;
            }
            let ports: Vec<String> = target.service.ports.iter().map(u16::to_string).collect();
            let fault =
                Fault::new(at.span, format!("service '{}' has no port {}", link.service.name, link.port));
            return Err(match ports.is_empty() {
                true => fault.with_hint(format!("add ports = [{}] to it", link.port)),
                false => fault.with_hint(format!("its ports: {}", ports.join(", "))),
            });
        }
    }
    Ok(())
}
