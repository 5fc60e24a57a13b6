//! The ledger of one sky: the final state, and blocks on it that are not final yet.

use crate::{
    apply::{Context, RULES, apply},
    block::{Block, BlockError, Header, root_of},
    due::begin_block,
    event::Event,
    fact::{self, FACTS_MAX, Fact},
    genesis::{Genesis, GenesisError},
    params::Params,
    rejection::Rejection,
    rules,
    state::{State, StateError},
    transaction::{Checked, SignedTransaction, Transaction},
    tree::Draft,
    view::{Overlay, View},
};
use opensky_types::{Hash, Timestamp};
use std::collections::BTreeMap;

/// The final state with its header, and all blocks above it that were found valid.
#[derive(Debug, Clone)]
pub struct Ledger {
    state: State,
    head: Header,
    head_id: Hash,
    pending: BTreeMap<Hash, Pending>,
}

/// A valid block that is not final.
#[derive(Debug, Clone)]
struct Pending {
    header: Header,
    changes: Overlay,
    events: Vec<Event>,
    draft: Draft,
}

/// A block of our own, and what was left out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The block.
    pub block: Block,
    /// Transactions that do not apply, by id, and why. Some may later.
    pub rejected: Vec<(Hash, Rejection)>,
}

impl Ledger {
    /// The ledger of a new sky.
    pub fn new(genesis: &Genesis) -> Result<Self, GenesisError> {
        let (state, head) = genesis.build()?;
        Ok(Self::at(state, head))
    }

    /// The ledger at a final header, with the state that a snapshot brought.
    pub fn resume(state: State, head: Header) -> Result<Self, StateError> {
        let (expected, found) = (head.state, state.root());
        if expected == found { Ok(Self::at(state, head)) } else { Err(StateError::Root { expected, found }) }
    }

    fn at(state: State, head: Header) -> Self {
        Self { state, head_id: head.id(), head, pending: BTreeMap::new() }
    }

    /// The final state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The header of the last final block.
    pub fn head(&self) -> &Header {
        &self.head
    }

    /// The header of a block: the last final one, or one above it.
    pub fn header(&self, id: &Hash) -> Option<&Header> {
        if *id == self.head_id { Some(&self.head) } else { self.pending.get(id).map(|block| &block.header) }
    }

    /// The state after a block: the last final one, or one above it.
    pub fn view(&self, id: &Hash) -> Result<View<'_>, BlockError> {
        let mut below = Vec::new();
        let mut at = *id;
        while at != self.head_id {
            let block = self.pending.get(&at).ok_or(BlockError::UnknownParent { parent: *id })?;
            below.push(&block.changes);
            at = block.header.parent;
        }
        Ok(View::new(&self.state, below))
    }

    /// What would happen if this were alone in a block on the final state, at `now`; nothing is kept.
    pub fn try_out(&self, now: Timestamp, checked: &Checked) -> Result<Vec<Event>, Rejection> {
        let mut view = View::new(&self.state, Vec::new());
        let context = self.next_context(&view, now);
        apply(&mut view, &context, checked)?;
        Ok(view.finish().1)
    }

    /// Whether a transaction could be in a block now, as far as sky, rules and time say. All that can be
    /// said of one whose turn has not come.
    pub fn check_place(&self, now: Timestamp, transaction: &Transaction) -> Result<(), Rejection> {
        let view = View::new(&self.state, Vec::new());
        crate::apply::check_place(&self.next_context(&view, now), transaction)
    }

    fn next_context(&self, view: &View<'_>, now: Timestamp) -> Context {
        let height = self.head.height.saturating_add(1);
        Context {
            sky: self.head.sky,
            height,
            now: now.max(self.head.time.plus_ms(1)),
            rules: rules::version_at(view, height).get(),
            params: view.params(),
        }
    }

    /// A block on `parent` of those candidates that apply, in their order, up to `size_bytes_max` of
    /// transactions.
    pub fn propose(
        &mut self,
        parent: &Hash,
        time: Timestamp,
        candidates: Vec<Checked>,
        size_bytes_max: usize,
    ) -> Result<Proposal, BlockError> {
        self.propose_with(parent, time, Vec::new(), candidates, size_bytes_max)
    }

    /// The same with facts, which this node has checked; those that say nothing new are left out.
    pub fn propose_with(
        &mut self,
        parent: &Hash,
        time: Timestamp,
        mut facts: Vec<Fact>,
        candidates: Vec<Checked>,
        size_bytes_max: usize,
    ) -> Result<Proposal, BlockError> {
        let below = self.header(parent).ok_or(BlockError::UnknownParent { parent: *parent })?.clone();
        let (mut transactions, mut rejected, mut size_bytes) = (Vec::new(), Vec::new(), 0);
        let mut view = self.view(parent)?;
        let context = context(&view, &below, time)?;
        let (signatures_max, mut signatures) = (context.params.signatures_max, 0);
        begin_block(&mut view, &context).map_err(|source| BlockError::Due { source })?;
        // Those that say nothing new take no place.
        let mut kept = 0;
        facts.retain(|fact| {
            let keeps = kept < FACTS_MAX && fact::apply(&mut view, &context, fact).is_ok();
            kept += usize::from(keeps);
            keeps
        });
        for candidate in candidates {
            let grown = size_bytes + candidate.signed.size_bytes();
            if grown > size_bytes_max || transactions.len() >= context.params.transactions_max as usize {
                break;
            }
            let cost = candidate.signature_cost();
            if cost <= signatures_max && cost > signatures_max - signatures {
                break;
            }
            match apply(&mut view, &context, &candidate) {
                Ok(()) => {
                    size_bytes = grown;
                    signatures += cost;
                    transactions.push(candidate.signed);
                }
                Err(rejection) => rejected.push((candidate.id, rejection)),
            }
        }
        let (changes, events) = view.finish();
        let (draft, state) = self.draft(parent, &changes)?;
        let header = Header {
            sky: below.sky,
            rules: context.rules,
            height: context.height,
            parent: *parent,
            time,
            transactions: root_of(&transactions),
            count: u32::try_from(transactions.len()).expect("the cap is a u32"),
            facts,
            state,
        };
        self.keep(header.clone(), changes, events, draft);
        Ok(Proposal { block: Block { header, transactions }, rejected })
    }

    /// Checks a block and all its signatures, and keeps it until it is final or overtaken.
    pub fn verify(&mut self, block: Block) -> Result<Hash, BlockError> {
        if self.header(&block.id()).is_some() {
            return Ok(block.id());
        }
        // What costs least comes first.
        self.check_header(&block.header)?;
        block.check_transactions()?;
        let checked: Result<Vec<_>, _> =
            block.transactions.into_iter().map(SignedTransaction::unchecked).collect();
        let checked = checked?;
        self.check_counts(&block.header, &checked)?;
        SignedTransaction::check_signatures(&checked)?;
        self.execute(block.header, &checked)
    }

    /// Checks that a block has no more transactions and signatures than it may. Whoever checks signatures
    /// itself does this first.
    pub fn check_counts(&self, header: &Header, transactions: &[Checked]) -> Result<(), BlockError> {
        check_counts(&self.view(&header.parent)?.params(), transactions)
    }

    /// Checks a block whose transactions are those of the header, and whose signatures this node has checked
    /// already, and keeps it.
    pub fn execute(&mut self, header: Header, transactions: &[Checked]) -> Result<Hash, BlockError> {
        let below = self.check_header(&header)?;
        let mut view = self.view(&header.parent)?;
        let context = context(&view, &below, header.time)?;
        check_counts(&context.params, transactions)?;
        begin_block(&mut view, &context).map_err(|source| BlockError::Due { source })?;
        for (index, fact) in header.facts.iter().enumerate() {
            fact::apply(&mut view, &context, fact).map_err(|source| BlockError::Fact { index, source })?;
        }
        for (index, transaction) in transactions.iter().enumerate() {
            apply(&mut view, &context, transaction)
                .map_err(|source| BlockError::Rejected { index, source })?;
        }
        let (changes, events) = view.finish();
        let (draft, expected) = self.draft(&header.parent, &changes)?;
        if header.state != expected {
            self.state.discard(draft);
            return Err(BlockError::Root { part: "state", expected, found: header.state });
        }
        Ok(self.keep(header, changes, events, draft))
    }

    /// What happens in a block that was found valid and is not final yet.
    pub fn events(&self, id: &Hash) -> Option<&[Event]> {
        self.pending.get(id).map(|block| block.events.as_slice())
    }

    /// Makes a block final, with all below it; its rivals are forgotten. Returns what happened, oldest
    /// first.
    pub fn finalize(&mut self, id: &Hash) -> Result<Vec<Event>, BlockError> {
        if *id == self.head_id {
            return Ok(Vec::new());
        }
        let parent = self.pending.get(id).ok_or(BlockError::Unknown { id: *id })?.header.parent;
        let mut events = self.finalize(&parent)?;
        let block = self.pending.remove(id).ok_or(BlockError::Unknown { id: *id })?;
        self.state.adopt(block.draft, block.changes).map_err(|_| BlockError::Unknown { id: *id })?;
        (self.head, self.head_id) = (block.header, *id);
        events.extend(block.events);
        self.forget_rivals();
        Ok(events)
    }

    /// Only what stands on the head stays.
    fn forget_rivals(&mut self) {
        let mut ids: Vec<(u64, Hash)> =
            self.pending.iter().map(|(id, block)| (block.header.height, *id)).collect();
        ids.sort_unstable();
        for (_, id) in ids {
            let stands =
                self.pending.get(&id).is_some_and(|block| self.header(&block.header.parent).is_some());
            if !stands {
                self.pending.remove(&id);
            }
        }
    }

    fn check_header(&self, header: &Header) -> Result<Header, BlockError> {
        let parent = header.parent;
        let below = self.header(&parent).ok_or(BlockError::UnknownParent { parent })?;
        if header.sky != below.sky {
            return Err(BlockError::OtherSky { expected: below.sky, found: header.sky });
        }
        if header.facts.len() > FACTS_MAX {
            return Err(BlockError::TooManyFacts { count: header.facts.len() });
        }
        if Some(header.height) != below.height.checked_add(1) {
            return Err(BlockError::Height { parent: below.height, found: header.height });
        }
        let expected = rules::version_at(&self.view(&parent)?, header.height).get();
        if header.rules != expected {
            return Err(BlockError::OtherRules { expected, found: header.rules });
        }
        if header.time <= below.time {
            return Err(BlockError::Time { parent: below.time, found: header.time });
        }
        Ok(below.clone())
    }

    fn draft(&mut self, parent: &Hash, changes: &Overlay) -> Result<(Draft, Hash), BlockError> {
        let on = self.pending.get(parent).map(|block| block.draft);
        self.state.draft(on, changes).map_err(|_| BlockError::UnknownParent { parent: *parent })
    }

    fn keep(&mut self, header: Header, changes: Overlay, events: Vec<Event>, draft: Draft) -> Hash {
        let id = header.id();
        let again = self.pending.get(&id).map(|known| known.draft);
        match again {
            // Blocks may stand on the draft that is there already.
            Some(_) => self.state.discard(draft),
            None => drop(self.pending.insert(id, Pending { header, changes, events, draft })),
        }
        id
    }
}

fn check_counts(params: &Params, transactions: &[Checked]) -> Result<(), BlockError> {
    let (count, limit) = (transactions.len(), params.transactions_max);
    if count > limit as usize {
        return Err(BlockError::TooMany { count, limit });
    }
    let count = transactions.iter().map(Checked::signature_cost).fold(0, u32::saturating_add);
    let limit = params.signatures_max;
    if count > limit { Err(BlockError::TooManySignatures { count, limit }) } else { Ok(()) }
}

/// Where the transactions of a block on `below` are applied.
fn context(view: &View<'_>, below: &Header, now: Timestamp) -> Result<Context, BlockError> {
    if now <= below.time {
        return Err(BlockError::Time { parent: below.time, found: now });
    }
    let height = below.height.checked_add(1).ok_or(BlockError::Height { parent: below.height, found: 0 })?;
    let rules = rules::version_at(view, height).get();
    if rules > RULES {
        return Err(BlockError::UnknownRules { version: rules, known: RULES });
    }
    Ok(Context { sky: below.sky, height, now, rules, params: view.params() })
}
