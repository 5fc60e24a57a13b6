//! One service of a Compose file.

use crate::{
    compose::{
        deploy, env, health, keys, ports,
        secrets::{self, Known},
        volumes,
    },
    draft::{Draft, check_service_name},
    image::{self, ImageRef},
    import::{Given, Reading},
    lower::STOP_MS_DEFAULT,
    plan::PlannedService,
    walk::{entries, expected, is_empty, join, key_span},
    words,
};
use opensky_textfile::{
    Fault,
    tree::{Key, Node, Value},
    values::At,
};
use opensky_types::{
    offer::Constraints,
    service::{PORTS_MAX, check_name},
};
use std::collections::BTreeMap;

/// A service that was read, but for its links.
pub(crate) struct Parsed {
    /// Where it stands among the file's keys.
    pub path: String,
    pub draft: Draft,
    pub networks: Vec<Network>,
    /// The names that it gives other services itself.
    pub links: Vec<(String, At<String>)>,
    /// A name of its container by which others may know it too.
    pub container: Option<At<String>>,
}

/// A network that a service is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    pub name: String,
    /// Further names of the service in it.
    pub aliases: Vec<String>,
}

/// Reads one service. None: it has no image, and that is refused.
pub(crate) fn read(
    reading: &mut Reading<'_>,
    key: &Key,
    node: &Node,
    given: &Given,
    (known, volumes): (&Known, &mut volumes::Known),
) -> Result<Option<Parsed>, Fault> {
    let name = At { span: key.span, value: key.text.clone() };
    check_service_name(&name)?;
    let path = join("services", &key.text);
    reading.check_keys(&path, node, keys::SERVICE)?;
    deploy::check_keys(reading, &path, node)?;
    check_fixed(reading, &path, node)?;
    let Some(image) = image(reading, &path, node, key)? else { return Ok(None) };
    let image_name = match &image.value {
        ImageRef::Engine(name) => name.clone(),
        other => other.to_string(),
    };
    let mut shown = ports::read(reading, &path, node)?;
    add_image_ports(reading, &path, key, &image_name, given, &mut shown.ports);
    let args = args(reading, &path, node, &image_name, given)?;
    let health = health::read(reading, &path, node, key.span, &shown.ports)?;
    let start_ms = health.as_ref().map_or(0, |health| health.start_ms);
    let service = PlannedService {
        name,
        image,
        needs: deploy::needs(reading, &path, node)?,
        args,
        env: env::variables(reading, node, given)?,
        ports: shown.ports,
        publish: shown.publish,
        links: Vec::new(),
        health,
        replicas: deploy::replicas(reading, &path, node)?,
        limits: deploy::limits(reading, &path, node, key.span)?,
        constraints: constraints(reading, node)?,
        restart: deploy::restart(reading, &path, node)?,
        update: deploy::update(reading, node, start_ms)?,
        stop_ms: node.get("stop_grace_period").map_or(Ok(STOP_MS_DEFAULT), |node| reading.millis(node))?,
        secrets: secrets::of_service(reading, &path, node, known)?,
        idle_ms: None,
        scale: None,
        volumes: volumes::of_service(reading, &path, node, volumes)?,
        after: Vec::new(),
        places: places(node, key),
    };
    let after = after(reading, &path, node)?;
    let links = links(reading, node)?;
    let prefers = links.iter().map(|(_, target)| target.value.clone()).collect();
    let networks = networks(reading, &path, node)?;
    let container = container(reading, &path, node, &key.text)?;
    let draft = Draft { span: key.span, service, after, prefers };
    Ok(Some(Parsed { path, draft, networks, links, container }))
}

fn places(node: &Node, key: &Key) -> BTreeMap<&'static str, opensky_textfile::Span> {
    let named = [
        ("program", "image"),
        ("args", "command"),
        ("env", "environment"),
        ("ports", "ports"),
        ("publish", "ports"),
        ("health", "healthcheck"),
        ("replicas", "deploy"),
        ("cpu", "deploy"),
        ("update", "deploy"),
        ("stop", "stop_grace_period"),
        ("volumes", "volumes"),
    ];
    let found = named.iter().filter_map(|(field, name)| Some((*field, node.get(name)?.span)));
    found.chain([("name", key.span)]).collect()
}

/// `container_name`, where it is another name and can be one of a host.
fn container(
    reading: &mut Reading<'_>,
    path: &str,
    node: &Node,
    service: &str,
) -> Result<Option<At<String>>, Fault> {
    let Some(node) = node.get("container_name") else { return Ok(None) };
    let name = reading.text_at(node)?;
    if name.value == service {
        return Ok(None);
    }
    if check_name(&name.value).is_ok() {
        return Ok(Some(name));
    }
    let what = format!("'{}' cannot be a host: others reach it as '{service}' alone", name.value);
    reading.note(&join(path, "container_name"), name.span, &what, "");
    Ok(None)
}

/// The image, which may have been built here before.
fn image(
    reading: &mut Reading<'_>,
    path: &str,
    node: &Node,
    key: &Key,
) -> Result<Option<At<ImageRef>>, Fault> {
    let build = node.get("build").filter(|build| !is_empty(build));
    let image = node.get("image").filter(|image| !is_empty(image));
    let (path, span) = (join(path, "build"), key_span(node, "build"));
    match (image, build) {
        (Some(image), build) => {
            if build.is_some() {
                let what =
                    "images are not built here: what this machine's engine has under the name is taken";
                reading.note(&path, span, what, "docker compose build");
            }
            image::of_engine(&reading.text_at(image)?).map(Some)
        }
        (None, Some(_)) => {
            let instead = format!("docker build --tag {}, and `image: {}`", key.text, key.text);
            reading.refuse(&path, span, "images are not built here", &instead);
            Ok(None)
        }
        (None, None) => {
            Err(Fault::new(key.span, format!("service '{}' has no image", key.text))
                .with_hint("add image: NAME"))
        }
    }
}

/// Adds the ports on which the image listens: in a Compose network all of them can be reached.
fn add_image_ports(
    reading: &mut Reading<'_>,
    path: &str,
    key: &Key,
    image: &str,
    given: &Given,
    ports: &mut Vec<u16>,
) {
    let usual = image::usual_ports(image);
    let known = given.images.get(image).map_or(&[][..], |facts| facts.ports.as_slice());
    let more = if usual.is_empty() { known } else { usual };
    let is_unsaid = ports.is_empty();
    for port in more.iter().filter(|port| **port > 0) {
        if !ports.contains(port) && ports.len() < PORTS_MAX {
            ports.push(*port);
        }
    }
    if is_unsaid && !ports.is_empty() {
        let list: Vec<String> = ports.iter().map(u16::to_string).collect();
        let what = format!("no port is said: {}, as usual for this image", list.join(", "));
        reading.note(path, key.span, &what, "say it with `expose`");
    }
}

/// What follows the image's entry point. Another entry point can be said only where it is known that there is none.
fn args(
    reading: &mut Reading<'_>,
    path: &str,
    node: &Node,
    image: &str,
    given: &Given,
) -> Result<Vec<String>, Fault> {
    let words = |reading: &Reading<'_>, name: &str| match node.get(name) {
        None => Ok(None),
        Some(Node { value: Value::Null, .. }) => Ok(None),
        Some(node) => command_words(reading, node).map(|words| Some((words, node.span))),
    };
    let (entry_point, command) = (words(reading, "entrypoint")?, words(reading, "command")?);
    if let Some((command, span)) = &command
        && command.is_empty()
    {
        let what = "the image's own command cannot be taken away";
        reading.refuse(&join(path, "command"), *span, what, "use an image without CMD");
    }
    let command = command.map(|(words, _)| words).unwrap_or_default();
    let Some((mut words, span)) = entry_point else { return Ok(command) };
    if !words.is_empty() && image::can_take_entry_point(image, given) {
        words.extend(command);
        return Ok(words);
    }
    if given.images.get(image).is_some_and(|facts| facts.entry_point == words) && !command.is_empty() {
        return Ok(command);
    }
    let what = "the image's entry point stays";
    reading.refuse(&join(path, "entrypoint"), span, what, "set ENTRYPOINT in the image, or use one without");
    Ok(command)
}

fn command_words(reading: &Reading<'_>, node: &Node) -> Result<Vec<String>, Fault> {
    match &node.value {
        Value::Text(line) => words::split(line)
            .map_err(|problem| Fault::new(node.span, format!("not a command line: {problem}"))),
        Value::List(_) => reading.plain_texts(node),
        _ => Err(expected(node, "a command line, or a list of its words")),
    }
}

/// The architecture that `platform` asks for.
fn constraints(reading: &Reading<'_>, node: &Node) -> Result<Constraints, Fault> {
    let Some(platform) = node.get("platform") else { return Ok(Constraints::default()) };
    let arch = match reading.text(platform)?.as_str() {
        "linux" => None,
        "linux/amd64" | "linux/x86_64" => Some("x86_64".to_owned()),
        "linux/arm64" | "linux/arm64/v8" | "linux/aarch64" => Some("aarch64".to_owned()),
        other => {
            return Err(Fault::new(platform.span, format!("no node has the platform '{other}'"))
                .with_hint("linux/amd64 or linux/arm64"));
        }
    };
    Ok(Constraints { arch, ..Constraints::default() })
}

/// Keys whose value decides whether it can be left out.
fn check_fixed(reading: &mut Reading<'_>, path: &str, node: &Node) -> Result<(), Fault> {
    if let Some(user) = node.get("user").filter(|user| !is_empty(user) || user.value == Value::Integer(0)) {
        let text = reading.text(user)?;
        let path = join(path, "user");
        if matches!(text.split(':').next(), Some("root" | "0")) {
            let what = "no program runs as root";
            reading.refuse(&path, user.span, what, "use an image whose program needs no root");
        } else {
            reading.note(&path, user.span, "programs run as the node's user for containers", "");
        }
    }
    for item in node.get("tmpfs").map_or(Ok(Vec::new()), |node| reading.one_or_many(node))? {
        let target = item.value.split(':').next().unwrap_or_default();
        if target.trim_end_matches('/') != "/tmp" {
            let what = format!("{target} cannot be written");
            reading.refuse(&join(path, "tmpfs"), item.span, &what, "let the program write to /tmp");
        }
    }
    if let Some(mode) = node.get("network_mode") {
        let text = reading.text(mode)?;
        if !matches!(text.as_str(), "bridge" | "default") {
            let what = format!("'{text}' is not given: a service has its own network, with its links in it");
            reading.refuse(&join(path, "network_mode"), mode.span, &what, "leave it out");
        }
    }
    for item in node.get("security_opt").map_or(Ok(Vec::new()), |node| reading.texts(node))? {
        if !item.value.starts_with("no-new-privileges") {
            let what = format!("'{}' is not given: containers are hardened alike", item.value);
            reading.refuse(&join(path, "security_opt"), item.span, &what, "leave it out");
        }
    }
    Ok(())
}

/// What must be there first: `depends_on`, a list or a table.
fn after(reading: &mut Reading<'_>, path: &str, node: &Node) -> Result<Vec<At<String>>, Fault> {
    let Some(node) = node.get("depends_on") else { return Ok(Vec::new()) };
    if node.entries().is_none() {
        return reading.texts(node);
    }
    let mut after = Vec::new();
    for (key, how) in entries(node)? {
        for (known, _) in entries(how)? {
            if !matches!(known.text.as_str(), "condition" | "restart" | "required") {
                return Err(Fault::new(known.span, format!("unknown key '{}'", known.text))
                    .with_hint("keys here: condition, restart, required"));
            }
        }
        if let Some(condition) = how.get("condition") {
            match reading.text(condition)?.as_str() {
                "service_started" | "service_healthy" => {}
                "service_completed_successfully" => {
                    let what = "no service is waited for until it ends";
                    let instead = "run it as a job first: opensky run docker:IMAGE";
                    reading.refuse(&join(path, "depends_on"), condition.span, what, instead);
                }
                _ => return Err(expected(condition, "service_started or service_healthy")),
            }
        }
        let name = At { span: key.span, value: key.text.clone() };
        if how.get("required").map_or(Ok(true), |node| reading.truth(node))? {
            after.push(name);
        } else {
            let what = format!("'{}' is not waited for, since it is not required", key.text);
            reading.note(&join(path, "depends_on"), key.span, &what, "");
        }
    }
    Ok(after)
}

/// `links`: `db`, or `db:database` for a further name.
fn links(reading: &Reading<'_>, node: &Node) -> Result<Vec<(String, At<String>)>, Fault> {
    let Some(node) = node.get("links") else { return Ok(Vec::new()) };
    let split = |at: At<String>| match at.value.split_once(':') {
        Some((target, host)) => (host.to_owned(), At { span: at.span, value: target.to_owned() }),
        None => (at.value.clone(), at),
    };
    Ok(reading.texts(node)?.into_iter().map(split).collect())
}

/// The networks that a service is in: those that it names, or the one that all others are in.
fn networks(reading: &mut Reading<'_>, path: &str, node: &Node) -> Result<Vec<Network>, Fault> {
    let alone = |name: String| Network { name, aliases: Vec::new() };
    let Some(node) = node.get("networks").filter(|node| !is_empty(node)) else {
        return Ok(vec![alone("default".to_owned())]);
    };
    let Some(entries) = node.entries() else {
        return Ok(reading.plain_texts(node)?.into_iter().map(alone).collect());
    };
    let mut networks = Vec::new();
    for (key, node) in entries {
        reading.check_keys(&join(&join(path, "networks"), &key.text), node, keys::SERVICE_NETWORK)?;
        let aliases = node.get("aliases").map_or(Ok(Vec::new()), |node| reading.plain_texts(node))?;
        networks.push(Network { name: key.text.clone(), aliases });
    }
    Ok(networks)
}
