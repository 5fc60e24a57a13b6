//! What an SDL's services may use and how many run: `deployment` names profiles, `profiles` has them.

use crate::{
    gpus,
    import::Reading,
    sdl::keys,
    walk::{entries, join, list},
};
use opensky_textfile::{
    Fault, nearest,
    tree::{Node, Value},
    values::At,
};
use opensky_types::{job::Needs, service::ReplicaLimits};

/// What a service leases.
pub(crate) struct Leased {
    pub replicas: u16,
    pub limits: ReplicaLimits,
    pub needs: Needs,
}

/// Says what is done about placements.
pub(crate) fn check_placements(reading: &mut Reading<'_>, tree: &Node) -> Result<(), Fault> {
    let Some(profiles) = tree.get("profiles") else { return Ok(()) };
    reading.check_keys("profiles", profiles, keys::PROFILES)?;
    for (key, node) in profiles.get("placement").map_or(Ok(&[][..]), entries)? {
        reading.check_keys(&join("profiles.placement", &key.text), node, keys::PLACEMENT)?;
    }
    Ok(())
}

/// What the deployment of a service comes to, over all of its placements.
pub(crate) fn of_service(reading: &mut Reading<'_>, tree: &Node, name: &At<String>) -> Result<Leased, Fault> {
    let deployment = tree.get("deployment").and_then(|node| node.get(&name.value)).ok_or_else(|| {
        Fault::new(name.span, format!("service '{}' is not deployed", name.value)).with_hint(format!(
            "add it to deployment: {}: {{ PLACEMENT: {{ profile: …, count: 1 }} }}",
            name.value
        ))
    })?;
    let (mut replicas, mut limits) = (0u16, None);
    let mut path = join("deployment", &name.value);
    for (key, node) in entries(deployment)? {
        path = join(&join("deployment", &name.value), &key.text);
        reading.check_keys(&path, node, keys::DEPLOYMENT)?;
        check_known(tree, "placement", &At { span: key.span, value: key.text.clone() })?;
        let count: u16 = node.get("count").map_or(Ok(1), |node| reading.small(node))?;
        replicas = replicas.saturating_add(count);
        let profile =
            node.get("profile").ok_or_else(|| Fault::new(node.span, "the key 'profile' is missing"))?;
        let profile = reading.text_at(profile)?;
        let compute = check_known(tree, "compute", &profile)?;
        let at = join("profiles.compute", &profile.value);
        limits = Some(self::limits(reading, &join(&at, "resources"), compute)?);
    }
    if replicas == 0 {
        reading.refuse(&path, deployment.span, "a service has at least one replica", "leave the service out");
    }
    let leased = limits.ok_or_else(|| Fault::new(deployment.span, "the deployment names no placement"))?;
    let (limits, needs) = leased;
    Ok(Leased { replicas, limits, needs })
}

/// A profile by name.
fn check_known<'a>(tree: &'a Node, kind: &str, name: &At<String>) -> Result<&'a Node, Fault> {
    let profiles = tree.get("profiles").and_then(|node| node.get(kind));
    if let Some(found) = profiles.and_then(|node| node.get(&name.value)) {
        return Ok(found);
    }
    let fault = Fault::new(name.span, format!("there is no {kind} profile '{}'", name.value));
    let known = profiles.and_then(Node::entries).unwrap_or_default().iter().map(|(key, _)| key.text.as_str());
    Err(match nearest(&name.value, known) {
        Some(near) => fault.with_hint(format!("did you mean '{near}'?")),
        None => fault,
    })
}

fn limits(reading: &mut Reading<'_>, path: &str, compute: &Node) -> Result<(ReplicaLimits, Needs), Fault> {
    let missing = || Fault::new(compute.span, "the key 'resources' is missing");
    let resources = compute.get("resources").ok_or_else(missing)?;
    reading.check_keys(path, resources, keys::RESOURCES)?;
    let mut limits = ReplicaLimits::default();
    if let Some(units) = resources.get("cpu").map(|cpu| cpu.get("units").unwrap_or(cpu)) {
        let milli = reading.milli_cores(units)?;
        limits.cpu_cores = reading.whole_cores(&join(path, "cpu"), units, milli)?;
    }
    if let Some(size) = resources.get("memory").map(|memory| memory.get("size").unwrap_or(memory)) {
        limits.memory_bytes = reading.bytes(size, 1_000)?;
    }
    if let Some(storage) = resources.get("storage") {
        limits.scratch_bytes = scratch(reading, &join(path, "storage"), storage)?;
    }
    let needs = match resources.get("gpu") {
        Some(gpu) => gpus::needs(gpus::of_sdl(reading, &join(path, "gpu"), gpu)?),
        None => Needs::default(),
    };
    Ok((limits, needs))
}

/// All storage that goes with a replica.
fn scratch(reading: &mut Reading<'_>, path: &str, node: &Node) -> Result<u64, Fault> {
    let items = match &node.value {
        Value::List(_) => list(node)?,
        _ => std::slice::from_ref(node),
    };
    let mut bytes = 0u64;
    for item in items {
        let size = item.get("size").unwrap_or(item);
        bytes = bytes.saturating_add(reading.bytes(size, 1_000)?);
        let persistent = item.get("attributes").and_then(|attributes| attributes.get("persistent"));
        if let Some(node) = persistent
            && reading.truth(node)?
        {
            let what = "files are gone with the replica";
            reading.refuse(
                path,
                node.span,
                what,
                "put data that must stay into a service outside, reached by a link",
            );
        }
    }
    Ok(bytes)
}
