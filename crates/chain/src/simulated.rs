//! A ledger in a simulation: on a simulated disk, with nothing beside the caller's thread, voting when it
//! is told to. Proposing, verifying and finishing blocks is the code that every validator runs.

use crate::{
    engine::{Beside, OpenError, Opening, SkyLedger},
    founding::Founding,
    sealed::ledger_block,
};
use opensky_consensus::{Chain, model::Order};
use opensky_ledger::{entry::Entry, key::Key, state::StateError, transaction::SignedTransaction};
use opensky_ports::Clock;
use opensky_storage::{LedgerStore, SimulatedDisk};
use opensky_types::{Hash, Keypair, membership::Genesis, text::causes};
use std::sync::Arc;
use tokio::sync::Notify;

/// What a simulated ledger is opened with.
pub struct Settings<'a> {
    /// The first facts of the sky.
    pub genesis: &'a Genesis,
    /// This node.
    pub key: &'a Keypair,
    /// Whether it may vote.
    pub validates: bool,
    /// Where it is kept.
    pub disk: SimulatedDisk,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Blocks between two snapshots.
    pub snapshot_blocks: u64,
}

/// The order of a sky's blocks, to be driven by a simulation.
pub fn order(genesis: &Genesis) -> Result<Order, OpenError> {
    let (founding, ..) = Founding::of(genesis)?;
    Ok(Order::new(founding.block, founding.validators, founding.rules))
}

impl SkyLedger {
    /// Opens a ledger on a simulated disk.
    pub fn simulated(settings: Settings<'_>) -> Result<Self, OpenError> {
        let opening = Opening {
            genesis: settings.genesis,
            node: settings.key.id(),
            key: settings.validates.then_some(settings.key),
            clock: settings.clock,
            snapshot_blocks: settings.snapshot_blocks,
            beside: Beside::Nowhere,
        };
        let store = Arc::new(LedgerStore::on(settings.disk)?);
        Ok(Self::of(store, opening)?.0)
    }

    /// What consensus works on.
    pub fn chain(&self) -> impl Chain + Clone + use<> {
        self.shared().clone()
    }

    /// Checks the whole state: entries under their keys, money conserved, the root theirs.
    pub fn check(&self) -> Result<(), StateError> {
        self.shared().lock().ledger.state().check()
    }

    /// How many entries of the state are of a kind.
    pub fn count(&self, is_of_kind: impl Fn(&Key, &Entry) -> bool) -> usize {
        let state = self.shared().lock();
        let entries = state.ledger.state().entries();
        entries.filter(|(key, entry)| is_of_kind(key, entry)).count()
    }

    /// From now on this node hears of blocks as a validator, and `work` is told when there is something
    /// to propose; or it follows like any other.
    pub fn set_voting(&self, work: Option<Arc<Notify>>) {
        let mut state = self.shared().lock();
        state.is_voting = work.is_some();
        state.work = work;
    }
}

/// The names of a block's transactions, in order.
pub fn transactions(block: &opensky_consensus::Block) -> Result<Vec<Hash>, OpenError> {
    let damaged = |error: &dyn std::error::Error| OpenError::Damaged(causes(error));
    let inner = ledger_block(block).map_err(|error| damaged(&error))?;
    let read = inner.transactions.into_iter().map(SignedTransaction::unchecked);
    read.map(|read| read.map(|checked| checked.id).map_err(|error| damaged(&error))).collect()
}
