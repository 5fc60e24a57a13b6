//! What the worker says, gathered into few writes.

use crate::frame::{self, PIECE_BYTES_MAX, Report};
use std::{fs::File, io::Write, sync::Mutex};

/// Bytes from which a write is worth its system call at once.
const FLUSH_BYTES: usize = 64 << 10;

/// Reports on their way out. They leave when enough are gathered, before the worker waits for
/// anything, and at each tick of the watchdog, so live output is late by a few milliseconds at most.
pub struct Outbox {
    state: Mutex<State>,
}

struct State {
    socket: File,
    buffer: Vec<u8>,
}

impl Outbox {
    pub fn new(socket: File) -> Self {
        Self { state: Mutex::new(State { socket, buffer: Vec::with_capacity(2 * FLUSH_BYTES) }) }
    }

    /// Adds a report.
    pub fn send(&self, report: &Report) {
        let mut state = self.lock();
        frame::append(&mut state.buffer, report);
        if state.buffer.len() >= FLUSH_BYTES {
            state.flush();
        }
    }

    /// Adds bytes of any length in pieces, each made into a report by `wrap`.
    pub fn send_pieces(&self, bytes: &[u8], wrap: impl Fn(Vec<u8>) -> Report) {
        for piece in bytes.chunks(PIECE_BYTES_MAX) {
            self.send(&wrap(piece.to_vec()));
        }
    }

    /// Writes out what is there.
    pub fn flush(&self) {
        self.lock().flush();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no user of the outbox panics")
    }
}

impl State {
    fn flush(&mut self) {
        if !self.buffer.is_empty() && self.socket.write_all(&self.buffer).is_err() {
            // Nobody is left to report to.
            std::process::exit(1);
        }
        self.buffer.clear();
    }
}
