//! Sessions of browsers. They live in memory: a node that starts anew knows none.

use opensky_ledger::evm::Address;
use opensky_types::{Hash, Timestamp};
use rand::{TryRng, rngs::SysRng};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a link's code works.
pub(crate) const LINK_LIFE: Duration = Duration::from_secs(5 * 60);
/// How long a session lasts.
pub(crate) const SESSION_LIFE: Duration = Duration::from_secs(12 * 3600);
/// Most codes, and most sessions that links opened, at a time; the one that ends first makes room.
const COUNT_MAX: usize = 32;
/// Most sessions of one key or wallet at a time: who has one cannot push out the sessions of others.
const OF_KEY_MAX: usize = 4;

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

/// Who opened a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opener {
    /// Whoever holds the token, by a link.
    Token,
    /// Whoever holds this key; two that had one name in turn were made at different times.
    Key { name: Arc<str>, created_at: Timestamp },
    /// Whoever signs with this wallet; one that was named twice was named at different times.
    Wallet { address: Address, created_at: Timestamp },
}

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) opener: Opener,
    pub(crate) opened_at: Timestamp,
    pub(crate) ends: Instant,
}

/// What may end, by the hash of its secret: looking one up tells nothing about the others by its time.
type Secrets<T> = BTreeMap<Hash, T>;

/// Codes that wait for their browser, and open sessions.
#[derive(Default)]
pub(crate) struct Sessions {
    /// When each ends.
    codes: Secrets<Instant>,
    open: Secrets<Open>,
}

impl Sessions {
    /// A code that opens one session, once.
    pub(crate) fn link(&mut self, now: Instant) -> Secret {
        self.codes.retain(|_, ends| *ends > now);
        make_room(&mut self.codes, COUNT_MAX, |ends| Some(*ends));
        let secret = Secret::draw();
        self.codes.insert(hash_of(secret.expose()), now + LINK_LIFE);
        secret
    }

    /// Uses a code up; whether it was one that works.
    pub(crate) fn redeem(&mut self, code: &str, now: Instant) -> bool {
        self.codes.remove(&hash_of(code)).is_some_and(|ends| ends > now)
    }

    /// A new session.
    pub(crate) fn open(&mut self, session: Open, now: Instant) -> Secret {
        self.open.retain(|_, open| open.ends > now);
        let most = if session.opener == Opener::Token { COUNT_MAX } else { OF_KEY_MAX };
        make_room(&mut self.open, most, |open| (open.opener == session.opener).then_some(open.ends));
        let secret = Secret::draw();
        self.open.insert(hash_of(secret.expose()), session);
        secret
    }

    /// A session by the hash of its secret; `None` for one that is not open.
    pub(crate) fn find(&self, hash: &Hash, now: Instant) -> Option<&Open> {
        self.open.get(hash).filter(|open| open.ends > now)
    }

    /// Ends a session.
    pub(crate) fn close(&mut self, secret: &str) {
        self.open.remove(&hash_of(secret));
    }

    /// All that are open, with what each is called.
    pub(crate) fn list(&self, now: Instant) -> impl Iterator<Item = (String, &Open)> {
        self.open.iter().filter(move |(_, open)| open.ends > now).map(|(hash, open)| (hash.short(), open))
    }

    /// Ends the session that is called so; whether there was one.
    pub(crate) fn end(&mut self, id: &str) -> bool {
        let before = self.open.len();
        self.open.retain(|hash, _| hash.short() != id);
        self.open.len() < before
    }
}

/// What a session is kept under; the start of it, which opens nothing, is what it is called.
pub(crate) fn hash_of(secret: &str) -> Hash {
    Hash::of(secret.as_bytes())
}

/// Removes those that end first until one more fits. `ends` is `None` for those that are not counted.
fn make_room<T>(secrets: &mut Secrets<T>, most: usize, ends: impl Fn(&T) -> Option<Instant>) {
    loop {
        let counted = secrets.iter().filter_map(|(hash, value)| Some((ends(value)?, *hash)));
        let counted: Vec<_> = counted.collect();
        match counted.iter().min() {
            Some((_, first)) if counted.len() >= most => secrets.remove(first),
            _ => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(opener: Opener, ends: Instant) -> Open {
        Open { opener, opened_at: Timestamp::default(), ends }
    }

    fn of_key(name: &str) -> Opener {
        Opener::Key { name: name.into(), created_at: Timestamp::default() }
    }

    #[test]
    fn w3_codes_and_sessions_end_by_themselves() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let (late, last_moment) = (start + LINK_LIFE, start + LINK_LIFE - Duration::from_secs(1));
        let (one, other) = (sessions.link(start), sessions.link(start));
        assert!(!sessions.redeem(one.expose(), late), "too late");
        assert!(sessions.redeem(other.expose(), last_moment), "in time");
        assert!(!sessions.redeem(other.expose(), last_moment), "once only");
        let ends = last_moment + SESSION_LIFE;
        let secret = sessions.open(session(Opener::Token, ends), start);
        assert_eq!(sessions.find(&hash_of(secret.expose()), start).map(|open| open.ends), Some(ends));
        assert_eq!(sessions.find(&hash_of(secret.expose()), ends), None);
        sessions.close(secret.expose());
        assert_eq!(sessions.find(&hash_of(secret.expose()), start), None);
    }

    #[test]
    fn codes_and_sessions_are_bounded() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let first = sessions.link(start);
        for second in 1..=COUNT_MAX as u64 {
            sessions.link(start + Duration::from_secs(second));
        }
        assert_eq!(sessions.codes.len(), COUNT_MAX);
        assert!(!sessions.redeem(first.expose(), start), "it made room");
        let ends = |second: usize| start + Duration::from_secs(second as u64 + 1);
        for second in 0..=COUNT_MAX {
            sessions.open(session(Opener::Token, ends(second)), start);
        }
        assert_eq!(sessions.list(start).count(), COUNT_MAX);
    }

    #[test]
    fn w1_sessions_of_a_key_push_out_none_but_their_own() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let ends = start + SESSION_LIFE;
        let owner = sessions.open(session(Opener::Token, start + Duration::from_secs(1)), start);
        let other = sessions.open(session(of_key("other"), start + Duration::from_secs(1)), start);
        for _ in 0..10 * COUNT_MAX {
            sessions.open(session(of_key("greedy"), ends), start);
        }
        assert_eq!(sessions.list(start).count(), OF_KEY_MAX + 2);
        for secret in [owner, other] {
            assert!(sessions.find(&hash_of(secret.expose()), start).is_some());
            let id = hash_of(secret.expose()).short();
            assert!(sessions.end(&id) && !sessions.end(&id));
            assert!(sessions.find(&hash_of(secret.expose()), start).is_none(), "ended by its id");
        }
    }

    #[test]
    fn w3_sessions_of_a_wallet_push_out_no_others() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let wallet = |byte| Opener::Wallet {
            address: Address::from_bytes([byte; 20]),
            created_at: Timestamp::default(),
        };
        let ends = now + SESSION_LIFE;
        let owner = sessions.open(session(Opener::Token, ends), now);
        let modest = sessions.open(session(wallet(1), ends), now);
        for second in 0..2 * COUNT_MAX as u64 {
            sessions.open(session(wallet(2), ends + Duration::from_secs(second)), now);
        }
        assert_eq!(sessions.list(now).count(), OF_KEY_MAX + 2);
        assert_eq!(
            sessions.find(&hash_of(owner.expose()), now).map(|open| &open.opener),
            Some(&Opener::Token)
        );
        assert_eq!(sessions.find(&hash_of(modest.expose()), now).map(|open| &open.opener), Some(&wallet(1)));
    }
}
