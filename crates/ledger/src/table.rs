//! A map from keys to values that is fast for accounts, which nearly all lookups are for.
//!
//! Account ids are hashes, so their first bits spread them evenly over many small ordered maps, and the
//! maps one after the other are in order. There are four times as many maps whenever they hold more than
//! [`FULL`] on average, up to 65,536: the last time, some half a million accounts move. Who grinds for ids with the same first bits gets a map as slow
//! as one for all.

use crate::key::Key;
use opensky_types::AccountId;
use std::{collections::BTreeMap, ops::Bound};

#[derive(Debug, Clone)]
pub(crate) struct Table<V> {
    /// By the first `bits` bits of the id.
    accounts: Vec<BTreeMap<AccountId, V>>,
    bits: u32,
    /// How many accounts there are.
    count: usize,
    others: BTreeMap<Key, V>,
}

/// How many accounts are in each map on average, at most.
const FULL: usize = 32;

impl<V> Table<V> {
    /// An empty table.
    pub fn new() -> Self {
        Self { accounts: vec![BTreeMap::new()], bits: 0, count: 0, others: BTreeMap::new() }
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.count + self.others.len()
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
                let before = self.accounts[place].insert(id, value);
                self.count += usize::from(before.is_none());
                if self.count > FULL << self.bits && self.bits < 16 {
                    self.spread();
                }
                before
            }
            other => self.others.insert(other, value),
        }
    }

    pub fn remove(&mut self, key: &Key) -> Option<V> {
        match key {
            Key::Account(id) => {
                let place = self.place(id);
                let before = self.accounts[place].remove(id);
                self.count -= usize::from(before.is_some());
                before
            }
            other => self.others.remove(other),
        }
    }

    /// Four times as many maps.
    fn spread(&mut self) {
        self.bits += 2;
        let more = std::iter::repeat_with(BTreeMap::new).take(1 << self.bits).collect();
        for (id, value) in std::mem::replace(&mut self.accounts, more).into_iter().flatten() {
            let place = self.place(&id);
            self.accounts[place].insert(id, value);
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
    use opensky_types::Hash;

    fn account(number: usize) -> AccountId {
        AccountId::from_bytes(*Hash::of(&number.to_le_bytes()).as_bytes())
    }

    #[test]
    fn there_are_more_maps_when_they_are_more_than_full_and_not_before() {
        let mut table = Table::new();
        for number in 0..FULL {
            table.insert(Key::Account(account(number)), ());
        }
        assert_eq!(table.bits, 0, "just full");
        table.insert(Key::Account(account(FULL)), ());
        assert_eq!(table.bits, 2);
    }

    #[test]
    fn a_table_is_in_order_and_finds_what_was_put_in() {
        let ids = (0..5_000).map(account);
        let mut table = Table::new();
        for (number, id) in ids.clone().enumerate() {
            assert_eq!(table.insert(Key::Account(id), number), None);
        }
        assert_eq!(table.insert(Key::Supply, 1_000), None);
        assert!(table.iter().is_sorted_by(|one, next| one.0 < next.0));
        assert_eq!(table.iter().count(), 5_001);
        for (number, id) in ids.enumerate() {
            assert_eq!(table.get(&Key::Account(id)), Some(&number));
        }
        assert_eq!(table.bits, 8, "the maps are as many as the accounts need");
        assert_eq!(table.remove(&Key::Account(account(0))), Some(0));
        assert_eq!(table.get(&Key::Account(account(0))), None);
        let all = (Bound::Unbounded, Bound::Unbounded);
        assert_eq!(table.first_in(all), Some(Key::Supply));
        assert_eq!(table.into_iter().count(), 5_000);
    }
}
