//! How often each caller may ask: a token bucket for each, in its form as a clock ("virtual scheduling",
//! ITU-T I.371; also known as GCRA).

use crate::{auth::Caller, sessions::Opener, source::Source};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Most callers that are remembered. There are fewer, as keys are bounded; revoked ones make room.
const CALLERS_MAX: usize = 256;
/// Most sources of strangers that are told apart; who comes beyond them shares one bucket.
const SOURCES_MAX: usize = 4_096;

/// A bucket: how often on average, and how many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    per_second: u32,
    burst: u32,
}

/// The owner's own programs are never slowed down by this; it bounds one that runs wild.
const OF_TOKEN: Rate = Rate { per_second: 10_000, burst: 50_000 };
const OF_SESSIONS: Rate = Rate { per_second: 200, burst: 1_000 };
const OF_KEY: Rate = Rate { per_second: 100, burst: 500 };
const OF_NOBODY: Rate = Rate { per_second: 20, burst: 100 };

const fn rate_of(caller: &Caller) -> Rate {
    match caller {
        Caller::Token => OF_TOKEN,
        Caller::Key { .. } => OF_KEY,
        Caller::Session { opener: Opener::Token, .. } => OF_SESSIONS,
        Caller::Session { opener: Opener::Key { .. } | Opener::Wallet { .. }, .. } => OF_KEY,
        Caller::Nobody => OF_NOBODY,
    }
}

/// Whose a bucket is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    /// The caller of this name.
    Caller(String),
    /// Strangers from there.
    Stranger(Source),
    /// Strangers, where too many sources are remembered.
    Strangers,
}

/// When the bucket of each caller, and of strangers from each source, is full again.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<BTreeMap<Owner, Instant>>);

impl Rates {
    /// Takes one request out of the caller's bucket, or says how long until there is one.
    pub(crate) fn take(&self, caller: &Caller, source: Source, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut owner = match caller {
            Caller::Nobody => Owner::Stranger(source),
            known => Owner::Caller(known.to_string()),
        };
        if full_at.len() >= CALLERS_MAX + SOURCES_MAX && !full_at.contains_key(&owner) {
            full_at.retain(|_, full_at| *full_at > now);
            if full_at.len() >= CALLERS_MAX + SOURCES_MAX && matches!(owner, Owner::Stranger(_)) {
                owner = Owner::Strangers;
            }
        }
        let full_at = full_at.entry(owner).or_insert(now);
        *full_at = taken(*full_at, rate_of(caller), now)?;
        Ok(())
    }
}

/// When the bucket is full again, after one more request was taken out.
fn taken(full_at: Instant, rate: Rate, now: Instant) -> Result<Instant, Duration> {
    let interval = Duration::from_secs(1) / rate.per_second;
    let full_at = full_at.max(now) + interval;
    let missing = full_at - now;
    match missing.checked_sub(interval * rate.burst) {
        None | Some(Duration::ZERO) => Ok(full_at),
        Some(wait) => Err(wait),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn a_bucket_gives_a_burst_and_then_its_rate() {
        let (rate, start) = (Rate { per_second: 10, burst: 3 }, Instant::now());
        let mut full_at = start;
        for _ in 0..3 {
            full_at = taken(full_at, rate, start).expect("the burst");
        }
        assert_eq!(taken(full_at, rate, start), Err(Duration::from_millis(100)), "empty");
        let later = start + Duration::from_millis(100);
        full_at = taken(full_at, rate, later).expect("one has come in");
        assert!(taken(full_at, rate, later).is_err(), "and only one");
        let much_later = start + Duration::from_secs(60);
        for _ in 0..3 {
            full_at = taken(full_at, rate, much_later).expect("it holds no more than its burst");
        }
        assert!(taken(full_at, rate, much_later).is_err());
    }

    #[test]
    fn w5_callers_do_not_use_up_each_others_buckets() {
        let (rates, now) = (Rates::default(), Instant::now());
        let key = |name: &str| Caller::Key {
            name: name.into(),
            created_at: Default::default(),
            role: opensky_api::key::Role::Owner,
            is_limited: false,
        };
        let here = Source::HERE;
        while rates.take(&key("greedy"), here, now).is_ok() {}
        assert!(rates.take(&key("modest"), here, now).is_ok());
        assert!(rates.take(&Caller::Token, here, now).is_ok());
        for number in 0..2 * (CALLERS_MAX + SOURCES_MAX) {
            let at = now + Duration::from_secs(number as u64);
            assert!(rates.take(&key(&number.to_string()), here, at).is_ok());
        }
        assert!(rates.0.lock().expect("no panic").len() <= CALLERS_MAX + SOURCES_MAX, "bounded");
    }

    #[test]
    fn w5_strangers_do_not_use_up_each_others_buckets() {
        let (rates, now) = (Rates::default(), Instant::now());
        let from = |number: u32| Source::from(IpAddr::from(Ipv4Addr::from_bits(0x0b00_0000 + number)));
        while rates.take(&Caller::Nobody, from(0), now).is_ok() {}
        assert!(rates.take(&Caller::Nobody, from(1), now).is_ok(), "another has one of its own");
        let many = 2 * (CALLERS_MAX + SOURCES_MAX) as u32;
        let refused = (2..many).filter(|number| rates.take(&Caller::Nobody, from(*number), now).is_err());
        assert!(refused.count() > 0, "too many to be told apart share one");
        assert!(rates.0.lock().expect("no panic").len() <= CALLERS_MAX + SOURCES_MAX + 1, "bounded");
        assert!(rates.take(&Caller::Token, Source::HERE, now).is_ok(), "who is known has a place");
    }
}
