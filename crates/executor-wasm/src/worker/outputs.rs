//! The `/out` of a task on its way home.

use super::outbox::Outbox;
use crate::frame::Report;
use opensky_executor::scratch::{CollectError, Scratch};
use opensky_types::resources::{Limit, TaskLimits};
use std::{
    fs::File,
    io::{self, Read},
};

/// Bytes read at a time.
const READ_BYTES: usize = 128 << 10;

/// Sends the files under `/out` home, in order of path.
pub fn send(scratch: &Scratch, limits: &TaskLimits, outbox: &Outbox) -> Result<(), CollectError> {
    let mut left = limits.output_bytes;
    for path in scratch.output_paths()? {
        let (file, size_bytes) = scratch.open_output(&path).map_err(CollectError::Io)?;
        left = left.checked_sub(size_bytes).ok_or(CollectError::Limit(Limit::Output))?;
        outbox.send(&Report::File { path, size_bytes });
        send_file(file, size_bytes, outbox).map_err(CollectError::Io)?;
    }
    Ok(())
}

fn send_file(mut file: File, size_bytes: u64, outbox: &Outbox) -> io::Result<()> {
    let mut left = size_bytes;
    while left > 0 {
        let mut piece = vec![0; READ_BYTES.min(usize::try_from(left).unwrap_or(READ_BYTES))];
        file.read_exact(&mut piece)?;
        left -= piece.len() as u64;
        outbox.send(&Report::Piece(piece));
    }
    Ok(())
}
