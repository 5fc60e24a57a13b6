//! Automatic transfers: what an owner wants done with money as it comes in.

use crate::node::Node;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ledger::{action::Action, entry::Entry, key::Key, memo::Memo};
use opensky_ports::ledger::News;
use opensky_types::{AccountId, Micros, Timestamp};

/// Most automatic transfers of a node.
pub(crate) const AUTO_TRANSFERS_MAX: usize = 16;

/// Money that moves by itself.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AutoTransfer {
    /// To whom.
    pub to: AccountId,
    /// When, and how much.
    pub when: When,
    /// What stays in the account whatever happens.
    pub keep: Micros,
}

/// When an automatic transfer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum When {
    /// Whenever something is received: this part of it, in hundredths.
    Received { percent: u8 } = 0,
    /// Whenever the balance is above this: what is above.
    Above { threshold: Micros } = 1,
    /// This amount, each time so much time has passed since `last_at`.
    Every { interval_ms: u64, amount: Micros, last_at: Timestamp } = 2,
}

impl AutoTransfer {
    /// How much is due now, with `available` in the account of which `income` came in just now.
    fn due(&self, now: Timestamp, available: Micros, income: Micros) -> Micros {
        let wanted = match self.when {
            When::Received { percent } => {
                let part = u128::from(income.get()) * u128::from(percent.min(100)) / 100;
                Micros::new(u64::try_from(part).unwrap_or(u64::MAX))
            }
            When::Above { threshold } => available.checked_sub(threshold).unwrap_or_default(),
            When::Every { interval_ms, amount, last_at } if now.ms_since(last_at) >= interval_ms => amount,
            When::Every { .. } => Micros::ZERO,
        };
        let spare = available.checked_sub(self.keep).unwrap_or_default();
        match self.when {
            // A fixed amount is paid whole or, until there is enough, not at all.
            When::Every { .. } if wanted > spare => Micros::ZERO,
            _ => wanted.min(spare),
        }
    }
}

impl Node {
    /// Does what is due after a final block. Where own transactions wait, the balance is not what the
    /// state says: then the next block decides.
    pub(super) fn transfer_automatically(&mut self, now: Timestamp, news: &News) {
        if self.ledger.automatic.is_empty() || !self.ledger.waiting.is_empty() {
            return;
        }
        let key = Key::Account(self.ledger.account);
        let reading = self.ledger.engine.read(&[key]);
        let Some(Some(Entry::Account(account))) = reading.entries.first() else { return };
        let mut available = account.available.total();
        for index in 0..self.ledger.automatic.len() {
            let rule = self.ledger.automatic[index].clone();
            let amount = rule.due(now, available, news.income);
            if amount == Micros::ZERO {
                continue;
            }
            let action = Action::Transfer { to: rule.to, amount, memo: Memo::default() };
            if self.transact_quietly(now, action).is_none() {
                continue;
            }
            available = available.checked_sub(amount).unwrap_or_default();
            if let When::Every { last_at, .. } = &mut self.ledger.automatic[index].when {
                *last_at = now;
                self.keep_record(crate::settings::auto_transfers_record(&self.ledger.automatic));
            }
        }
    }

    /// The owner's list, as it is now.
    pub(crate) fn auto_transfers(&self) -> Vec<AutoTransfer> {
        self.ledger.automatic.clone()
    }

    /// Replaces it; cut at the cap, which the API checks before.
    pub(crate) fn set_auto_transfers(&mut self, mut transfers: Vec<AutoTransfer>) {
        transfers.truncate(AUTO_TRANSFERS_MAX);
        self.keep_record(crate::settings::auto_transfers_record(&transfers));
        self.ledger.automatic = transfers;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(when: When, keep: u64) -> AutoTransfer {
        AutoTransfer { to: AccountId::from_bytes([7; 32]), when, keep: Micros::new(keep) }
    }

    fn due(when: When, keep: u64, available: u64, income: u64) -> u64 {
        let now = Timestamp::from_millis(1_000_000);
        rule(when, keep).due(now, Micros::new(available), Micros::new(income)).get()
    }

    #[test]
    fn what_is_kept_is_kept() {
        assert_eq!(due(When::Received { percent: 50 }, 0, 1_000, 400), 200);
        assert_eq!(due(When::Received { percent: 50 }, 900, 1_000, 400), 100);
        assert_eq!(due(When::Above { threshold: Micros::new(600) }, 0, 1_000, 0), 400);
        assert_eq!(due(When::Above { threshold: Micros::new(600) }, 800, 1_000, 0), 200);
        assert_eq!(due(When::Above { threshold: Micros::new(2_000) }, 0, 1_000, 0), 0);
    }

    #[test]
    fn a_fixed_amount_waits_for_its_time_and_for_enough_money() {
        let every = |last_at| When::Every {
            interval_ms: 1_000,
            amount: Micros::new(500),
            last_at: Timestamp::from_millis(last_at),
        };
        assert_eq!(due(every(0), 0, 1_000, 0), 500);
        assert_eq!(due(every(999_500), 0, 1_000, 0), 0);
        assert_eq!(due(every(0), 600, 1_000, 0), 0);
    }
}
