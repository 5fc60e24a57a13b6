use super::*;
use crate::sessions::SESSION_LIFE;
use opensky_api::key::{KeyRequest, SpendLimit, SpendPer};

fn door() -> Door {
    let (keys, wallets, spending) = Default::default();
    Door::new(Token::new("token".into()), KeptRings { keys, wallets, spending }, 4720)
}

/// The caller that shows a key of this name.
fn with_key(door: &Door, name: &str) -> Caller {
    let request = KeyRequest { name: name.into(), role: Role::Operator, valid_ms: None, spend: None };
    let key = door.keys.write().expect("no panic").add(request, name, now()).ok().expect("a key");
    door.of_key(key)
}

/// The caller with a session that this opened.
fn with_session(door: &Door, opener: Opener) -> (Caller, sessions::Secret) {
    let ends = Instant::now() + SESSION_LIFE;
    let secret = door.sessions().open(Open { opener, opened_at: now(), ends }, Instant::now());
    (door.of_session(sessions::hash_of(secret.expose())).expect("a session"), secret)
}

#[test]
fn w1_who_was_let_in_is_nobody_once_key_or_session_is_gone() {
    let door = door();
    let key = with_key(&door, "ci");
    let Caller::Key { name, created_at, .. } = key.clone() else { panic!("{key}") };
    let (of_key, _) = with_session(&door, Opener::Key { name: name.clone(), created_at });
    let (of_link, secret) = with_session(&door, Opener::Token);
    for caller in [&Caller::Token, &Caller::Nobody, &key, &of_key, &of_link] {
        assert_eq!(door.still(caller).ok().as_ref(), Some(caller));
    }
    let limit = SpendLimit { limit_micros: Micros::new(1), per: SpendPer::Day };
    door.spending.write().expect("no panic").set("ci", Some(limit), now());
    let limited = door.still(&key).ok().expect("the key works");
    assert!(matches!(limited, Caller::Key { is_limited: true, .. }), "limited from now on");
    assert!(door.still(&of_key).is_err(), "and opens no sessions");
    door.spending.write().expect("no panic").set("ci", None, now());
    assert!(door.keys.write().expect("no panic").remove("ci").is_ok());
    door.sessions().close(secret.expose());
    for caller in [&key, &of_key, &of_link] {
        assert_eq!(door.still(caller).expect_err("gone").0.code, Code::Unauthorized);
    }
}

#[tokio::test(start_paused = true)]
async fn w1_what_stays_open_ends_with_the_key_behind_it() {
    let door = door();
    let key = with_key(&door, "ci");
    let mut gone = Box::pin(door.clone().gone(key));
    let later = tokio::time::timeout(100 * ASK_EVERY, &mut gone).await;
    assert!(later.is_err(), "it goes on while the key works");
    assert!(door.keys.write().expect("no panic").remove("ci").is_ok());
    gone.await;
}
