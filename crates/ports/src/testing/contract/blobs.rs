//! What every blob store promises.

use crate::blobs::{BlobError, BlobStore, Pin};
use opensky_types::{Hash, job::Blob, samples};
use std::io::{Read, Seek, SeekFrom, Write};

/// Large enough that a store's own bookkeeping, if it counts that, does not tip the scales.
const BLOB_BYTES: usize = 100_000;
const CAP_BYTES: u64 = 4 * BLOB_BYTES as u64 + 50_000;

/// Runs the suite. `make` makes an empty store with a cap in bytes.
pub fn blob_store<S: BlobStore>(mut make: impl FnMut(u64) -> S) {
    what_is_put_can_be_read(&make(CAP_BYTES));
    a_wrong_hash_leaves_nothing(&make(CAP_BYTES));
    an_unfinished_blob_leaves_nothing(&make(CAP_BYTES));
    the_least_recently_used_goes_first(&make(CAP_BYTES));
    pinned_blobs_stay(&make(CAP_BYTES));
    a_pin_holds_what_comes_later(&make(CAP_BYTES));
    a_blob_stays_while_any_pin_holds_it(&make(CAP_BYTES));
    a_full_store_says_so_and_drops_nothing(&make(CAP_BYTES));
    a_hint_is_reserved(&make(CAP_BYTES));
    more_than_the_hint_still_stays_under_the_cap(&make(CAP_BYTES));
    equal_content_is_kept_once(&make(CAP_BYTES));
    a_reader_outlives_its_blob(&make(CAP_BYTES));
    get_refuses_what_is_over_its_limit(&make(CAP_BYTES));
    many_threads_stay_under_the_cap(&make(CAP_BYTES));
}

/// Runs the suite of what a restart keeps. `open` opens one and the same store each time, after the
/// one before was dropped; it starts empty, and its cap is over one megabyte.
pub fn blob_store_restart<S: BlobStore>(mut open: impl FnMut() -> S) {
    let store = open();
    let kept = put(&store, 1);
    store.pin(Pin::Job(samples::job_id()), &[kept.hash]).unwrap();
    let cached = put(&store, 2);
    store.pin(Pin::Agreement(samples::agreement_id()), &[cached.hash]).unwrap();
    let mut unfinished = store.create(10).unwrap();
    unfinished.write_all(b"half a blob").unwrap();
    drop(unfinished);
    drop(store);

    let store = open();
    assert!(holds(&store, kept), "a finished blob is durable");
    assert!(holds(&store, cached), "a restart keeps the cache");
    let (used_bytes, cap_bytes) = store.usage();
    assert_eq!(used_bytes, 2 * BLOB_BYTES as u64, "a restart counts what is there, and only that");
    let all_but_one = cap_bytes - BLOB_BYTES as u64;
    drop(store.create(all_but_one).expect("a restart ends the pins of agreements"));
    assert!(holds(&store, kept), "a restart keeps the pins of jobs");
    assert!(store.create(all_but_one + 1).is_err(), "a restart keeps the pins of jobs");
    store.unpin(Pin::Job(samples::job_id())).unwrap();
    drop(store);

    let store = open();
    drop(store.create(cap_bytes).expect("an ended pin stays ended over a restart"));
}

/// Content number `seed`.
fn content(seed: u8) -> Vec<u8> {
    (0..BLOB_BYTES).map(|index| seed ^ (index % 251) as u8).collect()
}

fn put(store: &impl BlobStore, seed: u8) -> Blob {
    store.put(&content(seed)).expect("there is room")
}

fn holds(store: &impl BlobStore, blob: Blob) -> bool {
    match store.get(&blob.hash, u64::MAX).expect("reading works") {
        Some(bytes) => {
            assert_eq!(Hash::of(&bytes), blob.hash, "content is what its hash says");
            true
        }
        None => false,
    }
}

fn used(store: &impl BlobStore) -> u64 {
    store.usage().0
}

fn what_is_put_can_be_read(store: &impl BlobStore) {
    for bytes in [Vec::new(), vec![7], content(1)] {
        let blob = store.put(&bytes).unwrap();
        assert_eq!(blob, Blob { hash: Hash::of(&bytes), size_bytes: bytes.len() as u64 });
        assert_eq!(store.get(&blob.hash, u64::MAX).unwrap(), Some(bytes));
    }
    assert!(store.open(&Hash::of(b"never put")).unwrap().is_none(), "what is not here is None, not an error");
    assert_eq!(store.usage(), (BLOB_BYTES as u64 + 1, CAP_BYTES));

    let bytes = content(1);
    let mut reader = store.open(&Hash::of(&bytes)).unwrap().unwrap();
    assert_eq!(reader.size_bytes(), bytes.len() as u64);
    reader.seek(SeekFrom::Start(1_000)).unwrap();
    let mut tail = Vec::new();
    reader.read_to_end(&mut tail).unwrap();
    assert_eq!(tail, bytes[1_000..], "a reader seeks");
}

fn a_wrong_hash_leaves_nothing(store: &impl BlobStore) {
    let (bytes, wrong) = (content(1), Hash::of(b"something else"));
    let mut writer = store.create(bytes.len() as u64).unwrap();
    writer.write_all(&bytes).unwrap();
    match writer.finish(Some(wrong)) {
        Err(BlobError::WrongHash { expected, found }) => {
            assert_eq!((expected, found), (wrong, Hash::of(&bytes)));
        }
        other => panic!("a wrong hash is refused as such, not {other:?}"),
    }
    assert!(store.open(&Hash::of(&bytes)).unwrap().is_none());
    assert!(store.open(&wrong).unwrap().is_none());
    assert_eq!(used(store), 0);

    let mut writer = store.create(bytes.len() as u64).unwrap();
    writer.write_all(&bytes).unwrap();
    writer.finish(Some(Hash::of(&bytes))).expect("the right hash is accepted");
}

fn an_unfinished_blob_leaves_nothing(store: &impl BlobStore) {
    let bytes = content(1);
    let mut writer = store.create(bytes.len() as u64).unwrap();
    writer.write_all(&bytes).unwrap();
    assert!(store.open(&Hash::of(&bytes)).unwrap().is_none(), "nothing is readable before it is finished");
    drop(writer);
    assert!(store.open(&Hash::of(&bytes)).unwrap().is_none());
    assert_eq!(used(store), 0, "a dropped writer gives back its room");
}

fn the_least_recently_used_goes_first(store: &impl BlobStore) {
    let [one, two, three, four] = [1, 2, 3, 4].map(|seed| put(store, seed));
    drop(store.open(&one.hash).unwrap());
    let five = put(store, 5);
    assert!(!holds(store, two), "the blob whose last use is oldest goes first");
    for kept in [one, three, four, five] {
        assert!(holds(store, kept), "no more than needed goes, and opening counts as a use");
    }
    assert!(used(store) <= CAP_BYTES);
}

fn pinned_blobs_stay(store: &impl BlobStore) {
    let one = put(store, 1);
    store.pin(Pin::Upload, &[one.hash]).unwrap();
    for seed in 2..12 {
        put(store, seed);
        assert!(used(store) <= CAP_BYTES, "the cap holds");
    }
    assert!(holds(store, one), "a pinned blob is never dropped");
    store.unpin(Pin::Upload).unwrap();
    assert!(holds(store, one), "unpinned is cached, not gone");
    for seed in 12..17 {
        put(store, seed);
    }
    assert!(!holds(store, one), "unpinned may be dropped");
}

fn a_pin_holds_what_comes_later(store: &impl BlobStore) {
    let pin = Pin::Job(samples::job_id());
    store.pin(pin, &[Hash::of(&content(1))]).unwrap();
    let one = put(store, 1);
    for seed in 2..8 {
        put(store, seed);
    }
    assert!(holds(store, one), "a pin set before the blob came holds it");
}

fn a_blob_stays_while_any_pin_holds_it(store: &impl BlobStore) {
    let pins = [Pin::Job(samples::job_id()), Pin::Agreement(samples::agreement_id()), Pin::Upload];
    let [one, two] = [1, 2].map(|seed| put(store, seed));
    for pin in pins {
        store.pin(pin, &[one.hash]).unwrap();
    }
    store.pin(pins[0], &[two.hash]).unwrap();
    store.pin(pins[0], &[two.hash]).unwrap();
    store.unpin(pins[1]).unwrap();
    store.unpin(pins[2]).unwrap();
    for seed in 3..9 {
        put(store, seed);
    }
    assert!(holds(store, one) && holds(store, two), "pins add up and end one by one");
    store.unpin(pins[0]).unwrap();
    store.unpin(pins[0]).unwrap();
    for seed in 9..14 {
        put(store, seed);
    }
    assert!(!holds(store, one) && !holds(store, two), "one unpin ends all that a pin holds");
}

fn a_full_store_says_so_and_drops_nothing(store: &impl BlobStore) {
    let blobs = [1, 2, 3, 4].map(|seed| put(store, seed));
    store.pin(Pin::Upload, &blobs[..3].iter().map(|blob| blob.hash).collect::<Vec<_>>()).unwrap();
    match store.create(2 * BLOB_BYTES as u64).map(|_| ()) {
        Err(BlobError::Full { cap_bytes, .. }) => assert_eq!(cap_bytes, CAP_BYTES),
        other => panic!("a store without room says Full, not {other:?}"),
    }
    assert!(store.create(u64::MAX).is_err(), "no size overflows the count");
    assert!(blobs.iter().all(|blob| holds(store, *blob)), "nothing is dropped for what cannot fit anyway");
}

fn a_hint_is_reserved(store: &impl BlobStore) {
    let writer = store.create(CAP_BYTES - 10).unwrap();
    assert!(matches!(store.create(11), Err(BlobError::Full { .. })), "a hint is reserved at once");
    drop(writer);
    drop(store.create(CAP_BYTES).expect("a dropped writer gives back its hint"));
    let mut writer = store.create(CAP_BYTES).unwrap();
    writer.write_all(b"short").unwrap();
    writer.finish(None).unwrap();
    assert_eq!(used(store), 5, "a finished blob takes what it has, not what was hinted");
}

fn more_than_the_hint_still_stays_under_the_cap(store: &impl BlobStore) {
    let mut writer = store.create(0).unwrap();
    writer.write_all(&content(1)).expect("a hint that was too low is no error while there is room");
    let one = writer.finish(None).unwrap();
    assert!(holds(store, one));
    store.pin(Pin::Upload, &[one.hash]).unwrap();

    let mut writer = store.create(0).unwrap();
    let flood = (0..8).try_for_each(|seed| {
        assert!(used(store) <= CAP_BYTES, "the cap holds against a lying hint");
        writer.write_all(&content(seed))
    });
    let refused = flood.is_err() || writer.finish(None).is_err();
    assert!(refused, "a blob over the cap is refused, at the latest when it is finished");
    assert!(used(store) <= CAP_BYTES);
    assert!(holds(store, one));
}

fn equal_content_is_kept_once(store: &impl BlobStore) {
    let first = put(store, 1);
    assert_eq!(put(store, 1), first);
    assert_eq!(used(store), BLOB_BYTES as u64);
    assert!(holds(store, first));
}

fn a_reader_outlives_its_blob(store: &impl BlobStore) {
    let one = put(store, 1);
    let mut reader = store.open(&one.hash).unwrap().unwrap();
    for seed in 2..9 {
        put(store, seed);
    }
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).expect("an open reader reads to its end");
    assert_eq!(Hash::of(&bytes), one.hash);
}

fn get_refuses_what_is_over_its_limit(store: &impl BlobStore) {
    let one = put(store, 1);
    assert!(store.get(&one.hash, one.size_bytes - 1).is_err());
    assert!(store.get(&one.hash, one.size_bytes).unwrap().is_some());
}

fn many_threads_stay_under_the_cap(store: &impl BlobStore) {
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            scope.spawn(move || {
                for round in 0..8 {
                    // Four writers at most are at work, and the cap has room for four blobs.
                    let blob = put(store, thread * 8 + round);
                    assert!(used(store) <= CAP_BYTES, "the cap holds");
                    holds(store, blob);
                }
            });
        }
    });
}
