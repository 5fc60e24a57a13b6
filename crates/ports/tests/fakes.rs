//! The fakes keep the promises of their ports.

use opensky_ports::{
    Clock, Executor, InstanceEnd, LogStream, Machine, Outlet, ServiceEngine, ServiceRun, Transport,
    TransportEvent, WorkBatch, WorkItem,
    testing::{
        FakeClock, FakeExecutor, FakeMachine, FakeRun, FakeService, FakeServices, MemoryBlobs, MemoryJournal,
        MemoryNetwork,
        contract::{self, Does, Stranger},
    },
    transport::{GossipVerdict, KnockAnswer},
};
use opensky_types::{
    NodeId, ServiceId,
    resources::TaskLimits,
    samples,
    service::{ReplicaId, ReplicaLimits},
    task::Failure,
};
use std::{cell::Cell, io, sync::Arc, time::Duration};
use tokio::{io::AsyncReadExt, sync::mpsc};

const PROTOCOL: &str = "/test/echo/1";
const TOPIC: &str = "test/1";

#[test]
fn memory_blobs_keep_the_contract() {
    contract::blob_store(MemoryBlobs::new);
    let store = MemoryBlobs::new(2_000_000);
    contract::blob_store_restart(|| store.restarted());
}

#[test]
fn memory_journal_keeps_the_contract() {
    let journal = MemoryJournal::new();
    contract::journal(|| journal.clone());
}

#[test]
fn f3_a_broken_disk_keeps_nothing() {
    use opensky_ports::{Journal, Record};
    let journal = MemoryJournal::new();
    let record = Record::Setting { name: "a".into(), value: vec![1] };
    journal.commit(std::slice::from_ref(&record)).unwrap();
    journal.break_disk();
    assert!(journal.commit(&[Record::Setting { name: "b".into(), value: vec![2] }]).is_err());
    assert_eq!(journal.records(), [record]);
}

fn batch(first_key: u64, items: u32) -> WorkBatch {
    let items = (0..items)
        .map(|index| WorkItem { key: first_key + u64::from(index), input: samples::task_input(index) })
        .collect();
    WorkBatch { program: samples::program(), seed: 1, limits: TaskLimits::default(), gpus: Vec::new(), items }
}

#[tokio::test]
async fn fake_executor_keeps_the_contract() {
    let executor = FakeExecutor::new(|_, item| match item.key {
        0..100 | 1_000.. => FakeRun::writes(item.input.item.clone()),
        _ => FakeRun::writes("begun").forever(),
    });
    contract::executor(Arc::new(executor.clone()), batch(0, 5), batch(100, 3)).await;
    assert!(executor.ran().starts_with(&[0, 1, 2, 3, 4]));
}

#[tokio::test(start_paused = true)]
async fn fake_runs_take_their_time() {
    struct Nobody;
    impl opensky_ports::LogSink for Nobody {
        fn written(&self, _: u64, _: opensky_ports::LogStream, _: &[u8]) {}
        fn ended(&self, _: opensky_ports::WorkResult) {}
    }
    let executor = FakeExecutor::new(|_, _| FakeRun::writes("x").in_ms(1_000));
    let began = tokio::time::Instant::now();
    executor.run(batch(0, 3), &Nobody, Default::default()).await;
    assert_eq!(began.elapsed().as_secs(), 3);
}

fn service_run(replica: ReplicaId) -> ServiceRun {
    ServiceRun {
        replica,
        program: samples::program(),
        limits: ReplicaLimits::default(),
        ports: vec![80],
        outlets: vec![("db".into(), 5432)],
        secrets: Vec::new(),
        idle: None,
        volumes: Vec::new(),
        other_volumes: Vec::new(),
        begin: None,
        gpus: Vec::new(),
    }
}

fn replica(slot: u16) -> ReplicaId {
    ReplicaId { service: ServiceId::of(&samples::node(1), "web"), slot, generation: 1 }
}

#[tokio::test]
async fn fake_services_keep_the_contract() {
    let engine = FakeServices::new(|run| match run.program.args[0].as_str() {
        "Echo" => FakeService::echo("hello\n").writes("begun\n"),
        "Relay" => FakeService::relay(0),
        _ => FakeService::deaf().exits(7, 1),
    });
    let run = |does: Does, replica| {
        let mut run = service_run(replica);
        run.program.args = vec![format!("{does:?}")];
        run
    };
    // Its programs write to stdout alone, so the test writes what this one does.
    let writer = engine.clone();
    let writing = tokio::spawn(async move {
        while !writer.running().contains(&replica_of_suite(3)) {
            tokio::task::yield_now().await;
        }
        writer.write(replica_of_suite(3), LogStream::Stderr, b"bye\n");
    });
    contract::service_engine(Arc::new(engine.clone()), run).await;
    writing.await.unwrap();
    assert_eq!(engine.running(), []);
    assert_eq!(engine.started().len(), 5);
}

fn replica_of_suite(slot: u16) -> ReplicaId {
    ReplicaId { service: ServiceId::of(&samples::node(1), "suite"), slot, generation: 1 }
}

/// Leads nowhere.
struct NoOutlet;

#[async_trait::async_trait]
impl Outlet for NoOutlet {
    async fn connect(&self, _: usize) -> io::Result<opensky_ports::ByteStream> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

#[tokio::test(start_paused = true)]
async fn fake_services_do_what_a_test_asks_for() {
    let engine = FakeServices::new(|run| match run.replica.slot {
        0 => FakeService::echo(format!("{}\n", run.replica.generation)),
        1 => FakeService::deaf().stubborn().exits(3, 60_000),
        2 => FakeService::fails(Failure::Cancelled),
        _ => FakeService::deaf(),
    });
    let outlet: Arc<dyn Outlet> = Arc::new(NoOutlet);
    let start = |slot| engine.start(service_run(replica(slot)), Arc::clone(&outlet));
    let echo = start(0).await.unwrap();
    let mut stream = echo.dial(80).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'1', "it greets");
    engine.set_healthy(replica(0), false);
    assert!(echo.dial(80).await.is_err());
    assert_eq!(echo.command(&["curl".into()], Duration::ZERO).await, Ok(1));
    engine.set_healthy(replica(0), true);
    assert!(echo.dial(80).await.is_ok());
    assert!(engine.reach(replica(0), 0).await.is_err(), "its outlet is what the test gave");

    let stubborn = start(1).await.unwrap();
    assert!(stubborn.dial(80).await.is_err(), "it never listens");
    assert_eq!(engine.running(), [replica(0), replica(1)]);
    let began = tokio::time::Instant::now();
    stubborn.stop(Duration::from_secs(9)).await;
    assert_eq!((began.elapsed().as_secs(), stubborn.ended().await), (9, InstanceEnd::Exited(137)));
    let started_anew = start(1).await.unwrap();
    assert_eq!(started_anew.ended().await, InstanceEnd::Exited(3), "by itself, after a minute");
    assert!(began.elapsed().as_secs() >= 69);

    assert_eq!(start(2).await.err(), Some(Failure::Cancelled));
    engine.crash(replica(0), 5);
    assert_eq!(echo.ended().await, InstanceEnd::Exited(5));
    let deaf = start(3).await.unwrap();
    engine.go_away();
    assert!(matches!(deaf.ended().await, InstanceEnd::Failed(Failure::ProviderStopped { .. })));
    assert!(matches!(start(0).await, Err(Failure::ProviderStopped { .. })));
    engine.come_back();
    start(0).await.unwrap();
    assert_eq!(engine.running(), [replica(0)]);
}

#[test]
fn fake_clock_moves_only_when_told() {
    let clock = FakeClock::default();
    let begin = (clock.now(), clock.monotonic_us());
    assert_eq!((clock.now(), clock.monotonic_us()), begin);
    clock.clone().advance_ms(5);
    assert_eq!((clock.now(), clock.monotonic_us()), (begin.0.plus_ms(5), begin.1 + 5_000));
    clock.set(samples::NOW);
    assert_eq!(
        (clock.now(), clock.monotonic_us()),
        (samples::NOW, begin.1 + 5_000),
        "the wall clock may jump"
    );

    let draws = |clock: FakeClock| [clock.random(), clock.random()];
    let first = draws(FakeClock::default());
    assert_ne!(first[0], first[1]);
    assert_eq!(first, draws(FakeClock::default()), "equal seeds draw the same");
    assert_ne!(first, draws(FakeClock::new(samples::NOW, 1)));
}

#[test]
fn fake_machine_says_what_it_is_told() {
    let machine = FakeMachine::default();
    machine.change(|readings| readings.temperature_celsius = Some(95));
    assert_eq!(machine.readings().temperature_celsius, Some(95));
    assert_eq!(machine.profile(), samples::hardware());
}

#[tokio::test]
async fn memory_network_keeps_the_contract() {
    let network = MemoryNetwork::new(&[PROTOCOL]);
    let count = Cell::new(0);
    let make = || async {
        count.set(count.get() + 1);
        let node = samples::node(count.get());
        let (transport, events) = network.start(node);
        Stranger { node, transport: Arc::new(transport), events, addresses: vec![network.address(node)] }
    };
    contract::transport(make, PROTOCOL, TOPIC).await;
}

/// Three members in a row: 1 – 2 – 3.
fn row(network: &MemoryNetwork) -> Vec<(impl Transport + use<>, mpsc::Receiver<TransportEvent>)> {
    let nodes: Vec<_> = (1..=3).map(|number| network.start(samples::node(number))).collect();
    for (one, other) in [(0, 1), (1, 2)] {
        nodes[one].0.admit(samples::node(other as u8 + 1), Vec::new());
        nodes[other].0.admit(samples::node(one as u8 + 1), Vec::new());
    }
    nodes
}

fn came(event: Option<TransportEvent>, up: bool, peer: NodeId) -> bool {
    match event {
        Some(TransportEvent::PeerUp { node }) => up && node == peer,
        Some(TransportEvent::PeerDown { node }) => !up && node == peer,
        _ => false,
    }
}

#[tokio::test]
async fn f8_a_cut_link_breaks_streams_and_heals() {
    let network = MemoryNetwork::new(&[PROTOCOL]);
    let mut nodes = row(&network);
    let (one, two) = (samples::node(1), samples::node(2));
    assert!(came(nodes[0].1.recv().await, true, two));
    let mut stream = nodes[0].0.open(two, PROTOCOL).await.unwrap();

    let (read, ()) = tokio::join!(async { stream.read_u8().await }, async { network.cut(one, two) });
    assert!(read.is_err(), "a reader that waits is told");
    assert!(nodes[0].0.open(two, PROTOCOL).await.is_err());
    assert!(came(nodes[0].1.recv().await, false, two));

    network.restore(one, two);
    assert!(came(nodes[0].1.recv().await, true, two), "members find each other again");
    nodes[0].0.open(two, PROTOCOL).await.unwrap();

    network.kill(two);
    assert!(came(nodes[0].1.recv().await, false, two));
    network.start(two);
    assert!(nodes[0].0.open(two, PROTOCOL).await.is_err(), "a restarted node must admit its peers again");
}

#[tokio::test]
async fn p2_gossip_goes_on_only_when_accepted() {
    let network = MemoryNetwork::new(&[PROTOCOL]);
    let mut nodes = row(&network);
    for (bytes, verdict) in [
        (b"bad".to_vec(), GossipVerdict::Reject),
        (b"old".to_vec(), GossipVerdict::Ignore),
        (b"good".to_vec(), GossipVerdict::Accept),
    ] {
        nodes[0].0.gossip(TOPIC, bytes);
        next_gossip(&mut nodes[1].1).await.1.send(verdict).unwrap();
    }
    let (bytes, verdict) = next_gossip(&mut nodes[2].1).await;
    assert_eq!(bytes, b"good", "only what node 2 accepted gets to node 3");
    verdict.send(GossipVerdict::Ignore).unwrap();
    while network.verdicts().len() < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(network.verdicts()[0], (samples::node(2), samples::node(1), GossipVerdict::Reject));
    assert_eq!(nodes[0].0.view().await.sent_bytes, 10);
}

async fn next_gossip(
    events: &mut mpsc::Receiver<TransportEvent>,
) -> (Vec<u8>, tokio::sync::oneshot::Sender<GossipVerdict>) {
    loop {
        if let TransportEvent::Gossip { bytes, verdict, .. } = events.recv().await.unwrap() {
            return (bytes, verdict);
        }
    }
}

#[tokio::test]
async fn a_discovered_node_welcomes() {
    let network = MemoryNetwork::new(&[PROTOCOL]);
    let (one, two) = (samples::node(1), samples::node(2));
    let ((finder, mut found_events), (_, mut events)) = (network.start(one), network.start(two));
    let (discovered, ()) = tokio::join!(network.discover(one, two, b"local".to_vec()), async {
        let Some(TransportEvent::Knocked { from, body, answer, .. }) = events.recv().await else { panic!() };
        assert_eq!((from, body.as_slice()), (one, &b"local"[..]));
        answer.send(KnockAnswer { body: b"come in".to_vec(), admitted: true }).unwrap();
    });
    discovered.unwrap();
    let Some(TransportEvent::Welcomed { from, address, body }) = found_events.recv().await else { panic!() };
    assert_eq!((from, body.as_slice()), (two, &b"come in"[..]));
    finder.admit(from, vec![address]);
    assert!(came(found_events.recv().await, true, two));
    assert!(came(events.recv().await, true, one));
}
