//! The order of the ledger's blocks.
//!
//! What it is: a validator ([`Validator`]) that agrees with the others of its sky on one chain of
//! blocks, by the Simplex protocol of the Commonware library, and the proofs that come out of it:
//! [`Certificate`], [`Evidence`] and the [`LightClient`] that needs nothing but them. What it never
//! does: read a block's body, keep accounts, decide who is a validator. The ledger does, behind the
//! one trait [`Chain`]. No other crate names the engine. Start at [`Validator::start`] and [`Chain`].

mod app;
mod assembly;
mod block;
mod certificate;
mod chain;
mod config;
mod delivery;
mod epoch;
mod evidence;
mod light;
mod link;
mod marker;
#[cfg(any(test, feature = "testing"))]
pub mod model;
mod pace;
mod runtime;
mod schemes;
mod stall;
#[cfg(test)]
mod tests;
mod validator;
mod validators;
mod voting;
mod wire;
mod witness;

pub use block::{BODY_BYTES_CEILING, Block, BlockError, BlockId, HEADER_BYTES_MAX, Header};
pub use certificate::{CERTIFICATE_BYTES_MAX, Certificate, CertificateError, Certified, verify_certificate};
pub use chain::{Chain, Failure, Place, Proposal, Tip};
pub use config::{Pacing, Rules, RulesError};
pub use epoch::EpochLength;
pub use evidence::{EVIDENCE_BYTES_MAX, Evidence, EvidenceError, Offence, OffenceKind, verify_evidence};
pub use light::{LightClient, LightError};
pub use marker::{FileMark, LostJournal, VoteMark};
pub use pace::CLOCK_SKEW_MAX;
pub use validator::{Address, Validator, ValidatorConfig, ValidatorError};
pub use validators::{SetError, VALIDATORS_MAX, ValidatorSet};
