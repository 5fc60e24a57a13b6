//! The ledger of a sky on several nodes: validators over TCP, followers by hand.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use opensky_chain::{Settings, SkyLedger, Voting, verify_proof};
use opensky_ledger::{
    action::Action,
    approval::{Approval, Statement},
    entry::Entry,
    evm::{Domain, EvmSignature, digest},
    key::Key,
    memo::Memo,
    transaction::Transaction,
};
use opensky_ports::{
    Clock, LedgerEngine,
    ledger::{FollowError, Role, SignedCheckpoint, Whereabouts},
    testing::SystemClock,
};
use opensky_types::{
    AccountId, Hash, Keypair, Micros,
    membership::{Genesis, InvitePolicy},
};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// The limit ends a hang; no result depends on it.
const PATIENCE: Duration = Duration::from_secs(120);
const SUPPLY: u64 = 1_000_000_000_000;

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
async fn f1_an_opened_ledger_has_what_only_the_validators_folder_kept() -> Result<()> {
    let sky = Sky::new(1, 4, 1_000)?;
    let (file, older) = (sky.folder.path().join("1/ledger.redb"), sky.folder.path().join("older"));
    let mut paid = 0;
    for _ in 0..2 {
        // A kill leaves the ledger's file older than the validator's folder.
        if file.exists() {
            std::fs::copy(&file, &older)?;
        }
        let founder = sky.open(1)?;
        for _ in 0..10 {
            settle(&founder, transfer(&founder, 9, 1_000)?)?;
            paid += 1_000;
        }
        founder.shut_down().await;
    }
    std::fs::copy(&older, &file)?;
    let founder = sky.open(1)?;
    assert_eq!(balance(&founder, 9), paid, "all of it, and at once");
    settle(&founder, transfer(&founder, 9, 1_000)?)?;
    assert_eq!(balance(&founder, 9), paid + 1_000, "the next number was right");
    founder.shut_down().await;
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

/// A validator names its key for checkpoints, as its node would.
fn name_key(validators: &[SkyLedger], number: u8) -> Result<Hash> {
    let ledger = &validators[usize::from(number) - 1];
    let wallet = ledger.unnamed_checkpoint_key().context("a key that is not named yet")?;
    let account = AccountId::of_node(key(number).id());
    let transaction = Transaction {
        sky: ledger.genesis().sky,
        rules: 1,
        account,
        nonce: ledger.next_nonce(&account),
        valid_until: SystemClock.now().plus_ms(600_000),
        action: Action::SetCheckpointKey { key: wallet.address() },
    };
    let typed =
        Approval::EthereumTyped { address: wallet.address(), signature: wallet.sign(&transaction.typed()) };
    let signed = transaction.signed(vec![Approval::sign(&key(number), &transaction), typed]);
    let ids = validators.iter().map(|other| Ok(other.submit(signed.clone())?.id));
    ids.collect::<Result<Vec<_>>>()?.pop().context("validators")
}

/// Makes blocks until the newest checkpoint is of a set that named its keys, on each of these.
fn until_signed(ledgers: &[SkyLedger]) -> Result<u64> {
    let newest = |ledger: &SkyLedger| Ok::<_, anyhow::Error>(ledger.checkpoint(None)?);
    let has_keys = |found: &SignedCheckpoint| found.signers.iter().all(|signer| signer.key.is_some());
    while !newest(&ledgers[0])?.is_some_and(|found| has_keys(&found)) {
        settle(&ledgers[0], transfer(&ledgers[0], 9, 1_000)?)?;
    }
    let epoch = newest(&ledgers[0])?.context("it was there")?.checkpoint.epoch;
    for ledger in ledgers {
        wait("the end of an epoch", || Ok(ledger.checkpoint(Some(epoch))?.is_some()))?;
    }
    Ok(epoch)
}

fn checkpoint(ledger: &SkyLedger, epoch: u64) -> Result<SignedCheckpoint> {
    ledger.checkpoint(Some(epoch))?.context("the epoch has ended")
}

#[tokio::test(flavor = "multi_thread")]
async fn l4_validators_sign_what_each_has_computed_and_take_nothing_else() -> Result<()> {
    let sky = Sky::new(4, 8, 1_000)?;
    let validators = (1..=4).map(|number| sky.open(number)).collect::<Result<Vec<_>>>()?;
    for number in 1..=4 {
        let named = name_key(&validators, number)?;
        validators.iter().try_for_each(|ledger| settle(ledger, named))?;
        assert!(validators[usize::from(number) - 1].unnamed_checkpoint_key().is_none(), "named once");
    }
    let epoch = until_signed(&validators)?;
    let own: Vec<SignedCheckpoint> =
        validators.iter().map(|ledger| checkpoint(ledger, epoch)).collect::<Result<_>>()?;
    let sky_id = validators[0].genesis().sky;
    for (number, signed) in (1..).zip(&own) {
        assert_eq!(signed.checkpoint, own[0].checkpoint, "each computes the same");
        assert_eq!(signed.signatures.len(), 1, "its own");
        let (node, signature) = signed.signatures[0];
        let key_of = signed.signers.iter().find(|signer| signer.node == node).and_then(|signer| signer.key);
        assert_eq!(node, key(number).id());
        let signs = digest(&Domain::of_sky(sky_id), &signed.checkpoint);
        signature.verify(&signs, &key_of.context("a key")?)?;
    }
    let first = &validators[0];
    let (second, third) = (own[1].signatures[0], own[2].signatures[0]);
    let refused = |signatures: &[(opensky_types::NodeId, EvmSignature)]| {
        let added = first.add_signatures(epoch, signatures);
        assert!(matches!(added, Err(FollowError::Sender(_))), "{added:?}");
        assert_eq!(first.checkpoint(Some(epoch)).ok().flatten().as_ref(), Some(&own[0]), "nothing is kept");
    };
    refused(&[(key(9).id(), second.1)]);
    refused(&[(key(3).id(), second.1)]);
    let mut forged = *second.1.as_bytes();
    forged[3] ^= 1;
    refused(&[third, (second.0, EvmSignature::from_bytes(forged))]);
    let mut other = own[1].checkpoint;
    other.total += 1;
    let wallet = opensky_ledger::checkpoint::key_of(&key(2));
    refused(&[(second.0, wallet.sign(&digest(&Domain::of_sky(sky_id), &other)))]);
    assert_eq!(first.add_signatures(epoch + 1, &[second])?, 0, "an epoch that has not ended here");
    assert_eq!(first.add_signatures(epoch, &[second])?, 1);
    assert!(!checkpoint(first, epoch)?.is_complete());
    assert_eq!(first.add_signatures(epoch, &[second, third])?, 1, "each once");
    assert!(checkpoint(first, epoch)?.is_complete(), "three of four");
    stop(validators).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_signatures_over_a_checkpoint_are_there_after_a_restart() -> Result<()> {
    let sky = Sky::new(1, 4, 5)?;
    let mut signed = None;
    for round in 0..3 {
        let validators = vec![sky.open(1)?];
        if round == 0 {
            let named = name_key(&validators, 1)?;
            settle(&validators[0], named)?;
        }
        if let Some((epoch, before)) = signed {
            assert_eq!(checkpoint(&validators[0], epoch)?, before, "of round {round}");
        }
        let epoch = until_signed(&validators)?;
        for _ in 0..5 {
            settle(&validators[0], transfer(&validators[0], 9, 1_000)?)?;
        }
        let kept = checkpoint(&validators[0], epoch)?;
        assert!(kept.is_complete(), "its own is all there is");
        signed = Some((epoch, kept));
        // A follower computes the same, but signs nothing.
        let follower = sky.open(9 + round)?;
        catch_up(&follower, &validators[0])?;
        let computed = checkpoint(&follower, epoch)?;
        assert_eq!(
            (computed.checkpoint, computed.signatures.len()),
            (checkpoint(&validators[0], epoch)?.checkpoint, 0)
        );
        stop(validators.into_iter().chain([follower])).await;
    }
    Ok(())
}
