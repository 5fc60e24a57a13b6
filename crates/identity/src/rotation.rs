//! Rotating the node's key, so that a crash at any moment leaves one valid key in place.
//!
//! Order: the new key is written beside the old one; the proof, signed by both, is kept; the old key
//! is copied to `retired/`; the new key takes the old one's name. The proof is the turning point:
//! before it a crash undoes the rotation, after it the next start finishes it.

use crate::{
    files::{self, FileError},
    folder::DataFolder,
    generate,
    key_file::{KeyFile, KeyFileError, refuse_weak},
    layout::Layout,
    passphrase::Protection,
    sealed::{KEY_FILE, Sealed},
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    Keypair, NodeId, Timestamp, codec,
    rotation::{Rotation, RotationError, RotationProof},
};
use std::{fs, path::PathBuf};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
/// Most rotations of one node.
const ROTATIONS_MAX: usize = 10_000;
/// Far above what that many proofs take, in bytes.
const FILE_BYTES_MAX: usize = 8 << 20;

/// Why a key was not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The folder's key is another one.
    #[error("the folder holds the key of {found}, not of {expected}")]
    OtherKey {
        /// The key to be rotated.
        expected: NodeId,
        /// The key in the folder.
        found: NodeId,
    },
    /// The list of earlier rotations is not what was written.
    #[error("the rotations in {} are damaged; restore that file from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The proofs of the folder do not lead to its key.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// There are too many.
    #[error("a node's key can be rotated {ROTATIONS_MAX} times")]
    TooMany,
    /// The key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The disk said no.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Why proofs do not lead to a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A proof does not hold.
    #[error("rotation {position} does not hold")]
    Proof {
        /// Which one, from 0.
        position: usize,
        /// Why.
        #[source]
        source: RotationError,
    },
    /// A proof does not begin where the one before it ends.
    #[error("rotation {position} starts from {found}, not from {expected}")]
    Gap {
        /// Which one, from 0.
        position: usize,
        /// The key before it.
        expected: NodeId,
        /// The key it names.
        found: NodeId,
    },
    /// The last proof names another key.
    #[error("the last rotation leads to {found}, not to {expected}")]
    OtherEnd {
        /// The key that should be reached.
        expected: NodeId,
        /// The key that is.
        found: NodeId,
    },
}

#[derive(BorshSerialize, BorshDeserialize)]
struct RotationsFile {
    version: u8,
    proofs: Vec<RotationProof>,
}

/// Replaces the folder's key by a new one under `protection`. The old one stays under `retired/` as
/// it was protected before.
pub fn rotate(
    folder: &DataFolder,
    old: &Keypair,
    protection: Protection<'_>,
    now: Timestamp,
) -> Result<(Keypair, RotationProof), RotateError> {
    refuse_weak(protection)?;
    let layout = folder.layout();
    let found = KeyFile::load(&layout.key())?.id();
    if found != old.id() {
        return Err(RotateError::OtherKey { expected: old.id(), found });
    }
    let mut proofs = rotations(layout)?;
    if proofs.len() >= ROTATIONS_MAX {
        return Err(RotateError::TooMany);
    }
    let new = generate();
    files::write(&layout.next_key(), &Sealed::new(KEY_FILE, &new, protection).to_bytes())?;
    let proof = RotationProof::sign(old, &new, now);
    proofs.push(proof.clone());
    files::write(&layout.rotations(), &codec::encode(&RotationsFile { version: VERSION, proofs }))?;
    finish(layout)?;
    Ok((new, proof))
}

/// Gives a copied folder a key of its own, with nothing that ties it to the old one: the original
/// node lives on with that. The old key goes to `retired/`.
pub fn start_afresh(folder: &DataFolder, protection: Protection<'_>) -> Result<Keypair, RotateError> {
    refuse_weak(protection)?;
    let layout = folder.layout();
    let key = generate();
    let sealed = Sealed::new(KEY_FILE, &key, protection).to_bytes();
    if layout.key().exists() {
        retire(layout)?;
    }
    files::remove(&layout.rotations())?;
    files::write(&layout.key(), &sealed)?;
    Ok(key)
}

/// The proofs of all rotations of the folder's key, oldest first.
pub fn rotations(layout: &Layout) -> Result<Vec<RotationProof>, RotateError> {
    let Some(bytes) = files::read(&layout.rotations())? else { return Ok(Vec::new()) };
    match codec::decode::<RotationsFile>(&bytes, FILE_BYTES_MAX) {
        Ok(file) if file.version == VERSION => Ok(file.proofs),
        _ => Err(RotateError::Damaged { path: layout.rotations() }),
    }
}

/// Checks that `proofs` lead to `current`, each from the key before it.
pub fn verify_chain(proofs: &[RotationProof], current: NodeId) -> Result<Vec<Rotation>, ChainError> {
    let mut rotations: Vec<Rotation> = Vec::with_capacity(proofs.len());
    for (position, proof) in proofs.iter().enumerate() {
        let rotation = proof.verify().map_err(|source| ChainError::Proof { position, source })?;
        if let Some(last) = rotations.last()
            && last.new != rotation.old
        {
            return Err(ChainError::Gap { position, expected: last.new, found: rotation.old });
        }
        rotations.push(rotation);
    }
    match rotations.last() {
        Some(last) if last.new != current => Err(ChainError::OtherEnd { expected: current, found: last.new }),
        _ => Ok(rotations),
    }
}

/// Brings a rotation that was under way to its end, or undoes it where its proof was not kept.
pub(crate) fn finish(layout: &Layout) -> Result<(), RotateError> {
    if !layout.next_key().exists() {
        return Ok(());
    }
    let next = KeyFile::load(&layout.next_key())?.id();
    let current = KeyFile::load(&layout.key())?.id();
    let last = rotations(layout)?.pop().map(|proof| proof.verify()).transpose();
    let last = last.map_err(|source| ChainError::Proof { position: 0, source })?;
    if last.is_some_and(|last| last.old == current && last.new == next) {
        retire(layout)?;
        fs::rename(layout.next_key(), layout.key()).map_err(FileError::at("replacing", &layout.key()))?;
        files::sync_folder_of(&layout.key())?;
        tracing::info!(old = %current, new = %next, "key rotated");
    } else {
        files::remove(&layout.next_key())?;
    }
    Ok(())
}

/// Copies the current key to `retired/`.
fn retire(layout: &Layout) -> Result<(), RotateError> {
    let path = layout.key();
    let id = KeyFile::load(&path)?.id();
    let bytes = files::read(&path)?.ok_or(KeyFileError::NotFound { path })?;
    files::write(&layout.retired_key(id), &Zeroizing::new(bytes))?;
    Ok(())
}
