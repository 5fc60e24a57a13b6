//! Signatures over checkpoints on their way between nodes: told when an epoch ends, asked for until there
//! are enough. Each node takes in only what holds over the checkpoint that it computed itself.

use super::following::ask;
use crate::{fetch::blocking, node::Node, requests::tell};
use opensky_ledger::{
    action::Action,
    approval::{Approval, Statement},
    evm::{EvmKey, EvmSignature},
};
use opensky_ports::{
    LedgerEngine, Transport,
    ledger::{FollowError, SignedCheckpoint},
    transport::GossipVerdict,
};
use opensky_protocol::{
    Message,
    ledger::{Ask, CHECKPOINT_SIGNATURES_MAX, CheckpointWord, Reply, TOPIC_CHECKPOINTS},
};
use opensky_types::{Hash, NodeId, Timestamp, text::causes};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::oneshot;

/// Time between two looks for signatures that are missing, in milliseconds.
const ASK_EVERY_MS: u64 = 5_000;
/// Time between two tries to name this node's key on the ledger, in milliseconds.
const NAME_EVERY_MS: u64 = 5_000;

/// What this node does about checkpoints.
#[derive(Default)]
pub(crate) struct Checkpointing {
    asked_at: Timestamp,
    named_at: Timestamp,
    /// The transaction that names this node's key.
    naming: Option<Hash>,
    /// Which member is asked next.
    turn: usize,
    /// What came before the epoch ended here: nothing of it is known to hold yet.
    early: BTreeMap<NodeId, CheckpointWord>,
}

impl Node {
    /// A member tells of a validator's signature.
    pub(crate) fn on_checkpoint_heard(
        &mut self,
        from: NodeId,
        bytes: &[u8],
        verdict: oneshot::Sender<GossipVerdict>,
    ) {
        let Ok(word) = CheckpointWord::from_body(bytes) else { return tell(verdict, GossipVerdict::Reject) };
        // Epochs end at other moments on other nodes. What is lost here is asked for later.
        let newest = self.newest_checkpoint();
        let early = &mut self.ledger.checkpointing.early;
        if word.epoch == newest.as_ref().map_or(0, |newest| newest.checkpoint.epoch + 1)
            && early.len() < CHECKPOINT_SIGNATURES_MAX
        {
            early.entry(word.node).or_insert(word);
            return tell(verdict, GossipVerdict::Ignore);
        }
        let is_wanted = newest.is_some_and(|newest| {
            newest.checkpoint.epoch == word.epoch && newest.signatures.iter().all(|(of, _)| *of != word.node)
        });
        if !is_wanted {
            return tell(verdict, GossipVerdict::Ignore);
        }
        let engine = Arc::clone(&self.ledger.engine);
        self.tasks.spawn(async move {
            let signatures = [(word.node, EvmSignature::from_bytes(word.signature))];
            let judged = match blocking(move || engine.add_signatures(word.epoch, &signatures)).await {
                Ok(added) if added > 0 => GossipVerdict::Accept,
                Ok(_) => GossipVerdict::Ignore,
                Err(FollowError::Sender(problem)) => {
                    tracing::warn!(%from, problem, "a member told of a signature over a checkpoint that is none");
                    GossipVerdict::Reject
                }
                Err(error) => {
                    tracing::error!(error = causes(&error), "a signature over a checkpoint was not kept");
                    GossipVerdict::Ignore
                }
            };
            tell(verdict, judged);
        });
    }

    /// An epoch has ended here: this node tells what it signed, and looks at what came too early. Each is
    /// taken in on its own, so that a false one takes none with it; its sender was not judged, and is not now.
    pub(super) fn on_epoch_ended(&mut self) {
        self.tell_own_signature();
        let early = std::mem::take(&mut self.ledger.checkpointing.early);
        if early.is_empty() {
            return;
        }
        let engine = Arc::clone(&self.ledger.engine);
        self.tasks.spawn(blocking(move || {
            for (node, word) in early {
                let signature = EvmSignature::from_bytes(word.signature);
                if let Err(error) = engine.add_signatures(word.epoch, &[(node, signature)]) {
                    tracing::debug!(%node, %error, "an early signature over a checkpoint does not hold");
                }
            }
        }));
    }

    /// Tells the sky what this node signed of the newest checkpoint.
    fn tell_own_signature(&self) {
        let Some(newest) = self.newest_checkpoint() else { return };
        let own = newest.signatures.iter().find(|(node, _)| *node == self.own);
        if let Some((node, signature)) = own {
            let (epoch, signature) = (newest.checkpoint.epoch, *signature.as_bytes());
            let word = CheckpointWord { epoch, node: *node, signature };
            self.transport.gossip(TOPIC_CHECKPOINTS, word.to_bytes());
        }
    }

    /// Every second: names this node's key where it has to, and asks for signatures that are missing.
    pub(super) fn checkpoint_tick(&mut self, now: Timestamp) {
        if now.ms_since(self.ledger.checkpointing.named_at) >= NAME_EVERY_MS {
            self.ledger.checkpointing.named_at = now;
            let waits = self.ledger.checkpointing.naming.is_some_and(|id| self.ledger.is_waiting(&id));
            if let Some(key) = self.ledger.engine.unnamed_checkpoint_key().filter(|_| !waits) {
                self.name_checkpoint_key(now, &key);
            }
        }
        if now.ms_since(self.ledger.checkpointing.asked_at) < ASK_EVERY_MS {
            return;
        }
        self.ledger.checkpointing.asked_at = now;
        let Some(newest) = self.newest_checkpoint().filter(is_worth_asking_for) else { return };
        self.tell_own_signature();
        let connected = self.connected();
        if connected.is_empty() {
            return;
        }
        let checkpointing = &mut self.ledger.checkpointing;
        checkpointing.turn = checkpointing.turn.wrapping_add(1);
        let node = connected[checkpointing.turn % connected.len()];
        let (transport, engine) = (Arc::clone(&self.transport), Arc::clone(&self.ledger.engine));
        let (epoch, stop) = (newest.checkpoint.epoch, self.stop.clone());
        self.tasks.spawn(async move {
            let _ =
                stop.run_until_cancelled(ask_for_signatures(transport.as_ref(), engine, node, epoch)).await;
        });
    }

    fn newest_checkpoint(&self) -> Option<SignedCheckpoint> {
        // The newest one is in memory, so this can't fail.
        self.ledger.engine.checkpoint(None).ok().flatten()
    }

    /// Both keys sign: the account's, and the one that is named.
    fn name_checkpoint_key(&mut self, now: Timestamp, key: &EvmKey) {
        let transaction = self.transaction(now, Action::SetCheckpointKey { key: key.address() });
        let approval =
            Approval::EthereumTyped { address: key.address(), signature: key.sign(&transaction.typed()) };
        let signed = self.sign_transaction(&transaction, vec![approval]);
        match self.submit_transaction(now, signed) {
            Ok(id) => {
                tracing::info!(address = %key.address(), "this validator names its key for checkpoints");
                self.ledger.checkpointing.naming = Some(id);
            }
            Err(error) => tracing::debug!(%error, "the key for checkpoints could not be named yet"),
        }
    }
}

/// Whether signatures are missing that could come: without keys nobody signs.
fn is_worth_asking_for(newest: &SignedCheckpoint) -> bool {
    !newest.is_complete() && newest.signers.iter().any(|signer| signer.key.is_some())
}

/// Asks a member for what it has of a checkpoint; one that sends what is none is dropped.
async fn ask_for_signatures(
    transport: &dyn Transport,
    engine: Arc<dyn LedgerEngine>,
    node: NodeId,
    epoch: u64,
) {
    let signatures = match ask(transport, node, &Ask::Checkpoint { epoch }).await {
        Ok(Reply::Checkpoint { signatures }) if signatures.len() <= CHECKPOINT_SIGNATURES_MAX => signatures,
        Ok(_) => {
            tracing::warn!(%node, "another answer than was asked for; the member is dropped");
            return transport.expel(node);
        }
        Err(error) => return tracing::debug!(%node, %error, "a member did not answer about a checkpoint"),
    };
    let signatures: Vec<(NodeId, EvmSignature)> =
        signatures.into_iter().map(|(node, bytes)| (node, EvmSignature::from_bytes(bytes))).collect();
    match blocking(move || engine.add_signatures(epoch, &signatures)).await {
        Ok(_) => {}
        Err(FollowError::Sender(problem)) => {
            tracing::warn!(%node, problem, "a member lied about a checkpoint; it is dropped");
            transport.expel(node);
        }
        Err(error) => tracing::error!(error = causes(&error), "signatures over a checkpoint were not kept"),
    }
}
