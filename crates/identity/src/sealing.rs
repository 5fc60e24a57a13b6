//! Secrets of services, sealed for nodes: whoever holds a node's key can read what is sealed for its id.
//!
//! The values of a service are encrypted once (ChaCha20-Poly1305, RFC 8439) under a key of their own, and that
//! key is sealed for each reader with HPKE (RFC 9180: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20-Poly1305). A reader's X25519 key is its Ed25519 key on the other form of the same curve (RFC 7748,
//! 4.1), so that a seal needs nothing but a node's id. All of it is bound to the sky and the service: sealed for
//! one service it cannot be opened as that of another.

use borsh::BorshDeserialize;
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use curve25519_dalek::edwards::CompressedEdwardsY;
use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305 as SealAead, kdf::HkdfSha256,
    kem::X25519HkdfSha256, single_shot_open, single_shot_seal_with_rng,
};
use opensky_types::{
    Hash, Keypair, NodeId, ServiceId, codec,
    service::{Reader, SECRETS_BYTES_MAX, Secret, SecretValue, Secrets},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

const DOMAIN: &[u8; 16] = b"opensky/secret/1";
/// Lengths of secrets are hidden up to this.
const PADDED_TO: usize = 256;
/// The form of the values has so many bytes beside them at most.
const CONTENTS_BYTES_MAX: usize = SECRETS_BYTES_MAX + 1_024;

type Kem = X25519HkdfSha256;

/// Why secrets were not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// They are more than travels.
    #[error(
        "all secrets of a service together have at most {SECRETS_BYTES_MAX} bytes, these have {size_bytes}"
    )]
    TooLarge { size_bytes: usize },
    /// No key belongs to a node's id.
    #[error("{node} is no key for which anything can be sealed")]
    NoKey { node: NodeId },
}

/// Why secrets were not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// They are sealed for others.
    #[error("the secrets are not sealed for this node")]
    NotForThisNode,
    /// They were changed, or sealed for another service.
    #[error("the secrets are damaged, or those of another service")]
    Damaged,
}

/// What is sealed.
#[derive(BorshDeserialize)]
struct Contents {
    values: Vec<Vec<u8>>,
    /// Hides how long they are.
    #[expect(dead_code, reason = "it is there to be there")]
    padding: Vec<u8>,
}

/// Seals secrets for `readers`, each once. `seed` is 32 fresh bytes of chance.
pub fn seal(
    (sky, service): (Hash, ServiceId),
    secrets: Vec<(Secret, SecretValue)>,
    readers: &[NodeId],
    seed: [u8; 32],
) -> Result<Secrets, SealError> {
    let mut chance = StdRng::from_seed(seed);
    let size_bytes = secrets.iter().map(|(_, value)| value.expose().len()).sum();
    if size_bytes > SECRETS_BYTES_MAX {
        return Err(SealError::TooLarge { size_bytes });
    }
    let contents = padded(&secrets);
    let given: Vec<Secret> = secrets.into_iter().map(|(secret, _)| secret).collect();
    let mut key = Zeroizing::new([0; 32]);
    chance.fill_bytes(key.as_mut_slice());
    let bound = codec::encode(&(sky, service, &given));
    let payload = Payload { msg: &contents, aad: &bound };
    // The key is used this once.
    let sealed = cipher(&key).encrypt(&Nonce::default(), payload).expect("so few bytes can be encrypted");
    let info = info(sky, service);
    let reader = |node: &NodeId| seal_key(*node, &info, &key, &mut chance);
    let readers = readers.iter().map(reader).collect::<Result<_, _>>()?;
    Ok(Secrets { given, readers, sealed })
}

/// Opens the secrets of a service with the key of one of their readers, in the order of `secrets.given`.
pub fn open(
    key: &Keypair,
    (sky, service): (Hash, ServiceId),
    secrets: &Secrets,
) -> Result<Vec<SecretValue>, OpenError> {
    let reader = secrets.readers.iter().find(|reader| reader.node == key.id());
    let reader = reader.ok_or(OpenError::NotForThisNode)?;
    let contents_key = open_key(key, &info(sky, service), reader).ok_or(OpenError::Damaged)?;
    let bound = codec::encode(&(sky, service, &secrets.given));
    let payload = Payload { msg: &secrets.sealed, aad: &bound };
    let opened = cipher(&contents_key).decrypt(&Nonce::default(), payload);
    let opened = Zeroizing::new(opened.map_err(|_| OpenError::Damaged)?);
    let contents: Contents = codec::decode(&opened, CONTENTS_BYTES_MAX).map_err(|_| OpenError::Damaged)?;
    if contents.values.len() != secrets.given.len() {
        return Err(OpenError::Damaged);
    }
    Ok(contents.values.into_iter().map(SecretValue::new).collect())
}

fn info(sky: Hash, service: ServiceId) -> Vec<u8> {
    [DOMAIN.as_slice(), &codec::encode(&(sky, service))].concat()
}

fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(key.into())
}

fn padded(secrets: &[(Secret, SecretValue)]) -> Zeroizing<Vec<u8>> {
    let values = || secrets.iter().map(|(_, value)| value.expose());
    let plain_bytes = 8 + values().map(|value| 4 + value.len()).sum::<usize>();
    let padding = vec![0; plain_bytes.next_multiple_of(PADDED_TO) - plain_bytes];
    let mut contents = Zeroizing::new(Vec::with_capacity(plain_bytes + padding.len()));
    // As `Contents`, without a copy of the values that stays in memory.
    contents.extend_from_slice(&(secrets.len() as u32).to_le_bytes());
    for value in values() {
        contents.extend_from_slice(&(value.len() as u32).to_le_bytes());
        contents.extend_from_slice(value);
    }
    contents.extend_from_slice(&(padding.len() as u32).to_le_bytes());
    contents.extend_from_slice(&padding);
    contents
}

fn seal_key(node: NodeId, info: &[u8], key: &[u8; 32], chance: &mut StdRng) -> Result<Reader, SealError> {
    let no_key = || SealError::NoKey { node };
    let point = CompressedEdwardsY(*node.public_key()).decompress().ok_or_else(no_key)?;
    let public = <Kem as hpke::Kem>::PublicKey::from_bytes(point.to_montgomery().as_bytes());
    let public = public.map_err(|_| no_key())?;
    let sealed = single_shot_seal_with_rng::<SealAead, HkdfSha256, Kem>(
        &OpModeS::Base,
        &public,
        info,
        key,
        b"",
        chance,
    );
    // Of a key of small order nothing secret can be made.
    let (exchange, key) = sealed.map_err(|_| no_key())?;
    let mut exchange_bytes = [0; 32];
    exchange.write_exact(&mut exchange_bytes);
    Ok(Reader { node, exchange: exchange_bytes, key: key.try_into().map_err(|_| no_key())? })
}

fn open_key(key: &Keypair, info: &[u8], reader: &Reader) -> Option<Zeroizing<[u8; 32]>> {
    // The scalar of an Ed25519 key (RFC 8032, 5.1.5); X25519 clamps it alike.
    let expanded = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(key.seed().as_slice())));
    let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(&expanded[..32]).ok()?;
    let exchange = <Kem as hpke::Kem>::EncappedKey::from_bytes(&reader.exchange).ok()?;
    let opened = single_shot_open::<SealAead, HkdfSha256, Kem>(
        &OpModeR::Base,
        &private,
        &exchange,
        info,
        &reader.key,
        b"",
    );
    let opened = Zeroizing::new(opened.ok()?);
    Some(Zeroizing::new(opened.as_slice().try_into().ok()?))
}
