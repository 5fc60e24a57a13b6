//! Layers: unpacked on the way through, counted and hashed, and never kept.

use super::{ArchiveError, Limits};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, Read};

/// Bytes read at a time.
const READ_BYTES: usize = 128 << 10;

/// Counts a layer against what is left of the limits; returns the hash of its unpacked bytes, as
/// configurations write it.
pub fn check_layer(layer: impl Read, left: &mut Limits, limits: &Limits) -> Result<String, ArchiveError> {
    let mut layer = BufReader::with_capacity(READ_BYTES, layer);
    let magic = layer.fill_buf()?;
    if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Err(ArchiveError::Malformed("a layer is packed with zstd; save it with gzip or none".into()));
    }
    if magic.starts_with(&[0x1f, 0x8b]) {
        check_unpacked(MultiGzDecoder::new(layer), left, limits)
    } else {
        check_unpacked(layer, left, limits)
    }
}

fn check_unpacked(layer: impl Read, left: &mut Limits, limits: &Limits) -> Result<String, ArchiveError> {
    let mut counted = Counted { layer, hash: Sha256::new(), left_bytes: left.unpacked_bytes_max };
    match count_entries(&mut counted, left) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge && counted.left_bytes == 0 => {
            let limit = limits.unpacked_bytes_max;
            return Err(ArchiveError::TooLarge { limit, what: "bytes when unpacked" });
        }
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Err(ArchiveError::TooLarge { limit: limits.entries_max, what: "files" });
        }
        Err(error) => return Err(ArchiveError::Malformed(format!("a layer cannot be unpacked: {error}"))),
    }
    left.unpacked_bytes_max = counted.left_bytes;
    Ok(format!("sha256:{}", hex::encode(counted.hash.finalize())))
}

fn count_entries(counted: &mut impl Read, left: &mut Limits) -> io::Result<()> {
    for entry in tar::Archive::new(&mut *counted).entries()?.raw(true) {
        entry?;
        left.entries_max = left.entries_max.checked_sub(1).ok_or(io::ErrorKind::FileTooLarge)?;
    }
    // What follows the end mark is part of the hash.
    io::copy(counted, &mut io::sink()).map(|_| ())
}

/// A reader that hashes what is read and ends with an error when it is too much.
struct Counted<R> {
    layer: R,
    hash: Sha256,
    left_bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.layer.read(buffer)?;
        self.hash.update(&buffer[..read]);
        match self.left_bytes.checked_sub(read as u64) {
            Some(left) => self.left_bytes = left,
            None => {
                self.left_bytes = 0;
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        Ok(read)
    }
}
