//! `expose` of an SDL's service: its ports, who reaches them, and which are public.

use crate::{
    import::Reading,
    publish::{LOCAL, Publish, port},
    sdl::keys,
    walk::{expected, join, list},
};
use opensky_textfile::{Fault, tree::Node, values::At};
use std::net::SocketAddr;

/// Below it, ports are those of the system's own services.
const PORT_UNPRIVILEGED_MIN: u16 = 1_024;

/// What a service shows.
#[derive(Debug, Default)]
pub(crate) struct Exposed {
    pub ports: Vec<u16>,
    /// What is public.
    pub publish: Vec<Publish>,
    /// Services that reach it, and at which of its ports.
    pub to: Vec<(At<String>, u16)>,
}

pub(crate) fn read(reading: &mut Reading<'_>, path: &str, service: &Node) -> Result<Exposed, Fault> {
    let mut exposed = Exposed::default();
    let path = join(path, "expose");
    for item in service.get("expose").map_or(Ok(&[][..]), list)? {
        one(reading, &path, item, &mut exposed)?;
    }
    Ok(exposed)
}

fn one(reading: &mut Reading<'_>, path: &str, item: &Node, exposed: &mut Exposed) -> Result<(), Fault> {
    reading.check_keys(path, item, keys::EXPOSE)?;
    let port_of = |reading: &Reading<'_>, node: &Node| {
        port(&reading.text(node)?).ok_or_else(|| expected(node, "a port from 1 to 65535"))
    };
    let node = item.get("port").ok_or_else(|| Fault::new(item.span, "the key 'port' is missing"))?;
    let inner = port_of(reading, node)?;
    let outer = item.get("as").map_or(Ok(inner), |node| port_of(reading, node))?;
    if let Some(proto) = item.get("proto") {
        let text = reading.text(proto)?;
        if !matches!(text.to_ascii_lowercase().as_str(), "tcp" | "http" | "https") {
            let what = "only TCP is carried";
            reading.refuse(
                &join(path, "proto"),
                proto.span,
                what,
                "let the program speak TCP, or leave the port out",
            );
            return Ok(());
        }
    }
    if !exposed.ports.contains(&inner) {
        exposed.ports.push(inner);
    }
    for to in item.get("to").map_or(Ok(&[][..]), list)? {
        let path = join(path, "to");
        reading.check_keys(&path, to, keys::TO)?;
        if to.get("global").map_or(Ok(false), |node| reading.truth(node))? {
            publish(reading, &path, to, (outer, inner), exposed);
        }
        let Some(service) = to.get("service") else { continue };
        if outer != inner {
            let what = format!("others reach it at its own port {inner}, not at {outer}");
            reading.refuse(&path, service.span, &what, &format!("leave out `as`, and connect to {inner}"));
        }
        exposed.to.push((reading.text_at(service)?, inner));
    }
    Ok(())
}

fn publish(
    reading: &mut Reading<'_>,
    path: &str,
    to: &Node,
    (outer, inner): (u16, u16),
    exposed: &mut Exposed,
) {
    // 80 is what an SDL says for "on the web", not for a port of this machine.
    let local = if outer < PORT_UNPRIVILEGED_MIN { 0 } else { outer };
    let what = match local {
        0 => "published at a free port of this machine, not on the web".to_owned(),
        local => format!("published at port {local} of this machine, not on the web"),
    };
    reading.note(path, to.span, &what, "publish it on a node that others reach");
    let publish = Publish { local: SocketAddr::new(LOCAL, local), port: inner };
    if !exposed.publish.contains(&publish) {
        exposed.publish.push(publish);
    }
}
