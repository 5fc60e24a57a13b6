//! All that the chain works on, behind one lock: the ledger, who votes, what waits, what is at the top.

use crate::{
    founding::Founding,
    history,
    mempool::{Mempool, NoRoom},
    sealed::{CertifiedHeader, Sealed, SealedError, ledger_block},
};
use opensky_consensus::{BlockId, Certificate, LightClient, ValidatorSet};
use opensky_ledger::{
    block::BlockError,
    fact::Fact,
    key::Key,
    ledger::Ledger,
    rejection::Rejection,
    transaction::{Checked, SignedTransaction, Transaction, TransactionError},
    view::View,
};
use opensky_ports::ledger::{Head, News, SubmitError, Taken, Whereabouts};
use opensky_storage::{BlockRow, LedgerStore, LedgerStoreError};
use opensky_types::{AccountId, Hash, Timestamp};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Notify, broadcast};

/// Final transactions whose place is remembered.
const REMEMBERED: usize = 65_536;
/// How long blocks may be readable before they are synced. A validator's own journal has them anyway,
/// and everyone else can ask again.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Blocks between two looks for transactions that are too old.
const EXPIRE_EVERY: u64 = 16;
/// Proofs of contradictions that wait for a block.
const FACTS_WAITING_MAX: usize = 64;

/// Why the chain can't go on: its disk fails, or what is final does not fit what it holds.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChainError {
    #[error("the ledger's file")]
    Store(#[from] LedgerStoreError),
    #[error("a final block can't be read")]
    Sealed(#[from] SealedError),
    #[error("a final block is not valid")]
    Block(#[from] BlockError),
    #[error("a final block's transactions")]
    Transaction(#[from] TransactionError),
    #[error("the ledger's file is damaged: {0}")]
    Damaged(String),
    #[error("block {0} is not the next one")]
    NotNext(u64),
}

/// Everything.
pub(crate) struct State {
    pub founding: Arc<Founding>,
    pub store: Arc<LedgerStore>,
    pub ledger: Ledger,
    /// Follows headers: the newest final one and who votes on the next.
    pub light: LightClient,
    /// The newest final block with its certificate, if it has one of its own.
    pub top: Sealed,
    /// The ledger's names of blocks that are not final, by the chain's, and of the newest final one.
    pub names: BTreeMap<BlockId, (u64, Hash)>,
    /// Who votes in the epochs that matter now.
    pub sets: BTreeMap<u64, ValidatorSet>,
    pub mempool: Mempool,
    pub facts: Vec<Fact>,
    /// This node's account, and others it keeps a history of.
    pub own: AccountId,
    places: HashMap<Hash, (u64, Timestamp)>,
    place_order: VecDeque<Hash>,
    pub is_voting: bool,
    pub news: broadcast::Sender<Arc<News>>,
    /// Wakes the validator: there is something to propose.
    pub work: Option<Arc<Notify>>,
    synced_at: Instant,
    /// Of which block the newest snapshot is.
    pub snapshot_height: u64,
    /// Blocks between two.
    pub snapshot_blocks: u64,
}

impl State {
    pub fn new(
        founding: Arc<Founding>,
        store: Arc<LedgerStore>,
        own: AccountId,
        ledger: Ledger,
        light: LightClient,
        top: Sealed,
        news: broadcast::Sender<Arc<News>>,
    ) -> Self {
        let names = BTreeMap::from([(top.block.id(), (top.block.header().height, ledger.head().id()))]);
        let sets = BTreeMap::from([(light.epoch(), light.validators().clone())]);
        Self {
            founding,
            store,
            ledger,
            light,
            top,
            names,
            sets,
            mempool: Mempool::default(),
            facts: Vec::new(),
            own,
            places: HashMap::new(),
            place_order: VecDeque::new(),
            is_voting: false,
            news,
            work: None,
            synced_at: Instant::now(),
            snapshot_height: 0,
            snapshot_blocks: crate::engine::SNAPSHOT_BLOCKS,
        }
    }

    pub fn head(&self) -> Head {
        let header = self.top.block.header();
        Head {
            height: header.height,
            block: Hash::from_bytes(*self.top.block.id().as_bytes()),
            state: self.ledger.head().state,
            time: self.ledger.head().time,
            epoch: self.founding.rules.epoch_length.epoch_of(header.height),
        }
    }

    /// The final state, to look into.
    pub fn view(&self) -> View<'_> {
        View::new(self.ledger.state(), Vec::new())
    }

    /// The number that an account's next transaction must carry by the final state.
    pub fn nonce(&self, account: &AccountId) -> u64 {
        self.view().find_account(account).map_or(0, |account| account.nonce)
    }

    /// Goes to the block of a snapshot.
    pub fn jump_to(&mut self, ledger: Ledger, light: LightClient, top: Sealed) {
        self.snapshot_height = top.block.header().height;
        self.names = BTreeMap::from([(top.block.id(), (self.snapshot_height, ledger.head().id()))]);
        self.sets.insert(light.epoch(), light.validators().clone());
        (self.ledger, self.light, self.top) = (ledger, light, top);
        let accounts: Vec<AccountId> = self.mempool.accounts().copied().collect();
        for account in accounts {
            let nonce = self.nonce(&account);
            self.mempool.used(&account, nonce);
        }
        let news = News {
            head: self.head(),
            transactions: Vec::new(),
            events: Vec::new(),
            income: opensky_types::Micros::ZERO,
            sealed: None,
        };
        // Nobody may be listening.
        let _ = self.news.send(Arc::new(news));
    }

    /// The next final block, whose header the light client or the engine vouches for. `checked` are its
    /// transactions, if they are at hand.
    pub fn advance(&mut self, sealed: Sealed, is_kept: bool) -> Result<(), ChainError> {
        let header = sealed.block.header();
        let height = header.height;
        if height != self.top.block.header().height + 1 || header.parent != self.top.block.id() {
            return Err(ChainError::NotNext(height));
        }
        let inner = ledger_block(&sealed.block)?;
        let id = inner.header.id();
        let checked: Vec<Checked> =
            inner.transactions.iter().cloned().map(SignedTransaction::unchecked).collect::<Result<_, _>>()?;
        if self.ledger.header(&id).is_none() {
            // More than two thirds of the validators have checked the signatures of what is final.
            self.ledger.execute(inner.header.clone(), &checked)?;
        }
        let events = self.ledger.finalize(&id)?;
        let transactions: Vec<Transaction> = checked.iter().map(|one| one.transaction.clone()).collect();
        let (lines, income) =
            history::lines(&self.history_accounts(), &self.own, &inner, &transactions, &events);
        if !is_kept {
            self.keep(&sealed, &lines)?;
        }
        if let Some(next) = header.next_validators.clone() {
            let epoch = self.founding.rules.epoch_length.epoch_of(height + 1);
            self.sets.insert(epoch, next);
            self.sets = self.sets.split_off(&epoch.saturating_sub(2));
        }
        let newest = sealed.block.id();
        self.names.retain(|block, (at, _)| *at > height || *block == newest);
        self.names.insert(newest, (height, id));
        self.settle(height, inner.header.time, &checked);
        let tells = self.is_voting && sealed.certificate.is_some();
        let sealed_bytes = tells.then(|| sealed.bytes());
        self.top = sealed;
        let transactions = checked.iter().map(|one| one.id).collect();
        let news = News { head: self.head(), transactions, events, income, sealed: sealed_bytes };
        // Nobody may be listening.
        let _ = self.news.send(Arc::new(news));
        Ok(())
    }

    fn keep(&mut self, sealed: &Sealed, lines: &[opensky_storage::HistoryRow]) -> Result<(), ChainError> {
        let header = sealed.block.header();
        let border = sealed.certificate.as_ref().filter(|_| header.next_validators.is_some()).map(|proof| {
            let epoch = self.founding.rules.epoch_length.epoch_of(header.height);
            (epoch, opensky_types::codec::encode(&CertifiedHeader::of(header, proof)))
        });
        let row = BlockRow { height: header.height, sealed: sealed.encode(), border };
        let sync = self.synced_at.elapsed() >= SYNC_EVERY;
        self.store.append(&[row], lines, sync)?;
        if sync {
            self.synced_at = Instant::now();
        }
        Ok(())
    }

    /// This node's account and the one that owns it.
    fn history_accounts(&self) -> Vec<AccountId> {
        let owner = match self.ledger.state().get(&Key::Owner(self.own)) {
            Some(opensky_ledger::entry::Entry::Owner(owner)) => Some(*owner),
            _ => None,
        };
        std::iter::once(self.own).chain(owner).collect()
    }

    /// What a final block settles of what waits here.
    fn settle(&mut self, height: u64, time: Timestamp, checked: &[Checked]) {
        for one in checked {
            self.places.insert(one.id, (height, time));
            self.place_order.push_back(one.id);
            self.mempool.used(&one.transaction.account, one.transaction.nonce + 1);
        }
        while self.place_order.len() > REMEMBERED
            && let Some(old) = self.place_order.pop_front()
        {
            self.places.remove(&old);
        }
        if height.is_multiple_of(EXPIRE_EVERY) {
            self.mempool.expire(time);
        }
        // Later than one epoch after, nobody is punished any more.
        let current = self.founding.rules.epoch_length.epoch_of(height + 1);
        self.facts.retain(|Fact::TwoVotes { epoch, .. }| epoch.saturating_add(1) >= current);
    }

    /// Notes a contradiction for the next block.
    pub fn note(&mut self, fact: Fact) {
        if self.facts.len() < FACTS_WAITING_MAX && !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
    }

    /// Whether a transaction could be in a block now: only those that come next are tried out, since
    /// the others depend on what comes before them.
    pub fn admit(&mut self, checked: Checked, now: Timestamp) -> Result<Taken, SubmitError> {
        let id = checked.id;
        if self.mempool.get(&id).is_some() || self.places.contains_key(&id) {
            return Ok(Taken { id, is_new: false });
        }
        let Transaction { account, nonce, .. } = checked.transaction;
        let expected = self.nonce(&account);
        let waiting = self.mempool.next_nonce(&account, expected);
        if nonce < expected || nonce > waiting {
            return Err(Rejection::Nonce { expected: waiting, found: nonce }.into());
        }
        if nonce == expected {
            self.ledger.try_out(now, &checked)?;
        } else {
            self.ledger.check_place(now, &checked.transaction)?;
        }
        self.mempool.insert(checked).map_err(|no: NoRoom| SubmitError::Full(no.as_str()))?;
        if let Some(work) = &self.work {
            work.notify_one();
        }
        Ok(Taken { id, is_new: true })
    }

    pub fn whereabouts(&self, id: &Hash) -> Whereabouts {
        if let Some((height, time)) = self.places.get(id) {
            return Whereabouts::Final { height: *height, time: *time };
        }
        if self.mempool.get(id).is_some() { Whereabouts::Waiting } else { Whereabouts::Unknown }
    }

    /// The certificate of the newest final block, if it has one of its own.
    pub fn top_certificate(&self) -> Option<&Certificate> {
        self.top.certificate.as_ref()
    }
}
