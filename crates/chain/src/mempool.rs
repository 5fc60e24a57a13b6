//! Transactions that wait for a block: capped for each account and in all, and shared fairly.
//!
//! There are no fees, so nobody can pay for a place. An account has a bounded number of places; when
//! all are taken, a newcomer takes one from the account that holds most, which loses its last.

use opensky_ledger::transaction::Checked;
use opensky_types::{AccountId, Hash, Timestamp};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

/// Caps of the waiting transactions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps {
    /// Of one account.
    pub per_account: usize,
    /// In all.
    pub total: usize,
    /// In all, in bytes.
    pub total_bytes: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { per_account: 1_024, total: 65_536, total_bytes: 64 << 20 }
    }
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// The account has as many as it may.
    Account,
    /// Nobody holds more than this account does.
    All,
    /// Another transaction of the account with this number waits already.
    Taken,
}

impl NoRoom {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "the account has as many transactions waiting as it may; wait for a block",
            Self::All => "too many transactions wait in this sky; try again later",
            Self::Taken => "another transaction with this number of the account waits already",
        }
    }
}

/// The waiting transactions.
#[derive(Debug, Default)]
pub(crate) struct Mempool {
    caps: Caps,
    accounts: BTreeMap<AccountId, BTreeMap<u64, Waiting>>,
    ids: HashMap<Hash, (AccountId, u64)>,
    bytes: usize,
    /// Behind this account the next block begins to choose.
    turn: Option<AccountId>,
}

#[derive(Debug)]
struct Waiting {
    checked: Checked,
    bytes: usize,
}

impl Mempool {
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The accounts that have something waiting.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.keys()
    }

    pub fn get(&self, id: &Hash) -> Option<&Checked> {
        let (account, nonce) = self.ids.get(id)?;
        Some(&self.accounts.get(account)?.get(nonce)?.checked)
    }

    /// The first number from `nonce` on that no waiting transaction of the account has.
    pub fn next_nonce(&self, account: &AccountId, nonce: u64) -> u64 {
        let Some(own) = self.accounts.get(account) else { return nonce };
        let mut next = nonce;
        for found in own.range(nonce..).map(|(found, _)| *found) {
            if found != next {
                break;
            }
            next = next.saturating_add(1);
        }
        next
    }

    /// Whether another transaction would be let in, as far as its account and number say.
    pub fn check(&self, account: &AccountId, nonce: u64) -> Result<(), NoRoom> {
        let own = self.accounts.get(account);
        if own.is_some_and(|own| own.contains_key(&nonce)) {
            return Err(NoRoom::Taken);
        }
        let held = own.map_or(0, BTreeMap::len);
        if held >= self.caps.per_account {
            return Err(NoRoom::Account);
        }
        if self.is_full(0) && self.richest(account).is_none_or(|(_, most)| most <= held + 1) {
            return Err(NoRoom::All);
        }
        Ok(())
    }

    /// Lets one wait.
    pub fn insert(&mut self, checked: Checked) -> Result<(), NoRoom> {
        let (account, nonce) = (checked.transaction.account, checked.transaction.nonce);
        self.check(&account, nonce)?;
        let bytes = checked.signed.size_bytes();
        while self.is_full(bytes) {
            let held = self.accounts.get(&account).map_or(0, BTreeMap::len);
            let victim = self.richest(&account).filter(|(_, most)| *most > held + 1);
            let Some((victim, _)) = victim else { return Err(NoRoom::All) };
            self.drop_last(&victim);
        }
        self.ids.insert(checked.id, (account, nonce));
        self.bytes += bytes;
        self.accounts.entry(account).or_default().insert(nonce, Waiting { checked, bytes });
        Ok(())
    }

    fn is_full(&self, more_bytes: usize) -> bool {
        self.ids.len() >= self.caps.total || self.bytes + more_bytes > self.caps.total_bytes
    }

    /// The account, other than this one, that holds most places.
    fn richest(&self, but: &AccountId) -> Option<(AccountId, usize)> {
        let others = self.accounts.iter().filter(|(account, _)| *account != but);
        others.map(|(account, own)| (*account, own.len())).max_by_key(|(_, held)| *held)
    }

    fn drop_last(&mut self, account: &AccountId) {
        if let Some(own) = self.accounts.get_mut(account)
            && let Some((_, waiting)) = own.pop_last()
        {
            self.bytes -= waiting.bytes;
            self.ids.remove(&waiting.checked.id);
        }
        self.accounts.retain(|id, own| id != account || !own.is_empty());
    }

    /// Drops what an account can't do any more, since its next number is `nonce`.
    pub fn used(&mut self, account: &AccountId, nonce: u64) {
        self.retain(account, |number, _| number >= nonce);
    }

    /// Drops what a rule refused for good, by id.
    pub fn reject(&mut self, id: &Hash) {
        if let Some((account, nonce)) = self.ids.get(id).copied() {
            self.retain(&account, |number, _| number != nonce);
        }
    }

    /// Drops what may not be included any more.
    pub fn expire(&mut self, now: Timestamp) {
        let accounts: Vec<AccountId> = self.accounts.keys().copied().collect();
        for account in accounts {
            self.retain(&account, |_, checked| checked.transaction.valid_until >= now);
        }
    }

    fn retain(&mut self, account: &AccountId, keep: impl Fn(u64, &Checked) -> bool) {
        let Some(own) = self.accounts.get_mut(account) else { return };
        own.retain(|nonce, waiting| {
            let kept = keep(*nonce, &waiting.checked);
            if !kept {
                self.bytes -= waiting.bytes;
                self.ids.remove(&waiting.checked.id);
            }
            kept
        });
        if own.is_empty() {
            self.accounts.remove(account);
        }
    }

    /// Transactions for a block, up to a size and a number: of each account in turn a few, in the order
    /// of their numbers from `next` on. Who came last this time comes first the next.
    pub fn choose(
        &mut self,
        bytes_max: usize,
        count_max: usize,
        mut next: impl FnMut(&AccountId) -> u64,
    ) -> Vec<Checked> {
        /// Of one account in one round.
        const PORTION: usize = 16;
        let behind = self.turn.map_or(Bound::Unbounded, Bound::Excluded);
        let order = self.accounts.range((behind, Bound::Unbounded)).chain(match self.turn {
            Some(turn) => self.accounts.range(..=turn),
            None => self.accounts.range(..AccountId::from_bytes([0; 32])),
        });
        let mut sources: Vec<(AccountId, u64, &BTreeMap<u64, Waiting>)> =
            order.map(|(account, own)| (*account, next(account), own)).collect();
        let (mut chosen, mut bytes, mut last) = (Vec::new(), 0, None);
        while !sources.is_empty() && chosen.len() < count_max {
            let mut full = false;
            sources.retain_mut(|(account, nonce, own)| {
                for _ in 0..PORTION {
                    let Some(waiting) = own.get(nonce) else { return false };
                    if full || bytes + waiting.bytes > bytes_max || chosen.len() >= count_max {
                        full = true;
                        return false;
                    }
                    bytes += waiting.bytes;
                    chosen.push(waiting.checked.clone());
                    *nonce += 1;
                    last = Some(*account);
                }
                true
            });
        }
        self.turn = last.or(self.turn);
        chosen
    }
}

#[cfg(test)]
mod tests;
