//! The checker. It keeps the sky's accounts beside the sky, from the blocks that all nodes agree on,
//! and holds what clients saw against them, round after round.

use super::{Block, Ending, Event, GIFT, Write};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A write that was said to be final is in no block, or in another one than was said.
    LostWrite { write: u64, node: usize, said: u64, found: Option<u64> },
    /// A write is in two blocks.
    PaidTwice { write: u64, first: u64, second: u64 },
    /// A transfer that nobody asked for, or another one than was asked for.
    NotAsked { height: u64, memo: String },
    /// A write that was refused was done all the same.
    RefusedAndDone { write: u64, height: u64 },
    /// Two nodes hold two blocks at one height.
    Fork { height: u64, nodes: [usize; 2] },
    /// Something was read on a node that is older than what it had said before.
    WentBack { node: usize, from: u64, to: u64, restarted: bool },
    /// A balance is not what the blocks up to that height make it.
    WrongBalance { node: usize, account: usize, height: u64, said: u64, expected: u64 },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostWrite { write, node, said, found } => {
                let found = found.map_or("in none".to_owned(), |height| format!("at {height}"));
                write!(f, "lost write: {write} was final at height {said} by n{}, and is {found}", node + 1)
            }
            Self::PaidTwice { write, first, second } => {
                write!(f, "paid twice: write {write} is at heights {first} and {second}")
            }
            Self::NotAsked { height, memo } => {
                write!(f, "the transfer '{memo}' at height {height} was not asked for like that")
            }
            Self::RefusedAndDone { write, height } => {
                write!(f, "write {write} was refused, and is at height {height}")
            }
            Self::Fork { height, nodes: [one, other] } => {
                write!(f, "fork: n{} and n{} have two blocks at height {height}", one + 1, other + 1)
            }
            Self::WentBack { node, from, to, restarted } => {
                let how = if *restarted { "after a restart" } else { "without a restart" };
                write!(f, "n{} went back from height {from} to {to} {how}", node + 1)
            }
            Self::WrongBalance { node, account, height, said, expected } => write!(
                f,
                "n{} said that account {} has {said} at height {height}, the blocks make {expected}",
                node + 1,
                account + 1
            ),
        }
    }
}

/// The sky's accounts, kept beside it.
#[derive(Debug)]
pub struct Auditor {
    /// The newest block that was checked, and what each account had after it.
    height: u64,
    balances: Vec<u64>,
    /// Balances after each block of the last round.
    after: BTreeMap<u64, Vec<u64>>,
    asked: BTreeMap<String, Write>,
    refused: BTreeSet<u64>,
    done: BTreeMap<u64, u64>,
    /// For each node the newest height that it said, and when.
    said: Vec<Said>,
    blocks: BTreeMap<u64, (usize, String)>,
}

/// What a node said of its height.
#[derive(Debug, Clone, Default)]
struct Said {
    /// Answers that rose: when each came, and the height.
    rises: Vec<(u64, u64)>,
    started_us: u64,
}

impl Said {
    /// The newest height that was known before `at_us`, and when it was said.
    fn before(&self, at_us: u64) -> Option<(u64, u64)> {
        let known = self.rises.iter().take_while(|(when, _)| *when <= at_us);
        known.copied().last()
    }

    fn rise(&mut self, at_us: u64, height: u64) {
        if self.rises.last().is_none_or(|(_, highest)| height > *highest) {
            self.rises.push((at_us, height));
        }
    }
}

impl Auditor {
    /// Begins with what the accounts have after the block at `height`.
    pub fn new(height: u64, balances: Vec<u64>) -> Self {
        let said = vec![Said::default(); balances.len()];
        Self {
            height,
            after: BTreeMap::from([(height, balances.clone())]),
            balances,
            asked: BTreeMap::new(),
            refused: BTreeSet::new(),
            done: BTreeMap::new(),
            said,
            blocks: BTreeMap::new(),
        }
    }

    /// The newest block that was checked.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// Checks what was seen in a round that is over. `events` are in the order of their times of coming.
    pub fn judge(&mut self, events: &[Event], endings: &[Ending]) -> Vec<Violation> {
        let mut found = Vec::new();
        for event in events {
            self.take(event, &mut found);
        }
        self.take_blocks(endings, &mut found);
        for event in events {
            self.hold_against_blocks(event, &mut found);
        }
        for (node, ending) in endings.iter().enumerate() {
            for (account, (height, micros)) in ending.balances.iter().enumerate() {
                self.check_balance(node, account, *height, *micros, &mut found);
            }
        }
        self.forget_old();
        found
    }

    fn take(&mut self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Asked { write, .. } => {
                self.asked.insert(write.memo(), write.clone());
            }
            Event::Refused { write } => {
                self.refused.insert(*write);
            }
            Event::Started { at_us, node } => self.said[*node].started_us = *at_us,
            Event::Read { asked_us, at_us, node, height, block } => {
                self.read(*node, *asked_us, *at_us, *height, found);
                self.see_block(*node, *height, block, found);
            }
            Event::Balance { asked_us, at_us, node, height, .. } => {
                self.read(*node, *asked_us, *at_us, *height, found);
            }
            Event::Acknowledged { at_us, node, height, .. } => self.said[*node].rise(*at_us, *height),
        }
    }

    /// What was asked after something was known may not be older than that.
    fn read(&mut self, node: usize, asked_us: u64, at_us: u64, height: u64, found: &mut Vec<Violation>) {
        let said = &mut self.said[node];
        if let Some((when, known)) = said.before(asked_us)
            && known > height
        {
            let restarted = said.started_us > when;
            found.push(Violation::WentBack { node, from: known, to: height, restarted });
        }
        said.rise(at_us, height);
    }

    fn see_block(&mut self, node: usize, height: u64, block: &str, found: &mut Vec<Violation>) {
        let (first, known) = self.blocks.entry(height).or_insert_with(|| (node, block.to_owned()));
        if known != block {
            found.push(Violation::Fork { height, nodes: [*first, node] });
        }
    }

    /// Goes on along the blocks of the node that has most; all others must have the same as far as
    /// theirs go.
    fn take_blocks(&mut self, endings: &[Ending], found: &mut Vec<Violation>) {
        self.after = BTreeMap::from([(self.height, self.balances.clone())]);
        let Some((longest, model)) = endings.iter().enumerate().max_by_key(|(_, ending)| ending.blocks.len())
        else {
            return;
        };
        for (node, ending) in endings.iter().enumerate() {
            let differs = ending.blocks.iter().zip(&model.blocks).find(|(one, other)| one != other);
            if let Some((block, _)) = differs {
                found.push(Violation::Fork { height: block.height, nodes: [longest, node] });
            }
        }
        for block in &model.blocks {
            self.play(block, found);
        }
    }

    fn play(&mut self, block: &Block, found: &mut Vec<Violation>) {
        for entry in &block.entries {
            let ends = |write: &Write| (Some(write.from), Some(write.to), write.micros);
            let write = self.asked.get(&entry.memo);
            match write.filter(|write| ends(write) == (entry.from, entry.to, entry.micros)) {
                None if entry.memo == GIFT && entry.to.is_none() => {}
                None => {
                    found.push(Violation::NotAsked { height: block.height, memo: entry.memo.clone() });
                }
                Some(write) => {
                    if let Some(first) = self.done.insert(write.number, block.height) {
                        let second = block.height;
                        found.push(Violation::PaidTwice { write: write.number, first, second });
                    }
                    if self.refused.contains(&write.number) {
                        let height = block.height;
                        found.push(Violation::RefusedAndDone { write: write.number, height });
                    }
                }
            }
            // The money moved, whoever wanted that.
            if let Some(from) = entry.from {
                self.balances[from] = self.balances[from].saturating_sub(entry.micros);
            }
            if let Some(to) = entry.to {
                self.balances[to] = self.balances[to].saturating_add(entry.micros);
            }
        }
        self.height = block.height;
        self.after.insert(block.height, self.balances.clone());
    }

    fn hold_against_blocks(&self, event: &Event, found: &mut Vec<Violation>) {
        match event {
            Event::Acknowledged { node, write, height, .. } => {
                let place = self.done.get(write).copied();
                if place != Some(*height) {
                    let (write, node, said) = (*write, *node, *height);
                    found.push(Violation::LostWrite { write, node, said, found: place });
                }
            }
            Event::Balance { node, account, height, micros, .. } => {
                self.check_balance(*node, *account, *height, *micros, found);
            }
            _ => {}
        }
    }

    /// Heights before this round were checked then.
    fn check_balance(&self, node: usize, account: usize, height: u64, said: u64, found: &mut Vec<Violation>) {
        let Some(balances) = self.after.get(&height) else { return };
        let expected = balances[account];
        if said != expected {
            found.push(Violation::WrongBalance { node, account, height, said, expected });
        }
    }

    /// A run may have a thousand rounds: what was checked goes.
    fn forget_old(&mut self) {
        let height = self.height;
        self.blocks.retain(|at, _| *at + 64 > height);
        for said in &mut self.said {
            let keep = said.rises.len().saturating_sub(1);
            said.rises.drain(..keep);
        }
    }
}
