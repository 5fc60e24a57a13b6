//! What a machine shows of itself: five hashes.

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::Hash;
use std::fmt;

/// How many kinds of parts there are.
pub const COMPONENTS: usize = 5;
/// How many equal parts make two fingerprints the same machine.
pub const MATCH_MIN: usize = 3;
/// How many triples five parts have.
pub const TRIPLES: usize = 10;

/// How often a part's hash is hashed again. A MAC address of a known maker is one of 17 million: one
/// hash each would find it in a second, this many take days of a core. About 20 ms for each part.
pub const STRETCH_ROUNDS: u32 = 1 << 18;

const COMPONENT_CONTEXT: &str = "opensky machine component 1";
const TRIPLE_CONTEXT: &str = "opensky machine triple 1";

/// The parts of a machine that tell it from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum ComponentKind {
    /// The processor's id.
    Cpu = 0,
    /// The board's UUID.
    Board = 1,
    /// The MAC address of the first network card.
    Mac = 2,
    /// The serial number of the boot disk.
    Disk = 3,
    /// The operating system's machine id.
    System = 4,
}

impl ComponentKind {
    /// All kinds, in the order of a fingerprint.
    pub const ALL: [Self; COMPONENTS] = [Self::Cpu, Self::Board, Self::Mac, Self::Disk, Self::System];
}

/// The hash by which `sky` knows a part; computed on the machine, so that `raw` never leaves it.
///
/// Salted by sky, so that two skies can't find out that they share a machine, and stretched
/// ([`STRETCH_ROUNDS`]), so that guessing is dear. Who already knows a part's raw value can check it.
pub fn hash_component(sky: &Hash, kind: ComponentKind, raw: &[u8]) -> Hash {
    let salt = Hash::of_value(COMPONENT_CONTEXT, &(sky, kind));
    let first = blake3::keyed_hash(salt.as_bytes(), raw);
    let last =
        (0..STRETCH_ROUNDS).fold(first, |hash, _| blake3::keyed_hash(salt.as_bytes(), hash.as_bytes()));
    Hash::from_bytes(*last.as_bytes())
}

/// The hashes of a machine's parts; those that it has or may read, at least three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize)]
pub struct Fingerprint([Option<Hash>; COMPONENTS]);

/// Why hashes are no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a machine is told from others by {MATCH_MIN} of {COMPONENTS} parts; {count} could be read")]
pub struct FingerprintError {
    /// How many parts there are.
    pub count: usize,
}

/// Three parts of a fingerprint, in one hash; its name in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Triple(Hash);

impl Triple {
    /// The hash.
    pub const fn hash(&self) -> &Hash {
        &self.0
    }
}

impl Fingerprint {
    /// A fingerprint of these parts, in the order of [`ComponentKind::ALL`].
    pub fn new(components: [Option<Hash>; COMPONENTS]) -> Result<Self, FingerprintError> {
        let count = components.iter().flatten().count();
        if count < MATCH_MIN { Err(FingerprintError { count }) } else { Ok(Self(components)) }
    }

    /// The parts, in the order of [`ComponentKind::ALL`].
    pub const fn components(&self) -> &[Option<Hash>; COMPONENTS] {
        &self.0
    }

    /// Every three of its parts: one to ten.
    pub fn triples(&self) -> impl Iterator<Item = Triple> + use<> {
        let present: Vec<(u8, Hash)> =
            (0..).zip(self.0).filter_map(|(place, part)| Some((place, part?))).collect();
        let count = present.len();
        let places = (0..count)
            .flat_map(move |a| (a + 1..count).flat_map(move |b| (b + 1..count).map(move |c| [a, b, c])));
        places.map(move |places| {
            let three = places.map(|place| present[place]);
            Triple(Hash::of_value(TRIPLE_CONTEXT, &three))
        })
    }

    /// Whether both are of the same machine.
    pub fn matches(&self, other: &Self) -> bool {
        let equal = |(one, two): &(&Option<Hash>, &Option<Hash>)| one.is_some() && one == two;
        self.0.iter().zip(&other.0).filter(equal).count() >= MATCH_MIN
    }

    /// The hash of all of it: what a puzzle is bound to.
    pub fn hash(&self) -> Hash {
        Hash::of_value("opensky machine fingerprint 1", self)
    }
}

impl BorshDeserialize for Fingerprint {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let components = BorshDeserialize::deserialize_reader(reader)?;
        Self::new(components)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()))
    }
}

impl fmt::Display for Fingerprint {
    /// The first digits of each part, for people to look at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "-" };
            write!(f, "{separator}{}", part.map_or_else(|| "none".to_owned(), |hash| hash.short()))?;
        }
        Ok(())
    }
}
