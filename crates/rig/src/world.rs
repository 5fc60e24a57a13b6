//! The world of the rig: a sky of nodes, each a real process in a network and on a disk of its own.

pub mod command;
pub mod disk;
pub mod node;
pub mod place;

use anyhow::{Context, Result, ensure};
use node::Node;
use opensky_client::api::{
    ledger::{BlocksQuery, HeadView},
    membership::InviteRequest,
    transaction::WhereView,
    wallet::{Payee, TransferRequest, WalletQuery},
};
use opensky_types::{Micros, NodeId};
use place::Place;
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::{
    history::{Block, Ending, Entry, Event, GIFT},
    workload::Recorder,
};

/// Credits of the sky, all with the founder at first.
const SUPPLY: &str = "1000000";
/// What each other node is given, in micros.
const SHARE: u64 = 10_000_000_000;
/// How long the sky may take to be one.
const MEET_MAX: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);

/// A sky and what is around it.
#[derive(Debug)]
pub struct World {
    /// Its nodes; the first one founded it.
    pub nodes: Vec<Node>,
    /// Where starts are written down.
    pub recorder: Recorder,
}

impl World {
    /// Founds a sky of `count` nodes, all of them validators, in the folder `home`.
    pub fn found(home: &Path, count: u8, own_disks: bool) -> Result<Self> {
        place::make_bridge()?;
        let make = |number: u8| {
            let (name, address) = (format!("n{number}"), place::address(number));
            Node::make(home, &name, Place::at_bridge(&name, address)?, address, own_disks)
        };
        let mut nodes = (1..=count).map(make).collect::<Result<Vec<_>>>()?;
        let ids = nodes.iter().map(|node| node.id.to_string()).collect::<Vec<_>>().join(",");
        let founding = ["--economy", "paid", "--supply", SUPPLY, "--validators", &ids];
        nodes[0].start(&founding)?;
        let request = InviteRequest { uses_max: u32::from(count), ..InviteRequest::default() };
        let token = nodes[0].call(async |client| client.invite(&request).await)?.token;
        for node in &mut nodes[1..] {
            node.start(&["--join", &token])?;
        }
        let world = Self { nodes, recorder: Recorder::new() };
        world.meet()?;
        world.share()?;
        Ok(world)
    }

    /// Waits until all are connected and blocks are made.
    fn meet(&self) -> Result<()> {
        let others = u32::try_from(self.nodes.len() - 1)?;
        wait("the nodes to meet", MEET_MAX, || {
            let met = |node: &Node| node.call(async |client| client.status().await);
            Ok(self.nodes.iter().all(|node| met(node).is_ok_and(|status| status.network.peers >= others)))
        })?;
        self.reach(1, MEET_MAX)
    }

    /// Gives each other node money of the founder.
    fn share(&self) -> Result<()> {
        self.nodes[1..].iter().try_for_each(|node| self.give(node.id, SHARE))?;
        let height = self.heads()?.iter().map(|head| head.height).max().unwrap_or_default();
        self.reach(height, MEET_MAX)
    }

    /// Gives a node money of the founder, and waits until that is final.
    pub fn give(&self, node: NodeId, micros: u64) -> Result<()> {
        let founder = &self.nodes[0];
        let request = TransferRequest {
            to: Payee::of_node(node),
            amount_micros: Micros::new(micros),
            memo: GIFT.to_owned(),
            dry_run: false,
        };
        let sent = founder.call(async |client| client.transfer(&request).await)?;
        let id = sent.id.context("a transaction has an id")?;
        wait("a transfer to be final", MEET_MAX, || {
            let seen = founder.call(async |client| client.transaction(id, Duration::from_secs(2)).await)?;
            Ok(seen.standing == WhereView::Final)
        })
    }

    /// The newest final block of each node; every one has to answer.
    pub fn heads(&self) -> Result<Vec<HeadView>> {
        self.nodes.iter().map(head).collect()
    }

    /// Starts these nodes again, all at once, and returns how many seconds each took until it answered.
    pub fn restart(&mut self, numbers: &[usize]) -> Result<Vec<f64>> {
        for node in numbers {
            self.recorder.record(Event::Started { at_us: self.recorder.now_us(), node: *node });
        }
        let nodes = self.nodes.iter_mut().enumerate().filter(|(number, _)| numbers.contains(number));
        thread::scope(|scope| {
            let starts: Vec<_> = nodes.map(|(_, node)| scope.spawn(move || node.start(&[]))).collect();
            let joined = starts.into_iter().map(|start| match start.join() {
                Ok(took) => Ok(took?.as_secs_f64()),
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.collect()
        })
    }

    /// Waits until every node is at `height` or above.
    pub fn reach(&self, height: u64, within: Duration) -> Result<()> {
        let begun = Instant::now();
        let mut missing: Vec<&Node> = self.nodes.iter().collect();
        loop {
            missing.retain(|node| !head(node).is_ok_and(|head| head.height >= height));
            if missing.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > within {
                let names: Vec<String> = missing.iter().map(|node| describe(node)).collect();
                anyhow::bail!("after {} s not at height {height}: {}", within.as_secs(), names.join(", "));
            }
            thread::sleep(LOOK);
        }
    }

    /// What a node says at the end of a round: everyone's balance, and its blocks from `from` on.
    pub fn ending(&self, number: usize, from: u64) -> Result<Ending> {
        let node = &self.nodes[number];
        let mut balances = Vec::new();
        for owner in &self.nodes {
            let query = WalletQuery { account: Some(Payee::of_node(owner.id)) };
            let wallet = node.call(async |client| client.wallet(&query).await)?;
            balances.push((wallet.head.height, wallet.total.available().get()));
        }
        let to = balances.iter().map(|(height, _)| *height).max().unwrap_or_default();
        Ok(Ending { balances, blocks: self.blocks(node, from, to)? })
    }

    fn blocks(&self, node: &Node, from: u64, to: u64) -> Result<Vec<Block>> {
        let mut blocks = Vec::new();
        let mut next = from;
        while next <= to {
            let query = BlocksQuery { from: Some(next) };
            let page = node.call(async |client| client.ledger_blocks(&query).await)?;
            ensure!(!page.blocks.is_empty(), "{} has no block {next}", node.name);
            for digits in page.blocks.iter().take(usize::try_from(to - next + 1)?) {
                blocks.push(self.read(next, digits)?);
                next += 1;
            }
        }
        Ok(blocks)
    }

    fn read(&self, height: u64, digits: &str) -> Result<Block> {
        let (block, _) = opensky_chain::read_block(&hex::decode(digits)?)?;
        ensure!(block.header.height == height, "block {} where {height} was asked for", block.header.height);
        let account =
            |id| self.nodes.iter().position(|node| opensky_types::AccountId::of_node(node.id) == id);
        let mut entries = Vec::new();
        for signed in &block.transactions {
            let checked = signed.clone().check()?;
            let by = account(checked.transaction.account);
            if let opensky_ledger::action::Action::Transfer { to, amount, memo } = &checked.transaction.action
            {
                entries.push(Entry {
                    memo: memo.to_string(),
                    from: by,
                    to: account(*to),
                    micros: amount.get(),
                });
            }
        }
        Ok(Block { height, id: block.id().to_string(), entries })
    }
}

fn head(node: &Node) -> Result<HeadView> {
    Ok(node.call(async |client| client.ledger().await)?.head)
}

fn describe(node: &Node) -> String {
    match node.call(async |client| client.ledger().await) {
        Ok(ledger) => {
            let note =
                if ledger.role_note.is_empty() { String::new() } else { format!(": {}", ledger.role_note) };
            format!("{} at {} ({}{note})", node.name, ledger.head.height, ledger.role.as_str())
        }
        Err(error) => format!("{} ({error:#})", node.name),
    }
}

/// Waits until something holds.
pub fn wait(what: &str, within: Duration, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !holds()? {
        ensure!(begun.elapsed() < within, "waited {} s in vain for {what}", within.as_secs());
        thread::sleep(LOOK);
    }
    Ok(())
}
