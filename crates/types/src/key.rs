//! Ed25519 keys and the node id made from them.
//!
//! Signatures follow ZIP-215, the rule the ledger's engine uses, so that no two parts of a sky ever
//! disagree on whether a signature is valid. A node id is the libp2p peer id of the public key.

use crate::text::{ParseError, serde_as_text};
use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_zebra::{SigningKey, VerificationKey};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// A multihash header: identity hash of a 36-byte protobuf that says "ed25519 key of 32 bytes".
const PEER_ID_HEADER: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// The public key of a node, shown as its libp2p peer id (`12D3KooW…`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct NodeId([u8; 32]);

impl NodeId {
    /// An id from the bytes of an ed25519 public key. Whether the bytes are a point on the curve is
    /// found out when a signature is checked.
    pub const fn from_public_key(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the ed25519 public key.
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes of the libp2p peer id.
    pub fn to_peer_id_bytes(&self) -> Vec<u8> {
        [&PEER_ID_HEADER[..], &self.0].concat()
    }

    /// The last eight characters: what people compare on screen; never for lookups.
    pub fn short(&self) -> String {
        let text = self.to_string();
        text[text.len() - 8..].to_owned()
    }

    /// Whether `signature` over `message` was made by this node's key.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let signature = ed25519_zebra::Signature::from_bytes(&signature.0);
        VerificationKey::try_from(self.0).is_ok_and(|key| key.verify(&signature, message).is_ok())
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.to_peer_id_bytes()).into_string())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId(…{})", self.short())
    }
}

impl FromStr for NodeId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new(text, "a node id such as 12D3KooW…");
        // A peer id of this kind is 52 characters; the cap keeps decoding of hostile text cheap.
        if text.len() > 64 {
            return Err(bad());
        }
        let bytes = bs58::decode(text).into_vec().map_err(|_| bad())?;
        let key = bytes.strip_prefix(&PEER_ID_HEADER).ok_or_else(bad)?;
        Ok(Self(key.try_into().map_err(|_| bad())?))
    }
}

serde_as_text!(NodeId);

/// An ed25519 signature, shown as 128 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Signature([u8; 64]);

impl Signature {
    /// A signature from its bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}…)", hex::encode(&self.0[..4]))
    }
}

impl FromStr for Signature {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut bytes = [0; 64];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| ParseError::new(text, "a signature of 128 hex digits"))?;
        Ok(Self(bytes))
    }
}

serde_as_text!(Signature);

/// A node's secret key. Its seed is wiped from memory on drop, and it has no `Debug` or serde form.
#[derive(Clone)]
pub struct Keypair {
    seed: Zeroizing<[u8; 32]>,
    signing: SigningKey,
    id: NodeId,
}

impl Keypair {
    /// The key of a 32-byte seed, which the caller draws from the operating system's randomness.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let signing = SigningKey::from(seed);
        let id = NodeId(VerificationKey::from(&signing).into());
        Self { seed: Zeroizing::new(seed), signing, id }
    }

    /// The seed, for the key file and for the transport that must hold the same key.
    pub fn seed(&self) -> &Zeroizing<[u8; 32]> {
        &self.seed
    }

    /// The public half.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// A secret for another purpose, which `context` names, so that whoever keeps this key keeps that one
    /// too; `number` is for schemes that can't use every secret. Neither leads back to the other.
    pub fn derive(&self, context: &'static str, number: u8) -> Zeroizing<[u8; 32]> {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        hasher.update(self.seed.as_slice()).update(&[number]);
        Zeroizing::new(hasher.finalize().into())
    }

    /// Signs raw bytes. Domain values go through [`crate::Signed::sign`], which adds their tag.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.signing.sign(message).to_bytes())
    }
}
