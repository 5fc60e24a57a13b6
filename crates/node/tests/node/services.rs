//! Services over whole nodes: placed, reached, replaced, updated.

use crate::support::{PORT, Sky, service_spec, until};
use opensky_node::{Handle, ReplicaView, ServiceState, ServiceView};
use opensky_ports::testing::FakeExecutor;
use opensky_types::{
    NodeId,
    service::{HealthCheck, Link, Load, Probe, ReplicaState, Scale, ServiceRef, ServiceSpec},
};
use std::{collections::BTreeSet, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    time::Instant,
};

const DB_PORT: u16 = 5432;
/// The time in which a service answers again whatever died (issue 4), with the usual settings.
const BACK_WITHIN: Duration = Duration::from_secs(10);

async fn sky(nodes: u8) -> Sky {
    Sky::new(nodes, |_| FakeExecutor::echo().with_containers()).await
}

/// The same at another port: what is linked to cannot have the port of what links.
fn database(sky: &Sky, owner: usize, name: &str, word: &str) -> ServiceSpec {
    let health = Some(HealthCheck::usual(Probe::Tcp { port: DB_PORT }));
    ServiceSpec { ports: vec![DB_PORT], health, ..service_spec(sky, owner, name, word, 1) }
}

fn named(name: &str) -> ServiceRef {
    ServiceRef { name: name.into(), owner: None }
}

async fn view(handle: &Handle, name: &str) -> Option<ServiceView> {
    handle.service(named(name)).await.ok()
}

/// Waits until a service is as it should be, as `handle` sees it.
async fn until_healthy(handle: &Handle, name: &str, revision: u64) -> ServiceView {
    until(|| async {
        view(handle, name).await.is_some_and(|view| {
            view.state == ServiceState::Healthy
                && view.wanted == revision
                && answering(&view).len() == usize::from(view.spec.as_ref().map_or(0, |spec| spec.replicas))
        })
    })
    .await;
    view(handle, name).await.expect("it was there a moment ago")
}

/// Replicas that answer and are to stay.
fn answering(view: &ServiceView) -> Vec<&ReplicaView> {
    let good = |replica: &&ReplicaView| replica.state.answers() && !replica.is_lost && !replica.is_withdrawn;
    view.replicas.iter().filter(good).collect()
}

/// Connects through `handle` and reads the greeting; then a line goes there and back.
async fn greet(handle: &Handle, name: &str) -> std::io::Result<String> {
    let mut stream = BufReader::new(handle.reach_service(named(name), PORT).await?);
    let mut greeting = String::new();
    stream.read_line(&mut greeting).await?;
    stream.write_all(b"ping\n").await?;
    stream.flush().await?;
    let mut echo = String::new();
    stream.read_line(&mut echo).await?;
    assert_eq!(echo, "ping\n", "what goes in comes back");
    Ok(greeting.trim_end().to_owned())
}

#[tokio::test(start_paused = true)]
async fn c10_replicas_spread_over_nodes_and_every_member_reaches_them() {
    let sky = sky(4).await;
    let owner = &sky.nodes[0].handle;
    let (_, revision) =
        owner.declare_service(service_spec(&sky, 0, "web", "hello", 3)).await.expect("it is declared");
    assert_eq!(revision, 1);
    let view = until_healthy(owner, "web", 1).await;
    let hosts: BTreeSet<NodeId> = answering(&view).iter().map(|replica| replica.node).collect();
    assert_eq!(hosts.len(), 3, "three replicas on three nodes");
    for node in &sky.nodes {
        let mut slots = BTreeSet::new();
        for _ in 0..16 {
            slots.insert(greet(&node.handle, "web").await.expect("a replica answers"));
        }
        assert!(slots.iter().all(|greeting| greeting.starts_with("hello ")), "{slots:?}");
    }
    let unknown = sky.nodes[3].handle.reach_service(named("web"), 81).await;
    assert!(unknown.is_err(), "only declared ports are reached");
}

#[tokio::test(start_paused = true)]
async fn c10_open_connections_are_balanced() {
    let sky = sky(3).await;
    let owner = &sky.nodes[0].handle;
    owner.declare_service(service_spec(&sky, 0, "web", "hello", 2)).await.expect("it is declared");
    until_healthy(owner, "web", 1).await;
    let mut held = Vec::new();
    let mut greetings = Vec::new();
    for _ in 0..4 {
        let mut stream = BufReader::new(owner.reach_service(named("web"), PORT).await.expect("it answers"));
        let mut greeting = String::new();
        stream.read_line(&mut greeting).await.expect("it greets");
        greetings.push(greeting.trim_end().to_owned());
        held.push(stream);
    }
    greetings.sort();
    assert_eq!(greetings, ["hello 0", "hello 0", "hello 1", "hello 1"]);
}

#[tokio::test(start_paused = true)]
async fn f12_a_host_that_dies_is_replaced_within_ten_seconds() {
    let mut sky = sky(4).await;
    let spec = service_spec(&sky, 0, "web", "hello", 1);
    sky.nodes[0].handle.declare_service(spec).await.expect("it is declared");
    let before = until_healthy(&sky.nodes[0].handle, "web", 1).await;
    let host = answering(&before)[0].node;
    if host == sky.id(0) {
        // The owner's own node runs it: that it ends is the next test.
        return f1_of_owner(sky).await;
    }
    let position = sky.nodes.iter().position(|node| node.key.id() == host).expect("a node of this sky");
    sky.kill(position);
    let died_at = Instant::now();
    let other = sky.nodes.iter().find(|node| node.key.id() != sky.genesis.founder).expect("others live");
    greet(&other.handle, "web").await.expect("it answers again");
    assert!(died_at.elapsed() <= BACK_WITHIN, "back after {:?}", died_at.elapsed());
    let after = until_healthy(&sky.nodes[0].handle, "web", 1).await;
    assert_ne!(answering(&after)[0].node, host);
}

#[tokio::test(start_paused = true)]
async fn f1_a_service_outlives_its_owners_node() {
    let mut sky = sky(5).await;
    let mut spec = service_spec(&sky, 0, "web", "hello", 2);
    // Not on the owner's node, so that its death is one of the keeper alone first.
    spec.constraints.peers_excluded = vec![sky.id(0)];
    sky.nodes[0].handle.declare_service(spec).await.expect("it is declared");
    let before = until_healthy(&sky.nodes[0].handle, "web", 1).await;
    // Keepers have the image before their owner goes.
    tokio::time::sleep(Duration::from_secs(2)).await;
    sky.kill(0);
    greet(&sky.nodes[3].handle, "web").await.expect("replicas do not need their keeper");
    let host = answering(&before)[0].node;
    let position = sky.nodes.iter().position(|node| node.key.id() == host).expect("a node of this sky");
    sky.kill(position);
    let died_at = Instant::now();
    let name = ServiceRef { name: "web".into(), owner: Some(sky.genesis.founder) };
    until(|| async {
        let view = sky.nodes[0].handle.service(name.clone()).await;
        view.is_ok_and(|view| answering(&view).len() == 2)
    })
    .await;
    assert!(died_at.elapsed() <= BACK_WITHIN, "whole again after {:?}", died_at.elapsed());
}

/// A keeper and host in one dies, right after the declaration was handed on.
async fn f1_of_owner(mut sky: Sky) {
    tokio::time::sleep(Duration::from_secs(2)).await;
    sky.kill(0);
    let died_at = Instant::now();
    greet(&sky.nodes[1].handle, "web").await.expect("it answers again");
    assert!(died_at.elapsed() <= BACK_WITHIN, "back after {:?}", died_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn f1_keeper_and_host_in_one_die() {
    let sky = sky(4).await;
    let mut spec = service_spec(&sky, 0, "web", "hello", 1);
    spec.constraints.peers = vec![sky.id(0)];
    sky.nodes[0].handle.declare_service(spec.clone()).await.expect("it is declared");
    until_healthy(&sky.nodes[0].handle, "web", 1).await;
    // It may move, but a second revision that is the same changes nothing about who has it.
    spec.constraints.peers.clear();
    sky.nodes[0].handle.declare_service(spec).await.expect("it is declared anew");
    until_healthy(&sky.nodes[0].handle, "web", 2).await;
    f1_of_owner(sky).await;
}

#[tokio::test(start_paused = true)]
async fn f1_an_owner_that_was_killed_goes_on_where_it_was() {
    let mut sky = sky(3).await;
    let spec = service_spec(&sky, 0, "web", "hello", 2);
    sky.nodes[0].handle.declare_service(spec).await.expect("it is declared");
    let before = until_healthy(&sky.nodes[0].handle, "web", 1).await;
    let dead = sky.kill(0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    sky.revive(0, dead, FakeExecutor::echo().with_containers()).await;
    let after = until_healthy(&sky.nodes[0].handle, "web", 1).await;
    let stays = |view: &ServiceView| -> BTreeSet<_> {
        let elsewhere = answering(view).into_iter().filter(|replica| replica.node != sky.id(0));
        elsewhere.map(|replica| replica.replica).collect()
    };
    assert!(stays(&before).is_subset(&stays(&after)), "what ran on other nodes was left alone");
    greet(&sky.nodes[0].handle, "web").await.expect("it answers");
}

#[tokio::test(start_paused = true)]
async fn c10_an_update_never_leaves_a_slot_without_an_answer() {
    let sky = sky(4).await;
    let owner = &sky.nodes[0].handle;
    owner.declare_service(service_spec(&sky, 0, "web", "one", 3)).await.expect("it is declared");
    until_healthy(owner, "web", 1).await;
    let (_, revision) =
        owner.declare_service(service_spec(&sky, 0, "web", "two", 3)).await.expect("it is updated");
    assert_eq!(revision, 2);
    let mut seen = BTreeSet::new();
    loop {
        let greeting = greet(owner, "web").await.expect("some replica answers at any time");
        seen.insert(greeting[..3].to_owned());
        let view = view(owner, "web").await.expect("it is known");
        let slots: BTreeSet<u16> = view
            .replicas
            .iter()
            .filter(|replica| replica.state.answers() && !replica.is_lost)
            .map(|replica| replica.replica.slot)
            .collect();
        assert_eq!(slots.len(), 3, "every slot has a replica that answers");
        if view.state == ServiceState::Healthy && view.replicas.iter().all(|replica| replica.revision == 2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(seen, BTreeSet::from(["one".to_owned(), "two".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn c10_a_revision_that_fails_is_rolled_back_with_the_programs_own_words() {
    let sky = sky(4).await;
    let owner = &sky.nodes[0].handle;
    owner.declare_service(service_spec(&sky, 0, "web", "one", 2)).await.expect("it is declared");
    until_healthy(owner, "web", 1).await;
    owner.declare_service(service_spec(&sky, 0, "web", "crash", 2)).await.expect("it is declared");
    until(|| async { view(owner, "web").await.is_some_and(|view| view.given_up.is_some()) }).await;
    let view = until_healthy(owner, "web", 1).await;
    let given_up = view.given_up.expect("it was there a moment ago");
    assert_eq!((given_up.revision, given_up.goes_on), (2, Some(1)));
    assert!(given_up.problem.contains("exit code 3"), "{}", given_up.problem);
    assert!(given_up.problem.contains("no such table: users"), "{}", given_up.problem);
    assert!(greet(owner, "web").await.expect("it answers").starts_with("one"));
    // The next revision falls back to what was good, not to what failed.
    let (_, revision) =
        owner.declare_service(service_spec(&sky, 0, "web", "three", 2)).await.expect("it is declared");
    assert_eq!(revision, 3);
    until_healthy(owner, "web", 3).await;
    let (_, revision) = owner.roll_back_service("web".into()).await.expect("there is one before");
    until_healthy(owner, "web", revision).await;
    assert!(greet(owner, "web").await.expect("it answers").starts_with("one"));
}

#[tokio::test(start_paused = true)]
async fn c10_services_are_scaled_and_removed_everywhere() {
    let sky = sky(3).await;
    let owner = &sky.nodes[0].handle;
    let slots = || async {
        let offers = owner.offers().await.expect("the node answers");
        offers.iter().map(|view| view.offer.slots_total).sum::<u16>()
    };
    let slots_before = slots().await;
    owner.declare_service(service_spec(&sky, 0, "web", "one", 1)).await.expect("it is declared");
    until_healthy(owner, "web", 1).await;
    owner.declare_service(service_spec(&sky, 0, "web", "one", 3)).await.expect("it is scaled");
    until_healthy(owner, "web", 2).await;
    owner.declare_service(service_spec(&sky, 0, "web", "one", 2)).await.expect("it is scaled");
    until_healthy(owner, "web", 3).await;
    until(|| async { slots().await == slots_before - 2 }).await;
    let running = || sky.nodes.iter().map(|node| node.services.running().len()).sum::<usize>();
    until(|| async { running() == 2 }).await;
    let foreign = sky.nodes[1].handle.remove_service("web".into()).await;
    assert!(foreign.is_err(), "only its owner removes it");
    owner.remove_service("web".into()).await.expect("it is removed");
    until(|| async { running() == 0 }).await;
    until(|| async { view(owner, "web").await.is_none() }).await;
    // Everybody's memory and room are free again.
    until(|| async { slots().await == slots_before }).await;
}

#[tokio::test(start_paused = true)]
async fn c10_scaling_leaves_what_runs_alone() {
    let sky = sky(3).await;
    let owner = &sky.nodes[0].handle;
    owner.declare_service(service_spec(&sky, 0, "web", "one", 1)).await.expect("it is declared");
    let first = answering(&until_healthy(owner, "web", 1).await)[0].replica;
    for (revision, replicas) in [(2, 3), (3, 2), (4, 1)] {
        owner.declare_service(service_spec(&sky, 0, "web", "one", replicas)).await.expect("it is scaled");
        let view = until_healthy(owner, "web", revision).await;
        assert!(answering(&view).iter().any(|replica| replica.replica == first), "{replicas} replicas");
    }
    let started = sky.nodes.iter().map(|node| node.services.started().len()).sum::<usize>();
    assert_eq!(started, 3, "no replica was started that was there already");
    owner.declare_service(service_spec(&sky, 0, "web", "two", 1)).await.expect("it is updated");
    let view = until_healthy(owner, "web", 5).await;
    assert_ne!(answering(&view)[0].replica, first, "another program takes its place");
}

#[tokio::test(start_paused = true)]
async fn c10_a_name_never_comes_to_mean_a_strangers_service() {
    let sky = sky(3).await;
    let (owner, stranger) = (&sky.nodes[0].handle, &sky.nodes[1].handle);
    let mut front = service_spec(&sky, 0, "front", "relay", 1);
    front.links = vec![Link { host: "db".into(), service: named("db"), port: DB_PORT }];
    front.health = None;
    owner.declare_service(front).await.expect("it is declared");
    stranger.declare_service(database(&sky, 1, "db", "trap")).await.expect("it is declared");
    until_healthy(stranger, "db", 1).await;
    until_healthy(owner, "front", 1).await;
    let mut stream = BufReader::new(owner.reach_service(named("front"), PORT).await.expect("it answers"));
    let mut greeting = String::new();
    // The owner has no such service, and whoever else has one gets nothing.
    let read = stream.read_line(&mut greeting).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{greeting}");
    // Its own is what its name means as soon as there is one.
    owner.declare_service(database(&sky, 0, "db", "mine")).await.expect("it is declared");
    until_healthy(owner, "db", 1).await;
    assert_eq!(greet(owner, "front").await.expect("it answers"), "mine 0");
    // Others are reached when they are named.
    let theirs = ServiceRef { name: "db".into(), owner: Some(sky.id(1)) };
    let mut stream = BufReader::new(owner.reach_service(theirs, DB_PORT).await.expect("it answers"));
    let mut greeting = String::new();
    stream.read_line(&mut greeting).await.expect("it greets");
    assert_eq!(greeting, "trap 0\n");
}

#[tokio::test(start_paused = true)]
async fn c10_services_reach_each_other_by_name_and_nothing_else() {
    let sky = sky(3).await;
    let owner = &sky.nodes[0].handle;
    let mut front = service_spec(&sky, 0, "front", "relay", 1);
    front.links = vec![Link { host: "db".into(), service: named("store"), port: DB_PORT }];
    // In the order in which nobody would start them: the link waits for what it leads to.
    owner.declare_service(front).await.expect("it is declared");
    owner.declare_service(database(&sky, 0, "store", "rows")).await.expect("it is declared");
    until_healthy(owner, "store", 1).await;
    until_healthy(owner, "front", 1).await;
    assert_eq!(greet(&sky.nodes[2].handle, "front").await.expect("it answers"), "rows 0");
}

#[tokio::test(start_paused = true)]
async fn c10_an_unhealthy_replica_starts_again_and_says_why() {
    let sky = sky(2).await;
    let owner = &sky.nodes[0].handle;
    owner.declare_service(service_spec(&sky, 0, "web", "hello", 1)).await.expect("it is declared");
    let view = until_healthy(owner, "web", 1).await;
    let replica = answering(&view)[0].clone();
    let host = sky.nodes.iter().find(|node| node.key.id() == replica.node).expect("a node of this sky");
    host.services.set_healthy(replica.replica, false);
    until(|| async {
        let view = self::view(owner, "web").await.expect("it is known");
        view.replicas.iter().any(|seen| seen.report.as_ref().is_some_and(|report| report.restarts == 1))
    })
    .await;
    let view = until_healthy(owner, "web", 1).await;
    assert_eq!(answering(&view)[0].replica, replica.replica, "it is the same replica, started again");
    assert_eq!(host.services.started().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn c10_logs_of_replicas_anywhere_are_read_and_followed() {
    let sky = sky(3).await;
    let owner = &sky.nodes[0].handle;
    owner.declare_service(service_spec(&sky, 0, "web", "hello", 2)).await.expect("it is declared");
    let view = until_healthy(owner, "web", 1).await;
    let mut followed = owner.service_log(named("web"), None, true).await.expect("the owner may read");
    for replica in answering(&view) {
        let host = sky.nodes.iter().find(|node| node.key.id() == replica.node).expect("a node of this sky");
        let words = format!("from slot {}\n", replica.replica.slot);
        host.services.write(replica.replica, opensky_ports::LogStream::Stdout, words.as_bytes());
    }
    let mut heard = BTreeSet::new();
    while heard.len() < 2 {
        let part = followed.recv().await.expect("both are heard");
        heard.insert(String::from_utf8(part.bytes).expect("text"));
    }
    assert_eq!(heard, BTreeSet::from(["from slot 0\n".to_owned(), "from slot 1\n".to_owned()]));
    let mut once = owner.service_log(named("web"), Some(1), false).await.expect("the owner may read");
    let part = once.recv().await.expect("it wrote something");
    assert_eq!(part.bytes, b"from slot 1\n");
    assert!(once.recv().await.is_none(), "without following, it ends");
}

#[tokio::test(start_paused = true)]
async fn c10_an_owner_who_closes_its_machine_loses_no_service() {
    let sky = sky(3).await;
    let owner = &sky.nodes[0].handle;
    let mut spec = service_spec(&sky, 0, "web", "hello", 1);
    spec.constraints.peers_excluded = vec![sky.id(0)];
    owner.declare_service(spec).await.expect("it is declared");
    let view = until_healthy(owner, "web", 1).await;
    let host = answering(&view)[0].node;
    let machine = sky.nodes.iter().find(|node| node.key.id() == host).expect("a node of this sky");
    let limits = opensky_types::limits::ContributionLimits { share: false, ..Default::default() };
    machine.handle.set_limits(limits).await.expect("the node answers");
    until(|| async { machine.services.running().is_empty() }).await;
    let view = until_healthy(owner, "web", 1).await;
    assert_ne!(answering(&view)[0].node, host, "another node has it");
    assert!(matches!(answering(&view)[0].state, ReplicaState::Healthy));
}

#[tokio::test]
async fn c10_a_local_port_leads_to_a_service_over_restarts() {
    let mut sky = sky(2).await;
    let owner = sky.nodes[0].handle.clone();
    owner.declare_service(service_spec(&sky, 0, "web", "hello", 1)).await.expect("it is declared");
    until_healthy(&owner, "web", 1).await;
    let listen = "127.0.0.1:0".parse().expect("an address");
    let open = owner.open_service(named("web"), PORT, listen).await.expect("a free port");
    let greet = || async {
        let mut stream = tokio::net::TcpStream::connect(open.listen).await.expect("the node listens");
        let mut greeting = [0; 8];
        stream.read_exact(&mut greeting).await.expect("it greets");
        greeting
    };
    assert_eq!(greet().await, *b"hello 0\n");
    let refused = owner.open_service(named("web"), 81, listen).await;
    assert!(refused.is_err(), "the service has no such port");
    // A process that dies takes its tasks along; here they end with the node.
    owner.shut_down().await;
    assert!(tokio::net::TcpStream::connect(open.listen).await.is_err(), "nobody listens any more");
    let dead = sky.kill(0);
    sky.revive(0, dead, FakeExecutor::echo().with_containers()).await;
    assert_eq!(greet().await, *b"hello 0\n", "it leads there again");
    let owner = &sky.nodes[0].handle;
    assert!(owner.close_service(open.listen).await.expect("the node answers"));
    assert!(!owner.close_service(open.listen).await.expect("the node answers"));
}

/// What is added later counts for what already runs: it is not started again for it.
#[tokio::test(start_paused = true)]
async fn c10_a_scale_by_processor_time_counts_replicas_that_already_run() {
    let sky = sky(4).await;
    let owner = &sky.nodes[0].handle;
    let spec = service_spec(&sky, 0, "web", "busy", 1);
    owner.declare_service(spec.clone()).await.expect("it is declared");
    until_healthy(owner, "web", 1).await;
    let scale = Some(Scale { min: 1, max: 3, target: Load::Cpu { percent: 50 } });
    owner.declare_service(ServiceSpec { scale, ..spec }).await.expect("it is declared anew");
    until(|| async { view(owner, "web").await.is_some_and(|view| answering(&view).len() == 3) }).await;
    let view = view(owner, "web").await.expect("it is there");
    assert!(view.replicas.iter().any(|replica| replica.revision == 1), "{view:?}");
}
