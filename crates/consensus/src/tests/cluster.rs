//! Validators on a simulated network.

use super::chain::{DiskMark, Numbers, Shared};
use crate::{
    EpochLength, LostJournal, Rules, ValidatorSet,
    assembly::{Parts, message_bytes_max, start},
    link::{link, serve},
    runtime::{CHANNELS, Channels, quota},
    validators::engine_key,
    voting::VotingError,
};
use commonware_codec::{Copying, DecodeExt};
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_p2p::simulated::{self, Link, Network, Oracle, Receiver, Sender};
use commonware_runtime::{Clock, Handle, Spawner, Storage, Supervisor, deterministic};
use commonware_utils::{NZUsize, Probability};
use opensky_types::{Keypair, NodeId};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Notify;

pub type Context = deterministic::Context;
pub type Net = Oracle<PublicKey, Context>;
pub type Pair = (Sender<PublicKey, Context>, Receiver<PublicKey>);

/// Keys of the tests, in the order of their validators.
pub fn keys(count: u8) -> Vec<Keypair> {
    let mut keys: Vec<Keypair> = (1..=count).map(|seed| Keypair::from_seed([seed; 32])).collect();
    keys.sort_by_key(Keypair::id);
    keys
}

pub fn set_of(keys: &[Keypair]) -> ValidatorSet {
    ValidatorSet::new(keys.iter().map(Keypair::id)).expect("few distinct keys")
}

/// A cluster; all keys have links, whether they run or not.
pub struct Cluster {
    pub context: Context,
    pub net: Net,
    pub keys: Vec<Keypair>,
    pub shared: Shared,
    pub rules: Rules,
    pub work: Arc<Notify>,
    pub lost_journal: LostJournal,
    running: BTreeMap<usize, Handle<()>>,
    /// How often a validator lost the engine's files.
    losses: BTreeMap<usize, u32>,
}

pub fn good_link() -> Link {
    link_of(10, 2, 1.0)
}

pub fn link_of(latency_ms: u64, jitter_ms: u64, success: f64) -> Link {
    Link {
        latency: Duration::from_millis(latency_ms),
        jitter: Duration::from_millis(jitter_ms),
        success_rate: Probability::try_from(success).expect("a probability"),
    }
}

impl Cluster {
    /// Builds the network and nothing that runs on it. `shared` survives runs of the runtime.
    /// `count` validators, all of whom vote in every epoch, over good links.
    pub async fn of(context: &Context, count: u8, epoch_length: u64) -> Self {
        let keys = keys(count);
        let shared = Shared::new(vec![set_of(&keys)]);
        Self::new(context, keys, shared, epoch_length, good_link()).await
    }

    pub async fn new(
        context: &Context,
        keys: Vec<Keypair>,
        shared: Shared,
        epoch_length: u64,
        link: Link,
    ) -> Self {
        let rules = Rules {
            blocks_kept: 1_000,
            body_bytes_max: 4_096,
            ..Rules::new(EpochLength::new(epoch_length).expect("two heights or more"))
        };
        let peers: Vec<PublicKey> = keys.iter().map(|key| engine_key(key.id()).expect("a key")).collect();
        let config = simulated::Config {
            max_size: message_bytes_max(&rules),
            max_peers_per_set: NZUsize!(32),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(3),
        };
        let (network, net) = Network::new_with_peers(context.child("network"), config, peers).await;
        network.start();
        let cluster = Self {
            context: context.child("cluster"),
            net,
            keys,
            shared,
            rules,
            work: Arc::new(Notify::new()),
            lost_journal: LostJournal::Follow,
            running: BTreeMap::new(),
            losses: BTreeMap::new(),
        };
        cluster.link_all(&link).await;
        cluster
    }

    pub fn node(&self, index: usize) -> NodeId {
        self.keys[index].id()
    }

    pub fn peer(&self, index: usize) -> PublicKey {
        engine_key(self.node(index)).expect("a key")
    }

    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let count = self.keys.len();
        (0..count).flat_map(move |from| (0..count).map(move |to| (from, to))).filter(|(from, to)| from != to)
    }

    pub async fn link_all(&self, link: &Link) {
        self.partition(|_, _| true, link).await;
    }

    /// Leaves links only from those to those for which `reaches` says so.
    pub async fn partition(&self, reaches: impl Fn(usize, usize) -> bool, link: &Link) {
        for (from, to) in self.pairs() {
            // Absent links are no error: the last partition may have had none here.
            let _ = self.net.remove_link(self.peer(from), self.peer(to)).await;
            if reaches(from, to) {
                self.net
                    .add_link(self.peer(from), self.peer(to), link.clone())
                    .await
                    .expect("no link is there");
            }
        }
    }

    pub async fn channel(&self, index: usize, channel: usize) -> Pair {
        let control = self.net.control(self.peer(index));
        control.register(CHANNELS[channel], quota()).await.expect("a running network")
    }

    async fn channels(&self, index: usize) -> Channels<Sender<PublicKey, Context>, Receiver<PublicKey>> {
        Channels {
            votes: self.channel(index, 0).await,
            certificates: self.channel(index, 1).await,
            resolver: self.channel(index, 2).await,
            blocks: self.channel(index, 3).await,
            backfill: self.channel(index, 4).await,
        }
    }

    /// Starts a validator from its disk.
    pub async fn start(&mut self, index: usize) {
        let me = self.node(index);
        let (to_chain, calls) = link();
        let genesis = self.shared.lock().genesis.clone();
        let parts = Parts {
            prefix: self.prefix(index),
            sky: genesis.header().sky,
            key: secret(&self.keys[index]),
            genesis,
            rules: self.rules.clone(),
            mark: Box::new(DiskMark { me, shared: self.shared.clone() }),
            lost_journal: self.lost_journal,
            link: to_chain,
            work: self.work.clone(),
            blocker: self.net.control(self.peer(index)),
            manager: self.net.manager(),
            channels: self.channels(index).await,
        };
        let chain = Numbers::open(me, &self.shared);
        let shared = self.shared.clone();
        let context = self.context.child("validator").with_attribute("index", index);
        let handle = context.spawn(move |context| async move {
            let chain = context.child("chain").spawn(move |_| serve(chain, calls));
            let may_end = || shared.lock().disk_fails.is_some_and(|(failing, _)| failing == me);
            let voting = start(context.child("consensus"), parts).await.expect("a validator starts");
            tokio::select! {
                biased;
                ended = voting => match ended {
                    Ok(Err(VotingError::Behind(epoch))) => drop(shared.lock().behind.insert(me, epoch)),
                    ended => assert!(may_end(), "voting ended: {ended:?}"),
                },
                ended = chain => assert!(may_end(), "the chain ended: {:?}", ended.map(|ended| ended.map_err(|e| e.to_string()))),
            }
        });
        self.running.insert(index, handle);
    }

    pub async fn start_all(&mut self) {
        for index in 0..self.keys.len() {
            self.start(index).await;
        }
    }

    /// Ends a validator at once, wherever it is.
    pub async fn crash(&mut self, index: usize) {
        let handle = self.running.remove(&index).expect("a running validator");
        handle.abort();
        let _ = handle.await;
        // Its tasks let go of their files one by one.
        self.context.sleep(Duration::from_millis(20)).await;
    }

    /// Of the engine's files those with certificates were not written, while those with blocks were.
    pub async fn lose_certificates(&self, index: usize) {
        for kind in ["metadata", "keys", "values"] {
            let partition = format!("{}finalizations-{kind}", self.prefix(index));
            self.context.remove(&partition, None).await.expect("a partition of the archive");
        }
    }

    fn prefix(&self, index: usize) -> String {
        format!("validator-{index}-{}-", self.losses.get(&index).unwrap_or(&0))
    }

    /// The chain of one validator becomes that of another, up to the newest block with a certificate.
    pub fn copy_chain(&self, from: usize, to: usize) {
        let mut world = self.shared.lock();
        let mut blocks = world.disks[&self.node(from)].blocks.clone();
        while blocks.last().is_some_and(|(_, certificate)| certificate.is_none()) {
            blocks.pop();
        }
        world.disks.get_mut(&self.node(to)).expect("it ran").blocks = blocks;
    }

    /// The engine's files of a validator are gone; its chain and its mark are not.
    pub fn forget_engine(&mut self, index: usize) {
        *self.losses.entry(index).or_default() += 1;
    }

    pub fn running(&self) -> Vec<usize> {
        self.running.keys().copied().collect()
    }

    /// Gives everyone one more number to order.
    pub fn submit(&self) -> u64 {
        let mut world = self.shared.lock();
        // The world outlives a power cut of the whole cluster, and a number must be a new one.
        let number = world.pending.last().map_or(1, |last| last + 1);
        world.pending.insert(number);
        drop(world);
        self.work.notify_waiters();
        number
    }

    pub fn has(&self, index: usize, number: u64) -> bool {
        self.shared.lock().heads.get(&self.node(index)).is_some_and(|(_, numbers)| numbers.contains(&number))
    }

    /// Waits until all of `who` have a number in a final block; panics after `limit` of simulated time.
    pub async fn wait_for(&self, who: &[usize], number: u64, limit: Duration) {
        let deadline = self.context.current() + limit;
        while !who.iter().all(|index| self.has(*index, number)) {
            assert!(
                self.context.current() < deadline,
                "{number} is not final at all of {who:?} in {limit:?}: {}",
                self.heads()
            );
            self.context.sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn heads(&self) -> String {
        let world = self.shared.lock();
        let heads = self.keys.iter().map(|key| world.heads.get(&key.id()).map(|(height, _)| *height));
        format!("heads {:?}", heads.collect::<Vec<_>>())
    }

    /// Nothing that anyone saw final is missing at these validators.
    pub fn check_nothing_lost(&self, who: &[usize]) {
        let world = self.shared.lock();
        for index in who {
            let (_, numbers) = &world.heads[&self.keys[*index].id()];
            let missing: Vec<_> = world.acknowledged.difference(numbers).collect();
            assert!(missing.is_empty(), "validator {index} lacks {missing:?}");
        }
    }

    pub async fn sleep(&self, milliseconds: u64) {
        self.context.sleep(Duration::from_millis(milliseconds)).await;
    }
}

pub fn secret(key: &Keypair) -> PrivateKey {
    PrivateKey::decode(Copying(&key.seed()[..])).expect("a seed")
}
