//! Damaged bytes: refused, or the one encoding of what they say; and whatever they say, the rules hold.
//! The same checks are fuzzed with coverage guidance by `fuzz/fuzz_targets/ledger.rs`.

use crate::{
    common::{STEP_MS, Sky},
    golden::{actions, busy_sky},
};
use opensky_ledger::{entry::Entry, key::Key, transaction::SignedTransaction};
use opensky_types::codec;
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use std::sync::LazyLock;

static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let sky = Sky::new();
    actions(&sky).into_iter().map(|(_, action)| sky.signed(1, action).encode()).collect()
});
static ENTRIES: LazyLock<Vec<(Vec<u8>, Vec<u8>)>> = LazyLock::new(|| {
    let sky = busy_sky();
    let encoded = |(key, entry): (Key, &Entry)| (codec::encode(&key), codec::encode(entry));
    sky.ledger.state().entries().map(encoded).collect()
});

fn damage(bytes: &[u8], places: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, value) in places {
        let place = place % bytes.len();
        bytes[place] = *value;
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn l6_damaged_transactions_have_one_encoding_and_break_no_rule(
        sample in any::<proptest::sample::Index>(),
        places in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4),
    ) {
        let bytes = damage(&SAMPLES[sample.index(SAMPLES.len())], &places);
        let Ok(signed) = SignedTransaction::decode(&bytes) else { return Ok(()) };
        prop_assert!(signed.encode() == bytes, "a second encoding was accepted");
        // As if the signatures were right: the rules alone must hold.
        let Ok(checked) = signed.unchecked() else { return Ok(()) };
        let mut sky = Sky::new();
        let (head, time) = (sky.ledger.head().id(), sky.now().plus_ms(STEP_MS));
        let made = sky.ledger.propose(&head, time, vec![checked], 1 << 20).expect("a block can be made");
        sky.ledger.finalize(&made.block.id()).expect("it is known");
        sky.ledger.state().check().expect("money is conserved");
    }

    #[test]
    fn damaged_entries_and_keys_have_one_encoding(
        sample in any::<proptest::sample::Index>(),
        places in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
    ) {
        let (key, entry) = &ENTRIES[sample.index(ENTRIES.len())];
        let (key, entry) = (damage(key, &places), damage(entry, &places));
        if let Ok(read) = codec::decode::<Key>(&key, 256) {
            prop_assert!(codec::encode(&read) == key);
        }
        if let Ok(read) = codec::decode::<Entry>(&entry, 64 * 1024) {
            prop_assert!(codec::encode(&read) == entry);
        }
    }
}
