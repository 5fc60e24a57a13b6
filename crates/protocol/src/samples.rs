//! Every message once, by name, for golden files, fuzzing and tests of other crates (feature
//! `testing`). A new variant gets a line here; the golden test notices where it is missing.

use crate::{
    knock::{Knock, KnockReply, Refusal},
    ledger::{Ask, BlockNews, CheckpointWord, Reply},
    query::{Query, QueryReply},
    service::{LogPiece, PlacedReport, ServiceAsk, ServiceReply},
    transfer::{Fetch, FetchReply},
    work::{Commitment, EngineUsed, ToConsumer, ToProvider},
};
use opensky_ledger::{escrow::PayItem, tab::Voucher};
use opensky_types::{
    AccountId, Hash, Micros, Signed,
    membership::{InvitePolicy, MembershipChain},
    reason::Misfit,
    resources::Limit,
    samples,
    service::Refusal as ServiceRefusal,
    task::{self, Content, Failure, Outcome, TaskReport},
};

/// Messages with a name for each.
pub type Named<M> = Vec<(&'static str, M)>;

fn chain() -> MembershipChain {
    samples::membership(&samples::genesis(InvitePolicy::Members), samples::node(3))
}

/// Every [`Knock`].
pub fn knocks() -> Named<Knock> {
    let genesis = samples::genesis(InvitePolicy::Members);
    vec![
        ("member", Knock::Member { sky: genesis.sky(), chain: chain() }),
        ("invited", Knock::Invited { invite: Signed::sign(&samples::invite(), &samples::founder()) }),
        ("local", Knock::Local),
    ]
}

/// Every [`KnockReply`].
pub fn knock_replies() -> Named<KnockReply> {
    let genesis = samples::genesis(InvitePolicy::Members);
    let refused = |refusal| KnockReply::Refused { refusal };
    vec![
        ("welcome", KnockReply::Welcome { chain: chain() }),
        ("joined", KnockReply::Joined { genesis, chain: chain(), issuer_chain: MembershipChain::default() }),
        ("refused_not_member", refused(Refusal::NotMember)),
        ("refused_invite_invalid", refused(Refusal::InviteInvalid)),
        ("refused_invite_expired", refused(Refusal::InviteExpired)),
        ("refused_invite_used_up", refused(Refusal::InviteUsedUp)),
        ("refused_may_not_invite", refused(Refusal::MayNotInvite)),
        ("refused_door_closed", refused(Refusal::DoorClosed)),
    ]
}

/// Every [`Ask`].
pub fn asks() -> Named<Ask> {
    vec![
        ("blocks", Ask::Blocks { from: 7 }),
        ("snapshot", Ask::Snapshot { epoch: 2 }),
        ("chunk", Ask::Chunk { height: 1_000, index: 3 }),
        ("addresses", Ask::Addresses),
        ("approve", Ask::Approve { transaction: b"a transaction".to_vec() }),
        ("submit", Ask::Submit { transaction: b"a transaction".to_vec() }),
        ("checkpoint", Ask::Checkpoint { epoch: 2 }),
        ("testify", Ask::Testify { transaction: b"a transaction".to_vec(), evidence: b"receipts".to_vec() }),
    ]
}

/// Every [`Reply`].
pub fn replies() -> Named<Reply> {
    let addresses = vec![(samples::node(1), "192.0.2.1:4711".to_owned())];
    vec![
        ("blocks", Reply::Blocks { blocks: vec![b"a block".to_vec()], head: 9 }),
        ("snapshot", Reply::Snapshot { offer: Some(b"an offer".to_vec()) }),
        ("snapshot_none", Reply::Snapshot { offer: None }),
        ("chunk", Reply::Chunk { bytes: Some(b"a chunk".to_vec()) }),
        ("addresses", Reply::Addresses { addresses }),
        ("approved", Reply::Approved { approval: Some(b"an approval".to_vec()) }),
        ("submitted", Reply::Submitted { problem: None }),
        ("submitted_not", Reply::Submitted { problem: Some("no room".to_owned()) }),
        ("checkpoint", Reply::Checkpoint { signatures: vec![(samples::node(1), [7; 65])] }),
    ]
}

/// A [`BlockNews`] with its block and one without.
pub fn block_news() -> Named<BlockNews> {
    let news = |sealed| BlockNews { height: 7, block: Hash::of(b"a block"), sealed };
    vec![("small", news(Some(b"a block".to_vec()))), ("large", news(None))]
}

/// A [`CheckpointWord`].
pub fn checkpoint_words() -> Named<CheckpointWord> {
    vec![("word", CheckpointWord { epoch: 2, node: samples::node(1), signature: [7; 65] })]
}

/// Every [`Query`].
pub fn queries() -> Named<Query> {
    vec![("offers", Query::Offers { limit: 512 }), ("own_offer", Query::OwnOffer)]
}

/// Every [`QueryReply`].
pub fn query_replies() -> Named<QueryReply> {
    let offer = |number| Signed::sign(&samples::offer(number), &samples::keypair(number));
    vec![
        ("offers", QueryReply::Offers { offers: vec![offer(3), offer(4)] }),
        ("no_offers", QueryReply::Offers { offers: Vec::new() }),
    ]
}

/// Every [`ServiceAsk`].
pub fn service_asks() -> Named<ServiceAsk> {
    let (declared, placement, replica) =
        (samples::declared(), samples::signed_placement(), samples::replica());
    let service = replica.service;
    vec![
        ("keep", ServiceAsk::Keep { declared: declared.clone() }),
        ("keeping", ServiceAsk::Keeping { service, revision: 1 }),
        (
            "place",
            ServiceAsk::Place { declared, placement: placement.clone(), saved: Some(samples::saved()) },
        ),
        ("withdraw", ServiceAsk::Withdraw { replica }),
        (
            "report",
            ServiceAsk::Report { service, renewed: vec![placement], held: vec![(0, samples::saved().id)] },
        ),
        ("log", ServiceAsk::Log { replica, follow: true }),
        ("dial", ServiceAsk::Dial { replica, port: 80 }),
        ("adverts", ServiceAsk::Adverts),
    ]
}

/// Every [`ServiceReply`], with every refusal.
pub fn service_replies() -> Named<ServiceReply> {
    let placed = PlacedReport { report: samples::replica_report(), placement: samples::signed_placement() };
    let refused = |refusal| ServiceReply::Refused { refusal };
    vec![
        ("done", ServiceReply::Done),
        ("refused_unsound", refused(ServiceRefusal::Unsound)),
        ("refused_not_allowed", refused(ServiceRefusal::NotAllowed)),
        ("refused_unknown", refused(ServiceRefusal::Unknown)),
        ("refused_outdated", refused(ServiceRefusal::Outdated)),
        ("refused_full", refused(ServiceRefusal::Full)),
        ("refused_closed", refused(ServiceRefusal::Closed)),
        ("refused_level", refused(ServiceRefusal::Level)),
        ("refused_price", refused(ServiceRefusal::Price)),
        ("refused_not_answering", refused(ServiceRefusal::NotAnswering)),
        ("refused_no_such_port", refused(ServiceRefusal::NoSuchPort)),
        ("refused_disk", refused(ServiceRefusal::Disk)),
        ("refused_no_reader", refused(ServiceRefusal::NoReader)),
        (
            "keeping",
            ServiceReply::Keeping {
                revision: 2,
                is_acting: true,
                given_up: 1,
                saved: vec![(0, samples::saved())],
            },
        ),
        ("reports", ServiceReply::Reports { reports: vec![placed] }),
        ("opened", ServiceReply::Opened),
        (
            "adverts",
            ServiceReply::Adverts { adverts: vec![Signed::sign(&samples::advert(), &samples::provider())] },
        ),
    ]
}

/// A [`LogPiece`].
pub fn log_pieces() -> Named<LogPiece> {
    vec![("piece", LogPiece { is_stderr: true, bytes: b"a line\n".to_vec() })]
}

/// Every [`Fetch`].
pub fn fetches() -> Named<Fetch> {
    vec![("fetch", Fetch { hash: Hash::of(b"a blob"), from_chunk: 5 })]
}

/// Every [`FetchReply`].
pub fn fetch_replies() -> Named<FetchReply> {
    vec![
        ("found_small", FetchReply::Found { size_bytes: 6, subtrees: Vec::new() }),
        ("found_large", FetchReply::Found { size_bytes: 2_000_000, subtrees: vec![[1; 32], [2; 32]] }),
        ("missing", FetchReply::Missing),
    ]
}

/// Every [`ToProvider`].
pub fn to_provider() -> Named<ToProvider> {
    let agreement = samples::agreement_id();
    let tasks = vec![samples::task_id(0), samples::task_id(1)];
    let (head, _) = samples::receipts(2);
    let root = head.verify().expect("the sample is signed").root;
    vec![
        ("propose", ToProvider::Propose { terms: samples::signed_terms() }),
        (
            "assign",
            ToProvider::Assign { agreement, tasks: vec![samples::assignment(0), samples::assignment(1)] },
        ),
        ("reveal", ToProvider::Reveal { agreement, tasks: tasks.clone() }),
        ("cancel", ToProvider::Cancel { agreement, tasks }),
        ("close", ToProvider::Close { agreement }),
        ("resume", ToProvider::Resume { agreement }),
        (
            "countersign",
            ToProvider::Countersign {
                countersignature: samples::countersignature(root, 2, &[1]),
                voucher: None,
            },
        ),
        (
            "countersign_paid",
            ToProvider::Countersign {
                countersignature: samples::countersignature(root, 2, &[1]),
                voucher: Some(voucher()),
            },
        ),
        ("follow", ToProvider::Follow { agreement, task: samples::task_id(0), on: true }),
        ("heartbeat", ToProvider::Heartbeat),
        ("fund", ToProvider::Fund { agreement, nonce: 3, voucher: None }),
        ("fund_again", ToProvider::Fund { agreement, nonce: 3, voucher: Some(voucher()) }),
    ]
}

fn voucher() -> Voucher {
    let (agreement, cumulative) = (samples::agreement_id(), Micros::new(1_250));
    let owed = PayItem { agreement, cumulative, receipts: Hash::of(b"receipts") };
    let payee = AccountId::of_node(samples::provider().id());
    Voucher::sign(Hash::of(b"sky"), &samples::consumer(), payee, owed)
}

/// Every [`ToConsumer`], and results with every [`Failure`].
pub fn to_consumer() -> Named<ToConsumer> {
    let agreement = samples::agreement_id();
    let (head, _) = samples::receipts(2);
    let engine = EngineUsed { name: "sample 1.0.0".into(), config: Hash::of(b"engine configuration") };
    let hash = task::commitment(&samples::node(3), samples::task_id(0), &Hash::of(b"out"), &[9; 16]);
    let commitments = vec![Commitment { task: samples::task_id(0), attempt: 0, hash }];
    vec![
        (
            "accept",
            ToConsumer::Accept { acceptance: Signed::sign(&samples::acceptance(), &samples::provider()) },
        ),
        ("refuse", ToConsumer::Refuse { agreement, misfit: Misfit::TaskLimit(Limit::Memory) }),
        ("committed", ToConsumer::Committed { agreement, commitments }),
        (
            "results",
            ToConsumer::Results {
                agreement,
                engine: engine.clone(),
                reports: vec![samples::report(0), samples::report(1)],
                head: head.clone(),
            },
        ),
        ("results_failed", ToConsumer::Results { agreement, engine, reports: failed_reports(), head }),
        (
            "output",
            ToConsumer::Output {
                agreement,
                task: samples::task_id(0),
                stderr: false,
                bytes: b"hello\n".to_vec(),
            },
        ),
        ("standing", ToConsumer::Standing { agreement, slots: 4, tasks: vec![samples::task_id(1)] }),
        ("ended", ToConsumer::Ended { agreement, misfit: Misfit::Closed }),
        ("heartbeat", ToConsumer::Heartbeat),
        ("funds_low", ToConsumer::FundsLow { agreement, spent: Micros::new(500) }),
    ]
}

fn failed_reports() -> Vec<TaskReport> {
    let message = || "why".to_owned();
    let failures = [
        Failure::Limit { limit: Limit::Fuel },
        Failure::Trap { message: message() },
        Failure::InvalidProgram { message: message() },
        Failure::InputUnavailable { hash: Hash::of(b"in"), message: message() },
        Failure::WorkerLost { message: message() },
        Failure::Cancelled,
        Failure::ProviderStopped { message: message() },
        Failure::ProviderLost,
        Failure::ExitCode { code: -1 },
        Failure::Unchecked { message: "not right".into() },
    ];
    let report = |(index, failure)| TaskReport {
        outcome: Outcome::Failed {
            failure,
            stdout: Content::Inline(b"so far".to_vec()),
            stderr: Content::empty(),
        },
        ..samples::report(index)
    };
    (0..).zip(failures).map(report).collect()
}
