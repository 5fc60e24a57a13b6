//! Where the kernel's files are, so that tests can bring their own.

use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

/// The roots of the file trees that hardware is read from.
#[derive(Debug, Clone)]
pub struct Roots {
    /// Process and processor figures.
    pub proc: PathBuf,
    /// Sensors, cards and cgroups.
    pub sys: PathBuf,
    /// Terminals.
    pub dev: PathBuf,
}

impl Default for Roots {
    /// Those of the running system.
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), dev: "/dev".into() }
    }
}

/// Reads a file that holds one value. `None` where it is missing or holds something else: sensors
/// come and go, and some answer with an error.
pub(crate) fn read_value<T: FromStr>(path: &Path) -> Option<T> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The entries of a folder, by name, in order; none where there is no such folder.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        found.collect::<io::Result<Vec<_>>>().unwrap_or_default().iter().map(fs::DirEntry::path).collect();
    paths.sort();
    paths
}

/// The name of a path as text; empty where it has none.
pub(crate) fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::Roots;
    use std::fs;
    use tempfile::TempDir;

    /// A tree of made-up kernel files.
    pub struct Tree(TempDir);

    impl Tree {
        /// A tree of these files, by path and content.
        pub fn new(files: &[(&str, &str)]) -> Self {
            let tree = Self(TempDir::new().expect("a temporary folder"));
            for (path, content) in files {
                tree.write(path, content);
            }
            tree
        }

        /// Writes one file, with the folders above it.
        pub fn write(&self, path: &str, content: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
            fs::write(path, content).expect("a file");
        }

        /// The roots in this tree.
        pub fn roots(&self) -> Roots {
            let root = self.0.path();
            Roots { proc: root.join("proc"), sys: root.join("sys"), dev: root.join("dev") }
        }
    }
}
