//! Nodes that are far behind, over libp2p: a snapshot from whoever has one, and nothing from whoever lies.

use anyhow::{Context, Result, ensure};
use opensky_chain::{Settings, SkyLedger, Voting};
use opensky_ledger::{
    action::Action, approval::Approval, entry::Entry, key::Key, memo::Memo, transaction::Transaction,
};
use opensky_network::{Config as NetworkConfig, Network};
use opensky_node::{Config, Handle, Node, Parts};
use opensky_ports::{
    Clock, LedgerEngine, Transport, TransportEvent,
    ledger::Whereabouts,
    testing::{FakeExecutor, FakeMachine, FakeRun, MemoryBlobs, MemoryJournal, SystemClock},
    transport::GossipVerdict,
};
use opensky_protocol::{
    Message,
    frame::HEADER_BYTES,
    ledger::{Ask, PROTOCOL, Reply},
    read_frame_len,
};
use opensky_types::{
    AccountId, Keypair, Micros, NodeId, Signed, Timestamp,
    limits::ContributionLimits,
    membership::{Genesis, InvitePolicy, Membership, MembershipChain},
    resources::{HardwareProfile, Readings},
};
use std::{
    net::TcpListener,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

/// Ends a hang; no result depends on it.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);
const SNAPSHOT_BLOCKS: u64 = 5;

fn key(number: u8) -> Keypair {
    Keypair::from_seed([number; 32])
}

fn genesis() -> Genesis {
    Genesis {
        name: "following".into(),
        founder: key(1).id(),
        founded_at: SystemClock.now(),
        invites: InvitePolicy::Members,
        economy_free: false,
        supply: Micros::new(1_000_000_000),
        validators: vec![key(1).id()],
        epoch_blocks: 4,
        nonce: 1,
    }
}

fn open(genesis: &Genesis, number: u8, home: &Path, votes: bool) -> Result<SkyLedger> {
    std::fs::create_dir_all(home)?;
    let listen = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let voting = votes.then(|| Voting {
        key: key(number),
        listen,
        dialable: listen.to_string(),
        folder: home.join("validator"),
        mark: home.join("voted"),
    });
    Ok(SkyLedger::open(Settings {
        genesis,
        node: key(number).id(),
        folder: home,
        voting,
        clock: Arc::new(SystemClock),
        snapshot_blocks: SNAPSHOT_BLOCKS,
    })?)
}

fn start(genesis: &Genesis, number: u8) -> Result<(Arc<Network>, mpsc::Receiver<TransportEvent>)> {
    let config = NetworkConfig {
        sky: genesis.sky(),
        loopback_only: true,
        protocols: opensky_protocol::PROTOCOLS.to_vec(),
        topics: opensky_protocol::TOPICS.to_vec(),
        version: "test".into(),
        ..NetworkConfig::default()
    };
    let (network, events) = Network::start(config, &key(number))?;
    Ok((Arc::new(network), events))
}

async fn node(
    genesis: &Genesis,
    number: u8,
    ledger: &Arc<SkyLedger>,
    (network, events): (Arc<Network>, mpsc::Receiver<TransportEvent>),
) -> Result<Handle> {
    let founder = key(1);
    let membership =
        Membership { sky: genesis.sky(), node: key(number).id(), given_at: Timestamp::default() };
    let chain = if number == 1 { Vec::new() } else { vec![Signed::sign(&membership, &founder)] };
    let executor = FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()));
    let parts = Parts {
        key: key(number),
        genesis: genesis.clone(),
        chain: MembershipChain(chain),
        transport: network,
        transport_events: events,
        executor: Arc::new(executor),
        services: None,
        blobs: Arc::new(MemoryBlobs::new(1 << 30)),
        journal: Arc::new(MemoryJournal::new()),
        ledger: Arc::clone(ledger) as Arc<dyn LedgerEngine>,
        machine: Arc::new(FakeMachine::new(HardwareProfile::default(), Readings::default())),
        clock: Arc::new(SystemClock),
        starts: 1,
        limits: ContributionLimits::default(),
        config: Config { blocks_behind_max: SNAPSHOT_BLOCKS, ..Config::default() },
    };
    Ok(Node::start(parts).await?.0)
}

/// Makes both members for each other.
async fn befriend(one: (&Network, NodeId), other: (&Network, NodeId)) {
    other.0.admit(one.1, Vec::new());
    one.0.admit(other.1, other.0.view().await.listening);
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds().await? {
            tokio::time::sleep(LOOK).await;
        }
        Ok::<_, anyhow::Error>(())
    });
    waited.await.with_context(|| format!("waited in vain for {what}"))?
}

async fn transfer(ledger: &SkyLedger, times: u32) -> Result<()> {
    let account = AccountId::of_node(key(1).id());
    for _ in 0..times {
        let transaction = Transaction {
            sky: ledger.genesis().sky,
            rules: 1,
            account,
            nonce: ledger.next_nonce(&account),
            valid_until: SystemClock.now().plus_ms(600_000),
            action: Action::Transfer {
                to: AccountId::of_node(key(9).id()),
                amount: Micros::new(1_000),
                memo: Memo::default(),
            },
        };
        let signed = transaction.signed(vec![Approval::sign(&key(1), &transaction)]);
        let id = ledger.submit(signed)?.id;
        let is_final = async || Ok(matches!(ledger.whereabouts(&id), Whereabouts::Final { .. }));
        until("a transfer", is_final).await?;
    }
    Ok(())
}

fn balance(ledger: &SkyLedger) -> u64 {
    let key = Key::Account(AccountId::of_node(key(9).id()));
    match ledger.read(&[key]).entries.first() {
        Some(Some(Entry::Account(account))) => account.available.total().get(),
        _ => 0,
    }
}

/// What a peer says that is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// Another state than the one whose root is certified.
    Chunk,
    /// A snapshot of a block that nobody certified.
    Offer,
    /// Blocks that are none.
    Blocks,
}

/// Answers as the honest ledger would, but for one lie, and counts how often it told that.
async fn lies(
    lie: Lie,
    ledger: Arc<SkyLedger>,
    mut events: mpsc::Receiver<TransportEvent>,
    told: Arc<AtomicU32>,
) {
    while let Some(event) = events.recv().await {
        match event {
            TransportEvent::Stream { protocol: PROTOCOL, mut stream, .. } => {
                let (ledger, told) = (Arc::clone(&ledger), Arc::clone(&told));
                tokio::spawn(async move {
                    let mut header = [0; HEADER_BYTES];
                    stream.read_exact(&mut header).await?;
                    let length = read_frame_len::<Ask>(header).map_err(std::io::Error::other)?;
                    let mut body = vec![0; length];
                    stream.read_exact(&mut body).await?;
                    let ask = Ask::from_body(&body).map_err(std::io::Error::other)?;
                    let is_lie = matches!(
                        (lie, &ask),
                        (Lie::Blocks, Ask::Blocks { .. })
                            | (Lie::Offer, Ask::Snapshot { .. })
                            | (Lie::Chunk, Ask::Chunk { .. })
                    );
                    stream.write_all(&lied(lie, &ledger, ask).to_frame()).await?;
                    told.fetch_add(u32::from(is_lie), Ordering::SeqCst);
                    stream.shutdown().await
                });
            }
            TransportEvent::Gossip { verdict, .. } => drop(verdict.send(GossipVerdict::Ignore)),
            _ => {}
        }
    }
}

fn lied(lie: Lie, ledger: &SkyLedger, ask: Ask) -> Reply {
    let spoilt = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    match ask {
        Ask::Blocks { .. } if lie == Lie::Blocks => {
            Reply::Blocks { blocks: vec![b"no block".to_vec()], head: ledger.head().height }
        }
        Ask::Blocks { .. } => Reply::Blocks { blocks: Vec::new(), head: ledger.head().height },
        Ask::Snapshot { epoch } => {
            let offer = ledger.offer_snapshot(epoch).ok().flatten();
            Reply::Snapshot { offer: if lie == Lie::Offer { offer.map(spoilt) } else { offer } }
        }
        Ask::Chunk { height, index } => {
            Reply::Chunk { bytes: ledger.snapshot_chunk(height, index).ok().flatten().map(spoilt) }
        }
        _ => Reply::Addresses { addresses: Vec::new() },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l3_a_node_far_behind_takes_a_snapshot_from_an_honest_peer_and_drops_liars() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let genesis = genesis();
    let founder = Arc::new(open(&genesis, 1, &folder.path().join("1"), true)?);
    transfer(&founder, 17).await?;
    until("a snapshot", async || Ok(founder.offer_snapshot(0)?.is_some())).await?;

    let late = Arc::new(open(&genesis, 9, &folder.path().join("9"), false)?);
    let (network, events) = start(&genesis, 9)?;
    let handle = node(&genesis, 9, &late, (Arc::clone(&network), events)).await?;
    let knows = async |other: NodeId| network.view().await.peers.iter().any(|peer| peer.node == other);
    for (number, lie) in [(20, Lie::Blocks), (21, Lie::Offer), (22, Lie::Chunk)] {
        let (liar, events) = start(&genesis, number)?;
        let id = key(number).id();
        let told = Arc::new(AtomicU32::new(0));
        tokio::spawn(lies(lie, Arc::clone(&founder), events, Arc::clone(&told)));
        befriend((&liar, id), (&network, key(9).id())).await;
        until("a liar to be asked", async || Ok(told.load(Ordering::SeqCst) > 0)).await?;
        until("a liar to be dropped", async || Ok(!knows(id).await && is_refused(&liar).await)).await?;
        assert_eq!(late.head().height, 0, "{lie:?}: nothing of it was taken");
        liar.shut_down().await;
    }

    let (honest, events) = start(&genesis, 1)?;
    let serving = node(&genesis, 1, &founder, (Arc::clone(&honest), events)).await?;
    befriend((&honest, key(1).id()), (&network, key(9).id())).await;
    let height = founder.head().height;
    until("all of it to be here", async || Ok(late.head().height >= height)).await?;
    assert_eq!(balance(&late), 17_000);
    ensure!(late.blocks(1, 1 << 20)?.is_empty(), "what is before the snapshot was never fetched");
    transfer(&founder, 1).await?;
    until("it to go on from there", async || Ok(balance(&late) == 18_000)).await?;
    for handle in [handle, serving] {
        handle.shut_down().await;
    }
    late.shut_down().await;
    founder.shut_down().await;
    Ok(())
}

/// Whether the late node lets this one open no stream any more.
async fn is_refused(liar: &Network) -> bool {
    liar.open(key(9).id(), PROTOCOL).await.is_err()
}
