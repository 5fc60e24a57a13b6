//! The chain as the validator's engine sees it: proposes from what waits, verifies, makes final.

use crate::{
    sealed::{Sealed, ledger_block},
    state::{State, is_timely},
};
use bytes::Bytes;
use opensky_consensus::{
    Block, BlockId, Certificate, Chain, Evidence, Failure, Offence, Place, Proposal, Tip, ValidatorSet,
    verify_evidence,
};
use opensky_ledger::{
    block::Header as LedgerHeader,
    entry::Entry,
    fact::Fact,
    key::Key,
    rejection::Rejection,
    transaction::{Checked, SignedTransaction},
};
use opensky_types::{Hash, Timestamp, text::causes};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a body that are not transactions: the header with its facts.
const HEADER_ROOM_BYTES: usize = 4_096;

/// The lock around the state, shared with the node.
#[derive(Clone)]
pub(crate) struct Shared(pub Arc<Mutex<State>>);

impl Shared {
    /// The state. A panic elsewhere leaves it as whole as it was: blocks are taken over at once or not
    /// at all.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chain for Shared {
    fn tip(&self) -> Tip {
        let state = self.lock();
        let certified = state.top_certificate().map(|proof| (state.top.block.clone(), proof.clone()));
        Tip { height: state.top.block.header().height, certified }
    }

    fn validators(&self, epoch: u64) -> Option<ValidatorSet> {
        self.lock().sets.get(&epoch).cloned()
    }

    fn knows(&self, block: BlockId) -> bool {
        self.lock().names.contains_key(&block)
    }

    fn propose(&mut self, place: &Place) -> Option<Proposal> {
        let mut state = self.lock();
        if state.mempool.is_empty() && state.facts.is_empty() && !place.even_empty && !place.ends_epoch {
            return None;
        }
        propose(&mut state, place).unwrap_or_else(|problem| {
            tracing::error!(height = place.height, problem, "no block could be made");
            None
        })
    }

    fn verify(&mut self, block: &Block) -> bool {
        match verify(&mut self.lock(), block) {
            Ok(()) => true,
            Err(problem) => {
                tracing::warn!(height = block.header().height, block = %block.id(), problem, "a block is not valid");
                false
            }
        }
    }

    fn finalized(&mut self, block: &Block, certificate: Option<&Certificate>) -> Result<(), Failure> {
        let mut state = self.lock();
        let sealed = Sealed { block: block.clone(), certificate: certificate.cloned() };
        state.advance(sealed, false)?;
        let header = block.header();
        let epoch = state.founding.rules.epoch_length.epoch_of(header.height + 1);
        if let Some(set) = state.sets.get(&epoch).cloned() {
            state.light = state.light_at(epoch, set);
        }
        crate::snapshots::take_if_due(&mut state)?;
        Ok(())
    }

    fn offence(&mut self, evidence: &Evidence) {
        let mut state = self.lock();
        let epoch = evidence.epoch();
        let Some(set) = state.sets.get(&epoch).cloned() else { return };
        match evidence.verify(state.founding.ledger.sky, epoch, &set) {
            Ok(Offence { validator, .. }) => {
                tracing::warn!(%validator, epoch, "a validator voted twice");
                state.note(Fact::TwoVotes { node: validator, epoch, evidence: evidence.encode() });
            }
            Err(error) => tracing::warn!(%error, "the engine reported a contradiction that is none"),
        }
    }
}

fn propose(state: &mut State, place: &Place) -> Result<Option<Proposal>, String> {
    let Some((_, parent)) = state.names.get(&place.parent).copied() else {
        return Err("the block below is not known".to_owned());
    };
    let size_bytes_max = place.body_bytes_max.saturating_sub(HEADER_ROOM_BYTES);
    let State { ledger, mempool, facts, .. } = state;
    let candidates = {
        let view = ledger.view(&parent).map_err(|error| error.to_string())?;
        let count_max = view.params().transactions_max as usize;
        let next = |account: &_| view.find_account(account).map_or(0, |account| account.nonce);
        mempool.choose(size_bytes_max, count_max, next)
    };
    let time = Timestamp::from_millis(place.time_ms);
    let facts = facts.iter().filter(|fact| is_timely(fact, place.epoch)).cloned().collect();
    let proposed = ledger.propose_with(&parent, time, facts, candidates, size_bytes_max);
    let proposal = proposed.map_err(|error| error.to_string())?;
    for (id, rejection) in &proposal.rejected {
        // A number that is not next may be so in the next block; the rest would be refused again, and
        // keep what comes after it waiting.
        if !matches!(rejection, Rejection::Nonce { .. }) {
            tracing::debug!(%id, %rejection, "a transaction does not apply any more");
            mempool.reject(id);
        }
    }
    let block = proposal.block;
    if block.transactions.is_empty() && block.header.facts.is_empty() && !place.even_empty {
        return Ok(None);
    }
    let next_validators = if place.ends_epoch { Some(elected(state, &block.id())?) } else { None };
    let (commitment, body) = (block.id(), Bytes::from(block.encode()));
    Ok(Some(Proposal { body, commitment, next_validators }))
}

fn verify(state: &mut State, block: &Block) -> Result<(), String> {
    let header = block.header();
    let inner = ledger_block(block).map_err(|error| error.to_string())?;
    let parent = state.names.get(&header.parent).map(|(_, name)| *name);
    if Some(inner.header.parent) != parent {
        return Err("it stands on another block of the ledger than of the chain".to_owned());
    }
    if inner.header.height != header.height || inner.header.time.as_millis() != header.time_ms {
        return Err("the ledger's header has another height or time".to_owned());
    }
    for fact in &inner.header.facts {
        if !is_timely(fact, header.epoch) {
            return Err("a fact of another epoch than this one and the one before".to_owned());
        }
        let Fact::TwoVotes { node, epoch, evidence } = fact;
        let set = state.sets.get(epoch).ok_or("this node does not know who voted in a fact's epoch")?;
        let offence = verify_evidence(state.founding.ledger.sky, *epoch, set, evidence)
            .map_err(|error| error.to_string())?;
        if offence.validator != *node {
            return Err("the evidence is against another validator".to_owned());
        }
    }
    let id = inner.id();
    if state.ledger.header(&id).is_none() {
        let checked = check_all(state, &inner.header, inner.transactions)?;
        state.ledger.execute(inner.header, &checked).map_err(|error| causes(&error))?;
        let_wait(state, checked);
    }
    let expected = if header.next_validators.is_some() { Some(elected(state, &id)?) } else { None };
    if header.next_validators != expected {
        return Err("the next validators are others".to_owned());
    }
    state.names.insert(block.id(), (header.height, id));
    Ok(())
}

/// What another leader knew, or this one before it was started anew, waits here too until its block is
/// final: an account's next number comes after it.
fn let_wait(state: &mut State, checked: Vec<Checked>) {
    for one in checked {
        if state.mempool.get(&one.id).is_none() {
            // If there is no room, or another has its number here, the block decides.
            let _ = state.mempool.insert(one);
        }
    }
}

/// Checks the signatures that were not checked when their transactions began to wait here.
fn check_all(
    state: &State,
    header: &LedgerHeader,
    transactions: Vec<SignedTransaction>,
) -> Result<Vec<Checked>, String> {
    let read = transactions.into_iter().map(SignedTransaction::unchecked).collect::<Result<Vec<_>, _>>();
    let read = read.map_err(|error| error.to_string())?;
    // How many there are comes before what they cost to check.
    state.ledger.check_counts(header, &read).map_err(|error| error.to_string())?;
    let is_known =
        |one: &&Checked| state.mempool.get(&one.id).is_some_and(|known| known.signed == one.signed);
    let unknown = read.iter().filter(|one| !is_known(one)).map(|one| one.signed.clone());
    SignedTransaction::check_all(unknown.collect()).map_err(|error| error.to_string())?;
    Ok(read)
}

/// Who votes in the next epoch, by the state after this block.
fn elected(state: &State, block: &Hash) -> Result<ValidatorSet, String> {
    let view = state.ledger.view(block).map_err(|error| error.to_string())?;
    match view.get(&Key::Validators) {
        Some(Entry::Validators(nodes)) => {
            ValidatorSet::new(nodes.iter().copied()).map_err(|error| error.to_string())
        }
        _ => Err("the state names no validators".to_owned()),
    }
}
