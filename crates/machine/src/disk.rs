//! Free space of a folder's disk, and how fast it takes bytes that must last.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

/// The first piece written. Each next one is twice as large, until the time is used up.
const PIECE_BYTES_FIRST: usize = 256 << 10;
const PIECE_BYTES_MAX: usize = 16 << 20;
/// No new piece is begun after this time, which keeps the whole under 200 ms on usual disks.
const TIME: Duration = Duration::from_millis(60);

/// Free space for ordinary users, in bytes.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Sequential write speed in MB/s (10⁶), the time to reach the disk included.
pub(crate) fn measure_write_mb_s(folder: &Path) -> io::Result<u32> {
    let path = folder.join(format!("write-speed.{}.tmp", std::process::id()));
    let measured = File::create(&path).and_then(|file| write_pieces(file, Instant::now()));
    fs::remove_file(&path).or_else(|error| if measured.is_ok() { Err(error) } else { Ok(()) })?;
    measured
}

/// The largest piece tells best, since the cost of the sync itself weighs least in it.
fn write_pieces(mut file: File, start: Instant) -> io::Result<u32> {
    let mut piece = vec![0x5a_u8; PIECE_BYTES_FIRST];
    loop {
        let piece_start = Instant::now();
        file.write_all(&piece)?;
        file.sync_data()?;
        let took_us = piece_start.elapsed().as_micros().max(1);
        if start.elapsed() >= TIME || piece.len() >= PIECE_BYTES_MAX {
            return Ok(u32::try_from(piece.len() as u128 / took_us).unwrap_or(u32::MAX).max(1));
        }
        piece.resize(piece.len() * 2, 0x5a);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_measured_and_left_as_it_was() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(measure_write_mb_s(folder.path()).expect("a writable disk") >= 1);
        assert!(free_bytes(folder.path()).expect("a disk") > 0);
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(measure_write_mb_s(&folder.path().join("missing")).is_err());
        assert!(free_bytes(&folder.path().join("missing")).is_err());
    }
}
