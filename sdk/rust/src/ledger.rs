//! The ledger: where it stands, its blocks, proofs, validators, and what becomes final.

use crate::{
    Client, ClientError,
    client::{QueryWith, bad_answer},
    sse::{Event, Parser},
};
use opensky_api::{
    checkpoint::{CheckpointQuery, CheckpointView},
    ledger::{Blocks, BlocksQuery, LedgerEvent, LedgerView, ProofQuery},
    routes,
    transaction::{SubmitRequest, TransactionQuery, TransactionView},
    validators::{DryRunQuery, ValidatorRequest, Validators},
};
use opensky_types::{Hash, NodeId};
use reqwest::{Method, Response};
use std::{collections::VecDeque, time::Duration};

/// How much longer than a wait that was asked for its answer may take.
const WAIT_SPARE: Duration = Duration::from_secs(15);

impl Client {
    /// The ledger in one screen.
    pub async fn ledger(&self) -> Result<LedgerView, ClientError> {
        self.get(routes::LEDGER).await
    }

    /// Final blocks in a row, as many as fit into one answer.
    pub async fn ledger_blocks(&self, query: &BlocksQuery) -> Result<Blocks, ClientError> {
        let path = routes::LEDGER_BLOCKS;
        self.json(path, self.request(Method::GET, path).query_with(query)).await
    }

    /// A self-contained proof of one entry of the state, or of its absence.
    pub async fn ledger_proof(&self, query: &ProofQuery) -> Result<Vec<u8>, ClientError> {
        let path = routes::LEDGER_PROOF;
        let answer = self.send(self.request(Method::GET, path).query_with(query)).await?;
        Ok(answer.bytes().await.map_err(|source| bad_answer(path, source))?.to_vec())
    }

    /// The checkpoint of an epoch for public chains, with what validators signed of it.
    pub async fn checkpoint(&self, query: &CheckpointQuery) -> Result<CheckpointView, ClientError> {
        let path = routes::LEDGER_CHECKPOINT;
        self.json(path, self.request(Method::GET, path).query_with(query)).await
    }

    /// Blocks as they become final, over one connection.
    pub async fn ledger_events(&self) -> Result<LedgerEvents, ClientError> {
        let answer = self.stream(self.request(Method::GET, routes::LEDGER_EVENTS)).await?;
        Ok(LedgerEvents { answer, parser: Parser::default(), ready: VecDeque::new() })
    }

    /// Passes on a transaction that somebody signed elsewhere.
    pub async fn submit_transaction(&self, request: &SubmitRequest) -> Result<TransactionView, ClientError> {
        self.call(Method::POST, routes::TRANSACTIONS, Some(request)).await
    }

    /// Where a transaction is, once it is final, is given up, or the wait is over.
    pub async fn transaction(&self, id: Hash, wait: Duration) -> Result<TransactionView, ClientError> {
        let path = routes::transaction(id);
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let query = TransactionQuery { wait_ms: Some(wait_ms) };
        let request = self.request(Method::GET, &path).query_with(&query).timeout(wait + WAIT_SPARE);
        self.json(&path, request).await
    }

    /// Who votes, and who may from the next epoch on.
    pub async fn validators(&self) -> Result<Validators, ClientError> {
        self.get(routes::VALIDATORS).await
    }

    /// Names a node as a candidate for validator.
    pub async fn add_validator(&self, request: &ValidatorRequest) -> Result<TransactionView, ClientError> {
        self.call(Method::POST, routes::VALIDATORS, Some(request)).await
    }

    /// Takes a node off the candidates.
    pub async fn remove_validator(
        &self,
        node: NodeId,
        query: &DryRunQuery,
    ) -> Result<TransactionView, ClientError> {
        let path = routes::validator(node);
        self.json(&path, self.request(Method::DELETE, &path).query_with(query)).await
    }
}

/// Final blocks as they come. A connection that breaks is an error; the next one starts at the head.
#[derive(Debug)]
pub struct LedgerEvents {
    answer: Response,
    parser: Parser,
    ready: VecDeque<Event>,
}

impl LedgerEvents {
    /// The next event; `None` when the node stops.
    pub async fn next(&mut self) -> Result<Option<LedgerEvent>, ClientError> {
        let what = "the ledger's events";
        loop {
            if let Some(event) = self.ready.pop_front() {
                let parsed = serde_json::from_str(&event.data).map_err(|source| bad_answer(what, source))?;
                return Ok(Some(parsed));
            }
            let Some(piece) = self.answer.chunk().await.map_err(|source| bad_answer(what, source))? else {
                return Ok(None);
            };
            let events = self.parser.push(&piece).map_err(|source| bad_answer(what, source))?;
            self.ready.extend(events);
        }
    }
}
