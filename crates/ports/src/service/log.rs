//! The newest of what a program wrote, for whoever comes later and whoever listens.

use super::LOG_KEPT_BYTES;
use crate::executor::LogStream;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{mpsc, watch};

/// Most pieces that are kept: a program that writes single bytes in turn to both outputs must not cost more.
const PIECES_MAX: usize = 4_096;
/// Most bytes of a piece. The oldest goes as a whole.
const PIECE_BYTES: usize = 4 * 1024;
/// Pieces on their way to one listener.
const PIECES_WAITING: usize = 8;

/// Keeps the last [`LOG_KEPT_BYTES`], less a piece at most, of a program's outputs, in the order in which they came.
#[derive(Debug)]
pub struct KeptLog {
    kept: Arc<Mutex<Kept>>,
    /// Bytes written so far; `None` once there will be no more.
    news: watch::Sender<Option<u64>>,
}

impl Default for KeptLog {
    fn default() -> Self {
        Self { kept: Arc::default(), news: watch::Sender::new(Some(0)) }
    }
}

#[derive(Debug, Default)]
struct Kept {
    pieces: VecDeque<(LogStream, Vec<u8>)>,
    kept_bytes: usize,
    /// Bytes written so far, those that are gone included.
    written_bytes: u64,
}

impl KeptLog {
    /// The program wrote something. Never waits for a listener.
    pub fn write(&self, stream: LogStream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let written_bytes = {
            let mut kept = lock(&self.kept);
            // What would go at once need not come.
            kept.push(stream, &bytes[bytes.len().saturating_sub(LOG_KEPT_BYTES)..]);
            kept.written_bytes += bytes.len() as u64;
            kept.written_bytes
        };
        self.news.send_modify(|news| *news = news.and(Some(written_bytes)));
    }

    /// There will be no more.
    pub fn end(&self) {
        self.news.send_replace(None);
    }

    /// The last of it, at most so many bytes.
    pub fn last(&self, bytes_max: usize) -> Vec<u8> {
        let kept = lock(&self.kept);
        let mut left = bytes_max;
        let mut parts = Vec::new();
        for (_, piece) in kept.pieces.iter().rev() {
            let part = &piece[piece.len().saturating_sub(left)..];
            left -= part.len();
            parts.push(part);
            if left == 0 {
                break;
            }
        }
        parts.into_iter().rev().flatten().copied().collect()
    }

    /// All that is kept and what comes, until the end. Needs a tokio runtime.
    pub fn follow(&self) -> mpsc::Receiver<(LogStream, Vec<u8>)> {
        let (sender, receiver) = mpsc::channel(PIECES_WAITING);
        let (kept, mut news) = (Arc::clone(&self.kept), self.news.subscribe());
        tokio::spawn(async move {
            let mut at = 0;
            loop {
                let is_over = news.borrow_and_update().is_none();
                loop {
                    let next = lock(&kept).after(at);
                    let Some((end, stream, bytes)) = next else { break };
                    at = end;
                    if sender.send((stream, bytes)).await.is_err() {
                        return;
                    }
                }
                if is_over {
                    return;
                }
                tokio::select! {
                    () = sender.closed() => return,
                    // A log that is dropped was not ended, and there is no more all the same.
                    changed = news.changed() => if changed.is_err() { return },
                }
            }
        });
        receiver
    }
}

impl Kept {
    fn push(&mut self, stream: LogStream, mut bytes: &[u8]) {
        self.kept_bytes += bytes.len();
        while !bytes.is_empty() {
            let has_room =
                |(last, piece): &&mut (LogStream, Vec<u8>)| *last == stream && piece.len() < PIECE_BYTES;
            let Some((_, piece)) = self.pieces.back_mut().filter(has_room) else {
                self.pieces.push_back((stream, Vec::new()));
                continue;
            };
            let (now, later) = bytes.split_at(bytes.len().min(PIECE_BYTES - piece.len()));
            piece.extend(now);
            bytes = later;
        }
        while self.kept_bytes > LOG_KEPT_BYTES || self.pieces.len() > PIECES_MAX {
            let Some((_, piece)) = self.pieces.pop_front() else { return };
            self.kept_bytes -= piece.len();
        }
    }

    /// What came after the first `at` bytes of all, as far as one piece goes, and where that ends.
    fn after(&self, at: u64) -> Option<(u64, LogStream, Vec<u8>)> {
        let mut begin = self.written_bytes - self.kept_bytes as u64;
        for (stream, piece) in &self.pieces {
            let end = begin + piece.len() as u64;
            if end > at {
                let seen = usize::try_from(at.saturating_sub(begin)).unwrap_or(piece.len());
                return Some((end, *stream, piece[seen..].to_vec()));
            }
            begin = end;
        }
        None
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use LogStream::{Stderr, Stdout};

    async fn all(mut from: mpsc::Receiver<(LogStream, Vec<u8>)>) -> Vec<(LogStream, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some(piece) = from.recv().await {
            all.push(piece);
        }
        all
    }

    #[tokio::test]
    async fn listeners_hear_what_was_and_what_comes() {
        let log = KeptLog::default();
        log.write(Stdout, b"a");
        log.write(Stdout, b"b");
        let early = log.follow();
        log.write(Stderr, b"c");
        let late = log.follow();
        log.end();
        let whole = [(Stdout, b"ab".to_vec()), (Stderr, b"c".to_vec())];
        assert_eq!(all(early).await, whole);
        assert_eq!(all(late).await, whole);
        assert_eq!(all(log.follow()).await, whole, "also after the end");
        assert_eq!((log.last(2), log.last(0), log.last(9)), (b"bc".to_vec(), vec![], b"abc".to_vec()));
    }

    #[tokio::test]
    async fn only_the_newest_is_kept() {
        let log = KeptLog::default();
        let mut slow = log.follow();
        for number in 0..1_000_000_u32 {
            log.write(Stdout, &number.to_le_bytes());
        }
        log.end();
        let last = log.last(usize::MAX);
        assert!((LOG_KEPT_BYTES - PIECE_BYTES..=LOG_KEPT_BYTES).contains(&last.len()));
        assert!(last.ends_with(&999_999_u32.to_le_bytes()));
        let mut heard = 0;
        while let Some((_, bytes)) = slow.recv().await {
            heard += bytes.len();
        }
        assert!((last.len()..4_000_000).contains(&heard), "{heard}");
        log.write(Stdout, &vec![7; 3 * LOG_KEPT_BYTES]);
        let last = log.last(usize::MAX);
        assert!(last.len() > LOG_KEPT_BYTES - PIECE_BYTES && last.iter().all(|byte| *byte == 7));
    }

    #[test]
    fn j4_a_byte_at_a_time_costs_no_more() {
        let log = KeptLog::default();
        for _ in 0..LOG_KEPT_BYTES {
            log.write(Stdout, b"o");
            log.write(Stderr, b"e");
        }
        let kept = lock(&log.kept);
        assert_eq!(kept.pieces.len(), PIECES_MAX);
        assert_eq!(kept.kept_bytes, PIECES_MAX);
    }
}
