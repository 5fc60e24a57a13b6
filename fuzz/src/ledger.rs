//! Small ledgers, and what is said about them: first inputs of the targets `proof` and `ledger`.

use opensky_ledger::{
    action::Action,
    apply::RULES,
    approval::Approval,
    evm::{
        Address, EvmKey, Keccak,
        claims::{Claim, ClaimTree},
    },
    genesis::Genesis,
    ledger::Ledger,
    memo::Memo,
    params::Params,
    proof::StateProof,
    purse::Purse,
    snapshot::{Cut, Record},
    transaction::{SignedTransaction, Transaction},
    tree::{Tree, key_hash, value_hash},
};
use opensky_types::{AccountId, Hash, Keypair, Micros, Timestamp, codec};

/// Entries of a small state, whose proofs are the seeds of the target `proof`.
pub fn ledger_records() -> Vec<Record> {
    (0..40_u8).map(|number| Record { key: vec![number], entry: vec![number; 5] }).collect()
}

/// The tree over [`ledger_records`].
pub fn ledger_tree() -> Tree {
    let hashes = |record: Record| (key_hash(&record.key), value_hash(&record.entry));
    Tree::from_entries(ledger_records().into_iter().map(hashes))
}

/// Its snapshot.
pub fn ledger_cut() -> Cut<Record> {
    Cut::new(1, &ledger_tree(), ledger_records(), Record::clone).expect("forty entries are a snapshot")
}

/// Withdrawal claims.
pub fn ledger_claims() -> ClaimTree {
    let claims = (1..=9_u8).map(|number| Claim {
        account: Hash::from_bytes([number; 32]),
        chain: 1,
        address: Address::from_bytes([number; 20]),
        cumulative: Micros::new(u64::from(number)),
    });
    ClaimTree::new(claims.collect()).expect("the claims are in order")
}

/// First inputs of the target `proof`.
pub fn ledger_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let (tree, cut) = (ledger_tree(), ledger_cut());
    let proof = |key: u8, entry: Option<Vec<u8>>| StateProof {
        key: vec![key],
        entry,
        path: tree.prove(&key_hash(&[key])),
    };
    let claim = ledger_claims().prove(&Hash::from_bytes([3; 32]), 1, &Address::from_bytes([3; 20]));
    let signature = EvmKey::from_secret(&[7; 32]).map(|key| key.sign(&Keccak::of(b"fuzz")));
    vec![
        ("present", codec::encode(&proof(7, Some(vec![7; 5])))),
        ("absent", codec::encode(&proof(99, None))),
        ("manifest", codec::encode(cut.manifest())),
        ("chunk", codec::encode(&cut.chunk(&tree, 0, Record::clone))[1..].to_vec()),
        ("claim", codec::encode(&claim)[1..].to_vec()),
        ("signature", signature.map_or_else(Vec::new, |signature| signature.as_bytes().to_vec())),
        ("address", b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_vec()),
    ]
}

/// A sky of two accounts, one of which validates.
pub fn ledger_genesis() -> Genesis {
    let keys = [1, 2].map(|number| Keypair::from_seed([number; 32]).id());
    let mut balances = keys.map(|id| (AccountId::of_node(id), Purse::free(Micros::new(1_000_000))));
    balances.sort_unstable_by_key(|(id, _)| *id);
    Genesis {
        sky: Hash::of(b"fuzz"),
        time: Timestamp::from_millis(1_800_000_000_000),
        params: Params::default(),
        balances: balances.to_vec(),
        treasury: Purse::default(),
        validators: vec![keys[0]],
    }
}

/// A transfer between the two, signed.
pub fn ledger_transaction() -> SignedTransaction {
    let [from, to] = [1, 2].map(|number| Keypair::from_seed([number; 32]));
    let genesis = ledger_genesis();
    let (to, amount) = (AccountId::of_node(to.id()), Micros::new(5));
    let transaction = Transaction {
        sky: genesis.sky,
        rules: RULES,
        account: AccountId::of_node(from.id()),
        nonce: 0,
        valid_until: genesis.time.plus_ms(60_000),
        action: Action::Transfer { to, amount, memo: Memo::default() },
    };
    transaction.signed(vec![Approval::sign(&from, &transaction)])
}

/// First inputs of the target `ledger`.
pub fn ledger_rule_seeds() -> Vec<(String, Vec<u8>)> {
    let mut ledger = Ledger::new(&ledger_genesis()).expect("the genesis is sound");
    let mut seeds = vec![("transaction".to_owned(), ledger_transaction().encode())];
    for (number, (key, entry)) in ledger.state().entries().enumerate() {
        seeds.push((format!("key_{number}"), codec::encode(&key)));
        seeds.push((format!("entry_{number}"), codec::encode(entry)));
    }
    let checked = ledger_transaction().check().expect("the signature is right");
    let (head, time) = (ledger.head().id(), ledger.head().time.plus_ms(1_000));
    let made = ledger.propose(&head, time, vec![checked], 1 << 20).expect("a block can be made");
    seeds.push(("block".to_owned(), made.block.encode()));
    seeds
}
