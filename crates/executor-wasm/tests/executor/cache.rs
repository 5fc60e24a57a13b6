//! Compiled programs: kept over restarts, checked before use, never more than the cap.

use crate::support::{HEALTHY, Setup, exited, failure, items};
use opensky_ports::Executor;
use opensky_types::{place::Level, task::Failure};
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn a_program_is_compiled_once_even_over_a_restart() {
    let setup = Setup::new(2);
    let batch = setup.batch(Level::Vm, HEALTHY);
    let (one, other) = tokio::join!(setup.run_one(batch.clone()), setup.run_one(batch.clone()));
    assert_eq!((exited(&one).exit_code, exited(&other).exit_code), (0, 0));
    let files = setup.cache_files();
    assert_eq!(files.len(), 1);
    let metadata = std::fs::metadata(&files[0]).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o400);
    let written = std::os::unix::fs::MetadataExt::ino(&metadata);

    let setup = setup.restarted().await;
    exited(&setup.run_one(batch).await);
    let metadata = std::fs::metadata(&setup.cache_files()[0]).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::ino(&metadata), written, "the file was not written again");
}

#[tokio::test]
async fn f5_a_damaged_artefact_is_noticed_and_made_again() {
    let mut setup = Setup::new(1);
    let batch = setup.batch(Level::Vm, HEALTHY);
    exited(&setup.run_one(batch.clone()).await);
    for damage in ["flip a bit", "cut it", "remove it"] {
        let path = setup.cache_files().remove(0);
        let mut bytes = std::fs::read(&path).unwrap();
        match damage {
            "flip a bit" => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            _ => bytes.truncate(100),
        }
        std::fs::remove_file(&path).unwrap();
        if damage != "remove it" {
            std::fs::write(&path, bytes).unwrap();
        }
        // A worker that has it loaded would not look again.
        setup = setup.restarted().await;
        exited(&setup.run_one(batch.clone()).await);
        assert_eq!(setup.cache_files().len(), 1, "{damage}");
    }
}

#[tokio::test]
async fn what_does_not_compile_is_remembered() {
    let setup = Setup::new(1);
    let mut batch = setup.batch(Level::Vm, b"\0asm\x01\0\0\0 nonsense");
    batch.items = items(3);
    for result in setup.run(batch.clone()).await.results() {
        assert!(matches!(failure(&result), Failure::InvalidProgram { .. }));
    }
    let again = setup.run(batch).await.results();
    assert_eq!(again.len(), 3);
    assert!(setup.cache_files().is_empty());
    assert!(setup.executor.engines()[0].name.starts_with("wasmtime 48."));
}
