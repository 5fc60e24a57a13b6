//! How fast four validators on this machine agree, beside what the machine itself allows.
//!
//! `cargo run --release -p opensky-consensus --example commit [seconds]` starts four validators in one
//! process, over TCP on loopback and with journals on disk, around a ledger that only counts. It prints
//! commit latency with one transaction at a time, blocks per second under constant work, latency with
//! one validator dead, and the round trip and fdatasync of this machine measured in the same run.

use anyhow::{Context, Result, ensure};
use opensky_consensus::{
    Address, Block, BlockId, Certificate, Chain, EpochLength, Evidence, Failure, LostJournal, Place,
    Proposal, Rules, Tip, Validator, ValidatorConfig, ValidatorSet,
};
use opensky_types::{Hash, Keypair};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

const VALIDATORS: u8 = 4;

/// What is asked of the ledger, and how far one validator is with it.
#[derive(Default)]
struct Counter {
    asked: AtomicU64,
    done: Mutex<(u64, u64)>,
    changed: Condvar,
}

impl Counter {
    /// Waits until the count is final at the first validator.
    fn wait(&self, count: u64) -> Result<()> {
        let done = self.done.lock().expect("no panic");
        let (done, timeout) = self
            .changed
            .wait_timeout_while(done, Duration::from_secs(30), |(done, _)| *done < count)
            .expect("no panic");
        ensure!(!timeout.timed_out(), "count {count} is not final after 30 s, {} is", done.0);
        Ok(())
    }

    fn height(&self) -> u64 {
        self.done.lock().expect("no panic").1
    }
}

/// A ledger whose state is one number: how much of what was asked is in it.
struct Count {
    counter: Arc<Counter>,
    reports: bool,
    set: ValidatorSet,
    known: BTreeMap<BlockId, (u64, u64)>,
    height: u64,
}

impl Chain for Count {
    fn tip(&self) -> Tip {
        Tip { height: self.height, certified: None }
    }

    fn validators(&self, _: u64) -> Option<ValidatorSet> {
        Some(self.set.clone())
    }

    fn knows(&self, block: BlockId) -> bool {
        self.known.contains_key(&block)
    }

    fn propose(&mut self, place: &Place) -> Option<Proposal> {
        let asked = self.counter.asked.load(Ordering::Acquire);
        let (_, count) = self.known[&place.parent];
        let fresh = asked > count || place.even_empty;
        let next_validators = place.ends_epoch.then(|| self.set.clone());
        let body = asked.to_be_bytes();
        fresh.then(|| Proposal { commitment: Hash::of(&body), body: body.to_vec().into(), next_validators })
    }

    fn verify(&mut self, block: &Block) -> bool {
        let Ok(count) = block.body().as_ref().try_into().map(u64::from_be_bytes) else { return false };
        self.known.insert(block.id(), (block.header().height, count));
        true
    }

    fn finalized(&mut self, block: &Block, _: Option<&Certificate>) -> Result<(), Failure> {
        if !self.knows(block.id()) && !self.verify(block) {
            return Err("a final block is wrong".into());
        }
        self.height = block.header().height;
        self.known.retain(|_, (height, _)| *height >= self.height);
        if self.reports {
            let (_, count) = self.known[&block.id()];
            *self.counter.done.lock().expect("no panic") = (count, self.height);
            self.counter.changed.notify_all();
        }
        Ok(())
    }

    fn offence(&mut self, _: &Evidence) {}
}

struct Sky {
    counter: Arc<Counter>,
    validators: Vec<Validator>,
}

impl Sky {
    fn start(folder: &Path) -> Result<Self> {
        let keys: Vec<Keypair> = (1..=VALIDATORS).map(|seed| Keypair::from_seed([seed; 32])).collect();
        let set = ValidatorSet::new(keys.iter().map(Keypair::id))?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let genesis = Block::genesis(
            Hash::of(b"example"),
            &set,
            now.as_millis() as u64,
            Hash::of(b""),
            Default::default(),
        );
        let counter = Arc::new(Counter::default());
        let ports = free_ports(keys.len())?;
        let address = |index: usize| Address::Ip(([127, 0, 0, 1], ports[index]).into());
        let mut validators = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let known = keys.iter().enumerate().filter(|(other, _)| *other != index);
            let home = folder.join(index.to_string());
            std::fs::create_dir_all(&home)?;
            let config = ValidatorConfig {
                key: key.clone(),
                genesis: genesis.clone(),
                rules: Rules::new(EpochLength::new(1_000_000).context("an epoch length")?),
                listen: ([127, 0, 0, 1], ports[index]).into(),
                dialable: address(index),
                known: known.map(|(other, key)| (key.id(), address(other))).collect(),
                folder: home.join("engine"),
                mark: home.join("voted"),
                lost_journal: LostJournal::Follow,
            };
            let chain = Count {
                counter: counter.clone(),
                reports: index == 0,
                set: set.clone(),
                known: BTreeMap::from([(genesis.id(), (0, 0))]),
                height: 0,
            };
            validators.push(Validator::start(config, chain)?);
        }
        Ok(Self { counter, validators })
    }

    fn submit(&self) -> u64 {
        let count = self.counter.asked.fetch_add(1, Ordering::AcqRel) + 1;
        for validator in &self.validators {
            validator.work().notify_waiters();
        }
        count
    }

    /// One transaction at a time: how long each takes to be final.
    fn latencies(&self, time: Duration) -> Result<Vec<Duration>> {
        let end = Instant::now() + time;
        let mut latencies = Vec::new();
        while Instant::now() < end {
            let started = Instant::now();
            self.counter.wait(self.submit())?;
            latencies.push(started.elapsed());
        }
        Ok(latencies)
    }

    /// Always something to propose: blocks per second.
    fn blocks_per_second(&self, time: Duration) -> f64 {
        let (started, height) = (Instant::now(), self.counter.height());
        while started.elapsed() < time {
            self.submit();
            std::thread::sleep(Duration::from_micros(200));
        }
        (self.counter.height() - height) as f64 / started.elapsed().as_secs_f64()
    }
}

fn main() -> Result<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(10), |text| text.parse())?;
    let time = Duration::from_secs(seconds);
    let folder = tempfile::tempdir_in(".")?;
    let round_trip = percentile(&mut round_trips()?, 50);
    let sync = percentile(&mut syncs(folder.path())?, 50);
    let floor = round_trip * 3 / 2 + sync;
    println!("loopback round trip p50      {round_trip:>12.3?}");
    println!("fdatasync p50                {sync:>12.3?}");
    println!("3 hops + 1 fdatasync         {floor:>12.3?}");

    let mut sky = Sky::start(folder.path())?;
    // The first block waits for connections.
    sky.counter.wait(sky.submit())?;
    let mut latencies = sky.latencies(time)?;
    let p50 = percentile(&mut latencies, 50);
    println!(
        "commit p50                   {p50:>12.3?}  {:.1} x floor",
        p50.as_secs_f64() / floor.as_secs_f64()
    );
    println!(
        "commit p99                   {:>12.3?}  of {}",
        percentile(&mut latencies, 99),
        latencies.len()
    );
    println!("blocks per second            {:>12.1}", sky.blocks_per_second(time));

    sky.validators.pop().context("four validators")?.stop()?;
    let mut latencies = sky.latencies(time)?;
    println!("one of four dead: commit p50 {:>12.3?}", percentile(&mut latencies, 50));
    println!(
        "one of four dead: commit p99 {:>12.3?}  of {}",
        percentile(&mut latencies, 99),
        latencies.len()
    );
    for validator in sky.validators {
        validator.stop()?;
    }
    Ok(())
}

fn free_ports(count: usize) -> Result<Vec<u16>> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

fn percentile(durations: &mut [Duration], percent: usize) -> Duration {
    durations.sort_unstable();
    durations[(durations.len() - 1) * percent / 100]
}

/// There and back over TCP, 200 bytes, the size of a vote.
fn round_trips() -> Result<Vec<Duration>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let echo = std::thread::spawn(move || {
        let mut message = [0; 200];
        while server.read_exact(&mut message).is_ok() && server.write_all(&message).is_ok() {}
    });
    let mut message = [0; 200];
    let mut times = Vec::new();
    for _ in 0..5_000 {
        let started = Instant::now();
        client.write_all(&message)?;
        client.read_exact(&mut message)?;
        times.push(started.elapsed());
    }
    drop(client);
    echo.join().expect("the echo does not panic");
    Ok(times)
}

/// A short append and fdatasync, as a journal does.
fn syncs(folder: &Path) -> Result<Vec<Duration>> {
    let mut file = File::create(folder.join("synced"))?;
    let mut times = Vec::new();
    for _ in 0..300 {
        let started = Instant::now();
        file.write_all(&[7; 200])?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    Ok(times)
}
