//! The price of an identity: some time of one ordinary core (spec N6).
//!
//! A puzzle is a row of links. For each link a nonce must be found whose hash, under a key made of
//! sky, account and fingerprint, starts with [`LINK_BITS`] zero bits. Many easy links instead of one
//! hard one make the time nearly sure: one link's time scatters as much as it lasts, that of 16 by a
//! quarter, that of 96 by a tenth; and steps need not be powers of two.
//!
//! The hash is one BLAKE3 compression, without memory: it runs on anything, and on a graphics card
//! hundreds of times as fast. It makes identities cost something, not much; what protects a sky from
//! bought ones is reputation, stake and audits.
//!
//! Calibration: [`LINK_BITS`] is 2^24 hashes for a link on average. See `examples/puzzle.rs`, which
//! measures it; docs/ledger.md has the figures.

use crate::registry::Fingerprint;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{AccountId, Hash};
use std::ops::Range;

/// The zero bits that the hash of each link starts with, where a sky does not choose otherwise.
pub const LINK_BITS: u8 = 24;
/// Most links of any puzzle.
pub const LINKS_MAX: u16 = 128;

const CHALLENGE_CONTEXT: &str = "opensky registration puzzle 1";

/// How hard a puzzle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Difficulty {
    /// Zero bits for each link.
    pub bits: u8,
    /// Links; none if the puzzle is switched off.
    pub links: u16,
}

impl Difficulty {
    /// No puzzle.
    pub const OFF: Self = Self { bits: 0, links: 0 };

    /// What the next machine must solve after so many were registered; nothing if `bits` are none. A virtual machine, which is
    /// made as easily as it is thrown away, solves one step more.
    pub const fn after(bits: u8, machines: u64, is_virtual: bool) -> Self {
        if bits == 0 {
            return Self::OFF;
        }
        // 30, 60, 120 and 180 seconds of one ordinary core; the last step is 240, for virtual machines.
        const STEPS: [u16; 5] = [16, 32, 64, 96, LINKS_MAX];
        let step = match machines {
            0..100 => 0,
            100..1_000 => 1,
            1_000..10_000 => 2,
            _ => 3,
        };
        Self { bits, links: STEPS[if is_virtual { step + 1 } else { step }] }
    }

    /// Hashes that solving takes on average.
    pub const fn hashes(self) -> u64 {
        (self.links as u64) << self.bits
    }
}

/// A puzzle: of one account, with one machine, in one sky.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Puzzle {
    key: [u8; 32],
    difficulty: Difficulty,
}

/// A nonce for each link.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize)]
pub struct Solution(Vec<u64>);

/// Why a solution is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PuzzleError {
    /// Made for another difficulty.
    #[error("a solution of {found} links; the puzzle has {wanted}")]
    Links {
        /// Links given.
        found: usize,
        /// Links that the puzzle has.
        wanted: u16,
    },
    /// A nonce whose hash does not start with enough zero bits.
    #[error("link {link} is not solved: its hash starts with {found_bits} zero bits, not {wanted_bits}")]
    Unsolved {
        /// Which link.
        link: u16,
        /// Zero bits found.
        found_bits: u32,
        /// Zero bits asked for.
        wanted_bits: u8,
    },
}

impl Puzzle {
    /// The puzzle of `account` with this machine in `sky`. Whoever sees the solution can't use it for
    /// another account, nor with another machine, nor in another sky.
    pub fn new(sky: &Hash, account: &AccountId, fingerprint: &Fingerprint, difficulty: Difficulty) -> Self {
        let key = Hash::of_value(CHALLENGE_CONTEXT, &(sky, account, fingerprint));
        Self { key: *key.as_bytes(), difficulty }
    }

    /// How hard it is.
    pub const fn difficulty(&self) -> Difficulty {
        self.difficulty
    }

    /// The first of `nonces` that solves `link`, if any does. Callers choose the range: in steps, to
    /// show progress and to be able to stop, or one for each core.
    pub fn solve(&self, link: u16, nonces: Range<u64>) -> Option<u64> {
        nonces.into_iter().find(|nonce| self.zero_bits(link, *nonce) >= u32::from(self.difficulty.bits))
    }

    /// Checks a solution: one hash for each link, after their number was compared.
    pub fn verify(&self, solution: &Solution) -> Result<(), PuzzleError> {
        let Difficulty { bits, links } = self.difficulty;
        if solution.0.len() != usize::from(links) {
            return Err(PuzzleError::Links { found: solution.0.len(), wanted: links });
        }
        for (link, nonce) in (0..).zip(&solution.0) {
            let found_bits = self.zero_bits(link, *nonce);
            if found_bits < u32::from(bits) {
                return Err(PuzzleError::Unsolved { link, found_bits, wanted_bits: bits });
            }
        }
        Ok(())
    }

    /// The zero bits, of 64, that the hash of a nonce starts with. The link is hashed with the nonce,
    /// so one nonce can't serve two links.
    fn zero_bits(&self, link: u16, nonce: u64) -> u32 {
        let mut input = [0; 10];
        input[..2].copy_from_slice(&link.to_le_bytes());
        input[2..].copy_from_slice(&nonce.to_le_bytes());
        let hash = blake3::keyed_hash(&self.key, &input);
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_be_bytes(first).leading_zeros()
    }
}

impl Solution {
    /// A solution of these nonces, one for each link; none if there are more than any puzzle has.
    pub fn new(nonces: Vec<u64>) -> Option<Self> {
        (nonces.len() <= usize::from(LINKS_MAX)).then_some(Self(nonces))
    }
}

impl BorshDeserialize for Solution {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        // The count is read apart, so that a hostile one is refused before anything is allocated for it.
        let count = u32::deserialize_reader(reader)?;
        if count > u32::from(LINKS_MAX) {
            let problem = format!("a solution of {count} links; {LINKS_MAX} at most");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
        }
        let nonces = (0..count).map(|_| u64::deserialize_reader(reader)).collect::<Result<_, _>>()?;
        Ok(Self(nonces))
    }
}
