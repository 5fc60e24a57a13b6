//! How results are checked that are not the same on every run (spec V1): by a program, or with a tolerance.

use crate::{hash::Hash, resources::TaskLimits};
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// Longest wall time of a checker's run, in milliseconds.
pub const CHECK_WALL_MS_MAX: u64 = 600_000;
/// Most memory, and most scratch space, of a checker. It runs on the consumer's own node, beside what that shares.
pub const CHECK_MEMORY_BYTES_MAX: u64 = 1 << 30;
/// Most bytes that a checker may write: a verdict and why.
pub const CHECK_OUTPUT_BYTES_MAX: u64 = 64 << 20;
/// Most bytes of a checker's arguments together.
pub const CHECK_ARGS_BYTES_MAX: usize = 16 * 1024;
/// Most replicas whose results are compared with each other.
pub const COMPARED_MAX: u8 = 9;

/// How results of a stage are checked.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Check {
    /// A WASI command program decides.
    Program(Checker) = 0,
    /// Results are texts, and numbers in them may differ a little.
    Tolerance(Tolerance) = 1,
}

/// A program that decides whether a result is right, or whether two are alike. It runs on the consumer's own node.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Checker {
    /// The WASM module or component, by hash.
    pub program: Hash,
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// Its arguments. `{item}` stands for the task's own item.
    pub args: Vec<String>,
    /// If there is one: the program writes a score, and this is the least that will do.
    pub score_min: Option<Real>,
    /// Limits of each run.
    pub limits: TaskLimits,
}

/// By how much numbers may differ: by one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Tolerance {
    /// By so much.
    pub absolute: Real,
    /// By this part of the larger one.
    pub relative: Real,
}

impl Tolerance {
    /// Whether two numbers are alike.
    pub fn is_close(&self, left: f64, right: f64) -> bool {
        let apart = (left - right).abs();
        // What is too large to be a number is near nothing, not even by a part of itself.
        left == right
            || apart.is_finite()
                && (apart <= self.absolute.get()
                    || apart <= self.relative.get() * left.abs().max(right.abs()))
    }
}

/// A finite number, equal to another by its bits.
#[derive(Clone, Copy, Default, PartialEq, Eq, BorshSerialize)]
pub struct Real(u64);

impl Real {
    /// The number; `None` for one that is not finite.
    pub fn new(number: f64) -> Option<Self> {
        // There is one zero.
        number.is_finite().then(|| Self((number + 0.0).to_bits()))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl BorshDeserialize for Real {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let number = f64::from_bits(u64::deserialize_reader(reader)?);
        Self::new(number).ok_or_else(|| std::io::Error::other("a number that is not finite"))
    }
}

impl fmt::Debug for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Real {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

impl serde::Serialize for Real {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.get())
    }
}

impl<'de> serde::Deserialize<'de> for Real {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = <f64 as serde::Deserialize>::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| serde::de::Error::custom("a number that is not finite"))
    }
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum CheckDecision {
    /// The result is right, or the two are alike.
    Passed = 0,
    /// It is not, or they are not.
    Failed = 1,
    /// The checker itself failed: nothing is decided.
    Broken = 2,
}

impl Check {
    /// Checks what a node relies on. `agree`: how many results have to be alike.
    pub(super) fn validate(&self, agree: u8) -> Result<(), String> {
        match self {
            Self::Tolerance(Tolerance { absolute, relative }) => {
                if agree < 2 {
                    return Err("a tolerance compares results, so at least 2 have to agree".into());
                }
                if absolute.get() < 0.0 || relative.get() < 0.0 {
                    return Err("a tolerance is not negative".into());
                }
                Ok(())
            }
            Self::Program(checker) => {
                let args_bytes: usize = checker.args.iter().map(|arg| 8 + arg.len()).sum();
                if args_bytes > CHECK_ARGS_BYTES_MAX {
                    return Err(format!("a checker's arguments have at most {CHECK_ARGS_BYTES_MAX} bytes"));
                }
                if checker.limits.wall_ms > CHECK_WALL_MS_MAX {
                    return Err("a checker runs for at most 10 minutes".into());
                }
                let TaskLimits { memory_bytes, scratch_bytes, output_bytes, .. } = checker.limits;
                if memory_bytes > CHECK_MEMORY_BYTES_MAX || scratch_bytes > CHECK_MEMORY_BYTES_MAX {
                    return Err("a checker has at most 1 GiB of memory, and of scratch space".into());
                }
                if output_bytes > CHECK_OUTPUT_BYTES_MAX {
                    return Err("a checker writes at most 64 MiB".into());
                }
                Ok(())
            }
        }
    }
}
