//! [`SkyLedger`]: the port of the node, and how it is opened.

use crate::{
    checkpoints::Checkpoints,
    follow::failed,
    founding::{Founding, FoundingError},
    history, proof,
    sealed::Sealed,
    snapshots::{self, Incoming},
    state::{ChainError, State, voters},
    validator::{self, Desk, Voting, address},
    voting::Shared,
};
use async_trait::async_trait;
use bytes::Bytes;
use opensky_consensus::LightClient;
use opensky_ledger::{
    entry::Entry,
    event::Event,
    evm::{EvmKey, EvmSignature},
    genesis::Genesis as LedgerGenesis,
    key::Key,
    ledger::Ledger,
    transaction::{SignedTransaction, TransactionError},
};
use opensky_ports::{
    Clock, LedgerEngine,
    ledger::{
        FollowError, Head, HistoryItem, News, Overview, Reading, Restoring, SignedCheckpoint, SubmitError,
        Taken, Whereabouts,
    },
};
use opensky_storage::{LedgerStore, LedgerStoreError};
use opensky_types::{AccountId, Hash, Keypair, NodeId, codec, membership::Genesis, text::causes};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};
use tokio::sync::broadcast;

/// Final blocks that a slow listener may lag behind.
const NEWS_MAX: usize = 1_024;
/// Blocks played again at a time when the ledger is opened.
const REPLAY_BYTES: usize = 16 << 20;
/// Addresses of validators that are kept.
const ADDRESSES_MAX: usize = 256;
const ADDRESSES: &str = "validator-addresses/1";
const ADDRESSES_BYTES_MAX: usize = 64 * 1024;

/// Blocks between two snapshots: a start plays at most about so many again.
pub const SNAPSHOT_BLOCKS: u64 = 1_000;

/// What a ledger is opened with.
pub struct Settings<'a> {
    /// The first facts of the sky.
    pub genesis: &'a Genesis,
    /// This node.
    pub node: NodeId,
    /// The folder of the ledger's file.
    pub folder: &'a Path,
    /// How this node votes, should it be a validator; none: it never does.
    pub voting: Option<Voting>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Blocks between two snapshots; [`SNAPSHOT_BLOCKS`] for most.
    pub snapshot_blocks: u64,
}

/// What every way to open a ledger needs.
pub(crate) struct Opening<'a> {
    pub genesis: &'a Genesis,
    pub node: NodeId,
    /// The key of a node that may vote.
    pub key: Option<&'a Keypair>,
    pub clock: Arc<dyn Clock>,
    pub snapshot_blocks: u64,
    pub beside: Beside,
}

/// Where work is done that takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// On a thread of its own.
    Thread,
    /// At once: a simulation has one thread, and one order of things.
    #[cfg(any(test, feature = "testing"))]
    Nowhere,
}

/// Why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The sky can't have one.
    #[error(transparent)]
    Founding(#[from] FoundingError),
    /// Its file.
    #[error("the ledger's file")]
    Store(#[from] LedgerStoreError),
    /// What is in it.
    #[error("the ledger can't be read from its file: {0}")]
    Damaged(String),
    /// No thread.
    #[error("no thread for the validator")]
    Thread(#[from] std::io::Error),
}

impl From<ChainError> for OpenError {
    fn from(error: ChainError) -> Self {
        Self::Damaged(causes(&error))
    }
}

/// The ledger of one sky, on one node.
pub struct SkyLedger {
    shared: Shared,
    founding: Arc<Founding>,
    store: Arc<LedgerStore>,
    checkpoints: Arc<Checkpoints>,
    clock: Arc<dyn Clock>,
    news: broadcast::Sender<Arc<News>>,
    incoming: Mutex<Option<Incoming>>,
    desk: Arc<Desk>,
    dialable: Option<String>,
    node: NodeId,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl SkyLedger {
    /// Opens the ledger: the newest snapshot, and what came after it. A node that votes begins to do
    /// so in the background.
    pub fn open(settings: Settings<'_>) -> Result<Self, OpenError> {
        let store = Arc::new(LedgerStore::open(settings.folder)?);
        let keeper = settings.voting;
        let (ledger, founding) = Self::of(
            store,
            Opening {
                genesis: settings.genesis,
                node: settings.node,
                key: keeper.as_ref().map(|voting| &voting.key),
                clock: settings.clock,
                snapshot_blocks: settings.snapshot_blocks,
                beside: Beside::Thread,
            },
        )?;
        let Some(voting) = keeper else { return Ok(ledger) };
        let dialable = Some(voting.dialable.clone());
        let (genesis, rules) = (founding.block.clone(), founding.rules.clone());
        let keeper =
            validator::spawn(voting, ledger.shared.clone(), genesis, rules, Arc::clone(&ledger.desk))?;
        Ok(Self { dialable, keeper: Mutex::new(Some(keeper)), ..ledger })
    }

    /// The ledger in `store`, which nobody votes in yet.
    pub(crate) fn of(
        store: Arc<LedgerStore>,
        opening: Opening<'_>,
    ) -> Result<(Self, Arc<Founding>), OpenError> {
        let (founding, first_state, first_header) = Founding::of(opening.genesis)?;
        let founding = Arc::new(founding);
        let (news, _) = broadcast::channel(NEWS_MAX);
        let own = AccountId::of_node(opening.node);
        let (ledger, light, top) = match snapshots::load(&store)? {
            Some((ledger, top)) => {
                let height = top.block.header().height;
                if store.newest()?.is_none_or(|newest| newest < height) {
                    // The power went between a snapshot and what stands above it.
                    store.restart_at(height)?;
                }
                let light = light_behind(&founding, &store, &top)?;
                (ledger, light, top)
            }
            None => {
                let ledger = Ledger::resume(first_state, first_header)
                    .map_err(|error| OpenError::Damaged(error.to_string()))?;
                (ledger, founding.light(), Sealed { block: founding.block.clone(), certificate: None })
            }
        };
        let checkpoints = Arc::new(Checkpoints::new(Arc::clone(&store), founding.ledger.sky, opening.key));
        let kept = (Arc::clone(&store), Arc::clone(&checkpoints), Arc::clone(&opening.clock));
        let mut state = State::new(Arc::clone(&founding), kept, own, ledger, light, top, news.clone());
        state.beside = opening.beside;
        state.snapshot_height = state.head().height;
        state.snapshot_blocks = opening.snapshot_blocks;
        state.recall_sets()?;
        replay(&mut state)?;
        checkpoints.see(state.ledger.state())?;
        let shared = Shared(Arc::new(Mutex::new(state)));
        let desk = Arc::new(Desk::default());
        desk.learn(kept_addresses(&store)?);
        let ledger = Self {
            shared,
            founding: Arc::clone(&founding),
            store,
            checkpoints,
            clock: opening.clock,
            news,
            incoming: Mutex::new(None),
            desk,
            dialable: None,
            node: opening.node,
            keeper: Mutex::new(None),
        };
        Ok((ledger, founding))
    }

    #[cfg(feature = "testing")]
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    fn incoming(&self) -> std::sync::MutexGuard<'_, Option<Incoming>> {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A light client at the block of a snapshot on this node's own disk.
fn light_behind(founding: &Founding, store: &LedgerStore, top: &Sealed) -> Result<LightClient, ChainError> {
    let header = top.block.header();
    let length = founding.rules.epoch_length;
    let epoch = length.epoch_of(header.height + 1);
    let set = match &header.next_validators {
        Some(next) => Some(next.clone()),
        None => voters(founding, store, epoch)?,
    };
    let set = set.ok_or_else(|| ChainError::Damaged("the border of an epoch is missing".to_owned()))?;
    Ok(LightClient::resume(founding.ledger.sky, length, epoch, set, (header.height, top.block.id())))
}

/// Plays what is on disk above the snapshot.
fn replay(state: &mut State) -> Result<(), ChainError> {
    loop {
        let next = state.head().height + 1;
        let rows = state.store.blocks(next, REPLAY_BYTES, usize::MAX)?;
        if rows.is_empty() {
            return Ok(());
        }
        for (_, bytes) in rows {
            let sealed = Sealed::decode(&bytes)?;
            let height = sealed.block.header().height;
            state.advance(sealed, true)?;
            let epoch = state.founding.rules.epoch_length.epoch_of(height + 1);
            let set = state.sets.get(&epoch).cloned();
            let set = set.ok_or_else(|| ChainError::Damaged(format!("nobody votes in epoch {epoch}")))?;
            state.light = state.light_at(epoch, set);
        }
    }
}

fn kept_addresses(store: &LedgerStore) -> Result<Vec<(NodeId, String)>, OpenError> {
    let Some(bytes) = store.setting(ADDRESSES)? else { return Ok(Vec::new()) };
    codec::decode(&bytes, ADDRESSES_BYTES_MAX).map_err(|error| OpenError::Damaged(error.to_string()))
}

#[async_trait]
impl LedgerEngine for SkyLedger {
    fn genesis(&self) -> &LedgerGenesis {
        &self.founding.ledger
    }

    fn head(&self) -> Head {
        self.shared.lock().head()
    }

    fn is_voting(&self) -> bool {
        self.shared.lock().is_voting
    }

    fn read(&self, keys: &[Key]) -> Reading {
        let state = self.shared.lock();
        let entries = keys.iter().map(|key| state.ledger.state().get(key).cloned()).collect();
        Reading { head: state.head(), entries }
    }

    fn owned_by(&self, owner: &AccountId, limit: usize) -> Vec<AccountId> {
        let state = self.shared.lock();
        let ends = [0x00, 0xff].map(|byte| Key::Owner(AccountId::from_bytes([byte; 32])));
        let owners = state.ledger.state().keys_between(ends[0], ends[1]);
        let owned = owners.filter_map(|key| match (key, state.ledger.state().get(&key)) {
            (Key::Owner(node), Some(Entry::Owner(found))) if found == owner => Some(node),
            _ => None,
        });
        owned.take(limit).collect()
    }

    fn next_nonce(&self, account: &AccountId) -> u64 {
        let state = self.shared.lock();
        state.mempool.next_nonce(account, state.nonce(account))
    }

    fn submit_all(&self, transactions: Vec<SignedTransaction>) -> Vec<Result<Taken, SubmitError>> {
        // Signatures first, and outside the lock: they cost most.
        let checked = SignedTransaction::check_each(transactions);
        let (mut state, now) = (self.shared.lock(), self.clock.now());
        checked.into_iter().map(|checked| state.admit(checked.map_err(malformed)?, now)).collect()
    }

    fn try_out(&self, transaction: SignedTransaction) -> Result<Vec<Event>, SubmitError> {
        let checked = transaction.check().map_err(malformed)?;
        Ok(self.shared.lock().ledger.try_out(self.clock.now(), &checked)?)
    }

    fn whereabouts(&self, id: &Hash) -> Whereabouts {
        self.shared.lock().whereabouts(id)
    }

    fn prove(&self, key: &Key) -> Result<Vec<u8>, FollowError> {
        let state = self.shared.lock();
        let height = state.head().height;
        proof::prove(&state, key).map_err(failed)?.ok_or(FollowError::NotNext { height })
    }

    fn blocks(&self, height: u64, bytes_max: usize) -> Result<Vec<Bytes>, FollowError> {
        // The file has its own lock; the state need not wait for the disk.
        crate::follow::blocks_from(&self.store, height, bytes_max)
    }

    fn follow(&self, blocks: Vec<Bytes>) -> Result<Head, FollowError> {
        self.shared.lock().follow(&blocks)
    }

    fn offer_snapshot(&self, epoch: u64) -> Result<Option<Vec<u8>>, FollowError> {
        snapshots::offer(&self.shared.lock(), epoch)
    }

    fn snapshot_chunk(&self, height: u64, index: u32) -> Result<Option<Vec<u8>>, FollowError> {
        self.store.snapshot_chunk(height, index).map_err(|error| failed(error.into()))
    }

    fn begin_restore(&self, offer: &[u8]) -> Result<Restoring, FollowError> {
        let (incoming, restoring) = snapshots::begin(&self.shared.lock(), offer)?;
        *self.incoming() = Some(incoming);
        Ok(restoring)
    }

    fn restore_chunk(&self, index: u32, bytes: &[u8]) -> Result<bool, FollowError> {
        let mut slot = self.incoming();
        let Some(incoming) = slot.as_mut() else {
            return Err(FollowError::NotNext { height: self.head().height });
        };
        if !snapshots::add(incoming, index, bytes)? {
            return Ok(false);
        }
        match slot.take() {
            Some(incoming) => snapshots::finish(&mut self.shared.lock(), incoming).map(|()| true),
            None => Ok(false),
        }
    }

    fn history(
        &self,
        account: &AccountId,
        before: Option<(u64, u32)>,
        limit: usize,
    ) -> Result<Vec<HistoryItem>, FollowError> {
        let rows = self.store.history(account.as_bytes(), before, limit);
        let rows = rows.map_err(|error| failed(error.into()))?;
        let items = rows.iter().map(history::item).collect::<Result<_, _>>();
        items.map_err(|error| failed(ChainError::Damaged(error.to_string())))
    }

    fn checkpoint(&self, epoch: Option<u64>) -> Result<Option<SignedCheckpoint>, FollowError> {
        self.checkpoints.get(epoch)
    }

    fn add_signatures(
        &self,
        epoch: u64,
        signatures: &[(NodeId, EvmSignature)],
    ) -> Result<usize, FollowError> {
        self.checkpoints.add(epoch, signatures)
    }

    fn unnamed_checkpoint_key(&self) -> Option<EvmKey> {
        let key = self.checkpoints.key()?;
        let state = self.shared.lock();
        if !self.founding.ledger.params.economy {
            return None;
        }
        let Some(Entry::Roster(roster)) = state.ledger.state().get(&Key::Roster) else { return None };
        let own = roster.candidates().iter().find(|one| one.node == self.node && one.account == state.own)?;
        (own.checkpoint_key != Some(key.address())).then(|| key.clone())
    }

    fn overview(&self) -> Overview {
        let role = self.desk.role();
        let state = self.shared.lock();
        Overview {
            head: state.head(),
            validators: state.light.validators().members().to_vec(),
            role,
            waiting: state.mempool.len(),
            entries: state.ledger.state().len(),
            validator_address: self.dialable.clone(),
        }
    }

    fn validator_addresses(&self) -> Vec<(NodeId, String)> {
        let mut addresses = self.desk.addresses();
        if let Some(own) = &self.dialable {
            addresses.insert(self.node, own.clone());
        }
        addresses.into_iter().collect()
    }

    fn learn_addresses(&self, from: NodeId, addresses: Vec<(NodeId, String)>) {
        let known = self.desk.addresses();
        let room = ADDRESSES_MAX.saturating_sub(known.len());
        let useful = addresses.into_iter().filter(|(node, text)| {
            let is_better = *node == from || !known.contains_key(node);
            *node != self.node && is_better && address(text).is_some()
        });
        let (old, new): (Vec<_>, Vec<_>) = useful.partition(|(node, _)| known.contains_key(node));
        if !self.desk.learn(old.into_iter().chain(new.into_iter().take(room))) {
            return;
        }
        let all: Vec<(NodeId, String)> = self.desk.addresses().into_iter().collect();
        if let Err(error) = self.store.put_setting(ADDRESSES, &codec::encode(&all)) {
            tracing::warn!(%error, "addresses of validators could not be kept");
        }
    }

    fn subscribe(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.subscribe()
    }

    async fn shut_down(&self) {
        self.desk.stop();
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        let store = Arc::clone(&self.store);
        let ended = tokio::task::spawn_blocking(move || {
            if keeper.is_some_and(|keeper| keeper.join().is_err()) {
                tracing::error!("the validator's thread panicked");
            }
            store.sync()
        });
        match ended.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the ledger's file could not be synced"),
            Err(error) => tracing::error!(%error, "the ledger did not end in order"),
        }
    }
}

fn malformed(error: TransactionError) -> SubmitError {
    SubmitError::Malformed(error.to_string())
}
