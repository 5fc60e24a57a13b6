//! Sessions of browsers. They live in memory: a node that starts anew knows none.

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

/// When each secret ends, by the secret's hash: looking one up tells nothing about the others by its time.
#[derive(Default)]
struct Secrets(BTreeMap<Hash, Instant>);

impl Secrets {
    fn issue(&mut self, ends: Instant, now: Instant) -> Secret {
        self.0.retain(|_, ends| *ends > now);
        while self.0.len() >= COUNT_MAX {
            let first = self.0.iter().min_by_key(|(_, ends)| **ends).map(|(hash, _)| *hash);
            first.map(|hash| self.0.remove(&hash));
        }
        let secret = Secret::draw();
        self.0.insert(Hash::of(secret.expose().as_bytes()), ends);
        secret
    }

    fn end_of(&self, text: &str, now: Instant) -> Option<Instant> {
        self.0.get(&Hash::of(text.as_bytes())).copied().filter(|ends| *ends > now)
    }

    fn remove(&mut self, text: &str, now: Instant) -> bool {
        self.0.remove(&Hash::of(text.as_bytes())).is_some_and(|ends| ends > now)
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
        self.codes.issue(now + LINK_LIFE, now)
    }

    /// The session that a code opens.
    pub(crate) fn open(&mut self, code: &str, now: Instant) -> Option<Secret> {
        self.codes.remove(code, now).then(|| self.open.issue(now + SESSION_LIFE, now))
    }

    /// When a session ends; `None` for one that is not open.
    pub(crate) fn end_of(&self, session: &str, now: Instant) -> Option<Instant> {
        self.open.end_of(session, now)
    }

    /// Ends a session.
    pub(crate) fn close(&mut self, session: &str, now: Instant) {
        self.open.remove(session, now);
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
        assert_eq!(sessions.end_of(session.expose(), start), Some(ends));
        assert_eq!(sessions.end_of(session.expose(), ends), None);
        sessions.close(session.expose(), start);
        assert_eq!(sessions.end_of(session.expose(), start), None);
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
}
