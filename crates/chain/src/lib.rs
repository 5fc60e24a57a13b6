//! The sky's ledger on one node.
//!
//! What it is: [`SkyLedger`], the port [`LedgerEngine`](opensky_ports::LedgerEngine) made of the pure
//! rules (`opensky-ledger`), the order of blocks (`opensky-consensus`) and a file
//! (`opensky-storage`): transactions that wait, blocks that are proposed, verified, made final, kept
//! and proven, and the validator of this node while it is one. What it never does: any network of the
//! node (who is told and asked, the node decides), or a rule about money. Start at
//! [`SkyLedger::open`]; `state.rs` is what it all works on, `voting.rs` and `follow.rs` are the two
//! ways a block gets in.

mod checkpoints;
mod engine;
mod follow;
mod founding;
mod history;
mod mempool;
mod proof;
mod sealed;
#[cfg(feature = "testing")]
pub mod simulated;
mod snapshots;
mod state;
mod unsynced;
mod validator;
mod voting;

pub use engine::{OpenError, SNAPSHOT_BLOCKS, Settings, SkyLedger};
pub use founding::{FoundingError, ledger_genesis};
pub use proof::{PROOF_BYTES_MAX, ProofError, Proven, verify_proof};
pub use sealed::{SealedError, read_block};
pub use validator::Voting;
