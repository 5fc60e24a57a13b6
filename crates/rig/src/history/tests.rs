//! Bad histories, each with the one thing that is wrong with it.

use super::{Auditor, Block, Ending, Entry, Event, Write, audit::Violation};

fn write(number: u64) -> Write {
    Write { number, from: 0, to: 1, micros: 10 }
}

fn asked(number: u64) -> Event {
    Event::Asked { at_us: number, write: write(number) }
}

fn acknowledged(number: u64, height: u64) -> Event {
    Event::Acknowledged { at_us: 100, node: 0, write: number, height, asked_us: 1 }
}

fn read(at_us: u64, height: u64) -> Event {
    Event::Read { asked_us: at_us - 1, at_us, node: 0, height, block: format!("b{height}") }
}

fn block(height: u64, writes: &[u64]) -> Block {
    let entries = writes.iter().map(|number| {
        let write = write(*number);
        Entry { memo: write.memo(), from: Some(write.from), to: Some(write.to), micros: write.micros }
    });
    Block { height, id: format!("b{height}"), entries: entries.collect() }
}

/// Both nodes end alike, after blocks 6 and on with these writes; 10 micros each.
fn endings(blocks: &[&[u64]]) -> Vec<Ending> {
    let blocks: Vec<Block> = (6..).zip(blocks).map(|(height, writes)| block(height, writes)).collect();
    let height = 5 + blocks.len() as u64;
    let moved = 10 * blocks.iter().map(|block| block.entries.len() as u64).sum::<u64>();
    let ending = Ending { balances: vec![(height, 1_000 - moved), (height, moved)], blocks };
    vec![ending.clone(), ending]
}

fn auditor() -> Auditor {
    Auditor::new(5, vec![1_000, 0])
}

#[test]
fn a_good_history_passes_and_goes_on_in_the_next_round() {
    let mut auditor = auditor();
    let events = [asked(1), asked(2), acknowledged(1, 6), read(101, 6), read(102, 7)];
    assert_eq!(auditor.judge(&events, &endings(&[&[1], &[]])), []);
    assert_eq!(auditor.height(), 7);
    // Write 2 was never answered, and came into a block later.
    let late = Ending { balances: vec![(8, 980), (8, 20)], blocks: vec![block(8, &[2])] };
    assert_eq!(auditor.judge(&[read(200, 8)], &[late.clone(), late]), []);
}

#[test]
fn a_write_that_was_acknowledged_may_not_be_missing() {
    let found = auditor().judge(&[asked(1), acknowledged(1, 6)], &endings(&[&[], &[]]));
    assert_eq!(found, [Violation::LostWrite { write: 1, node: 0, said: 6, found: None }]);
    let found = auditor().judge(&[asked(1), acknowledged(1, 6)], &endings(&[&[], &[1]]));
    assert_eq!(found, [Violation::LostWrite { write: 1, node: 0, said: 6, found: Some(7) }]);
}

#[test]
fn a_write_may_not_be_done_twice_not_even_rounds_later() {
    let found = auditor().judge(&[asked(1)], &endings(&[&[1], &[1]]));
    assert_eq!(found, [Violation::PaidTwice { write: 1, first: 6, second: 7 }]);
    let mut auditor = auditor();
    assert_eq!(auditor.judge(&[asked(1)], &endings(&[&[1]])), []);
    let again = Ending { balances: vec![(7, 980), (7, 20)], blocks: vec![block(7, &[1])] };
    let found = auditor.judge(&[], &[again.clone(), again]);
    assert_eq!(found, [Violation::PaidTwice { write: 1, first: 6, second: 7 }]);
}

#[test]
fn nothing_moves_that_nobody_asked_for_or_that_was_refused() {
    let found = auditor().judge(&[], &endings(&[&[9]]));
    assert_eq!(found, [Violation::NotAsked { height: 6, memo: "rig 9".into() }]);
    let found = auditor().judge(&[asked(1), Event::Refused { write: 1 }], &endings(&[&[1]]));
    assert_eq!(found, [Violation::RefusedAndDone { write: 1, height: 6 }]);
    let mut changed = endings(&[&[1]]);
    for ending in &mut changed {
        ending.blocks[0].entries[0].micros = 11;
        ending.balances = vec![(6, 989), (6, 11)];
    }
    let found = auditor().judge(&[asked(1)], &changed);
    assert_eq!(found, [Violation::NotAsked { height: 6, memo: "rig 1".into() }]);
}

#[test]
fn reads_on_one_node_never_go_back_in_time() {
    let history = [read(10, 7), read(20, 6)];
    let found = auditor().judge(&history, &endings(&[&[], &[]]));
    assert_eq!(found, [Violation::WentBack { node: 0, from: 7, to: 6, restarted: false }]);
    let history = [read(10, 7), Event::Started { at_us: 15, node: 0 }, read(20, 6)];
    let found = auditor().judge(&history, &endings(&[&[], &[]]));
    assert_eq!(found, [Violation::WentBack { node: 0, from: 7, to: 6, restarted: true }]);
    let history = [asked(1), acknowledged(1, 6), read(200, 5)];
    let found = auditor().judge(&history, &endings(&[&[1]]));
    assert_eq!(found, [Violation::WentBack { node: 0, from: 6, to: 5, restarted: false }]);
}

#[test]
fn reads_at_one_time_may_overtake_each_other() {
    // Both were under way at once, so either may have been answered from before the other.
    let early = Event::Read { asked_us: 5, at_us: 20, node: 0, height: 6, block: "b6".into() };
    assert_eq!(auditor().judge(&[read(10, 7), early], &endings(&[&[], &[]])), []);
}

#[test]
fn two_blocks_at_one_height_are_a_fork() {
    let other = Event::Read { asked_us: 11, at_us: 12, node: 1, height: 6, block: "x".into() };
    let found = auditor().judge(&[read(10, 6), other], &endings(&[&[]]));
    assert_eq!(found, [Violation::Fork { height: 6, nodes: [0, 1] }]);
    let mut forked = endings(&[&[], &[]]);
    forked[0].blocks[1].id = "x".into();
    let found = auditor().judge(&[], &forked);
    assert!(matches!(found[..], [Violation::Fork { height: 7, .. }]), "{found:?}");
}

#[test]
fn balances_are_what_the_blocks_make_them_at_every_height() {
    let balance =
        |height, micros| Event::Balance { asked_us: 9, at_us: 10, node: 1, account: 1, height, micros };
    let blocks: &[&[u64]] = &[&[1], &[2]];
    let good = [asked(1), asked(2), balance(6, 10)];
    assert_eq!(auditor().judge(&good, &endings(blocks)), []);
    let found = auditor().judge(&[asked(1), asked(2), balance(6, 20)], &endings(blocks));
    assert_eq!(found, [Violation::WrongBalance { node: 1, account: 1, height: 6, said: 20, expected: 10 }]);
    let mut short = endings(blocks);
    short[0].balances[0].1 -= 1;
    let found = auditor().judge(&[asked(1), asked(2)], &short);
    assert_eq!(found, [Violation::WrongBalance { node: 0, account: 0, height: 7, said: 979, expected: 980 }]);
}
