//! Files that programs made, which both ends handle with suspicion.

use std::{fs, io, path::Path};

/// Most files that a task may leave under `/out`.
pub const OUTPUT_FILES_MAX: usize = 1_024;
/// Most bytes of the path of an output file.
const NAME_BYTES_MAX: usize = 1_024;

/// Whether `name` is a plain relative path that is safe to join to a folder and to print.
pub fn is_output_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && !name.chars().any(char::is_control)
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Removes a folder and all in it, however deep it is nested and whatever links it holds. A program
/// can nest folders deeper than paths are long or a process may hold files open, so what is below is
/// moved up first and never walked down.
pub fn remove_tree(root: &Path) -> io::Result<()> {
    if !root.try_exists()? {
        return Ok(());
    }
    let mut moved = 0_u64;
    loop {
        let mut empty = true;
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            empty = false;
            if entry.file_type()?.is_dir() {
                remove_or_lift(root, &entry.path(), &mut moved)?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        if empty {
            return fs::remove_dir(root);
        }
    }
}

/// Empties `folder`, moving the folders in it to `root`, and removes it.
fn remove_or_lift(root: &Path, folder: &Path, moved: &mut u64) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
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
            fs::rename(entry.path(), target)?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
