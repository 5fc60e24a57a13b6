//! How many signed transfers four validators on this machine commit a second, and how fast a follower
//! catches up, beside the batch check of ed25519 signatures measured in the same run.
//!
//! `cargo run --release -p opensky-chain --example four_validators [transfers] [accounts]` starts four
//! validators in one process, over TCP on loopback, with journals and files on disk. Every transfer is
//! signed and checked by each of them; it waits at all of them, as gossip brings it about.

use anyhow::{Context, Result, ensure};
use opensky_chain::{SNAPSHOT_BLOCKS, Settings, SkyLedger, Voting};
use opensky_ledger::{
    action::Action,
    approval::Approval,
    memo::Memo,
    transaction::{SignedTransaction, Transaction},
};
use opensky_ports::{
    Clock, LedgerEngine,
    ledger::{SubmitError, Whereabouts},
    testing::SystemClock,
};
use opensky_types::{
    AccountId, Hash, Keypair, Micros,
    membership::{Genesis, InvitePolicy},
};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const VALIDATORS: u8 = 4;
/// Transactions that are handed in at a time, as a busy node does with what it hears.
const TOGETHER: usize = 256;
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(300);

fn key(number: u64) -> Keypair {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Keypair::from_seed(seed)
}

fn signed(sky: Hash, from: &Keypair, nonce: u64, to: AccountId, amount: u64) -> Result<SignedTransaction> {
    let transaction = Transaction {
        sky,
        rules: 1,
        account: AccountId::of_node(from.id()),
        nonce,
        valid_until: SystemClock.now().plus_ms(3_600_000),
        action: Action::Transfer { to, amount: Micros::new(amount), memo: Memo::default() },
    };
    Ok(transaction.signed(vec![Approval::sign(from, &transaction)]))
}

fn open(genesis: &Genesis, number: u64, listen: Option<SocketAddr>, home: &Path) -> Result<SkyLedger> {
    std::fs::create_dir_all(home)?;
    let voting = listen.map(|listen| Voting {
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

/// Hands transactions to a validator, waiting while it is full.
fn submit(ledger: &SkyLedger, transactions: &[SignedTransaction]) -> Result<()> {
    for together in transactions.chunks(TOGETHER) {
        let mut left = together.to_vec();
        while !left.is_empty() {
            let mut full = Vec::new();
            for (taken, transaction) in ledger.submit_all(left.clone()).into_iter().zip(left) {
                match taken {
                    // One that is refused came in by a block before it came by this way.
                    Ok(_) | Err(SubmitError::Rejected(_)) => {}
                    Err(SubmitError::Full(_)) => full.push(transaction),
                    Err(error) => return Err(error.into()),
                }
            }
            left = full;
            if !left.is_empty() {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
    Ok(())
}

fn wait_final(ledger: &SkyLedger, id: Hash) -> Result<()> {
    let start = Instant::now();
    while !matches!(ledger.whereabouts(&id), Whereabouts::Final { .. }) {
        ensure!(start.elapsed() < PATIENCE, "a transfer is not final");
        thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

/// Four validators with their files, and those who have money on their ledger.
struct Sky {
    genesis: Genesis,
    founder: Keypair,
    payers: Vec<Keypair>,
    ledgers: Vec<Arc<SkyLedger>>,
    folder: tempfile::TempDir,
}

fn genesis() -> Genesis {
    let mut validators: Vec<_> = (1..=u64::from(VALIDATORS)).map(|number| key(number).id()).collect();
    validators.sort_unstable();
    Genesis {
        name: "bench".into(),
        founder: key(1).id(),
        founded_at: SystemClock.now(),
        invites: InvitePolicy::Members,
        economy_free: false,
        supply: Micros::new(1 << 50),
        validators,
        epoch_blocks: 1_000,
        nonce: 1,
    }
}

impl Sky {
    /// Starts the validators and gives every payer its money.
    fn start(accounts: u64) -> Result<Self> {
        let (genesis, folder) = (genesis(), tempfile::tempdir_in(".")?);
        let listeners = (0..VALIDATORS).map(|_| TcpListener::bind("127.0.0.1:0"));
        let listeners = listeners.collect::<std::io::Result<Vec<_>>>()?;
        let addresses: Vec<SocketAddr> =
            listeners.iter().map(TcpListener::local_addr).collect::<std::io::Result<_>>()?;
        drop(listeners);
        let mut ledgers = Vec::new();
        for (number, address) in (1..).zip(&addresses) {
            let ledger = open(&genesis, number, Some(*address), &folder.path().join(number.to_string()))?;
            let known =
                (1..).zip(&addresses).map(|(number, address)| (key(number).id(), address.to_string()));
            ledger.learn_addresses(key(number).id(), known.collect());
            ledgers.push(Arc::new(ledger));
        }
        let payers = (0..accounts).map(|number| key(1_000 + number)).collect();
        let sky = Self { genesis, founder: key(1), payers, ledgers, folder };
        let seeding = (0..accounts).map(|nonce| {
            let to = sky.payer_account(nonce);
            signed(sky.genesis.sky(), &sky.founder, nonce, to, 1_000_000_000)
        });
        let seeding = seeding.collect::<Result<Vec<_>>>()?;
        for ledger in &sky.ledgers {
            submit(ledger, &seeding)?;
        }
        let last = seeding.last().context("a payer")?.clone().unchecked()?.id;
        for ledger in &sky.ledgers {
            wait_final(ledger, last)?;
        }
        Ok(sky)
    }

    /// The account of payer `number`, counted around.
    fn payer_account(&self, number: u64) -> AccountId {
        AccountId::of_node(self.payers[(number % self.accounts()) as usize].id())
    }

    fn accounts(&self) -> u64 {
        self.payers.len() as u64
    }

    /// How long a user waits: the median of transfers made one at a time.
    fn one_by_one(&self) -> Result<Duration> {
        let mut waits = Vec::new();
        for nonce in 0..50 {
            let nonce = self.accounts() + nonce;
            let transfer = signed(self.genesis.sky(), &self.founder, nonce, self.payer_account(0), 1_000)?;
            let id = transfer.clone().unchecked()?.id;
            let start = Instant::now();
            for ledger in &self.ledgers {
                submit(ledger, std::slice::from_ref(&transfer))?;
            }
            wait_final(&self.ledgers[0], id)?;
            waits.push(start.elapsed());
        }
        waits.sort_unstable();
        Ok(waits[waits.len() / 2])
    }

    /// Transfers from each payer to the next, over and over.
    fn load(&self, transfers: u64) -> Result<Vec<SignedTransaction>> {
        let one = |index: u64| {
            let from = &self.payers[(index % self.accounts()) as usize];
            signed(self.genesis.sky(), from, index / self.accounts(), self.payer_account(index + 1), 1)
        };
        (0..transfers).map(one).collect()
    }

    /// Hands the load to every validator at once and waits until all of it is final.
    fn commit(&self, load: &Arc<Vec<SignedTransaction>>) -> Result<Duration> {
        let start = Instant::now();
        let feeders: Vec<_> = self
            .ledgers
            .iter()
            .map(|ledger| {
                let (ledger, load) = (Arc::clone(ledger), Arc::clone(load));
                thread::spawn(move || submit(&ledger, &load))
            })
            .collect();
        for feeder in feeders {
            feeder.join().map_err(|_| anyhow::anyhow!("a feeder panicked"))??;
        }
        for transfer in load.iter().rev().take(self.payers.len()) {
            wait_final(&self.ledgers[0], transfer.clone().unchecked()?.id)?;
        }
        Ok(start.elapsed())
    }

    /// How long a node that has nothing takes to follow all blocks.
    fn follow(&self) -> Result<Duration> {
        let follower = open(&self.genesis, 99, None, &self.folder.path().join("follower"))?;
        let start = Instant::now();
        while follower.head().height < self.ledgers[0].head().height {
            let some = self.ledgers[0].blocks(follower.head().height + 1, 4 << 20)?;
            ensure!(!some.is_empty(), "blocks are missing");
            follower.follow(some)?;
        }
        Ok(start.elapsed())
    }
}

/// Signatures that one core checks a second, in batches.
fn signatures_per_second(load: &[SignedTransaction]) -> Result<f64> {
    let start = Instant::now();
    let checked = SignedTransaction::check_all(load.iter().take(20_000).cloned().collect())?;
    Ok(checked.len() as f64 / start.elapsed().as_secs_f64())
}

fn main() -> Result<()> {
    let argument = |index: usize, default: u64| {
        std::env::args().nth(index).map_or(Ok(default), |text| text.parse()).context("a number")
    };
    let (transfers, accounts) = (argument(1, 60_000)?, argument(2, 200)?);
    let sky = Sky::start(accounts)?;
    let wait = sky.one_by_one()?;
    println!("one transfer, p50 to final    {:>10.1} ms", wait.as_secs_f64() * 1e3);

    let load = Arc::new(sky.load(transfers)?);
    let checked = signatures_per_second(&load)?;
    println!("signatures checked in batches {checked:>10.0} /s on one core");

    let before = sky.ledgers[0].head().height;
    let took = sky.commit(&load)?.as_secs_f64();
    let committed = transfers as f64 / took;
    let blocks = sky.ledgers[0].head().height - before;
    println!(
        "transfers committed           {committed:>10.0} /s ({transfers} in {took:.1} s, {blocks} blocks)"
    );
    let ceiling = checked * 2.0 / f64::from(VALIDATORS);
    println!("of the ceiling of 2 cores     {:>10.2}", committed / ceiling);

    let followed = transfers as f64 / sky.follow()?.as_secs_f64();
    println!("a follower catches up with    {followed:>10.0} /s, {:.1} times as fast", followed / committed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for ledger in sky.ledgers {
        runtime.block_on(ledger.shut_down());
    }
    Ok(())
}
