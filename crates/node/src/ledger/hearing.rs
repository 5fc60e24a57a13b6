//! Transactions of others: checked together as they come in, and passed on only if they could be in the
//! next block. While some are checked the next ones gather, so a busy sky costs a fraction for each.

use crate::{fetch::blocking, node::Node, requests::tell};
use opensky_ledger::transaction::SignedTransaction;
use opensky_ports::{
    LedgerEngine,
    ledger::{SubmitError, Taken},
    transport::GossipVerdict,
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Transactions that may wait to be checked; more are left to other nodes.
pub(crate) const HEARD_MAX: usize = 4_096;
/// Most that are checked together.
const TOGETHER_MAX: usize = 256;

/// A transaction that was heard, with the way back to whoever passed it on.
pub(crate) struct Heard {
    signed: SignedTransaction,
    verdict: oneshot::Sender<GossipVerdict>,
}

/// Judges what is heard, until the node ends.
pub(crate) async fn judge(mut heard: mpsc::Receiver<Heard>, engine: Arc<dyn LedgerEngine>) {
    let mut together = Vec::new();
    while heard.recv_many(&mut together, TOGETHER_MAX).await > 0 {
        let (signed, verdicts): (Vec<_>, Vec<_>) =
            together.drain(..).map(|heard| (heard.signed, heard.verdict)).unzip();
        let engine = Arc::clone(&engine);
        let taken = blocking(move || engine.submit_all(signed)).await;
        taken.iter().zip(verdicts).for_each(|(taken, verdict)| tell(verdict, verdict_on(taken)));
    }
}

const fn verdict_on(taken: &Result<Taken, SubmitError>) -> GossipVerdict {
    match taken {
        Ok(taken) if taken.is_new => GossipVerdict::Accept,
        Err(SubmitError::Malformed(_)) => GossipVerdict::Reject,
        // Nodes are at different heights: what one rejects, another may not.
        Ok(_) | Err(SubmitError::Rejected(_) | SubmitError::Full(_)) => GossipVerdict::Ignore,
    }
}

impl Node {
    /// A transaction of someone else.
    pub(crate) fn on_transaction_heard(&self, bytes: &[u8], verdict: oneshot::Sender<GossipVerdict>) {
        let Ok(signed) = SignedTransaction::decode(bytes) else {
            return tell(verdict, GossipVerdict::Reject);
        };
        if let Err(error) = self.ledger.heard.try_send(Heard { signed, verdict }) {
            tell(error.into_inner().verdict, GossipVerdict::Ignore);
        }
    }
}
