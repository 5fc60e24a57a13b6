//! Akash SDL, versions 2.0 and 2.1: services as providers of Akash lease them.
//!
//! Follows the SDL's documentation (akash.network, "Stack Definition Language"). What is public there is published
//! on the owner's node here; what only services of the same file reach are links.

mod expose;
mod keys;
mod profiles;

use crate::{
    compose::unsaid_health,
    draft::{self, Draft, check_service_name, unknown},
    image,
    import::{Given, Import, Needs, Reading},
    lower::STOP_MS_DEFAULT,
    plan::{Plan, PlannedService},
    walk::{entries, is_empty, join},
};
use expose::Exposed;
use opensky_textfile::{
    Fault, FileError, Format, Source, Span,
    tree::{Key, Node},
    values::At,
};
use opensky_types::{
    offer::Constraints,
    service::{LINKS_MAX, Link, Restart, ServiceRef, Update},
};
use std::collections::{BTreeMap, BTreeSet};

/// What the caller may look up before [`read`]: images.
pub fn needs(name: &str, text: &str) -> Result<Needs, FileError> {
    let source = Source::new(name, text);
    let images = source.tree(Format::Yaml).and_then(|tree| {
        let reading = Reading::new(&source);
        let services = tree.get("services").map_or(Ok(&[][..]), entries)?;
        let images = services.iter().filter_map(|(_, node)| node.get("image"));
        images.map(|image| reading.text(image)).collect::<Result<BTreeSet<_>, Fault>>()
    });
    let images = images.map_err(|fault| source.error(fault))?;
    Ok(Needs { files: Vec::new(), images: images.into_iter().collect() })
}

/// Reads an SDL. `name` is used in error messages only. A mistake in the file is an error; what is no mistake and yet
/// not done is in the answer.
pub fn read(name: &str, text: &str, given: &Given) -> Result<Import, FileError> {
    let source = Source::new(name, text);
    let import = source.tree(Format::Yaml).and_then(|tree| import(&source, &tree, given));
    import.map_err(|fault| source.error(fault))
}

/// A service that was read, with what of it others reach.
struct Parsed {
    draft: Draft,
    exposed: Exposed,
}

fn import(source: &Source, tree: &Node, given: &Given) -> Result<Import, Fault> {
    let mut reading = Reading::new(source);
    reading.check_keys("", tree, keys::FILE)?;
    check_version(&reading, tree)?;
    let services = tree.get("services").filter(|services| !is_empty(services)).ok_or_else(|| {
        Fault::new(Span { start: 0, end: 1 }, "the file has no services").with_hint("add services:")
    })?;
    draft::check_count(entries(services)?.len(), services.span)?;
    profiles::check_placements(&mut reading, tree)?;
    let mut parsed = Vec::new();
    for (key, node) in entries(services)? {
        parsed.push(service(&mut reading, tree, key, node, given)?);
    }
    check_deployed(tree, &parsed)?;
    reading.finish(|_| {
        let drafts = link(parsed)?;
        Ok(Plan::new(source.clone(), draft::finish(drafts, services.span)?))
    })
}

fn check_version(reading: &Reading<'_>, tree: &Node) -> Result<(), Fault> {
    let missing = || Fault::new(Span { start: 0, end: 1 }, "the key 'version' is missing");
    let node = tree.get("version").ok_or_else(|| missing().with_hint("add version: \"2.0\""))?;
    match reading.text(node)?.as_str() {
        "2.0" | "2.1" | "2" => Ok(()),
        other => {
            Err(Fault::new(node.span, format!("version {other} of SDL is not known")).with_hint("2.0 or 2.1"))
        }
    }
}

fn service(
    reading: &mut Reading<'_>,
    tree: &Node,
    key: &Key,
    node: &Node,
    given: &Given,
) -> Result<Parsed, Fault> {
    let name = At { span: key.span, value: key.text.clone() };
    check_service_name(&name)?;
    let path = join("services", &key.text);
    reading.check_keys(&path, node, keys::SERVICE)?;
    let image = node.get("image").filter(|image| !is_empty(image)).ok_or_else(|| {
        Fault::new(key.span, format!("service '{}' has no image", key.text)).with_hint("add image: NAME")
    })?;
    let image_name = reading.text(image)?;
    let leased = profiles::of_service(reading, tree, &name)?;
    let exposed = expose::read(reading, &path, node)?;
    let health = unsaid_health(reading, &path, key.span, &exposed.ports);
    let start_ms = health.as_ref().map_or(0, |health| health.start_ms);
    let usual = Update::default();
    let service = PlannedService {
        name,
        image: image::of_engine(&At { span: image.span, value: image_name.clone() })?,
        needs: leased.needs,
        args: args(reading, &path, node, &image_name, given)?,
        env: env(reading, node)?,
        ports: exposed.ports.clone(),
        publish: exposed.publish.clone(),
        links: Vec::new(),
        health,
        replicas: leased.replicas,
        limits: leased.limits,
        constraints: Constraints::default(),
        restart: Restart::Always,
        update: Update { healthy_ms: usual.healthy_ms.max(start_ms), ..usual },
        stop_ms: STOP_MS_DEFAULT,
        secrets: Vec::new(),
        idle_ms: None,
        scale: None,
        volumes: None,
        after: Vec::new(),
        places: places(node, key),
    };
    let after = after(reading, node)?;
    let draft = Draft { span: key.span, service, after, prefers: Vec::new() };
    Ok(Parsed { draft, exposed })
}

fn places(node: &Node, key: &Key) -> BTreeMap<&'static str, Span> {
    let named =
        [("program", "image"), ("args", "args"), ("env", "env"), ("ports", "expose"), ("publish", "expose")];
    let found = named.iter().filter_map(|(field, name)| Some((*field, node.get(name)?.span)));
    found.chain([("name", key.span)]).collect()
}

/// `args`, after `command`, which stands in the place of an entry point.
fn args(
    reading: &mut Reading<'_>,
    path: &str,
    node: &Node,
    image: &str,
    given: &Given,
) -> Result<Vec<String>, Fault> {
    let mut words = node.get("command").map_or(Ok(Vec::new()), |node| reading.plain_texts(node))?;
    let args = node.get("args").map_or(Ok(Vec::new()), |node| reading.plain_texts(node))?;
    if !words.is_empty() && !image::can_take_entry_point(image, given) {
        let span = node.get("command").map_or(node.span, |node| node.span);
        let what = "the image's entry point stays";
        let instead = "give arguments by `args`, set ENTRYPOINT in the image, or use one without";
        reading.refuse(&join(path, "command"), span, what, instead);
    }
    words.extend(args);
    Ok(words)
}

fn env(reading: &Reading<'_>, node: &Node) -> Result<Vec<(String, String)>, Fault> {
    let pairs = node.get("env").map_or(Ok(Vec::new()), |node| reading.assignments(node))?;
    let by_name: BTreeMap<String, String> =
        pairs.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect();
    Ok(by_name.into_iter().collect())
}

/// `dependencies: [{ service: db }]`.
fn after(reading: &Reading<'_>, node: &Node) -> Result<Vec<At<String>>, Fault> {
    let items = node.get("dependencies").map_or(Ok(&[][..]), crate::walk::list)?;
    items.iter().map(|item| reading.text_at(item.get("service").unwrap_or(item))).collect()
}

/// Services that are deployed are among the services.
fn check_deployed(tree: &Node, parsed: &[Parsed]) -> Result<(), Fault> {
    let names: Vec<&str> = parsed.iter().map(|parsed| parsed.draft.service.name.value.as_str()).collect();
    for (key, _) in tree.get("deployment").map_or(Ok(&[][..]), entries)? {
        if !names.contains(&key.text.as_str()) {
            return Err(unknown(&At { span: key.span, value: key.text.clone() }, &names));
        }
    }
    Ok(())
}

/// The services with their links: each to what others expose to it.
fn link(parsed: Vec<Parsed>) -> Result<Vec<Draft>, Fault> {
    let names: Vec<&str> = parsed.iter().map(|parsed| parsed.draft.service.name.value.as_str()).collect();
    let mut links: BTreeMap<String, Vec<Link>> = BTreeMap::new();
    for target in &parsed {
        for (to, port) in &target.exposed.to {
            if !names.contains(&to.value.as_str()) {
                return Err(unknown(to, &names));
            }
            let name = target.draft.service.name.value.clone();
            let own = links.entry(to.value.clone()).or_default();
            let link = Link { host: name.clone(), service: ServiceRef { name, owner: None }, port: *port };
            if !own.contains(&link) {
                own.push(link);
            }
            if own.len() > LINKS_MAX {
                let problem = format!("'{}' is to reach more than {LINKS_MAX} ports of others", to.value);
                return Err(Fault::new(to.span, problem));
            }
        }
    }
    Ok(parsed
        .into_iter()
        .map(|Parsed { mut draft, .. }| {
            draft.service.links = links.remove(&draft.service.name.value).unwrap_or_default();
            draft.prefers = draft.service.links.iter().map(|link| link.service.name.clone()).collect();
            draft
        })
        .collect())
}
