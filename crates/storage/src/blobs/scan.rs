//! What is on disk at start.

use super::{io_error, sync_folder};
use opensky_ports::BlobError;
use opensky_types::Hash;
use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::Path,
    time::SystemTime,
};

/// A blob's file.
#[derive(Debug)]
pub(crate) struct FoundFile {
    pub hash: Hash,
    pub size_bytes: u64,
    used_at: SystemTime,
}

/// Makes the folders and clears what was left unfinished.
pub(crate) fn prepare(root: &Path) -> Result<(), BlobError> {
    let names = (0..=255u8).map(|shard| hex::encode([shard])).chain(["pins".into(), "tmp".into()]);
    let mut made = make_folder(root)?;
    for name in names {
        made |= make_folder(&root.join(name))?;
    }
    if made {
        sync_folder(root)?;
    }
    let unfinished = root.join("tmp");
    for entry in fs::read_dir(&unfinished).map_err(|error| io_error("reading", &unfinished, error))? {
        let path = entry.map_err(|error| io_error("reading", &unfinished, error))?.path();
        fs::remove_file(&path).map_err(|error| io_error("removing", &path, error))?;
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<bool, BlobError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(io_error("creating", path, error)),
    }
}

/// Every blob, longest unused first.
pub(crate) fn blobs(root: &Path) -> Result<Vec<FoundFile>, BlobError> {
    let mut found = Vec::new();
    for shard in 0..=255u8 {
        let shard = hex::encode([shard]);
        let folder = root.join(&shard);
        for entry in fs::read_dir(&folder).map_err(|error| io_error("reading", &folder, error))? {
            let entry = entry.map_err(|error| io_error("reading", &folder, error))?;
            let path = entry.path();
            let metadata = entry.metadata().map_err(|error| io_error("reading", &path, error))?;
            let name = entry.file_name();
            let hash = name.to_str().and_then(|name| format!("{shard}{name}").parse::<Hash>().ok());
            let Some(hash) = hash.filter(|_| metadata.is_file()) else {
                tracing::warn!(path = %path.display(), "not a blob, left alone");
                continue;
            };
            let used_at = metadata.modified().map_err(|error| io_error("reading", &path, error))?;
            found.push(FoundFile { hash, size_bytes: metadata.len(), used_at });
        }
    }
    found.sort_unstable_by_key(|file| file.used_at);
    Ok(found)
}
