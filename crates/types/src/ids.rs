//! Ids of jobs, tasks, services and agreements.

use crate::{
    hash::Hash,
    key::NodeId,
    text::{ParseError, serde_as_text},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, str::FromStr};

const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A job's id: 80 random bits drawn by the consumer, shown as 16 characters of Crockford base32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct JobId([u8; 10]);

impl JobId {
    /// An id from random bytes.
    pub const fn from_bytes(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 10] {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base32(&self.0, f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobId({self})")
    }
}

impl FromStr for JobId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = read_base32(text);
        bytes.map(Self).ok_or_else(|| ParseError::new(text, "a job id of 16 letters and digits"))
    }
}

serde_as_text!(JobId);

/// A service's id: 80 bits of a hash of its owner and its name, shown like a job's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct ServiceId([u8; 10]);

impl ServiceId {
    /// The id of the service `name` of `owner`.
    pub fn of(owner: &NodeId, name: &str) -> Self {
        let hash = Hash::of_value("opensky service 1", &(owner, name));
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&hash.as_bytes()[..10]);
        Self(bytes)
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_base32(&self.0, f)
    }
}

impl fmt::Debug for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceId({self})")
    }
}

impl FromStr for ServiceId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = read_base32(text);
        bytes.map(Self).ok_or_else(|| ParseError::new(text, "a service id of 16 letters and digits"))
    }
}

serde_as_text!(ServiceId);

fn write_base32(bytes: &[u8; 10], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for five in bytes.chunks_exact(5) {
        let bits = five.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        for index in (0..8).rev() {
            let digit = BASE32[(bits >> (5 * index) & 31) as usize];
            write!(f, "{}", digit as char)?;
        }
    }
    Ok(())
}

fn read_base32(text: &str) -> Option<[u8; 10]> {
    if text.len() != 16 {
        return None;
    }
    let mut bytes = [0; 10];
    for (eight, five) in text.as_bytes().chunks_exact(8).zip(bytes.chunks_exact_mut(5)) {
        let mut bits = 0u64;
        for character in eight {
            let lower = character.to_ascii_lowercase();
            bits = bits << 5 | BASE32.iter().position(|b| *b == lower)? as u64;
        }
        five.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(bytes)
}

/// One task of a job: its stage and its index in that stage, shown as `stage.index` (`0.17`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct TaskId {
    /// Position of the stage in the job, from 0.
    pub stage: u16,
    /// Position of the task in the stage, from 0.
    pub index: u32,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.stage, self.index)
    }
}

impl FromStr for TaskId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = || ParseError::new(text, "a task id such as 0.17 (stage.index)");
        let (stage, index) = text.split_once('.').ok_or_else(bad)?;
        let id = Self { stage: stage.parse().map_err(|_| bad())?, index: index.parse().map_err(|_| bad())? };
        // Rust reads `+1` and `01` as numbers too; an id has one spelling.
        if id.to_string() == text { Ok(id) } else { Err(bad()) }
    }
}

serde_as_text!(TaskId);

/// An agreement's id: the hash of its signed terms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct AgreementId(Hash);

impl AgreementId {
    /// The id of terms with this content hash.
    pub const fn from_hash(hash: Hash) -> Self {
        Self(hash)
    }

    /// The hash of the terms.
    pub const fn hash(&self) -> &Hash {
        &self.0
    }
}

impl fmt::Display for AgreementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for AgreementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgreementId({})", self.0.short())
    }
}

impl FromStr for AgreementId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        text.parse().map(Self)
    }
}

serde_as_text!(AgreementId);
