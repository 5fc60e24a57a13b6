//! Key files, passphrases and backups, on real files.

use opensky_identity::{
    BackupError, KeyFile, KeyFileError, Origin, Passphrase, PassphraseError, Protection, backup, generate,
};
use opensky_types::Keypair;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn passphrase(text: &str) -> Passphrase {
    Passphrase::from_prompt(text.into()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn an_encrypted_key_comes_back_by_its_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.key");
    let key = generate();
    let right = passphrase("correct horse");
    KeyFile::create(&path, &key, Protection::Passphrase(&right)).unwrap();
    assert_eq!(mode(&path), 0o600);

    let file = KeyFile::load(&path).unwrap();
    assert!(file.is_encrypted());
    assert_eq!(file.id(), key.id());
    assert_eq!(file.unlock(Some(&right)).unwrap().seed().as_slice(), key.seed().as_slice());
    assert!(matches!(file.unlock(None), Err(KeyFileError::NeedsPassphrase { .. })));
    let Err(error) = file.unlock(Some(&passphrase("wrong horse"))) else {
        panic!("a wrong passphrase opened")
    };
    assert!(matches!(error, KeyFileError::WrongPassphrase { origin: Origin::Prompt, .. }));
    assert_eq!(error.to_string(), format!("the passphrase typed does not open the key {}", path.display()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn k1_an_encrypted_key_file_and_its_errors_hold_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.key");
    let key = Keypair::from_seed([0x5A; 32]);
    let secret = passphrase("correct horse battery");
    KeyFile::create(&path, &key, Protection::Passphrase(&secret)).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.windows(4).any(|window| window == [0x5A; 4]));

    let file = KeyFile::load(&path).unwrap();
    let wrong = passphrase("wrong horse battery");
    let error = file.unlock(Some(&wrong)).err().unwrap();
    for text in [format!("{file:?}"), format!("{error:?} {error}"), format!("{wrong:?} {secret:?}")] {
        for hidden in ["horse", "5a5a", "90, 90"] {
            assert!(!text.contains(hidden), "'{hidden}' in {text}");
        }
    }
}

#[test]
fn an_unencrypted_key_is_written_on_demand_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.key");
    let key = generate();
    KeyFile::create(&path, &key, Protection::None).unwrap();
    let file = KeyFile::load(&path).unwrap();
    assert!(!file.is_encrypted());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(file.unlock(None).unwrap().id(), key.id());
    assert_eq!(file.unlock(Some(&passphrase("not needed"))).unwrap().id(), key.id());
}

#[test]
fn each_fault_has_its_own_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.key");
    assert!(matches!(KeyFile::load(&path), Err(KeyFileError::NotFound { .. })));
    let short = passphrase("short");
    let weak = KeyFile::create(&path, &generate(), Protection::Passphrase(&short));
    assert!(matches!(weak, Err(KeyFileError::WeakPassphrase { .. })));
    assert!(!path.exists());

    let key = generate();
    KeyFile::create(&path, &key, Protection::None).unwrap();
    let again = KeyFile::create(&path, &generate(), Protection::None);
    assert!(matches!(again, Err(KeyFileError::Exists { .. })));
    assert_eq!(KeyFile::load(&path).unwrap().id(), key.id(), "a key is never replaced");

    for open in [0o640, 0o604, 0o660, 0o644] {
        set_mode(&path, open);
        let error = KeyFile::load(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Permissions { .. }), "mode {open:o}");
        assert!(error.to_string().contains(&format!("chmod 600 '{}'", path.display())));
    }
    set_mode(&path, 0o600);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(KeyFile::load(&path), Err(KeyFileError::Damaged { .. })));
}

#[test]
fn a_passphrase_is_read_from_a_private_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("passphrase");
    assert!(matches!(Passphrase::from_file(&path), Err(PassphraseError::NotFound { .. })));
    fs::write(&path, "correct horse\r\nsecond line\n").unwrap();
    set_mode(&path, 0o644);
    assert!(matches!(Passphrase::from_file(&path), Err(PassphraseError::Permissions { .. })));
    set_mode(&path, 0o600);
    let given = Passphrase::from_file(&path).unwrap();
    assert_eq!(given.origin(), &Origin::File { path: path.clone() });

    let key = folder.path().join("node.key");
    KeyFile::create(&key, &generate(), Protection::Passphrase(&passphrase("correct horse"))).unwrap();
    KeyFile::load(&key).unwrap().unlock(Some(&given)).expect("only the first line counts");

    fs::write(&path, "\n").unwrap();
    assert!(matches!(Passphrase::from_file(&path), Err(PassphraseError::Empty { .. })));
    fs::write(&path, vec![b'x'; 2_000]).unwrap();
    assert!(matches!(Passphrase::from_file(&path), Err(PassphraseError::TooLong { .. })));
    fs::write(&path, [0xFF, 0xFE]).unwrap();
    assert!(matches!(Passphrase::from_file(&path), Err(PassphraseError::NotText { .. })));
    assert!(Passphrase::from_env("OPENSKY_TEST_NEVER_SET").unwrap().is_none());
}

#[test]
fn a_backup_comes_back_from_a_mail() {
    let key = generate();
    let secret = passphrase("correct horse");
    let text = backup::export(&key, &secret).unwrap();
    assert!(text.contains(&key.id().to_string()), "whose it is can be read");
    assert!(text.lines().all(|line| line.len() <= 72), "it prints: {text}");
    let quoted: String = text.lines().map(|line| format!("> {line}\r\n")).collect();
    let mailed = format!("Hi,\nhere is my key:\n{quoted}\nbye\n");
    assert_eq!(backup::import(&mailed, &secret).unwrap().seed().as_slice(), key.seed().as_slice());

    let wrong = backup::import(&text, &passphrase("wrong horse"));
    assert!(matches!(wrong, Err(BackupError::WrongPassphrase { .. })));
    let line = text.lines().nth(4).unwrap();
    let flipped = if line.starts_with('0') { "1" } else { "0" };
    let damaged = text.replace(line, &format!("{flipped}{}", &line[1..]));
    assert!(matches!(backup::import(&damaged, &secret), Err(BackupError::Damaged { .. })));
    let cut = text.replace(&format!("{line}\n"), "");
    assert!(matches!(backup::import(&cut, &secret), Err(BackupError::Damaged { .. })));
    let (half, _) = text.split_at(text.len() / 2);
    assert!(matches!(backup::import(half, &secret), Err(BackupError::NotABackup)));
    assert!(matches!(backup::export(&key, &passphrase("short")), Err(BackupError::WeakPassphrase { .. })));
    let long = "x".repeat(100_000);
    assert!(matches!(backup::import(&long, &secret), Err(BackupError::NotABackup)));
}
