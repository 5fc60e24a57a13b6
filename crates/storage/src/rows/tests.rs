use super::*;
use opensky_ledger::{
    escrow::Opening,
    tab::{PayeeTab, PayerTab, Tab},
};
use opensky_ports::journal::{TaskRun, Verdict};
use opensky_types::{
    AccountId, Hash, Micros, PublicKey, TaskId,
    job::{JobNote, JobState},
    membership::InvitePolicy,
    reason::{Misfit, MisfitCounts, Reason},
    samples,
    task::{Content, Failure, Outcome},
};
use proptest::prelude::*;

fn run(outcome: Outcome, verdict: Verdict) -> TaskRun {
    TaskRun {
        task: TaskId { stage: 1, index: 2 },
        attempt: 3,
        node: samples::node(4),
        outcome,
        usage: samples::usage(),
        receipt: Some(Hash::of(b"receipt")),
        verdict,
        price: Micros::new(7),
    }
}

fn runs() -> Vec<TaskRun> {
    let failure = Failure::Trap { message: "unreachable".into() };
    let failed =
        Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::Blob(samples::blob()) };
    vec![
        run(samples::outcome("out"), Verdict::Accepted),
        run(samples::outcome("out"), Verdict::Agreed),
        run(failed, Verdict::Failed),
        run(samples::outcome("lie"), Verdict::Rejected),
    ]
}

fn notes() -> Vec<JobNote> {
    let counts = MisfitCounts { offers: 3, fitting: 1, excluded: vec![(Misfit::Region, 2)] };
    let reasons = [
        Reason::Waiting { stage: 1, counts },
        Reason::Retried { attempt: 1, node: samples::node(2), failure: Failure::ProviderLost },
        Reason::Done { tasks: 4 },
    ];
    reasons.map(|reason| JobNote { reason, ..samples::job_note() }).into()
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
    let mut tab = PayerTab::new((samples::job_id(), samples::provider().id()), &opening, &consumer, 3);
    tab.accept(Hash::of(b"sky"), &samples::consumer(), Hash::of(b"batch"), Micros::new(250));
    Tab::Payer(tab)
}

fn payee_tab() -> Tab {
    let mut tab = PayeeTab::new(samples::consumer().id(), samples::agreement_id(), samples::NOW);
    tab.end(samples::NOW.plus_ms(1));
    Tab::Payee(tab)
}

/// Every kind of row, sealed for the key `key`.
fn all_rows() -> Vec<(&'static str, Vec<u8>)> {
    let key = b"key";
    let head =
        HeadRow { submitted_at: samples::NOW, changed_at: samples::NOW.plus_ms(1), state: JobState::Failed };
    let (batch_head, receipts) = samples::receipts(3);
    let ids: Vec<_> = receipts.iter().map(|receipt| receipt.id()).collect();
    let root = batch_head.decode_unverified().unwrap().root;
    let chain = samples::membership(&samples::genesis(InvitePolicy::Members), samples::node(2));
    let addresses = vec!["/ip4/192.0.2.1/tcp/1".to_owned()];
    let snapshot = KeptSnapshotRow { height: 7, chunks: 2, head: &b"head"[..], manifest: &b"manifest"[..] };
    vec![
        ("job head", seal(HeadRow::VERSION, key, &head)),
        ("job spec", seal(SpecRow::VERSION, key, &SpecRow { spec: samples::full_job() })),
        ("ruled job spec", seal(SpecRow::VERSION, key, &SpecRow { spec: samples::ruled_job() })),
        ("runs", seal(RunsRow::VERSION, key, &runs_payload(&runs()))),
        ("notes", seal(NotesRow::VERSION, key, &NotesRow { notes: notes() })),
        ("receipt ids", seal(IdsRow::VERSION, key, &IdsRow::of(root, &ids))),
        ("receipt batch", seal(BatchRow::VERSION, key, &BatchRow { head: batch_head, receipts })),
        ("countersignature", seal(PLAIN_VERSION, key, &samples::countersignature(root, 3, &[1]))),
        ("agreement", seal(PLAIN_VERSION, key, &samples::signed_terms())),
        ("tab of a payer", seal(PLAIN_VERSION, key, &payer_tab())),
        ("tab of a payee", seal(PLAIN_VERSION, key, &payee_tab())),
        ("invite", seal(InviteRow::VERSION, key, &InviteRow { invite: samples::invite() })),
        (
            "invite use",
            seal(InviteUseRow::VERSION, key, &InviteUseRow { node: samples::node(1), at: samples::NOW }),
        ),
        ("member", seal(MemberRow::VERSION, key, &MemberRow { chain, addresses })),
        ("span of blocks", seal(SpanRow::VERSION, key, &SpanRow { first: 3, next: 9 })),
        ("snapshot", seal(KeptSnapshotRow::VERSION, key, &snapshot)),
        ("block", seal(PLAIN_VERSION, key, &b"block".as_slice())),
        ("setting", seal(PLAIN_VERSION, key, &b"value".to_vec())),
    ]
}

/// A failure here means that old journals could no longer be read. Give the row its next version, a
/// migration and a new line; never change the line alone.
#[test]
fn rows_are_written_as_ever() {
    let found: String = all_rows()
        .iter()
        .map(|(name, row)| format!("{name}: version {}, {} bytes, {}\n", row[0], row.len(), Hash::of(row)))
        .collect();
    assert_eq!(found, include_str!("golden.txt"));
}

#[test]
fn runs_come_back_as_they_were() {
    let row = seal(RunsRow::VERSION, b"key", &runs_payload(&runs()));
    let back: RunsRow = unseal("run", RunsRow::VERSION, b"key", &row).unwrap();
    let back: Vec<TaskRun> = back.runs.into_iter().map(|run| run.try_into().unwrap()).collect();
    assert_eq!(back, runs());
}

#[test]
fn the_ledgers_rows_come_back_as_they_were() {
    let snapshot =
        KeptSnapshotRow { height: 7, chunks: 2, head: b"head".to_vec(), manifest: b"manifest".to_vec() };
    let row = seal(KeptSnapshotRow::VERSION, b"key", &snapshot);
    assert_eq!(
        unseal::<KeptSnapshotRow>("snapshot", KeptSnapshotRow::VERSION, b"key", &row).unwrap(),
        snapshot
    );
    let span = SpanRow { first: 3, next: 9 };
    let row = seal(SpanRow::VERSION, b"key", &span);
    assert_eq!(unseal::<SpanRow>("span", SpanRow::VERSION, b"key", &row).unwrap(), span);
    assert_eq!((span.oldest(), span.newest()), (Some(3), Some(8)));
    assert_eq!((SpanRow::above(7).oldest(), SpanRow::above(7).newest()), (None, None));
}

#[test]
fn f5_every_flipped_bit_and_every_cut_is_found() {
    let row = seal(PLAIN_VERSION, b"key", &b"some value".to_vec());
    let open = |version, key: &[u8], row: &[u8]| unseal::<Vec<u8>>("setting", version, key, row).is_ok();
    assert!(open(PLAIN_VERSION, b"key", &row));
    for bit in 0..row.len() * 8 {
        let mut bad = row.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(!open(PLAIN_VERSION, b"key", &bad), "bit {bit}");
    }
    for length in 0..row.len() {
        assert!(!open(PLAIN_VERSION, b"key", &row[..length]), "cut to {length} bytes");
    }
    assert!(!open(PLAIN_VERSION, b"other key", &row), "a row under another key");
    assert!(!open(PLAIN_VERSION + 1, b"key", &row), "a row of another version");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(unseal::<RunsRow>("run", RunsRow::VERSION, b"key", &bytes).is_err());
        // Past the check, too: a row that was damaged before it was sealed.
        let sealed = [&[RunsRow::VERSION][..], &check(RunsRow::VERSION, b"key", &bytes), &bytes].concat();
        let _ = unseal::<RunsRow>("run", RunsRow::VERSION, b"key", &sealed);
        let sealed = [&[1][..], &check(1, b"key", &bytes), &bytes].concat();
        let _ = unseal::<NotesRow>("note", 1, b"key", &sealed);
        let _ = unseal::<BatchRow>("receipt batch", 1, b"key", &sealed);
        let _ = unseal::<SpanRow>("span of blocks", 1, b"key", &sealed);
        let _ = unseal::<KeptSnapshotRow>("snapshot", 1, b"key", &sealed);
    }
}
