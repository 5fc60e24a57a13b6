//! A small sky and a small state, which targets about the ledger begin with.

use opensky_ledger::{
    action::Action,
    apply::RULES,
    approval::Approval,
    evm::{
        Address,
        claims::{Claim, ClaimTree},
    },
    genesis::Genesis,
    memo::Memo,
    params::Params,
    purse::Purse,
    snapshot::{Cut, Record},
    transaction::{SignedTransaction, Transaction},
    tree::{Tree, key_hash, value_hash},
};
use opensky_types::{AccountId, Hash, Keypair, Micros, Timestamp};

/// Entries of a small state, as records of a snapshot.
pub fn records() -> Vec<Record> {
    (0..40_u8).map(|number| Record { key: vec![number], entry: vec![number; 5] }).collect()
}

/// The tree over [`records`].
pub fn tree() -> Tree {
    let hashes = |record: Record| (key_hash(&record.key), value_hash(&record.entry));
    Tree::from_entries(records().into_iter().map(hashes))
}

/// Its snapshot.
pub fn cut() -> Cut<Record> {
    Cut::new(1, &tree(), records(), Record::clone).expect("forty entries are a snapshot")
}

/// Withdrawal claims.
pub fn claims() -> ClaimTree {
    let claims = (1..=9_u8).map(|number| Claim {
        account: Hash::from_bytes([number; 32]),
        chain: 1,
        address: Address::from_bytes([number; 20]),
        cumulative: Micros::new(u64::from(number)),
    });
    ClaimTree::new(claims.collect()).expect("the claims are in order")
}

/// A sky of two accounts, one of which validates.
pub fn genesis() -> Genesis {
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
pub fn transaction() -> SignedTransaction {
    let [from, to] = [1, 2].map(|number| Keypair::from_seed([number; 32]));
    let genesis = genesis();
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
