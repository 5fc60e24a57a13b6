//! Every kind of row in a table, for whoever tries any bytes on all of them (feature `testing`).

use super::{
    BatchRow, HeadRow, IdsRow, InviteRow, InviteUseRow, KeptSnapshotRow, MemberRow, NotesRow, PLAIN_VERSION,
    RunRow, RunRowV1, RunRowV2, RunsRow, SpanRow, SpecRow, SpecRowV1, SpecRowV2, check, runs_payload, seal,
    unseal,
};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ledger::tab::Tab;
use opensky_ports::journal::TaskRun;
use opensky_types::{Signed, agreement::Terms, receipt::Countersignature};

/// Longest batch of which each receipt is proven here: a batch of any size is proven one by one.
const PROVEN_MAX: usize = 4;

/// A kind of row.
#[derive(Debug, Clone, Copy)]
pub struct RowKind {
    /// Its name.
    pub name: &'static str,
    /// Reads bytes as if they had been sealed as a row of this kind, and answers whether they are one. Panics if
    /// they are one and are not its only encoding.
    pub check: fn(&[u8]) -> bool,
}

/// All of them. Those of older formats are read by migrations.
pub const ROW_KINDS: [RowKind; 19] = [
    RowKind { name: "job head", check: |bytes| read::<HeadRow>(HeadRow::VERSION, bytes).is_some() },
    RowKind { name: "job spec", check: |bytes| read::<SpecRow>(SpecRow::VERSION, bytes).is_some() },
    RowKind { name: "runs", check: check_runs },
    RowKind { name: "notes", check: |bytes| read::<NotesRow>(NotesRow::VERSION, bytes).is_some() },
    RowKind { name: "receipt ids", check: check_ids },
    RowKind { name: "receipt batch", check: check_batch },
    RowKind { name: "countersignature", check: is_plain::<Signed<Countersignature>> },
    RowKind { name: "agreement", check: is_plain::<Signed<Terms>> },
    RowKind { name: "tab", check: is_plain::<Tab> },
    RowKind { name: "invite", check: |bytes| read::<InviteRow>(InviteRow::VERSION, bytes).is_some() },
    RowKind {
        name: "invite use",
        check: |bytes| read::<InviteUseRow>(InviteUseRow::VERSION, bytes).is_some(),
    },
    RowKind { name: "member", check: |bytes| read::<MemberRow>(MemberRow::VERSION, bytes).is_some() },
    RowKind { name: "span of blocks", check: |bytes| read::<SpanRow>(SpanRow::VERSION, bytes).is_some() },
    RowKind {
        name: "snapshot",
        check: |bytes| read::<KeptSnapshotRow>(KeptSnapshotRow::VERSION, bytes).is_some(),
    },
    // Blocks, borders, lines of history, chunks and settings: bytes that others read.
    RowKind { name: "bytes", check: is_plain::<Vec<u8>> },
    RowKind {
        name: "runs, format 1",
        check: |bytes| is_old_runs(1, bytes, |run: RunRowV1| RunRowV2::from(run).into()),
    },
    RowKind { name: "runs, format 2", check: |bytes| is_old_runs(2, bytes, |run: RunRowV2| run.into()) },
    RowKind {
        name: "job spec, format 1",
        check: |bytes| is_old_spec(1, bytes, |old: SpecRowV1| SpecRowV2::from(old).into()),
    },
    RowKind { name: "job spec, format 2", check: |bytes| is_old_spec(2, bytes, |old: SpecRowV2| old.into()) },
];

const KEY: &[u8] = b"key";

/// The row that these bytes are, if any, past the check of their hash, which chance does not find.
fn read<T: BorshSerialize + BorshDeserialize>(version: u8, payload: &[u8]) -> Option<T> {
    assert!(unseal::<T>("row", version, KEY, payload).is_err(), "bytes that nobody sealed were accepted");
    let sealed = [&[version][..], &check(version, KEY, payload), payload].concat();
    let row: T = unseal("row", version, KEY, &sealed).ok()?;
    assert!(seal(version, KEY, &row) == sealed, "a second encoding was accepted");
    Some(row)
}

fn is_plain<T: BorshSerialize + BorshDeserialize>(payload: &[u8]) -> bool {
    read::<T>(PLAIN_VERSION, payload).is_some()
}

/// A run whose verdict is none is damage, which is found when it is read as a run.
fn check_runs(payload: &[u8]) -> bool {
    let Some(row) = read::<RunsRow>(RunsRow::VERSION, payload) else { return false };
    let runs: Result<Vec<TaskRun>, _> = row.runs.into_iter().map(TaskRun::try_from).collect();
    let Ok(runs) = runs else { return false };
    let again = seal(RunsRow::VERSION, KEY, &runs_payload(&runs));
    assert!(again[super::HEADER_BYTES..] == *payload, "runs changed on their way");
    true
}

fn check_ids(payload: &[u8]) -> bool {
    let Some(row) = read::<IdsRow>(IdsRow::VERSION, payload) else { return false };
    let count = row.candidates(&row.root).count();
    assert!(count <= row.ids.len());
    true
}

/// Whatever a batch holds, its receipts are proven or it is damage; the proofs are checked by whoever gets them.
fn check_batch(payload: &[u8]) -> bool {
    let Some(row) = read::<BatchRow>(BatchRow::VERSION, payload) else { return false };
    let count = row.receipts.len();
    for index in (0..=count).take(PROVEN_MAX + 1) {
        let row = read::<BatchRow>(BatchRow::VERSION, payload).expect("it was read before");
        let proof = row.prove(index as u32, None);
        assert!(proof.is_ok() == (index < count), "receipt {index} of {count}");
        let _ = proof.map(|proof| proof.verify());
    }
    true
}

fn is_old_runs<R>(version: u8, payload: &[u8], renew: fn(R) -> RunRow) -> bool
where
    R: BorshSerialize + BorshDeserialize,
{
    let Some(old) = read::<RunsRow<Vec<R>>>(version, payload) else { return false };
    let runs: Vec<RunRow> = old.runs.into_iter().map(renew).collect();
    check_runs(&seal(RunsRow::VERSION, KEY, &RunsRow { runs })[super::HEADER_BYTES..]);
    true
}

fn is_old_spec<S>(version: u8, payload: &[u8], renew: fn(S) -> SpecRow) -> bool
where
    S: BorshSerialize + BorshDeserialize,
{
    let Some(old) = read::<S>(version, payload) else { return false };
    let sealed = seal(SpecRow::VERSION, KEY, &renew(old));
    read::<SpecRow>(SpecRow::VERSION, &sealed[super::HEADER_BYTES..]).expect("what migrations write is read");
    true
}
