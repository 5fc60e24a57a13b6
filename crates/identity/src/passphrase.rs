//! Passphrases: where they come from. Asking a person is the caller's part.

use crate::files::{self, FileError};
use secrecy::{ExposeSecret, SecretString};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Fewest characters for protecting a key.
pub(crate) const CHARACTERS_MIN: usize = 8;
/// Longest passphrase, in bytes.
const BYTES_MAX: usize = 1024;

/// Where a passphrase came from, so that a wrong one can be put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A person typed it.
    Prompt,
    /// An environment variable.
    Env {
        /// Its name.
        variable: String,
    },
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt => f.write_str("the passphrase typed"),
            Self::Env { variable } => write!(f, "the passphrase in ${variable}"),
            Self::File { path } => write!(f, "the passphrase in {}", path.display()),
        }
    }
}

/// A passphrase with its origin. Wiped on drop; its `Debug` shows the origin only.
#[derive(Debug, Clone)]
pub struct Passphrase {
    secret: SecretString,
    origin: Origin,
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// Nothing in it.
    #[error("{origin} is empty")]
    Empty {
        /// Where it came from.
        origin: Origin,
    },
    /// Too much in it.
    #[error("{origin} is longer than {BYTES_MAX} bytes")]
    TooLong {
        /// Where it came from.
        origin: Origin,
    },
    /// It is not text.
    #[error("{origin} is not UTF-8 text")]
    NotText {
        /// Where it came from.
        origin: Origin,
    },
    /// Others can read the file.
    #[error("others can read the passphrase file {0}; close it with: chmod 600 '{0}'", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file.
    #[error("there is no passphrase file {}", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The disk said no.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Passphrase {
    /// What a person typed.
    pub fn from_prompt(typed: String) -> Result<Self, PassphraseError> {
        Self::new(typed, Origin::Prompt)
    }

    /// What an environment variable holds; `None` where it is not set.
    pub fn from_env(variable: &str) -> Result<Option<Self>, PassphraseError> {
        let origin = Origin::Env { variable: variable.to_owned() };
        match std::env::var(variable) {
            Ok(value) => Self::new(value, origin).map(Some),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(PassphraseError::NotText { origin }),
        }
    }

    /// The first line of a file that only its owner can read.
    pub fn from_file(path: &Path) -> Result<Self, PassphraseError> {
        let not_found = || PassphraseError::NotFound { path: path.into() };
        let bytes = Zeroizing::new(files::read(path)?.ok_or_else(not_found)?);
        if files::open_bits(path)? != 0 {
            return Err(PassphraseError::Permissions { path: path.into() });
        }
        let origin = Origin::File { path: path.into() };
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        match std::str::from_utf8(line) {
            Ok(line) => Self::new(line.trim_end_matches('\r').to_owned(), origin),
            Err(_) => Err(PassphraseError::NotText { origin }),
        }
    }

    fn new(secret: String, origin: Origin) -> Result<Self, PassphraseError> {
        let secret = SecretString::from(secret);
        match secret.expose_secret().len() {
            0 => Err(PassphraseError::Empty { origin }),
            bytes if bytes > BYTES_MAX => Err(PassphraseError::TooLong { origin }),
            _ => Ok(Self { secret, origin }),
        }
    }

    /// Where it came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.secret.expose_secret().as_bytes()
    }

    pub(crate) fn is_weak(&self) -> bool {
        self.secret.expose_secret().chars().count() < CHARACTERS_MIN
    }
}

/// How a key is written.
#[derive(Debug, Clone, Copy)]
pub enum Protection<'a> {
    /// As it is; only where its owner asked for that in so many words.
    None,
    /// Encrypted.
    Passphrase(&'a Passphrase),
}
