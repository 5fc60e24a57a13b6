//! Ethereum addresses.

use super::Keccak;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::text::ParseError;
use std::{fmt, str::FromStr};

/// The last 20 bytes of a secp256k1 key's hash, shown with the checksum of EIP-55.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Address([u8; 20]);

impl Address {
    /// An address from its bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The address of a public key: 64 bytes, its two coordinates.
    pub(super) fn of_public_key(coordinates: &[u8]) -> Self {
        let mut address = [0; 20];
        address.copy_from_slice(&Keccak::of(coordinates).as_bytes()[12..]);
        Self(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex::encode(self.0);
        let hash = Keccak::of(digits.as_bytes());
        f.write_str("0x")?;
        for (index, digit) in digits.chars().enumerate() {
            let nibble = hash.as_bytes()[index / 2] >> (4 * (1 - index % 2)) & 15;
            write!(f, "{}", if nibble >= 8 { digit.to_ascii_uppercase() } else { digit })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = ParseError;
    /// Reads an address whose checksum is right, or that has none because all letters are of one case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new(text, "an address such as 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
        let digits = text.strip_prefix("0x").ok_or_else(bad)?;
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| bad())?;
        let address = Self(bytes);
        let is_mixed = digits.contains(|c: char| c.is_ascii_lowercase())
            && digits.contains(|c: char| c.is_ascii_uppercase());
        if is_mixed && address.to_string() != text {
            return Err(ParseError::new(text, "an address with the right checksum (a digit is mistyped)"));
        }
        Ok(address)
    }
}
