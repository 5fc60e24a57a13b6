//! Standard input, output and error of a task, as WASI sees them.

use super::{Link, failure::Reached, inbox::Piece, outbox::Outbox};
use crate::frame::{Report, Stdin};
use bytes::Bytes;
use opensky_types::resources::Limit;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdinStream, StdoutStream},
    p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult},
};

/// Bytes a program may hand over in one call.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// The executor could not deliver what the program reads.
#[derive(Debug, thiserror::Error)]
#[error("the input was lost")]
pub struct InputLost;

/// Standard input: what came with the order, or asked for piece by piece as the program reads.
#[derive(Clone)]
pub struct Input {
    state: Arc<Mutex<InputState>>,
    link: Link,
}

struct InputState {
    at_hand: Bytes,
    more: bool,
}

impl Input {
    pub fn new(stdin: Stdin, link: Link) -> Self {
        let (at_hand, more) = match stdin {
            Stdin::Whole(bytes) => (Bytes::from(bytes), false),
            Stdin::OnDemand => (Bytes::new(), true),
        };
        Self { state: Arc::new(Mutex::new(InputState { at_hand, more })), link }
    }

    /// Fetches the next piece if none is at hand. This blocks the worker, whose only task waits for
    /// just this; the executor answers as fast as its disk does, and kills a worker past its time.
    fn fill(&self, state: &mut InputState) -> StreamResult<()> {
        if !state.at_hand.is_empty() || !state.more {
            return Ok(());
        }
        self.link.outbox.send(&Report::WantInput);
        match self.link.inbox.lock().expect("no user of the inbox panics").next_piece() {
            Piece::Bytes(bytes) => {
                state.more = !bytes.is_empty();
                state.at_hand = Bytes::from(bytes);
                Ok(())
            }
            Piece::Lost => Err(StreamError::Trap(InputLost.into())),
        }
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Input {
    /// Used by WASI 0.3 only, which is not linked.
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {}
}

impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let shared = self.state.clone();
        let mut state = shared.lock().expect("no user of an input panics");
        self.fill(&mut state)?;
        if state.at_hand.is_empty() {
            return Err(StreamError::Closed);
        }
        let size = size.min(state.at_hand.len());
        Ok(state.at_hand.split_to(size))
    }
}

/// Standard output or standard error: sent to the executor as it is written, up to a limit.
#[derive(Clone)]
pub struct Output {
    is_stderr: bool,
    left: Arc<Mutex<u64>>,
    outbox: Arc<Outbox>,
}

impl Output {
    pub fn new(is_stderr: bool, limit_bytes: u64, outbox: Arc<Outbox>) -> Self {
        Self { is_stderr, left: Arc::new(Mutex::new(limit_bytes)), outbox }
    }

    /// Sends what fits; what does not ends the task.
    pub fn put(&self, bytes: &[u8]) -> Result<(), Reached> {
        let mut left = self.left();
        let fits = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= fits as u64;
        let is_stderr = self.is_stderr;
        self.outbox.send_pieces(&bytes[..fits], |bytes| Report::Output { is_stderr, bytes });
        if fits < bytes.len() { Err(Reached(Limit::Output)) } else { Ok(()) }
    }

    fn left(&self) -> MutexGuard<'_, u64> {
        self.left.lock().expect("no user of an output panics")
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    /// Used by WASI 0.3 only, which is not linked.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.put(&bytes).map_err(|reached| StreamError::Trap(reached.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}
