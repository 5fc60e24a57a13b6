//! `ports` and `expose` of a Compose service.

use crate::{
    import::Reading,
    publish::{LOCAL, Publish, ip, port},
    walk::{expected, join, list},
};
use opensky_textfile::{Fault, Span, tree::Node};
use std::net::{IpAddr, SocketAddr};

/// Most ports that one range may name, and most entries of a list of ports.
const RANGE_MAX: u16 = 64;
/// Below it, ports are those of the system's own services.
const PORT_UNPRIVILEGED_MIN: u16 = 1_024;

/// What a service shows: ports of its program, and addresses that lead there.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub ports: Vec<u16>,
    pub publish: Vec<Publish>,
}

impl Shown {
    fn port(&mut self, port: u16) {
        if !self.ports.contains(&port) {
            self.ports.push(port);
        }
    }
}

/// Reads both keys.
pub(crate) fn read(reading: &mut Reading<'_>, path: &str, service: &Node) -> Result<Shown, Fault> {
    let mut shown = Shown::default();
    for item in short_list(service.get("ports"))? {
        let at = join(path, "ports");
        match item.entries() {
            Some(_) => long(reading, &at, item, &mut shown)?,
            None => {
                let text = reading.text(item)?;
                short(reading, &at, &text, item.span, &mut shown)?;
            }
        }
    }
    for item in short_list(service.get("expose"))? {
        let text = reading.text(item)?;
        let (range, is_tcp) = without_protocol(&text);
        if !is_tcp {
            refuse_udp(reading, &join(path, "expose"), item.span);
            continue;
        }
        let (from, to) = self::range(range).ok_or_else(|| bad(&text, item.span))?;
        (from..=to).for_each(|port| shown.port(port));
    }
    Ok(shown)
}

/// The items of a list that is not longer than any service needs.
fn short_list(node: Option<&Node>) -> Result<&[Node], Fault> {
    let Some(node) = node else { return Ok(&[]) };
    let items = list(node)?;
    if items.len() > RANGE_MAX.into() {
        return Err(Fault::new(node.span, format!("{} entries, {RANGE_MAX} at most", items.len())));
    }
    Ok(items)
}

/// `80`, `8080:80`, `127.0.0.1:8080:80`, `3000-3005:3000-3005`, `80/tcp`.
fn short(
    reading: &mut Reading<'_>,
    path: &str,
    text: &str,
    span: Span,
    shown: &mut Shown,
) -> Result<(), Fault> {
    let (rest, is_tcp) = without_protocol(text);
    if !is_tcp {
        refuse_udp(reading, path, span);
        return Ok(());
    }
    let bad = || bad(text, span);
    let (local, inner) = match rest.rsplit_once(':') {
        None => (None, rest),
        Some((local, inner)) => (Some(local), inner),
    };
    let inner = range(inner).ok_or_else(bad)?;
    let (address, local) = match local.map(|local| local.rsplit_once(':').unwrap_or(("", local))) {
        None => (None, None),
        Some((address, local)) => {
            let address = if address.is_empty() { None } else { Some(ip(address).ok_or_else(bad)?) };
            (address, if local.is_empty() { None } else { Some(range(local).ok_or_else(bad)?) })
        }
    };
    add(reading, path, span, Ports { address, local, inner }, shown)
}

/// `{ target: 80, published: "8080", host_ip: 127.0.0.1, protocol: tcp }`.
fn long(reading: &mut Reading<'_>, path: &str, node: &Node, shown: &mut Shown) -> Result<(), Fault> {
    const KEYS: [&str; 7] = ["target", "published", "host_ip", "protocol", "mode", "name", "app_protocol"];
    for (key, _) in node.entries().unwrap_or_default() {
        if !KEYS.contains(&key.text.as_str()) {
            let fault = Fault::new(key.span, format!("unknown key '{}'", key.text));
            return Err(fault.with_hint(format!("keys here: {}", KEYS.join(", "))));
        }
    }
    let text = |name: &str| node.get(name).map(|node| reading.text_at(node)).transpose();
    let (target, published, address, protocol) =
        (text("target")?, text("published")?, text("host_ip")?, text("protocol")?);
    if protocol.is_some_and(|protocol| protocol.value != "tcp") {
        refuse_udp(reading, path, node.span);
        return Ok(());
    }
    let target = target.ok_or_else(|| expected(node, "a port with the key 'target'"))?;
    let inner = port(&target.value).ok_or_else(|| bad(&target.value, target.span))?;
    let local = published.filter(|at| !at.value.is_empty());
    let local = local.map(|at| range(&at.value).ok_or_else(|| bad(&at.value, at.span))).transpose()?;
    let address = address.filter(|at| !at.value.is_empty());
    let address = address.map(|at| ip(&at.value).ok_or_else(|| bad(&at.value, at.span))).transpose()?;
    add(reading, path, node.span, Ports { address, local, inner: (inner, inner) }, shown)
}

struct Ports {
    address: Option<IpAddr>,
    local: Option<(u16, u16)>,
    inner: (u16, u16),
}

fn add(
    reading: &mut Reading<'_>,
    path: &str,
    span: Span,
    ports: Ports,
    shown: &mut Shown,
) -> Result<(), Fault> {
    let Ports { address, local, inner: (from, to) } = ports;
    let is_one = from == to;
    if let Some((first, last)) = local.filter(|(first, last)| !is_one && last - first != to - from) {
        let problem = format!("{first}-{last} and {from}-{to} are not of one length");
        return Err(Fault::new(span, problem));
    }
    if address.is_none() {
        let what = "published on this machine alone";
        reading.note(path, span, what, "write 0.0.0.0 before the port to let its whole network in");
    }
    for port in from..=to {
        let local = local.map_or(0, |(first, _)| first + (port - from));
        if (1..PORT_UNPRIVILEGED_MIN).contains(&local) {
            let what = format!("port {local} needs rights that a node seldom has");
            reading.note(path, span, &what, &format!("publish \"{}:{port}\"", 8_000 + local));
        }
        shown.port(port);
        shown.publish.push(Publish { local: SocketAddr::new(address.unwrap_or(LOCAL), local), port });
    }
    Ok(())
}

fn without_protocol(text: &str) -> (&str, bool) {
    match text.rsplit_once('/') {
        None => (text, true),
        Some((rest, protocol)) => (rest, protocol.eq_ignore_ascii_case("tcp")),
    }
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (port(from)?, port(to)?);
    (from <= to && to - from < RANGE_MAX).then_some((from, to))
}

fn refuse_udp(reading: &mut Reading<'_>, path: &str, span: Span) {
    reading.refuse(path, span, "only TCP is carried", "let the program speak TCP, or leave the port out");
}

fn bad(text: &str, span: Span) -> Fault {
    Fault::new(span, format!("'{text}' is no port")).with_hint(
        "write \"8080:80\", \"127.0.0.1:8080:80\", \"80\" for a free local port, or a range of 64 at most",
    )
}
