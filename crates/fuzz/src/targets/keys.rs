//! Key files and backups of keys, of a disk or of whoever says that they are the user's.

use crate::{Seeds, folder};
use opensky_identity::{KeyFile, Passphrase, Protection, backup, write_private};
use opensky_types::{Hash, samples};

const KEY_FILE: &[u8; 16] = b"opensky-key-file";
const BACKUP: &[u8; 16] = b"opensky-backup\0\0";
/// Bytes of a key file before the hash over all of it.
const COVERED_BYTES: usize = 150;
/// Memory and passes with which a passphrase's key is still derived in no time.
const MEMORY_KIB_MAX: u32 = 64;
const PASSES_MAX: u32 = 2;

/// Panics unless what must hold of any bytes holds of these.
pub fn check(bytes: &[u8]) {
    let passphrase = passphrase();
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = backup::import(text, &passphrase);
    }
    check_file(bytes, None);
    // Past the hash, which a fuzzer does not guess.
    let mut covered = [0; COVERED_BYTES];
    let len = bytes.len().min(COVERED_BYTES);
    covered[..len].copy_from_slice(&bytes[..len]);
    covered[..16].copy_from_slice(KEY_FILE);
    let is_cheap = is_cheap(&covered);
    check_file(&with_hash(&covered), is_cheap.then_some(&passphrase));
    if is_cheap {
        covered[..16].copy_from_slice(BACKUP);
        let _ = backup::import(&armoured(&with_hash(&covered)), &passphrase);
    }
}

/// A file that opens holds the key that it names.
fn check_file(bytes: &[u8], passphrase: Option<&Passphrase>) {
    let folder = folder::new();
    let path = folder.path().join("key");
    write_private(&path, bytes).expect("the folder is there");
    let Ok(file) = KeyFile::load(&path) else { return };
    if let Ok(key) = file.unlock(passphrase) {
        assert!(key.id() == file.id(), "another key than it says");
    }
}

/// Whether the costs that a file names are low, or so high that they must be refused.
fn is_cheap(covered: &[u8; COVERED_BYTES]) -> bool {
    let number = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| covered[at + byte]));
    let (memory_kib, passes, lanes) = (number(18), number(22), number(26));
    let is_low = memory_kib <= MEMORY_KIB_MAX && passes <= PASSES_MAX;
    is_low || memory_kib > 1 << 20 || passes > 16 || lanes > 4
}

fn with_hash(covered: &[u8; COVERED_BYTES]) -> Vec<u8> {
    let hash = Hash::of_value("opensky sealed key check 1", covered);
    [covered, &hash.as_bytes()[..16]].concat()
}

fn armoured(bytes: &[u8]) -> String {
    let (name, digits) = ("OPENSKY IDENTITY BACKUP", hex::encode(bytes));
    format!("-----BEGIN {name}-----\nnode x\n\n{digits}\n-----END {name}-----\n")
}

fn passphrase() -> Passphrase {
    Passphrase::from_prompt("correct horse".to_owned()).expect("a passphrase")
}

/// First inputs: a file without a passphrase, one that names low costs, and a backup.
pub fn seeds() -> Seeds {
    let folder = folder::new();
    let path = folder.path().join("key");
    KeyFile::create(&path, &samples::keypair(1), Protection::None).expect("the folder is there");
    let plain = std::fs::read(&path).expect("it was written");
    let mut covered = [0; COVERED_BYTES];
    covered.copy_from_slice(&plain[..COVERED_BYTES]);
    covered[..16].copy_from_slice(BACKUP);
    let backup = armoured(&with_hash(&covered)).into_bytes();
    let mut costly = plain.clone();
    // Encrypted, with 64 KiB, one pass and one lane.
    costly[17..30].copy_from_slice(&[1, 64, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
    crate::seeds([("plain", plain), ("encrypted", costly), ("backup", backup)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_inputs_are_keys() {
        let inputs = seeds();
        let folder = folder::new();
        let path = folder.path().join("key");
        write_private(&path, &inputs[0].1).expect("the folder is there");
        KeyFile::load(&path).expect("a key file").unlock(None).expect("it has no passphrase");
        let text = String::from_utf8(inputs[2].1.clone()).expect("text");
        assert!(backup::import(&text, &passphrase()).is_ok());
    }
}
