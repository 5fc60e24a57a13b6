//! The sky of a run, who acts in it, and its snapshot.

use crate::{
    choices::Choices,
    people::{account, node},
};
use opensky_ledger::{
    entry::Entry,
    genesis::Genesis,
    key::Key,
    ledger::Ledger,
    params::Params,
    purse::Purse,
    registry::StarterGrant,
    rules::RulesLimits,
    snapshot::{Added, Cut, Manifest, Record, Restore},
    state::State,
    tree::Tree,
};
use opensky_types::{Hash, Micros, NodeId, Timestamp, codec};
use std::collections::BTreeMap;

/// The validators of the first epoch.
pub const VALIDATORS: [u8; 3] = [10, 11, 12];

/// Eight with money, the validators, some newcomers, and two wallets.
pub fn actor(choices: &mut Choices<'_>) -> u8 {
    choices.pick(&[1, 2, 3, 4, 5, 6, 10, 11, 12, 20, 21, 22, 28, 29, 30, 31])
}

/// A sky of eight accounts with money and three validators.
pub fn genesis(choices: &mut Choices<'_>) -> Genesis {
    let params = params(choices);
    let rich = choices.pick(&[1_000_000, 1_000_000_000_000]);
    let mut balances: Vec<_> =
        [1, 2, 3, 4, 5, 28, 29].map(|number| (account(number), Purse::free(Micros::new(rich)))).into();
    balances.push((account(6), Purse::granted(Micros::new(rich))));
    balances.sort_unstable_by_key(|(id, _)| *id);
    let mut validators: Vec<NodeId> = VALIDATORS.map(|number| node(number).id()).into();
    validators.sort_unstable();
    Genesis {
        sky: Hash::of(b"mix"),
        time: Timestamp::from_millis(1_800_000_000_000),
        balances: if params.economy { balances } else { Vec::new() },
        treasury: if params.economy { Purse::free(Micros::new(50)) } else { Purse::default() },
        params,
        validators,
    }
}

fn params(choices: &mut Choices<'_>) -> Params {
    let base = if choices.pick(&[true, true, true, false]) { Params::default() } else { Params::free() };
    Params {
        authority: choices.pick(&[None, None, Some(account(1))]),
        new_account_min: choices.pick(&[base.new_account_min, Micros::ZERO]),
        transactions_max: choices.pick(&[20_000, 1, 3]),
        signatures_max: choices.pick(&[5_000, 12]),
        due_max: choices.pick(&[2_000, 1, 2]),
        charge_max: choices.pick(&[base.charge_max, Micros::new(1 << 40)]),
        unbonding_ms: choices.pick(&[40_000, 0, 1_814_400_000]),
        validator_stake_min: choices.pick(&[Micros::new(1_000), Micros::ZERO]),
        equivocation_parts: choices.pick(&[20_000, 0, 100_000]),
        epoch_blocks: choices.pick(&[3, 2, 7, 1_000]),
        puzzle_bits: 0,
        grant: choices.pick(&[base.grant, StarterGrant::OFF]),
        witnesses: choices.pick(&[3, 0, 1]),
        rules: RulesLimits { notice_blocks: choices.pick(&[1_000, 1]) },
        ..base
    }
}

fn record(key: &Key, entry: &Entry) -> Record {
    Record { key: codec::encode(key), entry: codec::encode(entry) }
}

/// The state cut, sent, and put together again is the same state, and each entry of it is proven.
pub fn check_snapshot(ledger: &Ledger) {
    let (state, height) = (ledger.state(), ledger.head().height);
    let entries: BTreeMap<Key, &Entry> = state.entries().collect();
    let root = state.root();
    for key in entries.keys() {
        state.prove(key).verify(&root).expect("what is there is proven");
    }
    let absent = Key::Machine(u64::MAX);
    state.prove(&absent).verify(&root).expect("what is not there is proven");
    let named = |key: &Key| record(key, entries[key]);
    let tree = Tree::from_entries(entries.iter().map(|(key, entry)| (key.leaf(), entry.value())));
    let cut = Cut::new(height, &tree, entries.keys().copied(), named).expect("a small state is a snapshot");
    let manifest = Manifest::decode(&codec::encode(cut.manifest()), height, &root).expect("ours is read");
    let mut restore = Restore::new(manifest);
    let mut found = BTreeMap::new();
    for index in 0..cut.manifest().parts().len() {
        let chunk = cut.chunk(&tree, index, named).expect("there is one for each part");
        let Added::New(records) = restore.add(index, &codec::encode(&chunk)).expect("ours is proven") else {
            panic!("each comes once");
        };
        for record in records {
            let key = codec::decode(&record.key, record.key.len()).expect("a key of the state");
            let entry = codec::decode(&record.entry, record.entry.len()).expect("an entry of the state");
            found.insert(key, entry);
        }
    }
    assert_eq!(restore.finish().expect("all came").root(), root);
    let again = State::new(found).expect("the state holds together");
    Ledger::resume(again, ledger.head().clone()).expect("it is the state of the header");
}
