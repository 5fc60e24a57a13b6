//! Layers: unpacked on the way through, counted and hashed, and never kept.
//!
//! The engine unpacks the same bytes with a reader of its own, so whatever could make the two see different
//! files is refused: another packing hidden in the first name, sizes that an extension overrides, holes.

use super::{ArchiveError, Limits};
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, Read};
use tar::EntryType;

/// Bytes read at a time.
const READ_BYTES: usize = 128 << 10;
/// Most bytes of the extension of one entry: long names and attributes.
const EXTENSION_BYTES_MAX: u64 = 1 << 20;
/// How layers are packed that engines unpack and that are not read here, by their first bytes: bzip2, xz,
/// and zstd with its skippable frames.
const OTHER_PACKINGS: [&[u8]; 3] = [b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];
const SKIPPABLE_FRAME: &[u8] = b"\x2a\x4d\x18";

/// Counts a layer against what is left of the limits; returns the hash of its unpacked bytes, as
/// configurations write it.
pub fn check_layer(layer: impl Read, left: &mut Limits, limits: &Limits) -> Result<String, ArchiveError> {
    let mut layer = BufReader::with_capacity(READ_BYTES, layer);
    let magic = layer.fill_buf()?;
    if magic.starts_with(&[0x1f, 0x8b]) {
        return check_unpacked(MultiGzDecoder::new(layer), left, limits);
    }
    let is_other = OTHER_PACKINGS.iter().any(|other| magic.starts_with(other))
        || magic.get(1..4) == Some(SKIPPABLE_FRAME);
    if is_other {
        return Err(ArchiveError::Malformed("a layer is packed with neither gzip nor nothing".into()));
    }
    check_unpacked(layer, left, limits)
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
        let mut entry = entry?;
        left.entries_max = left.entries_max.checked_sub(1).ok_or(io::ErrorKind::FileTooLarge)?;
        match entry.header().entry_type() {
            EntryType::GNUSparse => return Err(io::Error::other("a file with holes")),
            EntryType::XHeader | EntryType::XGlobalHeader => check_extension(&mut entry)?,
            _ => {}
        }
    }
    // What follows the end mark is part of the hash.
    io::copy(counted, &mut io::sink()).map(|_| ())
}

/// Refuses extensions that make a file larger than its header says.
fn check_extension(extension: &mut impl Read) -> io::Result<()> {
    let mut text = Vec::new();
    extension.take(EXTENSION_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > EXTENSION_BYTES_MAX {
        return Err(io::Error::other("an extension of over 1 MiB"));
    }
    for record in tar::PaxExtensions::new(&text) {
        let key = record?.key_bytes().to_vec();
        if key == b"size" || key.starts_with(b"GNU.sparse") {
            return Err(io::Error::other("an extension that says another size than its header"));
        }
    }
    Ok(())
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
