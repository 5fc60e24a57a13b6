//! The ledger in the loop: own transactions are signed and told to the sky, those of others are
//! checked and passed on, final blocks are told and followed.

mod automatic;
mod checkpoints;
mod following;
mod hearing;
mod serving;

pub use automatic::{AutoTransfer, When};

use crate::{event::Event, fetch::blocking, handle::TransactError, node::Node, requests::tell};
use checkpoints::Checkpointing;
pub(crate) use following::Caught;
use following::Following;
pub(crate) use following::ask;
pub(crate) use hearing::{HEARD_MAX, Heard, judge};
use opensky_ledger::{
    action::Action,
    apply::RULES,
    approval::Approval,
    entry::Entry,
    event::Event as LedgerEvent,
    key::Key,
    rejection::Rejection,
    transaction::{SignedTransaction, Transaction},
};
use opensky_ports::{
    LedgerEngine,
    ledger::{News, Whereabouts},
};
use opensky_protocol::{
    GOSSIP_BYTES_MAX, Message,
    ledger::{Ask, BlockNews, NEWS_BYTES_MAX, Reply, TOPIC_BLOCKS, TOPIC_TRANSACTIONS},
};
use opensky_types::{AccountId, Hash, NodeId, Timestamp, codec};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{broadcast, mpsc, oneshot};

/// How long an own transaction may wait for its block, in milliseconds.
const VALID_MS: u64 = 10 * 60_000;
/// Time between two tellings of an own transaction that still waits, in milliseconds.
const TELL_AGAIN_MS: u64 = 5_000;
/// Numbers that an own transaction gets before it is refused for its number.
const NUMBERINGS_MAX: usize = 3;
/// Of blocks in which nothing happens, one in so many is told of: about one a minute.
const QUIET_BLOCKS: u64 = 12;
/// Validators that are told of a transaction too large for gossip.
const TOLD_DIRECTLY_MAX: usize = 3;

/// The loop's side of the ledger.
pub(crate) struct OwnLedger {
    pub(crate) engine: Arc<dyn LedgerEngine>,
    account: AccountId,
    /// Own transactions that are not final yet, and when they were last told.
    waiting: BTreeMap<Hash, (SignedTransaction, Timestamp)>,
    automatic: Vec<AutoTransfer>,
    following: Following,
    checkpointing: Checkpointing,
    /// To the task that checks what is heard.
    heard: mpsc::Sender<Heard>,
}

type Answer<T> = oneshot::Sender<Result<T, TransactError>>;

impl OwnLedger {
    pub(crate) fn new(
        engine: Arc<dyn LedgerEngine>,
        own: NodeId,
        automatic: Vec<AutoTransfer>,
        heard: mpsc::Sender<Heard>,
    ) -> Self {
        let account = AccountId::of_node(own);
        let (following, checkpointing) = (Following::default(), Checkpointing::default());
        Self { engine, account, waiting: BTreeMap::new(), automatic, following, checkpointing, heard }
    }

    pub(crate) fn sky(&self) -> Hash {
        self.engine.genesis().sky
    }

    pub(crate) fn has_prices(&self) -> bool {
        self.engine.genesis().params.economy
    }

    /// This node's account.
    pub(crate) const fn account(&self) -> AccountId {
        self.account
    }

    /// The time of the newest final block.
    pub(crate) fn time(&self) -> Timestamp {
        self.engine.head().time
    }

    /// Entries of the final state.
    pub(crate) fn read(&self, keys: &[Key]) -> Vec<Option<Entry>> {
        self.engine.read(keys).entries
    }

    /// Whether an own transaction waits for its block.
    pub(crate) fn is_waiting(&self, id: &Hash) -> bool {
        self.waiting.contains_key(id)
    }

    /// Whether nothing waits.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.following.is_idle()
    }
}

/// Brings final blocks into the loop, until either side ends.
pub(crate) async fn forward_news(mut news: broadcast::Receiver<Arc<News>>, events: mpsc::Sender<Event>) {
    loop {
        let event = match news.recv().await {
            Ok(news) => Event::BlockFinal(news),
            // What was missed is not told to others by this node; the state is read anew anyway.
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "the loop lags behind the ledger");
                continue;
            }
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}

impl Node {
    /// A user acts with this node's account.
    pub(crate) fn on_transact(&mut self, now: Timestamp, action: Action, answer: Answer<Hash>) {
        let transaction = self.transaction(now, action);
        if let Some(candidate) = self.asks_another(&transaction) {
            return self.ask_approval(candidate, transaction, answer);
        }
        tell(answer, self.act(now, transaction.action).1);
    }

    /// A user asks what would come of it.
    pub(crate) fn on_try_transact(
        &mut self,
        now: Timestamp,
        action: Action,
        answer: Answer<Vec<LedgerEvent>>,
    ) {
        let transaction = self.transaction(now, action);
        let signed = self.sign_transaction(&transaction, Vec::new());
        let engine = Arc::clone(&self.ledger.engine);
        self.tasks.spawn(async move {
            let tried = blocking(move || engine.try_out(signed)).await;
            tell(answer, tried.map_err(TransactError::from));
        });
    }

    /// Acts by itself; a failure is for the log, since nobody waits.
    pub(crate) fn transact_quietly(&mut self, now: Timestamp, action: Action) -> Option<Hash> {
        let description = action.describe();
        match self.act(now, action).1 {
            Ok(id) => Some(id),
            Err(error) => {
                tracing::warn!(%error, description, "the ledger did not take a transaction of this node");
                None
            }
        }
    }

    /// Acts with this node's account; answers the number of its transaction. A block of the node's life
    /// before, or of another member that passed it on, may take the number meanwhile: then the next one.
    pub(crate) fn act(&mut self, now: Timestamp, action: Action) -> (u64, Result<Hash, TransactError>) {
        let mut tries_left = NUMBERINGS_MAX;
        loop {
            let transaction = self.transaction(now, action.clone());
            let signed = self.sign_transaction(&transaction, Vec::new());
            let submitted = self.submit_transaction(now, signed);
            tries_left -= 1;
            match submitted {
                Err(TransactError::Rejected(Rejection::Nonce { .. })) if tries_left > 0 => {}
                submitted => return (transaction.nonce, submitted),
            }
        }
    }

    pub(crate) fn transaction(&self, now: Timestamp, action: Action) -> Transaction {
        let engine = &self.ledger.engine;
        Transaction {
            sky: engine.genesis().sky,
            rules: RULES,
            account: self.ledger.account,
            nonce: engine.next_nonce(&self.ledger.account),
            // Blocks carry the time of their proposers, which may be a little ahead.
            valid_until: now.max(engine.head().time).plus_ms(VALID_MS),
            action,
        }
    }

    pub(crate) fn sign_transaction(
        &self,
        transaction: &Transaction,
        mut approvals: Vec<Approval>,
    ) -> SignedTransaction {
        approvals.push(Approval::sign(&self.key, transaction));
        transaction.signed(approvals)
    }

    /// Lets an own transaction wait for its block, and tells the sky.
    pub(crate) fn submit_transaction(
        &mut self,
        now: Timestamp,
        signed: SignedTransaction,
    ) -> Result<Hash, TransactError> {
        let taken = self.ledger.engine.submit(signed.clone())?;
        self.tell_transaction(&signed);
        self.ledger.waiting.insert(taken.id, (signed, now));
        Ok(taken.id)
    }

    /// The node whose signature an action needs beside this one's.
    fn asks_another(&self, transaction: &Transaction) -> Option<NodeId> {
        match &transaction.action {
            Action::ValidatorAdd(candidate) if candidate.node != self.own => Some(candidate.node),
            _ => None,
        }
    }

    fn ask_approval(&self, candidate: NodeId, transaction: Transaction, answer: Answer<Hash>) {
        let (transport, events) = (Arc::clone(&self.transport), self.events.clone());
        self.tasks.spawn(async move {
            let ask = Ask::Approve { transaction: transaction.encode() };
            let approval = match following::ask(transport.as_ref(), candidate, &ask).await {
                Ok(Reply::Approved { approval: Some(bytes) }) => codec::decode::<Approval>(&bytes, 1_024)
                    .ok()
                    .filter(|approval| approval.verify(&transaction).is_ok())
                    .ok_or_else(|| format!("{candidate} sent no signature over this")),
                Ok(_) => Err(format!(
                    "{candidate} does not want to validate; its owner allows it with `opensky up --validate true`"
                )),
                Err(error) => Err(format!("{candidate} could not be asked: {error}")),
            };
            match approval {
                // If the loop is gone, so is whoever asked.
                Ok(approval) => drop(events.send(Event::Approved { transaction: Box::new(transaction), approval, answer }).await),
                Err(problem) => tell(answer, Err(TransactError::NotApproved(problem))),
            }
        });
    }

    /// The other signature is here.
    pub(crate) fn on_approved(
        &mut self,
        now: Timestamp,
        transaction: &Transaction,
        approval: Approval,
        answer: Answer<Hash>,
    ) {
        let signed = self.sign_transaction(transaction, vec![approval]);
        tell(answer, self.submit_transaction(now, signed));
    }

    fn tell_transaction(&self, signed: &SignedTransaction) {
        let bytes = signed.encode();
        if bytes.len() <= GOSSIP_BYTES_MAX {
            return self.transport.gossip(TOPIC_TRANSACTIONS, bytes);
        }
        let engine = Arc::clone(&self.ledger.engine);
        let (transport, own) = (Arc::clone(&self.transport), self.own);
        let connected = self.connected();
        self.tasks.spawn(async move {
            let mut told = engine.overview().validators;
            told.retain(|node| *node != own && connected.contains(node));
            let others = connected.iter().filter(|node| !told.contains(node)).copied().collect::<Vec<_>>();
            told.extend(others);
            for node in told.into_iter().take(TOLD_DIRECTLY_MAX) {
                let ask = Ask::Submit { transaction: bytes.clone() };
                if let Err(error) = following::ask(transport.as_ref(), node, &ask).await {
                    tracing::debug!(%node, %error, "a node did not take a transaction");
                }
            }
        });
    }

    /// A block is final.
    pub(crate) fn on_block_final(&mut self, now: Timestamp, news: &News) {
        self.ledger.following.heard(now);
        if let Some(sealed) = &news.sealed {
            self.tell_block(news, sealed);
        }
        for id in &news.transactions {
            self.ledger.waiting.remove(id);
        }
        if news.events.iter().any(|event| matches!(event, LedgerEvent::EpochEnds { .. })) {
            self.on_epoch_ended();
        }
        self.look_after_payments(now);
        self.transfer_automatically(now, news);
    }

    /// Tells the sky of a final block. Of those in which nothing happens only few are told of: whoever
    /// then asks gets all of them at once, from one node, and an idle sky stays quiet.
    fn tell_block(&self, news: &News, sealed: &[u8]) {
        let happened = !news.transactions.is_empty() || !news.events.is_empty();
        if !happened && !news.head.height.is_multiple_of(QUIET_BLOCKS) {
            return;
        }
        let inline = (happened && sealed.len() <= NEWS_BYTES_MAX).then(|| sealed.to_vec());
        let word = BlockNews { height: news.head.height, block: news.head.block, sealed: inline };
        self.transport.gossip(TOPIC_BLOCKS, word.to_bytes());
    }

    /// Every second: what waits is told again, and a sky that fell silent is asked.
    pub(crate) fn ledger_tick(&mut self, now: Timestamp) {
        let engine = &self.ledger.engine;
        self.ledger.waiting.retain(|id, _| engine.whereabouts(id) == Whereabouts::Waiting);
        let again: Vec<SignedTransaction> = self
            .ledger
            .waiting
            .values_mut()
            .filter(|(_, told_at)| now.ms_since(*told_at) >= TELL_AGAIN_MS)
            .map(|(signed, told_at)| {
                *told_at = now;
                signed.clone()
            })
            .collect();
        again.iter().for_each(|signed| self.tell_transaction(signed));
        self.follow_if_silent(now);
        self.checkpoint_tick(now);
    }

    /// Members that this node is connected to.
    pub(crate) fn connected(&self) -> Vec<NodeId> {
        self.members.iter().filter(|(_, up)| **up).map(|(node, _)| *node).collect()
    }
}
