//! What confines a worker process.

use borsh::{BorshDeserialize, BorshSerialize};

/// What confines workers on this machine, as a worker found it after locking itself in.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SandboxReport {
    /// The layers, outermost first.
    pub layers: Vec<SandboxLayer>,
}

/// One layer of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SandboxLayer {
    /// `seccomp`, `landlock files`, …
    pub name: String,
    /// Whether it holds here.
    pub active: bool,
    /// What it covers, or why it does not hold.
    pub detail: String,
}
