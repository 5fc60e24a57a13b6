//! The key file: one node's secret key on its disk.

use crate::{
    files::{self, FileError},
    passphrase::{self, Origin, Passphrase, Protection},
    sealed::{KEY_FILE, Sealed, SealedError},
};
use opensky_types::{Keypair, NodeId};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Why a key file could not be made, read or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is none.
    #[error("there is no key at {}; `opensky up` makes one, `opensky identity import` restores one", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// There is one already, and it stays.
    #[error("there is already a key at {}; it was not changed", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others can read it.
    #[error("others can read the key {0}; close it with: chmod 600 '{0}'", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
    },
    /// It is not what was written.
    #[error(
        "the key {} is damaged: {reason}; restore it with `opensky identity import` from a backup",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: &'static str,
    },
    /// A newer program wrote it.
    #[error("the key {} has format {version}, which a newer opensky wrote; install that", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u8,
    },
    /// It is encrypted and no passphrase was given.
    #[error("the key {} is encrypted; give its passphrase by prompt, environment or file", path.display())]
    NeedsPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// Another passphrase opens it.
    #[error("{origin} does not open the key {}", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
        /// Where the passphrase came from.
        origin: Origin,
    },
    /// The passphrase is too short to protect anything.
    #[error("{origin} is too short: use at least {} characters", passphrase::CHARACTERS_MIN)]
    WeakPassphrase {
        /// Where the passphrase came from.
        origin: Origin,
    },
    /// The disk said no.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A key file as read: its public half is known, the secret one is still closed.
pub struct KeyFile {
    path: PathBuf,
    sealed: Sealed,
}

impl KeyFile {
    /// Writes a new key file. An existing one is never replaced.
    pub fn create(path: &Path, key: &Keypair, protection: Protection<'_>) -> Result<Self, KeyFileError> {
        refuse_weak(protection)?;
        let sealed = Sealed::new(KEY_FILE, key, protection);
        if !files::write_new(path, &sealed.to_bytes())? {
            return Err(KeyFileError::Exists { path: path.into() });
        }
        Ok(Self { path: path.into(), sealed })
    }

    /// Reads a key file that only its owner can read.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let Some(bytes) = files::read(path)? else {
            return Err(KeyFileError::NotFound { path: path.into() });
        };
        let bytes = zeroize::Zeroizing::new(bytes);
        if files::open_bits(path)? != 0 {
            return Err(KeyFileError::Permissions { path: path.into() });
        }
        let sealed = Sealed::from_bytes(KEY_FILE, &bytes).map_err(|error| named(error, path, None))?;
        Ok(Self { path: path.into(), sealed })
    }

    /// Whose key it is. Proven only once it is unlocked.
    pub fn id(&self) -> NodeId {
        self.sealed.id()
    }

    /// Whether it needs a passphrase.
    pub fn is_encrypted(&self) -> bool {
        self.sealed.is_encrypted()
    }

    /// The key. Takes about 0.1 s and 64 MiB where it is encrypted.
    pub fn unlock(&self, passphrase: Option<&Passphrase>) -> Result<Keypair, KeyFileError> {
        self.sealed
            .open(passphrase.map(Passphrase::bytes))
            .map_err(|error| named(error, &self.path, passphrase.map(Passphrase::origin)))
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile").field("path", &self.path).field("id", &self.id()).finish_non_exhaustive()
    }
}

pub(crate) fn refuse_weak(protection: Protection<'_>) -> Result<(), KeyFileError> {
    match protection {
        Protection::Passphrase(passphrase) if passphrase.is_weak() => {
            Err(KeyFileError::WeakPassphrase { origin: passphrase.origin().clone() })
        }
        _ => Ok(()),
    }
}

fn named(error: SealedError, path: &Path, origin: Option<&Origin>) -> KeyFileError {
    let path = path.to_path_buf();
    match error {
        SealedError::Damaged(reason) => KeyFileError::Damaged { path, reason },
        SealedError::Newer(version) => KeyFileError::Newer { path, version },
        SealedError::NeedsPassphrase => KeyFileError::NeedsPassphrase { path },
        SealedError::WrongPassphrase => {
            KeyFileError::WrongPassphrase { path, origin: origin.cloned().unwrap_or(Origin::Prompt) }
        }
    }
}
