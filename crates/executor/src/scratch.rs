//! The files of a task: a fresh folder with `/tmp` and `/out`, measured while it runs, its `/out` read at the
//! end. Programs made them, so they are handled with suspicion.

use opensky_types::resources::{Limit, TaskLimits};
use rustix::fs::{Mode, OFlags};
use std::{
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Most files that a task may leave under `/out`.
pub const OUTPUT_FILES_MAX: usize = 1_024;
/// Most bytes of the path of an output file.
const NAME_BYTES_MAX: usize = 1_024;
/// Files and folders of a task while it runs.
const ENTRIES_MAX: u64 = 8_192;
/// Bytes of a block, as file systems count them.
const BLOCK_BYTES: u64 = 512;
/// Room that a file may take beyond its bytes, since file systems give it in larger pieces.
const ROUNDING_BYTES: u64 = 16 << 10;
/// Folders within folders while it runs.
const DEPTH_MAX: usize = 32;

/// The scratch folder of one slot, used by its tasks one after the other.
#[derive(Debug)]
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
    /// Keeps the files in a folder below this one.
    pub fn new(folder: &Path) -> Self {
        Self { task_dir: folder.join("task") }
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
        remove_tree(&self.task_dir)?;
        fs::create_dir_all(self.tmp_dir())?;
        fs::create_dir_all(self.out_dir())
    }

    /// Makes the folders anew, of their own and with the usual rights, whatever programs did to the last ones.
    pub fn recreate(&self) -> io::Result<()> {
        remove_tree(&self.task_dir)?;
        fs::create_dir_all(&self.task_dir)?;
        for folder in [self.tmp_dir(), self.out_dir()] {
            fs::DirBuilder::new().mode(0o755).create(folder)?;
        }
        Ok(())
    }

    /// Bytes free on the disk that the folders are on.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(self.task_dir.parent().unwrap_or(&self.task_dir))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Whether the files are within bounds now. Whatever cannot be measured is not: only a program
    /// that nests or names its files to that end gets there.
    pub fn is_within(&self, limits: &TaskLimits) -> bool {
        let (mut bytes, mut room_bytes): (u64, u64) = (0, 0);
        let mut entries: u64 = 0;
        let mut folders = vec![(self.task_dir.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let Ok(listing) = fs::read_dir(&folder) else { return false };
            for entry in listing {
                let Ok(entry) = entry else { return false };
                let metadata = match entry.metadata() {
                    Ok(metadata) => metadata,
                    // A file that went away meanwhile needs no room.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(_) => return false,
                };
                entries += 1;
                if metadata.is_dir() {
                    folders.push((entry.path(), depth + 1));
                } else {
                    bytes = bytes.saturating_add(metadata.len());
                    // Room can be taken beyond a file's end.
                    room_bytes = room_bytes.saturating_add(metadata.blocks().saturating_mul(BLOCK_BYTES));
                }
                let room_max = limits.scratch_bytes.saturating_add(entries * ROUNDING_BYTES);
                if bytes > limits.scratch_bytes
                    || room_bytes > room_max
                    || entries > ENTRIES_MAX
                    || depth > DEPTH_MAX
                {
                    return false;
                }
            }
        }
        true
    }

    /// Opens one of [`Self::output_paths`], and says how large it is.
    pub fn open_output(&self, path: &str) -> io::Result<(File, u64)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(self.out_dir().join(path), flags, Mode::empty())?);
        let size_bytes = file.metadata()?.len();
        Ok((file, size_bytes))
    }

    /// The files under `/out`, in order of path. Links are not followed and, like everything else that is
    /// no plain file, left out.
    pub fn output_paths(&self) -> Result<Vec<String>, CollectError> {
        let out_dir = self.out_dir();
        let mut paths = Vec::new();
        let mut folders = vec![(out_dir.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(CollectError::Io)? {
                let entry = entry.map_err(CollectError::Io)?;
                let kind = entry.file_type().map_err(CollectError::Io)?;
                if kind.is_dir() && depth < DEPTH_MAX {
                    folders.push((entry.path(), depth + 1));
                } else if kind.is_file() {
                    paths.push(output_name(&out_dir, &entry.path())?);
                }
                if paths.len() > OUTPUT_FILES_MAX {
                    return Err(CollectError::Limit(Limit::Output));
                }
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }
}

fn is_empty_dir(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

fn output_name(out_dir: &Path, path: &Path) -> Result<String, CollectError> {
    let name = path.strip_prefix(out_dir).ok().and_then(Path::to_str).unwrap_or_default();
    if is_output_name(name) {
        Ok(name.to_owned())
    } else {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let shown: String = name.escape_debug().take(80).collect();
        Err(CollectError::Name { message: format!("the name of output file '{shown}' is not allowed") })
    }
}

/// Whether `name` is a plain relative path that is safe to join to a folder and to print.
pub fn is_output_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && !name.chars().any(char::is_control)
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Removes a folder and all in it, however deep it is nested, whatever links it holds and whatever rights
/// were taken away. A program can nest folders deeper than paths are long or a process may hold files open,
/// so what is below is moved up first and never walked down. What goes away meanwhile is gone.
pub fn remove_tree(root: &Path) -> io::Result<()> {
    if !root.try_exists()? {
        return Ok(());
    }
    let mut moved = 0_u64;
    loop {
        let mut empty = true;
        for entry in list(root)? {
            let entry = entry?;
            empty = false;
            if entry.file_type()?.is_dir() {
                remove_or_lift(root, &entry.path(), &mut moved)?;
            } else {
                or_gone(fs::remove_file(entry.path()))?;
            }
        }
        if empty {
            return or_gone(fs::remove_dir(root));
        }
    }
}

/// Empties `folder`, moving the folders in it to `root`, and removes it.
fn remove_or_lift(root: &Path, folder: &Path, moved: &mut u64) -> io::Result<()> {
    for entry in list(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            // A name that is free: whatever a program made cannot be known, so look.
            let target = loop {
                *moved += 1;
                let target = root.join(format!("lifted-{moved}"));
                if target.symlink_metadata().is_err() {
                    break target;
                }
            };
            or_gone(fs::rename(entry.path(), target))?;
        } else {
            or_gone(fs::remove_file(entry.path()))?;
        }
    }
    or_gone(fs::remove_dir(folder))
}

/// Lists a folder, whose owner this is where it may not be listed.
fn list(folder: &Path) -> io::Result<fs::ReadDir> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
            fs::read_dir(folder)
        }
        listed => listed,
    }
}

fn or_gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
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
        fs::write(scratch.tmp_dir().join("a"), [0; 600]).unwrap();
        assert!(scratch.is_within(&limits(1000)));
        fs::write(scratch.out_dir().join("b"), [0; 600]).unwrap();
        assert!(!scratch.is_within(&limits(1000)));
        scratch.freshen().unwrap();
        assert!(scratch.is_within(&limits(1000)));
        let mut deep = scratch.tmp_dir();
        for _ in 0..2 * DEPTH_MAX {
            deep.push("d");
        }
        fs::create_dir_all(deep).unwrap();
        assert!(!scratch.is_within(&limits(1000)));
        scratch.freshen().unwrap();
        assert!(scratch.is_within(&limits(1000)));
    }

    #[test]
    fn outputs_are_plain_files_in_order() {
        let (_dir, scratch) = fresh();
        fs::create_dir_all(scratch.out_dir().join("sub")).unwrap();
        fs::write(scratch.out_dir().join("z"), "z").unwrap();
        fs::write(scratch.out_dir().join("sub/a"), "a").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", scratch.out_dir().join("link")).unwrap();
        assert_eq!(scratch.output_paths().unwrap(), ["sub/a", "z"]);
        fs::write(scratch.out_dir().join("bad\nname"), "").unwrap();
        assert!(matches!(scratch.output_paths(), Err(CollectError::Name { .. })));
    }

    #[test]
    fn names_that_escape_or_confuse_are_refused() {
        for good in ["a", "a/b.png", "ünïcode", "..a", "a b"] {
            assert!(is_output_name(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a\nb", "a\u{1b}[0m", "a\0"] {
            assert!(!is_output_name(bad), "{bad:?}");
        }
        assert!(!is_output_name(&"x".repeat(NAME_BYTES_MAX + 1)));
    }

    #[test]
    fn a_tree_too_deep_for_any_path_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        // Each round puts the tree so far into a new folder: 1,000 levels, far beyond PATH_MAX.
        for _ in 0..1_000 {
            fs::create_dir_all(root.join("new")).unwrap();
            if root.join("tree").exists() {
                fs::rename(root.join("tree"), root.join("new/tree")).unwrap();
            }
            fs::rename(root.join("new"), root.join("tree")).unwrap();
        }
        std::os::unix::fs::symlink(dir.path(), root.join("tree/link")).unwrap();
        fs::write(root.join("lifted-1"), "in the way").unwrap();
        remove_tree(&root).unwrap();
        assert!(!root.exists());
        assert!(dir.path().exists());
        remove_tree(&root).unwrap();
    }

    #[test]
    fn j4_room_beyond_a_files_end_counts() {
        let (_dir, scratch) = fresh();
        let file = File::create(scratch.tmp_dir().join("a")).unwrap();
        let keep = rustix::fs::FallocateFlags::KEEP_SIZE;
        if rustix::fs::fallocate(&file, keep, 0, 1 << 20).is_err() {
            return; // not every file system can
        }
        assert_eq!(file.metadata().unwrap().len(), 0);
        assert!(!scratch.is_within(&limits(1000)));
    }

    #[test]
    fn j4_rights_that_were_taken_away_are_there_for_the_next() {
        let (_dir, scratch) = fresh();
        fs::create_dir(scratch.tmp_dir().join("a")).unwrap();
        fs::write(scratch.tmp_dir().join("a/b"), "x").unwrap();
        for folder in [scratch.tmp_dir().join("a"), scratch.tmp_dir(), scratch.out_dir()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o000)).unwrap();
        }
        scratch.recreate().unwrap();
        for folder in [scratch.tmp_dir(), scratch.out_dir()] {
            assert!(is_empty_dir(&folder));
            assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o755);
        }
    }
}
