//! Many ed25519 signatures checked at once, by the same rule as one ([`NodeId::verify`]).
//!
//! The batch is one equation over all signatures, each weighted by a 128-bit coefficient. The
//! coefficients come from a hash over the whole batch: whoever makes a signature can't know its
//! coefficient before it is made. Which signature gets which coefficient may differ from node to node; the
//! verdict does not, but with a chance of 2^-128. ZIP-215 was written so
//! that batch and single checks agree (<https://zips.z.cash/zip-0215>).

use crate::key::{NodeId, Signature};
use ed25519_zebra::{VerificationKeyBytes, batch};
use rand_core::{CryptoRng, RngCore};

/// Signatures to be checked together.
pub struct Batch {
    verifier: batch::Verifier,
    transcript: blake3::Hasher,
    count: usize,
}

impl Default for Batch {
    fn default() -> Self {
        let transcript = blake3::Hasher::new_derive_key("opensky signature batch 1");
        Self { verifier: batch::Verifier::new(), transcript, count: 0 }
    }
}

impl Batch {
    /// An empty batch, which is valid.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one signature over `message`.
    pub fn add(&mut self, signer: &NodeId, message: &[u8], signature: &Signature) {
        self.transcript.update(signer.public_key());
        self.transcript.update(signature.as_bytes());
        // The length keeps two batches apart that differ only in where a message ends.
        self.transcript.update(&(message.len() as u64).to_le_bytes());
        self.transcript.update(message);
        let key = VerificationKeyBytes::from(*signer.public_key());
        self.verifier.queue((key, ed25519_zebra::Signature::from_bytes(signature.as_bytes()), message));
        self.count += 1;
    }

    /// How many were added.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether every signature is valid. A `false` does not say which is not.
    pub fn verify(self) -> bool {
        let coefficients = Coefficients(self.transcript.finalize_xof());
        self.verifier.verify(coefficients).is_ok()
    }
}

/// A stream of bytes that depends on the whole batch.
struct Coefficients(blake3::OutputReader);

impl RngCore for Coefficients {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }
    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

// The coefficients can't be foretold by whoever makes the signatures, which is what the marker asks.
impl CryptoRng for Coefficients {}
