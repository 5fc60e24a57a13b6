//! Work for money between whole nodes on one shared ledger, and with sides that cheat by hand.

use crate::support::{
    Sky, finish, numbers_job,
    peer::{Lie, read, write},
    until,
};
use opensky_ledger::{
    action::Action,
    apply::RULES,
    approval::Approval,
    entry::Entry,
    escrow::{Opening, id_of},
    key::Key,
    transaction::Transaction,
};
use opensky_node::Handle;
use opensky_ports::{
    ByteStream, Clock, LedgerEngine, Transport,
    testing::{FakeExecutor, FakeRun},
};
use opensky_protocol::work::{self, ToConsumer, ToProvider};
use opensky_types::{
    AccountId, AgreementId, Hash, JobId, Keypair, Micros, NodeId, PublicKey, Signed, TaskId,
    agreement::{Payment, Terms},
    job::{JobSpec, JobState, Program, Verify},
    limits::ContributionLimits,
    place::Level,
    reason::{Misfit, Reason},
    receipt::Countersignature,
    resources::Usage,
    samples,
    task::{Assignment, TaskInput},
};
use std::time::Duration;

/// What each task uses, and costs at the price of an owner who says nothing: 100 micros a billion.
const FUEL: u64 = 10_000_000_000;
const COST: u64 = 1_000;
const SUPPLY: u64 = 1_000_000_000;
const QUORUM: Verify = Verify::Quorum { agree: 2, replicas: 2, replicas_max: 4 };

fn worker(ms: u64) -> FakeExecutor {
    FakeExecutor::new(move |_, item| {
        let run = FakeRun::writes(item.input.item.clone()).in_ms(ms);
        FakeRun { usage: Usage { fuel: FUEL, ..run.usage }, ..run }
    })
}

async fn paid_sky(count: u8) -> Sky {
    Sky::paid(count, Micros::new(SUPPLY), |_| worker(50)).await
}

/// A job of so many tasks for all nodes but the first, which pays.
fn job(sky: &Sky, count: i64, verify: Verify) -> JobSpec {
    let mut spec = numbers_job(sky.program(0), count, verify);
    spec.stages[0].constraints.peers = (1..sky.nodes.len()).map(|index| sky.id(index)).collect();
    spec
}

fn balance(sky: &Sky, node: NodeId) -> u64 {
    let reading = sky.ledger.read(&[Key::Account(AccountId::of_node(node))]);
    match reading.entries.first() {
        Some(Some(Entry::Account(account))) => account.available.total().get(),
        _ => 0,
    }
}

/// What each node is paid for a job, as its runs say.
async fn costs(consumer: &Handle, job: JobId) -> Vec<(NodeId, u64)> {
    let runs = consumer.runs(job, |_| true, 0, 10_000).await.expect("runs");
    runs.iter().map(|run| (run.node, run.price.get())).collect()
}

async fn cost_of(consumer: &Handle, job: JobId, node: NodeId) -> u64 {
    costs(consumer, job).await.iter().filter(|(of, _)| *of == node).map(|(_, price)| price).sum()
}

/// Waits until each node has what the job's runs say, and the consumer all the rest.
async fn is_settled(sky: &Sky, job: JobId) {
    let consumer = &sky.nodes[0].handle;
    let spent: u64 = costs(consumer, job).await.iter().map(|(_, price)| price).sum();
    for node in &sky.nodes[1..] {
        let id = node.key.id();
        let cost = cost_of(consumer, job, id).await;
        until(|| async { balance(sky, id) == cost }).await;
    }
    until(|| async { balance(sky, sky.id(0)) == SUPPLY - spent }).await;
}

#[tokio::test(start_paused = true)]
async fn l5_work_is_paid_in_a_handful_of_transactions_and_the_rest_comes_back() {
    for verify in [Verify::None, QUORUM] {
        let sky = paid_sky(3).await;
        let consumer = &sky.nodes[0].handle;
        let before = sky.ledger.head().height;
        let job = consumer.submit(job(&sky, 400, verify)).await.expect("job is taken");
        assert_eq!(finish(consumer, job).await, JobState::Succeeded);
        is_settled(&sky, job).await;
        let spent = SUPPLY - balance(&sky, sky.id(0));
        let runs: u64 = if verify == QUORUM { 800 } else { 400 };
        assert!((runs * COST..runs * COST * 11 / 10).contains(&spent), "{spent} for {runs} runs");
        // Each transaction is a block here. Two agreements: opened, topped up, claimed.
        let blocks = sky.ledger.head().height - before;
        assert!(blocks <= 20, "{blocks} transactions for 400 tasks");
        let notes = consumer.notes(job).await.expect("notes");
        assert!(notes.iter().any(|note| matches!(note.reason, Reason::PutAside { .. })), "`why` names it");
    }
}

#[tokio::test(start_paused = true)]
async fn settling_ten_thousand_tasks_takes_a_handful_of_transactions() {
    let sky = Sky::paid(3, Micros::new(SUPPLY), |_| {
        FakeExecutor::new(|_, item| {
            let run = FakeRun::writes(item.input.item.clone()).in_ms(1);
            FakeRun { usage: Usage { fuel: 100_000_000, ..run.usage }, ..run }
        })
    })
    .await;
    let consumer = &sky.nodes[0].handle;
    let before = sky.ledger.head().height;
    let job = consumer.submit(job(&sky, 10_000, Verify::None)).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    until(|| async { (0..3).map(|index| balance(&sky, sky.id(index))).sum::<u64>() == SUPPLY }).await;
    assert!(SUPPLY - balance(&sky, sky.id(0)) >= 100_000, "ten micros a task");
    // Each transaction is a block here.
    let blocks = sky.ledger.head().height - before;
    assert!(blocks <= 12, "{blocks} transactions for 10,000 tasks on two nodes");
}

/// Its own node works for nothing, but one alone makes no quorum.
#[tokio::test(start_paused = true)]
async fn m1_a_budget_that_buys_too_few_replicas_ends_the_job() {
    let sky = paid_sky(3).await;
    let consumer = &sky.nodes[0].handle;
    let budget = Some(Micros::new(10 * COST));
    let spec = JobSpec { budget, ..numbers_job(sky.program(0), 60, QUORUM) };
    let started = sky.clock.now();
    let job = consumer.submit(JobSpec { wait_ms: 3_600_000, ..spec }).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Failed);
    assert!(sky.clock.now().ms_since(started) < 120_000, "it does not wait for what can't come");
    let notes = consumer.notes(job).await.expect("notes");
    assert!(notes.iter().any(|note| matches!(note.reason, Reason::BudgetSpent { .. })), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_poor_node_does_its_own_work_for_nothing() {
    let sky = paid_sky(3).await;
    let poor = &sky.nodes[1].handle;
    let job = poor.submit(numbers_job(sky.program(1), 20, Verify::None)).await.expect("job is taken");
    assert_eq!(finish(poor, job).await, JobState::Succeeded, "though the others can't be paid");
    assert_eq!(balance(&sky, sky.id(0)), SUPPLY);
}

#[tokio::test(start_paused = true)]
async fn m3_a_quote_says_who_fits_and_what_it_may_cost() {
    let sky = paid_sky(3).await;
    let consumer = &sky.nodes[0].handle;
    let dear = ContributionLimits { price_per_gfuel: Micros::new(300), ..ContributionLimits::default() };
    sky.nodes[2].handle.set_limits(dear).await.expect("node answers");
    until(|| async {
        let offers = consumer.offers().await.expect("node answers");
        offers.iter().any(|view| view.offer.price_per_gfuel == Micros::new(300))
    })
    .await;
    let mut spec = job(&sky, 10, QUORUM);
    spec.stages[0].limits.fuel = 2 * FUEL;
    let quote = consumer.quote(spec.clone()).await.expect("a job");
    let stage = &quote.stages[0];
    assert_eq!((stage.tasks, stage.runs, stage.counts.fitting, stage.counts.offers), (10, 20, 2, 3));
    assert_eq!(stage.prices, Some([Micros::new(100), Micros::new(300), Micros::new(300)]));
    assert_eq!(quote.cost_max, Micros::new(20 * 6 * COST), "20 runs at their limit on the dearest node");
    assert_eq!((quote.cost_expected, quote.available), (None, Micros::new(SUPPLY)));
    let bounded = JobSpec { budget: Some(Micros::new(5)), ..spec.clone() };
    assert_eq!(consumer.quote(bounded).await.expect("a job").cost_max, Micros::new(5));
    let ran = consumer.submit(job(&sky, 10, Verify::None)).await.expect("job is taken");
    assert_eq!(finish(consumer, ran).await, JobState::Succeeded);
    let expected = consumer.quote(spec).await.expect("a job").cost_expected;
    assert_eq!(expected, Some(Micros::new(20 * 3 * COST)), "as much as before, at the price in the middle");
}

#[tokio::test(start_paused = true)]
async fn nobody_pays_itself() {
    let sky = paid_sky(1).await;
    let consumer = &sky.nodes[0].handle;
    let job = consumer.submit(numbers_job(sky.program(0), 10, Verify::None)).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    assert_eq!(balance(&sky, sky.id(0)), SUPPLY);
}

#[tokio::test(start_paused = true)]
async fn m1_a_budget_is_never_exceeded() {
    let sky = paid_sky(3).await;
    let consumer = &sky.nodes[0].handle;
    let budget = Micros::new(20 * COST);
    let job = consumer.submit(JobSpec { budget: Some(budget), ..job(&sky, 100, Verify::None) }).await;
    let job = job.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Failed);
    let notes = consumer.notes(job).await.expect("notes");
    let is_named =
        |reason: &Reason| matches!(reason, Reason::BudgetSpent { budget: found, .. } if *found == budget);
    assert!(notes.iter().any(|note| is_named(&note.reason)), "{notes:?}");
    let has_all = || async { (0..3).map(|index| balance(&sky, sky.id(index))).sum::<u64>() == SUPPLY };
    until(has_all).await;
    let spent = SUPPLY - balance(&sky, sky.id(0));
    assert!((10 * COST..=20 * COST).contains(&spent), "{spent} of {budget}");
    // What ran in the slots when the money ended may be worth a little more: that is the provider's risk.
    let worth: u64 = costs(consumer, job).await.iter().map(|(_, price)| price).sum();
    assert!((spent..spent + 8 * COST).contains(&worth), "{worth} of work for {spent}");
}

#[tokio::test(start_paused = true)]
async fn without_money_nothing_runs_and_the_job_says_so() {
    let sky = paid_sky(2).await;
    let poor = &sky.nodes[1].handle;
    let mut spec = numbers_job(sky.program(1), 10, Verify::None);
    spec.stages[0].constraints.peers = vec![sky.id(0)];
    let job = poor.submit(spec).await.expect("job is taken");
    assert_eq!(finish(poor, job).await, JobState::Failed);
    let notes = poor.notes(job).await.expect("notes");
    assert!(notes.iter().any(|note| matches!(note.reason, Reason::NoMoney { .. })), "{notes:?}");
    assert_eq!(sky.nodes[0].executor.ran().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn f1_a_provider_that_dies_before_it_claims_is_paid_when_it_is_back() {
    let mut sky = paid_sky(3).await;
    let job_spec = job(&sky, 40, Verify::None);
    let job = sky.nodes[0].handle.submit(job_spec).await.expect("job is taken");
    assert_eq!(finish(&sky.nodes[0].handle, job).await, JobState::Succeeded);
    let dead = sky.kill(1);
    tokio::time::sleep(Duration::from_secs(5)).await;
    sky.revive(1, dead, worker(50)).await;
    is_settled(&sky, job).await;
}

#[tokio::test(start_paused = true)]
async fn f1_a_consumer_that_dies_goes_on_and_pays_once() {
    let mut sky = Sky::paid(3, Micros::new(SUPPLY), |_| worker(400)).await;
    let job_spec = job(&sky, 120, Verify::None);
    let job = sky.nodes[0].handle.submit(job_spec).await.expect("job is taken");
    until(|| async { !costs(&sky.nodes[0].handle, job).await.is_empty() }).await;
    let dead = sky.kill(0);
    sky.revive(0, dead, worker(400)).await;
    assert_eq!(finish(&sky.nodes[0].handle, job).await, JobState::Succeeded);
    until(|| async {
        balance(&sky, sky.id(0)) + balance(&sky, sky.id(1)) + balance(&sky, sky.id(2)) == SUPPLY
    })
    .await;
    let earned = balance(&sky, sky.id(1)) + balance(&sky, sky.id(2));
    let spent: u64 = costs(&sky.nodes[0].handle, job).await.iter().map(|(_, price)| price).sum();
    // What was on its way when the consumer died may be paid without being in its journal.
    assert!(earned >= spent && earned < spent + 40 * COST, "{earned} earned, {spent} on record");
}

#[tokio::test(start_paused = true)]
async fn m1_fuel_beyond_the_limit_ends_the_provider() {
    let sky = Sky::new(3, |_| worker(50)).await;
    let peer = sky.provider(77, Lie::TooMuchFuel).await;
    let consumer = &sky.nodes[0].handle;
    let mut spec = numbers_job(sky.program(0), 40, Verify::None);
    spec.stages[0].constraints.peers = vec![sky.id(1), sky.id(2), peer.id()];
    let job = consumer.submit(spec).await.expect("job is taken");
    assert_eq!(finish(consumer, job).await, JobState::Succeeded);
    assert!(peer.was_assigned(), "the liar was asked");
    let runs = consumer.runs(job, |_| true, 0, 1_000).await.expect("runs");
    assert!(runs.iter().all(|run| run.node != peer.id()), "nothing of it counts");
}

/// A consumer by hand, with an agreement of its own with node 1.
struct Consumer {
    key: Keypair,
    stream: ByteStream,
    agreement: AgreementId,
    /// The number of its next transaction.
    nonce: u64,
    // What keeps it connected.
    _events: tokio::sync::mpsc::Receiver<opensky_ports::TransportEvent>,
}

impl Consumer {
    async fn new(sky: &Sky, money: u64) -> Self {
        let (key, transport, events) = sky.stranger(77).await;
        let to = AccountId::of_node(key.id());
        let given = Action::Transfer { to, amount: Micros::new(money), memo: Default::default() };
        sky.nodes[0].handle.transact(given).await.expect("the founder has enough");
        let now = sky.clock.now();
        let program =
            Program { hash: sky.program(1), size_bytes: 7, level: Level::Vm, ..samples::terms().program };
        let payment = Payment {
            escrow: Micros::new(10 * COST),
            expires_at: now.plus_ms(3_600_000),
            claim_window_ms: 120_000,
        };
        let terms = Terms {
            sky: sky.genesis.sky(),
            consumer: key.id(),
            provider: sky.id(1),
            program,
            made_at: now,
            price_per_gfuel: Micros::new(100),
            payment: Some(payment),
            orphan_grace_ms: 60_000,
            limits: Default::default(),
            ..samples::terms()
        };
        let signed = Signed::sign(&terms, &key);
        let agreement = signed.agreement_id();
        let mut stream = transport.open(sky.id(1), work::PROTOCOL).await.expect("it is connected");
        assert!(write(&mut stream, &ToProvider::Propose { terms: signed }).await);
        let mut consumer = Self { key, stream, agreement, nonce: 0, _events: events };
        consumer.hear(|message| matches!(message, ToConsumer::Accept { .. })).await;
        consumer
    }

    /// The next message of this kind.
    async fn hear(&mut self, wanted: impl Fn(&ToConsumer) -> bool) -> ToConsumer {
        loop {
            let message = read::<ToConsumer>(&mut self.stream).await.expect("the provider speaks");
            if wanted(&message) {
                return message;
            }
        }
    }

    async fn tell(&mut self, message: ToProvider) {
        assert!(write(&mut self.stream, &message).await);
    }

    fn act(&mut self, sky: &Sky, action: Action) {
        let transaction = Transaction {
            sky: sky.genesis.sky(),
            rules: RULES,
            account: AccountId::of_node(self.key.id()),
            nonce: self.nonce,
            valid_until: sky.clock.now().plus_ms(60_000),
            action,
        };
        self.nonce += 1;
        let signed = transaction.signed(vec![Approval::sign(&self.key, &transaction)]);
        sky.ledger.submit(signed).expect("the ledger takes it");
    }

    fn opening(&self, sky: &Sky) -> Opening {
        Opening {
            terms: *self.agreement.hash(),
            provider: AccountId::of_node(sky.id(1)),
            voucher_key: PublicKey::of_node(self.key.id()),
            amount: Micros::new(10 * COST),
            expires_at: sky.clock.now().plus_ms(3_600_000),
            claim_window_ms: 120_000,
        }
    }

    async fn fund(&mut self, sky: &Sky, opening: Opening) {
        let nonce = self.nonce;
        self.act(sky, Action::OpenEscrow(opening));
        self.tell(ToProvider::Fund { agreement: self.agreement, nonce, voucher: None }).await;
    }

    async fn assign(&mut self, count: u32) {
        let stage = samples::terms().stage;
        let tasks = (0..count).map(|index| Assignment {
            task: TaskId { stage, index },
            attempt: 0,
            input: TaskInput { item: index.to_string(), stdin: Vec::new() },
        });
        self.tell(ToProvider::Assign { agreement: self.agreement, tasks: tasks.collect() }).await;
    }

    /// The root of the next results and how many they are.
    async fn results(&mut self) -> (Hash, usize) {
        match self.hear(|message| matches!(message, ToConsumer::Results { .. })).await {
            ToConsumer::Results { reports, head, .. } => {
                (head.verify().expect("it is signed").root, reports.len())
            }
            _ => unreachable!("only results are heard"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn m2_nothing_runs_for_an_escrow_that_is_not_what_was_agreed() {
    let sky = paid_sky(2).await;
    let mut consumer = Consumer::new(&sky, 100 * COST).await;
    consumer.assign(4).await;
    let right = consumer.opening(&sky);
    // Money for another, money that comes too late, money that is gone too early.
    let wrong = [
        Opening { provider: AccountId::of_node(sky.id(0)), ..right },
        Opening { claim_window_ms: 600_000, ..right },
        Opening { expires_at: sky.clock.now().plus_ms(1_800_000), ..right },
    ];
    for opening in wrong {
        consumer.fund(&sky, opening).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(sky.nodes[1].executor.ran().len(), 0);
    }
    for _ in 0..20 {
        consumer.tell(ToProvider::Heartbeat).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    let ended = consumer.hear(|message| matches!(message, ToConsumer::Ended { .. })).await;
    assert!(matches!(ended, ToConsumer::Ended { misfit: Misfit::Unfunded, .. }), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn m2_whoever_accepts_and_does_not_sign_for_the_money_pays_all_the_same() {
    let sky = paid_sky(2).await;
    let mut consumer = Consumer::new(&sky, 100 * COST).await;
    let opening = consumer.opening(&sky);
    consumer.fund(&sky, opening).await;
    consumer.assign(4).await;
    let (root, count) = consumer.results().await;
    let countersignature = Countersignature::sign(&consumer.key, root, &vec![true; count]);
    consumer.tell(ToProvider::Countersign { countersignature, voucher: None }).await;
    let ended = consumer.hear(|message| matches!(message, ToConsumer::Ended { .. })).await;
    assert!(matches!(ended, ToConsumer::Ended { misfit: Misfit::Unfunded, .. }), "{ended:?}");
    // It gets no more work done; what was delivered is claimed, and paid since nobody objects.
    let name = id_of(consumer.agreement.hash(), &AccountId::of_node(consumer.key.id()), 0);
    until(|| async { sky.ledger.read(&[Key::Claim(name)]).entries[0].is_some() }).await;
    tokio::time::sleep(Duration::from_secs(130)).await;
    sky.ledger.pass();
    let accepted = count as u64 * COST;
    until(|| async { balance(&sky, sky.id(1)) == accepted }).await;
    assert_eq!(balance(&sky, consumer.key.id()), 100 * COST - accepted, "the rest is given back");
}

#[tokio::test(start_paused = true)]
async fn m2_a_consumer_that_vanishes_pays_for_what_was_delivered() {
    let sky = paid_sky(2).await;
    let mut consumer = Consumer::new(&sky, 100 * COST).await;
    let opening = consumer.opening(&sky);
    consumer.fund(&sky, opening).await;
    consumer.assign(3).await;
    let mut delivered = 0;
    while delivered < 3 {
        delivered += consumer.results().await.1;
    }
    consumer.tell(ToProvider::Close { agreement: consumer.agreement }).await;
    let name = id_of(consumer.agreement.hash(), &AccountId::of_node(consumer.key.id()), 0);
    until(|| async { sky.ledger.read(&[Key::Claim(name)]).entries[0].is_some() }).await;
    tokio::time::sleep(Duration::from_secs(130)).await;
    sky.ledger.pass();
    until(|| async { balance(&sky, sky.id(1)) == 3 * COST }).await;
}

#[tokio::test(start_paused = true)]
async fn a_number_that_a_block_takes_meanwhile_is_no_obstacle() {
    let sky = paid_sky(1).await;
    let payee = AccountId::of_node(Keypair::from_seed([77; 32]).id());
    let founder = &sky.nodes[0];
    // Another amount each time: the same transaction twice would be the same one.
    let give = |amount| {
        let amount = Micros::new(amount);
        founder.handle.transact(Action::Transfer { to: payee, amount, memo: Default::default() })
    };
    give(1).await.expect("the founder has enough");
    founder.ledger.number_late(2);
    give(2).await.expect("numbered anew");
    founder.ledger.number_late(u32::MAX);
    assert!(give(3).await.is_err(), "not for ever");
}
