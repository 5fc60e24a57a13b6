//! The door to the ledger: reading it, and acting on it with this node's account.

use super::{Handle, NodeGone};
use crate::{fetch::blocking, ledger::AutoTransfer, requests::Request};
use opensky_ledger::{action::Action, event::Event, rejection::Rejection, transaction::SignedTransaction};
use opensky_ports::{
    LedgerEngine,
    ledger::{SubmitError, Whereabouts},
};
use opensky_types::{AccountId, Hash};
use std::{sync::Arc, time::Duration};
use tokio::{sync::broadcast::error::RecvError, time::Instant};

/// Why the node did not act on the ledger.
#[derive(Debug, thiserror::Error)]
pub enum TransactError {
    /// The rules do not allow it now.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The transaction was not taken in.
    #[error("{0}")]
    Refused(String),
    /// Another node has to sign too, and did not.
    #[error("{0}")]
    NotApproved(String),
    /// The node stopped.
    #[error(transparent)]
    Gone(#[from] NodeGone),
}

impl From<SubmitError> for TransactError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Rejected(rejection) => Self::Rejected(rejection),
            SubmitError::Malformed(_) | SubmitError::Full(_) => Self::Refused(error.to_string()),
        }
    }
}

impl Handle {
    /// The account that this node acts for.
    pub fn account(&self) -> AccountId {
        AccountId::of_node(self.node)
    }

    /// Asks the ledger something, where waiting is allowed.
    pub async fn ledger<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn LedgerEngine) -> T + Send + 'static,
    ) -> T {
        let ledger = Arc::clone(&self.ledger);
        blocking(move || ask(ledger.as_ref())).await
    }

    /// Acts with this node's account, signed with its key. Once this returns, the transaction waits
    /// for a block; [`Handle::settled`] waits for it.
    pub async fn transact(&self, action: Action) -> Result<Hash, TransactError> {
        self.ask(|answer| Request::Transact { action: Box::new(action), answer }).await?
    }

    /// What would come of it if it were done now; nothing is done.
    pub async fn try_transact(&self, action: Action) -> Result<Vec<Event>, TransactError> {
        self.ask(|answer| Request::TryTransact { action: Box::new(action), answer }).await?
    }

    /// Passes on a transaction that somebody else signed.
    pub async fn submit_transaction(&self, signed: SignedTransaction) -> Result<Hash, TransactError> {
        self.ask(|answer| Request::SubmitTransaction { signed: Box::new(signed), answer }).await?
    }

    /// Where a transaction is, once it is final, is given up, or `patience` is over.
    pub async fn settled(&self, id: Hash, patience: Duration) -> Whereabouts {
        let until = Instant::now() + patience;
        // Listening starts before the first look, so that no block slips in between.
        let mut news = self.ledger.subscribe();
        loop {
            let found = self.ledger(move |ledger| ledger.whereabouts(&id)).await;
            if found != Whereabouts::Waiting {
                return found;
            }
            match tokio::time::timeout_at(until, news.recv()).await {
                Ok(Ok(_) | Err(RecvError::Lagged(_))) => {}
                Ok(Err(RecvError::Closed)) | Err(_) => return found,
            }
        }
    }

    /// The automatic transfers of this node's account.
    pub async fn auto_transfers(&self) -> Result<Vec<AutoTransfer>, NodeGone> {
        self.ask(Request::AutoTransfers).await
    }

    /// Replaces them.
    pub async fn set_auto_transfers(&self, transfers: Vec<AutoTransfer>) -> Result<(), NodeGone> {
        self.ask(|answer| Request::SetAutoTransfers { transfers, answer }).await
    }
}
