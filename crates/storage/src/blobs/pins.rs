//! What jobs need, on disk: one file per job, to which hashes are appended.
//!
//! A record is `count (4) | hashes (32 each) | check (8)`. A record that a crash cut off was never
//! acknowledged and is cut away at the next start.

use super::{io_error, sync_folder};
use opensky_ports::BlobError;
use opensky_types::{Hash, JobId};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// First bytes of every pin file: name and version.
const MAGIC: &[u8; 16] = b"opensky-pins\0\0\0\x01";

/// The folder of pin files.
pub(crate) struct PinFiles {
    folder: PathBuf,
}

impl PinFiles {
    /// The pin files in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What every job pins.
    pub fn read_all(&mut self) -> Result<Vec<(JobId, Vec<Hash>)>, BlobError> {
        let folder = &self.folder;
        let mut pins = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| io_error("reading", folder, error))? {
            let path = entry.map_err(|error| io_error("reading", folder, error))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(job) = name.and_then(|name| name.parse::<JobId>().ok()) else {
                tracing::warn!(path = %path.display(), "not a pin file, left alone");
                continue;
            };
            let hashes = read(&path).map_err(|error| io_error("reading", &path, error))?;
            pins.push((job, hashes));
        }
        Ok(pins)
    }

    /// Adds hashes to a job's pins; on disk when this returns.
    pub fn append(&mut self, job: JobId, hashes: &[Hash]) -> Result<(), BlobError> {
        if hashes.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(job.to_string());
        let io = |error| io_error("writing", &path, error);
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).map_err(io)?;
        let size_before = file.metadata().map_err(io)?.len();
        let mut record = Vec::with_capacity(MAGIC.len() + 12 + 32 * hashes.len());
        if size_before == 0 {
            record.extend_from_slice(MAGIC);
        }
        record.extend_from_slice(&encode(hashes));
        if let Err(error) = file.write_all(&record).and_then(|()| file.sync_data()) {
            // Half a record would make those after it unreadable.
            file.set_len(size_before).map_err(io)?;
            return Err(io(error));
        }
        if size_before == 0 {
            sync_folder(&self.folder)?;
        }
        Ok(())
    }

    /// Ends a job's pins.
    pub fn remove(&mut self, job: JobId) -> Result<(), BlobError> {
        let path = self.folder.join(job.to_string());
        match fs::remove_file(&path) {
            Ok(()) => sync_folder(&self.folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io_error("removing", &path, error)),
        }
    }
}

fn encode(hashes: &[Hash]) -> Vec<u8> {
    let count = u32::try_from(hashes.len()).expect("fewer than 2^32 hashes are pinned at a time");
    let mut record = count.to_le_bytes().to_vec();
    for hash in hashes {
        record.extend_from_slice(hash.as_bytes());
    }
    let check = check(&record);
    record.extend_from_slice(&check);
    record
}

fn check(record: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    check.copy_from_slice(&Hash::of(record).as_bytes()[..8]);
    check
}

/// All whole records; what follows the last one is cut away.
fn read(path: &Path) -> io::Result<Vec<Hash>> {
    let bytes = fs::read(path)?;
    let mut hashes = Vec::new();
    let mut whole = 0;
    if let Some(mut rest) = bytes.strip_prefix(MAGIC) {
        while let Some((found, after)) = decode(rest) {
            hashes.extend(found);
            rest = after;
        }
        whole = bytes.len() - rest.len();
    }
    if whole < bytes.len() {
        tracing::warn!(path = %path.display(), bytes = bytes.len() - whole, "pin file ended in a broken record");
        let file = File::options().write(true).open(path)?;
        file.set_len(whole as u64)?;
        file.sync_all()?;
    }
    Ok(hashes)
}

fn decode(bytes: &[u8]) -> Option<(Vec<Hash>, &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    let size = (u32::from_le_bytes(*count) as usize).checked_mul(32)?;
    let (body, rest) = rest.split_at_checked(size)?;
    let (found, rest) = rest.split_first_chunk::<8>()?;
    if *found != check(&bytes[..4 + size]) {
        return None;
    }
    let (hashes, _) = body.as_chunks::<32>();
    Some((hashes.iter().copied().map(Hash::from_bytes).collect(), rest))
}
