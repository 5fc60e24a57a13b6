//! Certificates: what a quorum of validators signed about a block. Checked by anyone who knows the
//! set, with no runtime, no clock and no network.

use crate::{
    block::BlockId,
    validators::{VALIDATORS_MAX, ValidatorSet},
    wire::{Finalization, Scheme, id_of, namespace},
};
use bytes::Bytes;
use commonware_codec::{Encode, Read};
use commonware_consensus::{Epochable, Viewable};
use commonware_cryptography::certificate::Verifier;
use commonware_parallel::Sequential;
use opensky_types::Hash;
use std::fmt;

/// Largest encoded certificate: a proposal, a bit and a signature for each validator.
pub const CERTIFICATE_BYTES_MAX: usize = 128 + 66 * VALIDATORS_MAX;

const VERSION: u8 = 1;

/// Why a certificate proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Longer than any certificate can be.
    #[error("certificate of {size_bytes} bytes, {CERTIFICATE_BYTES_MAX} at most")]
    TooLarge {
        /// Its size.
        size_bytes: usize,
    },
    /// Of a format this program does not know.
    #[error("certificate format {0} is not known; update this node")]
    Version(u8),
    /// The bytes do not follow the format.
    #[error("malformed certificate: {0}")]
    Malformed(String),
    /// It speaks of another epoch than asked about.
    #[error("certificate of epoch {found}, not {expected}")]
    Epoch {
        /// The epoch it names.
        found: u64,
        /// The epoch whose set was given.
        expected: u64,
    },
    /// Too few of the set signed, or not this.
    #[error("certificate is not signed by a quorum of the epoch's validators")]
    NoQuorum,
}

/// A proof that a block is final. Read from bytes it is only a claim; [`Certificate::verify`] tells.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    pub(crate) finalization: Finalization,
}

/// What a verified certificate proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certified {
    /// The epoch whose validators signed.
    pub epoch: u64,
    /// The round of voting; rounds count anew in each epoch.
    pub view: u64,
    /// The block that is final, and with it every block below.
    pub block: BlockId,
}

impl Certificate {
    pub(crate) fn new(finalization: Finalization) -> Self {
        Self { finalization }
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        [&[VERSION], self.finalization.encode().as_ref()].concat()
    }

    /// Reads a claim from exactly these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::TooLarge { size_bytes: bytes.len() });
        }
        let (version, rest) =
            bytes.split_first().ok_or_else(|| CertificateError::Malformed("no bytes".to_owned()))?;
        if *version != VERSION {
            return Err(CertificateError::Version(*version));
        }
        let finalization =
            commonware_codec::Decode::decode_cfg(Bytes::copy_from_slice(rest), &participants_max())
                .map_err(|error| CertificateError::Malformed(error.to_string()))?;
        Ok(Self { finalization })
    }

    /// The epoch it claims to be of: tells which set to check it with.
    pub fn epoch(&self) -> u64 {
        self.finalization.epoch().get()
    }

    /// The block it claims to be of.
    pub fn block(&self) -> BlockId {
        id_of(self.finalization.proposal.payload)
    }

    /// Checks that a quorum of `validators`, the set of `epoch` in `sky`, signed.
    pub fn verify(
        &self,
        sky: Hash,
        epoch: u64,
        validators: &ValidatorSet,
    ) -> Result<Certified, CertificateError> {
        if self.epoch() != epoch {
            return Err(CertificateError::Epoch { found: self.epoch(), expected: epoch });
        }
        let scheme = verifier(sky, validators);
        // Signatures are checked as a batch, whose weights must not be known to who made them.
        if !self.finalization.verify(&mut rand::rng(), &scheme, &Sequential) {
            return Err(CertificateError::NoQuorum);
        }
        Ok(Certified { epoch, view: self.finalization.view().get(), block: self.block() })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({:?}, epoch {})", self.block(), self.epoch())
    }
}

/// Reads and checks a certificate in one step.
pub fn verify_certificate(
    sky: Hash,
    epoch: u64,
    validators: &ValidatorSet,
    bytes: &[u8],
) -> Result<Certified, CertificateError> {
    Certificate::decode(bytes)?.verify(sky, epoch, validators)
}

/// Checks what this set signs, and signs nothing.
pub(crate) fn verifier(sky: Hash, validators: &ValidatorSet) -> Scheme {
    Scheme::verifier(&namespace(sky), validators.engine_keys())
}

pub(crate) fn participants_max() -> <<Scheme as Verifier>::Certificate as Read>::Cfg {
    VALIDATORS_MAX
}
