//! The state as a transaction sees it: changes on top of blocks on top of the final state.
//!
//! Changes go into the block's overlay at once, and beside it into a list of what they replaced; a
//! rejected transaction is taken back from that list and leaves no trace.

use crate::{
    account::Account, entry::Entry, event::Event, key::Key, params::Params, purse::Purse,
    rejection::Rejection, state::State, table::Table,
};
use opensky_types::AccountId;
use std::ops::Bound;

/// What a block changed; `None` takes an entry out.
#[derive(Debug, Clone)]
pub struct Overlay(pub(crate) Table<Option<Entry>>);

/// A final state, blocks that are not final, and one being made.
pub struct View<'a> {
    state: &'a State,
    /// Blocks below, newest first.
    below: Vec<&'a Overlay>,
    changes: Overlay,
    /// What the changes of this transaction replaced in `changes`.
    undo: Vec<(Key, Option<Option<Entry>>)>,
    /// What this transaction made out of nothing.
    delta: i128,
    events: Vec<Event>,
}

impl<'a> View<'a> {
    /// A view without changes. `below` are the blocks that are not final, newest first.
    pub fn new(state: &'a State, below: Vec<&'a Overlay>) -> Self {
        let (changes, undo) = (Overlay(Table::new()), Vec::new());
        Self { state, below, changes, undo, delta: 0, events: Vec::new() }
    }

    /// The entry under `key`.
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        match self.changes.0.get(key) {
            Some(change) => change.as_ref(),
            None => self.get_below(key),
        }
    }

    /// The same without the changes of the block being made.
    fn get_below(&self, key: &Key) -> Option<&Entry> {
        match self.below.iter().find_map(|layer| layer.0.get(key)) {
            Some(change) => change.as_ref(),
            None => self.state.get(key),
        }
    }

    /// Puts an entry under a key, in place of any.
    pub fn put(&mut self, key: Key, entry: Entry) {
        assert!(entry.fits(&key), "an entry stands under a key of its kind");
        self.set(key, Some(entry));
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: Key) {
        self.set(key, None);
    }

    fn set(&mut self, key: Key, entry: Option<Entry>) {
        let before = self.get(&key).map_or(0, Entry::held);
        self.delta += entry.as_ref().map_or(0, Entry::held) - before;
        // What comes and goes in one block is no change, and nobody has to step over it.
        let replaced = if entry.is_none() && self.get_below(&key).is_none() {
            self.changes.0.remove(&key)
        } else {
            self.changes.0.insert(key, entry)
        };
        self.undo.push((key, replaced));
    }

    /// The first key from `from` up to `to` that has an entry; not for accounts, which no rule goes through.
    pub fn first_in(&self, from: Key, to: Key) -> Option<Key> {
        self.next_in(from, false, to)
    }

    /// The same, after `from` if that is not to count itself.
    pub(crate) fn next_in(&self, from: Key, is_after: bool, to: Key) -> Option<Key> {
        if from >= to {
            return (from == to && !is_after && self.get(&to).is_some()).then_some(to);
        }
        let mut from = if is_after { Bound::Excluded(from) } else { Bound::Included(from) };
        loop {
            let range = (from, Bound::Included(to));
            let layers = [&self.changes].into_iter().chain(self.below.iter().copied());
            let changed = layers.filter_map(|layer| layer.0.first_in(range));
            let key = changed.chain(self.state.first_in(range)).min()?;
            if self.get(&key).is_some() {
                return Some(key);
            }
            if key == to {
                return None;
            }
            from = Bound::Excluded(key);
        }
    }

    /// Tells whoever follows the ledger.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// How many events there are so far.
    pub(crate) fn told(&self) -> usize {
        self.events.len()
    }

    /// The events from the one of this number on.
    pub(crate) fn events_since(&self, told: usize) -> &[Event] {
        self.events.get(told..).unwrap_or_default()
    }

    /// Runs `work`. If it says no, or if money would come out of nothing, everything is as before.
    pub fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        self.undo.clear();
        self.delta = 0;
        let events = self.events.len();
        let result = work(self).and_then(|outcome| match self.delta {
            0 => Ok(outcome),
            delta => Err(Rejection::NotConserved { delta }),
        });
        if result.is_err() {
            self.events.truncate(events);
            while let Some((key, replaced)) = self.undo.pop() {
                match replaced {
                    Some(change) => self.changes.0.insert(key, change),
                    None => self.changes.0.remove(&key),
                };
            }
        }
        result
    }

    /// All changes so far, and what they told.
    pub fn finish(self) -> (Overlay, Vec<Event>) {
        (self.changes, self.events)
    }

    /// The changes so far.
    pub fn changes(&self) -> &Overlay {
        &self.changes
    }

    /// An account that must be there.
    pub fn account(&self, id: &AccountId) -> Result<Account, Rejection> {
        self.find_account(id).ok_or(Rejection::NoAccount { account: *id })
    }

    /// An account, if it is there.
    pub fn find_account(&self, id: &AccountId) -> Option<Account> {
        match self.get(&Key::Account(*id)) {
            Some(Entry::Account(account)) => Some(*account),
            _ => None,
        }
    }

    /// Writes an account.
    pub fn put_account(&mut self, id: AccountId, account: Account) {
        self.put(Key::Account(id), Entry::Account(account));
    }

    /// Pays into an account, and makes it if it is not there yet. What it owes is paid first.
    pub fn credit(&mut self, id: AccountId, income: Purse) -> Result<(), Rejection> {
        let mut account = self.find_account(&id).unwrap_or_default();
        account.available =
            account.available.plus(income).ok_or(Rejection::BalanceOverflow { account: id })?;
        self.put_account(id, account);
        self.repay(id, account)
    }

    /// Pays what an account owes, as far as it has it. The creditor pays its own debts of it only with its
    /// next income or transaction: at once, a circle of debts would have no end.
    pub(crate) fn repay(&mut self, id: AccountId, account: Account) -> Result<(), Rejection> {
        let Some((paid, creditor, rest)) = account.repaid() else { return Ok(()) };
        self.put_account(id, rest);
        let mut other = self.find_account(&creditor).unwrap_or_default();
        other.available =
            other.available.plus(paid).ok_or(Rejection::BalanceOverflow { account: creditor })?;
        self.put_account(creditor, other);
        Ok(())
    }

    /// The parameters in force.
    pub fn params(&self) -> Params {
        match self.get(&Key::Params) {
            Some(Entry::Params(params)) => **params,
            _ => Params::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opensky_types::Hash;
    use std::collections::BTreeMap;

    #[test]
    fn l6_what_comes_and_goes_in_one_block_leaves_nothing_to_step_over() {
        let known = (Key::Deposit(1, Hash::of(b"known")), Entry::Deposit);
        let state = State::new(BTreeMap::from([known.clone()])).expect("no money is in it");
        let mut view = View::new(&state, Vec::new());
        let deposit = |byte| Key::Deposit(1, Hash::from_bytes([byte; 32]));
        for byte in 0..=255 {
            view.put(deposit(byte), Entry::Deposit);
            view.remove(deposit(byte));
        }
        assert_eq!(view.changes().0.iter().count(), 0);
        view.remove(known.0);
        assert_eq!(view.get(&known.0), None, "what is below has to be hidden");
        let refused = view.attempt(|view| {
            view.put(known.0, Entry::Deposit);
            view.put(deposit(1), Entry::Deposit);
            view.remove(deposit(1));
            Err::<(), _>(Rejection::Overflow)
        });
        assert_eq!(refused, Err(Rejection::Overflow));
        let changes = view.finish().0;
        assert_eq!(changes.0.iter().collect::<Vec<_>>(), [(known.0, &None)]);
    }
}
