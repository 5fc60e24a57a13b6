//! Backups of a key, as text that can be mailed or printed.

use crate::{
    passphrase::{self, Origin, Passphrase, Protection},
    sealed::{BACKUP, Sealed, SealedError},
};
use opensky_types::Keypair;

const BEGIN: &str = "-----BEGIN OPENSKY IDENTITY BACKUP-----";
const END: &str = "-----END OPENSKY IDENTITY BACKUP-----";
/// Longest text that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Why a backup could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The text holds no backup.
    #[error("this is not an identity backup: it needs all lines from '{BEGIN}' to '{END}'")]
    NotABackup,
    /// It is not what was written.
    #[error("the backup is damaged: {reason}; compare it with the original, line by line")]
    Damaged {
        /// What was found.
        reason: &'static str,
    },
    /// A newer program wrote it.
    #[error("the backup has format {version}, which a newer opensky wrote; install that")]
    Newer {
        /// Its version.
        version: u8,
    },
    /// Another passphrase opens it.
    #[error("{origin} does not open the backup")]
    WrongPassphrase {
        /// Where the passphrase came from.
        origin: Origin,
    },
    /// The passphrase is too short to protect anything.
    #[error("{origin} is too short: use at least {} characters", passphrase::CHARACTERS_MIN)]
    WeakPassphrase {
        /// Where the passphrase came from.
        origin: Origin,
    },
}

/// The backup of `key` under a passphrase of its own: armoured text of about ten lines.
pub fn export(key: &Keypair, passphrase: &Passphrase) -> Result<String, BackupError> {
    if passphrase.is_weak() {
        return Err(BackupError::WeakPassphrase { origin: passphrase.origin().clone() });
    }
    let sealed = Sealed::new(BACKUP, key, Protection::Passphrase(passphrase));
    let digits = hex::encode(sealed.to_bytes());
    let mut text = format!("{BEGIN}\nnode {}\n\n", key.id());
    for start in (0..digits.len()).step_by(64) {
        text.push_str(&digits[start..digits.len().min(start + 64)]);
        text.push('\n');
    }
    text.push_str(END);
    text.push('\n');
    Ok(text)
}

/// The key of a backup. Text around it, indentation and a mail's quote marks do no harm.
pub fn import(text: &str, passphrase: &Passphrase) -> Result<Keypair, BackupError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(BackupError::NotABackup);
    }
    let (_, rest) = text.split_once(BEGIN).ok_or(BackupError::NotABackup)?;
    let (body, _) = rest.split_once(END).ok_or(BackupError::NotABackup)?;
    let lines = body.lines().map(|line| line.trim_start_matches(['>', ' ', '\t']));
    let digits: String = lines
        .filter(|line| !line.starts_with("node "))
        .flat_map(str::chars)
        .filter(|character| !character.is_whitespace())
        .collect();
    let bytes =
        hex::decode(digits).map_err(|_| BackupError::Damaged { reason: "a line is not hexadecimal" })?;
    let named = |error| match error {
        SealedError::Damaged(reason) => BackupError::Damaged { reason },
        SealedError::Newer(version) => BackupError::Newer { version },
        SealedError::NeedsPassphrase | SealedError::WrongPassphrase => {
            BackupError::WrongPassphrase { origin: passphrase.origin().clone() }
        }
    };
    Sealed::from_bytes(BACKUP, &bytes).and_then(|sealed| sealed.open(Some(passphrase.bytes()))).map_err(named)
}
