//! From services that were read to a plan: what counts whatever they were read from.

use crate::{
    SERVICES_MAX,
    order::{Needs, order},
    plan::PlannedService,
    secrets,
};
use opensky_textfile::{Fault, Span, nearest, values::At};
use opensky_types::{Hash, job::Blob, service::check_name};
use std::{collections::BTreeSet, net::SocketAddr};

/// Most local addresses of one service.
const PUBLISH_MAX: usize = 64;

/// A service that was read, with what it needs of others.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// Where it stands.
    pub span: Span,
    /// The service; what it comes after is filled in by [`finish`].
    pub service: PlannedService,
    /// Services that must be healthy first.
    pub after: Vec<At<String>>,
    /// Services that had better be there first.
    pub prefers: Vec<String>,
}

/// Checks all services together and puts them in order. `whole` is where faults of no single one are shown.
pub(crate) fn finish(mut drafts: Vec<Draft>, whole: Span) -> Result<Vec<PlannedService>, Fault> {
    check_count(drafts.len(), whole)?;
    check_names(&drafts)?;
    check_published(&drafts)?;
    for draft in &mut drafts {
        draft.service.after = draft.after.iter().map(|name| name.value.clone()).collect();
        check(draft)?;
    }
    secrets::check_input(drafts.iter().flat_map(|draft| &draft.service.secrets))?;
    let needs = needs(&drafts)?;
    let order = order(&needs).map_err(|circle| circle_fault(&drafts, &circle))?;
    let mut services: Vec<Option<PlannedService>> =
        drafts.into_iter().map(|draft| Some(draft.service)).collect();
    Ok(order.into_iter().filter_map(|at| services[at].take()).collect())
}

/// Checks how many services a file has. Readers do so first, since services are compared with each other.
pub(crate) fn check_count(count: usize, whole: Span) -> Result<(), Fault> {
    if (1..=SERVICES_MAX).contains(&count) {
        return Ok(());
    }
    Err(Fault::new(whole, format!("a file has 1 to {SERVICES_MAX} services, this one has {count}")))
}

/// Checks a name, and says what it could be instead.
pub(crate) fn check_service_name(name: &At<String>) -> Result<(), Fault> {
    let Err(invalid) = check_name(&name.value) else { return Ok(()) };
    let fault =
        Fault::new(name.span, format!("'{}' cannot be a service's name: {}", name.value, invalid.problem));
    Err(match name_like(&name.value) {
        Some(better) => fault.with_hint(format!("'{better}' can")),
        None => fault,
    })
}

/// The nearest text to `name` that can be the name of a service.
fn name_like(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let dashed = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let cut: String = dashed.take(opensky_types::service::NAME_CHARS_MAX).collect();
    let better = cut.trim_matches('-').to_owned();
    check_name(&better).is_ok().then_some(better)
}

fn check_names(drafts: &[Draft]) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for draft in drafts {
        let name = &draft.service.name;
        check_service_name(name)?;
        if !seen.insert(name.value.as_str()) {
            return Err(Fault::new(name.span, "another service has the same name"));
        }
    }
    Ok(())
}

fn check_published(drafts: &[Draft]) -> Result<(), Fault> {
    let mut taken: Vec<(SocketAddr, &str)> = Vec::new();
    for draft in drafts {
        let place = || draft.service.places.get("publish").copied().unwrap_or(draft.span);
        let publish = &draft.service.publish;
        if publish.len() > PUBLISH_MAX {
            let problem = format!("a service is published at {PUBLISH_MAX} addresses at most");
            return Err(Fault::new(place(), problem));
        }
        for local in publish.iter().map(|publish| publish.local).filter(|local| local.port() > 0) {
            if let Some((_, other)) = taken.iter().find(|(other, _)| is_same_address(local, *other)) {
                let problem = format!("{local} is published by '{other}' already");
                return Err(Fault::new(place(), problem).with_hint("take another local port"));
            }
            taken.push((local, &draft.service.name.value));
        }
    }
    Ok(())
}

/// Whether only one of two can be listened at.
fn is_same_address(a: SocketAddr, b: SocketAddr) -> bool {
    let is_any = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port() && (a.ip() == b.ip() || is_any)
}

/// What keepers and hosts rely on, shown where it stands in the file.
fn check(draft: &Draft) -> Result<(), Fault> {
    let service = &draft.service;
    let place = |field: &str| service.places.get(field).copied().unwrap_or(draft.span);
    for (name, value) in &service.env {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(Fault::new(place("env"), format!("'{name}' cannot be an environment variable")));
        }
    }
    if service.args.iter().any(|arg| arg.contains('\0')) {
        return Err(Fault::new(place("args"), "an argument cannot hold the character 0"));
    }
    secrets::check(&service.secrets).map_err(|(span, invalid)| Fault::new(span, invalid.to_string()))?;
    let is_component = service.image.value.is_component();
    if let Some(planned) = service.secrets.iter().find(|planned| is_component && planned.secret.is_file) {
        let problem = format!("a component has no files, so '{}' cannot be one", planned.secret.name);
        let hint = "add env = \"VARIABLE\" to it";
        return Err(Fault::new(planned.source.span, problem).with_hint(hint));
    }
    let any_image = Blob { hash: Hash::of(b""), size_bytes: 0 };
    let checked = service.spec(any_image).map(drop);
    checked.map_err(|invalid| Fault::new(place(invalid.field), invalid.to_string()))
}

fn needs(drafts: &[Draft]) -> Result<Vec<Needs>, Fault> {
    let names: Vec<&str> = drafts.iter().map(|draft| draft.service.name.value.as_str()).collect();
    let position = |name: &str| names.iter().position(|other| *other == name);
    let of = |draft: &Draft| {
        let mut needs = Needs::default();
        for after in &draft.after {
            needs.after.insert(position(&after.value).ok_or_else(|| unknown(after, &names))?);
        }
        needs.links = draft.prefers.iter().filter_map(|name| position(name)).collect();
        Ok(needs)
    };
    drafts.iter().map(of).collect()
}

/// There is no such service in the file.
pub(crate) fn unknown(name: &At<String>, names: &[&str]) -> Fault {
    let fault = Fault::new(name.span, format!("there is no service '{}' in this file", name.value));
    match nearest(&name.value, names.iter().copied()) {
        Some(near) => fault.with_hint(format!("did you mean '{near}'?")),
        None => fault,
    }
}

fn circle_fault(drafts: &[Draft], circle: &[usize]) -> Fault {
    let name = |at: usize| drafts[at].service.name.value.as_str();
    let last = *circle.first().unwrap_or(&0);
    let names: Vec<&str> = circle.iter().copied().chain([last]).map(name).collect();
    let next = circle.get(1).copied().unwrap_or(last);
    let span = drafts[last].after.iter().find(|after| after.value == name(next)).map(|after| after.span);
    Fault::new(
        span.unwrap_or(drafts[last].span),
        format!("services wait for each other: {}", names.join(" → ")),
    )
    .with_hint("leave one of them out: services that link to each other need not wait")
}
