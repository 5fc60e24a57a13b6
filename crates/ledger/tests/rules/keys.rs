//! Keys of accounts, sessions of devices, owners of nodes.

use crate::common::{Sky, account, agreement, approve, key, micros, public, transfer};
use opensky_ledger::{
    account::{KeySet, Session},
    action::Action,
    authority::OWN_KEYS_ONLY,
    evm::Address,
    rejection::Rejection,
};
use opensky_types::{Hash, PublicKey};

fn key_set(numbers: &[u8], threshold: u8) -> KeySet {
    let mut keys: Vec<PublicKey> = numbers.iter().map(|number| public(*number)).collect();
    keys.sort_unstable();
    KeySet { keys, threshold }
}

fn rotate(numbers: &[u8], threshold: u8) -> Action {
    Action::RotateKeys { keys: key_set(numbers, threshold) }
}

fn not_authorised<T>(number: u8) -> Result<T, Rejection> {
    Err(Rejection::NotAuthorised { account: account(number) })
}

#[test]
fn an_account_keeps_its_name_and_money_when_its_keys_change() {
    let mut sky = Sky::new();
    let unsigned = sky.act(1, rotate(&[20, 21, 22], 2));
    assert!(matches!(unsigned, Err(Rejection::NewKeyUnsigned { .. })), "{unsigned:?}");
    assert_eq!(sky.act_by(account(1), &[1, 20, 21, 22], rotate(&[20, 21, 22], 2)), Ok(()));
    assert_eq!(sky.act(1, transfer(2, 10)), not_authorised(1), "the first key is out");
    assert_eq!(sky.act_by(account(1), &[20], transfer(2, 10)), not_authorised(1), "one is too few");
    assert_eq!(sky.act_by(account(1), &[20, 22], transfer(2, 10)), Ok(()));
    assert_eq!(sky.act_by(account(1), &[20, 21, 22], transfer(2, 10)), Ok(()), "all three may sign");
    assert_eq!(sky.balance(1), 999_980);
    // The old threshold decides on the new keys, which may keep some of the old.
    assert_eq!(sky.act_by(account(1), &[20, 23], rotate(&[20, 23], 1)), not_authorised(1));
    assert_eq!(sky.act_by(account(1), &[20, 21, 23], rotate(&[20, 23], 1)), Ok(()));
    assert_eq!(sky.act_by(account(1), &[23], transfer(2, 10)), Ok(()));
}

#[test]
fn keys_that_would_lock_an_account_are_refused() {
    let mut sky = Sky::new();
    let mut doubled = key_set(&[20, 20], 1);
    for keys in [key_set(&[20], 0), key_set(&[20], 2), key_set(&[], 0), doubled.clone()] {
        let found = sky.act_by(account(1), &[1, 20], Action::RotateKeys { keys });
        assert!(
            matches!(found, Err(Rejection::UnsoundKeys | Rejection::UnneededSignature { .. })),
            "{found:?}"
        );
    }
    doubled.keys = key_set(&[20, 21], 2).keys;
    doubled.keys.reverse();
    let found = sky.act_by(account(1), &[1, 20, 21], Action::RotateKeys { keys: doubled });
    assert_eq!(found, Err(Rejection::UnsoundKeys));
}

fn session(sky: &Sky, scope: &[u8], left: u64) -> Session {
    let scope = scope.iter().fold(0, |bits, kind| bits | 1 << kind);
    Session { scope, left: micros(left), expires_at: sky.now().plus_ms(10_000) }
}

#[test]
fn a_device_acts_within_its_scope_its_cap_and_its_time() {
    let mut sky = Sky::new();
    let delegate = Action::Delegate { key: public(30), session: session(&sky, &[0], 100) };
    assert_eq!(sky.act(1, delegate), Ok(()));
    assert_eq!(sky.act_by(account(1), &[30], transfer(2, 60)), Ok(()));
    let spent = Rejection::SessionSpent { left: micros(40), needed: micros(41) };
    assert_eq!(sky.act_by(account(1), &[30], transfer(2, 41)), Err(spent));
    assert_eq!(sky.act_by(account(1), &[30], transfer(2, 40)), Ok(()));
    let opening = Action::OpenEscrow(sky.opening(1, 2, 0));
    assert_eq!(sky.act_by(account(1), &[30], opening), not_authorised(1), "not in its scope");
    assert_eq!(sky.act_by(account(2), &[30], transfer(3, 1)), not_authorised(2), "not its account");
    let again = Action::Delegate { key: public(30), session: session(&sky, &[0], 100) };
    assert_eq!(sky.act(1, again), Ok(()));
    sky.wait(10_000);
    assert_eq!(sky.act_by(account(1), &[30], transfer(2, 1)), not_authorised(1), "its time is over");
}

#[test]
fn k1_a_device_moves_no_more_than_its_cap_whatever_it_does() {
    let mut sky = Sky::new();
    let all = Session { scope: !OWN_KEYS_ONLY, ..session(&sky, &[], 1_000) };
    assert_eq!(sky.act(1, Action::Delegate { key: public(30), session: all }), Ok(()));
    let amount = micros(1_001);
    let actions = [
        transfer(2, 1_001),
        Action::TopUp { agreement: agreement(1), amount },
        Action::Withdraw { chain: 1, address: Address::from_bytes([1; 20]), amount },
        Action::Stake { amount },
        Action::OpenEscrow(sky.opening(1, 2, 1_001)),
        Action::BeginCharge { request: Hash::of(b"request"), provider: account(2), limit: amount },
    ];
    for action in actions {
        let spent = Rejection::SessionSpent { left: micros(1_000), needed: amount };
        assert_eq!(sky.act_by(account(1), &[30], action), Err(spent));
    }
}

#[test]
fn k1_a_stolen_device_cannot_take_the_account_over() {
    let mut sky = Sky::new();
    for kind in (1..=5).chain([18]) {
        let wide = Action::Delegate { key: public(30), session: session(&sky, &[0, kind], 100) };
        assert_eq!(sky.act(1, wide), Err(Rejection::Scope { scope: 1 << kind }));
    }
    let all = Session { scope: !OWN_KEYS_ONLY, ..session(&sky, &[], 100) };
    assert_eq!(sky.act(1, Action::Delegate { key: public(30), session: all }), Ok(()));
    assert_eq!(sky.act_by(account(1), &[30, 31], rotate(&[31], 1)), not_authorised(1));
    let spread = Action::Delegate { key: public(31), session: all };
    assert_eq!(sky.act_by(account(1), &[30], spread), not_authorised(1));
    assert_eq!(sky.act(1, Action::RevokeSession { key: public(30) }), Ok(()));
    assert_eq!(sky.act_by(account(1), &[30], transfer(2, 1)), not_authorised(1));
    let gone = Rejection::NoSession { key: public(30) };
    assert_eq!(sky.act(1, Action::RevokeSession { key: public(30) }), Err(gone));
}

#[test]
fn k1_new_keys_end_all_sessions() {
    let mut sky = Sky::new();
    for device in [30, 31, 32] {
        let delegate = Action::Delegate { key: public(device), session: session(&sky, &[0], 100) };
        assert_eq!(sky.act(1, delegate), Ok(()));
    }
    assert_eq!(sky.act_by(account(1), &[1, 20], rotate(&[20], 1)), Ok(()));
    for device in [30, 31, 32] {
        assert_eq!(sky.act_by(account(1), &[device], transfer(2, 1)), not_authorised(1));
    }
}

#[test]
fn l6_an_account_has_sixteen_sessions_at_most() {
    let mut sky = Sky::new();
    let now = sky.now();
    let session = Session { scope: 1, left: micros(1), expires_at: now.plus_ms(1_000_000) };
    for device in 30..46 {
        assert_eq!(sky.act(1, Action::Delegate { key: public(device), session }), Ok(()));
    }
    let more = sky.act(1, Action::Delegate { key: public(50), session });
    assert_eq!(more, Err(Rejection::TooManySessions { count: 16 }));
    let same = Action::Delegate { key: public(30), session };
    assert_eq!(sky.act(1, same), Ok(()), "an old one can be renewed");
    let over = Session { expires_at: now, ..session };
    let found = sky.act(1, Action::Delegate { key: public(30), session: over });
    assert!(matches!(found, Err(Rejection::Expired { .. })), "{found:?}");
}

#[test]
fn a_node_has_an_owner_when_both_agree() {
    let mut sky = Sky::new();
    let link = Action::LinkOwner { owner: account(2) };
    assert_eq!(sky.act(1, link.clone()), not_authorised(2));
    assert_eq!(sky.act_by(account(1), &[2], link.clone()), not_authorised(1));
    assert_eq!(sky.act_by(account(1), &[1, 2], link), Ok(()));
    assert_eq!(sky.act_by(account(1), &[2], transfer(2, 10)), not_authorised(1), "an owner is no key");
    assert_eq!(sky.act(1, Action::UnlinkOwner), Ok(()));
    assert_eq!(sky.act(1, Action::UnlinkOwner), Err(Rejection::NoOwner));
    let transaction = sky.transaction(account(1), Action::LinkOwner { owner: account(1) });
    let itself = transaction.signed(vec![approve(&transaction, &key(1))]);
    assert_eq!(sky.submit(itself), Err(Rejection::WithItself));
}
