//! Real networks on loopback: no fixed port, no sleep; tests wait for events.

mod closed;
mod gossip;
mod knock;
mod members;
mod relay;
mod support;

use opensky_ports::testing::contract::{self, Stranger};
use support::{Node, PROTOCOL, TOPIC, config};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_transport_contract() {
    let make = || async {
        let Node { id, network, events } = Node::start(config());
        let addresses = opensky_ports::Transport::view(&*network).await.listening;
        Stranger { node: id, transport: network, events, addresses }
    };
    contract::transport(make, PROTOCOL, TOPIC).await;
}
