//! The data folder: one node's files, one process at a time.

use crate::{
    binding::Binding,
    files::{self, FileError},
    layout::Layout,
    rotation::{self, RotateError},
    running::RunningNode,
    starts::Start,
};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process uses it.
    #[error(
        "the data folder {} is in use{}; stop that node with `opensky down`, or name another folder",
        path.display(),
        pid.map(|pid| format!(" by process {pid}")).unwrap_or_default()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process, where it said so.
        pid: Option<u32>,
    },
    /// It is not where it was made.
    #[error(
        "the data folder {} was moved here or copied from elsewhere, and two nodes must never share one key; \
         if the original is gone, start once with --moved; if it is still in use, give this copy its own key \
         with `opensky identity rotate-keys --fresh`",
        path.display()
    )]
    Copied {
        /// The folder.
        path: PathBuf,
    },
    /// The start counter is not what was written.
    #[error(
        "the start counter {} is damaged; move it away and give the node a new key with \
         `opensky identity rotate-keys`",
        path.display()
    )]
    StartsDamaged {
        /// The file.
        path: PathBuf,
    },
    /// A rotation that was under way could not be brought to its end.
    #[error(transparent)]
    Rotation(#[from] RotateError),
    /// The disk said no.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A data folder that this process holds until the value is dropped.
#[derive(Debug)]
pub struct DataFolder {
    layout: Layout,
    start: Start,
    /// Held for its lock.
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, making it (mode 0700) where it is not there, and counts a start.
    pub fn open(root: &Path) -> Result<Self, FolderError> {
        Self::open_bound(root, false)
    }

    /// As [`DataFolder::open`], where the owner says that the folder is the only one of its kind.
    pub fn open_moved(root: &Path) -> Result<Self, FolderError> {
        Self::open_bound(root, true)
    }

    fn open_bound(root: &Path, moved: bool) -> Result<Self, FolderError> {
        let layout = Layout::new(root);
        files::make_private_folder(root)?;
        let lock = lock(&layout)?;
        let folders = [
            layout.identity(),
            layout.retired(),
            layout.blobs(),
            layout.cache(),
            layout.logs(),
            layout.scratch(),
            layout.run(),
        ];
        for folder in &folders {
            files::make_private_folder(folder)?;
        }
        bind(&layout, moved)?;
        rotation::finish(&layout)?;
        RunningNode::clear(&layout)?;
        let start = Start::begin(&layout.starts())?
            .ok_or_else(|| FolderError::StartsDamaged { path: layout.starts() })?;
        Ok(Self { layout, start, _lock: lock })
    }

    /// Where everything lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// This start of the node.
    pub fn start(&self) -> Start {
        self.start
    }
}

fn lock(layout: &Layout) -> Result<File, FolderError> {
    let path = layout.lock();
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(FileError::at("opening", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(FileError::at("reading", &path))?;
            return Err(FolderError::InUse { path: layout.root().into(), pid: holder.trim().parse().ok() });
        }
        Err(TryLockError::Error(error)) => return Err(FileError::at("locking", &path)(error).into()),
    }
    let pid = format!("{}\n", std::process::id());
    file.set_len(0).and_then(|()| file.write_all(pid.as_bytes())).map_err(FileError::at("writing", &path))?;
    Ok(file)
}

/// A folder without a key is bound to its place; one with a key must be where it was.
fn bind(layout: &Layout, moved: bool) -> Result<(), FolderError> {
    let here = Binding::of(&layout.identity())?;
    let known = Binding::read(&layout.binding())?;
    if known.as_ref() == Some(&here) {
        return Ok(());
    }
    let has_key = layout.key().exists();
    if has_key && !moved && !known.is_some_and(|known| known.is_same_place(&here)) {
        return Err(FolderError::Copied { path: layout.root().into() });
    }
    here.write(&layout.binding())?;
    Ok(())
}
