//! What a block changes, as a sorted list.

use opensky_types::Hash;

/// One entry's new value; `None` takes the entry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The entry's key hash.
    pub key: Hash,
    /// Its new value hash.
    pub value: Option<Hash>,
}

/// Changes in the order of their keys, each key once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes(Vec<Change>);

impl Changes {
    /// The changes, in order.
    pub fn as_slice(&self) -> &[Change] {
        &self.0
    }

    /// These changes with `newer` ones on top: what two blocks change together.
    pub fn then(&self, newer: &Self) -> Self {
        let mut merged = Vec::with_capacity(self.0.len() + newer.0.len());
        let mut older = self.0.iter().peekable();
        for change in &newer.0 {
            while let Some(before) = older.next_if(|older| older.key < change.key) {
                merged.push(*before);
            }
            older.next_if(|older| older.key == change.key);
            merged.push(*change);
        }
        merged.extend(older);
        Self(merged)
    }
}

impl FromIterator<(Hash, Option<Hash>)> for Changes {
    /// Sorts; of two changes of one key the later counts.
    fn from_iter<I: IntoIterator<Item = (Hash, Option<Hash>)>>(changes: I) -> Self {
        let mut changes: Vec<Change> =
            changes.into_iter().map(|(key, value)| Change { key, value }).collect();
        if !changes.is_sorted_by(|one, next| one.key < next.key) {
            // The last change of a key comes first, stays first, and is the one that is kept.
            changes.reverse();
            changes.sort_by_key(|change| change.key);
            changes.dedup_by_key(|change| change.key);
        }
        Self(changes)
    }
}

/// The changes left and right of bit `depth`, which all of them reach with the same bits before it.
pub(super) fn split(changes: &[Change], depth: usize) -> (&[Change], &[Change]) {
    changes.split_at(changes.partition_point(|change| !super::bit(&change.key, depth)))
}
