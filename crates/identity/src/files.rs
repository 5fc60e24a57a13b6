//! Small files that are there whole or not at all, and for their owner only.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Larger than any file of this crate.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The disk said no.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {}", path.display())]
pub struct FileError {
    /// What was being done.
    pub doing: &'static str,
    /// To which file or folder.
    pub path: PathBuf,
    /// What the system answered.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// For `map_err`.
    pub(crate) fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self { doing, path, source }
    }
}

/// Replaces `path` with `bytes`, readable by its owner only; durable when this returns.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let temporary = write_beside(path, bytes)?;
    fs::rename(&temporary, path).map_err(FileError::at("replacing", path))?;
    sync_folder_of(path)
}

/// As [`write`], but `false` and unchanged where the file is already there.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<bool, FileError> {
    let temporary = write_beside(path, bytes)?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary).map_err(FileError::at("removing", &temporary))?;
    match linked {
        Ok(()) => sync_folder_of(path).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(FileError::at("creating", path)(error)),
    }
}

fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf, FileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    remove(&temporary)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(FileError::at("writing", &temporary))?;
    Ok(temporary)
}

/// The file's bytes, or `None` where it is not there.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::at("opening", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(FileError::at("reading", path))?;
    Ok(Some(bytes))
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::at("removing", path)(error)),
        _ => Ok(()),
    }
}

/// The permission bits that others than the owner have on a file.
pub(crate) fn open_bits(path: &Path) -> Result<u32, FileError> {
    let metadata = fs::metadata(path).map_err(FileError::at("reading", path))?;
    Ok(metadata.permissions().mode() & 0o077)
}

/// Makes a folder (and those above it) for its owner only; an existing one is closed to others.
pub(crate) fn make_private_folder(path: &Path) -> Result<(), FileError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(FileError::at("creating", path))?;
    if open_bits(path)? != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .map_err(FileError::at("closing to others", path))?;
    }
    Ok(())
}

/// Makes what happened to names in the folder of `path` durable.
pub(crate) fn sync_folder_of(path: &Path) -> Result<(), FileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(FileError::at("syncing", folder))
}
