//! Gossip among three in a row: what the middle rejects does not pass.

use crate::support::{Node, PATIENCE, TOPIC, befriend, config};
use opensky_ports::{Transport, TransportEvent, transport::GossipVerdict};
use std::time::Duration;
use tokio::time::timeout;

/// Reads gossip at `node`, judges each message by `judge`, until one is `wanted`; says what it saw.
async fn hear(node: &mut Node, wanted: &[u8], judge: impl Fn(&[u8]) -> GossipVerdict) -> Vec<Vec<u8>> {
    let mut seen = Vec::new();
    loop {
        let (bytes, verdict) = node
            .wait("gossip", |event| match event {
                TransportEvent::Gossip { bytes, verdict, .. } => Some((bytes, verdict)),
                _ => None,
            })
            .await;
        verdict.send(judge(&bytes)).expect("gossip waits for its verdict");
        let found = bytes == wanted;
        seen.push(bytes);
        if found {
            return seen;
        }
    }
}

#[tokio::test]
async fn p2_only_what_a_node_accepts_is_forwarded() {
    let mut ends = [Node::start(config()), Node::start(config())];
    let mut middle = Node::start(config());
    for end in &mut ends {
        befriend(end, &mut middle).await;
    }
    let [speaker, listener] = ends;
    let judge = |bytes: &[u8]| match bytes {
        b"bad" => GossipVerdict::Reject,
        b"old" => GossipVerdict::Ignore,
        _ => GossipVerdict::Accept,
    };
    let middle = tokio::spawn(async move {
        let mut seen = Vec::new();
        loop {
            let round = hear(&mut middle, b"good", judge).await;
            seen.extend(round);
            if seen.iter().any(|bytes| bytes == b"bad") && seen.iter().any(|bytes| bytes == b"old") {
                // Keeps judging until the test ends.
                tokio::spawn(async move { hear(&mut middle, b"never", judge).await });
                return seen;
            }
        }
    });
    let speaks = async {
        loop {
            // Repeated: paths form by and by. Each is a message of its own.
            for bytes in [&b"bad"[..], b"old", b"good"] {
                speaker.network.gossip(TOPIC, bytes.to_vec());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let mut listener = listener;
    let heard = async { hear(&mut listener, b"good", |_| GossipVerdict::Accept).await };
    let heard = tokio::select! {
        () = speaks => unreachable!("speaks on"),
        heard = timeout(PATIENCE, async { (heard.await, middle.await.unwrap()) }) => heard.expect("good news travels"),
    };
    assert!(heard.0.iter().all(|bytes| bytes == b"good"), "heard {:?}", heard.0);
}
