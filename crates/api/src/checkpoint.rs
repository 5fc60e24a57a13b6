//! Checkpoints for public chains, in the form that a contract takes.

use opensky_types::NodeId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Asks for a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct CheckpointQuery {
    /// Of which epoch; the newest if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}

/// A checkpoint and who signed it. Words are `0x` and hex, as tools for Ethereum write them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckpointView {
    /// What is signed, as EIP-712 has it: domain, type and message.
    pub typed_data: TypedCheckpoint,
    /// The hash that is signed.
    pub digest: String,
    /// How many signatures a contract asks for.
    pub quorum: u64,
    /// Whether there are so many.
    pub is_complete: bool,
    /// Who may sign, in the order of their nodes' keys.
    pub signers: Vec<CheckpointSignerView>,
    /// Who signed, in the order of addresses, so that a contract sees at a glance that none counts twice.
    pub signatures: Vec<CheckpointSignatureView>,
}

/// Typed data of EIP-712, as `eth_signTypedData` and its verifiers take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TypedCheckpoint {
    /// Where it counts.
    pub domain: CheckpointDomain,
    /// Always `Checkpoint`.
    pub primary_type: String,
    /// The type: `Checkpoint(uint64 epoch,…)`.
    #[serde(rename = "type")]
    pub type_text: String,
    /// What it says.
    pub message: CheckpointMessage,
}

/// The domain of a sky: whatever contract knows the sky may take what is signed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckpointDomain {
    /// Always `OpenSky`.
    pub name: String,
    /// The format's version.
    pub version: String,
    /// The sky.
    pub salt: String,
}

/// What a checkpoint says. Numbers beyond what JSON holds are decimal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointMessage {
    /// The epoch that ended.
    pub epoch: u64,
    /// The struct hash of the checkpoint before; zero for the first.
    pub previous: String,
    /// The root of all withdrawal claims.
    pub root: String,
    /// Their sum, in micros.
    pub total: String,
    /// The number of the set of validators that signs.
    pub set_id: u64,
}

/// A validator of the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckpointSignerView {
    /// The validator.
    pub node: NodeId,
    /// The address of the key that it had named when the epoch began; one that had none can't sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckpointSignatureView {
    /// Whose key it is.
    pub address: String,
    /// The validator.
    pub node: NodeId,
    /// `r`, `s` and `v`: 65 bytes.
    pub signature: String,
}
