//! Volumes of services over whole nodes: saved, held by keepers, and taken along.

use crate::support::{Sky, TestNode, service_spec, until};
use opensky_ports::testing::FakeExecutor;
use opensky_types::{
    ServiceId,
    limits::ContributionLimits,
    service::{ReplicaId, ServiceRef, ServiceSpec, Volume, Volumes},
};
use std::time::Duration;

const SAVE_MS: u64 = 1_000;
const WAIT_MS: u64 = 10_000;

async fn sky(nodes: u8) -> Sky {
    Sky::new(nodes, |_| FakeExecutor::echo().with_containers()).await
}

/// A service with one volume, that never runs on its owner's node.
fn database(sky: &Sky, word: &str) -> ServiceSpec {
    let mount = Volume { name: "data".into(), path: "/data".into(), size_bytes: 1 << 20 };
    let volumes = Volumes { mounts: vec![mount], save_ms: SAVE_MS, wait_ms: WAIT_MS };
    let mut spec = ServiceSpec { volumes: Some(volumes), ..service_spec(sky, 0, "db", word, 1) };
    spec.constraints.peers_excluded = vec![sky.id(0)];
    spec
}

fn service(sky: &Sky) -> ServiceId {
    ServiceId::of(&sky.genesis.founder, "db")
}

/// The node that runs the service, and the replica.
fn host(sky: &Sky) -> Option<(usize, ReplicaId)> {
    let running = |node: &TestNode| node.services.running().first().copied();
    sky.nodes.iter().enumerate().find_map(|(number, node)| Some((number, running(node)?)))
}

async fn until_runs(sky: &Sky) -> (usize, ReplicaId) {
    until(|| async { host(sky).is_some() }).await;
    host(sky).expect("it runs")
}

/// What is in the volume of the one that runs.
async fn content(sky: &Sky) -> Vec<u8> {
    let (number, _) = until_runs(sky).await;
    sky.nodes[number].services.volumes(service(sky), 0).expect("it has a volume")
}

/// Waits until the owner's node holds what was saved last, and it is this much.
async fn until_held(sky: &Sky, size_bytes: u64) {
    let name = ServiceRef { name: "db".into(), owner: Some(sky.genesis.founder) };
    until(|| async {
        let view = sky.nodes[0].handle.service(name.clone()).await;
        view.is_ok_and(|view| {
            let held = |replica: &opensky_node::ReplicaView| replica.held.map(|held| held.blob.size_bytes);
            view.replicas.iter().any(|replica| held(replica) == Some(size_bytes))
        })
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn c10_an_update_goes_on_with_the_volumes_of_the_revision_before() {
    let sky = sky(4).await;
    sky.nodes[0].handle.declare_service(database(&sky, "one")).await.expect("it is declared");
    let (number, replica) = until_runs(&sky).await;
    sky.nodes[number].services.fill(replica, b"written a moment before the update");
    sky.nodes[0].handle.declare_service(database(&sky, "two")).await.expect("it is declared anew");
    until(|| async { host(&sky).is_some_and(|(_, now)| now.generation > replica.generation) }).await;
    assert_eq!(content(&sky).await, b"written a moment before the update");
    // It stays where its volumes are, if it can.
    assert_eq!(host(&sky).expect("it runs").0, number);
    let elsewhere = sky.nodes.iter().filter(|node| node.services.volumes(service(&sky), 0).is_some());
    assert_eq!(elsewhere.count(), 1, "volumes are in one place");
}

/// A node with one slot is full of the replica that goes: it is asked all the same.
#[tokio::test(start_paused = true)]
async fn c10_an_update_stays_with_its_volumes_on_nodes_that_have_room_for_one_replica() {
    let sky = sky(4).await;
    for node in &sky.nodes {
        let limits = ContributionLimits { cpu_percent: 25, ..ContributionLimits::default() };
        node.handle.set_limits(limits).await.expect("the node answers");
    }
    until(|| async {
        let offers = sky.nodes[0].handle.offers().await.expect("the node answers");
        offers.iter().filter(|view| view.offer.slots_total == 1).count() == 4
    })
    .await;
    sky.nodes[0].handle.declare_service(database(&sky, "one")).await.expect("it is declared");
    let (number, replica) = until_runs(&sky).await;
    sky.nodes[number].services.fill(replica, b"stays");
    until_held(&sky, 5).await;
    let offers = sky.nodes[0].handle.offers().await.expect("the node answers");
    let of_host = offers.iter().find(|view| view.offer.node == sky.id(number)).expect("it offers");
    assert_eq!(of_host.offer.slots_free, 0, "it says that it is full");
    sky.nodes[0].handle.declare_service(database(&sky, "two")).await.expect("it is declared anew");
    until(|| async { host(&sky).is_some_and(|(_, now)| now.generation > replica.generation) }).await;
    assert_eq!(host(&sky).expect("it runs").0, number);
    assert_eq!(content(&sky).await, b"stays");
}

#[tokio::test(start_paused = true)]
async fn c10_f12_what_was_saved_goes_on_where_a_host_is_lost() {
    let mut sky = sky(4).await;
    sky.nodes[0].handle.declare_service(database(&sky, "one")).await.expect("it is declared");
    let (number, replica) = until_runs(&sky).await;
    sky.nodes[number].services.fill(replica, b"saved");
    until_held(&sky, 5).await;
    sky.kill(number);
    let died_at = tokio::time::Instant::now();
    assert_eq!(content(&sky).await, b"saved");
    let waited = died_at.elapsed();
    // It was heard of at most a second before it died.
    assert!(waited >= Duration::from_millis(WAIT_MS - 1_100), "its host was waited for: {waited:?}");
    assert!(waited < Duration::from_millis(2 * WAIT_MS), "and not for much longer: {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn f1_keepers_know_after_a_restart_what_they_hold() {
    let mut sky = sky(4).await;
    sky.nodes[0].handle.declare_service(database(&sky, "one")).await.expect("it is declared");
    let (number, replica) = until_runs(&sky).await;
    sky.nodes[number].services.fill(replica, b"kept over a power cut");
    until_held(&sky, 21).await;
    // The host's disk does not come back; all the others do.
    sky.kill(number);
    for number in 0..sky.nodes.len() {
        let dead = sky.kill(number);
        sky.revive(number, dead, FakeExecutor::echo().with_containers()).await;
    }
    assert_eq!(content(&sky).await, b"kept over a power cut");
}

#[tokio::test(start_paused = true)]
async fn c10_volumes_of_a_removed_service_are_there_again_with_it() {
    let sky = sky(4).await;
    sky.nodes[0].handle.declare_service(database(&sky, "one")).await.expect("it is declared");
    let (number, replica) = until_runs(&sky).await;
    sky.nodes[number].services.fill(replica, b"worth keeping");
    sky.nodes[0].handle.remove_service("db".into()).await.expect("it is removed");
    until(|| async {
        host(&sky).is_none() && sky.nodes.iter().all(|node| node.services.volumes(service(&sky), 0).is_none())
    })
    .await;
    sky.nodes[0].handle.declare_service(database(&sky, "one")).await.expect("it is declared anew");
    assert_eq!(content(&sky).await, b"worth keeping");
}
