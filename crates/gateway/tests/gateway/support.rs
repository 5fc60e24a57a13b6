//! A node on in-memory ports with its API on a free port.

use opensky_client::{
    Client, ClientError,
    api::{
        Code,
        job::{InputsRequest, JobRequest, NeedsView, ProgramRequest, StageRequest},
        routes,
    },
};
use opensky_gateway::{Remote, Surroundings, Token};
use opensky_node::{Config, Handle, Node, Parts};
use opensky_ports::testing::{
    FakeClock, FakeExecutor, FakeMachine, FakeRun, MemoryBlobs, MemoryJournal, MemoryLedger, MemoryNetwork,
};
use opensky_protocol::PROTOCOLS;
use opensky_types::{
    Hash, Keypair, Micros, Timestamp,
    limits::ContributionLimits,
    membership::{EPOCH_BLOCKS, Genesis, InvitePolicy, MembershipChain},
    place::Level,
    samples,
};
use std::sync::Arc;
use tokio::{net::TcpListener, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

pub const TOKEN: &str = "0123456789abcdef";

/// Time that passes, and randomness that is the same in each run. On a clock that stands still a job
/// that no node fits at its first look never looks again: the next look has its time on this clock.
struct MovingClock {
    started: Instant,
    random: FakeClock,
}

impl opensky_ports::Clock for MovingClock {
    fn now(&self) -> Timestamp {
        samples::NOW.plus_ms(self.started.elapsed().as_millis() as u64)
    }
    fn monotonic_us(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }
    fn random(&self) -> [u8; 32] {
        self.random.random()
    }
}

/// A node with its API on a free port; ends with the test.
pub struct Served {
    pub client: Client,
    pub address: String,
    /// The node.
    pub handle: Handle,
    /// Stops the API.
    pub stop: CancellationToken,
    /// The API; it answers what it ended with.
    pub server: JoinHandle<std::io::Result<()>>,
}

/// The key of the node.
pub fn own_key() -> Keypair {
    Keypair::from_seed([1; 32])
}

/// In a sky without prices.
pub async fn serve() -> Served {
    serve_with(Micros::ZERO).await
}

/// In a sky whose founder, this node, has `supply`; without prices if that is nothing.
pub async fn serve_with(supply: Micros) -> Served {
    let key = own_key();
    let (transport, transport_events) = MemoryNetwork::new(&PROTOCOLS).start(key.id());
    let genesis = Genesis {
        name: "test".into(),
        founder: key.id(),
        founded_at: Timestamp::default(),
        invites: InvitePolicy::Members,
        economy_free: supply == Micros::ZERO,
        supply,
        validators: vec![key.id()],
        epoch_blocks: EPOCH_BLOCKS,
        nonce: 1,
    };
    let executor = FakeExecutor::new(|batch, item| {
        let run = FakeRun::writes(item.input.item.clone());
        if batch.program.args.contains(&"slow".into()) { run.forever() } else { run }
    });
    let clock = Arc::new(MovingClock { started: Instant::now(), random: FakeClock::default() });
    let ledger = match supply {
        Micros::ZERO => MemoryLedger::free(genesis.sky(), key.id(), clock.clone()),
        supply => MemoryLedger::paid(genesis.sky(), key.id(), supply, clock.clone()),
    };
    let parts = Parts {
        key,
        genesis,
        chain: MembershipChain::default(),
        transport: Arc::new(transport),
        transport_events,
        executor: Arc::new(executor),
        services: None,
        blobs: Arc::new(MemoryBlobs::new(1 << 30)),
        journal: Arc::new(MemoryJournal::new()),
        ledger: Arc::new(ledger),
        machine: Arc::new(FakeMachine::default()),
        clock,
        starts: 1,
        limits: ContributionLimits::default(),
        config: Config::default(),
    };
    let (handle, _) = Node::start(parts).await.expect("node starts");
    serve_node(handle).await
}

/// The API of a node that runs.
pub async fn serve_node(handle: Handle) -> Served {
    serve_with_remote(handle, None).await
}

/// The same, for other machines too.
pub async fn serve_with_remote(handle: Handle, remote: Option<Remote>) -> Served {
    let log = std::env::temp_dir().join(format!("opensky-gateway-test-{}.log", std::process::id()));
    std::fs::write(&log, "one\ntwo\nthree\n").expect("log file");
    let surroundings = Surroundings {
        name: "tester".into(),
        version: "0.0.0".into(),
        data_dir: "/nowhere".into(),
        config: Default::default(),
        log_file: log,
        doctor: Arc::new(Vec::new),
        rename: Arc::new(|name| match name {
            "" => Err("a name is needed".to_owned()),
            name => Ok(name.to_owned()),
        }),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("free port");
    let address = listener.local_addr().expect("address").to_string();
    let stop = CancellationToken::new();
    let token = Token::new(TOKEN.into());
    let serving = opensky_gateway::serve(listener, remote, handle.clone(), token, surroundings, stop.clone());
    let server = tokio::spawn(serving);
    Served { client: Client::new(&address, TOKEN), address, handle, stop, server }
}

/// A job of one task; with "slow" in `args` it does not end by itself.
pub fn job(program: Hash, name: &str, args: &str) -> JobRequest {
    let program = ProgramRequest {
        hash: program,
        size_bytes: 7,
        level: Level::Vm,
        function: String::new(),
        args: args.split_whitespace().map(str::to_owned).collect(),
        env: Vec::new(),
        deterministic: true,
        needs: NeedsView::default(),
    };
    let stage = StageRequest {
        name: "one".into(),
        program,
        inputs: InputsRequest::Numbers { from: 7, to: 8, step: 1 },
        after: Vec::new(),
        limits: Default::default(),
        constraints: Default::default(),
        verify: Default::default(),
        failures_max: 1,
        retry: Default::default(),
        level_reason: opensky_types::job::LevelReason::Given,
        check: None,
        when: Vec::new(),
        may_fail: false,
        accept_any_exit: false,
        hedge: false,
    };
    JobRequest {
        name: name.into(),
        stages: vec![stage],
        wait_ms: 60_000,
        deadline_ms: None,
        budget_micros: None,
        seed: None,
        durable: true,
    }
}

/// The cookie of a browser's session.
pub async fn session(served: &Served) -> String {
    let code = served.client.login_link().await.expect("link").code;
    let request = reqwest::Client::new().post(format!("http://{}{}", served.address, routes::SESSION));
    let body = serde_json::json!({ "code": code }).to_string();
    let answer = request.header("content-type", "application/json").body(body).send().await.expect("answer");
    let cookie = answer.headers()[reqwest::header::SET_COOKIE].to_str().expect("text");
    cookie.split(';').next().expect("a pair").to_owned()
}

/// The code of a problem.
pub fn code(error: &ClientError) -> Option<Code> {
    match error {
        ClientError::Problem(problem) => Some(problem.code),
        _ => None,
    }
}
