//! Requests that are asked twice and done once: the answer to a request with an `Idempotency-Key` is kept,
//! and given again to whoever asks the same with the same key.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode};
use opensky_types::Hash;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long an answer is kept.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// Most answers kept; the oldest makes room.
const COUNT_MAX: usize = 1_024;
/// Largest answer that is kept, in bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// An answer as it is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

/// A request with a key.
#[derive(Debug)]
struct Entry {
    /// Of all that was asked.
    asked: Hash,
    began: Instant,
    /// `None` while it is being done.
    answer: Option<Kept>,
}

/// What to do about a request with a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// Do it; [`Replays::end`] follows.
    First,
    /// It was done: this is the answer.
    Again(Kept),
    /// It is being done.
    Running,
    /// The key was used for something else.
    Other,
    /// So many are being done that no other can be remembered.
    Full,
}

/// Answers by who asked with which key.
#[derive(Debug, Default)]
pub(crate) struct Replays(BTreeMap<Hash, Entry>);

impl Replays {
    /// Begins a request: `slot` is the hash of caller, route and key, `asked` that of its content.
    pub(crate) fn begin(&mut self, slot: Hash, asked: Hash, now: Instant) -> Begun {
        // What is being done is never forgotten before it ends.
        self.0.retain(|_, entry| entry.answer.is_none() || now.duration_since(entry.began) < LIFE);
        match self.0.get(&slot) {
            Some(entry) if entry.asked != asked => return Begun::Other,
            Some(Entry { answer: Some(kept), .. }) => return Begun::Again(kept.clone()),
            Some(_) => return Begun::Running,
            None => {}
        }
        if self.0.len() >= COUNT_MAX {
            let done = self.0.iter().filter(|(_, entry)| entry.answer.is_some());
            let Some(oldest) = done.min_by_key(|(_, entry)| entry.began).map(|(slot, _)| *slot) else {
                return Begun::Full;
            };
            self.0.remove(&oldest);
        }
        self.0.insert(slot, Entry { asked, began: now, answer: None });
        Begun::First
    }

    /// Ends it. Without an answer the key is free again: what failed by the node's fault may be tried again.
    pub(crate) fn end(&mut self, slot: Hash, answer: Option<Kept>) {
        match (self.0.get_mut(&slot), answer) {
            (Some(entry), Some(answer)) => entry.answer = Some(answer),
            _ => drop(self.0.remove(&slot)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(body: &'static str) -> Kept {
        Kept { status: StatusCode::CREATED, content_type: None, body: body.into() }
    }

    fn hash(number: usize) -> Hash {
        Hash::of(&number.to_le_bytes())
    }

    #[test]
    fn what_is_asked_twice_is_done_once() {
        let (mut replays, now) = (Replays::default(), Instant::now());
        let (slot, asked) = (hash(1), hash(2));
        assert_eq!(replays.begin(slot, asked, now), Begun::First);
        assert_eq!(replays.begin(slot, asked, now), Begun::Running);
        assert_eq!(replays.begin(slot, hash(3), now), Begun::Other);
        replays.end(slot, Some(kept("done")));
        assert_eq!(replays.begin(slot, asked, now), Begun::Again(kept("done")));
        assert_eq!(replays.begin(slot, hash(3), now), Begun::Other);
        assert_eq!(replays.begin(slot, asked, now + LIFE), Begun::First, "a day later it is forgotten");
        replays.end(slot, None);
        assert_eq!(replays.begin(slot, hash(3), now + LIFE), Begun::First, "what failed leaves the key free");
    }

    #[test]
    fn w5_answers_are_bounded_and_what_is_being_done_stays() {
        let (mut replays, start) = (Replays::default(), Instant::now());
        let at = |number: usize| start + Duration::from_millis(number as u64);
        for number in 0..COUNT_MAX {
            assert_eq!(replays.begin(hash(number), hash(0), at(number)), Begun::First);
        }
        assert_eq!(replays.begin(hash(COUNT_MAX), hash(0), at(COUNT_MAX)), Begun::Full);
        replays.end(hash(7), Some(kept("seven")));
        assert_eq!(replays.begin(hash(COUNT_MAX), hash(0), at(COUNT_MAX)), Begun::First, "it made room");
        assert_eq!(replays.0.len(), COUNT_MAX);
        assert_eq!(replays.begin(hash(0), hash(0), at(COUNT_MAX)), Begun::Running);
    }
}
