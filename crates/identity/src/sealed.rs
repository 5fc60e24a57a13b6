//! A secret key as bytes: the format shared by key files and backups.
//!
//! `header | body (48) | check (16)`. The header is authenticated with the body. The check is a plain
//! hash of what is before it; it tells a damaged file from a wrong passphrase. Encryption is
//! XChaCha20-Poly1305 under a key from Argon2id (RFC 9106), by default 64 MiB, 3 passes, 1 lane.

use crate::{fill_random, passphrase::Protection};
use argon2::{Algorithm, Argon2, Params, Version};
use borsh::{BorshDeserialize, BorshSerialize};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use opensky_types::{Hash, Keypair, NodeId, codec};
use zeroize::Zeroizing;

/// First bytes of a key file.
pub(crate) const KEY_FILE: [u8; 16] = *b"opensky-key-file";
/// First bytes of a backup.
pub(crate) const BACKUP: [u8; 16] = *b"opensky-backup\0\0";

const VERSION: u8 = 1;
const PLAIN: u8 = 0;
const ARGON2ID_XCHACHA20: u8 = 1;
const SEALED_BYTES: usize = 166;

/// Cost of the passphrase's key, as written to new files.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// Most that a file may ask for, so that a crafted backup cannot eat the machine.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 4;

#[derive(Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Header {
    magic: [u8; 16],
    version: u8,
    protection: u8,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
    nonce: [u8; 24],
    node: NodeId,
}

/// A key as it is written. The public half can be read without a passphrase.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub(crate) struct Sealed {
    header: Header,
    body: [u8; 48],
    check: [u8; 16],
}

/// Why bytes are not a sealed key, or do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SealedError {
    Damaged(&'static str),
    Newer(u8),
    NeedsPassphrase,
    WrongPassphrase,
}

impl Sealed {
    /// Seals `key` with fresh salt and nonce.
    pub fn new(magic: [u8; 16], key: &Keypair, protection: Protection<'_>) -> Self {
        let (mut salt, mut nonce) = ([0; 16], [0; 24]);
        fill_random(&mut salt);
        fill_random(&mut nonce);
        Self::with(magic, key, protection, salt, nonce)
    }

    pub(crate) fn with(
        magic: [u8; 16],
        key: &Keypair,
        protection: Protection<'_>,
        salt: [u8; 16],
        nonce: [u8; 24],
    ) -> Self {
        let node = key.id();
        let plain = Header {
            magic,
            version: VERSION,
            protection: PLAIN,
            memory_kib: 0,
            passes: 0,
            lanes: 0,
            salt: [0; 16],
            nonce: [0; 24],
            node,
        };
        let mut body = [0; 48];
        let header = match protection {
            Protection::None => {
                body[..32].copy_from_slice(key.seed().as_slice());
                plain
            }
            Protection::Passphrase(passphrase) => {
                let header = Header {
                    protection: ARGON2ID_XCHACHA20,
                    memory_kib: MEMORY_KIB,
                    passes: PASSES,
                    lanes: LANES,
                    salt,
                    nonce,
                    ..plain
                };
                let cipher = header.cipher(passphrase.bytes()).expect("our own costs are valid");
                let aad = codec::encode(&header);
                let message = Payload { msg: key.seed().as_slice(), aad: &aad };
                let sealed = cipher.encrypt(&nonce.into(), message).expect("32 bytes can be encrypted");
                body.copy_from_slice(&sealed);
                header
            }
        };
        let check = check(&header, &body);
        Self { header, body, check }
    }

    /// Reads what [`Sealed::to_bytes`] wrote.
    pub fn from_bytes(magic: [u8; 16], bytes: &[u8]) -> Result<Self, SealedError> {
        let version = bytes.strip_prefix(&magic).and_then(|rest| rest.first());
        match version {
            None => return Err(SealedError::Damaged("it does not begin as such a file")),
            Some(&VERSION) => {}
            Some(&newer) => return Err(SealedError::Newer(newer)),
        }
        let sealed: Self =
            codec::decode(bytes, SEALED_BYTES).map_err(|_| SealedError::Damaged("its length is wrong"))?;
        if sealed.check != check(&sealed.header, &sealed.body) {
            return Err(SealedError::Damaged("its bytes changed since it was written"));
        }
        Ok(sealed)
    }

    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(codec::encode(self))
    }

    pub fn id(&self) -> NodeId {
        self.header.node
    }

    pub fn is_encrypted(&self) -> bool {
        self.header.protection != PLAIN
    }

    /// Opens the key. A passphrase for a key that is not encrypted is not looked at.
    pub fn open(&self, passphrase: Option<&[u8]>) -> Result<Keypair, SealedError> {
        let mut seed = Zeroizing::new([0; 32]);
        if self.is_encrypted() {
            let passphrase = passphrase.ok_or(SealedError::NeedsPassphrase)?;
            let cipher = self.header.cipher(passphrase)?;
            let aad = codec::encode(&self.header);
            let message = Payload { msg: &self.body, aad: &aad };
            let opened = cipher
                .decrypt(&self.header.nonce.into(), message)
                .map(Zeroizing::new)
                .map_err(|_| SealedError::WrongPassphrase)?;
            seed.copy_from_slice(&opened);
        } else {
            seed.copy_from_slice(&self.body[..32]);
        }
        let key = Keypair::from_seed(*seed);
        if key.id() == self.id() {
            Ok(key)
        } else {
            Err(SealedError::Damaged("it holds another key than it says"))
        }
    }
}

impl Header {
    fn cipher(&self, passphrase: &[u8]) -> Result<XChaCha20Poly1305, SealedError> {
        let bad = SealedError::Damaged("its key derivation is out of bounds");
        let Self { memory_kib, passes, lanes, .. } = *self;
        if self.protection != ARGON2ID_XCHACHA20
            || memory_kib > MEMORY_KIB_MAX
            || passes > PASSES_MAX
            || lanes > LANES_MAX
        {
            return Err(bad);
        }
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| bad)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase, &self.salt, key.as_mut_slice())
            .map_err(|_| bad)?;
        Ok(XChaCha20Poly1305::new(&(*key).into()))
    }
}

fn check(header: &Header, body: &[u8; 48]) -> [u8; 16] {
    let hash = Hash::of_value("opensky sealed key check 1", &(header, body));
    let mut check = [0; 16];
    check.copy_from_slice(&hash.as_bytes()[..16]);
    check
}

#[cfg(test)]
mod tests;
