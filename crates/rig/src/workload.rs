//! Clients: one at each node, which moves money and reads, whatever happens, and writes down what it saw.

use crate::{
    history::{Event, Write},
    world::World,
};
use anyhow::Result;
use opensky_client::{
    Client, ClientError,
    api::{
        problem::Code,
        routes::NODE_FILE,
        transaction::WhereView,
        wallet::{Payee, TransferRequest, WalletQuery},
    },
};
use opensky_types::{Hash, Micros, NodeId};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long one call may take before its outcome counts as unknown.
const CALL_MAX: Duration = Duration::from_secs(3);
/// How long a transfer is waited for in one call, and how many calls before the next transfer is asked for.
const WAIT: Duration = Duration::from_secs(1);
const WAITS_MAX: usize = 2;
/// Transfers of a client that may be open before it asks for no more.
const OPEN_MAX: usize = 16;
/// Between two reads of a client, and after a call that failed.
const READ_PAUSE: Duration = Duration::from_millis(100);
const FAIL_PAUSE: Duration = Duration::from_millis(50);
/// Largest transfer, in micros.
const MICROS_MAX: u64 = 1_000;

/// What all clients write into. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    began: Instant,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Recorder {
    /// An empty one.
    pub fn new() -> Self {
        Self { began: Instant::now(), events: Arc::default() }
    }

    /// Microseconds since the run began.
    pub fn now_us(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Writes an event down.
    pub fn record(&self, event: Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    /// The highest block that a node spoke of since the last [`Recorder::take`].
    pub fn highest(&self) -> u64 {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().filter_map(Event::height).max().unwrap_or_default()
    }

    /// What was written since the last time, in order.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What clients share.
struct Shared {
    recorder: Recorder,
    accounts: Vec<NodeId>,
    numbers: AtomicU64,
    pause: AtomicBool,
    stop: AtomicBool,
}

/// The clients; they end with the value.
pub struct Workload {
    shared: Arc<Shared>,
    /// Each holds its own while it does something.
    busy: Vec<Arc<Mutex<()>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Workload {
    /// Starts a client at each node.
    pub fn start(world: &World, recorder: &Recorder, seed: u64) -> Self {
        let shared = Arc::new(Shared {
            recorder: recorder.clone(),
            accounts: world.nodes.iter().map(|node| node.id).collect(),
            numbers: AtomicU64::new(1),
            pause: AtomicBool::new(true),
            stop: AtomicBool::new(false),
        });
        let mut workload = Self { shared: Arc::clone(&shared), busy: Vec::new(), threads: Vec::new() };
        for (number, node) in world.nodes.iter().enumerate() {
            let busy = Arc::new(Mutex::new(()));
            let desk = Desk {
                node: number,
                folder: node.folder.clone(),
                shared: Arc::clone(&shared),
                busy: Arc::clone(&busy),
            };
            let (place, seed) = (node.place.clone(), seed ^ (number as u64 + 1));
            workload.busy.push(busy);
            workload.threads.push(thread::spawn(move || {
                if let Err(error) = place.enter().and_then(|()| desk.work(seed)) {
                    eprintln!("the client of {} broke: {error:#}", place.name);
                }
            }));
        }
        workload
    }

    /// Lets the clients go on.
    pub fn go(&self) {
        self.shared.pause.store(false, Ordering::Relaxed);
    }

    /// Lets the clients rest, and waits until none is in the middle of something.
    pub fn rest(&self) {
        self.shared.pause.store(true, Ordering::Relaxed);
        for busy in &self.busy {
            drop(busy.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // What it had to say it has said.
            let _ = thread.join();
        }
    }
}

/// The client at one node.
struct Desk {
    node: usize,
    folder: PathBuf,
    shared: Arc<Shared>,
    busy: Arc<Mutex<()>>,
}

/// The client of a node, for as long as the node is the same process.
#[derive(Default)]
struct Known {
    process: String,
    client: Option<Client>,
}

impl Known {
    /// After a start the API has another port.
    fn client(&mut self, folder: &Path) -> Option<Client> {
        let process = std::fs::read_to_string(folder.join(NODE_FILE)).ok()?;
        if process != self.process || self.client.is_none() {
            self.client = Client::from_data_dir(folder).ok();
            self.process = process;
        }
        self.client.clone()
    }
}

/// A transfer that was asked for and is not known to be final.
struct Open {
    write: u64,
    asked_us: u64,
    id: Hash,
}

impl Desk {
    fn work(self, seed: u64) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut chance = StdRng::seed_from_u64(seed);
        let mut open = VecDeque::new();
        let mut known = Known::default();
        while !self.shared.stop.load(Ordering::Relaxed) {
            if self.shared.pause.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
                continue;
            }
            let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            runtime.block_on(async { self.turn(known.client(&self.folder), &mut chance, &mut open).await });
            drop(busy);
        }
        Ok(())
    }

    /// A transfer, with reads beside it.
    async fn turn(&self, client: Option<Client>, chance: &mut StdRng, open: &mut VecDeque<Open>) {
        let Some(client) = client else { return tokio::time::sleep(FAIL_PAUSE).await };
        let account = chance.random_range(0..self.shared.accounts.len());
        let writing = async {
            if let Some(oldest) = open.pop_front() {
                self.follow(&client, oldest, open, 1, Duration::ZERO).await;
            }
            if open.len() < OPEN_MAX {
                self.write(&client, chance, open).await;
            }
        };
        tokio::pin!(writing);
        loop {
            tokio::select! {
                () = &mut writing => return,
                () = self.read(&client, account) => {}
            }
        }
    }

    async fn write(&self, client: &Client, chance: &mut StdRng, open: &mut VecDeque<Open>) {
        let others = self.shared.accounts.len() - 1;
        let to = (self.node + 1 + chance.random_range(0..others)) % self.shared.accounts.len();
        let micros = chance.random_range(1..=MICROS_MAX);
        let number = self.shared.numbers.fetch_add(1, Ordering::Relaxed);
        let write = Write { number, from: self.node, to, micros };
        let request = TransferRequest {
            to: Payee::of_node(self.shared.accounts[to]),
            amount_micros: Micros::new(micros),
            memo: write.memo(),
            dry_run: false,
        };
        let asked_us = self.shared.recorder.now_us();
        self.record(Event::Asked { at_us: asked_us, write });
        match tokio::time::timeout(CALL_MAX, client.transfer(&request)).await {
            Ok(Ok(sent)) => {
                let Some(id) = sent.id else { return };
                self.follow(client, Open { write: number, asked_us, id }, open, WAITS_MAX, WAIT).await;
            }
            Ok(Err(ClientError::Problem(problem))) => {
                if is_refusal(problem.code) {
                    self.record(Event::Refused { write: number });
                }
                tokio::time::sleep(FAIL_PAUSE).await;
            }
            // It may have been taken: nobody knows.
            Ok(Err(_)) | Err(_) => tokio::time::sleep(FAIL_PAUSE).await,
        }
    }

    /// Asks what became of a transfer; what stays open is asked about again later.
    async fn follow(
        &self,
        client: &Client,
        one: Open,
        open: &mut VecDeque<Open>,
        waits: usize,
        wait: Duration,
    ) {
        for _ in 0..waits {
            let asking = client.transaction(one.id, wait);
            match tokio::time::timeout(CALL_MAX, asking).await {
                Ok(Ok(seen)) => match (seen.standing, seen.height) {
                    (WhereView::Final, Some(height)) => {
                        let Open { write, asked_us, .. } = one;
                        let at_us = self.shared.recorder.now_us();
                        self.record(Event::Acknowledged { at_us, node: self.node, write, height, asked_us });
                        return;
                    }
                    // Given up, or forgotten in a restart; another node may still bring it in.
                    (WhereView::Unknown, _) => return,
                    _ => {}
                },
                Ok(Err(_)) | Err(_) => {
                    tokio::time::sleep(FAIL_PAUSE).await;
                    break;
                }
            }
        }
        open.push_back(one);
    }

    async fn read(&self, client: &Client, account: usize) {
        let recorder = &self.shared.recorder;
        let node = self.node;
        let asked_us = recorder.now_us();
        if let Ok(Ok(ledger)) = tokio::time::timeout(CALL_MAX, client.ledger()).await {
            let (at_us, height) = (recorder.now_us(), ledger.head.height);
            let block = ledger.head.block.to_string();
            self.record(Event::Read { asked_us, at_us, node, height, block });
        }
        let asked_us = recorder.now_us();
        let query = WalletQuery { account: Some(Payee::of_node(self.shared.accounts[account])) };
        if let Ok(Ok(wallet)) = tokio::time::timeout(CALL_MAX, client.wallet(&query)).await {
            let (at_us, height) = (recorder.now_us(), wallet.head.height);
            let micros = wallet.total.available().get();
            self.record(Event::Balance { asked_us, at_us, node, account, height, micros });
        }
        tokio::time::sleep(READ_PAUSE).await;
    }

    fn record(&self, event: Event) {
        self.shared.recorder.record(event);
    }
}

/// Whether an answer means that the transfer was not taken. Others leave it open.
fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidRequest
            | Code::Unauthorized
            | Code::NotAllowed
            | Code::AccountNotFound
            | Code::TransactionRejected
            | Code::SpendLimit
            | Code::LedgerNotReady
            | Code::RateLimited
    )
}
