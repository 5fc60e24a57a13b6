//! What audits find reaches the ledger: whole nodes on one shared ledger, with its real rules.

use crate::support::{Sky, finish, numbers_job, until};
use opensky_ledger::{
    entry::Entry,
    key::Key,
    reputation::{DAY_MS, Reason, Reputation},
};
use opensky_ports::{
    Clock, LedgerEngine,
    testing::{FakeExecutor, FakeRun},
};
use opensky_types::{
    AccountId, JobId, Micros, NodeId, Timestamp,
    job::{JobSpec, JobState, Verify},
    resources::Usage,
};

const SUPPLY: u64 = 1_000_000_000;
const FUEL: u64 = 1_000_000_000;

fn worker(lies: bool) -> FakeExecutor {
    FakeExecutor::new(move |_, item| {
        let mut written = item.input.item.clone();
        if lies {
            written.push_str(" or so");
        }
        let run = FakeRun::writes(written).in_ms(50);
        FakeRun { usage: Usage { fuel: FUEL, ..run.usage }, ..run }
    })
}

/// A job for all nodes but the first, which pays.
fn job(sky: &Sky, count: i64) -> JobSpec {
    let mut spec = numbers_job(sky.program(0), count, Verify::Reputation);
    spec.stages[0].constraints.peers = (1..sky.nodes.len()).map(|index| sky.id(index)).collect();
    spec
}

fn reputation(sky: &Sky, node: NodeId) -> Reputation {
    match sky.ledger.read(&[Key::Reputation(AccountId::of_node(node))]).entries.pop().flatten() {
        Some(Entry::Reputation(reputation)) => *reputation,
        _ => Reputation::default(),
    }
}

/// How often this account moved for a reason like this.
fn moves(sky: &Sky, node: NodeId, is_like: impl Fn(&Reason) -> bool) -> usize {
    reputation(sky, node).moves().iter().filter(|one| is_like(&one.reason)).count()
}

fn praised(sky: &Sky, index: usize) -> usize {
    let consumer = AccountId::of_node(sky.id(0));
    moves(sky, sky.id(index), |reason| *reason == Reason::AuditPassed(consumer))
}

fn blamed(sky: &Sky, index: usize) -> usize {
    moves(sky, sky.id(index), |reason| *reason == Reason::FailedVerification)
}

/// How many transactions the consumer made.
fn transactions(sky: &Sky) -> u64 {
    sky.ledger.next_nonce(&AccountId::of_node(sky.id(0)))
}

fn is_settled(sky: &Sky) -> bool {
    let keys: Vec<Key> =
        (1..sky.nodes.len()).map(|index| Key::Account(AccountId::of_node(sky.id(index)))).collect();
    let entries = sky.ledger.read(&keys).entries;
    let earned: u64 = entries
        .iter()
        .map(|entry| match entry {
            Some(Entry::Account(account)) => account.available.total().get(),
            _ => 0,
        })
        .sum();
    let own = sky.ledger.read(&[Key::Account(AccountId::of_node(sky.id(0)))]).entries.pop().flatten();
    matches!(own, Some(Entry::Account(account)) if account.available.total().get() + earned == SUPPLY)
}

async fn run(sky: &Sky, count: i64) -> JobId {
    let consumer = &sky.nodes[0].handle;
    let job = consumer.submit(job(sky, count)).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    job
}

/// One that the ledger takes as a witness.
fn established(now: Timestamp) -> Reputation {
    let mut reputation = Reputation::default();
    for day in 1..=25 {
        reputation.on_day_online(Timestamp::from_millis(now.as_millis() - (26 - day) * DAY_MS));
    }
    reputation
}

#[tokio::test(start_paused = true)]
async fn v4_a_liars_reputation_falls_and_honest_ones_rise() {
    let sky = Sky::paid(6, Micros::new(SUPPLY), |index| worker(index == 5)).await;
    for index in 1..5 {
        sky.ledger.set_reputation(AccountId::of_node(sky.id(index)), established(sky.clock.now()));
    }
    let before: Vec<u16> = (0..6).map(|index| reputation(&sky, sky.id(index)).score().get()).collect();
    run(&sky, 200).await;
    until(|| async { blamed(&sky, 5) > 0 }).await;
    until(|| async { (1..5).any(|index| praised(&sky, index) > 0) }).await;
    let after: Vec<u16> = (0..6).map(|index| reputation(&sky, sky.id(index)).score().get()).collect();
    assert!(after[5] < before[5], "the liar: {before:?} to {after:?}");
    assert_eq!(praised(&sky, 5), 0, "nothing that it did was confirmed");
    for index in 1..5 {
        assert!(after[index] >= before[index] && blamed(&sky, index) == 0, "{before:?} to {after:?}");
    }
    let risen = (1..5).filter(|index| praised(&sky, *index) > 0 && after[*index] >= before[*index] + 5);
    assert!(risen.count() > 0, "{before:?} to {after:?}");
}

#[tokio::test(start_paused = true)]
async fn v3_a_job_costs_a_handful_of_reports_and_a_provider_is_praised_once_a_day() {
    let sky = Sky::paid(3, Micros::new(SUPPLY), |_| worker(false)).await;
    run(&sky, 40).await;
    until(|| async { is_settled(&sky) && praised(&sky, 1) == 1 && praised(&sky, 2) == 1 }).await;
    let opened = transactions(&sky) - 2;
    assert!(opened <= 4, "two agreements, opened and topped up: {opened}");
    run(&sky, 40).await;
    until(|| async { is_settled(&sky) }).await;
    tokio::time::sleep(std::time::Duration::from_secs(90)).await;
    assert_eq!((praised(&sky, 1), praised(&sky, 2)), (1, 1), "more is worth nothing on the same day");
    assert!(transactions(&sky) <= 2 * opened + 2, "and is not told");
}

#[tokio::test(start_paused = true)]
async fn f1_no_report_is_lost_or_made_twice_by_a_consumer_that_dies() {
    let mut sky = Sky::paid(3, Micros::new(SUPPLY), |_| worker(false)).await;
    run(&sky, 40).await;
    let opened = transactions(&sky);
    assert_eq!((praised(&sky, 1), praised(&sky, 2)), (0, 0), "nobody has claimed yet");
    // Once before anything was told, then again and again while it is.
    for _ in 0..4 {
        let dead = sky.kill(0);
        sky.revive(0, dead, worker(false)).await;
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    }
    until(|| async { is_settled(&sky) && praised(&sky, 1) == 1 && praised(&sky, 2) == 1 }).await;
    tokio::time::sleep(std::time::Duration::from_secs(180)).await;
    assert_eq!(transactions(&sky), opened + 2, "one report for each");
}

#[tokio::test(start_paused = true)]
async fn where_work_is_free_nothing_is_reported() {
    let sky = Sky::new(3, |_| worker(false)).await;
    let before = sky.ledger.head().height;
    run(&sky, 40).await;
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(sky.ledger.head().height, before, "no transaction");
}
