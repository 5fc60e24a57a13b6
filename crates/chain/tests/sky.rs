//! The ledger of a sky on several nodes: validators over TCP, followers by hand.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use opensky_chain::{Settings, SkyLedger, Voting, verify_proof};
use opensky_ledger::{
    action::Action, approval::Approval, entry::Entry, key::Key, memo::Memo, transaction::Transaction,
};
use opensky_ports::{
    Clock, LedgerEngine,
    ledger::{FollowError, Role, Whereabouts},
};
use opensky_types::{
    AccountId, Hash, Keypair, Micros, Timestamp,
    membership::{Genesis, InvitePolicy},
};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The limit ends a hang; no result depends on it.
const PATIENCE: Duration = Duration::from_secs(120);
const SUPPLY: u64 = 1_000_000_000_000;

struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        Timestamp::from_millis(since.as_millis() as u64)
    }
    fn monotonic_us(&self) -> u64 {
        0
    }
    fn random(&self) -> [u8; 32] {
        [0; 32]
    }
}

fn key(number: u8) -> Keypair {
    Keypair::from_seed([number; 32])
}

/// A sky whose first nodes validate.
struct Sky {
    genesis: Genesis,
    addresses: Vec<SocketAddr>,
    folder: tempfile::TempDir,
    snapshot_blocks: u64,
}

impl Sky {
    fn new(validators: u8, epoch_blocks: u64, snapshot_blocks: u64) -> Result<Self> {
        let mut nodes: Vec<_> = (1..=validators).map(|number| key(number).id()).collect();
        nodes.sort_unstable();
        let genesis = Genesis {
            name: "test".into(),
            founder: key(1).id(),
            founded_at: SystemClock.now(),
            invites: InvitePolicy::Members,
            economy_free: false,
            supply: Micros::new(SUPPLY),
            validators: nodes,
            epoch_blocks,
            nonce: 1,
        };
        // Held until all are chosen, so that none is chosen twice.
        let listeners: Vec<_> =
            (0..validators).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
        Ok(Self { genesis, addresses, folder: tempfile::tempdir()?, snapshot_blocks })
    }

    /// Opens the ledger of a node; the first ones vote.
    fn open(&self, number: u8) -> Result<SkyLedger> {
        let home = self.folder.path().join(number.to_string());
        std::fs::create_dir_all(&home)?;
        let voting = self.addresses.get(usize::from(number) - 1).map(|listen| voting(number, *listen, &home));
        let ledger = SkyLedger::open(Settings {
            genesis: &self.genesis,
            node: key(number).id(),
            folder: &home,
            voting,
            clock: Arc::new(SystemClock),
            snapshot_blocks: self.snapshot_blocks,
        })?;
        let known =
            (1..).zip(&self.addresses).map(|(number, address)| (key(number).id(), address.to_string()));
        ledger.learn_addresses(key(number).id(), known.collect());
        Ok(ledger)
    }
}

fn voting(number: u8, listen: SocketAddr, home: &Path) -> Voting {
    let (folder, mark) = (home.join("validator"), home.join("voted"));
    Voting { key: key(number), listen, dialable: listen.to_string(), folder, mark }
}

fn wait(what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !done()? {
        ensure!(start.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// The founder gives money away.
fn transfer(ledger: &SkyLedger, to: u8, amount: u64) -> Result<Hash> {
    let founder = key(1);
    let account = AccountId::of_node(founder.id());
    let transaction = Transaction {
        sky: ledger.genesis().sky,
        rules: 1,
        account,
        nonce: ledger.next_nonce(&account),
        valid_until: SystemClock.now().plus_ms(600_000),
        action: Action::Transfer {
            to: AccountId::of_node(key(to).id()),
            amount: Micros::new(amount),
            memo: Memo::new("a test")?,
        },
    };
    let signed = transaction.signed(vec![Approval::sign(&founder, &transaction)]);
    Ok(ledger.submit(signed)?.id)
}

fn settle(ledger: &SkyLedger, id: Hash) -> Result<()> {
    wait("a transfer", || Ok(matches!(ledger.whereabouts(&id), Whereabouts::Final { .. })))
}

fn balance(ledger: &SkyLedger, number: u8) -> u64 {
    let key = Key::Account(AccountId::of_node(key(number).id()));
    match ledger.read(&[key]).entries.first() {
        Some(Some(Entry::Account(account))) => account.available.total().get(),
        _ => 0,
    }
}

/// Lets `follower` ask `other` until nothing is missing.
fn catch_up(follower: &SkyLedger, other: &SkyLedger) -> Result<()> {
    loop {
        let blocks = other.blocks(follower.head().height + 1, 1 << 20)?;
        if blocks.is_empty() {
            return Ok(());
        }
        follower.follow(blocks)?;
    }
}

async fn stop(ledgers: impl IntoIterator<Item = SkyLedger>) {
    for ledger in ledgers {
        ledger.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l1_four_validators_agree_on_money_and_a_follower_agrees_with_them() -> Result<()> {
    let sky = Sky::new(4, 1_000, 1_000)?;
    let validators = (1..=4).map(|number| sky.open(number)).collect::<Result<Vec<_>>>()?;
    let mut last = None;
    for _ in 0..50 {
        last = Some(transfer(&validators[0], 9, 1_000)?);
    }
    let last = last.context("50 transfers")?;
    for validator in &validators {
        settle(validator, last)?;
        assert_eq!(balance(validator, 9), 50_000);
        assert_eq!(validator.overview().role, Role::Validator);
    }
    let follower = sky.open(9)?;
    catch_up(&follower, &validators[2])?;
    assert_eq!(balance(&follower, 9), 50_000);
    assert_eq!(follower.overview().role, Role::Follower);
    let history = follower.history(&AccountId::of_node(key(9).id()), None, 100)?;
    assert_eq!(history.len(), 50, "every transfer is in the history of who got it");
    // The same block at the same height everywhere.
    let height = follower.head().height;
    let block = |ledger: &SkyLedger| ledger.blocks(height, 1).map(|blocks| blocks.len());
    for validator in &validators {
        assert_eq!(block(validator)?, 1);
    }
    stop(validators.into_iter().chain([follower])).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_far_behind_takes_over_a_snapshot_and_goes_on_from_it() -> Result<()> {
    let sky = Sky::new(1, 4, 5)?;
    let founder = sky.open(1)?;
    for _ in 0..17 {
        settle(&founder, transfer(&founder, 9, 1_000)?)?;
    }
    wait("a snapshot", || Ok(founder.offer_snapshot(0)?.is_some()))?;
    let follower = sky.open(9)?;
    let offer = founder.offer_snapshot(follower.head().epoch)?.context("a snapshot")?;
    let restoring = follower.begin_restore(&offer)?;
    for index in 0..restoring.chunks {
        let chunk = founder.snapshot_chunk(restoring.height, index)?.context("a chunk")?;
        let mut wrong = chunk.clone();
        *wrong.last_mut().context("bytes")? ^= 1;
        assert!(matches!(follower.restore_chunk(index, &wrong), Err(FollowError::Sender(_))));
        follower.restore_chunk(index, &chunk)?;
    }
    assert_eq!(follower.head().height, restoring.height);
    settle(&founder, transfer(&founder, 9, 1_000)?)?;
    catch_up(&follower, &founder)?;
    assert_eq!(balance(&follower, 9), 18_000);
    assert_eq!(follower.read(&[]).head.state, founder.read(&[]).head.state);
    // It is on disk, and what came after it too.
    let before = follower.head();
    follower.shut_down().await;
    drop(follower);
    let follower = sky.open(9)?;
    assert_eq!(follower.head(), before);
    stop([founder, follower]).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l2_whoever_sends_what_is_not_so_is_named() -> Result<()> {
    let sky = Sky::new(1, 1_000, 1_000)?;
    let founder = sky.open(1)?;
    for _ in 0..3 {
        settle(&founder, transfer(&founder, 9, 1_000)?)?;
    }
    let follower = sky.open(9)?;
    let blocks = founder.blocks(1, 1 << 20)?;
    let at_genesis = follower.head();
    let mut gaps = 0;
    for position in 0..blocks[0].len() {
        let mut changed = blocks[0].to_vec();
        changed[position] ^= 1;
        match follower.follow(vec![Bytes::from(changed)]) {
            Err(FollowError::Sender(_)) => {}
            // Its height is another: then it is not the next one, and is not looked at any closer.
            Err(FollowError::NotNext { .. }) => gaps += 1,
            Ok(head) if head == at_genesis => gaps += 1,
            other => panic!("byte {position}: {other:?}"),
        }
    }
    assert!(gaps <= 8, "{gaps} bytes of the height");
    let refused = follower.follow(blocks[1..].to_vec());
    assert!(matches!(refused, Err(FollowError::NotNext { height: 0 })), "a gap is nobody's lie: {refused:?}");
    let other = Sky::new(1, 1_000, 1_000)?;
    let stranger = other.open(1)?;
    settle(&stranger, transfer(&stranger, 9, 1_000)?)?;
    let refused = follower.follow(stranger.blocks(1, 1 << 20)?);
    assert!(matches!(refused, Err(FollowError::Sender(_))), "another sky's block: {refused:?}");
    assert_eq!(follower.head(), at_genesis, "nothing of it was taken");
    follower.follow(blocks)?;
    assert_eq!(balance(&follower, 9), 3_000);
    stop([founder, follower, stranger]).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_a_validator_comes_back_with_all_that_was_final() -> Result<()> {
    let sky = Sky::new(1, 4, 1_000)?;
    let mut paid = 0;
    for _ in 0..3 {
        let founder = sky.open(1)?;
        for _ in 0..6 {
            settle(&founder, transfer(&founder, 9, 1_000)?)?;
            paid += 1_000;
        }
        assert_eq!(balance(&founder, 9), paid);
        assert_eq!(balance(&founder, 1) + paid, SUPPLY, "no money is made or lost");
        founder.shut_down().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l4_a_proof_holds_for_whoever_knows_the_first_facts_of_the_sky() -> Result<()> {
    let sky = Sky::new(1, 3, 1_000)?;
    let founder = sky.open(1)?;
    for _ in 0..10 {
        settle(&founder, transfer(&founder, 9, 1_000)?)?;
    }
    let held = Key::Account(AccountId::of_node(key(9).id()));
    let none = Key::Account(AccountId::of_node(key(8).id()));
    let proven = verify_proof(&sky.genesis, &founder.prove(&held)?)?;
    assert!(proven.height >= 10, "several epochs lie between");
    let Some(Entry::Account(account)) = proven.entry else { anyhow::bail!("an account: {proven:?}") };
    assert_eq!(account.available.total(), Micros::new(10_000));
    assert_eq!(verify_proof(&sky.genesis, &founder.prove(&none)?)?.entry, None);
    let bytes = founder.prove(&held)?;
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 0x01;
        let read = verify_proof(&sky.genesis, &changed);
        assert!(read.is_err(), "byte {position} of {}: {read:?}", bytes.len());
    }
    let other = Genesis { nonce: 2, ..sky.genesis.clone() };
    assert!(verify_proof(&other, &bytes).is_err(), "another sky");
    stop([founder]).await;
    Ok(())
}
