//! How many of a Compose service run, with what, and when they start again: `deploy` and the older keys beside it.

use crate::{
    compose::keys,
    gpus,
    import::Reading,
    walk::{expected, join},
};
use opensky_textfile::{
    Fault, Span,
    tree::{Node, Value},
};
use opensky_types::{
    job::Needs,
    service::{ReplicaLimits, Restart, Update},
};

/// Memory of a replica of another system's file that sets no limit, in bytes: what most programs get through with.
pub(crate) const MEMORY_BYTES_UNSAID: u64 = 512 << 20;

/// A value of `deploy`, by the keys that lead there.
fn deploy<'a>(service: &'a Node, keys: &[&str]) -> Option<&'a Node> {
    keys.iter().try_fold(service.get("deploy")?, |node, key| node.get(key))
}

/// Says what is done about the keys of `deploy`.
pub(crate) fn check_keys(reading: &mut Reading<'_>, path: &str, service: &Node) -> Result<(), Fault> {
    let path = join(path, "deploy");
    let tables = [
        (&[][..], keys::DEPLOY),
        (&["resources"], keys::RESOURCES),
        (&["resources", "limits"], keys::LIMITS),
        (&["resources", "reservations"], keys::RESERVATIONS),
        (&["restart_policy"], keys::RESTART_POLICY),
        (&["update_config"], keys::UPDATE_CONFIG),
    ];
    for (way, keys) in tables {
        if let Some(node) = deploy(service, way) {
            reading.check_keys(&way.iter().fold(path.clone(), |path, key| join(&path, key)), node, keys)?;
        }
    }
    let Some(mode) = deploy(service, &["mode"]) else { return Ok(()) };
    match reading.text(mode)?.as_str() {
        "replicated" => {}
        "global" => {
            let what = "one replica on every node is not kept";
            reading.refuse(&join(&path, "mode"), mode.span, what, "say how many with `replicas`");
        }
        "replicated-job" | "global-job" => {
            let what = "what ends is a job, not a service";
            reading.refuse(&join(&path, "mode"), mode.span, what, "write a job file, and `opensky run` it");
        }
        _ => return Err(expected(mode, "replicated or global")),
    }
    Ok(())
}

/// How many run.
pub(crate) fn replicas(reading: &mut Reading<'_>, path: &str, service: &Node) -> Result<u16, Fault> {
    let Some(node) = deploy(service, &["replicas"]).or_else(|| service.get("scale")) else { return Ok(1) };
    let replicas = reading.small(node)?;
    if replicas == 0 {
        let what = "a service has at least one replica";
        reading.refuse(
            &join(path, "replicas"),
            node.span,
            what,
            "leave the service out, by `profiles` for example",
        );
    }
    Ok(replicas)
}

/// What each may use. `span` is where the service's name stands.
pub(crate) fn limits(
    reading: &mut Reading<'_>,
    path: &str,
    service: &Node,
    span: Span,
) -> Result<ReplicaLimits, Fault> {
    let memory = deploy(service, &["resources", "limits", "memory"]).or_else(|| service.get("mem_limit"));
    let memory_bytes = match memory.or_else(|| deploy(service, &["resources", "reservations", "memory"])) {
        Some(node) => reading.bytes(node, 1_024)?,
        None => {
            let what = format!("no limit of memory: {} MiB", MEMORY_BYTES_UNSAID >> 20);
            reading.note(path, span, &what, "set deploy.resources.limits.memory, or mem_limit");
            MEMORY_BYTES_UNSAID
        }
    };
    let cpus = deploy(service, &["resources", "limits", "cpus"]).or_else(|| service.get("cpus"));
    let cpu_cores = match cpus {
        Some(node) => {
            let milli = reading.milli_cores(node)?;
            reading.whole_cores(&join(path, "cpus"), node, milli)?
        }
        None => 1,
    };
    Ok(ReplicaLimits { memory_bytes, cpu_cores, ..ReplicaLimits::default() })
}

/// What each needs of a machine beside that.
pub(crate) fn needs(reading: &mut Reading<'_>, path: &str, service: &Node) -> Result<Needs, Fault> {
    let Some(devices) = deploy(service, &["resources", "reservations", "devices"]) else {
        return Ok(Needs::default());
    };
    let path = join(path, "deploy.resources.reservations.devices");
    Ok(gpus::needs(gpus::of_compose(reading, &path, devices)?))
}

/// When one starts again. A file that says nothing means what has failed: what ended well has done its work.
pub(crate) fn restart(reading: &mut Reading<'_>, path: &str, service: &Node) -> Result<Restart, Fault> {
    if let Some(node) = deploy(service, &["restart_policy", "condition"]) {
        return match reading.text(node)?.as_str() {
            "any" => Ok(Restart::Always),
            "on-failure" => Ok(Restart::OnFailure),
            "none" => Ok(Restart::Never),
            _ => Err(expected(node, "none, on-failure or any")),
        };
    }
    // A policy without a condition means "any".
    if deploy(service, &["restart_policy"]).is_some() {
        return Ok(Restart::Always);
    }
    let Some(node) = service.get("restart") else { return Ok(Restart::OnFailure) };
    if node.value == Value::Bool(false) {
        return Ok(Restart::Never);
    }
    let text = reading.text(node)?;
    match text.split_once(':').map_or(text.as_str(), |(word, _)| word) {
        "no" => Ok(Restart::Never),
        "always" | "unless-stopped" => Ok(Restart::Always),
        "on-failure" => {
            if text.contains(':') {
                reading.note(&join(path, "restart"), node.span, "it is tried again without end", "");
            }
            Ok(Restart::OnFailure)
        }
        _ => Err(expected(node, "no, always, on-failure or unless-stopped")),
    }
}

/// How a new revision takes the place of the one before. `start_ms` is how long a replica may take to start.
pub(crate) fn update(reading: &Reading<'_>, service: &Node, start_ms: u64) -> Result<Update, Fault> {
    let usual = Update::default();
    let update = Update { healthy_ms: usual.healthy_ms.max(start_ms), ..usual };
    let parallel = match deploy(service, &["update_config", "parallelism"]) {
        // None at a time means all at a time.
        Some(node) => match reading.small(node)? {
            0 => opensky_types::service::REPLICAS_MAX,
            parallel => parallel,
        },
        None => usual.parallel,
    };
    let rollback = match deploy(service, &["update_config", "failure_action"]) {
        Some(node) => match reading.text(node)?.as_str() {
            "rollback" => true,
            "pause" | "continue" => false,
            _ => return Err(expected(node, "rollback, pause or continue")),
        },
        None => usual.rollback,
    };
    Ok(Update { parallel, rollback, ..update })
}
