//! Secrets sealed for nodes: opened by their readers for their service, and by nobody else.

use opensky_identity::sealing::{OpenError, SealError, open, seal};
use opensky_types::{
    Hash, Keypair, NodeId, ServiceId, codec,
    service::{SECRETS_BYTES_MAX, Secret, SecretValue, Secrets},
};

/// Lengths are hidden up to this, and a tag follows.
const SEALED_BYTES: usize = 256 + 16;
const SKY: Hash = Hash::from_bytes([1; 32]);

fn key(seed: u8) -> Keypair {
    Keypair::from_seed([seed; 32])
}

fn service(name: &str) -> (Hash, ServiceId) {
    (SKY, ServiceId::of(&key(1).id(), name))
}

fn secrets() -> Vec<(Secret, SecretValue)> {
    let secret = |name: &str| Secret { name: name.into(), is_file: true, env: None };
    vec![
        (secret("password"), SecretValue::new(b"open sesame".to_vec())),
        (secret("key"), SecretValue::new(vec![0, 255, 10])),
    ]
}

fn sealed() -> Secrets {
    seal(service("web"), secrets(), &[key(1).id(), key(2).id()], [9; 32]).expect("these can be sealed")
}

#[test]
fn k1_secrets_are_opened_by_their_readers_and_by_nobody_else() {
    let sealed = sealed();
    for reader in [1, 2] {
        let opened = open(&key(reader), service("web"), &sealed).expect("it is a reader");
        assert_eq!(opened[0].expose(), b"open sesame");
        assert_eq!(opened[1].expose(), [0, 255, 10]);
    }
    assert_eq!(open(&key(3), service("web"), &sealed), Err(OpenError::NotForThisNode));
    // Whoever writes itself among the readers still cannot.
    let mut claimed = sealed;
    claimed.readers[1].node = key(3).id();
    assert_eq!(open(&key(3), service("web"), &claimed), Err(OpenError::Damaged));
}

#[test]
fn k1_secrets_of_one_service_are_not_opened_as_those_of_another() {
    let sealed = sealed();
    assert_eq!(open(&key(2), service("thief"), &sealed), Err(OpenError::Damaged));
    let other_owner = (SKY, ServiceId::of(&key(2).id(), "web"));
    assert_eq!(open(&key(2), other_owner, &sealed), Err(OpenError::Damaged));
    let other_sky = (Hash::from_bytes([2; 32]), service("web").1);
    assert_eq!(open(&key(2), other_sky, &sealed), Err(OpenError::Damaged));
}

#[test]
fn k1_changed_secrets_are_not_opened() {
    let changes: [fn(&mut Secrets); 6] = [
        |secrets| secrets.sealed[20] ^= 1,
        |secrets| secrets.sealed.clear(),
        |secrets| secrets.readers[1].key[0] ^= 1,
        |secrets| secrets.readers[1].exchange = [0; 32],
        |secrets| secrets.given[0].name.push('x'),
        |secrets| secrets.given.swap(0, 1),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = sealed();
        change(&mut changed);
        assert_eq!(open(&key(2), service("web"), &changed), Err(OpenError::Damaged), "change {number}");
    }
}

#[test]
fn sealed_secrets_hide_their_values_and_how_long_they_are() {
    let sealed = sealed();
    assert_eq!(sealed.sealed.len(), SEALED_BYTES);
    let bytes = codec::encode(&sealed);
    assert!(!bytes.windows(11).any(|window| window == b"open sesame"));
    let again = seal(service("web"), secrets(), &[key(1).id()], [8; 32]).expect("these can be sealed");
    assert_ne!(again.sealed, sealed.sealed, "the same values look different each time");
}

#[test]
fn nothing_is_sealed_for_what_is_no_key_nor_for_one_that_anybody_has() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    for bytes in [[0; 32], neutral, [2; 32]] {
        let node = NodeId::from_public_key(bytes);
        let sealed = seal(service("web"), secrets(), &[node], [9; 32]);
        assert_eq!(sealed.map(drop), Err(SealError::NoKey { node }));
    }
}

#[test]
fn more_than_travels_is_not_sealed() {
    let secret = Secret { name: "a".into(), is_file: true, env: None };
    let most = SecretValue::new(vec![7; SECRETS_BYTES_MAX]);
    let sealed = seal(service("web"), vec![(secret.clone(), most.clone())], &[key(1).id()], [9; 32]);
    let opened = open(&key(1), service("web"), &sealed.expect("just so much")).expect("its reader");
    assert_eq!(opened, [most]);
    let over = SecretValue::new(vec![7; SECRETS_BYTES_MAX + 1]);
    let size_bytes = SECRETS_BYTES_MAX + 1;
    let sealed = seal(service("web"), vec![(secret, over)], &[key(1).id()], [9; 32]);
    assert_eq!(sealed.map(drop), Err(SealError::TooLarge { size_bytes }));
}
