//! Members: coming, going, coming back, finding each other.

use crate::support::{Node, PATIENCE, PROTOCOL, TOPIC, befriend, config, key, pair};
use opensky_network::{Config, KnownMember};
use opensky_ports::{Transport, TransportError, TransportEvent, transport::Path};
use opensky_types::Hash;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

#[tokio::test]
async fn a_view_shows_path_round_trip_agent_and_bytes() {
    let (one, other) = pair(|_| {}).await;
    let seen = timeout(PATIENCE, async {
        loop {
            let view = one.network.view().await;
            if view.peers.iter().any(|peer| peer.rtt_us.is_some()) {
                return view;
            }
            tokio::task::yield_now().await;
        }
    });
    let view = seen.await.expect("a ping is answered");
    let [peer] = &view.peers[..] else { panic!("one peer, not {:?}", view.peers) };
    assert_eq!((peer.node, peer.path, peer.agent.as_str()), (other.id, Path::Direct, "opensky/test"));
    assert!(view.sent_bytes > 0 && view.received_bytes > 0);
    assert_eq!(view.reachability, "unknown");
}

#[tokio::test]
async fn f17_known_members_find_each_other_after_a_restart() {
    let (key_one, key_other) = (key(), key());
    let mut one = Node::with_key(config(), &key_one);
    let mut other = Node::with_key(config(), &key_other);
    befriend(&mut one, &mut other).await;
    let known = KnownMember { node: other.id, addresses: other.addresses().await };
    one.network.shut_down().await;
    other.down(one.id).await;
    let mut again = Node::with_key(Config { members: vec![known], ..config() }, &key_one);
    again.up(other.id).await;
    other.up(again.id).await;
}

/// A killed node says no goodbye. Back at once, it must be heard: its old connection is still open for others.
#[tokio::test]
async fn f1_a_member_that_was_killed_and_is_back_at_once_is_heard() {
    let (key_one, key_other) = (key(), key());
    let mut other = Node::with_key(config(), &key_other);
    // Over QUIC: the system would tell the other side of the end of a TCP connection.
    let known = vec![KnownMember { node: other.id, addresses: vec![other.entrance().await] }];
    let life = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = Config { members: known, ..config() };
    let (first, key) = (settings.clone(), key_one.clone());
    other.network.admit(key_one.id(), Vec::new());
    let mut one = life.spawn(async move { Node::with_key(first, &key) }).await.unwrap();
    one.up(other.id).await;
    other.up(one.id).await;
    life.shutdown_background();

    let again = Node::with_key(settings, &key_one);
    let speaks = async {
        for count in 0_u32.. {
            again.network.gossip(TOPIC, count.to_le_bytes().to_vec());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let heard =
        other.wait("its gossip", |event| matches!(event, TransportEvent::Gossip { .. }).then_some(()));
    tokio::select! {
        () = heard => {}
        () = speaks => unreachable!("it speaks for ever"),
    }
}

#[tokio::test]
async fn f19_a_member_that_comes_back_elsewhere_is_found_again() {
    let (key_one, key_other) = (key(), key());
    let mut one = Node::with_key(config(), &key_one);
    let mut other = Node::with_key(config(), &key_other);
    befriend(&mut one, &mut other).await;
    other.network.shut_down().await;
    one.down(other.id).await;
    // Another port; it only knows where `one` is.
    let known = KnownMember { node: one.id, addresses: one.addresses().await };
    let mut moved = Node::with_key(Config { members: vec![known], ..config() }, &key_other);
    one.up(moved.id).await;
    moved.up(one.id).await;
}

#[tokio::test]
async fn an_entrance_is_knocked_at_and_leads_on_through_the_dht() {
    const CREDENTIAL: &[u8] = b"i belong";
    let settings = Config { knock_body: CREDENTIAL.to_vec(), ..config() };
    let entrance = Node::start(settings.clone());
    let bootstrap = vec![entrance.entrance().await];
    tokio::spawn(entrance.serve(CREDENTIAL));
    let settings = Config { bootstrap, ..settings };

    let provider = Node::start(settings.clone());
    let (provider_id, key) = (provider.id, Hash::of(b"can run wasm"));
    provider.network.advertise(vec![key]);
    tokio::spawn(provider.serve(CREDENTIAL));

    let consumer = Node::start(settings);
    let network = consumer.network.clone();
    tokio::spawn(consumer.serve(CREDENTIAL));
    let found = async {
        while !network.find(key).await.contains(&provider_id) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, found).await.expect("the DHT knows who advertises");
    // The consumer never heard of the provider but through the DHT.
    let opened =
        timeout(PATIENCE, network.open(provider_id, PROTOCOL)).await.expect("open gives up by itself");
    let mut stream = opened.expect("a member found in the DHT is reached");
    stream.write_all(b"hello").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut echoed = Vec::new();
    stream.read_to_end(&mut echoed).await.unwrap();
    assert_eq!(echoed, b"hello");
}

#[tokio::test]
async fn p3_streams_of_one_member_are_bounded() {
    let (one, mut other) = pair(|config| config.limits.streams_per_peer_max = 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut near = one.network.open(other.id, PROTOCOL).await.unwrap();
        near.write_all(b"x").await.unwrap();
        held.push((near, other.stream().await));
    }
    let mut fourth = one.network.open(other.id, PROTOCOL).await.unwrap();
    let mut byte = [0];
    let answered =
        async { fourth.write_all(b"x").await.is_ok() && fourth.read(&mut byte).await.is_ok_and(|n| n > 0) };
    assert!(!timeout(PATIENCE, answered).await.expect("a refused stream ends"));
    held.pop();
    let mut fifth = one.network.open(other.id, PROTOCOL).await.unwrap();
    fifth.write_all(b"x").await.unwrap();
    other.stream().await;
}

#[tokio::test]
async fn p3_a_slow_node_refuses_streams_instead_of_queueing_them() {
    let (one, mut other) = pair(|config| config.limits.events_max = 4).await;
    let mut near = Vec::new();
    for _ in 0..40 {
        let mut stream = one.network.open(other.id, PROTOCOL).await.unwrap();
        // A refused stream may be reset already.
        let _ = stream.write_all(b"x").await;
        near.push(stream);
    }
    // The last one was refused, so all before were handled.
    let mut byte = [0];
    let last = near.last_mut().unwrap();
    assert!(!matches!(timeout(PATIENCE, last.read(&mut byte)).await.expect("a refused stream ends"), Ok(1)));
    let mut queued = 0;
    while let Ok(TransportEvent::Stream { .. }) = other.events.try_recv() {
        queued += 1;
    }
    assert!(queued <= 8, "{queued} streams were queued");
    drop(near);
    let mut stream = one.network.open(other.id, PROTOCOL).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    other.stream().await;
}

#[tokio::test]
async fn after_the_end_every_call_says_so() {
    let node = Node::start(config());
    let stranger = key().id();
    node.network.shut_down().await;
    assert!(matches!(node.network.open(stranger, PROTOCOL).await, Err(TransportError::Closed)));
    let knock = node.network.knock(stranger, Vec::new(), Vec::new()).await;
    assert!(matches!(knock, Err(TransportError::Closed)));
    assert!(node.network.view().await.peers.is_empty());
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let node = Node::start(config());
    let text = node.entrance().await;
    let port: u16 = text.split('/').nth(4).unwrap().parse().unwrap();
    let error = match opensky_network::Network::start(Config { listen_port: port, ..config() }, &key()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("the port is taken"),
    };
    assert!(error.contains(&port.to_string()), "{error}");
}

/// In a large sky a node meets many members once. Those that it has no use for must not fill it up.
#[tokio::test]
async fn t2_members_that_nothing_is_done_with_are_let_go_when_there_are_too_many() {
    let mut settings = config();
    settings.limits.members_idle_max = 10;
    settings.limits.members_idle_after_ms = 1_000;
    // Nobody is dialled by itself.
    settings.limits.members_connected_target = 0;
    let hub = Node::start(Config { topics: Vec::new(), ..settings.clone() });
    let mut worker = Node::start(settings.clone());
    worker.network.admit(hub.id, hub.addresses().await);
    hub.network.admit(worker.id, worker.addresses().await);
    let mut used =
        hub.network.open(worker.id, PROTOCOL).await.expect("members are reached when they are needed");
    used.write_all(b"x").await.unwrap();
    let (_, served) = worker.stream().await;

    let mut crowd = Vec::new();
    for _ in 0..15 {
        let mut member = Node::start(settings.clone());
        member.network.admit(hub.id, hub.addresses().await);
        hub.network.admit(member.id, member.addresses().await);
        drop(hub.network.open(member.id, PROTOCOL).await.expect("it is reached"));
        member.up(hub.id).await;
        crowd.push(member);
    }
    let few = async {
        while hub.network.view().await.peers.len() > 10 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, few).await.expect("the surplus goes");
    let view = hub.network.view().await;
    assert!(view.peers.iter().any(|peer| peer.node == worker.id), "an open stream keeps its connection");
    drop((used, served));
    // Who was let go is reached again at once.
    let gone = crowd.iter().find(|member| view.peers.iter().all(|peer| peer.node != member.id)).unwrap();
    hub.network.open(gone.id, PROTOCOL).await.expect("it is dialled again");
}
