//! Evidence: two votes of one validator that an honest one never casts together.

use crate::{
    certificate::{participants_max, verifier},
    validators::{ValidatorSet, node_of},
    wire::Activity,
};
use bytes::Bytes;
use commonware_codec::{Decode, Encode};
use commonware_consensus::{Epochable, Viewable, simplex::types::Attributable, types::Participant};
use commonware_cryptography::certificate::Scheme as _;
use commonware_parallel::Sequential;
use commonware_utils::ordered::Quorum as _;
use opensky_types::{Hash, NodeId};

/// Largest encoded evidence: two votes.
pub const EVIDENCE_BYTES_MAX: usize = 512;

const VERSION: u8 = 1;

/// Why evidence proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Longer than two votes can be.
    #[error("evidence of {size_bytes} bytes, {EVIDENCE_BYTES_MAX} at most")]
    TooLarge {
        /// Its size.
        size_bytes: usize,
    },
    /// Of a format this program does not know.
    #[error("evidence format {0} is not known; update this node")]
    Version(u8),
    /// The bytes do not follow the format, or the votes do not contradict each other.
    #[error("malformed evidence: {0}")]
    Malformed(String),
    /// It speaks of another epoch than asked about.
    #[error("evidence of epoch {found}, not {expected}")]
    Epoch {
        /// The epoch it names.
        found: u64,
        /// The epoch whose set was given.
        expected: u64,
    },
    /// The accused is no validator of the epoch, or did not sign both votes.
    #[error("the votes are not both signed by one validator of the epoch")]
    NotSigned,
}

/// How a validator contradicted itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OffenceKind {
    /// Voted for two blocks in one view.
    TwoNotarizes,
    /// Voted to finalize two blocks in one view.
    TwoFinalizes,
    /// Voted to finalize a view and to skip it.
    NullifyAndFinalize,
}

/// What verified evidence proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offence {
    /// Who.
    pub validator: NodeId,
    /// In which epoch.
    pub epoch: u64,
    /// In which view of it.
    pub view: u64,
    /// What.
    pub kind: OffenceKind,
}

/// Two contradicting votes. Read from bytes they are only a claim; [`Evidence::verify`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    activity: Activity,
    kind: OffenceKind,
    signer: Participant,
}

impl Evidence {
    /// The evidence in what the engine reports, if it is any.
    pub(crate) fn of(activity: Activity) -> Option<Self> {
        let (kind, signer) = match &activity {
            Activity::ConflictingNotarize(votes) => (OffenceKind::TwoNotarizes, votes.signer()),
            Activity::ConflictingFinalize(votes) => (OffenceKind::TwoFinalizes, votes.signer()),
            Activity::NullifyFinalize(votes) => (OffenceKind::NullifyAndFinalize, votes.signer()),
            _ => return None,
        };
        Some(Self { activity, kind, signer })
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        [&[VERSION], self.activity.encode().as_ref()].concat()
    }

    /// Reads a claim from exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, EvidenceError> {
        if bytes.len() > EVIDENCE_BYTES_MAX {
            return Err(EvidenceError::TooLarge { size_bytes: bytes.len() });
        }
        let malformed = |problem: &str| EvidenceError::Malformed(problem.to_owned());
        let (version, rest) = bytes.split_first().ok_or_else(|| malformed("no bytes"))?;
        if *version != VERSION {
            return Err(EvidenceError::Version(*version));
        }
        let activity = Activity::decode_cfg(Bytes::copy_from_slice(rest), &participants_max())
            .map_err(|error| malformed(&error.to_string()))?;
        Self::of(activity).ok_or_else(|| malformed("the votes do not contradict each other"))
    }

    /// The epoch it claims to be of: tells which set to check it with.
    pub fn epoch(&self) -> u64 {
        self.activity.epoch().get()
    }

    /// Checks that one of `validators`, the set of `epoch` in `sky`, signed both votes.
    pub fn verify(&self, sky: Hash, epoch: u64, validators: &ValidatorSet) -> Result<Offence, EvidenceError> {
        if self.epoch() != epoch {
            return Err(EvidenceError::Epoch { found: self.epoch(), expected: epoch });
        }
        let scheme = verifier(sky, validators);
        let validator =
            scheme.participants().key(self.signer).map(node_of).ok_or(EvidenceError::NotSigned)?;
        if !self.activity.verify(&mut rand::rng(), &scheme, &Sequential) {
            return Err(EvidenceError::NotSigned);
        }
        Ok(Offence { validator, epoch, view: self.activity.view().get(), kind: self.kind })
    }
}

/// Reads and checks evidence in one step: who did what.
pub fn verify_evidence(
    sky: Hash,
    epoch: u64,
    validators: &ValidatorSet,
    bytes: &[u8],
) -> Result<Offence, EvidenceError> {
    Evidence::decode(bytes)?.verify(sky, epoch, validators)
}
