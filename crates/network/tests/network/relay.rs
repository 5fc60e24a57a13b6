//! Two members that listen nowhere meet through a third.

use crate::support::{Node, PATIENCE, PROTOCOL, befriend, config};
use opensky_network::Config;
use opensky_ports::{Transport, transport::Path};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

#[tokio::test]
async fn p4_a_member_behind_a_relay_is_reached_and_seen_as_relayed() {
    let mut relay = Node::start(config());
    let mut hidden_config = Config { listen: false, ..config() };
    hidden_config.relays.through = vec![relay.entrance().await];
    let mut hidden = Node::start(hidden_config);
    let mut caller = Node::start(Config { listen: false, ..config() });
    befriend(&mut hidden, &mut relay).await;
    befriend(&mut caller, &mut relay).await;

    let reserved = async {
        loop {
            let listening = hidden.network.view().await.listening;
            if !listening.is_empty() {
                return listening;
            }
            tokio::task::yield_now().await;
        }
    };
    let listening = timeout(PATIENCE, reserved).await.expect("the relay gives a place");
    hidden.network.admit(caller.id, Vec::new());
    caller.network.admit(hidden.id, listening);
    caller.up(hidden.id).await;
    hidden.up(caller.id).await;

    for (one, other) in [(&caller, &hidden), (&hidden, &caller)] {
        let view = one.network.view().await;
        let peer = view.peers.iter().find(|peer| peer.node == other.id).expect("it is up");
        assert_eq!(peer.path, Path::Relayed, "{peer:?}");
    }
    let mut near = caller.network.open(hidden.id, PROTOCOL).await.unwrap();
    near.write_all(b"through").await.unwrap();
    near.shutdown().await.unwrap();
    let (from, mut far) = hidden.stream().await;
    let mut read = Vec::new();
    far.read_to_end(&mut read).await.unwrap();
    assert_eq!((from, read.as_slice()), (caller.id, &b"through"[..]));
}

/// Neither can be dialled, and neither ever heard of the other but its name: what two nodes behind routers are to each
/// other.
#[tokio::test]
async fn f19_two_hidden_members_that_never_met_find_a_way_through_their_relay() {
    const CREDENTIAL: &[u8] = b"i belong";
    let settings = Config { knock_body: CREDENTIAL.to_vec(), ..config() };
    let relay = Node::start(settings.clone());
    let entrance = relay.entrance().await;
    tokio::spawn(relay.serve(CREDENTIAL));
    let mut hidden = Config { listen: false, bootstrap: vec![entrance.clone()], ..settings };
    hidden.relays.through = vec![entrance];
    let mut networks = Vec::new();
    for _ in 0..2 {
        let node = Node::start(hidden.clone());
        networks.push((node.id, node.network.clone()));
        tokio::spawn(node.serve(CREDENTIAL));
    }
    let [(_, one), (other_id, other)] = &networks[..] else { panic!("two nodes") };
    for network in [one, other] {
        let reserved = async {
            while network.view().await.listening.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, reserved).await.expect("the relay gives a place");
    }
    let reached = async {
        loop {
            match one.open(*other_id, PROTOCOL).await {
                Ok(stream) => return stream,
                Err(error) => println!("not yet: {error}"),
            }
        }
    };
    let mut stream = timeout(PATIENCE, reached).await.expect("there is a way through the relay");
    stream.write_all(b"through").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut echoed = Vec::new();
    stream.read_to_end(&mut echoed).await.unwrap();
    assert_eq!(echoed, b"through");
}
