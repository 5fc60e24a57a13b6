//! Accounts of the ledger, and the public keys that may act for them.

use crate::{
    hash::Hash,
    key::NodeId,
    text::{ParseError, serde_as_text},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, str::FromStr};

/// Prefix of an account id's text form.
const ACCOUNT_PREFIX: &str = "osk1";

/// A key that may act for an account, of one of three schemes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum PublicKey {
    /// An ed25519 key: those of nodes and devices. Signatures follow ZIP-215.
    Ed25519([u8; 32]) = 0,
    /// A secp256k1 key, by its Ethereum address.
    Secp256k1([u8; 20]) = 1,
    /// An sr25519 key, as Polkadot's wallets hold it.
    Sr25519([u8; 32]) = 2,
}

impl PublicKey {
    /// A node's key.
    pub const fn of_node(node: NodeId) -> Self {
        Self::Ed25519(*node.public_key())
    }
}

impl fmt::Display for PublicKey {
    /// The scheme and the bytes in hex, for example `ed25519:00ff…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(bytes) => write!(f, "ed25519:{}", hex::encode(bytes)),
            Self::Secp256k1(address) => write!(f, "secp256k1:{}", hex::encode(address)),
            Self::Sr25519(bytes) => write!(f, "sr25519:{}", hex::encode(bytes)),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new(text, "a public key such as ed25519:00ff… (64 hex digits)");
        let (scheme, digits) = text.split_once(':').ok_or_else(bad)?;
        let mut bytes = [0; 32];
        match scheme {
            "ed25519" | "sr25519" => hex::decode_to_slice(digits, &mut bytes).map_err(|_| bad())?,
            "secp256k1" => hex::decode_to_slice(digits, &mut bytes[..20]).map_err(|_| bad())?,
            _ => return Err(bad()),
        }
        let mut address = [0; 20];
        address.copy_from_slice(&bytes[..20]);
        Ok(match scheme {
            "ed25519" => Self::Ed25519(bytes),
            "sr25519" => Self::Sr25519(bytes),
            _ => Self::Secp256k1(address),
        })
    }
}

serde_as_text!(PublicKey);

/// An account, named by the hash of its first key; the name stays when keys rotate. Shown as `osk1…`,
/// with a checksum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct AccountId([u8; 32]);

impl AccountId {
    /// The account whose first key this is.
    pub fn of_key(key: &PublicKey) -> Self {
        Self(*Hash::of_value("opensky account 1", key).as_bytes())
    }

    /// The account of a node that has not rotated its key.
    pub fn of_node(node: NodeId) -> Self {
        Self::of_key(&PublicKey::of_node(node))
    }

    /// An id from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ACCOUNT_PREFIX}{}", bs58::encode(self.0).with_check().into_string())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({})", hex::encode(&self.0[..6]))
    }
}

impl FromStr for AccountId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new(text, "an account id (osk1…), whole and unchanged");
        let body = text.strip_prefix(ACCOUNT_PREFIX).ok_or_else(bad)?;
        // 36 bytes are at most 50 characters; the cap keeps decoding of hostile text cheap.
        if body.len() > 64 {
            return Err(bad());
        }
        let bytes = bs58::decode(body).with_check(None).into_vec().map_err(|_| bad())?;
        Ok(Self(bytes.try_into().map_err(|_| bad())?))
    }
}

serde_as_text!(AccountId);
