//! All that the chain works on, behind one lock: the ledger, who votes, what waits, what is at the top.

use crate::{
    checkpoints::Checkpoints,
    engine::Beside,
    founding::Founding,
    history,
    mempool::{Mempool, NoRoom},
    sealed::{CertifiedHeader, Sealed, SealedError, ledger_block},
    snapshots,
    unsynced::Unsynced,
};
use opensky_consensus::{BlockId, Certificate, LightClient, ValidatorSet};
use opensky_ledger::{
    block::{Block as LedgerBlock, BlockError},
    fact::Fact,
    key::Key,
    ledger::Ledger,
    rejection::Rejection,
    transaction::{Checked, SignedTransaction, Transaction, TransactionError},
    view::View,
};
use opensky_ports::{
    Clock,
    ledger::{Head, News, SubmitError, Taken, Whereabouts},
};
use opensky_storage::{BlockRow, HistoryRow, LedgerStore, LedgerStoreError};
use opensky_types::{AccountId, Hash, Timestamp};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};
use tokio::sync::{Notify, broadcast};

/// Final transactions whose place is remembered.
const REMEMBERED: usize = 65_536;
/// How long blocks may be readable before they are synced. A validator's own journal has them anyway,
/// and everyone else can ask again.
const SYNC_EVERY_US: u64 = 1_000_000;
/// Blocks between two looks for transactions that are too old.
const EXPIRE_EVERY: u64 = 16;
/// Epochs before the current one whose validators are known: their offences can come up late.
const SETS_BEHIND: u64 = 2;
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
    pub checkpoints: Arc<Checkpoints>,
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
    pub clock: Arc<dyn Clock>,
    /// Where snapshots are written.
    pub beside: Beside,
    /// When blocks were last synced, by the monotonic clock.
    synced_at_us: u64,
    /// What was written since.
    unsynced: Unsynced,
    /// Of which block the newest snapshot is.
    pub snapshot_height: u64,
    /// Blocks between two.
    pub snapshot_blocks: u64,
}

/// Who votes in an epoch, by the founding or by the last block of the epoch before; none if that block is
/// not kept.
pub(crate) fn voters(
    founding: &Founding,
    store: &LedgerStore,
    epoch: u64,
) -> Result<Option<ValidatorSet>, ChainError> {
    let Some(before) = epoch.checked_sub(1) else { return Ok(Some(founding.validators.clone())) };
    let border = store.borders(before, 1)?.into_iter().next().filter(|(found, _)| *found == before);
    let Some((_, bytes)) = border else { return Ok(None) };
    let next = snapshots::border(&bytes)?.header()?.next_validators;
    next.map(Some).ok_or_else(|| ChainError::Damaged("a border names no validators".to_owned()))
}

/// Whether a fact may stand in a block of this epoch: it is of the same epoch or of the one before. Every
/// node decides so by the block alone, whatever it remembers.
pub(crate) fn is_timely(fact: &Fact, epoch: u64) -> bool {
    let Fact::TwoVotes { epoch: of, .. } = fact;
    *of <= epoch && of.saturating_add(1) >= epoch
}

impl State {
    pub fn new(
        founding: Arc<Founding>,
        (store, checkpoints, clock): (Arc<LedgerStore>, Arc<Checkpoints>, Arc<dyn Clock>),
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
            checkpoints,
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
            synced_at_us: clock.monotonic_us(),
            unsynced: Unsynced::default(),
            clock,
            beside: Beside::Thread,
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
    pub fn jump_to(&mut self, ledger: Ledger, light: LightClient, top: Sealed) -> Result<(), ChainError> {
        self.snapshot_height = top.block.header().height;
        self.unsynced.clear();
        self.names = BTreeMap::from([(top.block.id(), (self.snapshot_height, ledger.head().id()))]);
        self.sets = BTreeMap::from([(light.epoch(), light.validators().clone())]);
        (self.ledger, self.light, self.top) = (ledger, light, top);
        self.recall_sets()?;
        self.checkpoints.see(self.ledger.state())?;
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
        Ok(())
    }

    /// Learns from the disk who voted in the epochs just before the current one, as far as it is kept.
    pub fn recall_sets(&mut self) -> Result<(), ChainError> {
        let current = self.light.epoch();
        for epoch in current.saturating_sub(SETS_BEHIND)..current {
            if let Some(set) = voters(&self.founding, &self.store, epoch)? {
                self.sets.insert(epoch, set);
            }
        }
        Ok(())
    }

    /// The next final block, whose header the light client or the engine vouches for. `checked` are its
    /// transactions, if they are at hand.
    pub fn advance(&mut self, sealed: Sealed, is_kept: bool) -> Result<(), ChainError> {
        let header = sealed.block.header();
        let height = header.height;
        if height != self.top.block.header().height + 1 || header.parent != self.top.block.id() {
            return Err(ChainError::NotNext(height));
        }
        let LedgerBlock { header: inner, transactions } = ledger_block(&sealed.block)?;
        let id = inner.id();
        let checked: Vec<Checked> =
            transactions.into_iter().map(SignedTransaction::unchecked).collect::<Result<_, _>>()?;
        if self.ledger.header(&id).is_none() {
            // More than two thirds of the validators have checked the signatures of what is final.
            self.ledger.execute(inner.clone(), &checked)?;
        }
        let events = self.ledger.events(&id).unwrap_or_default();
        let (lines, income) =
            history::lines(&self.history_accounts(&id)?, &self.own, &inner, &checked, events);
        // First on disk: what could not be kept is not final here, and is tried again.
        if !is_kept {
            self.keep(&sealed, &lines)?;
        }
        let events = self.ledger.finalize(&id)?;
        if let Some(next) = header.next_validators.clone() {
            let epoch = self.founding.rules.epoch_length.epoch_of(height + 1);
            self.sets.insert(epoch, next);
            self.sets = self.sets.split_off(&epoch.saturating_sub(SETS_BEHIND));
            self.checkpoints.see(self.ledger.state())?;
        }
        let newest = sealed.block.id();
        self.names.retain(|block, (at, _)| *at > height || *block == newest);
        self.names.insert(newest, (height, id));
        self.settle(height, inner.time, &checked);
        let tells = self.is_voting && sealed.certificate.is_some();
        let sealed_bytes = tells.then(|| sealed.bytes());
        self.top = sealed;
        let transactions = checked.iter().map(|one| one.id).collect();
        let news = News { head: self.head(), transactions, events, income, sealed: sealed_bytes };
        // Nobody may be listening.
        let _ = self.news.send(Arc::new(news));
        Ok(())
    }

    fn keep(&mut self, sealed: &Sealed, lines: &[HistoryRow]) -> Result<(), ChainError> {
        let header = sealed.block.header();
        let border = sealed.certificate.as_ref().filter(|_| header.next_validators.is_some()).map(|proof| {
            let epoch = self.founding.rules.epoch_length.epoch_of(header.height);
            (epoch, opensky_types::codec::encode(&CertifiedHeader::of(header, proof)))
        });
        let row = BlockRow { height: header.height, sealed: sealed.encode(), border };
        self.write_again()?;
        let now_us = self.clock.monotonic_us();
        let sync = now_us.saturating_sub(self.synced_at_us) >= SYNC_EVERY_US || self.unsynced.is_large();
        self.store.append(std::slice::from_ref(&row), lines, sync)?;
        if sync {
            self.synced_at_us = now_us;
            self.unsynced.clear();
        } else {
            self.unsynced.push(row, lines.to_vec());
        }
        Ok(())
    }

    /// Writes what a failed write has taken back, if one has.
    fn write_again(&mut self) -> Result<(), ChainError> {
        if self.unsynced.is_empty() {
            return Ok(());
        }
        let (rows, lines) = self.unsynced.lost(self.store.newest()?);
        if let Some(first) = rows.first() {
            self.store.append(&rows, &lines, true)?;
            tracing::warn!(
                from = first.height,
                blocks = rows.len(),
                "blocks that were lost unsynced are written again"
            );
            self.synced_at_us = self.clock.monotonic_us();
            self.unsynced.clear();
        }
        Ok(())
    }

    /// This node's account and the one that owns it once a block is final.
    fn history_accounts(&self, block: &Hash) -> Result<Vec<AccountId>, ChainError> {
        let owner = match self.ledger.view(block)?.get(&Key::Owner(self.own)) {
            Some(opensky_ledger::entry::Entry::Owner(owner)) => Some(*owner),
            _ => None,
        };
        Ok(std::iter::once(self.own).chain(owner).collect())
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
        self.facts.retain(|fact| is_timely(fact, current));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voting::Shared;
    use opensky_consensus::Chain as _;
    use opensky_ports::testing::SystemClock;
    use opensky_types::{
        Keypair, Micros, codec,
        membership::{Genesis, InvitePolicy},
    };
    use std::sync::Mutex;

    const LENGTH: u64 = 10;

    fn set(seed: u8) -> ValidatorSet {
        ValidatorSet::new([Keypair::from_seed([seed; 32]).id()]).expect("one key")
    }

    fn genesis() -> Genesis {
        let founder = Keypair::from_seed([1; 32]).id();
        Genesis {
            name: "snapshots".to_owned(),
            founder,
            founded_at: Timestamp::from_millis(1),
            invites: InvitePolicy::Founder,
            economy_free: true,
            supply: Micros::ZERO,
            validators: vec![founder],
            epoch_blocks: LENGTH,
            nonce: 1,
        }
    }

    #[test]
    fn l1_after_a_snapshot_the_sets_of_the_two_epochs_before_are_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let (founding, first, head) = Founding::of(&genesis()).expect("a founding");
        let founding = Arc::new(founding);
        let store = Arc::new(LedgerStore::open(folder.path()).expect("a store"));
        // The certificates are not looked at: what is on the own disk was checked before.
        let borders: Vec<(u64, Vec<u8>)> = (0..5_u8)
            .map(|epoch| {
                let mut header = founding.block.header().clone();
                header.epoch = u64::from(epoch);
                header.next_validators = Some(set(epoch + 2));
                (header.epoch, codec::encode(&(header.encode(), Vec::<u8>::new())))
            })
            .collect();
        store.put_borders(&borders).expect("written");
        let ledger = Ledger::resume(first, head).expect("a ledger");
        let top = Sealed { block: founding.block.clone(), certificate: None };
        let own = AccountId::of_node(Keypair::from_seed([1; 32]).id());
        let (news, _) = broadcast::channel(1);
        let light = founding.light();
        let checkpoints = Arc::new(Checkpoints::new(store.clone(), founding.ledger.sky, None));
        let kept = (store, checkpoints, Arc::new(SystemClock) as Arc<dyn Clock>);
        let mut state = State::new(founding.clone(), kept, own, ledger.clone(), light, top.clone(), news);
        let place = (5 * LENGTH, founding.block.id());
        let length = founding.rules.epoch_length;
        let light = LightClient::resume(founding.ledger.sky, length, 5, set(6), place);
        state.jump_to(ledger, light, top).expect("all is there");
        let shared = Shared(Arc::new(Mutex::new(state)));
        let known: Vec<_> = (0..7).map(|epoch| shared.validators(epoch)).collect();
        assert_eq!(known, [None, None, None, Some(set(4)), Some(set(5)), Some(set(6)), None]);
    }

    #[test]
    fn the_age_of_a_fact_is_judged_by_epochs_alone() {
        let node = Keypair::from_seed([1; 32]).id();
        let timely = |of, epoch| is_timely(&Fact::TwoVotes { node, epoch: of, evidence: Vec::new() }, epoch);
        assert_eq!([7, 8, 9, 10].map(|of| timely(of, 9)), [false, true, true, false]);
        assert!(timely(0, 0) && timely(0, 1) && !timely(0, 2));
    }
}
