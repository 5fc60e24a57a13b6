//! Two more nodes, each behind a router that translates addresses: how do they reach each other?

use crate::{
    faults::Kind,
    host,
    report::Report,
    world::{
        World,
        command::{line, run},
        node::Node,
        place,
        place::Place,
    },
};
use anyhow::Result;
use opensky_client::api::{membership::InviteRequest, network::PathView};
use std::{
    net::Ipv4Addr,
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long the two may take to have any way to each other.
const MEET_MAX: Duration = Duration::from_secs(240);
/// How long a relayed way may take to become a direct one.
const PUNCH_MAX: Duration = Duration::from_secs(30);
/// What the first node may spend on a program that runs on the second, in micros.
const MONEY: u64 = 1_000_000;
const LOOK: Duration = Duration::from_millis(250);

/// The way from one node to another, as the first one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    direct: bool,
    address: String,
}

/// Lets two nodes join from behind routers and watches how they find a way to each other.
pub fn play(world: &World, home: &Path, kind: &Kind, round: u32, symmetric: bool) -> Result<Report> {
    let mut report = Report::new(kind, 0);
    let tag = format!("{}{round}", if symmetric { 's' } else { 'p' });
    let first = behind_router(home, &format!("a{tag}"), 101 + 2 * (round % 50) as u8, symmetric)?;
    let second = behind_router(home, &format!("b{tag}"), 102 + 2 * (round % 50) as u8, symmetric)?;
    let (mut first, mut second) = (first, second);
    let request = InviteRequest { uses_max: 2, ..InviteRequest::default() };
    let token = world.nodes[0].call(async |client| client.invite(&request).await)?.token;
    first.start(&["--join", &token])?;
    second.start(&["--join", &token])?;
    world.give(first.id, MONEY)?;
    let begun = Instant::now();
    let _wish = Wish::of(&first, &second)?;
    let mut relayed_s = None;
    let mut seen = None;
    while begun.elapsed() < MEET_MAX {
        seen = way(&first, &second).or_else(|| way(&second, &first));
        match &seen {
            Some(way) if way.direct => break,
            Some(_) => {
                let since = *relayed_s.get_or_insert(begun.elapsed());
                if begun.elapsed() > since + PUNCH_MAX {
                    break;
                }
            }
            None => {}
        }
        thread::sleep(LOOK);
    }
    let reachability = first.call(async |client| client.status().await)?.network.reachability;
    report.about = tell(seen.as_ref(), relayed_s, begun.elapsed(), &reachability);
    report.fault_ms = u64::try_from(begun.elapsed().as_millis())?;
    if seen.is_none() {
        report.violations.push("the two nodes found no way to each other".to_owned());
    }
    report.decide(kind);
    Ok(report)
}

/// A reason for the first node to reach the second: a program that may run nowhere else. Nodes look for
/// a way to each other when they have something to say.
struct Wish(Child);

impl Wish {
    fn of(first: &Node, second: &Node) -> Result<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/programs/hello.wasm");
        let mut run = first.place.command(host::opensky()?);
        run.arg("--data-dir").arg(&first.folder).args(["run", "--on-peer", &second.id.to_string()]);
        run.arg(program).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(run.spawn()?))
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn tell(way: Option<&Way>, relayed: Option<Duration>, took: Duration, reachability: &str) -> String {
    let relay =
        relayed.map_or("no relay".to_owned(), |at| format!("a relay after {:.1} s", at.as_secs_f64()));
    match way {
        Some(Way { direct: true, address }) => {
            let took = took.as_secs_f64();
            format!("{relay}, then a punched hole after {took:.1} s ({address}); says it is {reachability}")
        }
        Some(Way { address, .. }) => format!("{relay}, no hole ({address}); says it is {reachability}"),
        None => format!("no way; says it is {reachability}"),
    }
}

fn way(from: &Node, to: &Node) -> Option<Way> {
    let peers = from.call(async |client| client.peers().await).ok()?.peers;
    let peer = peers.into_iter().find(|peer| peer.node == to.id)?;
    Some(Way { direct: peer.path == PathView::Direct, address: peer.address })
}

/// A node in a private network whose router has this number among the public addresses. Nothing comes
/// in that was not asked for from within.
fn behind_router(home: &Path, name: &str, number: u8, symmetric: bool) -> Result<Node> {
    let router = format!("r{name}");
    let outside = Place::at_bridge(&router, place::address(number))?;
    let inside = Place::make(name)?;
    line(&format!("ip link add lan0 netns {router} type veth peer name eth0 netns {name}"))?;
    let (gateway, own) = (Ipv4Addr::new(192, 168, number, 1), Ipv4Addr::new(192, 168, number, 2));
    line(&format!("ip -n {router} addr add {gateway}/24 dev lan0"))?;
    line(&format!("ip -n {router} link set lan0 up"))?;
    line(&format!("ip -n {name} addr add {own}/24 dev eth0"))?;
    line(&format!("ip -n {name} link set eth0 up"))?;
    line(&format!("ip -n {name} route add default via {gateway}"))?;
    run(outside.command("sh").args(["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]))?;
    let ports = if symmetric { " --random-fully" } else { "" };
    outside.rule(&format!("-t nat -A POSTROUTING -o eth0 -j MASQUERADE{ports}"))?;
    outside.rule("-P FORWARD DROP")?;
    outside.rule("-P INPUT DROP")?;
    outside.rule("-A FORWARD -i lan0 -o eth0 -j ACCEPT")?;
    outside.rule("-A FORWARD -i eth0 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT")?;
    Node::make(home, name, inside, own, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_told() {
        let second = Duration::from_secs(1);
        let way = |direct| Way { direct, address: "/ip4/44.128.7.9/udp/1/quic-v1".into() };
        let punched = tell(Some(&way(true)), Some(second), 3 * second, "private");
        assert!(punched.starts_with("a relay after 1.0 s, then a punched hole after 3.0 s"), "{punched}");
        assert!(tell(Some(&way(false)), Some(second), second, "private").contains("no hole"));
        assert!(tell(None, None, second, "unknown").starts_with("no way"));
    }
}
