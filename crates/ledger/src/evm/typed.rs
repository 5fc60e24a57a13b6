//! EIP-712: hashing typed data so that a wallet can show what is signed.
//!
//! Only what our messages need: flat structs of 32-byte words, integers, addresses and texts.

use super::{Address, Keccak};
use opensky_types::Hash;

/// The name of every domain.
pub const NAME: &str = "OpenSky";
/// The version of the formats.
pub const VERSION: &str = "1";

/// A struct of EIP-712.
pub trait TypedData {
    /// Its type as the standard writes it: `Name(type name,…)`.
    const TYPE: &'static str;
    /// Appends the fields in the order of [`TypedData::TYPE`].
    fn fields(&self, encoder: &mut Encoder);
}

/// The encoded fields of a struct: one word of 32 bytes each.
#[derive(Debug)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// A `bytes32`.
    pub fn word(&mut self, bytes: &[u8; 32]) {
        self.0.extend_from_slice(bytes);
    }

    /// An unsigned integer of any width up to 128 bits.
    pub fn integer(&mut self, value: u128) {
        self.0.extend_from_slice(&[0; 16]);
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// An `address`.
    pub fn address(&mut self, address: &Address) {
        self.0.extend_from_slice(&[0; 12]);
        self.0.extend_from_slice(address.as_bytes());
    }

    /// A `string`, which is encoded as its hash.
    pub fn text(&mut self, text: &str) {
        self.word(Keccak::of(text.as_bytes()).as_bytes());
    }
}

/// The standard's `hashStruct`.
pub fn struct_hash<T: TypedData>(value: &T) -> Keccak {
    let mut encoder = Encoder(Vec::with_capacity(32 * 8));
    encoder.word(Keccak::of(T::TYPE.as_bytes()).as_bytes());
    value.fields(&mut encoder);
    Keccak::of(&encoder.0)
}

/// What is signed for `value` in `domain`.
pub fn digest<T: TypedData>(domain: &Domain, value: &T) -> Keccak {
    let (domain, value) = (domain.separator(), struct_hash(value));
    Keccak::of_parts(&[b"\x19\x01", domain.as_bytes(), value.as_bytes()])
}

/// Where a signature counts: in one sky, and either in its ledger and every contract that knows the
/// sky, or in one contract only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domain {
    /// The sky; in the standard's terms the `salt`.
    pub sky: Hash,
    /// The one contract that may accept it. `None` for what is signed once for all chains, such as
    /// checkpoints.
    pub contract: Option<Contract>,
}

/// A contract on one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract {
    /// The chain's id (EIP-155).
    pub chain: u64,
    /// Its address there.
    pub address: Address,
}

impl Domain {
    /// The domain of a sky's ledger.
    pub const fn of_sky(sky: Hash) -> Self {
        Self { sky, contract: None }
    }

    /// The standard's `domainSeparator`.
    pub fn separator(&self) -> Keccak {
        match &self.contract {
            None => struct_hash(&Anywhere { sky: &self.sky }),
            Some(contract) => struct_hash(&Within { sky: &self.sky, contract }),
        }
    }
}

struct Anywhere<'a> {
    sky: &'a Hash,
}

impl TypedData for Anywhere<'_> {
    const TYPE: &'static str = "EIP712Domain(string name,string version,bytes32 salt)";
    fn fields(&self, encoder: &mut Encoder) {
        encoder.text(NAME);
        encoder.text(VERSION);
        encoder.word(self.sky.as_bytes());
    }
}

struct Within<'a> {
    sky: &'a Hash,
    contract: &'a Contract,
}

impl TypedData for Within<'_> {
    const TYPE: &'static str =
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)";
    fn fields(&self, encoder: &mut Encoder) {
        encoder.text(NAME);
        encoder.text(VERSION);
        encoder.integer(self.contract.chain.into());
        encoder.address(&self.contract.address);
        encoder.word(self.sky.as_bytes());
    }
}
