//! Four validators as the node runs them: over TCP, with their journals on disk.

use anyhow::{Context, Result, ensure};
use opensky_consensus::{
    Address, Block, BlockId, Certificate, Chain, EpochLength, Evidence, Failure, LostJournal, Place,
    Proposal, Rules, Tip, Validator, ValidatorConfig, ValidatorSet,
};
use opensky_types::{Hash, Keypair};
use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Blocks at one validator since its start, and the count in the newest.
#[derive(Default, Clone)]
struct Seen {
    blocks: BTreeMap<u64, BlockId>,
    count: u64,
    offences: usize,
}

/// What is asked of the ledger, and how far each validator is with it.
#[derive(Default)]
struct Shared {
    asked: AtomicU64,
    seen: Mutex<BTreeMap<usize, Seen>>,
    changed: Condvar,
}

impl Shared {
    /// Waits until the count is final at all of `who`.
    fn wait(&self, who: &[usize], count: u64) -> Result<()> {
        let behind = |seen: &BTreeMap<usize, Seen>| {
            who.iter().any(|index| seen.get(index).is_none_or(|seen| seen.count < count))
        };
        let seen = self.seen.lock().expect("no panic");
        // The limit ends a hang; no result depends on it.
        let (seen, timeout) = self
            .changed
            .wait_timeout_while(seen, Duration::from_secs(120), |seen| behind(seen))
            .expect("no panic");
        let counts: Vec<_> = seen.iter().map(|(index, seen)| (*index, seen.count)).collect();
        ensure!(!timeout.timed_out(), "count {count} is not final at all of {who:?}: {counts:?}");
        Ok(())
    }
}

/// A ledger without a disk: everything comes back from the validator's folder.
struct Count {
    index: usize,
    shared: Arc<Shared>,
    set: ValidatorSet,
    known: BTreeMap<BlockId, (u64, u64)>,
}

impl Chain for Count {
    fn tip(&self) -> Tip {
        Tip { height: 0, certified: None }
    }

    fn validators(&self, _: u64) -> Option<ValidatorSet> {
        Some(self.set.clone())
    }

    fn knows(&self, block: BlockId) -> bool {
        self.known.contains_key(&block)
    }

    fn propose(&mut self, place: &Place) -> Option<Proposal> {
        let asked = self.shared.asked.load(Ordering::Acquire);
        let (_, count) = self.known[&place.parent];
        let next_validators = place.ends_epoch.then(|| self.set.clone());
        let body = asked.to_be_bytes();
        let commitment = Hash::of(&body);
        (asked > count || place.even_empty).then_some(Proposal {
            body: body.to_vec().into(),
            commitment,
            next_validators,
        })
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
        let height = block.header().height;
        self.known.retain(|_, (known, _)| *known >= height);
        let mut seen = self.shared.seen.lock().expect("no panic");
        let seen = seen.entry(self.index).or_default();
        seen.blocks.insert(height, block.id());
        seen.count = self.known[&block.id()].1;
        self.shared.changed.notify_all();
        Ok(())
    }

    fn offence(&mut self, _: &Evidence) {
        self.shared.seen.lock().expect("no panic").entry(self.index).or_default().offences += 1;
    }
}

struct Sky {
    shared: Arc<Shared>,
    keys: Vec<Keypair>,
    set: ValidatorSet,
    genesis: Block,
    ports: Vec<u16>,
    folder: PathBuf,
    validators: BTreeMap<usize, Validator>,
}

impl Sky {
    fn start(folder: &Path) -> Result<Self> {
        let keys: Vec<Keypair> = (1..=4).map(|seed| Keypair::from_seed([seed; 32])).collect();
        let set = ValidatorSet::new(keys.iter().map(Keypair::id))?;
        let genesis = Block::genesis(Hash::of(b"a sky over tcp"), &set, 0, Hash::of(b""), Default::default());
        let ports = free_ports(keys.len())?;
        let shared = Arc::default();
        let folder = folder.to_owned();
        let mut sky = Self { shared, keys, set, genesis, ports, folder, validators: BTreeMap::new() };
        for index in 0..sky.keys.len() {
            sky.start_one(index)?;
        }
        Ok(sky)
    }

    fn address(&self, index: usize) -> Address {
        Address::Ip(([127, 0, 0, 1], self.ports[index]).into())
    }

    /// Starts a validator from its folder, around a ledger that knows nothing but the genesis.
    fn start_one(&mut self, index: usize) -> Result<()> {
        let others = (0..self.keys.len()).filter(|other| *other != index);
        let home = self.folder.join(index.to_string());
        std::fs::create_dir_all(&home)?;
        let config = ValidatorConfig {
            key: self.keys[index].clone(),
            genesis: self.genesis.clone(),
            rules: Rules::new(EpochLength::new(5).context("an epoch length")?),
            listen: ([127, 0, 0, 1], self.ports[index]).into(),
            dialable: self.address(index),
            known: others.map(|other| (self.keys[other].id(), self.address(other))).collect(),
            folder: home.join("engine"),
            mark: home.join("voted"),
            lost_journal: LostJournal::Follow,
        };
        let known = BTreeMap::from([(self.genesis.id(), (0, 0))]);
        let chain = Count { index, shared: self.shared.clone(), set: self.set.clone(), known };
        self.shared.seen.lock().expect("no panic").insert(index, Seen::default());
        self.validators.insert(index, Validator::start(config, chain)?);
        Ok(())
    }

    fn stop_one(&mut self, index: usize) -> Result<()> {
        let validator = self.validators.remove(&index).context("a running validator")?;
        ensure!(validator.is_running(), "validator {index} ended by itself");
        Ok(validator.stop()?)
    }

    /// Has `count` transactions made final, one after the other, by all that run.
    fn transact(&self, count: usize) -> Result<()> {
        let running: Vec<usize> = self.validators.keys().copied().collect();
        for _ in 0..count {
            let asked = self.shared.asked.fetch_add(1, Ordering::AcqRel) + 1;
            self.validators.values().for_each(|validator| validator.work().notify_waiters());
            self.shared.wait(&running, asked)?;
        }
        Ok(())
    }
}

/// Ports that were free a moment ago.
fn free_ports(count: usize) -> Result<Vec<u16>> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}

#[test]
fn f1_one_of_four_stops_and_comes_back_from_its_folder() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut sky = Sky::start(folder.path())?;
    sky.transact(3)?;
    sky.stop_one(2)?;
    // Enough to pass the ends of epochs while it is away.
    sky.transact(8)?;
    sky.start_one(2)?;
    sky.transact(1)?;
    // Without another one the vote of the one that came back is needed.
    sky.stop_one(0)?;
    sky.transact(3)?;
    for index in 1..4 {
        sky.stop_one(index)?;
    }
    let seen = sky.shared.seen.lock().expect("no panic");
    for (index, one) in seen.iter() {
        assert_eq!(one.offences, 0, "validator {index} saw honest ones contradict themselves");
        let heights: Vec<u64> = one.blocks.keys().copied().collect();
        let newest = *heights.last().context("blocks")?;
        assert_eq!(heights, (1..=newest).collect::<Vec<_>>(), "validator {index} was given every block");
        for (height, block) in &one.blocks {
            let others = seen.values().filter_map(|other| other.blocks.get(height));
            assert!(others.into_iter().all(|other| other == block), "fork at height {height}");
        }
    }
    Ok(())
}
