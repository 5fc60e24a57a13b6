//! The sky's ledger as this node has it: the final state, and transactions on their way into it.

use async_trait::async_trait;
use bytes::Bytes;
use opensky_ledger::{
    checkpoint::{Signer, quorum},
    entry::Entry,
    event::Event,
    evm::{Checkpoint, EvmKey, EvmSignature, Keccak},
    genesis::Genesis,
    key::Key,
    rejection::Rejection,
    transaction::SignedTransaction,
};
use opensky_types::{AccountId, Hash, Micros, NodeId, Timestamp};
use std::sync::Arc;
use tokio::sync::broadcast;

/// The newest final block that this node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Distance from genesis.
    pub height: u64,
    /// The block's id, which its certificate names.
    pub block: Hash,
    /// The root of the state after it.
    pub state: Hash,
    /// The block's time.
    pub time: Timestamp,
    /// Its epoch.
    pub epoch: u64,
}

/// Entries of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The block after which the state was this.
    pub head: Head,
    /// The entry under each key asked for, in that order.
    pub entries: Vec<Option<Entry>>,
}

/// A final block, as told to whoever follows.
#[derive(Debug, Clone)]
pub struct News {
    /// The block.
    pub head: Head,
    /// The ids of its transactions, in order.
    pub transactions: Vec<Hash>,
    /// What happened beside what transactions say.
    pub events: Vec<Event>,
    /// What this node's account was paid and given in it.
    pub income: Micros,
    /// The block with its certificate, if this node voted on it and so tells the others; none where a
    /// later block's certificate covers it.
    pub sealed: Option<Bytes>,
}

/// A transaction that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub id: Hash,
    /// Whether it was not known before: then other nodes are to hear of it.
    pub is_new: bool,
}

/// Why a transaction was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Its bytes or signatures are wrong; whoever sent it is at fault.
    #[error("the transaction is malformed: {0}")]
    Malformed(String),
    /// The rules do not allow it now.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Too many wait already; one of the same account, or a later try, may fit.
    #[error("{0}")]
    Full(&'static str),
}

/// Where a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    /// Waits for a block.
    Waiting,
    /// In a final block of this height.
    Final { height: u64, time: Timestamp },
    /// Not known: never seen, given up, or older than what is remembered.
    Unknown,
}

/// What another node's word about the ledger came to.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// What it sent is wrong: it lies or is broken.
    #[error("the sender is wrong: {0}")]
    Sender(String),
    /// Nothing new, or blocks between are missing. Nobody's fault.
    #[error("does not follow height {height}")]
    NotNext {
        /// The height that this node is at.
        height: u64,
    },
    /// This node's own disk or ledger failed.
    #[error("the ledger of this node failed")]
    Own(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A snapshot that a peer offered and whose header is proven final: what is still to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restoring {
    /// Of which block.
    pub height: u64,
    /// Its number of chunks.
    pub chunks: u32,
}

/// One line of an account's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// The block.
    pub height: u64,
    /// The block's time.
    pub time: Timestamp,
    /// The place within the block; orders the lines of one block.
    pub index: u32,
    /// What happened.
    pub what: HistoryEvent,
}

/// What a line of a history tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryEvent {
    /// A transaction that the account made, or that names it.
    Transaction(Box<SignedTransaction>),
    /// Something that followed from one, or from the passing of time.
    Event(Event),
}

/// A checkpoint for public chains, and what its validators signed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// What is signed: its digest in the domain of the sky.
    pub digest: Keccak,
    /// Who may sign.
    pub signers: Vec<Signer>,
    /// Who did, in the order of the signers.
    pub signatures: Vec<(NodeId, EvmSignature)>,
}

impl SignedCheckpoint {
    /// How many signatures a contract asks for.
    pub fn quorum(&self) -> usize {
        quorum(self.signers.len())
    }

    /// Whether there are enough of them.
    pub fn is_complete(&self) -> bool {
        self.signatures.len() >= self.quorum()
    }
}

/// This node's part in the agreement on blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// It reads along.
    Follower,
    /// It votes.
    Validator,
    /// It should vote and does not; why.
    Stopped(String),
}

/// What can be said about the ledger as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The newest final block.
    pub head: Head,
    /// Who votes on the next block.
    pub validators: Vec<NodeId>,
    /// This node's part.
    pub role: Role,
    /// Transactions that wait.
    pub waiting: usize,
    /// Entries of the state.
    pub entries: usize,
    /// Where other validators reach this one, if it votes.
    pub validator_address: Option<String>,
}

/// The ledger. Methods may take some milliseconds: the node calls those that do off its loop.
#[async_trait]
pub trait LedgerEngine: Send + Sync {
    /// What was fixed before the first block.
    fn genesis(&self) -> &Genesis;

    /// The newest final block.
    fn head(&self) -> Head;

    /// Whether this node takes part in the agreement on blocks, and so hears of them there.
    fn is_voting(&self) -> bool;

    /// Entries of the final state, all of the same block.
    fn read(&self, keys: &[Key]) -> Reading;

    /// The accounts that name `owner` as theirs, at most `limit`.
    fn owned_by(&self, owner: &AccountId, limit: usize) -> Vec<AccountId>;

    /// The number that the next transaction of an account must carry, after those that wait.
    fn next_nonce(&self, account: &AccountId) -> u64;

    /// Checks transactions and lets them wait for a block: what became of each, in order. Signatures are
    /// checked together, which costs a fraction.
    fn submit_all(&self, transactions: Vec<SignedTransaction>) -> Vec<Result<Taken, SubmitError>>;

    /// The same for one.
    fn submit(&self, transaction: SignedTransaction) -> Result<Taken, SubmitError> {
        self.submit_all(vec![transaction]).pop().expect("each is answered")
    }

    /// What would become of it if it were in the next block; nothing is kept.
    fn try_out(&self, transaction: SignedTransaction) -> Result<Vec<Event>, SubmitError>;

    /// Where a transaction is.
    fn whereabouts(&self, id: &Hash) -> Whereabouts;

    /// Proves the entry under a key, or its absence, to whoever trusts the genesis only: a
    /// self-contained file.
    fn prove(&self, key: &Key) -> Result<Vec<u8>, FollowError>;

    /// Final blocks from `height` on for another node, the last one certified; at most about
    /// `bytes_max`. Empty if there are none or they are not kept any more.
    fn blocks(&self, height: u64, bytes_max: usize) -> Result<Vec<Bytes>, FollowError>;

    /// Takes in blocks that another node sent, each verified before it counts.
    fn follow(&self, blocks: Vec<Bytes>) -> Result<Head, FollowError>;

    /// The newest snapshot, proven from the border of `epoch` on; none if there is none newer.
    fn offer_snapshot(&self, epoch: u64) -> Result<Option<Vec<u8>>, FollowError>;

    /// A chunk of a snapshot that was offered.
    fn snapshot_chunk(&self, height: u64, index: u32) -> Result<Option<Vec<u8>>, FollowError>;

    /// Begins to take over a snapshot that another node offered.
    fn begin_restore(&self, offer: &[u8]) -> Result<Restoring, FollowError>;

    /// Adds a chunk; `true` when it was the last and the state was taken over.
    fn restore_chunk(&self, index: u32, bytes: &[u8]) -> Result<bool, FollowError>;

    /// The newest lines of an account's history before a place, newest first. Kept for the accounts
    /// of this node and its owner, from when this node began to follow block by block.
    fn history(
        &self,
        account: &AccountId,
        before: Option<(u64, u32)>,
        limit: usize,
    ) -> Result<Vec<HistoryItem>, FollowError>;

    /// The checkpoint of an epoch, or the newest one; none of epochs whose end this node has not seen.
    fn checkpoint(&self, epoch: Option<u64>) -> Result<Option<SignedCheckpoint>, FollowError>;

    /// Takes in what others signed of the newest checkpoint, if it is that of `epoch`: how many signatures
    /// are new. One that is not its validator's over what this node has computed is the sender's fault.
    fn add_signatures(&self, epoch: u64, signatures: &[(NodeId, EvmSignature)])
    -> Result<usize, FollowError>;

    /// The key for checkpoints that this node still has to name on the ledger, since it may validate.
    fn unnamed_checkpoint_key(&self) -> Option<EvmKey>;

    /// The ledger as a whole.
    fn overview(&self) -> Overview;

    /// Where validators of this sky can be reached, as this node knows; what it is told in turn.
    fn validator_addresses(&self) -> Vec<(NodeId, String)>;

    /// Takes in what `from` knows of that: its own address as it says, those of others where none is
    /// known yet. Believed only as far as dialling goes.
    fn learn_addresses(&self, from: NodeId, addresses: Vec<(NodeId, String)>);

    /// Final blocks as they come. One that lags behind reads the state anew.
    fn subscribe(&self) -> broadcast::Receiver<Arc<News>>;

    /// Stops voting and puts everything on disk.
    async fn shut_down(&self);
}
