//! Whether a data folder is still where it was made, or has been copied.
//!
//! The folder remembers its `identity` folder's inode and birth time and a hash of the machine's id.
//! A rename keeps them all; a copy, a restored backup and another machine do not. A device number is
//! not part of it: it may change at every boot. A cloned disk with a cloned machine id keeps all of
//! them too; that one is found on the network (see [`crate::Start`]).

use crate::files::{self, FileError};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{Hash, codec};
use std::{fs, os::unix::fs::MetadataExt, path::Path, time::UNIX_EPOCH};

const VERSION: u8 = 1;

#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Binding {
    version: u8,
    /// `None` where the system has no machine id.
    machine: Option<Hash>,
    inode: u64,
    /// Nanoseconds since 1970; `None` where the file system does not keep it.
    born_ns: Option<u128>,
}

impl Binding {
    /// Where `folder` is now.
    pub fn of(folder: &Path) -> Result<Self, FileError> {
        let metadata = fs::metadata(folder).map_err(FileError::at("reading", folder))?;
        let born = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        Ok(Self {
            version: VERSION,
            machine: machine_id()?,
            inode: metadata.ino(),
            born_ns: born.map(|born| born.as_nanos()),
        })
    }

    /// What was remembered; `None` if nothing was, or nothing that can be read.
    pub fn read(path: &Path) -> Result<Option<Self>, FileError> {
        let bytes = files::read(path)?;
        Ok(bytes.and_then(|bytes| codec::decode(&bytes, 256).ok()))
    }

    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        files::write(path, &codec::encode(self))
    }

    /// Whether both are one place. What one of them does not know does not count.
    pub fn is_same_place(&self, other: &Self) -> bool {
        fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_none_or(|(one, other)| one == other)
        }
        self.inode == other.inode
            && agree(self.machine.as_ref(), other.machine.as_ref())
            && agree(self.born_ns.as_ref(), other.born_ns.as_ref())
    }
}

/// The id itself is not to be shown to others (machine-id(5)), so only a hash of it is kept.
fn machine_id() -> Result<Option<Hash>, FileError> {
    let id = files::read(Path::new("/etc/machine-id"))?;
    Ok(id.filter(|id| !id.is_empty()).map(|id| Hash::of_value("opensky machine id 1", &id)))
}
