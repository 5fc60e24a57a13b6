//! The files of a task: a fresh folder with `/tmp` and `/out`, measured while it runs, its `/out`
//! sent home at the end.

use super::outbox::Outbox;
use crate::{files, frame::Report};
use opensky_types::resources::{Limit, TaskLimits};
use rustix::fs::{Mode, OFlags};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Files and folders of a task while it runs.
const ENTRIES_MAX: u64 = 8_192;
/// Folders within folders while it runs.
const DEPTH_MAX: usize = 32;
/// Bytes read at a time on the way home.
const READ_BYTES: usize = 128 << 10;

/// The scratch folder of one worker, used by its tasks one after the other.
pub struct Scratch {
    task_dir: PathBuf,
}

/// Why the files of a task are not its output.
#[derive(Debug)]
pub enum CollectError {
    /// There are too many or too large ones.
    Limit(Limit),
    /// One has a name that cannot be an output's.
    Name { message: String },
    /// The disk failed.
    Io(io::Error),
}

impl Scratch {
    pub fn new(worker_dir: &Path) -> Self {
        Self { task_dir: worker_dir.join("task") }
    }

    /// `/tmp` of the task.
    pub fn tmp_dir(&self) -> PathBuf {
        self.task_dir.join("tmp")
    }

    /// `/out` of the task.
    pub fn out_dir(&self) -> PathBuf {
        self.task_dir.join("out")
    }

    /// Makes the folders empty. Most tasks leave none behind, so this is mostly two looks.
    pub fn freshen(&self) -> io::Result<()> {
        if is_empty_dir(&self.tmp_dir()) && is_empty_dir(&self.out_dir()) {
            return Ok(());
        }
        files::remove_tree(&self.task_dir)?;
        std::fs::create_dir_all(self.tmp_dir())?;
        std::fs::create_dir_all(self.out_dir())
    }

    /// Whether the files are within bounds now. Whatever cannot be measured is not: only a program
    /// that nests or names its files to that end gets there.
    pub fn is_within(&self, limits: &TaskLimits) -> bool {
        let mut bytes: u64 = 0;
        let mut entries: u64 = 0;
        let mut folders = vec![(self.task_dir.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let Ok(listing) = std::fs::read_dir(&folder) else { return false };
            for entry in listing {
                let Ok(entry) = entry else { return false };
                // A file that went away meanwhile needs no room.
                let Ok(metadata) = entry.metadata() else { continue };
                entries += 1;
                if metadata.is_dir() {
                    folders.push((entry.path(), depth + 1));
                } else {
                    bytes = bytes.saturating_add(metadata.len());
                }
                if bytes > limits.scratch_bytes || entries > ENTRIES_MAX || depth > DEPTH_MAX {
                    return false;
                }
            }
        }
        true
    }

    /// Sends the files under `/out` home, in order of path. Links are not followed and, like
    /// everything else that is no plain file, not sent.
    pub fn send_outputs(&self, limits: &TaskLimits, outbox: &Outbox) -> Result<(), CollectError> {
        let mut left = limits.output_bytes;
        for path in self.output_paths()? {
            let file = open_plain_file(&self.out_dir().join(&path)).map_err(CollectError::Io)?;
            let size_bytes = file.metadata().map_err(CollectError::Io)?.len();
            left = left.checked_sub(size_bytes).ok_or(CollectError::Limit(Limit::Output))?;
            outbox.send(&Report::File { path, size_bytes });
            send_file(file, size_bytes, outbox).map_err(CollectError::Io)?;
        }
        Ok(())
    }

    fn output_paths(&self) -> Result<Vec<String>, CollectError> {
        let out_dir = self.out_dir();
        let mut paths = Vec::new();
        let mut folders = vec![(out_dir.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(CollectError::Io)? {
                let entry = entry.map_err(CollectError::Io)?;
                let kind = entry.file_type().map_err(CollectError::Io)?;
                if kind.is_dir() && depth < DEPTH_MAX {
                    folders.push((entry.path(), depth + 1));
                } else if kind.is_file() {
                    paths.push(output_name(&out_dir, &entry.path())?);
                }
                if paths.len() > files::OUTPUT_FILES_MAX {
                    return Err(CollectError::Limit(Limit::Output));
                }
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }
}

fn is_empty_dir(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

fn output_name(out_dir: &Path, path: &Path) -> Result<String, CollectError> {
    let name = path.strip_prefix(out_dir).ok().and_then(Path::to_str).unwrap_or_default();
    if files::is_output_name(name) {
        Ok(name.to_owned())
    } else {
        let shown = super::failure::printable(&path.file_name().unwrap_or_default().to_string_lossy(), 80);
        Err(CollectError::Name { message: format!("the name of output file '{shown}' is not allowed") })
    }
}

fn open_plain_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(scratch_bytes: u64) -> TaskLimits {
        TaskLimits { scratch_bytes, ..TaskLimits::default() }
    }

    fn fresh() -> (tempfile::TempDir, Scratch) {
        let dir = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(dir.path());
        scratch.freshen().unwrap();
        (dir, scratch)
    }

    #[test]
    fn bytes_entries_and_depth_are_measured() {
        let (_dir, scratch) = fresh();
        std::fs::write(scratch.tmp_dir().join("a"), [0; 600]).unwrap();
        assert!(scratch.is_within(&limits(1000)));
        std::fs::write(scratch.out_dir().join("b"), [0; 600]).unwrap();
        assert!(!scratch.is_within(&limits(1000)));
        scratch.freshen().unwrap();
        assert!(scratch.is_within(&limits(1000)));
        let mut deep = scratch.tmp_dir();
        for _ in 0..2 * DEPTH_MAX {
            deep.push("d");
        }
        std::fs::create_dir_all(deep).unwrap();
        assert!(!scratch.is_within(&limits(1000)));
        scratch.freshen().unwrap();
        assert!(scratch.is_within(&limits(1000)));
    }

    #[test]
    fn outputs_are_plain_files_in_order() {
        let (_dir, scratch) = fresh();
        std::fs::create_dir_all(scratch.out_dir().join("sub")).unwrap();
        std::fs::write(scratch.out_dir().join("z"), "z").unwrap();
        std::fs::write(scratch.out_dir().join("sub/a"), "a").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", scratch.out_dir().join("link")).unwrap();
        assert_eq!(scratch.output_paths().unwrap(), ["sub/a", "z"]);
        std::fs::write(scratch.out_dir().join("bad\nname"), "").unwrap();
        assert!(matches!(scratch.output_paths(), Err(CollectError::Name { .. })));
    }
}
