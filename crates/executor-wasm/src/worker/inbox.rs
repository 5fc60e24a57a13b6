//! What the worker is told.

use super::outbox::Outbox;
use crate::frame::{self, Order};
use std::{collections::VecDeque, fs::File, io::Read, sync::Arc};

/// Orders on their way in.
pub struct Inbox {
    socket: File,
    outbox: Arc<Outbox>,
    /// Bytes read and not yet decoded start at `start`.
    buffer: Vec<u8>,
    start: usize,
    /// Orders that came while a piece of input was awaited.
    waiting: VecDeque<Order>,
}

/// The answer to a wish for input.
pub enum Piece {
    /// These bytes come next; empty at the end.
    Bytes(Vec<u8>),
    /// It cannot be had.
    Lost,
}

impl Inbox {
    pub fn new(socket: File, outbox: Arc<Outbox>) -> Self {
        Self { socket, outbox, buffer: Vec::new(), start: 0, waiting: VecDeque::new() }
    }

    /// The next order; `None` when the executor hung up.
    pub fn next_order(&mut self) -> Option<Order> {
        match self.waiting.pop_front() {
            Some(order) => Some(order),
            None => self.read_order(),
        }
    }

    /// The next piece of input. Tasks that are announced meanwhile are kept for later.
    pub fn next_piece(&mut self) -> Piece {
        loop {
            match self.read_order() {
                Some(Order::Piece(bytes)) => return Piece::Bytes(bytes),
                Some(Order::InputLost) | None => return Piece::Lost,
                Some(order) => self.waiting.push_back(order),
            }
        }
    }

    fn read_order(&mut self) -> Option<Order> {
        loop {
            // The executor is this same binary; a frame it did not mean ends the worker.
            if let Some((order, size)) = frame::split(&self.buffer[self.start..]).ok()? {
                self.start += size;
                if self.start == self.buffer.len() {
                    self.buffer.clear();
                    self.start = 0;
                }
                return Some(order);
            }
            self.outbox.flush();
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> Option<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let old = self.buffer.len();
        self.buffer.resize(old + (64 << 10), 0);
        let size = loop {
            match self.socket.read(&mut self.buffer[old..]) {
                Ok(size) => break size,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break 0,
            }
        };
        self.buffer.truncate(old + size);
        (size > 0).then_some(())
    }
}
