//! A ledger of numbers: each is in the chain once.

use crate::{
    Block, BlockId, Certificate, Chain, Evidence, Failure, Offence, Place, Proposal, Tip, ValidatorSet,
    VoteMark,
};
use bytes::Bytes;
use opensky_types::{Hash, NodeId};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, MutexGuard},
};

/// Final blocks that a chain keeps in memory before it writes them: what a crash makes it forget.
const UNWRITTEN_MAX: u64 = 3;

/// What one validator's disk holds, apart from the engine's.
#[derive(Default)]
pub struct Disk {
    pub blocks: Vec<(Block, Option<Certificate>)>,
    pub mark: Option<u64>,
}

/// What all validators of a test share: who votes when, what waits to be ordered, and what was seen.
pub struct World {
    pub genesis: Block,
    /// Validator sets by epoch; the last one stays.
    pub sets: Vec<ValidatorSet>,
    /// Numbers to be ordered, as if gossip had brought them to everyone at once.
    pub pending: BTreeSet<u64>,
    /// The one block at each height, over all honest validators.
    pub canon: BTreeMap<u64, BlockId>,
    /// Numbers that any honest validator saw in a final block.
    pub acknowledged: BTreeSet<u64>,
    pub disks: BTreeMap<NodeId, Disk>,
    /// What is final at each validator since its last start.
    pub heads: BTreeMap<NodeId, (u64, BTreeSet<u64>)>,
    pub offences: BTreeSet<Offence>,
    pub empty_blocks: u64,
    /// Whose disk fails, and at which height.
    pub disk_fails: Option<(NodeId, u64)>,
    /// Who gave up because the others were too far ahead, and the epoch it heard of.
    pub behind: BTreeMap<NodeId, u64>,
    /// Chains do not know who voted in the epochs before that of the block after their tip.
    pub forget_past_sets: bool,
}

#[derive(Clone)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub fn new(sets: Vec<ValidatorSet>) -> Self {
        let genesis =
            Block::genesis(Hash::of(b"a sky of the tests"), &sets[0], 0, Hash::of(b""), Bytes::new());
        Self(Arc::new(Mutex::new(World {
            canon: BTreeMap::from([(0, genesis.id())]),
            genesis,
            sets,
            pending: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            disks: BTreeMap::new(),
            heads: BTreeMap::new(),
            offences: BTreeSet::new(),
            empty_blocks: 0,
            behind: BTreeMap::new(),
            disk_fails: None,
            forget_past_sets: false,
        })))
    }

    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no test thread panicked")
    }

    /// Nobody holds any more what no disk holds: from here on it may come out differently.
    pub fn lose_unwritten(&self) {
        let mut world = self.lock();
        let written = |disk: &Disk| disk.blocks.last().map_or(0, |(block, _)| block.header().height);
        let height = world.disks.values().map(written).max().unwrap_or(0);
        world.canon.retain(|at, _| *at <= height);
        world.acknowledged.clear();
    }

    pub fn set_of(&self, epoch: u64) -> ValidatorSet {
        let world = self.lock();
        world.sets.get(epoch as usize).or(world.sets.last()).expect("a set").clone()
    }
}

/// One validator's chain.
pub struct Numbers {
    me: NodeId,
    shared: Shared,
    /// Numbers in each block that is known and all blocks below.
    states: BTreeMap<BlockId, (u64, BTreeSet<u64>)>,
    tip: BlockId,
    unwritten: Vec<(Block, Option<Certificate>)>,
}

impl Numbers {
    /// The chain as its disk has it.
    pub fn open(me: NodeId, shared: &Shared) -> Self {
        let mut world = shared.lock();
        let genesis = world.genesis.clone();
        let mut numbers = BTreeSet::new();
        let (mut tip, mut height) = (genesis.id(), 0);
        for (block, _) in &world.disks.entry(me).or_default().blocks {
            numbers.extend(numbers_of(block.body()).expect("a final block"));
            (tip, height) = (block.id(), block.header().height);
        }
        world.heads.insert(me, (height, numbers.clone()));
        drop(world);
        Self {
            me,
            shared: shared.clone(),
            states: BTreeMap::from([(tip, (height, numbers))]),
            tip,
            unwritten: Vec::new(),
        }
    }

    fn next_set(&self, place_ends: bool, epoch: u64) -> Option<ValidatorSet> {
        place_ends.then(|| self.shared.set_of(epoch + 1))
    }
}

impl Chain for Numbers {
    fn tip(&self) -> Tip {
        let world = self.shared.lock();
        let blocks = &world.disks[&self.me].blocks;
        Tip {
            height: blocks.last().map_or(0, |(block, _)| block.header().height),
            certified: blocks
                .iter()
                .rev()
                .find_map(|(block, certificate)| Some((block.clone(), certificate.clone()?))),
        }
    }

    fn validators(&self, epoch: u64) -> Option<ValidatorSet> {
        let world = self.shared.lock();
        let next = world.disks[&self.me]
            .blocks
            .last()
            .map_or(0, |(tip, _)| tip.header().epoch + u64::from(tip.header().next_validators.is_some()));
        let is_forgotten = world.forget_past_sets && epoch < next;
        drop(world);
        (!is_forgotten).then(|| self.shared.set_of(epoch))
    }

    fn knows(&self, block: BlockId) -> bool {
        self.states.contains_key(&block)
    }

    fn propose(&mut self, place: &Place) -> Option<Proposal> {
        let (height, known) = &self.states[&place.parent];
        assert_eq!(height + 1, place.height);
        let fresh: Vec<u64> = self.shared.lock().pending.difference(known).copied().take(100).collect();
        if fresh.is_empty() && !place.even_empty {
            return None;
        }
        let body: Vec<u8> = fresh.iter().flat_map(|number| number.to_be_bytes()).collect();
        let next_validators = self.next_set(place.ends_epoch, place.epoch);
        Some(Proposal { commitment: Hash::of(&body), body: body.into(), next_validators })
    }

    fn verify(&mut self, block: &Block) -> bool {
        let Some((height, known)) = self.states.get(&block.header().parent) else {
            panic!("asked to verify {block:?} on an unknown parent");
        };
        assert_eq!(height + 1, block.header().height, "consensus checks heights");
        let ends = block.header().next_validators.is_some();
        if block.header().next_validators != self.next_set(ends, block.header().epoch) {
            return false;
        }
        let Some(numbers) = numbers_of(block.body()) else { return false };
        let mut known = known.clone();
        if !numbers.into_iter().all(|number| known.insert(number)) {
            return false;
        }
        self.states.insert(block.id(), (block.header().height, known));
        true
    }

    fn finalized(&mut self, block: &Block, certificate: Option<&Certificate>) -> Result<(), Failure> {
        let header = block.header();
        assert_eq!(header.parent, self.tip, "final blocks come in order");
        if self.shared.lock().disk_fails == Some((self.me, header.height)) {
            return Err("the disk failed".into());
        }
        if !self.knows(block.id()) && !self.verify(block) {
            return Err(format!("{block:?} is final and wrong").into());
        }
        let is_border = header.next_validators.is_some();
        assert!(certificate.is_some() || !is_border, "the border {} has no certificate", header.height);
        self.tip = block.id();
        let state = self.states[&block.id()].clone();
        self.states.retain(|_, (height, _)| *height >= header.height);
        self.unwritten.push((block.clone(), certificate.cloned()));
        let mut world = self.shared.lock();
        let canon = *world.canon.entry(header.height).or_insert(block.id());
        assert_eq!(canon, block.id(), "fork at height {}", header.height);
        world.empty_blocks += u64::from(block.body().is_empty());
        world.acknowledged.extend(&state.1);
        world.heads.insert(self.me, state);
        if header.height.is_multiple_of(UNWRITTEN_MAX) || header.next_validators.is_some() {
            world.disks.get_mut(&self.me).expect("opened").blocks.append(&mut self.unwritten);
        }
        Ok(())
    }

    fn offence(&mut self, evidence: &Evidence) {
        let (sky, epoch) = (self.shared.lock().genesis.header().sky, evidence.epoch());
        let set = self.shared.set_of(epoch);
        let offence = crate::verify_evidence(sky, epoch, &set, &evidence.encode()).expect("checked evidence");
        self.shared.lock().offences.insert(offence);
    }
}

fn numbers_of(body: &[u8]) -> Option<Vec<u64>> {
    let (numbers, rest) = body.as_chunks::<8>();
    rest.is_empty().then(|| numbers.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect())
}

/// The mark on a disk of the tests.
pub struct DiskMark {
    pub me: NodeId,
    pub shared: Shared,
}

impl VoteMark for DiskMark {
    fn read(&self) -> io::Result<Option<u64>> {
        Ok(self.shared.lock().disks.entry(self.me).or_default().mark)
    }

    fn write(&mut self, epoch: u64) -> io::Result<()> {
        let mut world = self.shared.lock();
        let mark = &mut world.disks.entry(self.me).or_default().mark;
        assert!(mark.is_none_or(|voted| voted <= epoch), "the mark {mark:?} is lowered to {epoch}");
        *mark = Some(epoch);
        Ok(())
    }
}
