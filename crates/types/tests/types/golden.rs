//! What is signed, hashed or kept does not change by accident: its bytes stand in `tests/golden/`.
//!
//! A difference means that old signatures, receipts and journals would not be understood any more:
//! raise the value's version, or, before a release, write the files anew with `UPDATE_GOLDEN=1`.

#![expect(clippy::disallowed_methods, reason = "golden files are files")]

use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    Hash, Micros, Signable, Signed,
    agreement::Terms,
    codec,
    job::{CheckDecision, JobNote, JobSpec, LevelReason, StageInputs},
    limits::{ContributionLimits, Hours},
    membership::{InvitePolicy, InviteToken, Membership},
    place::Level,
    reason::{Misfit, MisfitCounts, Reason},
    resources::{Limit, Readings},
    rotation::{Rotation, RotationProof},
    samples,
    task::{self, Failure, Outcome},
};
use std::{fmt::Debug, fs, path::Path};

/// Lines `name hex` in the order of the file.
struct Golden {
    file: &'static str,
    lines: Vec<(String, String)>,
}

impl Golden {
    fn of(file: &'static str) -> Self {
        Self { file, lines: Vec::new() }
    }

    /// A value's encoding, which must also be read back as that value.
    fn value<T: BorshSerialize + BorshDeserialize + PartialEq + Debug>(&mut self, name: &str, value: &T) {
        let bytes = codec::encode(value);
        assert_eq!(codec::decode::<T>(&bytes, bytes.len()).as_ref(), Ok(value), "{name} is read back");
        self.lines.push((name.into(), hex::encode(bytes)));
    }

    /// A signed value: its encoding with signature, and the hash that names it.
    fn signed<T: Signable + PartialEq + Debug>(&mut self, name: &str, value: &T) {
        let signed = Signed::sign(value, &samples::provider());
        assert_eq!(signed.verify().as_ref(), Ok(value), "{name}");
        self.value(name, &signed);
        self.text(&format!("{name}.content_hash"), signed.content_hash());
    }

    fn text(&mut self, name: &str, text: impl ToString) {
        self.lines.push((name.into(), text.to_string()));
    }

    fn check(self) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(self.file);
        let found: String = self.lines.iter().map(|(name, text)| format!("{name} {text}\n")).collect();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, found).expect("the golden folder is writable");
            return;
        }
        let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (expected, found) in golden.lines().zip(found.lines()) {
            assert_eq!(found, expected, "{}", self.file);
        }
        assert_eq!(golden.lines().count(), self.lines.len(), "{} has a line per value", self.file);
    }
}

#[test]
fn signed_values() {
    let mut golden = Golden::of("signed.hex");
    let (head, _) = samples::receipts(3);
    let head = head.verify().expect("the sample is signed");
    golden.signed("terms", &samples::terms());
    golden.signed("acceptance", &samples::acceptance());
    golden.signed("invite", &samples::invite());
    let sky = samples::genesis(InvitePolicy::Members).sky();
    golden.signed("membership", &Membership { sky, node: samples::node(3), given_at: samples::NOW });
    golden.signed("offer", &samples::offer(3));
    let countersignature = samples::countersignature(head.root, 3, &[0, 2]);
    golden.signed("countersignature", &countersignature.verify().expect("the sample is signed"));
    golden.signed("batch_head", &head);
    let rotation = Rotation { old: samples::node(1), new: samples::node(2), rotated_at: samples::NOW };
    golden.signed("rotation", &rotation);
    let proof = RotationProof::sign(&samples::keypair(1), &samples::keypair(2), samples::NOW);
    golden.value("rotation_proof", &proof);
    golden.signed("declaration", &samples::declaration());
    golden.signed("placement", &samples::placement());
    golden.signed("advert", &samples::advert());
    golden.signed("terms.needs", &Terms { program: samples::needy_program(), ..samples::terms() });
    golden.signed("offer.containers", &samples::rich_offer(3));
    golden.check();
}

#[test]
fn hashes_and_ids() {
    let mut golden = Golden::of("hashes.txt");
    golden.text("node", samples::node(3));
    golden.text("job", samples::job_id());
    golden.text("agreement", samples::agreement_id());
    golden.text("sky", samples::genesis(InvitePolicy::Members).sky());
    golden.text("input", samples::task_input(0).hash());
    golden.text("outcome", samples::outcome("out").hash());
    let failed =
        |failure| Outcome::Failed { failure, stdout: task::Content::empty(), stderr: task::Content::empty() };
    golden.text("outcome.limit", failed(Failure::Limit { limit: Limit::Fuel }).hash());
    golden.text("outcome.trap", failed(Failure::Trap { message: "m".into() }).hash());
    golden.text(
        "commitment",
        task::commitment(&samples::node(3), samples::task_id(1), &Hash::of(b"x"), &[5; 16]),
    );
    golden.text("receipt", samples::receipt(0).id());
    for count in [1, 2, 3, 5, 8] {
        let (head, _) = samples::receipts(count);
        golden.text(&format!("merkle.{count}"), head.verify().expect("the sample is signed").root);
    }
    let invite = Signed::sign(&samples::invite(), &samples::founder());
    golden.text("invite_token", InviteToken(invite));
    golden.text("service", samples::declaration().service());
    golden.text("replica", samples::replica());
    golden.text("service_spec", samples::service().hash());
    golden.check();
}

#[test]
fn kept_values() {
    let mut golden = Golden::of("kept.hex");
    golden.value("genesis", &samples::genesis(InvitePolicy::Founder));
    golden.value("job", &samples::job(3));
    golden.value("full_job", &samples::full_job());
    golden.value("ruled_job", &samples::ruled_job());
    for (name, inputs) in [
        ("one", StageInputs::One { stdin: Some(samples::blob()) }),
        ("blobs", StageInputs::Blobs { blobs: vec![samples::blob()], names: vec!["a".into()] }),
        ("each", StageInputs::Each { stage: 1 }),
    ] {
        let mut job: JobSpec = samples::job(1);
        job.stages[0].inputs = inputs;
        golden.value(&format!("inputs.{name}"), &job.stages[0].inputs);
    }
    golden.value("receipt", &samples::receipt(0));
    golden.value("receipt_proof", &samples::receipt_proof(3, 1));
    golden.value("report", &samples::report(0));
    golden.value("service", &samples::service());
    golden.value("declared", &samples::declared());
    golden.value("replica_report", &samples::replica_report());
    golden.value(
        "membership_chain",
        &samples::membership(&samples::genesis(InvitePolicy::Members), samples::node(3)),
    );
    let hours = Some(Hours { from_minute: 1_320, to_minute: 360 });
    golden.value("limits", &ContributionLimits { hours, ..ContributionLimits::default() });
    let readings = Readings {
        cpu_busy_percent: 5,
        memory_available_bytes: 1 << 30,
        disk_free_bytes: 1 << 40,
        temperature_celsius: Some(-5),
        idle_ms: None,
        minute_of_day: 720,
    };
    golden.value("readings", &readings);
    for (position, reason) in reasons().into_iter().enumerate() {
        let note = JobNote { reason, ..samples::job_note() };
        assert_eq!(
            usize::from(codec::encode(&note.reason)[0]),
            position,
            "reasons are in order of their tags"
        );
        golden.value(&format!("note.{position}"), &note);
    }
    golden.check();
}

fn reasons() -> Vec<Reason> {
    let (node, stage, attempt) = (samples::node(3), 1, 2);
    let counts =
        MisfitCounts { offers: 3, fitting: 1, excluded: vec![(Misfit::TaskLimit(Limit::Memory), 2)] };
    let failure = Failure::ExitCode { code: 3 };
    vec![
        Reason::Waiting { stage, counts: counts.clone() },
        Reason::Agreed { stage, node, slots: 4, rank: 1, fitting: 2, score: 900 },
        Reason::Refused { stage, node, misfit: Misfit::Full },
        Reason::Placed { attempt, node },
        Reason::Retried { attempt, node, failure: failure.clone() },
        Reason::Hedged { attempt, node, elapsed_ms: 900, expected_ms: 100 },
        Reason::ProviderLost { node, tasks: 5 },
        Reason::Accepted { agreeing: 2, replicas: 3 },
        Reason::Outvoted { node, agreeing: 2 },
        Reason::Disagreement { replicas: 2, answers: 2 },
        Reason::BrokenCommitment { node },
        Reason::AuditDrawn,
        Reason::Poisoned { nodes: 3, failure: failure.clone() },
        Reason::NoQuorum { agree: 2, replicas: 3 },
        Reason::NobodyFits { stage, waited_ms: 60_000, counts },
        Reason::Deadline { deadline_ms: 5_000 },
        Reason::Cancelled,
        Reason::RetriedByOwner { tasks: 5 },
        Reason::Resumed { accepted: 7 },
        Reason::Done { tasks: 9 },
        Reason::PutAside { stage, node, amount: Micros::new(6_400) },
        Reason::NoMoney { node, available: Micros::new(1), needed: Micros::new(100) },
        Reason::BudgetSpent { budget: Micros::new(500), bound: Micros::new(450) },
        Reason::NotPutAside { node, problem: "why".into() },
        Reason::TriedAgain {
            attempt,
            node,
            failure: failure.clone(),
            count: 1,
            count_max: 3,
            after_ms: 2_000,
        },
        Reason::NotTriedAgain { attempt, node, failure: failure.clone() },
        Reason::StageSkipped { stage, tasks: 4, condition: Some(samples::condition()) },
        Reason::StageRuns { stage },
        Reason::TaskSkipped { condition: None },
        Reason::TaskFailed { node, failure },
        Reason::LevelChosen { stage, level: Level::Container, because: LevelReason::SpecialHardware },
        Reason::Checked { node, other: None, decision: CheckDecision::Failed, message: "why".into() },
    ]
}
