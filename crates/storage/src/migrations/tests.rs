use super::*;
use crate::{OpenError, RedbJournal, journal::JOURNAL_FILE, rows::HeadRow};
use opensky_ports::{
    Journal, Record,
    journal::{TaskRun, Verdict},
};
use opensky_types::{
    TaskId, Timestamp,
    job::JobState,
    receipt::ReceiptStanding,
    samples,
    task::{Content, Failure, Outcome},
};
use std::path::Path;

/// A journal as format 1 wrote it, made once by `write_v1` and never changed since.
const FIXTURE: &[u8] = include_bytes!("../../tests/fixtures/journal-v1.redb");

fn failed() -> Outcome {
    let failure = Failure::Trap { message: "unreachable".into() };
    Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::empty() }
}

/// Writes what the program wrote when its format was 1: runs without verdicts, receipts without an
/// index of their ids.
fn write_v1(path: &Path) {
    let mut database = redb::Builder::new().create(path).unwrap();
    let writer = database.begin_write().unwrap();
    tables::open_all(&writer).unwrap();
    writer.delete_table(tables::BATCH_IDS).unwrap();
    {
        let job = *samples::job_id().as_bytes();
        let head = HeadRow { submitted_at: samples::NOW, changed_at: samples::NOW, state: JobState::Running };
        let head = seal(HeadRow::VERSION, &job, &head);
        writer.open_table(tables::HEADS).unwrap().insert(job, head.as_slice()).unwrap();
        let SpecRowV2 { name, stages, wait_ms, deadline_ms, seed, durable, .. } = samples::full_job().into();
        let spec = seal(1, &job, &SpecRowV1 { name, stages, wait_ms, deadline_ms, seed, durable });
        writer.open_table(tables::SPECS).unwrap().insert(job, spec.as_slice()).unwrap();
        writer.open_table(tables::BY_TIME).unwrap().insert((samples::NOW.as_millis(), job), ()).unwrap();
        for (sequence, outcome) in [samples::outcome("out"), failed()].into_iter().enumerate() {
            let key = (job, sequence as u64);
            let run = RunRowV1 {
                task: TaskId { stage: 0, index: sequence as u32 },
                attempt: 0,
                node: samples::node(1),
                outcome,
                usage: samples::usage(),
                receipt: Some(samples::receipt(sequence as u32).id()),
            };
            let row = seal(1, &tables::job_row_key_bytes(&key), &RunsRow { runs: vec![run] });
            writer.open_table(tables::RUNS).unwrap().insert(key, row.as_slice()).unwrap();
        }
        let (head, receipts) = samples::receipts(2);
        let root = head.decode_unverified().unwrap().root;
        let batch = seal(BatchRow::VERSION, &0u64.to_be_bytes(), &BatchRow { head, receipts });
        writer.open_table(tables::BATCHES).unwrap().insert(0, batch.as_slice()).unwrap();
        writer.open_table(tables::BATCH_ROOTS).unwrap().insert(root.as_bytes(), 0).unwrap();
        let mut meta = writer.open_table(META).unwrap();
        meta.insert(open::FORMAT, 1).unwrap();
        meta.insert(open::COMMIT_NUMBER, 4).unwrap();
    }
    writer.commit().unwrap();
    database.compact().unwrap();
}

fn check_migrated(folder: &Path) {
    let journal = RedbJournal::open(folder).unwrap();
    let jobs = journal.jobs(None, 10).unwrap();
    assert_eq!((jobs.len(), jobs[0].state), (1, JobState::Running));
    assert_eq!(jobs[0].spec, samples::full_job());
    let mut runs: Vec<TaskRun> = Vec::new();
    journal.runs(samples::job_id(), &mut |run| runs.push(run)).unwrap();
    let verdicts: Vec<Verdict> = runs.iter().map(|run| run.verdict).collect();
    assert_eq!(verdicts, [Verdict::Accepted, Verdict::Failed]);
    assert_eq!((&runs[0].outcome, &runs[1].outcome), (&samples::outcome("out"), &failed()));
    let proof = journal.receipt(runs[1].receipt.unwrap()).unwrap().expect("old receipts are found by id");
    assert_eq!(proof.verify(), Ok(ReceiptStanding::Claimed));
    assert!(journal.jobs(Some(Timestamp::from_millis(0)), 10).unwrap().is_empty());
}

#[test]
fn a_journal_of_format_1_is_migrated_and_its_copy_kept() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(JOURNAL_FILE), FIXTURE).unwrap();
    check_migrated(folder.path());
    check_migrated(folder.path());
    let copy = std::fs::read(folder.path().join("journal.v1.redb")).unwrap();
    let restored = tempfile::tempdir().unwrap();
    std::fs::write(restored.path().join(JOURNAL_FILE), copy).unwrap();
    check_migrated(restored.path());
}

#[test]
fn what_format_1_wrote_is_what_the_fixture_holds() {
    let folder = tempfile::tempdir().unwrap();
    write_v1(&folder.path().join(JOURNAL_FILE));
    check_migrated(folder.path());
}

/// The row of a job as `rows/golden.txt` had it while the format was 3.
const SPEC_ROW_V2: &str = "574fcd4f037e9a5284dba7e03f259d4515eb86d4f8cba8a47c88eefb2cd1397b";

#[test]
fn a_job_of_format_3_is_read_as_it_was_written() {
    let row = |key: &[u8]| seal(2, key, &SpecRowV2::from(samples::full_job()));
    assert_eq!(opensky_types::Hash::of(&row(b"key")).to_string(), SPEC_ROW_V2);
    let folder = tempfile::tempdir().unwrap();
    let job = samples::job_id();
    let journal = RedbJournal::open(folder.path()).unwrap();
    let submitted = Record::JobSubmitted { job, spec: samples::full_job(), at: samples::NOW };
    journal.commit(&[submitted]).unwrap();
    drop(journal);
    let database = Database::open(folder.path().join(JOURNAL_FILE)).unwrap();
    let writer = database.begin_write().unwrap();
    writer.open_table(META).unwrap().insert(open::FORMAT, 3).unwrap();
    let row = row(job.as_bytes());
    writer.open_table(tables::SPECS).unwrap().insert(*job.as_bytes(), row.as_slice()).unwrap();
    writer.commit().unwrap();
    drop(database);
    for _ in 0..2 {
        let journal = RedbJournal::open(folder.path()).unwrap();
        assert_eq!(journal.job(job).unwrap().expect("it is kept").spec, samples::full_job());
    }
    assert!(folder.path().join("journal.v3.redb").exists(), "a copy is kept");
}

#[test]
fn f16_a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(RedbJournal::open(folder.path()).unwrap());
    let path = folder.path().join(JOURNAL_FILE);
    let database = Database::open(&path).unwrap();
    let writer = database.begin_write().unwrap();
    writer.open_table(META).unwrap().insert(open::FORMAT, FORMAT_VERSION + 1).unwrap();
    writer.commit().unwrap();
    drop(database);
    let Err(error) = RedbJournal::open(folder.path()) else { panic!("a newer journal was opened") };
    assert!(matches!(error, OpenError::Newer { found: 5, known: 4, .. }));
    assert!(error.to_string().contains("install the newer opensky"));
    assert!(!folder.path().join("journal.v5.redb").exists());
}

#[test]
fn a_journal_that_is_open_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let _open = RedbJournal::open(folder.path()).unwrap();
    assert!(matches!(RedbJournal::open(folder.path()), Err(OpenError::InUse { .. })));
}
