//! A closed sky, from outside: a plain libp2p node that offers and asks for everything.

use crate::support::{Node, PATIENCE, PROTOCOL, befriend, config};
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, gossipsub, identify, kad, ping,
    request_response::{self, ProtocolSupport},
    swarm::{NetworkBehaviour, SwarmEvent, dial_opts::DialOpts},
};
use opensky_ports::Transport;
use opensky_types::Hash;
use std::time::Duration;
use tokio::time::timeout;

pub mod raw;
use raw::Raw;

/// Everything a member would speak.
#[derive(NetworkBehaviour)]
struct Everything {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    kad: kad::Behaviour<kad::store::MemoryStore>,
    gossip: gossipsub::Behaviour,
    streams: request_response::Behaviour<Raw>,
}

fn outsider() -> Swarm<Everything> {
    let sky = Hash::of(b"test sky").short();
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_quic()
        .with_behaviour(|key| {
            let me = key.public().to_peer_id();
            let kad =
                kad::Config::new(StreamProtocol::try_from_owned(format!("/opensky/kad/1/{sky}")).unwrap());
            let relay_hop = StreamProtocol::new("/libp2p/circuit/relay/0.2.0/hop");
            let autonat = StreamProtocol::new("/libp2p/autonat/1.0.0");
            let own = StreamProtocol::new(PROTOCOL);
            let wanted = [own, relay_hop, autonat].map(|name| (name, ProtocolSupport::Full));
            let signed = gossipsub::MessageAuthenticity::Signed(key.clone());
            Everything {
                identify: identify::Behaviour::new(identify::Config::new("/opensky/1".into(), key.public())),
                ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_millis(100))),
                kad: kad::Behaviour::with_config(me, kad::store::MemoryStore::new(me), kad),
                gossip: gossipsub::Behaviour::new(signed, gossipsub::Config::default()).unwrap(),
                streams: request_response::Behaviour::new(wanted, request_response::Config::default()),
            }
        })
        .unwrap()
        .build()
}

#[tokio::test]
async fn p3_n2_an_outsider_that_speaks_everything_gets_nothing() {
    let mut settings = config();
    settings.limits.knock_timeout_ms = 1_000;
    let mut node = Node::start(settings.clone());
    let mut member = Node::start(settings);
    befriend(&mut member, &mut node).await;
    let address: Multiaddr = node.entrance().await.parse().unwrap();
    let target = PeerId::from_bytes(&node.id.to_peer_id_bytes()).unwrap();

    let mut outsider = outsider();
    let topic = gossipsub::IdentTopic::new(format!("{}/offers/1", Hash::of(b"test sky").short()));
    outsider.behaviour_mut().gossip.subscribe(&topic).unwrap();
    outsider.behaviour_mut().kad.add_address(&target, address.clone());
    outsider.dial(DialOpts::peer_id(target).addresses(vec![address]).build()).unwrap();
    outsider.behaviour_mut().streams.send_request(&target, b"give".to_vec());
    let mut refused = Vec::new();
    let served = async {
        loop {
            match outsider.select_next_some().await {
                SwarmEvent::Behaviour(EverythingEvent::Identify(identify::Event::Received {
                    info, ..
                })) => {
                    return format!("identified itself: {info:?}");
                }
                SwarmEvent::Behaviour(EverythingEvent::Ping(ping::Event { result, .. })) => match result {
                    Ok(_) => return "answered a ping".to_owned(),
                    Err(_) => refused.push("ping"),
                },
                SwarmEvent::Behaviour(EverythingEvent::Kad(kad::Event::RoutablePeer { .. })) => {
                    return "serves the DHT".to_owned();
                }
                SwarmEvent::Behaviour(EverythingEvent::Gossip(event)) => match event {
                    gossipsub::Event::GossipsubNotSupported { .. } => refused.push("gossip"),
                    other => return format!("gossiped: {other:?}"),
                },
                SwarmEvent::Behaviour(EverythingEvent::Streams(event)) => match event {
                    request_response::Event::OutboundFailure { .. } => refused.push("stream"),
                    other => return format!("served a stream: {other:?}"),
                },
                // The node ends it; there is nothing a stranger may stay for.
                SwarmEvent::ConnectionClosed { .. } => return "closed".to_owned(),
                _ => {}
            }
        }
    };
    let end = timeout(PATIENCE, served).await.expect("a stranger is not kept");
    assert_eq!(end, "closed", "refused before: {refused:?}");
    assert!(refused.contains(&"gossip") && refused.contains(&"stream"), "{refused:?}");
    let view = node.network.view().await;
    assert_eq!(view.peers.len(), 1, "the stranger is no peer");
}

#[tokio::test]
async fn p3_hundreds_of_strangers_are_bounded_and_members_still_come_in() {
    let mut settings = config();
    settings.limits.strangers_per_ip_max = 8;
    settings.limits.strangers_per_ip_burst = 32;
    settings.limits.knock_timeout_ms = 2_000;
    let mut node = Node::start(settings.clone());
    let address: Multiaddr = node.entrance().await.parse().unwrap();
    let target = PeerId::from_bytes(&node.id.to_peer_id_bytes()).unwrap();
    let mut crowd = Vec::new();
    for _ in 0..250 {
        let mut stranger = outsider();
        let address = address.clone();
        crowd.push(tokio::spawn(async move {
            stranger.dial(DialOpts::peer_id(target).addresses(vec![address]).build()).unwrap();
            loop {
                match stranger.select_next_some().await {
                    SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => {
                        return;
                    }
                    _ => {}
                }
            }
        }));
    }
    let mut member = Node::start(settings);
    befriend(&mut member, &mut node).await;
    for stranger in crowd {
        timeout(PATIENCE, stranger).await.expect("every stranger is turned away").unwrap();
    }
    assert_eq!(node.network.view().await.peers.len(), 1);
    assert!(node.events.try_recv().is_err(), "none of them was worth an event");
}

/// A place of a stranger is for knocking.
#[tokio::test]
async fn p3_a_stranger_that_says_nothing_loses_its_place_long_before_a_knock_runs_out() {
    let mut settings = config();
    settings.limits.silent_stranger_ms = 500;
    settings.limits.knock_timeout_ms = 600_000;
    let node = Node::start(settings);
    let address: Multiaddr = node.entrance().await.parse().unwrap();
    let target = PeerId::from_bytes(&node.id.to_peer_id_bytes()).unwrap();
    let mut stranger = outsider();
    stranger.dial(DialOpts::peer_id(target).addresses(vec![address]).build()).unwrap();
    let sent_away =
        async { while !matches!(stranger.select_next_some().await, SwarmEvent::ConnectionClosed { .. }) {} };
    // Long before the network by itself ends what carries nothing.
    timeout(Duration::from_secs(6), sent_away).await.expect("it is sent away");
}
