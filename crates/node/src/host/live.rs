//! What running tasks write, and who watches.

use crate::node::Node;
use opensky_ports::LogStream;
use opensky_protocol::work::ToConsumer;
use opensky_types::{AgreementId, NodeId, TaskId};
use std::{collections::BTreeMap, sync::MutexGuard};

/// Output of a running task that is kept for whoever starts to follow it, in bytes.
const LIVE_OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// Bytes that each kept piece counts beside its own, so that tiny ones do not come for free.
const PIECE_BYTES: usize = 64;
/// Largest piece of followed output in one message, in bytes.
pub(crate) const OUTPUT_PIECE_BYTES_MAX: usize = 32 * 1024;
/// Most tasks that one consumer follows at a time.
const FOLLOWED_MAX: usize = 64;

/// Output of running tasks, and who follows it.
#[derive(Default)]
pub(super) struct LiveOutputs {
    written: BTreeMap<(AgreementId, TaskId), Written>,
    followers: BTreeMap<(AgreementId, TaskId), NodeId>,
}

/// What one task wrote so far, up to a limit.
#[derive(Default)]
struct Written {
    pieces: Vec<(LogStream, Vec<u8>)>,
    size_bytes: usize,
}

impl LiveOutputs {
    /// Keeps what a task wrote; answers who follows it.
    pub(super) fn write(
        &mut self,
        agreement: AgreementId,
        task: TaskId,
        stream: LogStream,
        bytes: &[u8],
    ) -> Option<NodeId> {
        let written = self.written.entry((agreement, task)).or_default();
        let room = LIVE_OUTPUT_BYTES_MAX.saturating_sub(written.size_bytes + PIECE_BYTES);
        if room > 0 {
            let kept = &bytes[..bytes.len().min(room)];
            written.size_bytes += kept.len() + PIECE_BYTES;
            written.pieces.push((stream, kept.to_vec()));
        }
        self.followers.get(&(agreement, task)).copied()
    }

    /// Notes a follower; answers what was written so far, or `None` if it follows too much already.
    fn follow(
        &mut self,
        agreement: AgreementId,
        task: TaskId,
        from: NodeId,
    ) -> Option<Vec<(LogStream, Vec<u8>)>> {
        if self.followers.values().filter(|node| **node == from).count() >= FOLLOWED_MAX {
            return None;
        }
        self.followers.insert((agreement, task), from);
        let written = self.written.get(&(agreement, task));
        Some(written.map(|written| written.pieces.clone()).unwrap_or_default())
    }

    /// A task ended.
    pub(super) fn end(&mut self, agreement: AgreementId, task: TaskId) {
        self.written.remove(&(agreement, task));
        self.followers.remove(&(agreement, task));
    }

    /// An agreement ended.
    pub(super) fn release(&mut self, agreement: AgreementId) {
        self.followers.retain(|(of, _), _| *of != agreement);
        self.written.retain(|(of, _), _| *of != agreement);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty() && self.followers.is_empty()
    }
}

impl Node {
    pub(super) fn live(&self) -> MutexGuard<'_, LiveOutputs> {
        self.host.live.lock().expect("no code panics while holding this lock")
    }

    /// A consumer wants to see a task's output as it is written, from the start.
    pub(super) fn on_follow(&mut self, from: NodeId, agreement: AgreementId, task: TaskId, on: bool) {
        let consumer = self.host.provider.terms(agreement).map(|terms| terms.consumer);
        if consumer != Some(from) {
            return;
        }
        if !on {
            self.live().followers.remove(&(agreement, task));
            return;
        }
        let written = self.live().follow(agreement, task, from);
        for (stream, bytes) in written.into_iter().flatten() {
            self.send_output(from, agreement, task, stream, &bytes);
        }
    }

    /// Sends output of a followed task. It is for watching: a slow watcher misses some.
    pub(crate) fn send_output(
        &mut self,
        to: NodeId,
        agreement: AgreementId,
        task: TaskId,
        stream: LogStream,
        bytes: &[u8],
    ) {
        for piece in bytes.chunks(OUTPUT_PIECE_BYTES_MAX) {
            let stderr = stream == LogStream::Stderr;
            self.show_consumer(to, ToConsumer::Output { agreement, task, stderr, bytes: piece.to_vec() });
        }
    }
}
