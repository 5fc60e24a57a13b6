//! A ledger in memory that all nodes of a test share: each transaction is a block at once.

use super::lock;
use crate::{
    clock::Clock,
    ledger::{
        FollowError, Head, HistoryItem, LedgerEngine, News, Overview, Reading, Restoring, Role,
        SignedCheckpoint, SubmitError, Taken, Whereabouts,
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use opensky_ledger::{
    action::Action,
    block::Header,
    entry::Entry,
    event::Event,
    evm::{EvmKey, EvmSignature},
    genesis::Genesis,
    key::Key,
    ledger::Ledger,
    params::Params,
    purse::Purse,
    rejection::Rejection,
    reputation::Reputation,
    state::State,
    transaction::{Checked, SignedTransaction, TransactionError},
};
use opensky_types::{AccountId, Hash, Micros, NodeId, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::broadcast;

const NEWS_MAX: usize = 256;

/// The ledger of a test sky, as one of its nodes has it. Those of [`MemoryLedger::of`] share one state,
/// so nobody has to follow anybody.
pub struct MemoryLedger {
    genesis: Arc<Genesis>,
    chain: Arc<Mutex<Chain>>,
    news: broadcast::Sender<Arc<News>>,
    clock: Arc<dyn Clock>,
    /// What this node knows of a checkpoint that a test gave it.
    checkpoint: Mutex<Option<SignedCheckpoint>>,
    /// So many next numbers are told as they were one block ago.
    late_numbers: AtomicU32,
}

struct Chain {
    ledger: Ledger,
    places: BTreeMap<Hash, (u64, Timestamp)>,
    listeners: Vec<(AccountId, broadcast::Sender<Arc<News>>)>,
}

impl MemoryLedger {
    /// The ledger of `sky`, where work is free and `founder` votes alone.
    pub fn free(sky: Hash, founder: NodeId, clock: Arc<dyn Clock>) -> Self {
        Self::with(sky, founder, Params::free(), Micros::ZERO, clock)
    }

    /// One with prices, whose founder has all its money; accounts cost nothing, as in private skies.
    pub fn paid(sky: Hash, founder: NodeId, supply: Micros, clock: Arc<dyn Clock>) -> Self {
        let params = Params { new_account_min: Micros::ZERO, ..Params::default() };
        Self::with(sky, founder, params, supply, clock)
    }

    fn with(sky: Hash, founder: NodeId, params: Params, supply: Micros, clock: Arc<dyn Clock>) -> Self {
        let own = AccountId::of_node(founder);
        let has_money = supply > Micros::ZERO;
        let genesis = Genesis {
            sky,
            time: Timestamp::default(),
            params: Params { authority: Some(own), puzzle_bits: 0, ..params },
            balances: has_money.then(|| (own, Purse::free(supply))).into_iter().collect(),
            treasury: Purse::default(),
            validators: vec![founder],
        };
        let ledger = Ledger::new(&genesis).expect("a sound genesis");
        let (news, _) = broadcast::channel(NEWS_MAX);
        let listeners = vec![(own, news.clone())];
        let chain = Arc::new(Mutex::new(Chain { ledger, places: BTreeMap::new(), listeners }));
        let (checkpoint, late_numbers) = (Mutex::new(None), AtomicU32::new(0));
        Self { genesis: Arc::new(genesis), chain, news, clock, checkpoint, late_numbers }
    }

    /// The same ledger as another node has it.
    #[must_use]
    pub fn of(&self, node: NodeId) -> Self {
        let own = AccountId::of_node(node);
        let (news, _) = broadcast::channel(NEWS_MAX);
        lock(&self.chain).listeners.push((own, news.clone()));
        let (genesis, chain) = (Arc::clone(&self.genesis), Arc::clone(&self.chain));
        let (checkpoint, late_numbers) = (Mutex::new(None), AtomicU32::new(0));
        Self { genesis, chain, news, clock: Arc::clone(&self.clock), checkpoint, late_numbers }
    }

    /// Gives this node a checkpoint, as if an epoch had ended.
    pub fn set_checkpoint(&self, checkpoint: SignedCheckpoint) {
        *lock(&self.checkpoint) = Some(checkpoint);
    }

    /// Lets a block come between the next `count` looks for a number and their use.
    pub fn number_late(&self, count: u32) {
        self.late_numbers.store(count, Ordering::SeqCst);
    }

    /// Makes a block with nothing in it, so that what is due at its time happens.
    pub fn pass(&self) {
        self.block(None).expect("an empty block applies");
    }

    /// Gives an account this reputation, as if it had been earned since genesis.
    pub fn set_reputation(&self, account: AccountId, reputation: Reputation) {
        let mut chain = lock(&self.chain);
        let entries = chain.ledger.state().entries().map(|(key, entry)| (key, entry.clone()));
        let mut entries: BTreeMap<Key, Entry> = entries.collect();
        entries.insert(Key::Reputation(account), Entry::Reputation(Box::new(reputation)));
        let state = State::new(entries).expect("sound entries");
        let head = Header { state: state.root(), ..chain.ledger.head().clone() };
        chain.ledger = Ledger::resume(state, head).expect("the root is the header's");
    }

    fn block(&self, transaction: Option<Checked>) -> Result<(), Rejection> {
        let now = self.clock.now();
        let mut chain = lock(&self.chain);
        if let Some(checked) = &transaction {
            chain.ledger.try_out(now, checked)?;
        }
        let action = transaction.as_ref().map(|checked| checked.transaction.action.clone());
        let parent = chain.ledger.head().id();
        let time = now.max(chain.ledger.head().time.plus_ms(1));
        let candidates = transaction.into_iter().collect();
        let proposal = chain.ledger.propose(&parent, time, candidates, 1 << 20).expect("a block");
        let events = chain.ledger.finalize(&proposal.block.id()).expect("it was proposed");
        let header = &proposal.block.header;
        let read = proposal.block.transactions.iter().cloned().map(SignedTransaction::unchecked);
        let ids: Vec<Hash> = read.map(|read| read.expect("it was checked").id).collect();
        for id in &ids {
            chain.places.insert(*id, (header.height, header.time));
        }
        let news =
            News { head: head(&chain.ledger), transactions: ids, events, income: Micros::ZERO, sealed: None };
        for (account, listener) in &chain.listeners {
            let income = income(action.as_ref(), &news.events, account);
            // Nobody may be listening.
            let _ = listener.send(Arc::new(News { income, ..news.clone() }));
        }
        Ok(())
    }
}

fn income(action: Option<&Action>, events: &[Event], own: &AccountId) -> Micros {
    let given = match action {
        Some(Action::Transfer { to, amount, .. }) if to == own => amount.get(),
        _ => 0,
    };
    let paid = events.iter().map(|event| match event {
        Event::Paid { provider, amount, .. } if provider == own => amount.get(),
        _ => 0,
    });
    Micros::new(given + paid.sum::<u64>())
}

fn head(ledger: &Ledger) -> Head {
    let header = ledger.head();
    Head { height: header.height, block: header.id(), state: header.state, time: header.time, epoch: 0 }
}

#[async_trait]
impl LedgerEngine for MemoryLedger {
    fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    fn head(&self) -> Head {
        head(&lock(&self.chain).ledger)
    }

    fn is_voting(&self) -> bool {
        true
    }

    fn read(&self, keys: &[Key]) -> Reading {
        let chain = lock(&self.chain);
        let entries = keys.iter().map(|key| chain.ledger.state().get(key).cloned()).collect();
        Reading { head: head(&chain.ledger), entries }
    }

    fn owned_by(&self, owner: &AccountId, limit: usize) -> Vec<AccountId> {
        let chain = lock(&self.chain);
        let owned = chain.ledger.state().entries().filter_map(|(key, entry)| match (key, entry) {
            (Key::Owner(node), Entry::Owner(found)) if found == owner => Some(node),
            _ => None,
        });
        owned.take(limit).collect()
    }

    fn next_nonce(&self, account: &AccountId) -> u64 {
        let late =
            self.late_numbers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match lock(&self.chain).ledger.state().get(&Key::Account(*account)) {
            Some(Entry::Account(account)) => account.nonce.saturating_sub(u64::from(late.is_ok())),
            _ => 0,
        }
    }

    fn submit_all(&self, transactions: Vec<SignedTransaction>) -> Vec<Result<Taken, SubmitError>> {
        let take = |checked: Result<Checked, TransactionError>| {
            let checked = checked.map_err(|error| SubmitError::Malformed(error.to_string()))?;
            let id = checked.id;
            if lock(&self.chain).places.contains_key(&id) {
                return Ok(Taken { id, is_new: false });
            }
            self.block(Some(checked))?;
            Ok(Taken { id, is_new: true })
        };
        SignedTransaction::check_each(transactions).into_iter().map(take).collect()
    }

    fn try_out(&self, transaction: SignedTransaction) -> Result<Vec<Event>, SubmitError> {
        let checked = transaction.check().map_err(|error| SubmitError::Malformed(error.to_string()))?;
        Ok(lock(&self.chain).ledger.try_out(self.clock.now(), &checked)?)
    }

    fn whereabouts(&self, id: &Hash) -> Whereabouts {
        match lock(&self.chain).places.get(id) {
            Some((height, time)) => Whereabouts::Final { height: *height, time: *time },
            None => Whereabouts::Unknown,
        }
    }

    /// Nobody certifies anything here.
    fn prove(&self, _: &Key) -> Result<Vec<u8>, FollowError> {
        Err(self.nothing())
    }

    fn blocks(&self, _: u64, _: usize) -> Result<Vec<Bytes>, FollowError> {
        Ok(Vec::new())
    }

    fn follow(&self, _: Vec<Bytes>) -> Result<Head, FollowError> {
        Err(self.nothing())
    }

    fn offer_snapshot(&self, _: u64) -> Result<Option<Vec<u8>>, FollowError> {
        Ok(None)
    }

    fn snapshot_chunk(&self, _: u64, _: u32) -> Result<Option<Vec<u8>>, FollowError> {
        Ok(None)
    }

    fn begin_restore(&self, _: &[u8]) -> Result<Restoring, FollowError> {
        Err(self.nothing())
    }

    fn restore_chunk(&self, _: u32, _: &[u8]) -> Result<bool, FollowError> {
        Err(self.nothing())
    }

    fn history(
        &self,
        _: &AccountId,
        _: Option<(u64, u32)>,
        _: usize,
    ) -> Result<Vec<HistoryItem>, FollowError> {
        Ok(Vec::new())
    }

    /// No epoch ends here.
    fn checkpoint(&self, _: Option<u64>) -> Result<Option<SignedCheckpoint>, FollowError> {
        Ok(lock(&self.checkpoint).clone())
    }

    fn add_signatures(
        &self,
        epoch: u64,
        signatures: &[(NodeId, EvmSignature)],
    ) -> Result<usize, FollowError> {
        let mut slot = lock(&self.checkpoint);
        let known = slot.as_mut().filter(|known| known.checkpoint.epoch == epoch);
        let Some(known) = known else { return Ok(0) };
        let mut added = 0;
        for (node, signature) in signatures {
            let signer = known.signers.iter().find(|signer| signer.node == *node);
            let key = signer.and_then(|signer| signer.key);
            let wrong = || FollowError::Sender(format!("no signature of {node}"));
            signature.verify(&known.digest, &key.ok_or_else(wrong)?).map_err(|_| wrong())?;
            if known.signatures.iter().all(|(of, _)| of != node) {
                known.signatures.push((*node, *signature));
                added += 1;
            }
        }
        Ok(added)
    }

    fn unnamed_checkpoint_key(&self) -> Option<EvmKey> {
        None
    }

    fn overview(&self) -> Overview {
        let chain = lock(&self.chain);
        Overview {
            head: head(&chain.ledger),
            validators: self.genesis.validators.clone(),
            role: Role::Validator,
            waiting: 0,
            entries: chain.ledger.state().len(),
            validator_address: None,
        }
    }

    fn validator_addresses(&self) -> Vec<(NodeId, String)> {
        Vec::new()
    }

    fn learn_addresses(&self, _: NodeId, _: Vec<(NodeId, String)>) {}

    fn subscribe(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.subscribe()
    }

    async fn shut_down(&self) {}
}

impl MemoryLedger {
    fn nothing(&self) -> FollowError {
        FollowError::NotNext { height: self.head().height }
    }
}
