//! The API of a real node on in-memory ports, spoken to with the real client.

use opensky_client::{
    Client, ClientError,
    api::{
        Code, Problem,
        event::{JobEvent, LogQuery},
        job::{InputsRequest, JobRequest, ProgramRequest, StageRequest},
        membership::InviteRequest,
        progress::{RunsQuery, StateView},
        routes,
    },
};
use opensky_gateway::{Surroundings, Token};
use opensky_node::{Config, Node, Parts};
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
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;

const TOKEN: &str = "0123456789abcdef";

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
struct Served {
    client: Client,
    address: String,
}

async fn serve() -> Served {
    let key = Keypair::from_seed([1; 32]);
    let (transport, transport_events) = MemoryNetwork::new(&PROTOCOLS).start(key.id());
    let genesis = Genesis {
        name: "test".into(),
        founder: key.id(),
        founded_at: Timestamp::default(),
        invites: InvitePolicy::Members,
        economy_free: true,
        supply: Micros::ZERO,
        validators: vec![key.id()],
        epoch_blocks: EPOCH_BLOCKS,
        nonce: 1,
    };
    let executor = FakeExecutor::new(|batch, item| {
        let run = FakeRun::writes(item.input.item.clone());
        if batch.program.args.contains(&"slow".into()) { run.forever() } else { run }
    });
    let clock = Arc::new(MovingClock { started: Instant::now(), random: FakeClock::default() });
    let ledger = MemoryLedger::free(genesis.sky(), key.id(), clock.clone());
    let parts = Parts {
        key,
        genesis,
        chain: MembershipChain::default(),
        transport: Arc::new(transport),
        transport_events,
        executor: Arc::new(executor),
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
    let log = std::env::temp_dir().join(format!("opensky-gateway-test-{}.log", std::process::id()));
    std::fs::write(&log, "one\ntwo\nthree\n").expect("log file");
    let surroundings = Surroundings {
        name: "tester".into(),
        version: "0.0.0".into(),
        data_dir: "/nowhere".into(),
        config: Default::default(),
        log_file: log,
        doctor: Arc::new(Vec::new),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("free port");
    let address = listener.local_addr().expect("address").to_string();
    let stop = CancellationToken::new();
    tokio::spawn(opensky_gateway::serve(listener, handle, Token::new(TOKEN.into()), surroundings, stop));
    Served { client: Client::new(&address, TOKEN), address }
}

fn job(program: Hash, count: i64, args: &[&str]) -> JobRequest {
    let stage = StageRequest {
        name: "numbers".into(),
        program: ProgramRequest {
            hash: program,
            size_bytes: 7,
            level: Level::Vm,
            function: String::new(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            deterministic: true,
        },
        inputs: InputsRequest::Numbers { from: 0, to: count, step: 1 },
        after: Vec::new(),
        limits: Default::default(),
        constraints: Default::default(),
        verify: Default::default(),
        failures_max: 1,
        accept_any_exit: false,
        hedge: false,
    };
    JobRequest {
        name: "numbers".into(),
        stages: vec![stage],
        wait_ms: 60_000,
        deadline_ms: None,
        seed: None,
        durable: true,
    }
}

fn code(error: &ClientError) -> Option<Code> {
    match error {
        ClientError::Problem(problem) => Some(problem.code),
        _ => None,
    }
}

#[tokio::test]
async fn w1_no_token_no_answer() {
    let served = serve().await;
    let stranger = Client::new(&served.address, "wrong");
    assert_eq!(code(&stranger.status().await.expect_err("refused")), Some(Code::Unauthorized));
    let bare = reqwest::get(format!("http://{}{}", served.address, routes::JOBS)).await.expect("answer");
    assert_eq!(bare.status(), 401);
    assert_eq!(bare.headers()["content-type"], routes::PROBLEM_CONTENT_TYPE);
}

#[tokio::test]
async fn w3_a_name_of_the_internet_is_not_this_machine() {
    let served = serve().await;
    let request = reqwest::Client::new()
        .get(format!("http://{}{}", served.address, routes::STATUS))
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("host", "evil.example");
    let answer = request.send().await.expect("answer");
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn a_job_is_submitted_followed_and_read() {
    let Served { client, .. } = serve().await;
    let program = client.upload(b"program".to_vec()).await.expect("upload");
    assert_eq!(client.blob(program.hash).await.expect("download"), b"program");
    let submitted = client.submit(job(program.hash, 5, &["{item}"])).await.expect("submit");
    assert_eq!(submitted.tasks, 5);
    let mut events = client.events(submitted.job);
    let mut last = None;
    while let Some(event) = events.next().await.expect("event") {
        if let JobEvent::Job { state, .. } = event {
            last = Some(state);
        }
    }
    assert_eq!(last, Some(StateView::Succeeded), "the stream ends with the job");
    let detail = client.job(submitted.job).await.expect("detail");
    assert_eq!(detail.summary.tasks.done, 5);
    assert_eq!(detail.nodes.iter().map(|node| node.accepted).sum::<u32>(), 5);
    let page = client
        .runs_page(submitted.job, &RunsQuery { limit: Some(2), ..RunsQuery::default() })
        .await
        .expect("page");
    assert_eq!((page.runs.len(), page.next.is_some()), (2, true));
    let outputs = client.outputs(submitted.job, 0).await.expect("outputs");
    assert_eq!(
        outputs.iter().map(|output| output.stdout.clone()).collect::<Vec<_>>(),
        [b"0", b"1", b"2", b"3", b"4"]
    );
    let receipt = page.runs[0].receipt.expect("receipt");
    client.receipt(receipt).await.expect("receipt").verify().expect("holds offline");
    let log = client
        .task_log(submitted.job, "0.3".parse().expect("task"), &LogQuery::default())
        .await
        .expect("log");
    assert_eq!(log.bytes().await.expect("bytes"), "3");
    client.remove(submitted.job).await.expect("removed");
    assert_eq!(code(&client.job(submitted.job).await.expect_err("gone")), Some(Code::JobNotFound));
}

#[tokio::test]
async fn a_running_job_is_cancelled_and_not_removed_before() {
    let Served { client, .. } = serve().await;
    let program = client.upload(b"program".to_vec()).await.expect("upload");
    let submitted = client.submit(job(program.hash, 3, &["slow"])).await.expect("submit");
    assert_eq!(code(&client.remove(submitted.job).await.expect_err("it runs")), Some(Code::WrongState));
    client.cancel(submitted.job).await.expect("cancelled");
    assert_eq!(client.wait(submitted.job).await.expect("ends").summary.state, StateView::Cancelled);
    assert_eq!(code(&client.cancel(submitted.job).await.expect_err("over")), Some(Code::WrongState));
}

#[tokio::test]
async fn wrong_requests_get_problems() {
    let Served { client, address } = serve().await;
    let missing = client.submit(job(Hash::of(b"never uploaded"), 1, &[])).await.expect_err("missing blob");
    assert_eq!(code(&missing), Some(Code::BlobNotFound));
    let program = client.upload(b"program".to_vec()).await.expect("upload");
    let empty = client.submit(job(program.hash, 0, &[])).await.expect_err("no tasks");
    assert_eq!(code(&empty), Some(Code::InvalidJob));
    let http = reqwest::Client::new();
    for (method, route, body, expected) in [
        ("POST", routes::JOBS, "{", Code::InvalidRequest),
        ("POST", routes::JOBS, r#"{"name":"x","stages":[],"surprise":1}"#, Code::InvalidRequest),
        ("GET", "/v1/jobs/nonsense", "", Code::InvalidRequest),
        ("GET", "/v1/jobs/0000000000000000", "", Code::JobNotFound),
        ("GET", "/v1/nothing", "", Code::NoSuchRoute),
        ("PUT", routes::LIMITS, r#"{"share":true}"#, Code::InvalidRequest),
        ("POST", routes::INVITES, r#"{"uses_max":0}"#, Code::InvalidRequest),
        ("GET", "/v1/blobs/00", "", Code::InvalidRequest),
        ("GET", "/v1/jobs?limit=x", "", Code::InvalidRequest),
    ] {
        let request = http
            .request(method.parse().expect("method"), format!("http://{address}{route}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .body(body);
        let answer = request.send().await.expect("answer");
        let status = answer.status().as_u16();
        let problem: Problem =
            serde_json::from_slice(&answer.bytes().await.expect("body")).expect("a problem");
        assert_eq!((problem.code, problem.status), (expected, status), "{method} {route} {body}");
    }
}

#[tokio::test]
async fn limits_invites_and_logs() {
    let Served { client, .. } = serve().await;
    let mut limits = client.limits().await.expect("limits").limits;
    limits.share = false;
    let changed = client.set_limits(&limits).await.expect("set");
    assert_eq!((changed.limits.share, changed.closed_reason.as_str()), (false, "paused"));
    let invite = client.invite(&InviteRequest::default()).await.expect("invite");
    let listed = client.invites().await.expect("invites");
    assert_eq!(listed.invites[0].token, invite.token);
    let log = client.logs(&serde_json::from_str(r#"{"lines":2}"#).expect("query")).await.expect("log");
    assert_eq!(log.text().await.expect("text"), "two\nthree\n");
    let status = client.status().await.expect("status");
    assert_eq!((status.name.as_str(), status.sharing.closed_reason.as_str()), ("tester", "paused"));
    assert_eq!(client.members().await.expect("members").members.len(), 0);
}
