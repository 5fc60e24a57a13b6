//! Checkpoints for public chains: what they sum up, how they chain, whose keys sign them.

use crate::common::{STEP_MS, Sky, account, approve, approve_typed, evm_key, key, micros};
use opensky_ledger::{
    action::Action,
    bridge::withdrawals,
    checkpoint::{self, Signer, quorum},
    entry::Entry,
    evm::{Address, Checkpoint, Keccak, claims::ClaimTree, struct_hash},
    key::Key,
    params::Params,
    rejection::Rejection,
    validators::{Candidate, RosterError},
};
use opensky_types::PublicKey;

/// Epochs of four blocks, in a sky whose account 1 names validators.
fn sky() -> Sky {
    Sky::with(Params { epoch_blocks: 4, authority: Some(account(1)), ..Params::default() })
}

fn withdraw(address: u8, amount: u64) -> Action {
    Action::Withdraw { chain: 1, address: Address::from_bytes([address; 20]), amount: micros(amount) }
}

fn newest(sky: &Sky) -> Option<(Checkpoint, Vec<Signer>)> {
    checkpoint::newest(sky.ledger.state())
}

/// Makes empty blocks up to the last one of the epoch, which is number 3 of its four.
fn end_epoch(sky: &mut Sky) -> (Checkpoint, Vec<Signer>) {
    while sky.ledger.head().height % 4 != 2 {
        sky.wait(STEP_MS);
    }
    sky.wait(STEP_MS);
    newest(sky).expect("an epoch has ended")
}

/// The validator of a number names the Ethereum key of another.
fn set_key(sky: &mut Sky, validator: u8, wallet: u8) -> Result<(), Rejection> {
    let action = Action::SetCheckpointKey { key: evm_key(wallet).address() };
    let transaction = sky.transaction(account(validator), action);
    let approvals =
        vec![approve(&transaction, &key(validator)), approve_typed(&transaction, &evm_key(wallet))];
    sky.submit(transaction.signed(approvals))
}

/// Gives the validators accounts.
fn with_accounts() -> Sky {
    let mut sky = sky();
    for validator in [100, 101] {
        sky.act(1, crate::common::transfer(validator, 5_000)).expect("given");
    }
    sky
}

fn key_of(signers: &[Signer], number: u8) -> Option<Address> {
    signers.iter().find(|signer| signer.node == key(number).id()).and_then(|signer| signer.key)
}

#[test]
fn a_checkpoint_sums_up_all_withdrawals_where_an_epoch_ends_and_names_the_one_before() {
    let mut sky = sky();
    assert_eq!(newest(&sky), None, "no epoch has ended");
    let (first, signers) = end_epoch(&mut sky);
    let none = Keccak::default();
    assert_eq!(first, Checkpoint { epoch: 0, previous: none, root: none, total: 0, set_id: 0 });
    assert_eq!((signers.len(), signers.iter().filter_map(|signer| signer.key).count()), (3, 0));
    sky.act(1, withdraw(7, 1_000)).expect("withdrawn");
    sky.act(2, withdraw(8, 1_500)).expect("withdrawn");
    assert_eq!(newest(&sky).map(|(checkpoint, _)| checkpoint), Some(first), "it stands until the next one");
    let (second, _) = end_epoch(&mut sky);
    let tree = ClaimTree::new(withdrawals(sky.ledger.state())).expect("in order");
    assert_eq!((second.epoch, second.total, second.root), (1, 2_500, tree.root().hash));
    assert_eq!(second.previous, struct_hash(&first));
    let (third, _) = end_epoch(&mut sky);
    assert_eq!((third.epoch, third.total, third.root), (2, 2_500, second.root), "nothing was withdrawn");
    assert_eq!(third.previous, struct_hash(&second));
}

#[test]
fn what_the_last_block_of_an_epoch_withdraws_is_in_the_next_checkpoint() {
    let mut sky = sky();
    sky.wait(STEP_MS);
    sky.wait(STEP_MS);
    sky.act(1, withdraw(7, 1_000)).expect("withdrawn");
    assert_eq!(newest(&sky).map(|(checkpoint, _)| checkpoint.total), Some(0));
    assert_eq!(end_epoch(&mut sky).0.total, 1_000);
}

#[test]
fn a_checkpoint_key_signs_too_and_counts_for_the_next_set_on() {
    let mut sky = with_accounts();
    sky.wait(STEP_MS);
    let key_50 = evm_key(50).address();
    let alone = sky.act(100, Action::SetCheckpointKey { key: key_50 });
    let unsigned = Rejection::NewKeyUnsigned { key: PublicKey::Secp256k1(*key_50.as_bytes()) };
    assert_eq!(alone, Err(unsigned), "nobody names a key that it does not have");
    set_key(&mut sky, 100, 50).expect("named");
    let (first, signers) = end_epoch(&mut sky);
    assert_eq!((first.set_id, key_of(&signers, 100)), (0, None), "the set keeps the keys it began with");
    let (second, signers) = end_epoch(&mut sky);
    assert_eq!((second.set_id, key_of(&signers, 100)), (1, Some(key_50)), "another key is another set");
    let taken = set_key(&mut sky, 101, 50);
    assert_eq!(taken, Err(Rejection::Roster(RosterError::Twice(account(101)))), "one key, one validator");
    let stranger = set_key(&mut sky, 2, 51);
    assert_eq!(stranger, Err(Rejection::Roster(RosterError::Unknown(account(2)))));
    set_key(&mut sky, 100, 52).expect("another one");
    assert_eq!(key_of(&end_epoch(&mut sky).1, 100), Some(key_50));
    assert_eq!(key_of(&end_epoch(&mut sky).1, 100), Some(evm_key(52).address()));
}

#[test]
fn whoever_joins_with_a_checkpoint_key_shows_that_it_has_it() {
    let mut sky = sky();
    let wallet = evm_key(50);
    let add = |address| {
        Action::ValidatorAdd(Candidate {
            account: account(60),
            node: key(60).id(),
            checkpoint_key: Some(address),
        })
    };
    // A contract takes the address zero for a bad signature.
    let nobody = Address::from_bytes([0; 20]);
    let refused = sky.act_by(account(1), &[1, 60], add(nobody));
    assert!(matches!(refused, Err(Rejection::NewKeyUnsigned { .. })), "{refused:?}");
    let transaction = sky.transaction(account(1), add(wallet.address()));
    let approvals = vec![
        approve(&transaction, &key(1)),
        approve(&transaction, &key(60)),
        approve_typed(&transaction, &wallet),
    ];
    sky.submit(transaction.signed(approvals)).expect("it has the key");
    end_epoch(&mut sky);
    assert_eq!(key_of(&end_epoch(&mut sky).1, 60), Some(wallet.address()));
}

#[test]
fn a_sky_without_prices_has_no_checkpoints() {
    let mut sky = Sky::with(Params { epoch_blocks: 4, ..Params::free() });
    (0..9).for_each(|_| sky.wait(STEP_MS));
    assert_eq!(sky.ledger.state().get(&Key::Checkpoints), None::<&Entry>);
}

#[test]
fn a_quorum_is_more_than_two_thirds() {
    assert_eq!([1, 2, 3, 4, 6, 7, 64].map(quorum), [1, 2, 3, 3, 5, 5, 43]);
}
