//! What this node answers others about the ledger.

use crate::{audits::testify, fetch::blocking, link::read_message, node::Node};
use opensky_ledger::{
    action::Action,
    approval::Approval,
    transaction::{SignedTransaction, TRANSACTION_BYTES_MAX, Transaction},
};
use opensky_ports::{ByteStream, LedgerEngine, ledger::FollowError};
use opensky_protocol::{
    Message,
    ledger::{Ask, BLOCKS_BYTES_MAX, Reply},
};
use opensky_types::{AccountId, Keypair, NodeId, codec};
use std::{io, sync::Arc, time::Duration};
use tokio::io::AsyncWriteExt;

/// Longest wait for a question, and for the asker to take the answer.
const SILENCE_MAX: Duration = Duration::from_secs(30);

impl Node {
    /// A member asks about the ledger.
    pub(crate) fn serve_ledger(&self, from: NodeId, stream: ByteStream) {
        let engine = Arc::clone(&self.ledger.engine);
        let (key, validates) = (self.key.clone(), self.config.validate);
        self.tasks.spawn(async move {
            if let Err(error) = answer(engine, (key, validates), from, stream).await {
                tracing::debug!(%from, %error, "a question about the ledger was not answered");
            }
        });
    }
}

/// With this node's key, and whether its owner wants it to validate.
async fn answer(
    engine: Arc<dyn LedgerEngine>,
    (key, validates): (Keypair, bool),
    from: NodeId,
    mut stream: ByteStream,
) -> io::Result<()> {
    let Some(ask) = tokio::time::timeout(SILENCE_MAX, read_message::<Ask>(&mut stream)).await?? else {
        return Ok(());
    };
    let reply = blocking(move || reply(engine.as_ref(), (&key, validates), from, ask))
        .await
        .map_err(io::Error::other)?;
    tokio::time::timeout(SILENCE_MAX, stream.write_all(&reply.to_frame())).await??;
    stream.shutdown().await
}

fn reply(
    engine: &dyn LedgerEngine,
    (key, validates): (&Keypair, bool),
    from: NodeId,
    ask: Ask,
) -> Result<Reply, FollowError> {
    Ok(match ask {
        Ask::Blocks { from } => {
            let blocks = engine.blocks(from, BLOCKS_BYTES_MAX)?;
            Reply::Blocks { blocks: blocks.into_iter().map(Into::into).collect(), head: engine.head().height }
        }
        Ask::Snapshot { epoch } => Reply::Snapshot { offer: engine.offer_snapshot(epoch)? },
        Ask::Chunk { height, index } => Reply::Chunk { bytes: engine.snapshot_chunk(height, index)? },
        Ask::Checkpoint { epoch } => {
            let signed = engine.checkpoint(Some(epoch))?.map(|known| known.signatures).unwrap_or_default();
            let signatures = signed.iter().map(|(node, signature)| (*node, *signature.as_bytes()));
            Reply::Checkpoint { signatures: signatures.collect() }
        }
        Ask::Addresses => Reply::Addresses { addresses: engine.validator_addresses() },
        Ask::Approve { transaction } => {
            let approval = if validates { approval(engine, key, &transaction) } else { None };
            Reply::Approved { approval }
        }
        Ask::Testify { transaction, evidence } => {
            Reply::Approved { approval: testify(engine, key, from, (&transaction, &evidence)) }
        }
        Ask::Submit { transaction } => {
            let taken = SignedTransaction::decode(&transaction)
                .map_err(|error| error.to_string())
                .and_then(|signed| engine.submit(signed).map_err(|error| error.to_string()));
            Reply::Submitted { problem: taken.err() }
        }
    })
}

/// Signs what makes this node a validator, if it says that and nothing else, and if whoever decides
/// on validators in this sky says it.
fn approval(engine: &dyn LedgerEngine, key: &Keypair, bytes: &[u8]) -> Option<Vec<u8>> {
    let transaction: Transaction = codec::decode(bytes, TRANSACTION_BYTES_MAX).ok()?;
    let genesis = engine.genesis();
    let Action::ValidatorAdd(candidate) = &transaction.action else { return None };
    let is_wanted = transaction.sky == genesis.sky
        && genesis.params.authority == Some(transaction.account)
        && candidate.node == key.id()
        && candidate.account == AccountId::of_node(key.id());
    is_wanted.then(|| codec::encode(&Approval::sign(key, &transaction)))
}
