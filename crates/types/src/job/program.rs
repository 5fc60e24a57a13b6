//! Programs: what runs, and how it is called.

use super::{Blob, needs::Needs};
use crate::{hash::Hash, place::Level};
use borsh::{
    BorshDeserialize, BorshSerialize,
    io::{self, Error, ErrorKind, Read, Write},
};

/// Set in the byte that was once a `bool` alone.
const DETERMINISTIC: u8 = 1;
/// The same: needs follow.
const HAS_NEEDS: u8 = 2;

/// A program and how it is called. In arguments, `{item}` stands for the task's own item: the
/// number, the input's name, or the task's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The WASM module or component, or the image, by hash; of an image in a registry, that of its name.
    pub hash: Hash,
    /// Its size, in bytes; 0 of an image in a registry.
    pub size_bytes: u64,
    /// How it runs.
    pub level: Level,
    /// For `Level::Function`: the exported function.
    pub function: String,
    /// Arguments (after the program's name), or the function's arguments as WAVE values.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Fixed clock, seeded randomness, canonical NaN: same inputs, same outputs.
    pub deterministic: bool,
    /// For `Level::Container`: what it needs beside a processor, memory and files.
    pub needs: Needs,
}

impl Program {
    /// The blob that is to be fetched before it runs; none of an image that its host takes from a registry.
    pub fn blob(&self) -> Option<Blob> {
        let blob = Blob { hash: self.hash, size_bytes: self.size_bytes };
        self.needs.image.is_none().then_some(blob)
    }

    /// Checks what it needs against all else that it is.
    pub fn validate_needs(&self) -> Result<(), String> {
        if self.level != Level::Container && self.needs != Needs::default() {
            return Err("GPUs, registries and isolation are of images: level 'container'".into());
        }
        if self.needs.image.as_ref().is_some_and(|image| self.hash != image.hash() || self.size_bytes != 0) {
            return Err("an image of a registry goes by the hash of its name and has no size".into());
        }
        self.needs.validate()
    }

    pub(super) fn call_bytes(&self) -> usize {
        let args = self.args.iter().map(|arg| 8 + arg.len());
        let env = self.env.iter().map(|(name, value)| 8 + name.len() + value.len());
        self.function.len() + args.chain(env).sum::<usize>()
    }
}

// By hand: programs without needs are written as they were before there were any, so that what is signed, hashed and
// kept of them stays what it is.
impl BorshSerialize for Program {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        let Self { hash, size_bytes, level, function, args, env, deterministic, needs } = self;
        (hash, size_bytes, level, function, args, env).serialize(writer)?;
        let has_needs = *needs != Needs::default();
        let flags = (u8::from(*deterministic) * DETERMINISTIC) | (u8::from(has_needs) * HAS_NEEDS);
        flags.serialize(writer)?;
        if has_needs { needs.serialize(writer) } else { Ok(()) }
    }
}

impl BorshDeserialize for Program {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let (hash, size_bytes, level, function, args, env) = BorshDeserialize::deserialize_reader(reader)?;
        let flags = u8::deserialize_reader(reader)?;
        if flags & !(DETERMINISTIC | HAS_NEEDS) != 0 {
            return Err(Error::new(ErrorKind::InvalidData, "a program has flags that are not known"));
        }
        let needs = match flags & HAS_NEEDS {
            0 => Needs::default(),
            _ => Needs::deserialize_reader(reader)?,
        };
        if flags & HAS_NEEDS != 0 && needs == Needs::default() {
            return Err(Error::new(ErrorKind::InvalidData, "a program needs nothing and says so"));
        }
        let deterministic = flags & DETERMINISTIC != 0;
        Ok(Self { hash, size_bytes, level, function, args, env, deterministic, needs })
    }
}
