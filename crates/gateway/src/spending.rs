//! What API keys may spend, and how much of it they did. It is on disk before anything is spent, so that a
//! restart forgets nothing.

use crate::problem::{Answer, Outcome, problem};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_api::{
    Code, Problem,
    key::{KEY_NAME_BYTES_MAX, KEYS_MAX, SpendLimit, SpendPer, SpendView},
};
use opensky_types::{
    Micros, Timestamp,
    codec::{self, DecodeError},
};
use std::collections::BTreeMap;

/// Most bytes that are read. All limits that a node has need far less; nodes kept those of revoked keys once.
const BYTES_MAX: usize = 64 * KEYS_MAX * (KEY_NAME_BYTES_MAX + 64);
const DAY_MS: u64 = 24 * 3_600_000;

/// One key's limit, as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Kept {
    limit: Micros,
    is_daily: bool,
    spent: Micros,
    /// When the day began.
    since: Timestamp,
}

impl Kept {
    /// As it is now: a day begins with the first spending after the one before.
    fn at(self, now: Timestamp) -> Self {
        if self.is_daily && now.ms_since(self.since) >= DAY_MS {
            return Self { spent: Micros::ZERO, since: now, ..self };
        }
        self
    }

    const fn per(&self) -> SpendPer {
        if self.is_daily { SpendPer::Day } else { SpendPer::Ever }
    }
}

/// What was counted; to be given back if nothing came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    name: String,
    amount: Micros,
    since: Timestamp,
}

/// Limits by the names of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Spending(BTreeMap<String, Kept>);

impl Spending {
    /// From what was kept.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, BYTES_MAX)
    }

    /// To be kept.
    pub(crate) fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Whether a key has a limit.
    pub(crate) fn limits(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A key's limit.
    pub(crate) fn view(&self, name: &str, now: Timestamp) -> Option<SpendView> {
        let kept = self.0.get(name)?.at(now);
        Some(SpendView { limit_micros: kept.limit, per: kept.per(), spent_micros: kept.spent })
    }

    /// Sets the limit of a key that is made; with none it may spend what its role may.
    pub(crate) fn set(&mut self, name: &str, limit: Option<SpendLimit>, now: Timestamp) {
        match limit {
            Some(SpendLimit { limit_micros, per }) => {
                let kept = Kept {
                    limit: limit_micros,
                    is_daily: per == SpendPer::Day,
                    spent: Micros::ZERO,
                    since: now,
                };
                self.0.insert(name.to_owned(), kept);
            }
            None => drop(self.0.remove(name)),
        }
    }

    /// Forgets the limits of keys that are not there.
    pub(crate) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.0.retain(|name, _| is_there(name));
    }

    /// Counts what a key is about to spend; `None` for one without a limit.
    pub(crate) fn count(&mut self, name: &str, amount: Micros, now: Timestamp) -> Outcome<Option<Counted>> {
        let Some(kept) = self.0.get_mut(name) else { return Ok(None) };
        let current = kept.at(now);
        let total = current.spent.checked_add(amount).filter(|total| *total <= current.limit);
        let Some(spent) = total else {
            let when = if current.is_daily { " a day" } else { "" };
            let detail = format!(
                "key {name} may spend {}{when}; {} of it is spent, and this may cost {amount}",
                current.limit, current.spent
            );
            return Err(over(detail));
        };
        *kept = Kept { spent, ..current };
        Ok(Some(Counted { name: name.to_owned(), amount, since: current.since }))
    }

    /// Counts it no longer: nothing was spent. What was counted on another day is forgotten anyway.
    pub(crate) fn give_back(&mut self, counted: &Counted) {
        if let Some(kept) = self.0.get_mut(&counted.name).filter(|kept| kept.since == counted.since) {
            kept.spent = kept.spent.checked_sub(counted.amount).unwrap_or_default();
        }
    }
}

fn over(detail: String) -> Answer {
    let next = "ask the owner for a key that may spend more: opensky keys create NAME --spend-limit AMOUNT";
    Answer(Problem::new(Code::SpendLimit, detail).with_next(next))
}

/// A limit that can be meant.
pub(crate) fn check(limit: Option<&SpendLimit>) -> Outcome<()> {
    match limit {
        Some(limit) if limit.limit_micros > Micros::new(i64::MAX as u64) => {
            Err(problem(Code::InvalidRequest, "the spend limit is more than there can ever be"))
        }
        _ => Ok(()),
    }
}

/// What a key with a limit may not do at all: there is no telling what it would cost.
pub(crate) fn unlimited_only(name: &str, what: &str) -> Answer {
    over(format!("key {name} has a spend limit, and so may not {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn limited(per: SpendPer) -> Spending {
        let mut spending = Spending::default();
        spending.set("ci", Some(SpendLimit { limit_micros: Micros::new(10), per }), NOW);
        spending
    }

    fn spent(spending: &Spending, now: Timestamp) -> u64 {
        spending.view("ci", now).expect("a limit").spent_micros.get()
    }

    #[test]
    fn w1_a_key_spends_no_more_than_its_limit() {
        let mut spending = limited(SpendPer::Ever);
        assert!(spending.count("ci", Micros::new(6), NOW).is_ok());
        let over = spending.count("ci", Micros::new(5), NOW).expect_err("too much").0;
        assert_eq!(over.code, Code::SpendLimit);
        assert!(spending.count("ci", Micros::new(u64::MAX), NOW).is_err(), "no sum wraps around");
        assert!(spending.count("ci", Micros::new(4), NOW).is_ok(), "exactly the rest");
        assert!(spending.count("ci", Micros::new(1), NOW.plus_ms(100 * DAY_MS)).is_err(), "for ever");
        assert_eq!(spending.count("other", Micros::new(99), NOW).ok(), Some(None), "others have no limit");
    }

    #[test]
    fn w1_a_day_begins_with_its_first_spending() {
        let mut spending = limited(SpendPer::Day);
        assert!(spending.count("ci", Micros::new(10), NOW).is_ok());
        assert!(spending.count("ci", Micros::new(1), NOW.plus_ms(DAY_MS - 1)).is_err());
        let next = NOW.plus_ms(DAY_MS);
        assert_eq!(spent(&spending, next), 0);
        assert!(spending.count("ci", Micros::new(10), next).is_ok());
        assert!(spending.count("ci", Micros::new(1), next.plus_ms(DAY_MS - 1)).is_err());
        assert!(spending.count("ci", Micros::new(1), NOW).is_err(), "a clock set back gives nothing");
    }

    #[test]
    fn what_came_to_nothing_is_given_back_once_and_on_its_day() {
        let mut spending = limited(SpendPer::Day);
        let counted = spending.count("ci", Micros::new(10), NOW).ok().flatten().expect("counted");
        spending.give_back(&counted);
        assert_eq!(spent(&spending, NOW), 0);
        spending.give_back(&counted);
        assert_eq!(spent(&spending, NOW), 0, "never below nothing");
        let counted = spending.count("ci", Micros::new(10), NOW).ok().flatten().expect("counted");
        let next = NOW.plus_ms(DAY_MS);
        assert!(spending.count("ci", Micros::new(7), next).is_ok());
        spending.give_back(&counted);
        assert_eq!(spent(&spending, next), 7, "yesterday's is not of today");
    }

    #[test]
    fn limits_are_kept_with_what_was_spent() {
        let mut spending = limited(SpendPer::Ever);
        assert!(spending.count("ci", Micros::new(6), NOW).is_ok());
        let mut kept = Spending::decode(&spending.encode()).expect("as kept");
        assert_eq!(kept, spending);
        assert!(kept.count("ci", Micros::new(5), NOW).is_err(), "a restart forgets nothing");
        kept.set("ci", None, NOW);
        assert!(!kept.limits("ci"));
        for number in 0..KEYS_MAX {
            let name = format!("{number:0>width$}", width = KEY_NAME_BYTES_MAX);
            let limit = SpendLimit { limit_micros: Micros::new(u64::MAX), per: SpendPer::Day };
            kept.set(&name, Some(limit), NOW);
        }
        assert_eq!(Spending::decode(&kept.encode()), Ok(kept), "all limits are read back");
    }
    /// As kept on disk: if this must change, the name it is kept under changes too.
    #[test]
    fn the_format_on_disk_stays() {
        let mut spending = limited(SpendPer::Day);
        assert!(spending.count("ci", Micros::new(6), NOW).is_ok());
        let parts = [
            "01000000", // one limit
            "02000000",
            "6369",             // of this key
            "0a00000000000000", // how much
            "01",               // a day
            "0600000000000000", // of it spent
            "0068e5cf8b010000", // since when
        ];
        assert_eq!(hex::encode(spending.encode()), parts.concat());
    }

    #[test]
    fn w1_limits_that_piled_up_are_read_and_go() {
        let mut spending = limited(SpendPer::Day);
        for number in 0..10 * KEYS_MAX {
            let limit = SpendLimit { limit_micros: Micros::new(1), per: SpendPer::Ever };
            spending.set(&format!("{number:0>width$}", width = KEY_NAME_BYTES_MAX), Some(limit), NOW);
        }
        let mut kept = Spending::decode(&spending.encode()).expect("a node that kept too many starts");
        kept.retain(|name| name == "ci");
        assert_eq!(kept, limited(SpendPer::Day));
    }
}
