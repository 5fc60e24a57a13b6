//! A folder with a web site, read whole.

use opensky_site::{BYTES_MAX, FILES_MAX, Files, SiteError};
use std::{fs, path::Path};

/// What begins with a dot is not for others to read, but for this folder of well-known files.
const WELL_KNOWN: &str = ".well-known";

/// The files of a folder and those below. Links are left out: they could lead anywhere.
pub fn read_folder(folder: &Path) -> Result<Files, String> {
    let mut read = Read { files: Files::new(), bytes: 0 };
    read.folder(folder, "")?;
    Ok(read.files)
}

struct Read {
    files: Files,
    bytes: usize,
}

impl Read {
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), String> {
        let failed = |error| format!("cannot read {}: {error}", folder.display());
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| format!("{} is no text", entry.path().display()))?;
            if name.starts_with('.') && name != WELL_KNOWN {
                continue;
            }
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                self.folder(&entry.path(), &format!("{prefix}{name}/"))?;
            } else if kind.is_file() {
                self.file(&entry.path(), format!("{prefix}{name}"))?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: String) -> Result<(), String> {
        let failed = |error| format!("cannot read {}: {error}", path.display());
        // Looked at before it is read: a folder may hold anything.
        let size = fs::metadata(path).map_err(failed)?.len();
        let bytes = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(self.bytes);
        if bytes > BYTES_MAX {
            return Err(SiteError::TooLarge(bytes).to_string());
        }
        if self.files.len() >= FILES_MAX {
            return Err(SiteError::TooManyFiles.to_string());
        }
        let bytes = fs::read(path).map_err(failed)?;
        self.bytes = self.bytes.saturating_add(bytes.len());
        self.files.insert(name, bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c7_a_folder_is_read_without_links_and_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        };
        ["index.html", "a/b.css", ".env", ".git/config", ".well-known/security.txt"]
            .into_iter()
            .for_each(write);
        std::os::unix::fs::symlink("/etc", folder.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("passwd")).unwrap();
        let files = read_folder(folder.path()).unwrap();
        let paths: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(paths, [".well-known/security.txt", "a/b.css", "index.html"]);
        let large = fs::File::create(folder.path().join("large")).unwrap();
        large.set_len(BYTES_MAX as u64).unwrap();
        assert!(read_folder(folder.path()).unwrap_err().contains("at most"));
        assert!(read_folder(&folder.path().join("none")).unwrap_err().contains("cannot read"));
    }
}
