//! Final blocks on their way to the chain, in order; at an epoch's end, to those who vote next.

use crate::{
    app::Progress,
    block::{Block, BlockId},
    certificate::Certificate,
    config::Rules,
    link::Link,
    schemes::Schemes,
    validators::ValidatorSet,
    wire::Marshal,
};
use commonware_actor::Feedback;
use commonware_consensus::{Reporter, marshal::Update, types::Height};
use commonware_utils::{Acknowledgement, acknowledgement::Exact};
use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
};
use tokio::sync::mpsc;

/// How often old blocks are dropped, in blocks.
const PRUNE_EVERY: u64 = 1_000;

/// An epoch is over: the next one may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Border {
    /// The epoch that begins.
    pub(crate) epoch: u64,
    /// Who votes in it.
    pub(crate) validators: ValidatorSet,
    /// The last block of the epoch before, on which the new one builds.
    pub(crate) last_block: BlockId,
}

/// Where the engine reports final blocks. The queue is bounded by the engine, which waits for blocks
/// to be acknowledged.
#[derive(Clone)]
pub(crate) struct Inbox(mpsc::UnboundedSender<Update<Block>>);

pub(crate) fn inbox() -> (Inbox, mpsc::UnboundedReceiver<Update<Block>>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Inbox(sender), receiver)
}

impl Reporter for Inbox {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        self.0.send(update).map_or(Feedback::Closed, |()| Feedback::Ok)
    }
}

/// Takes final blocks to the chain.
pub(crate) struct Delivery {
    pub(crate) rules: Arc<Rules>,
    pub(crate) link: Link,
    pub(crate) marshal: Marshal,
    pub(crate) schemes: Schemes,
    pub(crate) progress: Arc<Progress>,
    pub(crate) borders: mpsc::UnboundedSender<Border>,
}

/// A final block that the chain was not given yet. The engine waits for the acknowledgement, if it gave
/// the block.
type Waiting = (Block, Option<Exact>);

impl Delivery {
    /// Runs until the engine or the chain is gone. `awaited` is the first block to deliver, if the engine
    /// may have forgotten that it did not.
    pub(crate) async fn run(
        self,
        awaited: Option<Block>,
        mut updates: mpsc::UnboundedReceiver<Update<Block>>,
    ) {
        let mut waiting: VecDeque<Waiting> = awaited.map(|block| (block, None)).into_iter().collect();
        while let Some(update) = updates.recv().await {
            match update {
                Update::Tip(_, height, _) => {
                    self.progress.certified.fetch_max(height.get(), Ordering::AcqRel);
                }
                Update::Block(block, acknowledgement) => {
                    waiting.push_back((block.inner().clone(), Some(acknowledgement)));
                }
            }
            if self.deliver_all(&mut waiting).await.is_none() {
                return;
            }
        }
    }

    /// Delivers what waits, up to an epoch's last block whose certificate is not here yet: without it
    /// nobody can be shown who votes in the next epoch. A later update comes with the certificate.
    async fn deliver_all(&self, waiting: &mut VecDeque<Waiting>) -> Option<()> {
        while let Some((block, _)) = waiting.front() {
            let height = Height::new(block.header().height);
            let certificate = self.marshal.get_finalization(height).await.map(Certificate::new);
            if certificate.is_none() && block.header().next_validators.is_some() {
                tracing::warn!(%height, "the certificate of an epoch's last block is waited for");
                return Some(());
            }
            let (block, acknowledgement) = waiting.pop_front()?;
            self.deliver(block, certificate).await?;
            if let Some(acknowledgement) = acknowledgement {
                acknowledgement.acknowledge();
            }
        }
        Some(())
    }

    async fn deliver(&self, block: Block, certificate: Option<Certificate>) -> Option<()> {
        let height = block.header().height;
        self.link.finalized(block.clone(), certificate).await.ok()?;
        self.progress.certified.fetch_max(height, Ordering::AcqRel);
        self.progress.delivered.fetch_max(height, Ordering::AcqRel);
        if let Some(validators) = block.header().next_validators.clone() {
            let epoch = self.rules.epoch_length.epoch_of(height + 1);
            // The engine must know the set before it hears of the border, or it ignores the new
            // epoch's certificates.
            self.schemes.insert(epoch, validators.clone());
            self.borders.send(Border { epoch, validators, last_block: block.id() }).ok()?;
        }
        if height.is_multiple_of(PRUNE_EVERY) {
            self.marshal.prune(Height::new(height.saturating_sub(self.rules.blocks_kept)));
        }
        Some(())
    }
}
