//! A node's identity and the folder that holds all it has.
//!
//! What it is: [`KeyFile`], the secret key under a passphrase; [`backup`] and [`rotation`] of it;
//! [`DataFolder`], one node's files with one process at a time in them, and the start counter that
//! gives a copied folder away; [`sealing`] of what only some nodes may read; and what a running node leaves for its own command line
//! ([`ApiToken`], [`RunningNode`]). What it never does: ask a person for a passphrase, read a clock,
//! or show a secret. Start at [`DataFolder::open`], then [`KeyFile::load`].

pub mod backup;
mod binding;
mod files;
mod folder;
mod key_file;
mod layout;
mod passphrase;
pub mod rotation;
mod running;
mod sealed;
pub mod sealing;
mod starts;
mod token;

pub use backup::BackupError;
pub use files::{FileError, write as write_private};
pub use folder::{DataFolder, FolderError};
pub use key_file::{KeyFile, KeyFileError};
pub use layout::Layout;
pub use passphrase::{Origin, Passphrase, PassphraseError, Protection};
pub use rotation::{ChainError, RotateError};
pub use running::RunningNode;
pub use starts::{Start, Twin};
pub use token::ApiToken;

use opensky_types::Keypair;
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

/// A new key from the operating system's randomness.
pub fn generate() -> Keypair {
    let mut seed = Zeroizing::new([0; 32]);
    fill_random(seed.as_mut_slice());
    Keypair::from_seed(*seed)
}

/// Without randomness no key is safe, so its absence ends the process.
fn fill_random(bytes: &mut [u8]) {
    SysRng.try_fill_bytes(bytes).expect("the operating system gives randomness");
}
