//! Streams that stay open: how many each caller may have, and how they end with their reader.

use crate::{
    auth::Caller,
    problem::{Answer, Outcome},
};
use futures::{Stream, StreamExt};
use opensky_api::{Code, Problem};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// Most streams of the token's holder: the machine's own programs.
const OF_TOKEN: usize = 16_384;
/// Most streams of each key and of each browser's session.
const OF_OTHERS: usize = 256;

/// Who has how many streams open, and what carries them.
#[derive(Clone, Default)]
pub(crate) struct Streams {
    open: Arc<Mutex<BTreeMap<String, usize>>>,
    /// Tasks that go on beside their requests; the end of the server waits for them.
    pub(crate) tasks: TaskTracker,
}

/// A stream's place among those of its caller; free again when dropped.
pub(crate) struct Place {
    open: Arc<Mutex<BTreeMap<String, usize>>>,
    caller: String,
}

fn lock(open: &Mutex<BTreeMap<String, usize>>) -> MutexGuard<'_, BTreeMap<String, usize>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    /// Nobody's yet; `tasks` carries them.
    pub(crate) fn new(tasks: TaskTracker) -> Self {
        Self { open: Arc::default(), tasks }
    }

    /// A place for one more stream of this caller.
    pub(crate) fn take(&self, caller: &Caller) -> Outcome<Place> {
        let most = match caller {
            Caller::Token => OF_TOKEN,
            Caller::Key { .. } | Caller::Session { .. } | Caller::Nobody => OF_OTHERS,
        };
        let (name, mut open) = (caller.to_string(), lock(&self.open));
        let count = open.entry(name.clone()).or_default();
        if *count >= most {
            let detail = format!("{caller} has {most} streams open, which is the most it may have");
            return Err(Answer(
                Problem::new(Code::RateLimited, detail).with_next("close some that nobody reads any more"),
            ));
        }
        *count += 1;
        Ok(Place { open: Arc::clone(&self.open), caller: name })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.caller);
            }
        }
    }
}

/// A stream that gives its place back when it ends or its reader leaves.
pub(crate) fn held<T>(place: Place, stream: impl Stream<Item = T>) -> impl Stream<Item = T> {
    stream.inspect(move |_| {
        let _held = &place;
    })
}

/// Lets a follower tell until it has nothing more to say, its reader leaves, or `end` comes.
pub(crate) fn follow<T: Send + 'static>(
    tasks: &TaskTracker,
    place: Place,
    end: impl Future<Output = ()> + Send + 'static,
    sender: mpsc::Sender<T>,
    telling: impl Future<Output = Option<()>> + Send + 'static,
) {
    tasks.spawn(async move {
        let _held = place;
        tokio::select! {
            _ = telling => {}
            () = sender.closed() => {}
            () = end => {}
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Caller {
        let role = opensky_api::key::Role::Viewer;
        Caller::Key { name: name.into(), created_at: Default::default(), role, is_limited: false }
    }

    #[test]
    fn w5_streams_of_a_caller_are_bounded_and_their_places_come_back() {
        let streams = Streams::default();
        let mut places: Vec<Place> =
            (0..OF_OTHERS).map(|_| streams.take(&key("greedy")).ok().expect("a place")).collect();
        let refused = streams.take(&key("greedy")).err().expect("no more").0;
        assert_eq!(refused.code, Code::RateLimited);
        assert!(streams.take(&key("modest")).is_ok(), "others have places of their own");
        places.pop();
        places.push(streams.take(&key("greedy")).ok().expect("one is free again"));
        drop(places);
        assert!(lock(&streams.open).is_empty(), "nothing is remembered of who has none");
    }

    #[tokio::test]
    async fn w5_a_follower_ends_with_its_reader_though_nothing_happens() {
        let (streams, (sender, reader)) = (Streams::default(), mpsc::channel::<()>(1));
        let place = streams.take(&Caller::Token).ok().expect("a place");
        follow(&streams.tasks, place, std::future::pending(), sender, std::future::pending());
        drop(reader);
        while !lock(&streams.open).is_empty() {
            tokio::task::yield_now().await;
        }
        streams.tasks.close();
        streams.tasks.wait().await;
    }
}
