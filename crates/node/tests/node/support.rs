//! Whole nodes on in-memory ports.

pub mod fence;
pub mod peer;

use fence::Fence;
use opensky_node::{Config, End, Handle, JobEvent, Node, Parts, member_knock};
use opensky_ports::{
    Executor, ServiceRun,
    testing::{
        FakeClock, FakeExecutor, FakeMachine, FakeService, FakeServices, MemoryBlobs, MemoryJournal,
        MemoryLedger, MemoryNetwork,
    },
};
use opensky_protocol::PROTOCOLS;
use opensky_types::{
    Hash, JobId, Keypair, Micros, NodeId, Signed, Timestamp,
    job::{JobSpec, JobState, LevelReason, Needs, Program, Retry, StageInputs, StageSpec, Verify},
    limits::ContributionLimits,
    membership::{EPOCH_BLOCKS, Genesis, InvitePolicy, Membership, MembershipChain},
    offer::Constraints,
    place::Level,
    resources::{Gpu, HardwareProfile, Readings, TaskLimits},
    service::{HealthCheck, Probe, ReplicaLimits, Restart, ServiceSpec, Update},
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// A sky in one process. The first node is the founder.
pub struct Sky {
    pub network: MemoryNetwork,
    pub genesis: Genesis,
    pub clock: Arc<SystemLikeClock>,
    pub ledger: MemoryLedger,
    pub nodes: Vec<TestNode>,
}

/// One node and what survives it.
pub struct TestNode {
    pub key: Keypair,
    pub handle: Handle,
    pub end: JoinHandle<End>,
    pub journal: MemoryJournal,
    pub fence: Fence,
    pub blobs: Arc<MemoryBlobs>,
    pub executor: Arc<FakeExecutor>,
    /// What runs its services.
    pub services: Arc<FakeServices>,
    /// The ledger as this node has it.
    pub ledger: Arc<MemoryLedger>,
    pub starts: u32,
}

/// Virtual time that follows tokio's, so that paused time moves the node's clock too.
pub struct SystemLikeClock {
    start: tokio::time::Instant,
    random: FakeClock,
}

impl opensky_ports::Clock for SystemLikeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).plus_ms(self.start.elapsed().as_millis() as u64)
    }
    fn monotonic_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }
    fn random(&self) -> [u8; 32] {
        self.random.random()
    }
}

impl Sky {
    /// A sky of `count` nodes whose executors run `program`.
    pub async fn new(count: u8, executor: impl Fn(usize) -> FakeExecutor) -> Self {
        Self::with(count, Micros::ZERO, executor).await
    }

    /// The same where work has a price, and the founder has all the money.
    pub async fn paid(count: u8, supply: Micros, executor: impl Fn(usize) -> FakeExecutor) -> Self {
        Self::with(count, supply, executor).await
    }

    async fn with(count: u8, supply: Micros, executor: impl Fn(usize) -> FakeExecutor) -> Self {
        let economy_free = supply == Micros::ZERO;
        let keys: Vec<Keypair> = (1..=count).map(|seed| Keypair::from_seed([seed; 32])).collect();
        let genesis = Genesis {
            name: "test".into(),
            founder: keys[0].id(),
            founded_at: Timestamp::default(),
            invites: InvitePolicy::Members,
            economy_free,
            supply,
            validators: vec![keys[0].id()],
            epoch_blocks: EPOCH_BLOCKS,
            nonce: 1,
        };
        let clock = Arc::new(SystemLikeClock {
            start: tokio::time::Instant::now(),
            random: FakeClock::new(Timestamp::default(), 7),
        });
        let network = MemoryNetwork::new(&PROTOCOLS);
        let (own, sky_id) = (genesis.founder, genesis.sky());
        let ledger = if economy_free {
            MemoryLedger::free(sky_id, own, clock.clone())
        } else {
            MemoryLedger::paid(sky_id, own, supply, clock.clone())
        };
        let mut sky = Self { network, genesis, clock, ledger, nodes: Vec::new() };
        for (index, key) in keys.iter().enumerate() {
            let blobs = Arc::new(MemoryBlobs::new(1 << 30));
            let node = sky.start(key, MemoryJournal::new(), blobs, Arc::new(executor(index)), 1).await;
            sky.nodes.push(node);
        }
        sky.settle().await;
        sky
    }

    /// Starts a node that belongs and knows all others.
    pub async fn start(
        &self,
        key: &Keypair,
        journal: MemoryJournal,
        blobs: Arc<MemoryBlobs>,
        executor: Arc<FakeExecutor>,
        starts: u32,
    ) -> TestNode {
        let (transport, transport_events) = self.network.start(key.id());
        let chain = self.chain_of(key.id());
        let knock = member_knock(&self.genesis, &chain);
        // As many as its engine passes on.
        let gpus = executor.engines().iter().map(|engine| engine.containers.gpus.len()).sum();
        let hardware = HardwareProfile {
            gpus: vec![gpu(); gpus],
            cpu_model: "test".into(),
            cpu_arch: "x86_64".into(),
            cpu_cores: 4,
            memory_bytes: 16 << 30,
            disk_free_bytes: 100 << 30,
            score_per_core: 1_000,
            ..HardwareProfile::default()
        };
        let readings =
            Readings { memory_available_bytes: 12 << 30, disk_free_bytes: 100 << 30, ..Readings::default() };
        let services = Arc::new(FakeServices::new(service).with_blobs(blobs.clone()));
        let fence = Fence::new(journal.clone());
        let ledger = Arc::new(self.ledger.of(key.id()));
        let parts = Parts {
            key: key.clone(),
            genesis: self.genesis.clone(),
            chain,
            transport: Arc::new(transport),
            transport_events,
            executor: executor.clone(),
            services: Some(services.clone()),
            blobs: blobs.clone(),
            journal: Arc::new(fence.clone()),
            ledger: ledger.clone(),
            machine: Arc::new(FakeMachine::new(hardware, readings)),
            clock: self.clock.clone(),
            starts,
            limits: ContributionLimits::default(),
            config: Config { offer_interval_ms: 5_000, ..Config::default() },
        };
        let (handle, end) = Node::start(parts).await.expect("node starts");
        for other in self.nodes.iter().filter(|other| other.key.id() != key.id()) {
            // A node that is down is met later.
            let _ = self.network.discover(key.id(), other.key.id(), knock.clone()).await;
        }
        TestNode { key: key.clone(), handle, end, journal, fence, blobs, executor, services, ledger, starts }
    }

    /// Ends a node at once, as a power cut would.
    pub fn kill(&mut self, index: usize) -> TestNode {
        let node = self.nodes.remove(index);
        node.fence.close();
        self.network.kill(node.key.id());
        node.end.abort();
        node
    }

    /// Starts a dead node again on what survived it, under `executor`, and puts it in its old place.
    pub async fn revive(&mut self, index: usize, dead: TestNode, executor: FakeExecutor) {
        let blobs = Arc::new(dead.blobs.restarted());
        let starts = dead.starts + 1;
        let node = self.start(&dead.key, dead.journal, blobs, Arc::new(executor), starts).await;
        self.nodes.insert(index, node);
    }

    pub fn id(&self, index: usize) -> NodeId {
        self.nodes[index].key.id()
    }

    /// A program's blob on a node.
    pub fn program(&self, index: usize) -> Hash {
        self.nodes[index].handle.blobs().put(b"program").expect("room for a blob").hash
    }

    pub fn chain_of(&self, node: NodeId) -> MembershipChain {
        if node == self.genesis.founder {
            return MembershipChain::default();
        }
        let founder = Keypair::from_seed([1; 32]);
        let membership = Membership { sky: self.genesis.sky(), node, given_at: Timestamp::default() };
        MembershipChain(vec![Signed::sign(&membership, &founder)])
    }

    /// Waits until every node knows every other one's offer.
    pub async fn settle(&self) {
        for node in &self.nodes {
            until(|| async {
                let offers = node.handle.offers().await.expect("node answers");
                offers.iter().filter(|view| view.offer.slots_total > 0).count() >= self.nodes.len()
            })
            .await;
        }
    }
}

/// What a replica does is its first argument: `crash`, `deaf`, `relay`, or a word that it greets with.
fn service(run: &ServiceRun) -> FakeService {
    match run.program.args.first().map_or("", String::as_str) {
        "crash" => FakeService::deaf().writes("no such table: users\n").exits(3, 50),
        "deaf" => FakeService::deaf(),
        "relay" => FakeService::relay(0),
        "busy" => FakeService::echo(format!("busy {}\n", run.replica.slot)).busy(90),
        word => FakeService::echo(format!("{word} {}\n", run.replica.slot)),
    }
}

/// Waits for a condition; a test whose condition never comes true fails in the end.
pub async fn until<F: Future<Output = bool>>(mut holds: impl FnMut() -> F) {
    for _ in 0..36_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("condition did not come true");
}

/// A job of one stage over numbers.
pub fn numbers_job(program: Hash, count: i64, verify: Verify) -> JobSpec {
    JobSpec {
        name: "numbers".into(),
        stages: vec![stage("numbers", program, StageInputs::Numbers { from: 0, to: count, step: 1 }, verify)],
        wait_ms: 30_000,
        deadline_ms: None,
        budget: None,
        seed: 1,
        durable: true,
    }
}

fn gpu() -> Gpu {
    Gpu { model: "Test 9000".into(), vendor: "nvidia".into(), memory_bytes: Some(24 << 30) }
}

/// A stage with defaults.
pub fn stage(name: &str, program: Hash, inputs: StageInputs, verify: Verify) -> StageSpec {
    StageSpec {
        name: name.into(),
        program: Program {
            hash: program,
            size_bytes: 7,
            level: Level::Vm,
            function: String::new(),
            args: vec!["{item}".into()],
            env: Vec::new(),
            deterministic: true,
            needs: Needs::default(),
        },
        inputs,
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
    }
}

/// Waits for a job's end.
pub async fn finish(handle: &Handle, job: JobId) -> JobState {
    let mut events = handle.watch();
    loop {
        if let Some(view) = handle.job(job).await.expect("journal reads")
            && view.stored.state.is_final()
        {
            return view.stored.state;
        }
        let next = tokio::time::timeout(Duration::from_secs(3_600), events.recv()).await;
        if let Ok(Ok(JobEvent::Changed { job: changed, state })) = next
            && changed == job
            && state.is_final()
        {
            return state;
        }
        assert!(next.is_ok(), "job did not end");
    }
}

/// The port of [`service_spec`].
pub const PORT: u16 = 80;

/// A service whose program greets with `word` and echoes.
pub fn service_spec(sky: &Sky, owner: usize, name: &str, word: &str, replicas: u16) -> ServiceSpec {
    ServiceSpec {
        name: name.into(),
        program: Program {
            hash: sky.program(owner),
            size_bytes: 7,
            level: Level::Container,
            function: String::new(),
            args: vec![word.into()],
            env: Vec::new(),
            deterministic: false,
            needs: Needs::default(),
        },
        ports: vec![PORT],
        links: Vec::new(),
        health: Some(HealthCheck::usual(Probe::Tcp { port: PORT })),
        replicas,
        limits: ReplicaLimits::default(),
        constraints: Constraints::default(),
        restart: Restart::Always,
        update: Update::default(),
        stop_ms: 1_000,
        secrets: None,
        idle_ms: None,
        scale: None,
        volumes: None,
    }
}
