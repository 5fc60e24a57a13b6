//! Who acts in the targets: keys by number, and their accounts.

use opensky_ledger::{
    approval::{Approval, Statement},
    evm::{Address, EvmKey, EvmSignature, personal_digest},
};
use opensky_types::{AccountId, Keypair, NodeId, PublicKey, Signature};
use std::sync::LazyLock;

/// Numbers from here on are Ethereum keys; below, ed25519 keys.
pub const FIRST_EVM: u8 = 28;
/// How many keys there are.
pub const KEYS: u8 = 32;

static NODES: LazyLock<Vec<Keypair>> =
    LazyLock::new(|| (0..FIRST_EVM).map(|number| Keypair::from_seed([number; 32])).collect());
static WALLETS: LazyLock<Vec<EvmKey>> = LazyLock::new(|| {
    (FIRST_EVM..KEYS).map(|number| EvmKey::from_secret(&[number; 32]).expect("a key")).collect()
});

/// The ed25519 key of a number below [`FIRST_EVM`].
pub fn node(number: u8) -> &'static Keypair {
    &NODES[usize::from(number % FIRST_EVM)]
}

fn wallet(number: u8) -> Option<&'static EvmKey> {
    WALLETS.get(usize::from((number % KEYS).checked_sub(FIRST_EVM)?))
}

static PUBLICS: LazyLock<Vec<PublicKey>> = LazyLock::new(|| {
    let public = |number| match wallet(number) {
        Some(key) => PublicKey::Secp256k1(*key.address().as_bytes()),
        None => PublicKey::of_node(node(number).id()),
    };
    (0..KEYS).map(public).collect()
});
static ACCOUNTS: LazyLock<Vec<AccountId>> = LazyLock::new(|| PUBLICS.iter().map(AccountId::of_key).collect());

/// The key of a number.
pub fn public(number: u8) -> PublicKey {
    PUBLICS[usize::from(number % KEYS)]
}

/// The account named after the key.
pub fn account(number: u8) -> AccountId {
    ACCOUNTS[usize::from(number % KEYS)]
}

/// The number of an account's key.
pub fn number_of(account: &AccountId) -> Option<u8> {
    (0..KEYS).find(|number| ACCOUNTS[usize::from(*number)] == *account)
}

/// An approval by the key whose signature does not hold: for what is applied without a check of it.
pub fn approve_in_vain(number: u8) -> Approval {
    match public(number) {
        PublicKey::Secp256k1(address) => Approval::EthereumTyped {
            address: Address::from_bytes(address),
            signature: EvmSignature::from_bytes([0; 65]),
        },
        PublicKey::Ed25519(key) | PublicKey::Sr25519(key) => {
            Approval::Ed25519 { key: NodeId::from_public_key(key), signature: Signature::from_bytes([0; 64]) }
        }
    }
}

/// The key's signature. A wallet signs typed data if its number is even, a text otherwise.
pub fn approve(number: u8, statement: &impl Statement) -> Approval {
    let Some(key) = wallet(number) else {
        let key = node(number % KEYS);
        return Approval::sign(key, statement);
    };
    let address = key.address();
    if number.is_multiple_of(2) {
        Approval::EthereumTyped { address, signature: key.sign(&statement.typed()) }
    } else {
        let digest = personal_digest(statement.text().as_bytes());
        Approval::EthereumText { address, signature: key.sign(&digest) }
    }
}
