//! Proofs for whoever trusts the first facts of a sky and nothing else: a file that holds the
//! certificates of all epochs, that of one block, and the path to one entry of its state.

use crate::{
    founding::{Founding, FoundingError},
    sealed::{CertifiedHeader, SealedError},
    state::{ChainError, State},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_consensus::LightError;
use opensky_ledger::{
    block::Header as LedgerHeader,
    entry::Entry,
    key::Key,
    proof::{ENTRY_BYTES_MAX, KEY_BYTES_MAX, StateProof, StateProofError},
};
use opensky_types::{
    Hash, Timestamp,
    codec::{self, DecodeError},
    membership::Genesis,
};

/// Longest proof that is read: some hundred years of epochs.
pub const PROOF_BYTES_MAX: usize = 256 << 20;
/// Borders read from disk at a time.
const BORDERS_AT_ONCE: usize = 1_024;
const VERSION: u16 = 1;

/// A proof.
#[derive(BorshSerialize, BorshDeserialize)]
struct Proof {
    version: u16,
    /// The last block of each epoch before that of the block.
    borders: Vec<CertifiedHeader>,
    block: CertifiedHeader,
    ledger: LedgerHeader,
    state: StateProof,
}

/// What a proof shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The height of the block after which it was so.
    pub height: u64,
    /// The block's time.
    pub time: Timestamp,
    /// The root of the state.
    pub state: Hash,
    /// Which entry.
    pub key: Key,
    /// The entry; none if there was none.
    pub entry: Option<Entry>,
}

/// Why a proof shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It does not follow the format.
    #[error("no proof of this format: {0}")]
    Malformed(#[from] DecodeError),
    /// Of a format this program does not know.
    #[error("proof format {0} is not known; update this program")]
    Version(u16),
    /// A part of it does not follow its format.
    #[error("a header or certificate in it: {0}")]
    Sealed(String),
    /// Its certificates do not lead from the genesis to the block.
    #[error("its certificates do not hold: {0}")]
    Light(#[from] LightError),
    /// The block's header names another block of the ledger.
    #[error("the certified header is of another block of the ledger")]
    OtherBlock,
    /// The entry is not what the block's state holds.
    #[error("the entry is not in the state: {0}")]
    State(#[from] StateProofError),
    /// The sky itself makes no sense.
    #[error(transparent)]
    Founding(#[from] FoundingError),
}

impl From<SealedError> for ProofError {
    fn from(error: SealedError) -> Self {
        Self::Sealed(error.to_string())
    }
}

/// Checks a proof by the first facts of its sky.
pub fn verify_proof(genesis: &Genesis, bytes: &[u8]) -> Result<Proven, ProofError> {
    let proof: Proof = codec::decode(bytes, PROOF_BYTES_MAX)?;
    if proof.version != VERSION {
        return Err(ProofError::Version(proof.version));
    }
    let (founding, ..) = Founding::of(genesis)?;
    let mut light = founding.light();
    for border in proof.borders.iter().chain([&proof.block]) {
        let (header, certificate) = border.open()?;
        light.jump(&header, &certificate)?;
    }
    let (header, _) = proof.block.open()?;
    if header.commitment != proof.ledger.id() {
        return Err(ProofError::OtherBlock);
    }
    proof.state.verify(&proof.ledger.state)?;
    Ok(Proven {
        height: proof.ledger.height,
        time: proof.ledger.time,
        state: proof.ledger.state,
        key: codec::decode(&proof.state.key, KEY_BYTES_MAX)?,
        entry: proof.state.entry.map(|entry| codec::decode(&entry, ENTRY_BYTES_MAX)).transpose()?,
    })
}

/// The proof of an entry of the final state; none while the newest block has no certificate of its own.
pub(crate) fn prove(state: &State, key: &Key) -> Result<Option<Vec<u8>>, ChainError> {
    let Some(certificate) = state.top_certificate() else { return Ok(None) };
    let header = state.top.block.header();
    let mut borders = borders(state, 0)?;
    // An epoch's last block is a border itself.
    borders.truncate(usize::try_from(header.epoch).unwrap_or(usize::MAX));
    Ok(Some(codec::encode(&Proof {
        version: VERSION,
        borders,
        block: CertifiedHeader::of(header, certificate),
        ledger: state.ledger.head().clone(),
        state: state.ledger.state().prove(key),
    })))
}

/// The borders that are kept, from an epoch on.
pub(crate) fn borders(state: &State, from_epoch: u64) -> Result<Vec<CertifiedHeader>, ChainError> {
    let (mut all, mut from) = (Vec::new(), from_epoch);
    loop {
        let some = state.store.borders(from, BORDERS_AT_ONCE)?;
        let Some((last, _)) = some.last() else { return Ok(all) };
        from = last + 1;
        for (_, bytes) in some {
            let border = codec::decode(&bytes, crate::sealed::CERTIFIED_HEADER_BYTES_MAX);
            all.push(border.map_err(SealedError::from)?);
        }
    }
}
