//! The bridge to the chain: calls are messages, so that neither the engine's runtime nor the node's
//! ever runs the other's work.

use crate::{
    block::{Block, BlockId},
    certificate::Certificate,
    chain::{Chain, Failure, Place, Proposal, Tip},
    evidence::Evidence,
    validators::ValidatorSet,
};
use tokio::sync::{mpsc, oneshot};

/// Calls that may wait for the chain; the engine has few at a time.
const CALLS_MAX: usize = 64;

/// A call and where its answer goes. A caller that no longer waits is no error.
pub(crate) enum Call {
    Tip(oneshot::Sender<Tip>),
    Validators(u64, oneshot::Sender<Option<ValidatorSet>>),
    Knows(BlockId, oneshot::Sender<bool>),
    Propose(Place, oneshot::Sender<Option<Proposal>>),
    Verify(Block, oneshot::Sender<bool>),
    Finalized(Block, Option<Certificate>, oneshot::Sender<()>),
    Offence(Evidence),
}

/// The chain is gone: it failed, or the validator stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chain answers no more")]
pub(crate) struct Gone;

/// The engine's end of the bridge.
#[derive(Clone)]
pub(crate) struct Link {
    calls: mpsc::Sender<Call>,
}

/// A bridge: the engine's end and what [`serve`] reads.
pub(crate) fn link() -> (Link, mpsc::Receiver<Call>) {
    let (calls, receiver) = mpsc::channel(CALLS_MAX);
    (Link { calls }, receiver)
}

impl Link {
    async fn call<T>(&self, call: impl FnOnce(oneshot::Sender<T>) -> Call) -> Result<T, Gone> {
        let (answer, answered) = oneshot::channel();
        self.calls.send(call(answer)).await.map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }

    pub(crate) async fn tip(&self) -> Result<Tip, Gone> {
        self.call(Call::Tip).await
    }

    pub(crate) async fn validators(&self, epoch: u64) -> Result<Option<ValidatorSet>, Gone> {
        self.call(|answer| Call::Validators(epoch, answer)).await
    }

    pub(crate) async fn knows(&self, block: BlockId) -> Result<bool, Gone> {
        self.call(|answer| Call::Knows(block, answer)).await
    }

    pub(crate) async fn propose(&self, place: Place) -> Result<Option<Proposal>, Gone> {
        self.call(|answer| Call::Propose(place, answer)).await
    }

    pub(crate) async fn verify(&self, block: Block) -> Result<bool, Gone> {
        self.call(|answer| Call::Verify(block, answer)).await
    }

    pub(crate) async fn finalized(&self, block: Block, certificate: Option<Certificate>) -> Result<(), Gone> {
        self.call(|answer| Call::Finalized(block, certificate, answer)).await
    }

    pub(crate) async fn offence(&self, evidence: Evidence) -> Result<(), Gone> {
        self.calls.send(Call::Offence(evidence)).await.map_err(|_| Gone)
    }
}

/// Answers calls on a thread of the chain's own until the engine is gone or the chain fails.
pub(crate) fn serve_blocking<C: Chain>(mut chain: C, mut calls: mpsc::Receiver<Call>) -> Result<(), Failure> {
    let mut height = chain.tip().height;
    while let Some(call) = calls.blocking_recv() {
        answer(&mut chain, &mut height, call)?;
    }
    Ok(())
}

/// The same as a task, for runtimes that must run everything themselves, such as a simulation.
#[cfg(test)]
pub(crate) async fn serve<C: Chain>(mut chain: C, mut calls: mpsc::Receiver<Call>) -> Result<(), Failure> {
    let mut height = chain.tip().height;
    while let Some(call) = calls.recv().await {
        answer(&mut chain, &mut height, call)?;
    }
    Ok(())
}

fn answer<C: Chain>(chain: &mut C, height: &mut u64, call: Call) -> Result<(), Failure> {
    match call {
        Call::Tip(to) => ignore(to.send(chain.tip())),
        Call::Validators(epoch, to) => ignore(to.send(chain.validators(epoch))),
        Call::Knows(block, to) => ignore(to.send(chain.knows(block))),
        // Finality may have moved past the parent since the engine asked what the chain knows. Then
        // there is no answer, and the engine takes none for no vote.
        Call::Propose(place, _) if !chain.knows(place.parent) => {}
        Call::Propose(place, to) => ignore(to.send(chain.propose(&place))),
        Call::Verify(block, to) if chain.knows(block.id()) => ignore(to.send(true)),
        Call::Verify(block, _) if !chain.knows(block.header().parent) => {}
        Call::Verify(block, to) => ignore(to.send(chain.verify(&block))),
        Call::Offence(evidence) => chain.offence(&evidence),
        Call::Finalized(block, certificate, to) => {
            // The engine delivers at least once; the chain sees each block once.
            if block.header().height > *height {
                chain.finalized(&block, certificate.as_ref())?;
                *height = block.header().height;
            }
            ignore(to.send(()));
        }
    }
    Ok(())
}

/// A caller that stopped waiting for its answer is no error: the engine drops work it has moved past.
fn ignore<T>(_: Result<(), T>) {}
