//! Signatures over checkpoints between whole nodes: those that hold reach everyone, others end their sender.

use crate::support::{
    Sky,
    peer::{read, write},
    until,
};
use opensky_ledger::{
    checkpoint::{Signer, key_of},
    evm::{Checkpoint, Domain, EvmSignature, Keccak, digest},
};
use opensky_ports::{
    LedgerEngine, Transport, TransportEvent, ledger::SignedCheckpoint, testing::FakeExecutor,
    transport::GossipVerdict,
};
use opensky_protocol::{
    Message,
    ledger::{self, Ask, CheckpointWord, Reply, TOPIC_CHECKPOINTS},
};
use opensky_types::{Keypair, NodeId};

fn checkpoint() -> Checkpoint {
    let (previous, root) = (Keccak::of(b"previous"), Keccak::of(b"root"));
    Checkpoint { epoch: 3, previous, root, total: 5, set_id: 1 }
}

fn sign(sky: &Sky, key: &Keypair, checkpoint: &Checkpoint) -> EvmSignature {
    key_of(key).sign(&digest(&Domain::of_sky(sky.genesis.sky()), checkpoint))
}

/// Gives every node the same checkpoint, of which each of `signing` has signed its own.
fn end_epoch(sky: &Sky, signing: usize) {
    let signer = |key: &Keypair| Signer { node: key.id(), key: Some(key_of(key).address()) };
    let signers: Vec<Signer> = sky.nodes.iter().map(|node| signer(&node.key)).collect();
    for (index, node) in sky.nodes.iter().enumerate() {
        let own = (index < signing).then(|| (node.key.id(), sign(sky, &node.key, &checkpoint())));
        node.ledger.set_checkpoint(SignedCheckpoint {
            checkpoint: checkpoint(),
            digest: digest(&Domain::of_sky(sky.genesis.sky()), &checkpoint()),
            signers: signers.clone(),
            signatures: own.into_iter().collect(),
        });
    }
}

fn signatures(sky: &Sky, index: usize) -> usize {
    let found = sky.nodes[index].ledger.checkpoint(None).expect("it is in memory");
    found.map_or(0, |found| found.signatures.len())
}

#[tokio::test(start_paused = true)]
async fn l4_every_node_gets_the_signatures_of_all_validators() {
    let sky = Sky::new(4, |_| FakeExecutor::echo()).await;
    end_epoch(&sky, 4);
    for index in 0..4 {
        until(|| async { signatures(&sky, index) == 4 }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn l4_a_node_that_was_away_asks_for_what_it_has_missed() {
    let mut sky = Sky::new(4, |_| FakeExecutor::echo()).await;
    end_epoch(&sky, 3);
    for index in 0..4 {
        until(|| async { signatures(&sky, index) == 3 }).await;
    }
    // Nobody tells it again: what is complete is told no more.
    let dead = sky.kill(3);
    sky.revive(3, dead, FakeExecutor::echo()).await;
    let complete = sky.nodes[0].ledger.checkpoint(None).expect("in memory").expect("there");
    sky.nodes[3].ledger.set_checkpoint(SignedCheckpoint { signatures: Vec::new(), ..complete });
    until(|| async { signatures(&sky, 3) == 3 }).await;
}

#[tokio::test(start_paused = true)]
async fn l4_forged_foreign_and_wrong_signatures_are_rejected_where_they_are_told() {
    let sky = Sky::new(2, |_| FakeExecutor::echo()).await;
    end_epoch(&sky, 0);
    let (key, transport, _events) = sky.stranger(77).await;
    let (victim, told) = (&sky.nodes[1].key, sign(&sky, &sky.nodes[1].key, &checkpoint()));
    let word = |node: NodeId, signature: EvmSignature| {
        CheckpointWord { epoch: 3, node, signature: *signature.as_bytes() }.to_bytes()
    };
    let mut forged = *told.as_bytes();
    forged[7] ^= 1;
    let other = Checkpoint { total: 6, ..checkpoint() };
    let words = [
        word(victim.id(), EvmSignature::from_bytes(forged)),
        word(key.id(), sign(&sky, &key, &checkpoint())),
        word(victim.id(), sign(&sky, victim, &other)),
        vec![0; 7],
    ];
    for bytes in &words {
        transport.gossip(TOPIC_CHECKPOINTS, bytes.clone());
    }
    let judged = || sky.network.verdicts().into_iter().filter(|(_, from, _)| *from == key.id());
    let rejected = || judged().filter(|(.., verdict)| *verdict == GossipVerdict::Reject).count();
    until(|| async { rejected() >= words.len() * 2 }).await;
    assert_eq!((signatures(&sky, 0), signatures(&sky, 1)), (0, 0), "nothing of it is kept");
    transport.gossip(TOPIC_CHECKPOINTS, word(victim.id(), told));
    until(|| async { signatures(&sky, 0) == 1 && signatures(&sky, 1) == 1 }).await;
}

#[tokio::test(start_paused = true)]
async fn l3_a_member_that_answers_with_a_forged_signature_is_dropped() {
    let sky = Sky::new(1, |_| FakeExecutor::echo()).await;
    let (key, _transport, mut events) = sky.stranger(77).await;
    end_epoch(&sky, 0);
    let victim = sky.id(0);
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            let TransportEvent::Stream { protocol: ledger::PROTOCOL, mut stream, .. } = event else {
                continue;
            };
            let reply = match read::<Ask>(&mut stream).await {
                Some(Ask::Checkpoint { .. }) => Reply::Checkpoint { signatures: vec![(victim, [27; 65])] },
                Some(Ask::Blocks { .. }) => Reply::Blocks { blocks: Vec::new(), head: 0 },
                _ => Reply::Addresses { addresses: Vec::new() },
            };
            write(&mut stream, &reply).await;
        }
    });
    let knows = async || {
        let peers = sky.nodes[0].handle.network().await.expect("node answers").peers;
        peers.iter().any(|peer| peer.node == key.id())
    };
    assert!(knows().await, "it is a member");
    until(|| async { !knows().await }).await;
    assert_eq!(signatures(&sky, 0), 0);
}
