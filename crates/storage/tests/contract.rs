//! The ports' contract suites, run on real files.

use opensky_ports::testing::contract;
use opensky_storage::{FileBlobs, RedbJournal};

#[test]
fn the_journal_keeps_its_contract() {
    let folder = tempfile::tempdir().unwrap();
    contract::journal(|| RedbJournal::open(folder.path()).unwrap());
}

#[test]
fn the_blob_store_keeps_its_contract() {
    let folder = tempfile::tempdir().unwrap();
    let mut stores = 0;
    contract::blob_store(|cap_bytes| {
        stores += 1;
        FileBlobs::open(&folder.path().join(stores.to_string()), cap_bytes).unwrap()
    });
}

#[test]
fn the_blob_store_keeps_its_contract_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    contract::blob_store_restart(|| FileBlobs::open(&folder.path().join("blobs"), 2_000_000).unwrap());
}
