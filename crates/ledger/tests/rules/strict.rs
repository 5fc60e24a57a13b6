//! Damaged bytes: refused, or the one encoding of what they say; and whatever they say, the rules hold.
//! The same checks are fuzzed with coverage guidance by the targets `ledger`, `transaction` and `genesis` of
//! `crates/fuzz`.

use crate::{
    common::{STEP_MS, Sky, genesis, transfer},
    golden::{actions, busy_sky},
};
use opensky_ledger::{
    block::Block, entry::Entry, genesis::Genesis, key::Key, ledger::Ledger, params::Params,
    transaction::SignedTransaction,
};
use opensky_types::codec;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
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

static GENESES: LazyLock<[Vec<u8>; 2]> =
    LazyLock::new(|| [Params::default(), Params::free()].map(|params| codec::encode(&genesis(params))));
static BLOCK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut sky = Sky::new();
    let (head, time) = (sky.ledger.head().id(), sky.now().plus_ms(STEP_MS));
    let signed = [1, 2, 3].map(|number| sky.signed(number, transfer(5, 1_000)).check().expect("signed"));
    sky.ledger.propose(&head, time, signed.into(), 1 << 20).expect("a block can be made").block.encode()
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
    fn l6_a_damaged_signature_counts_neither_alone_nor_among_others(
        sample in any::<proptest::sample::Index>(),
        places in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..3),
    ) {
        let sample = &SAMPLES[sample.index(SAMPLES.len())];
        let bytes = damage(sample, &places);
        let Ok(signed) = SignedTransaction::decode(&bytes) else { return Ok(()) };
        let whole = SignedTransaction::decode(&SAMPLES[0]).expect("a sample is read");
        let together = SignedTransaction::check_all(vec![whole, signed.clone()]);
        prop_assert_eq!(signed.check().is_ok(), &bytes == sample);
        prop_assert_eq!(together.is_ok(), &bytes == sample);
    }

    #[test]
    fn l2_a_damaged_block_is_refused(
        places in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..3),
    ) {
        let bytes = damage(&BLOCK, &places);
        let Ok(block) = Block::decode(&bytes) else { return Ok(()) };
        prop_assert!(block.encode() == bytes, "a second encoding was accepted");
        // Only its time may be another, on which nothing in it depends.
        let mut same = Block::decode(&BLOCK).expect("the sample is read");
        same.header.time = block.header.time;
        prop_assert!(block == same || Sky::new().witness.verify(block).is_err());
    }

    #[test]
    fn a_damaged_genesis_is_refused_or_begins_a_sky(
        sample in any::<proptest::sample::Index>(),
        places in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
    ) {
        let bytes = damage(&GENESES[sample.index(GENESES.len())], &places);
        let Ok(genesis) = codec::decode::<Genesis>(&bytes, bytes.len()) else { return Ok(()) };
        prop_assert!(codec::encode(&genesis) == bytes, "a second encoding was accepted");
        let Ok(mut ledger) = Ledger::new(&genesis) else { return Ok(()) };
        let (head, time) = (ledger.head().id(), ledger.head().time.plus_ms(STEP_MS));
        if time > ledger.head().time {
            let made = ledger.propose(&head, time, Vec::new(), 1 << 20).expect("a block can be made");
            ledger.finalize(&made.block.id()).expect("it is known");
        }
        ledger.state().check().expect("money is conserved");
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
