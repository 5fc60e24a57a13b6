//! The application as the engine sees it: proposes and verifies blocks by asking the chain, after
//! checking everything that is not the chain's.

use crate::{
    block::{Block, Draft, Header},
    chain::{Place, Proposal},
    config::Rules,
    link::{Gone, Link},
    pace::{Timing, Turn, judge_time, millis, turn},
    schemes::Schemes,
    wire::{Context, Scheme},
};
use commonware_consensus::{Application, Epochable, marshal::ancestry::Ancestry};
use commonware_cryptography::{Digested, Digestible};
use commonware_runtime::{Clock, Metrics, Spawner};
use futures::StreamExt;
use opensky_types::Hash;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::sync::Notify;

/// Blocks that were agreed on and are not final yet never stack higher: a longer gap means that this
/// validator is behind, and final blocks close it.
const UNKNOWN_ANCESTORS_MAX: usize = 64;

/// How far finality is, for those who decide by it.
#[derive(Default)]
pub(crate) struct Progress {
    /// Highest block under a certificate.
    pub(crate) certified: AtomicU64,
    /// Highest final block given to the chain.
    pub(crate) delivered: AtomicU64,
}

/// The application; clones are the same one.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) sky: Hash,
    pub(crate) rules: Arc<Rules>,
    pub(crate) link: Link,
    pub(crate) work: Arc<Notify>,
    pub(crate) schemes: Schemes,
    pub(crate) progress: Arc<Progress>,
}

impl App {
    /// Makes the chain know the first block of `ancestry`, and returns it: blocks that other
    /// validators agreed on before this one saw them are verified first, oldest first.
    async fn learn(&self, mut ancestry: impl Ancestry<Block>) -> Result<Option<Block>, Gone> {
        let mut unknown: Vec<Block> = Vec::new();
        while let Some(block) = ancestry.next().await {
            let block = block.inner().clone();
            let known = self.link.knows(block.id()).await?;
            if !known && block.header().height <= self.progress.delivered.load(Ordering::Acquire) {
                return Ok(None);
            }
            unknown.push(block);
            if known {
                return self.verify_upwards(unknown).await;
            }
            if unknown.len() > UNKNOWN_ANCESTORS_MAX {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Verifies `blocks`, newest first, of which the last is known; returns the newest.
    async fn verify_upwards(&self, blocks: Vec<Block>) -> Result<Option<Block>, Gone> {
        for block in blocks.iter().rev().skip(1) {
            if !self.link.verify(block.clone()).await? {
                tracing::error!(height = block.header().height, block = %block.id(), "validators agreed on a block that is wrong here");
                return Ok(None);
            }
        }
        Ok(blocks.into_iter().next())
    }

    fn place(&self, parent: &Header, parent_id: crate::BlockId, now_ms: u64, even_empty: bool) -> Place {
        let height = parent.height + 1;
        let epoch = self.rules.epoch_length.epoch_of(height);
        Place {
            parent: parent_id,
            height,
            epoch,
            // A parent from a clock ahead of ours still has to come first.
            time_ms: now_ms.max(parent.time_ms.saturating_add(1)),
            even_empty,
            ends_epoch: height == self.rules.epoch_length.last(epoch),
            body_bytes_max: self.rules.body_bytes_max,
        }
    }

    /// Waits for something to propose on `parent`, as long as a leader may.
    async fn block_on(&self, clock: &impl Clock, parent: &Block) -> Result<Option<Block>, Gone> {
        let started = clock.current();
        loop {
            let mut work = std::pin::pin!(self.work.notified());
            // Listening starts before the chain is asked, so that no work slips in between.
            work.as_mut().enable();
            let now = clock.current();
            let now_ms = unix_ms(now);
            let turn = turn(
                &self.rules.pacing,
                now.duration_since(started).unwrap_or_default(),
                Duration::from_millis(now_ms.saturating_sub(parent.header().time_ms)),
                parent.header().height <= self.progress.certified.load(Ordering::Acquire),
            );
            let place = self.place(parent.header(), parent.id(), now_ms, turn == Turn::EvenEmpty);
            if let Some(proposal) = self.link.propose(place.clone()).await? {
                return Ok(self.build(place, proposal));
            }
            match turn {
                Turn::Wait(wait) => tokio::select! {
                    biased;
                    () = work => {}
                    () = clock.sleep(wait) => {}
                },
                Turn::Pass | Turn::EvenEmpty => return Ok(None),
            }
        }
    }

    fn build(&self, place: Place, proposal: Proposal) -> Option<Block> {
        let validators = self.schemes.set(place.epoch)?.hash();
        if proposal.body.len() > place.body_bytes_max
            || proposal.next_validators.is_some() != place.ends_epoch
        {
            tracing::error!(
                height = place.height,
                size_bytes = proposal.body.len(),
                "the chain proposed what no one would accept"
            );
            return None;
        }
        let draft = Draft {
            sky: self.sky,
            epoch: place.epoch,
            height: place.height,
            parent: place.parent,
            time_ms: place.time_ms,
            validators,
            next_validators: proposal.next_validators,
            commitment: proposal.commitment,
        };
        Some(Block::build(draft, proposal.body))
    }

    /// Whether a header is what it must be at its place, apart from its time.
    fn fits(&self, header: &Header, epoch: u64) -> bool {
        let length = self.rules.epoch_length;
        header.sky == self.sky
            && header.epoch == epoch
            && length.epoch_of(header.height) == epoch
            && self.schemes.set(epoch).is_some_and(|set| set.hash() == header.validators)
            && header.next_validators.is_some() == (header.height == length.last(epoch))
    }

    async fn is_right(
        &self,
        clock: &impl Clock,
        epoch: u64,
        mut ancestry: impl Ancestry<Block>,
    ) -> Result<Option<bool>, Gone> {
        let Some(block) = ancestry.next().await else { return Ok(None) };
        let parents = ancestry.clone();
        let Some(parent) = ancestry.next().await else { return Ok(None) };
        let header = block.inner().header();
        if !self.fits(header, epoch) {
            return Ok(Some(false));
        }
        loop {
            match judge_time(header.time_ms, parent.inner().header().time_ms, unix_ms(clock.current())) {
                Timing::Good => break,
                Timing::Wrong => return Ok(Some(false)),
                Timing::Early(early) => clock.sleep(early).await,
            }
        }
        if self.learn(parents).await?.is_none() {
            return Ok(None);
        }
        self.link.verify(block.inner().clone()).await.map(Some)
    }
}

impl<E: Clock + Spawner + Metrics> Application<E> for App {
    type SigningScheme = Scheme;
    type Context = Context;
    type Block = Block;
    type Input = ();

    async fn propose(
        &mut self,
        (clock, _): (E, Context),
        ancestry: impl Ancestry<Block>,
        (): (),
    ) -> Option<Digested<Block>> {
        let parent = self.learn(ancestry).await.ok()??;
        let block = self.block_on(&clock, &parent).await.ok()??;
        let digest = block.digest();
        Some(Digested::precomputed(block, digest))
    }

    async fn verify(&mut self, (clock, context): (E, Context), ancestry: impl Ancestry<Block>) -> bool {
        match self.is_right(&clock, context.epoch().get(), ancestry).await {
            Ok(Some(right)) => right,
            // No verdict is no vote, and neither yes nor no: the engine cancels this when it moves on.
            Ok(None) | Err(Gone) => std::future::pending().await,
        }
    }
}

fn unix_ms(time: SystemTime) -> u64 {
    millis(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}
