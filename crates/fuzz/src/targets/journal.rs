//! Rows as a disk gives them back: refused, or the only encoding of what they decode to.

use crate::Seeds;
use opensky_ledger::{
    escrow::Opening,
    tab::{PayeeTab, PayerTab, Tab},
};
use opensky_storage::ROW_KINDS;
use opensky_types::{
    AccountId, Hash, Micros, NodeId, PublicKey, TaskId, codec,
    job::JobState,
    membership::InvitePolicy,
    resources::Usage,
    samples,
    task::{Content, Failure, Outcome},
};

/// The first byte says which kind of row the rest is.
pub fn check(bytes: &[u8]) {
    let Some((kind, row)) = bytes.split_first() else { return };
    (ROW_KINDS[usize::from(*kind) % ROW_KINDS.len()].check)(row);
}

/// First inputs: a row of each kind but the oldest specs, made as its fields stand in it.
pub fn seeds() -> Seeds {
    let now = samples::NOW;
    let (head, receipts) = samples::receipts(3);
    let root = Hash::of(b"root");
    let countersignature = samples::countersignature(root, 3, &[1]);
    let chain = samples::membership(&samples::genesis(InvitePolicy::Members), samples::node(2));
    let member = (chain, vec!["/ip4/192.0.2.1/tcp/1".to_owned()]);
    let runs: Vec<(Run, u8, Micros)> = runs().into_iter().map(|run| (run, 1, Micros::new(7))).collect();
    let judged: Vec<(Run, u8)> = self::runs().into_iter().map(|run| (run, 2)).collect();
    let ids: Vec<(u64, u32)> = vec![(3, 1), (5, 0), (5, 2)];
    [
        ("job head", codec::encode(&(now, now.plus_ms(1), JobState::Failed))),
        ("job spec", codec::encode(&samples::ruled_job())),
        ("runs", codec::encode(&runs)),
        ("notes", codec::encode(&vec![samples::job_note()])),
        ("receipt ids", codec::encode(&(root, ids))),
        ("receipt batch", codec::encode(&(head, receipts))),
        ("countersignature", codec::encode(&countersignature)),
        ("agreement", codec::encode(&samples::signed_terms())),
        ("tab", codec::encode(&payer_tab())),
        ("tab", codec::encode(&payee_tab())),
        ("invite", codec::encode(&samples::invite())),
        ("invite use", codec::encode(&(samples::node(1), now))),
        ("member", codec::encode(&member)),
        ("span of blocks", codec::encode(&(3_u64, 9_u64))),
        ("snapshot", codec::encode(&(7_u64, 2_u32, b"head".to_vec(), b"manifest".to_vec()))),
        ("bytes", codec::encode(&b"value".to_vec())),
        ("runs, format 1", codec::encode(&self::runs())),
        ("runs, format 2", codec::encode(&judged)),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, (kind, row))| (format!("{number}_{}", kind.replace([' ', ','], "_")), row_of(kind, &row)))
    .collect()
}

/// A run without what later formats added: task, attempt, node, outcome, usage, receipt.
type Run = (TaskId, u32, NodeId, Outcome, Usage, Option<Hash>);

fn runs() -> Vec<Run> {
    let failure = Failure::Trap { message: "unreachable".into() };
    let failed =
        Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::Blob(samples::blob()) };
    [samples::outcome("out"), failed]
        .map(|outcome| {
            let receipt = Some(Hash::of(b"receipt"));
            (TaskId { stage: 1, index: 2 }, 3, samples::node(4), outcome, samples::usage(), receipt)
        })
        .into()
}

fn payer_tab() -> Tab {
    let opening = Opening {
        terms: *samples::agreement_id().hash(),
        provider: AccountId::of_node(samples::provider().id()),
        voucher_key: PublicKey::of_node(samples::consumer().id()),
        amount: Micros::new(6_400),
        expires_at: samples::NOW.plus_ms(60_000),
        claim_window_ms: 600_000,
    };
    let consumer = AccountId::of_node(samples::consumer().id());
    Tab::Payer(PayerTab::new((samples::job_id(), samples::provider().id()), &opening, &consumer, 3))
}

fn payee_tab() -> Tab {
    Tab::Payee(PayeeTab::new(samples::consumer().id(), samples::agreement_id(), samples::NOW))
}

fn row_of(kind: &str, row: &[u8]) -> Vec<u8> {
    let number = ROW_KINDS.iter().position(|found| found.name == kind).expect("a kind of row");
    assert!((ROW_KINDS[number].check)(row), "what stands here is no {kind} any more");
    [&[number as u8], row].concat()
}
