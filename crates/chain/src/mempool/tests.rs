use super::*;
use opensky_ledger::{action::Action, approval::Approval, transaction::Transaction};
use opensky_types::{Keypair, Micros};

fn account(number: u8) -> AccountId {
    AccountId::of_node(Keypair::from_seed([number; 32]).id())
}

fn transaction(number: u8, nonce: u64) -> Checked {
    let key = Keypair::from_seed([number; 32]);
    let transaction = Transaction {
        sky: Hash::of(b"a sky"),
        rules: 1,
        account: account(number),
        nonce,
        valid_until: Timestamp::from_millis(1_000 + nonce),
        action: Action::Stake { amount: Micros::new(1) },
    };
    transaction.signed(vec![Approval::sign(&key, &transaction)]).check().expect("signed")
}

fn pool(per_account: usize, total: usize) -> Mempool {
    Mempool { caps: Caps { per_account, total, total_bytes: 1 << 20 }, ..Mempool::default() }
}

fn held(pool: &Mempool, number: u8) -> usize {
    pool.accounts.get(&account(number)).map_or(0, BTreeMap::len)
}

#[test]
fn l6_an_account_has_only_so_many_places() {
    let mut pool = pool(3, 100);
    for nonce in 0..3 {
        assert_eq!(pool.insert(transaction(1, nonce)), Ok(()));
    }
    assert_eq!(pool.insert(transaction(1, 3)), Err(NoRoom::Account));
    assert_eq!(pool.insert(transaction(1, 2)), Err(NoRoom::Taken));
    assert_eq!(pool.insert(transaction(2, 0)), Ok(()));
    assert_eq!((pool.len(), pool.next_nonce(&account(1), 0)), (4, 3));
}

#[test]
fn l6_a_flood_of_one_account_makes_room_for_others() {
    let mut pool = pool(10, 10);
    for nonce in 0..10 {
        pool.insert(transaction(1, nonce)).expect("room");
    }
    for number in 2..=6 {
        assert_eq!(pool.insert(transaction(number, 0)), Ok(()), "account {number}");
    }
    assert_eq!((pool.len(), held(&pool, 1)), (10, 5));
    // The last ones went: what is left can still be done in order.
    assert_eq!(pool.next_nonce(&account(1), 0), 5);
    assert_eq!(pool.insert(transaction(1, 5)), Err(NoRoom::All));
}

#[test]
fn blocks_take_of_every_account_in_turn_and_in_order() {
    let mut pool = pool(100, 1_000);
    for nonce in 0..40 {
        pool.insert(transaction(1, nonce)).expect("room");
    }
    for nonce in 0..2 {
        pool.insert(transaction(2, nonce)).expect("room");
    }
    let chosen = pool.choose(1 << 20, 20, |_| 0);
    let of = |number| chosen.iter().filter(|one| one.transaction.account == account(number)).count();
    assert_eq!((chosen.len(), of(2)), (20, 2), "a long queue does not keep a short one out");
    let mut next = BTreeMap::new();
    for one in &chosen {
        let expected = next.entry(one.transaction.account).or_insert(0);
        assert_eq!(one.transaction.nonce, *expected);
        *expected += 1;
    }
    let chosen = pool.choose(1 << 20, 100, |id| if *id == account(1) { 39 } else { 2 });
    assert_eq!(chosen.len(), 1, "what an earlier block holds is not taken again");
}

#[test]
fn what_is_used_rejected_or_too_old_is_dropped() {
    let mut pool = pool(100, 1_000);
    for nonce in 0..6 {
        pool.insert(transaction(1, nonce)).expect("room");
    }
    let id = transaction(1, 5).id;
    pool.used(&account(1), 2);
    assert_eq!((pool.len(), pool.get(&id).is_some()), (4, true));
    pool.reject(&id);
    assert_eq!((pool.len(), pool.get(&id).is_some()), (3, false));
    pool.expire(Timestamp::from_millis(1_004));
    assert_eq!(pool.len(), 1);
    pool.used(&account(1), 9);
    assert_eq!((pool.len(), pool.bytes), (0, 0));
    assert!(pool.is_empty());
}
