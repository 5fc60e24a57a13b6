//! The one protocol that strangers may speak, spoken well and badly.

use crate::{
    closed::raw::Raw,
    support::{Node, PATIENCE, PROTOCOL, config},
};
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder,
    request_response::{self, ProtocolSupport},
    swarm::{SwarmEvent, dial_opts::DialOpts},
};
use opensky_ports::{Transport, TransportError, TransportEvent};
use tokio::time::timeout;

fn knocker(tcp: bool) -> Swarm<request_response::Behaviour<Raw>> {
    let behaviour = |_: &libp2p::identity::Keypair| {
        let knock = (StreamProtocol::new("/opensky/knock/1"), ProtocolSupport::Full);
        request_response::Behaviour::new([knock], request_response::Config::default())
    };
    let builder = SwarmBuilder::with_new_identity().with_tokio();
    if tcp {
        let (noise, yamux) = (libp2p::noise::Config::new, libp2p::yamux::Config::default);
        let builder = builder.with_tcp(Default::default(), noise, yamux).unwrap();
        builder.with_behaviour(behaviour).unwrap().build()
    } else {
        builder.with_quic().with_behaviour(behaviour).unwrap().build()
    }
}

/// Sends raw bytes as a knock; returns the raw answer, or none if the connection ended without.
async fn knock_raw(node: &Node, bytes: Vec<u8>, tcp: bool) -> Option<Vec<u8>> {
    let mut swarm = knocker(tcp);
    let target = PeerId::from_bytes(&node.id.to_peer_id_bytes()).unwrap();
    let kind = if tcp { "/tcp/" } else { "/quic-v1" };
    let listening = node.addresses().await;
    let address = listening.iter().find(|text| text.starts_with("/ip4/") && text.contains(kind)).unwrap();
    let address: Multiaddr = address.parse().unwrap();
    swarm.dial(DialOpts::peer_id(target).addresses(vec![address]).build()).unwrap();
    swarm.behaviour_mut().send_request(&target, bytes);
    let mut answer = None;
    let ended = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::Behaviour(request_response::Event::Message {
                    message: request_response::Message::Response { response, .. },
                    ..
                }) => answer = Some(response).filter(|bytes| !bytes.is_empty()),
                SwarmEvent::ConnectionClosed { .. } => return,
                _ => {}
            }
        }
    };
    timeout(PATIENCE, ended).await.expect("a stranger is not kept");
    answer
}

fn frame(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_le_bytes()[..], body].concat()
}

#[tokio::test]
async fn p3_garbage_oversize_cut_and_slow_knocks_end_and_the_node_lives() {
    let mut settings = config();
    settings.limits.knock_timeout_ms = 500;
    let mut node = Node::start(settings);
    let bad: [(&str, Vec<u8>); 5] = [
        ("too large by its length", (16 * 1024 + 1u32).to_le_bytes().to_vec()),
        ("four gigabytes", [0xff; 4].to_vec()),
        ("cut, then silence", [&100u32.to_le_bytes()[..], b"only this"].concat()),
        ("half a length, then silence", vec![7, 0]),
        ("silence", Vec::new()),
    ];
    for tcp in [false, true] {
        for (what, bytes) in &bad {
            assert_eq!(knock_raw(&node, bytes.clone(), tcp).await, None, "{what}, tcp: {tcp}");
        }
    }
    assert!(node.events.try_recv().is_err(), "none of it reached the node");
    let (answer, (_, shown)) = tokio::join!(
        async {
            let asker = Node::start(config());
            asker.network.knock(node.id, node.network.view().await.listening, b"hello".to_vec()).await
        },
        async { node_answers(&mut node.events).await }
    );
    assert_eq!((answer.unwrap(), shown), (b"no".to_vec(), b"hello".to_vec()));
}

async fn node_answers(
    events: &mut tokio::sync::mpsc::Receiver<TransportEvent>,
) -> (opensky_types::NodeId, Vec<u8>) {
    match timeout(PATIENCE, events.recv()).await.expect("a knock").expect("the node lives") {
        TransportEvent::Knocked { from, body, answer, .. } => {
            let no = opensky_ports::transport::KnockAnswer { body: b"no".to_vec(), admitted: false };
            answer.send(no).expect("a knock waits");
            (from, body)
        }
        _ => panic!("only a knock was expected"),
    }
}

#[tokio::test]
async fn a_whole_knock_is_answered_in_one_frame_and_a_refused_one_ends() {
    let mut node = Node::start(config());
    let id = node.id;
    let listening = Node { id, network: node.network.clone(), events: tokio::sync::mpsc::channel(1).1 };
    let (answer, (_, shown)) =
        tokio::join!(knock_raw(&listening, frame(b"let me in"), false), node.answer(b"no", false));
    assert_eq!((answer, shown), (Some(frame(b"no")), b"let me in".to_vec()));
}

#[tokio::test]
async fn p3_who_is_refused_again_and_again_is_not_heard_any_more() {
    let mut node = Node::start(config());
    let asker = Node::start(config());
    let addresses = node.addresses().await;
    let mut refused = 0;
    loop {
        let asked = asker.network.knock(node.id, addresses.clone(), b"again".to_vec());
        tokio::select! {
            answer = asked => match answer {
                Ok(_) => refused += 1,
                Err(TransportError::Unreachable { .. }) => break,
                Err(other) => panic!("{other}"),
            },
            _ = async { loop { node.answer(b"no", false).await; } } => unreachable!("answers on"),
        }
        assert!(refused < 20, "repeated refusals lead to a ban");
    }
    assert!(refused >= 2, "a mistake or two is forgiven");
}

#[tokio::test]
async fn an_expelled_member_is_gone_and_stays_out() {
    let (mut one, mut other) = crate::support::pair(|_| {}).await;
    one.network.expel(other.id);
    one.down(other.id).await;
    other.down(one.id).await;
    assert!(other.network.open(one.id, PROTOCOL).await.is_err());
    let addresses = one.addresses().await;
    assert!(other.network.knock(one.id, addresses, b"sorry".to_vec()).await.is_err());
    assert!(one.events.try_recv().is_err(), "the node is not bothered");
    assert!(one.network.view().await.peers.is_empty());
}

#[tokio::test]
async fn n2_a_knock_over_the_other_sides_own_connection_is_answered() {
    let mut joiner = Node::start(config());
    // As on a local network where both hear of each other: the member has dialled first, and knocked.
    let mut settings = config();
    settings.bootstrap = vec![joiner.entrance().await];
    settings.knock_body = b"a member".to_vec();
    let mut member = Node::start(settings);
    let unanswered = joiner
        .wait("the member's knock", |event| match event {
            TransportEvent::Knocked { answer, .. } => Some(answer),
            _ => None,
        })
        .await;
    let knock = joiner.network.knock(member.id, Vec::new(), b"let me in".to_vec());
    let (answer, _) = tokio::join!(knock, async {
        member.answer(b"come in", true).await;
        // The node says so too, as it does once that is on disk.
        member.network.admit(joiner.id, Vec::new());
    });
    assert_eq!(answer.expect("an answer"), b"come in".to_vec());
    drop(unanswered);
}
