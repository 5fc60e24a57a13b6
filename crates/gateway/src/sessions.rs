//! Sessions of browsers. They live in memory: a node that starts anew knows none.

use opensky_api::key::Role;
use opensky_ledger::evm::Address;
use opensky_types::Hash;
use rand::{TryRng, rngs::SysRng};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long a link's code works.
pub(crate) const LINK_LIFE: Duration = Duration::from_secs(5 * 60);
/// How long a session lasts.
pub(crate) const SESSION_LIFE: Duration = Duration::from_secs(12 * 3600);
/// Most of each at a time; the one that ends first makes room.
const COUNT_MAX: usize = 32;

/// What opens a door: 256 random bits in hex. Has no `Debug`.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    fn draw() -> Self {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives randomness");
        Self(hex::encode(bytes))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Who logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder {
    /// What they may do.
    pub(crate) role: Role,
    /// With which wallet; none for whoever had a link.
    pub(crate) wallet: Option<Address>,
}

impl Holder {
    /// Whoever had a link of the token's holder.
    pub(crate) const OWNER: Self = Self { role: Role::Owner, wallet: None };
}

/// A session that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) holder: Holder,
    pub(crate) ends: Instant,
}

/// What each secret opens and when it ends, by the secret's hash: looking one up tells nothing about the
/// others by its time.
#[derive(Default)]
struct Secrets(BTreeMap<Hash, Open>);

impl Secrets {
    /// Where a holder has too many, theirs make room, and nobody else's.
    fn issue(&mut self, holder: Holder, ends: Instant, now: Instant) -> Secret {
        self.0.retain(|_, open| open.ends > now);
        let of_holder = |open: &Open| open.holder.wallet == holder.wallet;
        while self.0.values().filter(|open| of_holder(open)).count() >= COUNT_MAX {
            let own = self.0.iter().filter(|(_, open)| of_holder(open));
            let first = own.min_by_key(|(_, open)| open.ends).map(|(hash, _)| *hash);
            first.map(|hash| self.0.remove(&hash));
        }
        let secret = Secret::draw();
        self.0.insert(Hash::of(secret.expose().as_bytes()), Open { holder, ends });
        secret
    }

    fn find(&self, text: &str, now: Instant) -> Option<Open> {
        self.0.get(&Hash::of(text.as_bytes())).copied().filter(|open| open.ends > now)
    }

    fn remove(&mut self, text: &str, now: Instant) -> bool {
        self.0.remove(&Hash::of(text.as_bytes())).is_some_and(|open| open.ends > now)
    }
}

/// Codes that wait for their browser, and open sessions.
#[derive(Default)]
pub(crate) struct Sessions {
    codes: Secrets,
    open: Secrets,
}

impl Sessions {
    /// A code that opens one session, once.
    pub(crate) fn link(&mut self, now: Instant) -> Secret {
        self.codes.issue(Holder::OWNER, now + LINK_LIFE, now)
    }

    /// The session that a code opens.
    pub(crate) fn open(&mut self, code: &str, now: Instant) -> Option<Secret> {
        self.codes.remove(code, now).then(|| self.begin(Holder::OWNER, now))
    }

    /// A session of somebody who is known.
    pub(crate) fn begin(&mut self, holder: Holder, now: Instant) -> Secret {
        self.open.issue(holder, now + SESSION_LIFE, now)
    }

    /// A session that is open.
    pub(crate) fn find(&self, session: &str, now: Instant) -> Option<Open> {
        self.open.find(session, now)
    }

    /// Ends a session.
    pub(crate) fn close(&mut self, session: &str, now: Instant) {
        self.open.remove(session, now);
    }

    /// Ends all sessions of a wallet.
    pub(crate) fn close_all_of(&mut self, wallet: Address) {
        self.open.0.retain(|_, open| open.holder.wallet != Some(wallet));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w3_codes_and_sessions_end_by_themselves() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let (late, last_moment) = (start + LINK_LIFE, start + LINK_LIFE - Duration::from_secs(1));
        let (one, other) = (sessions.link(start), sessions.link(start));
        assert!(sessions.open(one.expose(), late).is_none(), "too late");
        let session = sessions.open(other.expose(), last_moment).expect("in time");
        assert!(sessions.open(other.expose(), last_moment).is_none(), "once only");
        let ends = last_moment + SESSION_LIFE;
        assert_eq!(sessions.find(session.expose(), start), Some(Open { holder: Holder::OWNER, ends }));
        assert_eq!(sessions.find(session.expose(), ends), None);
        sessions.close(session.expose(), start);
        assert_eq!(sessions.find(session.expose(), start), None);
    }

    #[test]
    fn codes_and_sessions_are_bounded() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let first = sessions.link(start);
        for second in 1..=COUNT_MAX as u64 {
            sessions.link(start + Duration::from_secs(second));
        }
        assert_eq!(sessions.codes.0.len(), COUNT_MAX);
        assert!(sessions.open(first.expose(), start).is_none(), "it made room");
    }

    #[test]
    fn w3_sessions_of_a_wallet_push_out_no_others_and_end_with_it() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let holder = |byte| Holder { role: Role::Viewer, wallet: Some(Address::from_bytes([byte; 20])) };
        let owner = sessions.begin(Holder::OWNER, now);
        let modest = sessions.begin(holder(1), now);
        for second in 0..2 * COUNT_MAX as u64 {
            sessions.begin(holder(2), now + Duration::from_secs(second));
        }
        assert_eq!(sessions.open.0.len(), COUNT_MAX + 2);
        sessions.close_all_of(Address::from_bytes([2; 20]));
        assert_eq!(sessions.open.0.len(), 2);
        assert_eq!(sessions.find(owner.expose(), now).map(|open| open.holder), Some(Holder::OWNER));
        assert_eq!(sessions.find(modest.expose(), now).map(|open| open.holder), Some(holder(1)));
    }
}
