//! A Bacalhau job of type `service` as a service.

use crate::{
    bacalhau::{
        Header,
        task::{Engine, Task},
    },
    compose::{MEMORY_BYTES_UNSAID, START_MS_UNSAID},
    draft::Draft,
    gpus,
    import::Reading,
    lower::STOP_MS_DEFAULT,
    plan::PlannedService,
    publish::{LOCAL, Publish},
};
use opensky_textfile::{Fault, values::At};
use opensky_types::{
    job::GpuNeed,
    offer::Constraints,
    service::{HealthCheck, Probe, ReplicaLimits, Restart, Update},
};
use std::{collections::BTreeMap, net::SocketAddr};

pub(crate) fn draft(reading: &mut Reading<'_>, header: &Header, task: Task) -> Result<Draft, Fault> {
    let Engine::Docker { image } = task.engine else {
        return Err(Fault::new(task.span, "services run images"));
    };
    let missing = || Fault::new(header.span, "the key 'Name' is missing");
    let name: At<String> = header.name.clone().or(task.name).ok_or_else(missing)?;
    if let Some(kind) = &task.network.kind
        && !matches!(kind.value.as_str(), "none" | "bridge" | "")
    {
        let what =
            format!("a network of type '{}' is not given: a service reaches its links alone", kind.value);
        reading.refuse("Tasks.0.Network", kind.span, &what, "Type: Bridge, and links in a service file");
    }
    if task.timeouts.execution.or(task.timeouts.total).is_some() {
        reading.note(
            "Tasks.0.Timeouts",
            task.timeouts.span,
            "a service has no end",
            "remove it when it is done",
        );
    }
    let local = |port: &u16| SocketAddr::new(LOCAL, *port);
    let mut ports: Vec<u16> = Vec::new();
    for (port, _) in &task.network.ports {
        if !ports.contains(port) {
            ports.push(*port);
        }
    }
    let published = task.network.ports.iter().filter_map(|(port, at)| Some((port, at.as_ref()?)));
    let publish = published.map(|(port, at)| Publish { local: local(at), port: *port }).collect();
    let first = ports.first().map(|port| HealthCheck::usual(Probe::Tcp { port: *port }));
    let health = first.map(|health| HealthCheck { start_ms: START_MS_UNSAID, ..health });
    let usual = ReplicaLimits::default();
    let limits = ReplicaLimits {
        memory_bytes: task.resources.memory_bytes.unwrap_or(MEMORY_BYTES_UNSAID),
        scratch_bytes: task.resources.scratch_bytes.unwrap_or(usual.scratch_bytes),
        cpu_cores: task.resources.cpu_cores.unwrap_or(usual.cpu_cores),
    };
    let service = PlannedService {
        places: BTreeMap::from([("name", name.span)]),
        name,
        image,
        needs: gpus::needs(task.resources.gpus.map(GpuNeed::any)),
        args: task.args,
        env: task.env.into_iter().collect(),
        ports,
        publish,
        links: Vec::new(),
        health,
        replicas: header.count,
        limits,
        constraints: Constraints::default(),
        restart: Restart::Always,
        update: Update { healthy_ms: START_MS_UNSAID, ..Update::default() },
        stop_ms: STOP_MS_DEFAULT,
        secrets: Vec::new(),
        idle_ms: None,
        scale: None,
        volumes: None,
        after: Vec::new(),
    };
    Ok(Draft { span: task.span, service, after: Vec::new(), prefers: Vec::new() })
}
