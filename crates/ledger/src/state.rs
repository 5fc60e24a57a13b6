//! The final state: entries in the order of their keys, and the tree over them.

use crate::{
    entry::Entry,
    key::Key,
    proof::{ENTRY_BYTES_MAX, KEY_BYTES_MAX, StateProof},
    snapshot::{Chunk, Cut, ManifestError, Record},
    table::Table,
    tree::{Changes, Draft, DraftGone, Tree},
    view::Overlay,
};
use opensky_types::{
    Hash,
    codec::{self, DecodeError},
};
use std::{collections::BTreeMap, ops::Bound};

/// All entries, and their root.
#[derive(Debug, Clone)]
pub struct State {
    entries: Table<Entry>,
    tree: Tree,
}

/// Why a state can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// A record of a snapshot is no entry of this version.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// An entry stands under a key of another kind.
    #[error("an entry of another kind than its key {key:?}")]
    Kind { key: Key },
    /// There is more or less money than came in.
    #[error("the state holds {delta} micros more than came in")]
    NotConserved { delta: i128 },
    /// The tree is not that of the entries.
    #[error("the root is {found}, but the entries have {expected}")]
    Root { expected: Hash, found: Hash },
}

impl State {
    /// A state of these entries, from genesis or a snapshot.
    pub fn new(given: BTreeMap<Key, Entry>) -> Result<Self, StateError> {
        let tree = Tree::from_entries(given.iter().map(|(key, entry)| (key.leaf(), entry.value())));
        let mut entries = Table::new();
        for (key, entry) in given {
            entries.insert(key, entry);
        }
        let state = Self { entries, tree };
        state.check()?;
        Ok(state)
    }

    /// The entry under `key`.
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// All entries, in the order of their keys.
    pub fn entries(&self) -> impl Iterator<Item = (Key, &Entry)> {
        self.entries.iter()
    }

    /// The root.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// A proof of the entry under `key`, or that there is none.
    pub fn prove(&self, key: &Key) -> StateProof {
        let entry = self.entries.get(key).map(codec::encode);
        StateProof { key: codec::encode(key), entry, path: self.tree.prove(&key.leaf()) }
    }

    /// Cuts the state into chunks for others, after the block of this height.
    pub fn cut(&self, height: u64) -> Result<Cut<Key>, ManifestError> {
        let names = self.entries.iter().map(|(key, _)| key);
        Cut::new(height, &self.tree, names, |key| self.record(key))
    }

    /// Chunk `index` of such a cut; `None` behind the last.
    pub fn chunk(&self, cut: &Cut<Key>, index: usize) -> Option<Chunk> {
        cut.chunk(&self.tree, index, |key| self.record(key))
    }

    fn record(&self, key: &Key) -> Record {
        Record {
            key: codec::encode(key),
            entry: self.entries.get(key).map(codec::encode).unwrap_or_default(),
        }
    }

    /// The state of the records of a snapshot, all of them, each of which was proven.
    pub fn from_records(records: impl IntoIterator<Item = Record>) -> Result<Self, StateError> {
        let entries = records.into_iter().map(|record| {
            let key = codec::decode(&record.key, KEY_BYTES_MAX)?;
            Ok((key, codec::decode(&record.entry, ENTRY_BYTES_MAX)?))
        });
        Self::new(entries.collect::<Result<_, DecodeError>>()?)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys from `from` up to `to` that have an entry, in order; not for accounts.
    pub fn keys_between(&self, from: Key, to: Key) -> impl Iterator<Item = Key> + '_ {
        let mut next = self.entries.first_in((Bound::Included(from), Bound::Included(to)));
        std::iter::from_fn(move || {
            let key = next?;
            next = self.entries.first_in((Bound::Excluded(key), Bound::Included(to)));
            Some(key)
        })
    }

    /// Checks that entries are under their keys, that money is conserved, and that the root is theirs.
    pub fn check(&self) -> Result<(), StateError> {
        if let Some((key, _)) = self.entries.iter().find(|(key, entry)| !entry.fits(key)) {
            return Err(StateError::Kind { key });
        }
        let delta: i128 = self.entries.iter().map(|(_, entry)| entry.held()).sum();
        if delta != 0 {
            return Err(StateError::NotConserved { delta });
        }
        let leaves = self.entries.iter().map(|(key, entry)| (key.leaf(), entry.value()));
        let (expected, found) = (Tree::from_entries(leaves).root(), self.root());
        if expected == found { Ok(()) } else { Err(StateError::Root { expected, found }) }
    }

    pub(crate) fn first_in(&self, range: (Bound<Key>, Bound<Key>)) -> Option<Key> {
        self.entries.first_in(range)
    }

    /// The root after the changes of a block, on the final state or on a draft.
    pub(crate) fn draft(&mut self, on: Option<Draft>, changes: &Overlay) -> Result<(Draft, Hash), DraftGone> {
        let draft = self.tree.draft(on, &leaves(changes))?;
        Ok((draft, self.tree.draft_root(draft)?))
    }

    pub(crate) fn discard(&mut self, draft: Draft) {
        self.tree.discard(draft);
    }

    /// Makes a draft on the final state the final state.
    pub(crate) fn adopt(&mut self, draft: Draft, changes: Overlay) -> Result<Hash, DraftGone> {
        let root = self.tree.adopt(draft)?;
        for (key, entry) in changes.0 {
            match entry {
                Some(entry) => self.entries.insert(key, entry),
                None => self.entries.remove(&key),
            };
        }
        Ok(root)
    }
}

fn leaves(changes: &Overlay) -> Changes {
    changes.0.iter().map(|(key, entry)| (key.leaf(), entry.as_ref().map(Entry::value))).collect()
}
