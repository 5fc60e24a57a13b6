//! Who reaches whom: in a Compose network, every service every port of every other. Links say the same.

use crate::{compose::service::Parsed, draft::Draft, import::Reading};
use opensky_textfile::{Fault, Span};
use opensky_types::service::{LINKS_MAX, Link, ServiceRef};
use std::collections::BTreeSet;

/// Links of one service are counted up to here, for a fault that says how many are too many.
const COUNTED_MAX: usize = 1_024;

/// The services with their links.
pub(crate) fn link(reading: &mut Reading<'_>, mut services: Vec<Parsed>) -> Result<Vec<Draft>, Fault> {
    let linked = (0..services.len()).map(|at| links_of(reading, &services, at));
    let linked = linked.collect::<Result<Vec<_>, _>>()?;
    for (service, links) in services.iter_mut().zip(linked) {
        service.draft.service.links = links;
    }
    Ok(services.into_iter().map(|service| service.draft).collect())
}

/// Links of one service: those that it names itself first, then those to all others in its networks.
#[derive(Default)]
struct Links {
    list: Vec<Link>,
    seen: BTreeSet<(String, u16)>,
    /// Ports that the service listens on itself: its network has each once.
    taken: Vec<u16>,
    /// What it cannot reach therefore.
    clashes: BTreeSet<(String, u16)>,
}

impl Links {
    fn add(&mut self, host: &str, to: &Parsed) {
        let target = &to.draft.service;
        if self.list.len() > COUNTED_MAX {
            return;
        }
        for port in &target.ports {
            if self.taken.contains(port) {
                self.clashes.insert((target.name.value.clone(), *port));
            } else if self.seen.insert((host.to_owned(), *port)) {
                let service = ServiceRef { name: target.name.value.clone(), owner: None };
                self.list.push(Link { host: host.to_owned(), service, port: *port });
            }
        }
    }
}

fn links_of(reading: &mut Reading<'_>, services: &[Parsed], at: usize) -> Result<Vec<Link>, Fault> {
    let own = &services[at];
    let named = |name: &str| services.iter().find(|other| other.draft.service.name.value == name);
    let mut links = Links { taken: own.draft.service.ports.clone(), ..Links::default() };
    for (host, target) in &own.links {
        if let Some(to) = named(&target.value) {
            note_portless(reading, own, to, target.span);
            links.add(&target.value, to);
            links.add(host, to);
        }
    }
    for (name, port) in std::mem::take(&mut links.clashes) {
        let what = format!("port {port} of '{name}' is a port of its own, too, so it cannot be reached");
        reading.refuse(
            &own.path,
            own.draft.service.name.span,
            &what,
            "let one of them listen on another port",
        );
    }
    for target in &own.draft.after {
        if let Some(to) = named(&target.value) {
            note_portless(reading, own, to, target.span);
            links.add(&target.value, to);
        }
    }
    let named_count = links.list.len();
    for to in services.iter().filter(|to| to.draft.service.name != own.draft.service.name) {
        let shared =
            to.networks.iter().filter(|network| own.networks.iter().any(|own| own.name == network.name));
        for network in shared {
            links.add(&to.draft.service.name.value, to);
            network.aliases.iter().for_each(|alias| links.add(alias, to));
        }
    }
    for (name, port) in std::mem::take(&mut links.clashes) {
        let what = format!("it does not reach port {port} of '{name}', which is a port of its own, too");
        let instead = "let one of them listen on another port, if it needs the other";
        reading.note(&own.path, own.draft.service.name.span, &what, instead);
    }
    let count = links.list.len();
    if count <= LINKS_MAX {
        add_containers(reading, own, services, &mut links);
        return Ok(links.list);
    }
    let span = own.draft.service.name.span;
    if own.links.is_empty() || named_count > LINKS_MAX {
        let count = if own.links.is_empty() { count } else { named_count };
        let problem = format!(
            "'{}' may reach {count} ports of other services, {LINKS_MAX} at most are possible",
            own.draft.service.name.value
        );
        return Err(Fault::new(span, problem).with_hint(
            "name the services that it does reach in `links`, or keep others out of its `networks`",
        ));
    }
    let what = format!("of {count} ports of other services it reaches those of its `links` and `depends_on`");
    reading.note(&own.path, span, &what, "");
    links.list.truncate(named_count);
    Ok(links.list)
}

/// Adds the names of containers of services that are reached, while there is room for them.
fn add_containers(reading: &mut Reading<'_>, own: &Parsed, services: &[Parsed], links: &mut Links) {
    for to in services {
        let target = &to.draft.service;
        let is_reached = links.list.iter().any(|link| link.service.name == target.name.value);
        let Some(container) = to.container.as_ref().filter(|_| is_reached) else { continue };
        if links.list.len() + target.ports.len() <= LINKS_MAX {
            links.add(&container.value, to);
        } else {
            let what = format!(
                "it reaches '{}' by that name alone, not as '{}'",
                target.name.value, container.value
            );
            reading.note(&own.path, container.span, &what, "name those that it reaches in `links`");
        }
    }
}

fn note_portless(reading: &mut Reading<'_>, own: &Parsed, to: &Parsed, span: Span) {
    if to.draft.service.ports.is_empty() {
        let name = &to.draft.service.name.value;
        let what = format!("no port of '{name}' is known, so it cannot be reached");
        reading.note(&own.path, span, &what, &format!("add `expose` to '{name}', if it listens at all"));
    }
}
