//! Machines are found by three of five parts.

use crate::common::{account, fingerprint};
use opensky_ledger::registry::{
    ACCOUNTS_MAX, CHANGES_MAX, ComponentKind, Fingerprint, FingerprintError, Found, Machine, MachineFull,
    MachineNumber, TRIPLES, Triple, find, hash_component,
};
use opensky_types::{AccountId, Hash, Timestamp, codec};
use proptest::prelude::*;
use std::{collections::BTreeMap, convert::Infallible};

/// Machines and their index, as the ledger's state holds them.
#[derive(Default)]
struct Registry {
    machines: Vec<Machine>,
    index: BTreeMap<Triple, MachineNumber>,
}

impl Registry {
    fn find(&self, fingerprint: &Fingerprint) -> Found {
        let Ok(found) = find::<Infallible>(fingerprint, |triple| Ok(self.index.get(triple).copied()));
        found
    }

    /// Registers: the machine, and whether it is a new one.
    fn register(&mut self, parts: [u8; 5], by: AccountId) -> (MachineNumber, bool) {
        let fingerprint = fingerprint(parts);
        let (number, added, is_new) = match self.find(&fingerprint) {
            Found::New => {
                self.machines.push(Machine::new(fingerprint, false, by, Timestamp::default()));
                (self.machines.len() as u64 - 1, fingerprint.triples().collect(), true)
            }
            Found::Known(number) => {
                let added = self.machines[number as usize].join(fingerprint, false, by);
                (number, added.expect("few accounts"), false)
            }
        };
        for triple in added {
            self.index.entry(triple).or_insert(number);
        }
        self.machines[number as usize].check();
        (number, is_new)
    }
}

#[test]
fn three_of_five_parts_find_the_machine_and_two_do_not() {
    let mut registry = Registry::default();
    assert_eq!(registry.register([1, 2, 3, 4, 5], account(1)), (0, true));
    for same in [[1, 2, 3, 4, 5], [1, 2, 3, 8, 9], [8, 2, 3, 4, 9], [1, 8, 3, 9, 5], [0, 2, 0, 4, 5]] {
        assert_eq!(registry.find(&fingerprint(same)), Found::Known(0), "{same:?}");
    }
    for other in [[1, 2, 8, 9, 10], [0, 0, 3, 4, 9], [2, 1, 4, 3, 6], [6, 7, 8, 9, 10]] {
        assert_eq!(registry.find(&fingerprint(other)), Found::New, "{other:?}");
    }
}

#[test]
fn a_machine_repaired_part_by_part_stays_the_same() {
    let mut registry = Registry::default();
    registry.register([1, 2, 3, 4, 5], account(1));
    for parts in [[11, 2, 3, 4, 5], [11, 12, 3, 4, 5], [11, 12, 13, 4, 5], [11, 12, 13, 14, 15]] {
        assert_eq!(registry.register(parts, account(2)), (0, false), "{parts:?}");
    }
    assert_eq!(registry.find(&fingerprint([1, 2, 3, 4, 5])), Found::Known(0), "its old parts find it too");
}

#[test]
fn changes_that_never_end_do_not_fill_the_index() {
    let mut registry = Registry::default();
    registry.register([1, 2, 3, 200, 200], account(1));
    for change in 4..190 {
        registry.register([1, 2, 3, change, change], account(1));
    }
    let machine = &registry.machines[0];
    assert_eq!((registry.machines.len(), machine.changes), (1, CHANGES_MAX));
    assert!(registry.index.len() <= TRIPLES * (1 + usize::from(CHANGES_MAX)), "{}", registry.index.len());
}

#[test]
fn whoever_copies_parts_of_others_keeps_nobody_out() {
    let mut registry = Registry::default();
    registry.register([1, 2, 3, 4, 5], account(1));
    // A thousand machines with the same processor and board, which is no match.
    for other in 0..1_000_u32 {
        let fake = |place: u32| Some(Hash::of_value("fake", &(other, place)));
        let own = fingerprint([1, 2, 0, 0, 5]);
        let components = [own.components()[0], own.components()[1], fake(2), fake(3), fake(4)];
        let copied = Fingerprint::new(components).expect("five parts");
        assert_eq!(registry.find(&copied), Found::New);
        let number = registry.machines.len() as u64;
        registry.machines.push(Machine::new(copied, false, account(9), Timestamp::default()));
        for triple in copied.triples() {
            registry.index.entry(triple).or_insert(number);
        }
    }
    assert_eq!(registry.find(&fingerprint([1, 2, 3, 4, 5])), Found::Known(0), "the victim is found");
    assert_eq!(registry.register([1, 2, 6, 7, 8], account(2)), (1_001, true), "a newcomer gets in");
}

#[test]
fn of_several_machines_the_one_with_most_parts_is_found_and_then_the_first() {
    let mut registry = Registry::default();
    registry.register([1, 2, 3, 4, 5], account(1));
    registry.register([1, 12, 13, 14, 15], account(2));
    assert_eq!(registry.find(&fingerprint([1, 2, 3, 14, 15])), Found::Known(0), "equals: the first");
    assert_eq!(registry.find(&fingerprint([1, 12, 13, 14, 5])), Found::Known(1));
    assert_eq!(registry.find(&fingerprint([1, 2, 3, 4, 15])), Found::Known(0));
}

#[test]
fn an_account_is_registered_with_a_machine_once() {
    let mut machine = Machine::new(fingerprint([1, 2, 3, 4, 5]), false, account(1), Timestamp::default());
    for _ in 0..2 {
        let added = machine.join(machine.fingerprint, false, account(2));
        assert_eq!(added, Ok(Vec::new()), "no new parts");
    }
    assert_eq!(machine.accounts, [account(1), account(2)]);
}

#[test]
fn v7_nobody_is_dropped_for_a_newcomer() {
    let mut machine = Machine::new(fingerprint([1, 2, 3, 4, 5]), false, account(0), Timestamp::default());
    for number in 1..ACCOUNTS_MAX as u8 {
        assert_eq!(machine.join(machine.fingerprint, false, account(number)), Ok(Vec::new()));
    }
    let before = machine.clone();
    let found = machine.join(fingerprint([1, 2, 3, 4, 6]), true, account(100));
    assert_eq!((found, &machine), (Err(MachineFull), &before));
    assert_eq!(machine.join(machine.fingerprint, false, account(3)), Ok(Vec::new()), "it is there already");
    machine.leave(&account(0));
    assert_eq!(machine.join(machine.fingerprint, false, account(100)), Ok(Vec::new()));
    assert!(!machine.stands_for(&account(0)) && machine.stands_for(&account(100)));
    machine.check();
}

#[test]
fn a_machine_once_virtual_stays_so() {
    let mut machine = Machine::new(fingerprint([1, 2, 3, 4, 5]), true, account(0), Timestamp::default());
    assert_eq!(machine.join(machine.fingerprint, false, account(1)), Ok(Vec::new()));
    assert!(machine.is_virtual);
}

#[test]
fn too_few_parts_are_no_fingerprint_and_none_is_read_either() {
    let part = Some(Hash::of(b"part"));
    let components = [part, None, part, None, None];
    assert_eq!(Fingerprint::new(components), Err(FingerprintError { count: 2 }));
    assert!(codec::decode::<Fingerprint>(&codec::encode(&components), 256).is_err());
    let three = fingerprint([0, 2, 3, 0, 5]);
    assert_eq!(codec::decode::<Fingerprint>(&codec::encode(&three), 256), Ok(three));
    assert_eq!(three.triples().count(), 1);
    assert_eq!(fingerprint([1, 2, 3, 4, 5]).triples().count(), TRIPLES);
}

#[test]
fn a_part_has_another_hash_in_another_sky_and_as_another_kind() {
    let sky = Hash::of(b"sky");
    let hash = hash_component(&sky, ComponentKind::Mac, b"00:11:22:33:44:55");
    assert_eq!(hash, hash_component(&sky, ComponentKind::Mac, b"00:11:22:33:44:55"));
    assert_ne!(hash, hash_component(&Hash::of(b"other"), ComponentKind::Mac, b"00:11:22:33:44:55"));
    assert_ne!(hash, hash_component(&sky, ComponentKind::Board, b"00:11:22:33:44:55"));
    assert_ne!(hash, hash_component(&sky, ComponentKind::Mac, b"00:11:22:33:44:56"));
}

fn parts() -> impl Strategy<Value = [u8; 5]> {
    prop::array::uniform5(0..4_u8)
        .prop_filter("three parts", |parts| parts.iter().filter(|part| **part != 0).count() >= 3)
}

proptest! {
    #[test]
    fn a_common_triple_is_a_match_of_three(one in parts(), other in parts()) {
        let (one, other) = (fingerprint(one), fingerprint(other));
        let theirs: Vec<Triple> = other.triples().collect();
        prop_assert_eq!(one.triples().any(|triple| theirs.contains(&triple)), one.matches(&other));
    }

    #[test]
    fn a_registered_machine_is_always_found_again(all in prop::collection::vec(parts(), 1..30)) {
        let mut registry = Registry::default();
        for parts in &all {
            registry.register(*parts, account(parts[0]));
        }
        for parts in &all {
            prop_assert_ne!(registry.find(&fingerprint(*parts)), Found::New);
        }
        let count = registry.machines.len() as u64;
        prop_assert!(registry.index.values().all(|number| *number < count));
    }
}
