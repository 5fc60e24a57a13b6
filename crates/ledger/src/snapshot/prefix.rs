//! A part of the key space: all keys that start with the same bits.

use crate::tree::{self, SIBLINGS_MAX};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::Hash;
use std::io;

/// The first `len` bits of keys. The bits after them are zero, so that each part has one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    bits: Hash,
    len: u16,
}

impl Prefix {
    /// All keys.
    pub const ALL: Self = Self { bits: Hash::from_bytes([0; 32]), len: 0 };

    /// The first `len` bits of `key`.
    pub(super) fn of(key: &Hash, len: usize) -> Self {
        let mut bits = *key.as_bytes();
        for (index, byte) in bits.iter_mut().enumerate() {
            let kept = len.saturating_sub(index * 8).min(8);
            *byte &= !(0xff_u16 >> kept) as u8;
        }
        let len = u16::try_from(len).expect("a key has 256 bits");
        Self { bits: Hash::from_bytes(bits), len }
    }

    /// The first key of this part.
    pub fn first(&self) -> &Hash {
        &self.bits
    }

    /// How many bits are fixed.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether no bit is fixed: the part is everything.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a key belongs to this part.
    pub fn holds(&self, key: &Hash) -> bool {
        tree::common_bits(&self.bits, key) >= self.len()
    }

    /// The first key behind this part; `None` behind the last.
    pub fn next(&self) -> Option<Hash> {
        let mut bytes = *self.bits.as_bytes();
        let last = self.len().checked_sub(1)?;
        let mut step = 1_u8 << (7 - last % 8);
        for index in (0..=last / 8).rev() {
            let (sum, overflowed) = bytes[index].overflowing_add(step);
            bytes[index] = sum;
            if !overflowed {
                return Some(Hash::from_bytes(bytes));
            }
            step = 1;
        }
        None
    }

    /// The halves of this part.
    pub(super) fn halves(&self) -> [Self; 2] {
        let len = self.len + 1;
        let mut bits = *self.bits.as_bytes();
        bits[self.len() / 8] |= 1 << (7 - self.len() % 8);
        [Self { bits: self.bits, len }, Self { bits: Hash::from_bytes(bits), len }]
    }
}

impl BorshSerialize for Prefix {
    /// The length in bits, then only the bytes that hold them.
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        self.len.serialize(writer)?;
        writer.write_all(&self.bits.as_bytes()[..self.len().div_ceil(8)])
    }
}

impl BorshDeserialize for Prefix {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let bad = |problem| io::Error::new(io::ErrorKind::InvalidData, problem);
        let len = usize::from(u16::deserialize_reader(reader)?);
        if len > SIBLINGS_MAX {
            return Err(bad("a prefix longer than a key"));
        }
        let mut bits = [0; 32];
        reader.read_exact(&mut bits[..len.div_ceil(8)])?;
        let bits = Hash::from_bytes(bits);
        let prefix = Self::of(&bits, len);
        if prefix.bits == bits { Ok(prefix) } else { Err(bad("bits behind the end of a prefix")) }
    }
}
