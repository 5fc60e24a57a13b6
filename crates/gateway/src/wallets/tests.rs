use super::*;
use opensky_ledger::evm::EvmKey;

const NOW: Timestamp = Timestamp::from_millis(1_795_708_800_000);

fn key(seed: u8) -> EvmKey {
    EvmKey::from_secret(&[seed; 32]).expect("a key")
}

fn site() -> Site {
    Site { domain: "127.0.0.1:4720".into(), uri: "http://127.0.0.1:4720".into() }
}

fn signed(key: &EvmKey, text: &str) -> String {
    format!("0x{}", hex::encode(key.sign(&personal_digest(text.as_bytes())).as_bytes()))
}

/// A challenge of one key, and what comes of `change` being signed and sent.
fn tried(change: impl Fn(&str) -> String) -> Result<Address, &'static str> {
    tried_at(change, &site(), NOW, Duration::ZERO)
}

fn tried_at(
    change: impl Fn(&str) -> String,
    at: &Site,
    now: Timestamp,
    later: Duration,
) -> Result<Address, &'static str> {
    let (mut challenges, clock, key) = (Challenges::default(), Instant::now(), key(1));
    let text = challenges.issue((Source::HERE, site()), key.address(), 1, NOW, clock);
    let text = change(&text);
    challenges.answer(at, &text, &signed(&key, &text), now, clock + later)
}

#[test]
fn w3_a_signed_message_names_its_wallet_once() {
    let (mut challenges, clock, key) = (Challenges::default(), Instant::now(), key(1));
    let text = challenges.issue((Source::HERE, site()), key.address(), 137, NOW, clock);
    assert!(text.contains("costs nothing") && text.contains("Chain ID: 137"), "{text}");
    let signature = signed(&key, &text);
    assert_eq!(challenges.answer(&site(), &text, &signature, NOW, clock), Ok(key.address()));
    let again = challenges.answer(&site(), &text, &signature, NOW, clock);
    assert!(again.expect_err("a replay").contains("used before"));
}

#[test]
fn w3_the_last_byte_may_be_written_both_ways_and_no_third() {
    for (v, holds) in [(0, true), (27, true), (2, false), (29, false)] {
        let (mut challenges, clock, key) = (Challenges::default(), Instant::now(), key(1));
        // Until one whose last byte is the lower of the two.
        let (text, mut bytes) = loop {
            let text = challenges.issue((Source::HERE, site()), key.address(), 1, NOW, clock);
            let bytes = *key.sign(&personal_digest(text.as_bytes())).as_bytes();
            if bytes[64] == 27 {
                break (text, bytes);
            }
        };
        bytes[64] = v;
        let answer = challenges.answer(&site(), &text, &format!("0x{}", hex::encode(bytes)), NOW, clock);
        assert_eq!(answer.is_ok(), holds, "{v}");
    }
}

#[test]
fn w3_messages_that_say_something_else_are_refused() {
    assert!(tried(str::to_owned).is_ok());
    let other = key(2).address().to_string();
    let own = key(1).address().to_string();
    for (what, from, to) in [
        ("another page", "127.0.0.1:4720 wants", "evil.example wants"),
        ("another page's address", "URI: http://127.0.0.1:4720", "URI: http://evil.example"),
        ("another path", "URI: http://127.0.0.1:4720", "URI: http://127.0.0.1:4720/x"),
        ("another scheme", "127.0.0.1:4720 wants", "https://127.0.0.1:4720 wants"),
        ("another chain", "Chain ID: 1", "Chain ID: 137"),
        ("another wallet", own.as_str(), other.as_str()),
        ("another nonce", "Nonce: ", "Nonce: 0"),
        ("issued long before", "Issued At: 2026", "Issued At: 2025"),
        ("issued in the future", "Issued At: 2026", "Issued At: 2027"),
        ("expired", "Expiration Time: 2026", "Expiration Time: 2025"),
        ("not yet", "Expiration Time: 2026-11-26T16:05:00.000Z", "Not Before: 2026-11-26T16:00:00.001Z"),
        ("malformed", "Version: 1", "Version: 2"),
    ] {
        let changed = tried(|text| {
            assert!(text.contains(from), "{text}");
            text.replacen(from, to, 1)
        });
        assert!(changed.is_err(), "{what}");
    }
    assert!(
        tried(|text| text.replace("Log in to this", "Do something on this")).is_ok(),
        "its words are its own"
    );
}

#[test]
fn w3_challenges_end_and_hold_for_their_page_only() {
    let just = CHALLENGE_LIFE - Duration::from_millis(1);
    assert!(tried_at(str::to_owned, &site(), NOW, just).is_ok());
    assert!(tried_at(str::to_owned, &site(), NOW, CHALLENGE_LIFE).is_err(), "too old");
    let late = NOW.plus_ms(CHALLENGE_LIFE.as_millis() as u64);
    assert!(tried_at(str::to_owned, &site(), late, Duration::ZERO).is_err(), "expired by its own words");
    let other = Site { domain: "localhost:4720".into(), uri: "http://localhost:4720".into() };
    assert!(tried_at(str::to_owned, &other, NOW, Duration::ZERO).is_err(), "given to another page");
    let as_other = |text: &str| text.replace("127.0.0.1:4720", "localhost:4720");
    assert!(tried_at(as_other, &other, NOW, Duration::ZERO).is_err(), "and not to be rewritten for it");
}

#[test]
fn w3_signatures_of_others_and_of_other_texts_are_refused() {
    let (mut challenges, clock, owner) = (Challenges::default(), Instant::now(), key(1));
    let mut tried = |sign: &dyn Fn(&str) -> String| {
        let text = challenges.issue((Source::HERE, site()), owner.address(), 1, NOW, clock);
        let signature = sign(&text);
        let first = challenges.answer(&site(), &text, &signature, NOW, clock);
        let honest = challenges.answer(&site(), &text, &signed(&owner, &text), NOW, clock);
        assert!(honest.is_err(), "a challenge is used up by a wrong answer too");
        first
    };
    assert!(tried(&|text| signed(&key(2), text)).is_err(), "another key");
    assert!(tried(&|text| signed(&owner, &format!("{text} "))).is_err(), "another text");
    assert!(tried(&|text| signed(&owner, text)[2..].to_owned()).is_err(), "without 0x");
    assert!(tried(&|text| signed(&owner, text)[..20].to_owned()).is_err(), "cut");
    assert!(tried(&|_| format!("0x{}", "0".repeat(130))).is_err(), "nothing");
    assert!(tried(&|_| "0xzz".to_owned()).is_err(), "no hex");
}

#[test]
fn w5_challenges_are_bounded() {
    let (mut challenges, clock) = (Challenges::default(), Instant::now());
    for number in 0..CHALLENGES_MAX + 10 {
        let at = clock + Duration::from_millis(number as u64);
        challenges.issue((Source::HERE, site()), key(1).address(), 1, NOW, at);
    }
    assert_eq!(challenges.0.len(), CHALLENGES_MAX);
    challenges.issue((Source::HERE, site()), key(1).address(), 1, NOW, clock + 2 * CHALLENGE_LIFE);
    assert_eq!(challenges.0.len(), 1, "those that ended are gone");
}

#[test]
fn w5_many_challenges_of_one_source_push_out_none_of_others() {
    let (mut challenges, clock, modest) = (Challenges::default(), Instant::now(), key(1));
    let other = Source::from(std::net::IpAddr::from([192, 0, 2, 1]));
    let text = challenges.issue((other, site()), modest.address(), 1, NOW, clock);
    for number in 0..CHALLENGES_MAX + 10 {
        let at = clock + Duration::from_millis(number as u64);
        challenges.issue((Source::HERE, site()), key(2).address(), 1, NOW, at);
    }
    assert!(challenges.answer(&site(), &text, &signed(&modest, &text), NOW, clock).is_ok());
}

/// As kept on disk: if this must change, the name it is kept under changes too.
#[test]
fn the_format_on_disk_stays() {
    let mut ring = WalletRing::default();
    assert!(ring.add(Address::from_bytes([7; 20]), Role::Owner, NOW).is_ok());
    let parts = [
        "01000000", // one wallet
        &"07".repeat(20),
        "02",               // its role
        "00cc9518a2010000", // since when
    ];
    assert_eq!(hex::encode(ring.encode()), parts.concat());
}

#[test]
fn w3_a_wallet_that_is_named_again_is_another_to_its_sessions() {
    let (mut ring, one) = (WalletRing::default(), key(1).address());
    assert!(ring.add(one, Role::Operator, NOW).is_ok());
    assert_eq!(ring.working(&one, NOW), Some(Role::Operator));
    assert!(ring.remove(&one).is_ok());
    assert_eq!(ring.working(&one, NOW), None);
    assert!(ring.add(one, Role::Operator, NOW.plus_ms(1)).is_ok());
    assert_eq!(ring.working(&one, NOW), None);
    assert_eq!(ring.working(&one, NOW.plus_ms(1)), Some(Role::Operator));
}

fn role_of(ring: &WalletRing, address: &Address) -> Option<Role> {
    ring.find(address).map(|named| named.role)
}

#[test]
fn wallets_are_kept_with_their_roles() {
    let mut ring = WalletRing::default();
    let (one, other) = (key(1).address(), key(2).address());
    assert_eq!(role_of(&ring, &one), None);
    assert!(ring.add(one, Role::Viewer, NOW).is_ok() && ring.add(other, Role::Owner, NOW).is_ok());
    assert!(ring.add(one, Role::Operator, NOW).is_ok(), "another role");
    let kept = WalletRing::decode(&ring.encode()).expect("as kept");
    assert_eq!((role_of(&kept, &one), role_of(&kept, &other)), (Some(Role::Operator), Some(Role::Owner)));
    assert_eq!(kept.view().wallets.len(), 2);
    assert!(ring.remove(&one).is_ok() && ring.remove(&one).is_err());
    assert_eq!(role_of(&ring, &one), None);
    let fill = (3..)
        .map(key)
        .take(WALLET_LOGINS_MAX - 1)
        .all(|key| ring.add(key.address(), Role::Viewer, NOW).is_ok());
    assert!(fill && ring.add(key(200).address(), Role::Viewer, NOW).is_err(), "bounded");
    assert!(WalletRing::decode(&ring.encode()).is_ok());
}
