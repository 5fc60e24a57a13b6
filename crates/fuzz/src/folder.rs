//! Folders for targets that read files.

use std::path::Path;
use tempfile::TempDir;

/// Where a file costs no disk: what is tried here is what is read, not what is kept.
const MEMORY: &str = "/dev/shm";

/// A new folder that goes when it is dropped, in memory where the system has such a place.
pub fn new() -> TempDir {
    let in_memory = Path::new(MEMORY).is_dir().then(|| tempfile::tempdir_in(MEMORY).ok()).flatten();
    in_memory.unwrap_or_else(|| tempfile::tempdir().expect("a folder can be made"))
}
