//! A map from keys to values that is fast for accounts, which nearly all lookups are for.
//!
//! Account ids are hashes, so their first bits spread them evenly over many small ordered maps, and the
//! maps one after the other are in order. Who grinds for ids with the same first bits gets a map as slow
//! as one for all.

use crate::key::Key;
use opensky_types::AccountId;
use std::{collections::BTreeMap, ops::Bound};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table<V> {
    /// By the first `bits` bits of the id.
    accounts: Vec<BTreeMap<AccountId, V>>,
    bits: u32,
    others: BTreeMap<Key, V>,
}

impl<V> Table<V> {
    /// An empty table; at most 16 bits.
    pub fn new(bits: u32) -> Self {
        let accounts = std::iter::repeat_with(BTreeMap::new).take(1 << bits).collect();
        Self { accounts, bits, others: BTreeMap::new() }
    }

    fn place(&self, id: &AccountId) -> usize {
        let [first, second, ..] = *id.as_bytes();
        usize::from(u16::from_be_bytes([first, second])) >> (16 - self.bits)
    }

    pub fn get(&self, key: &Key) -> Option<&V> {
        match key {
            Key::Account(id) => self.accounts[self.place(id)].get(id),
            other => self.others.get(other),
        }
    }

    pub fn insert(&mut self, key: Key, value: V) -> Option<V> {
        match key {
            Key::Account(id) => {
                let place = self.place(&id);
                self.accounts[place].insert(id, value)
            }
            other => self.others.insert(other, value),
        }
    }

    pub fn remove(&mut self, key: &Key) -> Option<V> {
        match key {
            Key::Account(id) => {
                let place = self.place(id);
                self.accounts[place].remove(id)
            }
            other => self.others.remove(other),
        }
    }

    /// All, in the order of keys: accounts are the first kind.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &V)> {
        let accounts = self.accounts.iter().flatten().map(|(id, value)| (Key::Account(*id), value));
        accounts.chain(self.others.iter().map(|(key, value)| (*key, value)))
    }

    /// The first key of a range of keys that are not accounts.
    pub fn first_in(&self, range: (Bound<Key>, Bound<Key>)) -> Option<Key> {
        self.others.range(range).next().map(|(key, _)| *key)
    }
}

impl<V> IntoIterator for Table<V> {
    type Item = (Key, V);
    type IntoIter = std::vec::IntoIter<(Key, V)>;

    fn into_iter(self) -> Self::IntoIter {
        let accounts = self.accounts.into_iter().flatten().map(|(id, value)| (Key::Account(id), value));
        accounts.chain(self.others).collect::<Vec<_>>().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_in_order_and_finds_what_was_put_in() {
        let ids = (0..=255).map(|number: u8| AccountId::from_bytes([number.wrapping_mul(97); 32]));
        let mut table = Table::new(3);
        for (number, id) in ids.clone().enumerate() {
            assert_eq!(table.insert(Key::Account(id), number), None);
        }
        assert_eq!(table.insert(Key::Supply, 1_000), None);
        assert!(table.iter().is_sorted_by(|one, next| one.0 < next.0));
        assert_eq!(table.iter().count(), 257);
        for (number, id) in ids.enumerate() {
            assert_eq!(table.get(&Key::Account(id)), Some(&number));
        }
        let first = AccountId::from_bytes([0; 32]);
        assert_eq!(table.remove(&Key::Account(first)), Some(0));
        assert_eq!(table.get(&Key::Account(first)), None);
        let all = (Bound::Unbounded, Bound::Unbounded);
        assert_eq!(table.first_in(all), Some(Key::Supply));
        assert_eq!(table.into_iter().count(), 256);
    }
}
