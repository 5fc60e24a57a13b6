//! Compose files: services of Docker Compose, as far as they are services of a sky.
//!
//! Follows the Compose specification (compose-spec.io, 2025). What of a file cannot be kept is said, key by key:
//! `docs/service-files.md` has the whole list.

mod deploy;
mod env;
mod health;
mod interpolate;
mod keys;
mod network;
mod ports;
mod secrets;
mod service;
mod volumes;

pub use env::parse_env_file;

pub(crate) use deploy::MEMORY_BYTES_UNSAID;
pub(crate) use health::{START_MS_UNSAID, unsaid as unsaid_health};
pub(crate) use keys::DEVICE as DEVICE_KEYS;

use crate::{
    draft::{self, unknown},
    import::{Given, Import, Needs, Reading},
    plan::Plan,
    walk::{entries, is_empty, join},
};
use interpolate::Interpolation;
use opensky_textfile::{
    Fault, FileError, Format, Source, Span,
    tree::{Key, Node},
    values::At,
};
use service::Parsed;
use std::collections::BTreeSet;

/// What the caller may look up before [`read`]: files with variables, and images. Variables in their names are filled
/// in from `given`.
pub fn needs(name: &str, text: &str, given: &Given) -> Result<Needs, FileError> {
    let source = Source::new(name, text);
    needs_of(&source, given).map_err(|fault| source.error(fault))
}

fn needs_of(source: &Source, given: &Given) -> Result<Needs, Fault> {
    let tree = Interpolation::new(&given.vars).tree(&source.tree(Format::Yaml)?)?;
    let mut reading = Reading::new(source);
    let (mut files, mut images) = (BTreeSet::new(), BTreeSet::new());
    for (_, node) in active(&mut reading, &tree, given)?.0 {
        if let Some(node) = node.get("env_file") {
            files.extend(env::files(&reading, node)?.into_iter().map(|file| file.path.value));
        }
        if let Some(image) = node.get("image").filter(|image| !is_empty(image)) {
            images.insert(reading.text(image)?);
        }
    }
    Ok(Needs { files: files.into_iter().collect(), images: images.into_iter().collect() })
}

/// Reads a Compose file. `name` is used in error messages only. A mistake in the file is an error; what is no mistake
/// and yet not done is in the answer.
pub fn read(name: &str, text: &str, given: &Given) -> Result<Import, FileError> {
    let source = Source::new(name, text);
    let import = source.tree(Format::Yaml).and_then(|tree| import(&source, &tree, given));
    import.map_err(|fault| source.error(fault))
}

fn import(source: &Source, tree: &Node, given: &Given) -> Result<Import, Fault> {
    let mut reading = Reading::new(source);
    let mut interpolation = Interpolation::new(&given.vars);
    let tree = interpolation.tree(tree)?;
    for (name, span) in &interpolation.unset {
        let what = "the variable is not set: nothing stands in its place";
        reading.note(name, *span, what, &format!("set it, or write ${{{name}:-DEFAULT}}"));
    }
    reading.check_keys("", &tree, keys::FILE)?;
    let (services, left_out) = active(&mut reading, &tree, given)?;
    let span = tree.get("services").map_or(tree.span, |node| node.span);
    draft::check_count(services.len(), span)?;
    let known = secrets::known(&mut reading, &tree)?;
    let mut volumes = volumes::known(&mut reading, &tree)?;
    let mut parsed = Vec::new();
    for (key, node) in services {
        parsed.extend(service::read(&mut reading, key, node, given, (&known, &mut volumes))?);
    }
    check_networks(&mut reading, &tree, &parsed)?;
    reading.finish(|reading| {
        check_named(&parsed, &left_out)?;
        let drafts = network::link(reading, parsed)?;
        Ok(Plan::new(source.clone(), draft::finish(drafts, span)?).leaving_out(left_out))
    })
}

/// A service's key and value.
type Entry<'a> = (&'a Key, &'a Node);

/// The services that are to start, and the names of those whose profiles nobody asked for.
fn active<'a>(
    reading: &mut Reading<'_>,
    tree: &'a Node,
    given: &Given,
) -> Result<(Vec<Entry<'a>>, BTreeSet<String>), Fault> {
    let services = tree.get("services").filter(|services| !is_empty(services)).ok_or_else(|| {
        Fault::new(Span { start: 0, end: 1 }, "the file has no services").with_hint("add services:")
    })?;
    let (mut started, mut left_out) = (Vec::new(), BTreeSet::new());
    for (key, node) in entries(services)? {
        let profiles = node.get("profiles").map_or(Ok(Vec::new()), |node| reading.plain_texts(node))?;
        let is_asked = |profile: &String| given.profiles.contains(profile) || given.profiles.contains("*");
        if profiles.is_empty() || profiles.iter().any(is_asked) {
            started.push((key, node));
        } else {
            let what = format!("left out: nobody asked for its profile {}", profiles.join(" or "));
            reading.note(&join("services", &key.text), key.span, &what, "");
            left_out.insert(key.text.clone());
        }
    }
    Ok((started, left_out))
}

/// Networks that services name are among the file's, and those are ours to make.
fn check_networks(reading: &mut Reading<'_>, tree: &Node, services: &[Parsed]) -> Result<(), Fault> {
    let known = tree.get("networks").map_or(Ok(&[][..]), entries)?;
    for (key, node) in known {
        let path = join("networks", &key.text);
        reading.check_keys(&path, node, keys::NETWORK)?;
        if let Some(driver) = node.get("driver").filter(|driver| !is_empty(driver)) {
            let text = reading.text(driver)?;
            if !matches!(text.as_str(), "bridge" | "overlay" | "default") {
                let what = format!("networks of the driver '{text}' are not made");
                reading.refuse(&path, driver.span, &what, "leave the driver out");
            }
        }
    }
    for service in services {
        for network in &service.networks {
            let is_known = network.name == "default" || known.iter().any(|(key, _)| key.text == network.name);
            if !is_known {
                let name = At { span: service.draft.span, value: network.name.clone() };
                let problem = format!(
                    "{} is in the network '{}', which the file does not have",
                    service.path, name.value
                );
                return Err(
                    Fault::new(name.span, problem).with_hint(format!("add networks: {{ {}: }}", name.value))
                );
            }
        }
    }
    Ok(())
}

/// Services that others name are there and start.
fn check_named(services: &[Parsed], left_out: &BTreeSet<String>) -> Result<(), Fault> {
    let names: Vec<&str> = services.iter().map(|service| service.draft.service.name.value.as_str()).collect();
    for service in services {
        let named = service.draft.after.iter().chain(service.links.iter().map(|(_, target)| target));
        for name in named {
            if left_out.contains(&name.value) {
                let problem = format!("'{}' is needed, and nobody asked for its profile", name.value);
                return Err(
                    Fault::new(name.span, problem).with_hint("ask for its profile, or do not name it")
                );
            }
            if !names.contains(&name.value.as_str()) {
                return Err(unknown(name, &names));
            }
        }
    }
    Ok(())
}
