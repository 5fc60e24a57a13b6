//! A node's own state after work: nothing may pile up in it.

use super::{Node, Sources};
use crate::{Config, Parts, handle::Handle, journal::JournalWriter, requests::Request};
use opensky_ports::{
    BlobStore,
    testing::{FakeExecutor, FakeMachine, FakeRun, MemoryBlobs, MemoryJournal, MemoryLedger, MemoryNetwork},
};
use opensky_protocol::PROTOCOLS;
use opensky_types::{
    Hash, JobId, Keypair, Micros, NodeId, Signed, Timestamp,
    job::{JobSpec, LevelReason, Needs, Program, Retry, StageInputs, StageSpec, Verify},
    limits::ContributionLimits,
    membership::{EPOCH_BLOCKS, Genesis, InvitePolicy, Membership, MembershipChain},
    offer::Constraints,
    place::Level,
    resources::{HardwareProfile, Readings, TaskLimits},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::oneshot, time::Instant};

/// A clock that follows tokio's.
struct TokioClock(Instant);

impl opensky_ports::Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).plus_ms(self.0.elapsed().as_millis() as u64)
    }
    fn monotonic_us(&self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
    fn random(&self) -> [u8; 32] {
        use std::sync::atomic::{AtomicU64, Ordering};
        static DRAWS: AtomicU64 = AtomicU64::new(0);
        *Hash::of(&DRAWS.fetch_add(1, Ordering::Relaxed).to_le_bytes()).as_bytes()
    }
}

fn genesis(founder: NodeId) -> Genesis {
    Genesis {
        name: "test".into(),
        founder,
        founded_at: Timestamp::default(),
        invites: InvitePolicy::Members,
        economy_free: true,
        supply: Micros::ZERO,
        validators: vec![founder],
        epoch_blocks: EPOCH_BLOCKS,
        nonce: 1,
    }
}

fn parts(network: &MemoryNetwork, founder: &Keypair, key: &Keypair, blobs: MemoryBlobs) -> Parts {
    let genesis = genesis(founder.id());
    let membership = Membership { sky: genesis.sky(), node: key.id(), given_at: Timestamp::default() };
    let chain = if key.id() == founder.id() { vec![] } else { vec![Signed::sign(&membership, founder)] };
    let (transport, transport_events) = network.start(key.id());
    let clock = Arc::new(TokioClock(Instant::now()));
    let ledger = MemoryLedger::free(genesis.sky(), founder.id(), clock.clone()).of(key.id());
    let hardware = HardwareProfile {
        cpu_arch: "x86_64".into(),
        cpu_cores: 4,
        memory_bytes: 16 << 30,
        disk_free_bytes: 100 << 30,
        score_per_core: 1_000,
        ..HardwareProfile::default()
    };
    let readings =
        Readings { memory_available_bytes: 12 << 30, disk_free_bytes: 100 << 30, ..Readings::default() };
    Parts {
        key: key.clone(),
        genesis,
        chain: MembershipChain(chain),
        transport: Arc::new(transport),
        transport_events,
        executor: Arc::new(FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()))),
        services: None,
        blobs: Arc::new(blobs),
        journal: Arc::new(MemoryJournal::new()),
        ledger: Arc::new(ledger),
        machine: Arc::new(FakeMachine::new(hardware, readings)),
        clock,
        starts: 1,
        limits: ContributionLimits::default(),
        config: Config::default(),
    }
}

/// A node whose rounds the test goes through itself.
struct Driven {
    node: Node,
    sources: Sources,
    writer: JournalWriter,
    handle: Handle,
}

impl Driven {
    async fn build(parts: Parts) -> Self {
        let (handle, node, sources, writer) = Node::assemble(parts).await.expect("node starts");
        Self { node, sources, writer, handle }
    }

    /// Goes through rounds until `holds`.
    async fn until(&mut self, what: &str, holds: impl Fn(&Node) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(600);
        while !holds(&self.node) {
            assert!(Instant::now() < deadline, "{what} did not come true");
            self.node.round(&mut self.sources, &self.writer).await;
        }
    }
}

fn no_op_job(program: Hash, tasks: i64, verify: Verify) -> JobSpec {
    let program = Program {
        hash: program,
        size_bytes: 7,
        level: Level::Vm,
        function: String::new(),
        args: Vec::new(),
        env: Vec::new(),
        deterministic: true,
        needs: Needs::default(),
    };
    let stage = StageSpec {
        name: "no-op".into(),
        program,
        inputs: StageInputs::Numbers { from: 0, to: tasks, step: 1 },
        after: Vec::new(),
        limits: TaskLimits::default(),
        constraints: Constraints::default(),
        verify,
        failures_max: 2,
        retry: Retry::default(),
        level_reason: LevelReason::Given,
        check: None,
        when: Vec::new(),
        may_fail: false,
        accept_any_exit: false,
        hedge: true,
    };
    JobSpec {
        name: "no-op".into(),
        stages: vec![stage],
        wait_ms: 60_000,
        deadline_ms: None,
        budget: None,
        seed: 1,
        durable: true,
    }
}

async fn ten_thousand(verify: Verify) {
    let network = MemoryNetwork::new(&PROTOCOLS);
    let keys: Vec<Keypair> = (1..=4).map(|seed| Keypair::from_seed([seed; 32])).collect();
    let blobs = MemoryBlobs::new(1 << 30);
    let program = blobs.put(b"program").expect("room for a blob").hash;
    let mut consumer = Driven::build(parts(&network, &keys[0], &keys[0], blobs)).await;
    let mut providers = Vec::new();
    for key in &keys[1..] {
        let provider = parts(&network, &keys[0], key, MemoryBlobs::new(1 << 30));
        let knock = crate::member_knock(&provider.genesis, &provider.chain);
        let (handle, end) = Node::start(provider).await.expect("node starts");
        let (network, from, to) = (network.clone(), key.id(), keys[0].id());
        providers.push((handle, end));
        tokio::spawn(async move { network.discover(from, to, knock).await });
    }
    consumer.until("a sky of four", |node| node.market.len() == 4).await;
    let job = JobId::from_bytes([7; 10]);
    let (answer, mut taken) = oneshot::channel();
    let spec = Box::new(no_op_job(program, 10_000, verify));
    let submit = Request::Submit { job, spec, answer };
    consumer.handle.requests.send(submit).await.expect("the node takes requests");
    consumer.until("the job's end", |node| node.consumer.view(job).is_some_and(|v| v.state.is_final())).await;
    assert!(taken.try_recv().is_ok_and(|taken| taken.is_ok()), "it was acknowledged on the way");
    let view = consumer.node.consumer.view(job).expect("its end is remembered");
    assert_eq!(view.stages[0].accepted, 10_000);
    // What is left may take its time to go: agreements end, streams are closed, signatures arrive.
    let idle = |node: &Node| {
        node.consumer.is_idle()
            && node.host.is_idle()
            && node.payments.is_idle()
            && node.audits.is_idle()
            && node.ledger.is_idle()
            && node.links.is_idle()
    };
    consumer.until("an empty node", idle).await;
    assert!(consumer.node.local.is_empty() && consumer.node.pending.records.is_empty());
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_tasks_leave_nothing_behind() {
    ten_thousand(Verify::None).await;
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_verified_tasks_leave_nothing_behind() {
    ten_thousand(Verify::Quorum { agree: 2, replicas: 2, replicas_max: 3 }).await;
}
