//! Every target on its first inputs and on spoilt ones, which are the same each time. `OPENSKY_FUZZ_INPUTS` says how
//! many, 10,000 by default, of which slow targets get fewer. `fuzz/run` searches for longer, guided by coverage.

use opensky_fuzz::{Family, Seeds, TARGETS, Target};
use std::panic::catch_unwind;

const INPUTS: usize = 10_000;
/// However slow a target is.
const INPUTS_MIN: usize = 20;
const INPUT_BYTES_MAX: usize = 64 * 1024;
/// Most ways in which one input is spoilt.
const CHANGES_MAX: usize = 5;
/// Numbers that stand where something ends.
const NUMBERS: [u64; 10] = [0, 1, 2, 7, 64, 255, 65_536, u32::MAX as u64, i64::MAX as u64, u64::MAX];

#[test]
fn p3_what_nodes_send_is_read_or_refused() {
    try_all(Family::Wire);
}

#[test]
fn p3_l6_what_nodes_say_about_the_ledger_is_read_or_refused() {
    try_all(Family::Ledger);
}

#[test]
fn p3_what_people_hand_over_is_read_or_refused() {
    try_all(Family::People);
}

#[test]
fn p3_f5_what_disks_give_back_is_read_or_refused() {
    try_all(Family::Disk);
}

/// All targets of a family, also after one has failed.
fn try_all(family: Family) {
    let inputs = match std::env::var("OPENSKY_FUZZ_INPUTS") {
        Ok(text) => text.parse().expect("OPENSKY_FUZZ_INPUTS is a number"),
        Err(_) => INPUTS,
    };
    let of_family = TARGETS.iter().filter(|target| target.family == family);
    let failures: Vec<String> = of_family.filter_map(|target| try_one(target, inputs).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The first input that breaks a target, if any, as it is handed to `fuzz/run`.
fn try_one(target: &Target, inputs: usize) -> Result<(), String> {
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has no first inputs", target.name);
    for (name, seed) in &seeds {
        try_input(target, name, seed)?;
    }
    let mut chance = Chance(0x005e_ed0f_f022_1234);
    for number in 0..(inputs / target.slowness).max(INPUTS_MIN) {
        let input = spoilt(&seeds, &mut chance);
        try_input(target, &format!("spoilt {number}"), &input)?;
    }
    Ok(())
}

fn try_input(target: &Target, which: &str, input: &[u8]) -> Result<(), String> {
    let (name, check) = (target.name, target.check);
    catch_unwind(|| check(input)).map_err(|_| {
        let digits = hex::encode(input);
        format!(
            "target {name} broke on input '{which}'. To see it again, put these bytes into a file and give it to \
             `fuzz/run {name} FILE`: {digits}"
        )
    })
}

/// Numbers in an order that looks like chance, the same each time: splitmix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// A first input with a few changes.
fn spoilt(seeds: &Seeds, chance: &mut Chance) -> Vec<u8> {
    let mut input = chance.pick(seeds).1.clone();
    for _ in 0..=chance.below(CHANGES_MAX) {
        let other = &chance.pick(seeds).1;
        change(&mut input, other, chance);
        input.truncate(INPUT_BYTES_MAX);
    }
    input
}

fn change(input: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let at = chance.below(input.len());
    match chance.below(11) {
        0 | 1 => {
            let flipped = input.get(at).copied().unwrap_or(0) ^ (1 << chance.below(8));
            overwrite(input, at, &[flipped]);
        }
        2 => overwrite(input, at, &[chance.next() as u8]),
        // As lengths and small numbers stand in messages.
        3 => overwrite(input, at, &(chance.below(64) as u32).to_le_bytes()),
        4 => {
            let (number, width) = (*chance.pick(&NUMBERS), *chance.pick(&[1, 2, 4, 8]));
            overwrite(input, at, &number.to_le_bytes()[..width]);
        }
        5 => input.truncate(at),
        6 => drop(input.drain(at..(at + 1 + chance.below(16)).min(input.len()))),
        7 => {
            let bytes: Vec<u8> = (0..=chance.below(8)).map(|_| chance.next() as u8).collect();
            input.splice(at..at, bytes);
        }
        // The beginning of one and the end of another.
        8 => {
            let rest = chance.below(other.len());
            input.truncate(at);
            input.extend_from_slice(&other[rest..]);
        }
        9 => {
            let piece = input[at..(at + 1 + chance.below(64)).min(input.len())].to_vec();
            input.splice(at..at, piece);
        }
        // A line of another where one of this begins, for what is text.
        _ => {
            let line: Vec<u8> = line_at(other, chance.below(other.len())).to_vec();
            let start = input[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            input.splice(start..start, line);
        }
    }
}

/// Puts `bytes` over those at `at`, as far as there are any.
fn overwrite(input: &mut [u8], at: usize, bytes: &[u8]) {
    input.iter_mut().skip(at).zip(bytes).for_each(|(old, new)| *old = *new);
}

/// The line around a place, with its end.
fn line_at(text: &[u8], at: usize) -> &[u8] {
    let start = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    text[start..].split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default()
}

#[test]
fn every_target_has_a_name_of_its_own_and_a_line_in_the_document() {
    let document = include_str!("../../../docs/fuzzing.md");
    for (position, target) in TARGETS.iter().enumerate() {
        assert!(TARGETS[..position].iter().all(|other| other.name != target.name), "two {}", target.name);
        let line = format!("| `{}` | {} |", target.name, target.reads);
        assert!(document.contains(&line), "docs/fuzzing.md has no line that begins: {line}");
    }
}
