use super::*;
use crate::sessions::SESSION_LIFE;
use opensky_api::key::{KeyRequest, SpendLimit, SpendPer};
use opensky_ledger::evm::Address;
use opensky_node::{Config, Node, Parts};
use opensky_ports::testing::{
    FakeClock, FakeExecutor, FakeMachine, FakeRun, MemoryBlobs, MemoryJournal, MemoryLedger, MemoryNetwork,
};
use opensky_types::{
    Keypair,
    limits::ContributionLimits,
    membership::{EPOCH_BLOCKS, Genesis, InvitePolicy, MembershipChain},
};

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

/// A node that keeps what it is given.
async fn node() -> Handle {
    let key = Keypair::from_seed([1; 32]);
    let (transport, transport_events) = MemoryNetwork::new(&opensky_protocol::PROTOCOLS).start(key.id());
    let genesis = Genesis {
        name: "test".into(),
        founder: key.id(),
        founded_at: Timestamp::default(),
        invites: InvitePolicy::Members,
        economy_free: true,
        supply: Micros::ZERO,
        validators: vec![key.id()],
        epoch_blocks: EPOCH_BLOCKS,
        nonce: 1,
    };
    let clock = Arc::new(FakeClock::default());
    let ledger = MemoryLedger::free(genesis.sky(), key.id(), clock.clone());
    let parts = Parts {
        key,
        genesis,
        chain: MembershipChain::default(),
        transport: Arc::new(transport),
        transport_events,
        executor: Arc::new(FakeExecutor::new(|_, item| FakeRun::writes(item.input.item.clone()))),
        services: None,
        blobs: Arc::new(MemoryBlobs::new(1 << 20)),
        journal: Arc::new(MemoryJournal::new()),
        ledger: Arc::new(ledger),
        machine: Arc::new(FakeMachine::default()),
        clock,
        starts: 1,
        limits: ContributionLimits::default(),
        config: Config::default(),
    };
    Node::start(parts).await.expect("node starts").0
}

/// Asks for a change, goes away at once, and waits until what was begun is over.
async fn asked_and_gone(door: &Door, change: impl Future<Output = Outcome<()>>) {
    let mut change = Box::pin(change);
    assert!(futures::poll!(&mut change).is_pending(), "it has begun");
    drop(change);
    while !door.tasks.is_empty() {
        tokio::task::yield_now().await;
    }
}

/// Whether memory and disk say the same of who may do what.
async fn is_as_kept(door: &Door, handle: &Handle) -> bool {
    let kept = KeptRings::read(handle).await.expect("it can be read");
    let (keys, wallets) = (door.keys().encode(), door.wallets().encode());
    (keys, wallets) == (kept.keys.encode(), kept.wallets.encode())
}

#[tokio::test]
async fn w1_a_key_that_was_revoked_stays_so_though_its_revoker_went_away() {
    let (door, handle) = (door(), node().await);
    let request =
        |name: &str| KeyRequest { name: name.into(), role: Role::Owner, valid_ms: None, spend: None };
    let secret = |name: &str| Zeroizing::new(name.to_owned());
    let made = async { door.add_key(&handle, request("ci"), secret("ci"), now()).await.map(drop) };
    asked_and_gone(&door, made).await;
    assert!(door.keys().has("ci") && is_as_kept(&door, &handle).await);
    asked_and_gone(&door, door.remove_key(&handle, "ci")).await;
    assert!(!door.keys().has("ci") && is_as_kept(&door, &handle).await);
    assert!(door.add_key(&handle, request("other"), secret("other"), now()).await.is_ok());
    assert!(!door.keys().has("ci") && is_as_kept(&door, &handle).await, "nothing brings it back");
}

#[tokio::test]
async fn w1_a_wallet_that_was_removed_stays_so_though_its_remover_went_away() {
    let (door, handle, wallet) = (door(), node().await, Address::from_bytes([1; 20]));
    let (at, is_named) = (now(), |door: &Door| door.wallets().find(&wallet).is_some());
    let named = door.change_wallets(&handle, move |ring| ring.add(wallet, Role::Owner, at));
    asked_and_gone(&door, named).await;
    assert!(is_named(&door) && is_as_kept(&door, &handle).await);
    asked_and_gone(&door, door.change_wallets(&handle, move |ring| ring.remove(&wallet))).await;
    assert!(!is_named(&door) && is_as_kept(&door, &handle).await);
}
