//! What the executor and its workers say to each other, and how it is framed.
//!
//! Both ends are the same binary, so there is one version. A frame is a little-endian `u32` length
//! and a Borsh value. The worker's end is trusted by nobody: the executor checks every length, order
//! and total of what comes from there.

use crate::sandbox::SandboxReport;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{Hash, codec::DecodeError, place::Level, resources::TaskLimits, task::Failure};
use std::fmt;

/// Most bytes of a frame.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// Most bytes of content in one frame: a piece of a program, an input, an output or an artefact.
pub const PIECE_BYTES_MAX: usize = opensky_executor::content::PIECE_BYTES;

/// What a worker is told.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub enum Order {
    /// First of all, before the worker locks itself in.
    Start(Start),
    /// Compile a program of `size_bytes`, which follows in pieces.
    Compile { size_bytes: u64 },
    /// The program that the next runs are of.
    Prepare(Box<Prepare>),
    /// Run one task. Its standard input is `stdin`, or must be asked for.
    Run { item: String, stdin: Stdin },
    /// The next bytes of what was announced or asked for; none at the end of an input.
    Piece(Vec<u8>),
    /// The input that was asked for cannot be had.
    InputLost,
    /// The component that answers what comes over connections from now on.
    Serve(Box<Serve>),
}

/// How a worker starts.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub struct Start {
    /// What it does.
    pub role: Role,
    /// Process id of the executor; a worker whose parent is another one ends itself.
    pub parent_pid: u32,
    /// Memory that the worker may take for itself, in bytes.
    pub memory_bytes_max: u64,
}

/// What a worker does.
#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
pub enum Role {
    /// Turns programs into artefacts; sees no file.
    Compile,
    /// Runs artefacts of `cache_dir`; writes in `scratch_dir` only.
    Run { cache_dir: String, scratch_dir: String },
    /// Answers HTTP with a component of `cache_dir`, on connections that come one by one over the socket in the place
    /// of standard output.
    Serve { cache_dir: String },
}

/// A component that answers HTTP.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub struct Serve {
    /// File name in the cache folder.
    pub artefact_name: String,
    /// BLAKE3 of that file.
    pub artefact_hash: Hash,
    /// Arguments.
    pub args: Vec<String>,
    /// Environment variables, secrets among them.
    pub env: Vec<(String, String)>,
    /// Memory of all requests together, in bytes.
    pub memory_bytes: u64,
    /// Threads that answer.
    pub threads: u16,
    /// Requests at a time.
    pub requests_max: u32,
    /// Fuel of one request.
    pub request_fuel: u64,
    /// Longest time of one request, in milliseconds.
    pub request_ms: u64,
}

impl fmt::Debug for Serve {
    /// Without variables: secrets are among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("artefact_name", &self.artefact_name).finish_non_exhaustive()
    }
}

/// A program and how its tasks are called.
#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
pub struct Prepare {
    /// File name in the cache folder.
    pub artefact_name: String,
    /// BLAKE3 of that file.
    pub artefact_hash: Hash,
    /// How it runs.
    pub level: Level,
    /// For functions: which.
    pub function: String,
    /// Arguments, with `{item}` still in them.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Whether clock and randomness are made up.
    pub deterministic: bool,
    /// Seed of made-up randomness.
    pub seed: u64,
    /// Limits of each task.
    pub limits: TaskLimits,
}

/// Standard input of a task.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub enum Stdin {
    /// All of it.
    Whole(Vec<u8>),
    /// To be asked for with [`Report::WantInput`].
    OnDemand,
}

/// What a worker says.
#[derive(Debug, BorshSerialize, BorshDeserialize)]
pub enum Report {
    /// It is locked in and takes orders.
    Ready { sandbox: SandboxReport },
    /// It cannot start or go on, and ends.
    Fatal { message: String },
    /// The program compiled to `size_bytes`, which follow in pieces.
    Compiled { size_bytes: u64 },
    /// The bytes are not a program.
    NotCompiled { message: String },
    /// The artefact is not what its hash says or, if intact, not for this engine; the worker ends.
    Unusable { message: String, is_intact: bool },
    /// The running task reads its input.
    WantInput,
    /// The running task wrote to standard output (or standard error).
    Output { is_stderr: bool, bytes: Vec<u8> },
    /// The running task left a file of `size_bytes` under `/out`, which follows in pieces.
    File { path: String, size_bytes: u64 },
    /// The next bytes of what was announced.
    Piece(Vec<u8>),
    /// The running task ended; the next one starts.
    Ended(Box<Ended>),
    /// The component answers from now on.
    Serving,
    /// It cannot.
    NotServing { message: String },
}

/// How a task ended, as its worker saw it.
#[derive(Debug, Clone, BorshSerialize, BorshDeserialize)]
pub struct Ended {
    /// How.
    pub ending: Ending,
    /// Fuel it consumed.
    pub fuel: u64,
    /// Its largest memory, in bytes.
    pub memory_peak_bytes: u64,
    /// How long it ran, in microseconds.
    pub wall_us: u64,
    /// Processor time of the worker meanwhile, in microseconds.
    pub cpu_us: u64,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Ending {
    /// It came to its end.
    Exited { code: i32 },
    /// It did not.
    Failed(Failure),
}

/// Appends `value` to `buffer` as a frame.
pub fn append<T: BorshSerialize>(buffer: &mut Vec<u8>, value: &T) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    value.serialize(buffer).expect("writing to memory cannot fail and lengths fit in u32");
    let size = u32::try_from(buffer.len() - start - 4).expect("pieces are far below 4 GiB");
    buffer[start..start + 4].copy_from_slice(&size.to_le_bytes());
}

/// The first frame of `bytes` and how many bytes it takes, or `None` if it is not whole yet.
pub fn split<T: BorshDeserialize>(bytes: &[u8]) -> Result<Option<(T, usize)>, DecodeError> {
    let Some((head, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let size = u32::from_le_bytes(*head) as usize;
    if size > FRAME_BYTES_MAX {
        return Err(DecodeError::TooLarge { size_bytes: size, limit_bytes: FRAME_BYTES_MAX });
    }
    match rest.get(..size) {
        None => Ok(None),
        Some(body) => Ok(Some((opensky_types::codec::decode(body, FRAME_BYTES_MAX)?, 4 + size))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_one_by_one() {
        let mut bytes = Vec::new();
        append(&mut bytes, &Order::InputLost);
        append(&mut bytes, &Order::Piece(vec![1, 2, 3]));
        let (first, size) = split::<Order>(&bytes).unwrap().unwrap();
        assert!(matches!(first, Order::InputLost));
        let (second, rest) = split::<Order>(&bytes[size..]).unwrap().unwrap();
        assert!(matches!(second, Order::Piece(piece) if piece == [1, 2, 3]));
        assert_eq!(size + rest, bytes.len());
        for end in 0..size {
            assert!(split::<Order>(&bytes[..end]).unwrap().is_none());
        }
    }

    #[test]
    fn what_is_too_large_or_malformed_is_refused() {
        let too_large = u32::try_from(FRAME_BYTES_MAX + 1).unwrap().to_le_bytes();
        assert!(matches!(split::<Report>(&too_large), Err(DecodeError::TooLarge { .. })));
        assert!(split::<Report>(&[1, 0, 0, 0, 200]).is_err());
        assert!(split::<Report>(&[3, 0, 0, 0, 5, 0, 0]).is_err(), "bytes left over");
    }
}
