//! What every journal promises.

use crate::journal::{Journal, Record, StoredInvite, StoredJob, TaskRun, Verdict};
use opensky_ledger::tab::{PayeeTab, Tab};
use opensky_types::{
    Hash, JobId, Micros, TaskId, Timestamp,
    job::{JobNote, JobState},
    membership::{Invite, InvitePolicy},
    reason::Reason,
    receipt::ReceiptStanding,
    samples,
    task::{Content, Failure, Outcome},
};

/// Runs the suite. `open` opens one and the same journal each time, after the one before was
/// dropped; it starts empty.
pub fn journal<J: Journal>(mut open: impl FnMut() -> J) {
    an_empty_journal_answers(&open());
    jobs_are_kept(&mut open);
    jobs_are_listed_newest_first(&mut open);
    runs_and_notes_keep_their_order(&mut open);
    a_removed_job_is_forgotten(&mut open);
    receipts_prove_themselves(&mut open);
    agreements_are_held_until_they_end(&mut open);
    tabs_are_kept_until_they_are_settled(&mut open);
    invites_count_their_uses(&mut open);
    members_are_known_by_their_last_word(&mut open);
    settings_keep_their_last_value(&mut open);
    one_commit_may_hold_everything(&mut open);
    unsynced_facts_are_readable_and_kept_by_the_next_commit(&mut open);
}

fn job_number(number: u8) -> JobId {
    JobId::from_bytes([number; 10])
}

fn at(seconds: u64) -> Timestamp {
    samples::NOW.plus_ms(seconds * 1_000)
}

fn submitted(number: u8, seconds: u64) -> Record {
    Record::JobSubmitted { job: job_number(number), spec: samples::full_job(), at: at(seconds) }
}

fn run(index: u32, attempt: u32, outcome: Outcome, verdict: Verdict) -> TaskRun {
    TaskRun {
        task: TaskId { stage: 1, index },
        attempt,
        node: samples::node(3),
        outcome,
        usage: samples::usage(),
        receipt: (attempt == 0).then(|| samples::receipt(index).id()),
        verdict,
        price: Micros::new(7),
    }
}

fn runs_of(journal: &impl Journal, job: JobId) -> Vec<TaskRun> {
    let mut runs = Vec::new();
    journal.runs(job, &mut |run| runs.push(run)).unwrap();
    runs
}

fn an_empty_journal_answers(journal: &impl Journal) {
    let job = job_number(1);
    assert!(journal.jobs(None, 10).unwrap().is_empty());
    assert!(journal.job(job).unwrap().is_none());
    assert!(runs_of(journal, job).is_empty());
    assert!(journal.notes(job).unwrap().is_empty());
    assert!(journal.receipt(Hash::of(b"none")).unwrap().is_none());
    assert!(journal.agreements().unwrap().is_empty());
    assert!(journal.tabs().unwrap().is_empty());
    assert!(journal.invites().unwrap().is_empty());
    assert!(journal.members().unwrap().is_empty());
    assert!(journal.setting("none").unwrap().is_none());
    journal.commit(&[]).expect("nothing to keep is no error");
}

fn jobs_are_kept<J: Journal>(open: &mut impl FnMut() -> J) {
    let job = job_number(1);
    open().commit(&[submitted(1, 0)]).unwrap();
    let stored = StoredJob {
        job,
        spec: samples::full_job(),
        state: JobState::Waiting,
        submitted_at: at(0),
        changed_at: at(0),
    };
    assert_eq!(open().job(job).unwrap(), Some(stored.clone()), "what was committed survives a restart");
    for (seconds, state) in [(5, JobState::Running), (9, JobState::Succeeded)] {
        open().commit(&[Record::JobChanged { job, state, at: at(seconds) }]).unwrap();
        let changed = StoredJob { state, changed_at: at(seconds), ..stored.clone() };
        assert_eq!(open().job(job).unwrap(), Some(changed));
    }
}

fn jobs_are_listed_newest_first<J: Journal>(open: &mut impl FnMut() -> J) {
    // Not in order of time, and job 1 of the test before is at second 0.
    open().commit(&[submitted(2, 30), submitted(3, 10), submitted(4, 20)]).unwrap();
    let journal = open();
    let listed = |before, limit| -> Vec<u8> {
        journal.jobs(before, limit).unwrap().iter().map(|job| job.job.as_bytes()[0]).collect()
    };
    assert_eq!(listed(None, 10), [2, 4, 3, 1]);
    assert_eq!(listed(None, 2), [2, 4]);
    assert_eq!(listed(Some(at(20)), 10), [3, 1], "'before' itself is left out");
    assert_eq!(listed(Some(at(20)), 1), [3]);
    assert!(listed(None, 0).is_empty());
    assert!(listed(Some(at(0)), 10).is_empty());
}

fn runs_and_notes_keep_their_order<J: Journal>(open: &mut impl FnMut() -> J) {
    let (job, other) = (job_number(2), job_number(3));
    let failed = Outcome::Failed {
        failure: Failure::Trap { message: "unreachable".into() },
        stdout: Content::Inline(b"so far".to_vec()),
        stderr: Content::empty(),
    };
    let batches = [
        vec![
            run(9, 0, failed, Verdict::Failed),
            run(9, 1, samples::outcome("nine"), Verdict::Accepted),
            run(1, 0, samples::outcome("one"), Verdict::Agreed),
        ],
        vec![],
        vec![run(1, 0, samples::outcome("one"), Verdict::Accepted)],
        vec![run(0, 0, samples::outcome("zero"), Verdict::Rejected)],
    ];
    let notes = [Reason::AuditDrawn, Reason::Cancelled, Reason::Done { tasks: 2 }]
        .map(|reason| JobNote { reason, ..samples::job_note() });
    for (position, runs) in batches.iter().enumerate() {
        let records = [
            Record::TasksRun { job, runs: runs.clone() },
            Record::JobNoted { job, notes: notes.get(position).cloned().into_iter().collect() },
        ];
        open().commit(&records).unwrap();
    }
    open()
        .commit(&[Record::TasksRun {
            job: other,
            runs: vec![run(5, 0, samples::outcome("other"), Verdict::Accepted)],
        }])
        .unwrap();
    let journal = open();
    assert_eq!(runs_of(&journal, job), batches.concat(), "runs come back in the order they were judged");
    assert_eq!(runs_of(&journal, other).len(), 1, "jobs keep apart");
    assert_eq!(journal.notes(job).unwrap(), notes);
    assert!(journal.notes(other).unwrap().is_empty());
}

fn a_removed_job_is_forgotten<J: Journal>(open: &mut impl FnMut() -> J) {
    let (removed, kept) = (job_number(2), job_number(3));
    open().commit(&[Record::JobRemoved { job: removed }]).unwrap();
    let journal = open();
    assert!(journal.job(removed).unwrap().is_none());
    assert!(runs_of(&journal, removed).is_empty());
    assert!(journal.notes(removed).unwrap().is_empty());
    assert_eq!(journal.jobs(None, 10).unwrap().len(), 3);
    assert_eq!(runs_of(&journal, kept).len(), 1, "other jobs stay whole");
    journal.commit(&[Record::JobRemoved { job: removed }]).expect("removing twice is no error");
}

fn receipts_prove_themselves<J: Journal>(open: &mut impl FnMut() -> J) {
    let batch = samples::receipt_batch(5);
    let root = batch.root();
    open().commit(&[Record::ReceiptsSigned { batch: batch.clone() }]).unwrap();
    let journal = open();
    for (index, receipt) in batch.receipts().iter().enumerate() {
        let proof = journal.receipt(receipt.id()).unwrap().expect("each receipt of a batch is found");
        assert_eq!((&proof.receipt, proof.index, &proof.head), (receipt, index as u32, batch.head()));
        assert_eq!(proof.verify(), Ok(ReceiptStanding::Claimed));
    }
    drop(journal);

    let countersignature = samples::countersignature(root, 5, &[0, 4]);
    open().commit(&[Record::ReceiptsCountersigned { countersignature, root }]).unwrap();
    let journal = open();
    for (index, receipt) in batch.receipts().iter().enumerate() {
        let standing =
            if [0, 4].contains(&index) { ReceiptStanding::Accepted } else { ReceiptStanding::Rejected };
        assert_eq!(journal.receipt(receipt.id()).unwrap().unwrap().verify(), Ok(standing));
    }
    assert!(journal.receipt(samples::receipt(99).id()).unwrap().is_none());
}

fn agreements_are_held_until_they_end<J: Journal>(open: &mut impl FnMut() -> J) {
    let (agreement, terms) = (samples::agreement_id(), samples::signed_terms());
    open().commit(&[Record::AgreementHeld { agreement, terms: terms.clone() }]).unwrap();
    assert_eq!(open().agreements().unwrap(), [(agreement, terms)]);
    open().commit(&[Record::AgreementEnded { agreement }]).unwrap();
    assert!(open().agreements().unwrap().is_empty());
    open().commit(&[Record::AgreementEnded { agreement }]).expect("ending twice is no error");
}

fn tabs_are_kept_until_they_are_settled<J: Journal>(open: &mut impl FnMut() -> J) {
    let agreement = samples::agreement_id();
    let mut tab = PayeeTab::new(samples::node(2), agreement, at(0));
    open().commit(&[Record::TabKept { agreement, tab: Tab::Payee(tab.clone()) }]).unwrap();
    tab.end(at(1));
    let ended = Tab::Payee(tab);
    open().commit(&[Record::TabKept { agreement, tab: ended.clone() }]).unwrap();
    assert_eq!(open().tabs().unwrap(), [(agreement, ended)], "the last word counts");
    open().commit(&[Record::TabSettled { agreement }]).unwrap();
    assert!(open().tabs().unwrap().is_empty());
    open().commit(&[Record::TabSettled { agreement }]).expect("settling twice is no error");
}

fn invites_count_their_uses<J: Journal>(open: &mut impl FnMut() -> J) {
    let invites = [99, 5].map(|nonce| Invite { nonce, ..samples::invite() });
    for invite in &invites {
        open().commit(&[Record::InviteIssued { invite: invite.clone() }]).unwrap();
    }
    let users = [samples::node(9), samples::node(4), samples::node(7)];
    for (seconds, node) in (0..).zip(users) {
        open().commit(&[Record::InviteUsed { nonce: 99, node, at: at(seconds) }]).unwrap();
    }
    let mut stored = open().invites().unwrap();
    stored.sort_by_key(|stored| stored.invite.nonce);
    let [one, other] = invites;
    let expected = [
        StoredInvite { invite: other, used_by: Vec::new() },
        StoredInvite { invite: one, used_by: users.to_vec() },
    ];
    assert_eq!(stored, expected, "uses are listed oldest first");
}

fn members_are_known_by_their_last_word<J: Journal>(open: &mut impl FnMut() -> J) {
    let genesis = samples::genesis(InvitePolicy::Members);
    for address in ["/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/tcp/2"] {
        let node = samples::node(4);
        let chain = samples::membership(&genesis, node);
        open().commit(&[Record::MemberKnown { node, chain, addresses: vec![address.into()] }]).unwrap();
    }
    let members = open().members().unwrap();
    let [(node, chain, addresses)] = members.as_slice() else { panic!("one member, not {members:?}") };
    assert_eq!((*node, addresses.as_slice()), (samples::node(4), &["/ip4/192.0.2.1/tcp/2".to_owned()][..]));
    chain.verify(&genesis, *node).expect("a chain comes back whole");
}

fn settings_keep_their_last_value<J: Journal>(open: &mut impl FnMut() -> J) {
    let setting = |name: &str, value: &[u8]| Record::Setting { name: name.into(), value: value.into() };
    open().commit(&[setting("sequence", b"1"), setting("limits", b""), setting("sequence", b"2")]).unwrap();
    let journal = open();
    assert_eq!(journal.setting("sequence").unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(journal.setting("limits").unwrap().as_deref(), Some(&b""[..]), "an empty value is a value");
    assert!(journal.setting("sequenc").unwrap().is_none());
}

fn one_commit_may_hold_everything<J: Journal>(open: &mut impl FnMut() -> J) {
    let job = job_number(50);
    let runs: Vec<TaskRun> =
        (0..2_000).map(|index| run(index, 0, samples::outcome("x"), Verdict::Accepted)).collect();
    let records = [
        submitted(50, 50),
        Record::JobChanged { job, state: JobState::Running, at: at(51) },
        Record::TasksRun { job, runs: runs.clone() },
        Record::JobNoted { job, notes: vec![samples::job_note()] },
        Record::JobChanged { job, state: JobState::Succeeded, at: at(52) },
        Record::Setting { name: "mark".into(), value: vec![50] },
    ];
    open().commit(&records).unwrap();
    let journal = open();
    assert_eq!(journal.job(job).unwrap().unwrap().state, JobState::Succeeded, "records count in order");
    assert_eq!(runs_of(&journal, job), runs);
    assert_eq!(journal.setting("mark").unwrap(), Some(vec![50]));
    let removed_and_back = [Record::JobRemoved { job }, submitted(50, 60)];
    journal.commit(&removed_and_back).unwrap();
    assert_eq!(journal.job(job).unwrap().unwrap().submitted_at, at(60));
    assert!(runs_of(&journal, job).is_empty(), "a job that comes again starts anew");
}

fn unsynced_facts_are_readable_and_kept_by_the_next_commit<J: Journal>(open: &mut impl FnMut() -> J) {
    let setting = |value: u8| Record::Setting { name: "unsynced".into(), value: vec![value] };
    let journal = open();
    let read = |journal: &J| journal.setting("unsynced").unwrap();
    journal.commit_unsynced(&[setting(1)]).unwrap();
    assert_eq!(read(&journal), Some(vec![1]), "readable at once");
    journal.commit_unsynced(&[setting(2), setting(3)]).unwrap();
    journal.commit(&[]).expect("an empty commit puts on disk what came before");
    assert_eq!(read(&journal), Some(vec![3]));
    drop(journal);
    let journal = open();
    assert_eq!(read(&journal), Some(vec![3]), "and it survives a restart");
    journal.commit_unsynced(&[setting(4)]).unwrap();
    journal.commit(&[setting(5)]).unwrap();
    assert_eq!(read(&journal), Some(vec![5]), "facts keep their order");
}
