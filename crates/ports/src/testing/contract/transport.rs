//! What every transport promises.

use crate::transport::{GossipVerdict, KnockAnswer, Transport, TransportError, TransportEvent};
use opensky_types::{Hash, NodeId};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time,
};

/// How long the suite waits for what must come. Reached only by a transport that breaks its word.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long before something that spreads by itself is asked for again.
const ROUND: Duration = Duration::from_millis(200);

/// A node that no other knows yet.
pub struct Stranger {
    /// Its id.
    pub node: NodeId,
    /// Its door to the network.
    pub transport: Arc<dyn Transport>,
    /// What happens to it.
    pub events: mpsc::Receiver<TransportEvent>,
    /// Where it is reached.
    pub addresses: Vec<String>,
}

/// Runs the suite. `make` starts one more node, a stranger to all, on one network; every node
/// serves `protocol` and carries `topic`.
pub async fn transport<F>(mut make: impl FnMut() -> F, protocol: &'static str, topic: &'static str)
where
    F: Future<Output = Stranger>,
{
    strangers_get_nothing(make().await, make().await, protocol).await;
    a_refused_knock_stays_outside(make().await, make().await, protocol).await;
    an_unanswered_knock_is_refused(make().await, make().await).await;
    nobody_home_is_an_error(make().await, make().await).await;

    let mut one = make().await;
    let mut other = make().await;
    join(&mut one, &mut other).await;
    members_see_each_other(&one, &other).await;
    members_open_streams(&one, &mut other, protocol).await;
    members_open_streams(&other, &mut one, protocol).await;
    large_streams_arrive_whole(&one, &mut other, protocol).await;
    a_dropped_stream_ends(&one, &mut other, protocol).await;
    unknown_protocols_are_named(&one, &other).await;
    gossip_arrives(&one, &mut other, topic).await;
    what_is_advertised_is_found(&one, &other).await;

    let mut third = make().await;
    join(&mut third, &mut other).await;
    the_expelled_are_gone(third, &mut other, protocol).await;
    shut_down_is_seen(one, other, protocol).await;
}

/// The next event that `pick` picks; others are dropped on the way.
async fn wait_for<T>(
    stranger: &mut Stranger,
    what: &str,
    mut pick: impl FnMut(TransportEvent) -> Option<T>,
) -> T {
    let picked = async {
        loop {
            let event = stranger.events.recv().await.unwrap_or_else(|| panic!("events ended before {what}"));
            if let Some(picked) = pick(event) {
                return picked;
            }
        }
    };
    time::timeout(PATIENCE, picked).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Answers the next knock at `host`; returns who knocked with what.
async fn answer_knock(host: &mut Stranger, body: &[u8], admitted: bool) -> (NodeId, Vec<u8>) {
    let (from, shown, answer) = wait_for(host, "a knock", |event| match event {
        TransportEvent::Knocked { from, body, answer, .. } => Some((from, body, answer)),
        _ => None,
    })
    .await;
    answer.send(KnockAnswer { body: body.to_vec(), admitted }).expect("a knock waits for its answer");
    (from, shown)
}

async fn join(guest: &mut Stranger, host: &mut Stranger) {
    let host_addresses = host.addresses.clone();
    let (reply, (from, shown)) = tokio::join!(
        guest.transport.knock(host.node, host_addresses, b"let me in".to_vec()),
        answer_knock(host, b"welcome", true)
    );
    assert_eq!(reply.expect("the host answered"), b"welcome", "the guest reads what the host said");
    assert_eq!(from, guest.node, "a knock is known by the key of its connection");
    assert_eq!(shown, b"let me in");
    guest.transport.admit(host.node, host.addresses.clone());
    let (guest_node, host_node) = (guest.node, host.node);
    for (side, peer) in [(guest, host_node), (host, guest_node)] {
        wait_for(side, "a member to be up", |event| match event {
            TransportEvent::PeerUp { node } if node == peer => Some(()),
            _ => None,
        })
        .await;
    }
}

async fn assert_no_stream(from: &Stranger, to: NodeId, protocol: &'static str) {
    let opened = time::timeout(PATIENCE, from.transport.open(to, protocol)).await;
    let Ok(mut stream) = opened.expect("open gives up by itself") else { return };
    // A transport that negotiates late may only notice at the first answer.
    let mut byte = [0];
    let read =
        async { stream.write_all(b"?").await.is_ok() && matches!(stream.read(&mut byte).await, Ok(1)) };
    let answered = time::timeout(PATIENCE, read).await.expect("a refused stream ends");
    assert!(!answered, "only members open streams");
}

async fn strangers_get_nothing(guest: Stranger, mut host: Stranger, protocol: &'static str) {
    assert_no_stream(&guest, host.node, protocol).await;
    assert!(host.events.try_recv().is_err(), "a stranger without a knock is not heard");
    assert!(guest.transport.find(Hash::of(b"anything")).await.is_empty());
    guest.transport.shut_down().await;
    host.transport.shut_down().await;
}

async fn a_refused_knock_stays_outside(guest: Stranger, mut host: Stranger, protocol: &'static str) {
    let host_addresses = host.addresses.clone();
    let (reply, _) = tokio::join!(
        guest.transport.knock(host.node, host_addresses, b"please".to_vec()),
        answer_knock(&mut host, b"no", false)
    );
    assert_eq!(reply.expect("a refusal is an answer"), b"no");
    guest.transport.admit(host.node, host.addresses.clone());
    assert_no_stream(&guest, host.node, protocol).await;
    guest.transport.shut_down().await;
    host.transport.shut_down().await;
}

async fn an_unanswered_knock_is_refused(guest: Stranger, mut host: Stranger) {
    let host_addresses = host.addresses.clone();
    let (reply, ()) =
        tokio::join!(guest.transport.knock(host.node, host_addresses, b"hello?".to_vec()), async {
            drop(
                wait_for(&mut host, "a knock", |event| match event {
                    TransportEvent::Knocked { answer, .. } => Some(answer),
                    _ => None,
                })
                .await,
            );
        });
    assert!(reply.is_err(), "a dropped answer refuses");
    guest.transport.shut_down().await;
    host.transport.shut_down().await;
}

async fn nobody_home_is_an_error(guest: Stranger, gone: Stranger) {
    gone.transport.shut_down().await;
    let knock = guest.transport.knock(gone.node, gone.addresses.clone(), b"hello?".to_vec());
    let reply = time::timeout(PATIENCE, knock).await.expect("a knock gives up by itself");
    assert!(matches!(reply, Err(TransportError::Unreachable { node, .. }) if node == gone.node));
    guest.transport.shut_down().await;
}

async fn members_see_each_other(one: &Stranger, other: &Stranger) {
    for (side, peer) in [(one, other), (other, one)] {
        let view = side.transport.view().await;
        let seen = view.peers.iter().filter(|seen| seen.node == peer.node).count();
        assert_eq!(seen, 1, "each member is listed once");
        assert!(!view.listening.is_empty());
    }
}

async fn members_open_streams(from: &Stranger, to: &mut Stranger, protocol: &'static str) {
    let mut near = from.transport.open(to.node, protocol).await.expect("members open streams");
    near.write_all(b"question").await.unwrap();
    near.shutdown().await.unwrap();
    let (sender, spoken, mut far) = next_stream(to).await;
    assert_eq!((sender, spoken), (from.node, protocol), "a stream names its opener and its protocol");
    let mut question = Vec::new();
    far.read_to_end(&mut question).await.expect("a closed direction reads to its end");
    assert_eq!(question, b"question");
    far.write_all(b"answer").await.expect("the other direction stays open");
    far.shutdown().await.unwrap();
    let mut answer = Vec::new();
    near.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"answer");
}

async fn next_stream(to: &mut Stranger) -> (NodeId, &'static str, crate::ByteStream) {
    wait_for(to, "a stream", |event| match event {
        TransportEvent::Stream { from, protocol, stream } => Some((from, protocol, stream)),
        _ => None,
    })
    .await
}

async fn large_streams_arrive_whole(from: &Stranger, to: &mut Stranger, protocol: &'static str) {
    let content: Vec<u8> = (0..3_000_000u32).map(|index| (index % 251) as u8).collect();
    let mut near = from.transport.open(to.node, protocol).await.unwrap();
    let send = async {
        near.write_all(&content).await.unwrap();
        near.shutdown().await.unwrap();
    };
    let receive = async {
        let (_, _, mut far) = next_stream(to).await;
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        received
    };
    let ((), received) =
        time::timeout(PATIENCE, async { tokio::join!(send, receive) }).await.expect("streams do not stall");
    assert_eq!(Hash::of(&received), Hash::of(&content));
}

async fn a_dropped_stream_ends(from: &Stranger, to: &mut Stranger, protocol: &'static str) {
    let mut near = from.transport.open(to.node, protocol).await.unwrap();
    near.write_all(b"x").await.unwrap();
    near.flush().await.unwrap();
    let (_, _, mut far) = next_stream(to).await;
    drop(near);
    let mut rest = Vec::new();
    let ended = time::timeout(PATIENCE, far.read_to_end(&mut rest)).await;
    // End or error: both tell the reader that no more will come.
    assert!(ended.is_ok(), "a stream whose other end was dropped ends");
}

async fn unknown_protocols_are_named(from: &Stranger, to: &Stranger) {
    let opened = time::timeout(PATIENCE, from.transport.open(to.node, "/opensky/unheard-of/1")).await;
    match opened.expect("open gives up by itself") {
        Err(TransportError::Unsupported { node, .. }) => assert_eq!(node, to.node),
        Err(error) => panic!("an unknown protocol is Unsupported, not {error}"),
        Ok(_) => panic!("an unknown protocol is Unsupported"),
    }
}

async fn gossip_arrives(from: &Stranger, to: &mut Stranger, topic: &'static str) {
    let arrived = async {
        // Told again until it arrives, with another number each time: paths form by and by.
        for number in 0u64.. {
            from.transport.gossip(topic, [b"news ".as_slice(), &number.to_le_bytes()].concat());
            let heard = wait_for(to, "gossip", |event| match event {
                TransportEvent::Gossip { topic, from, bytes, verdict } => Some((topic, from, bytes, verdict)),
                _ => None,
            });
            if let Ok(heard) = time::timeout(ROUND, heard).await {
                return heard;
            }
        }
        unreachable!("numbers do not end")
    };
    let (heard_topic, sender, bytes, verdict) =
        time::timeout(PATIENCE, arrived).await.expect("gossip arrives");
    assert_eq!((heard_topic, sender), (topic, from.node));
    assert!(bytes.starts_with(b"news "));
    verdict.send(GossipVerdict::Accept).expect("gossip waits for its verdict");
}

async fn what_is_advertised_is_found(one: &Stranger, other: &Stranger) {
    let [old, new] = [Hash::of(b"old key"), Hash::of(b"new key")];
    one.transport.advertise(vec![old]);
    one.transport.advertise(vec![new]);
    let found = async {
        while other.transport.find(new).await != [one.node] {
            time::sleep(ROUND).await;
        }
    };
    time::timeout(PATIENCE, found).await.expect("what is advertised is found");
    assert!(other.transport.find(Hash::of(b"no such key")).await.is_empty());
}

async fn see_go(side: &mut Stranger, gone: NodeId) {
    wait_for(side, "a member to be down", |event| match event {
        TransportEvent::PeerDown { node } if node == gone => Some(()),
        _ => None,
    })
    .await;
}

async fn the_expelled_are_gone(mut guest: Stranger, host: &mut Stranger, protocol: &'static str) {
    host.transport.expel(guest.node);
    see_go(host, guest.node).await;
    see_go(&mut guest, host.node).await;
    assert_no_stream(&guest, host.node, protocol).await;
    let knock = guest.transport.knock(host.node, host.addresses.clone(), b"sorry".to_vec());
    let reply = time::timeout(PATIENCE, knock).await.expect("a knock gives up by itself");
    assert!(reply.is_err(), "the expelled are refused for a while");
    guest.transport.shut_down().await;
}

async fn shut_down_is_seen(one: Stranger, mut other: Stranger, protocol: &'static str) {
    one.transport.shut_down().await;
    see_go(&mut other, one.node).await;
    assert!(one.transport.open(other.node, protocol).await.is_err(), "after the end nothing opens");
    one.transport.shut_down().await;
    other.transport.shut_down().await;
}
