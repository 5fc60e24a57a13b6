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

    let view = caller.network.view().await;
    let peer = view.peers.iter().find(|peer| peer.node == hidden.id).expect("it is up");
    assert_eq!(peer.path, Path::Relayed, "{peer:?}");
    let mut near = caller.network.open(hidden.id, PROTOCOL).await.unwrap();
    near.write_all(b"through").await.unwrap();
    near.shutdown().await.unwrap();
    let (from, mut far) = hidden.stream().await;
    let mut read = Vec::new();
    far.read_to_end(&mut read).await.unwrap();
    assert_eq!((from, read.as_slice()), (caller.id, &b"through"[..]));
}
