//! The JSON of every shape, as published. A change here is a change of the API: think of clients
//! that exist. `UPDATE_GOLDEN=1` writes the files anew.

use opensky_api::{
    Code, Problem,
    content::{BlobRef, ContentView},
    doctor::{Check, DoctorReport, Standing},
    event::JobEvent,
    job::{
        CheckView, ConditionView, ConstraintsView, InputsRequest, JobRequest, JobRequestError, ListOf,
        NamedBlob, NeedsView, ProgramRequest, RetryView, StageRequest, TaskLimitsView, TasksMeantView,
        TestView, VerifyView,
    },
    limits::Limits,
    progress::{NoteView, RunView, RunsQuery, StateView, TaskCounts, VerdictView},
    receipt::{ReceiptView, ReceiptViewError, StandingView},
};
use opensky_types::{
    AgreementId, Hash, JobId, Keypair, Micros, Signed, TaskId, Timestamp,
    job::{JobNote, JobSpec, LevelReason, Real},
    limits::ContributionLimits,
    merkle::Tree,
    place::{Level, Region},
    reason::{Misfit, MisfitCounts, Reason},
    receipt::{BatchHead, Countersignature, Receipt, ReceiptProof},
    resources::Usage,
    task::Content,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Debug};

/// The value's JSON is the file's, and reads back as the value.
fn golden<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let json = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &json).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        json,
        "{name}: run with UPDATE_GOLDEN=1 if it is meant"
    );
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{name}");
}

fn key(seed: u8) -> Keypair {
    Keypair::from_seed([seed; 32])
}

fn job() -> JobId {
    JobId::from_bytes([7; 10])
}

fn program() -> ProgramRequest {
    ProgramRequest {
        hash: Hash::of(b"program"),
        size_bytes: 7,
        level: Level::Vm,
        function: String::new(),
        args: vec!["{item}".into()],
        env: vec![("LANG".into(), "C".into())],
        deterministic: true,
        needs: NeedsView::default(),
    }
}

fn stage(name: &str, inputs: InputsRequest) -> StageRequest {
    StageRequest {
        name: name.into(),
        program: program(),
        inputs,
        after: vec![],
        limits: TaskLimitsView::default(),
        constraints: ConstraintsView::default(),
        verify: VerifyView::None,
        failures_max: 3,
        retry: RetryView::default(),
        level_reason: LevelReason::Given,
        check: None,
        when: Vec::new(),
        may_fail: false,
        accept_any_exit: false,
        hedge: true,
    }
}

fn request() -> JobRequest {
    let blob = BlobRef { hash: Hash::of(b"input"), size_bytes: 5 };
    let named = NamedBlob { name: "a.txt".into(), hash: blob.hash, size_bytes: blob.size_bytes };
    let constraints = ConstraintsView {
        regions: vec![Region::Europe],
        peers: vec![key(1).id()],
        cpu_cores_min: 4,
        price_per_gfuel_max: Some(Micros::new(125)),
        ..ConstraintsView::default()
    };
    JobRequest {
        name: "all inputs".into(),
        stages: vec![
            stage("one", InputsRequest::One { stdin: Some(blob) }),
            StageRequest {
                constraints,
                ..stage("numbers", InputsRequest::Numbers { from: 0, to: 9, step: 2 })
            },
            StageRequest {
                verify: VerifyView::Quorum { agree: 2, replicas: 2, replicas_max: 5 },
                ..stage("blobs", InputsRequest::Blobs { blobs: ListOf::Inline(vec![named]) })
            },
            StageRequest {
                verify: VerifyView::Sample { per_mille: 50 },
                ..stage("slices", InputsRequest::Slices { blob, cuts: ListOf::Inline(vec![0, 2, 5]) })
            },
            StageRequest {
                verify: VerifyView::Reputation,
                ..stage("each", InputsRequest::Each { stage: 3 })
            },
            StageRequest {
                verify: VerifyView::Checked { agree: 1, replicas: 1, replicas_max: 1 },
                check: Some(CheckView::Program {
                    hash: Hash::of(b"checker"),
                    size_bytes: 7,
                    args: vec!["{item}".into()],
                    score_min: Real::new(0.5),
                    limits: TaskLimitsView::default(),
                }),
                retry: RetryView { exit_codes: vec![75], backoff_ms: 1_000, ..RetryView::default() },
                when: vec![ConditionView {
                    stage: 3,
                    of: TasksMeantView::Any,
                    test: TestView::ExitCode { codes: vec![0] },
                    negated: true,
                }],
                may_fail: true,
                after: vec![0],
                ..stage("reduce", InputsRequest::Reduce { stage: 4, fan_in: 16 })
            },
        ],
        wait_ms: 600_000,
        deadline_ms: Some(3_600_000),
        budget_micros: Some(Micros::new(2_500_000)),
        seed: Some(42),
        durable: true,
    }
}

#[test]
fn job_request() {
    golden("job_request", &request());
    let least: JobRequest = serde_json::from_str(&format!(
        r#"{{"name":"x","stages":[{{"name":"s","program":{{"hash":"{}","size_bytes":1}},"inputs":{{"kind":"one"}}}}]}}"#,
        Hash::of(b"p")
    ))
    .unwrap();
    assert!(least.seed.is_none() && least.durable && least.wait_ms == 600_000);
    assert_eq!(least.into_spec(99, &BTreeMap::new()).unwrap().seed, 99);
}

#[test]
fn a_request_and_its_spec_are_one() {
    let spec: JobSpec = request().into_spec(0, &BTreeMap::new()).unwrap();
    assert_eq!(JobRequest::from(spec), request());
}

#[test]
fn long_lists_travel_as_blobs() {
    let mut split = request();
    let uploads = split.split_long_lists(2);
    assert_eq!(uploads, [b"[0,2,5]".to_vec()]);
    golden("job_request_with_uploaded_list", &split);
    let lists: BTreeMap<Hash, Vec<u8>> = uploads.into_iter().map(|list| (Hash::of(&list), list)).collect();
    assert_eq!(
        split.lists().iter().map(|list| list.hash).collect::<Vec<_>>(),
        lists.keys().copied().collect::<Vec<_>>()
    );
    assert_eq!(split.clone().into_spec(0, &lists), request().into_spec(0, &BTreeMap::new()));
    let missing = split.clone().into_spec(0, &BTreeMap::new());
    assert!(matches!(missing, Err(JobRequestError::ListMissing { .. })));
    let wrong = lists.keys().map(|hash| (*hash, b"[\"x\"]".to_vec())).collect();
    assert!(matches!(split.into_spec(0, &wrong), Err(JobRequestError::ListMalformed { .. })));
}

#[test]
fn requests_refuse_unknown_fields() {
    let mut json = serde_json::to_value(request()).unwrap();
    for pointer in
        ["", "/stages/0", "/stages/0/program", "/stages/0/inputs", "/stages/0/limits", "/stages/2/verify"]
    {
        let object = json.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        object.insert("surprise".into(), 1.into());
        assert!(serde_json::from_value::<JobRequest>(json.clone()).is_err(), "{pointer}");
        json.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove("surprise");
    }
    assert!(serde_json::from_value::<JobRequest>(json).is_ok());
    assert!(serde_json::from_str::<RunsQuery>(r#"{"offset":"1"}"#).is_err());
}

#[test]
fn problem() {
    let problem = Problem::new(Code::WrongState, "job 1 has not ended").with_next("cancel it first");
    golden("problem", &problem);
    assert_eq!(problem.status, 409);
    let newer = r#"{"title":"t","status":418,"code":"teapot","detail":"d"}"#;
    assert_eq!(serde_json::from_str::<Problem>(newer).unwrap().code, Code::Unknown);
}

#[test]
fn events() {
    let note = JobNote {
        at: Timestamp::from_millis(1_700_000_000_000),
        task: Some(TaskId { stage: 0, index: 17 }),
        reason: Reason::Placed { attempt: 1, node: key(1).id() },
    };
    let at = note.at;
    golden("event_job", &JobEvent::Job { state: StateView::Running, at, reason: String::new() });
    let counts = TaskCounts { waiting: 1, running: 2, done: 3, failed: 0, skipped: 0 };
    golden("event_progress", &JobEvent::Progress { stages: vec![counts] });
    golden("event_note", &JobEvent::Note(NoteView::from(&note)));
    let newer: JobEvent = serde_json::from_str(r#"{"event":"weather","rain":true}"#).unwrap();
    assert_eq!(newer, JobEvent::Unknown);
}

#[test]
fn waiting_counts() {
    let counts =
        MisfitCounts { offers: 9, fitting: 0, excluded: vec![(Misfit::Region, 7), (Misfit::Full, 2)] };
    golden("waiting", &opensky_api::progress::MisfitCountsView::from(&counts));
}

#[test]
fn run() {
    let small = ContentView::from(&Content::Inline(b"hello\n".to_vec()));
    let binary = ContentView::from(&Content::Inline(vec![0xff, 0x00]));
    assert_eq!(binary.inline_bytes(), Some(vec![0xff, 0x00]));
    let large =
        ContentView::from(&Content::Blob(BlobRef { hash: Hash::of(b"x"), size_bytes: 1 << 20 }.into()));
    assert_eq!(large.inline_bytes(), None);
    let run = RunView {
        task: TaskId { stage: 1, index: 2 },
        attempt: 0,
        node: key(1).id(),
        verdict: VerdictView::Accepted,
        failed: false,
        exit_code: Some(0),
        failure: None,
        output: Hash::of(b"output"),
        stdout: small,
        stderr: binary,
        files: vec![opensky_api::progress::FileView { path: "a/b.png".into(), content: large }],
        usage: Usage { fuel: 5, wall_us: 7, ..Usage::default() }.into(),
        receipt: Some(Hash::of(b"receipt")),
    };
    golden("run", &run);
}

#[test]
fn limits_and_doctor() {
    let limits = Limits::from(&ContributionLimits::default());
    golden("limits", &limits);
    assert_eq!(ContributionLimits::try_from(limits.clone()), Ok(ContributionLimits::default()));
    assert!(ContributionLimits::try_from(Limits { cpu_percent: 101, ..limits.clone() }).is_err());
    assert!(ContributionLimits::try_from(Limits { temperature_critical: 10, ..limits }).is_err());
    let check = |standing| Check { name: "disk".into(), standing, found: "1 GiB free".into(), next: None };
    let report = DoctorReport { checks: vec![check(Standing::Ok), check(Standing::Warning)] };
    golden("doctor", &report);
    assert_eq!(report.worst(), Standing::Warning);
}

fn proof() -> ReceiptProof {
    let (provider, consumer) = (key(1), key(2));
    let receipt = Receipt {
        agreement: AgreementId::from_hash(Hash::of(b"agreement")),
        provider: provider.id(),
        consumer: consumer.id(),
        job: job(),
        task: TaskId { stage: 0, index: 3 },
        attempt: 0,
        program: Hash::of(b"program"),
        input: Hash::of(b"input"),
        output: Hash::of(b"output"),
        exited: true,
        usage: Usage { fuel: 1_000, memory_peak_bytes: 65_536, wall_us: 12, ..Usage::default() },
        price: Micros::ZERO,
        engine: "wasmtime 48".into(),
        engine_config: Hash::of(b"config"),
        started_at: Timestamp::from_millis(1_700_000_000_000),
        ended_at: Timestamp::from_millis(1_700_000_000_001),
    };
    let tree = Tree::new(&[Hash::of(b"other"), receipt.id()]);
    let head = BatchHead {
        provider: provider.id(),
        consumer: consumer.id(),
        root: tree.root(),
        count: 2,
        signed_at: Timestamp::from_millis(1_700_000_000_002),
    };
    let accepted = Countersignature { root: tree.root(), accepted: vec![0b10] };
    ReceiptProof {
        receipt,
        index: 1,
        siblings: tree.proof(1),
        head: Signed::sign(&head, &provider),
        countersignature: Some(Signed::sign(&accepted, &consumer)),
    }
}

#[test]
fn c1_a_receipt_file_is_checked_offline() {
    let view = ReceiptView::from_proof(&proof()).unwrap();
    assert_eq!(view.standing, StandingView::Accepted);
    golden("receipt", &view);
    assert_eq!(view.verify().unwrap(), proof());

    let altered = ReceiptView { usage: Usage::default().into(), ..view.clone() };
    assert!(matches!(altered.verify(), Err(ReceiptViewError::Altered)));
    let not_hex = ReceiptView { proof: "zz".into(), ..view.clone() };
    assert!(matches!(not_hex.verify(), Err(ReceiptViewError::NotHex(_))));
    // Whatever digit is changed, the file no longer holds.
    for at in (0..view.proof.len()).step_by(7) {
        let mut digits = view.proof.clone().into_bytes();
        digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
        let forged = ReceiptView { proof: String::from_utf8(digits).unwrap(), ..view.clone() };
        assert!(forged.verify().is_err(), "digit {at}");
    }
}

#[test]
fn c5_fuel_that_is_left_out_does_not_end_what_gpus_do() {
    let spec = |program: &str, limits: &str| {
        let stage =
            format!("{{\"name\": \"s\", \"program\": {program}, \"inputs\": {{\"kind\": \"one\"}}{limits}}}");
        let request: JobRequest =
            serde_json::from_str(&format!("{{\"name\": \"j\", \"stages\": [{stage}]}}")).expect("a request");
        request.into_spec(1, &BTreeMap::new())
    };
    let digest = "0a".repeat(32);
    let image = format!("ghcr.io/a/b@sha256:{digest}");
    let needs =
        format!("\"needs\": {{\"image\": \"{image}\", \"gpus\": {{\"count\": 1, \"model\": \"A100\"}}}}");
    let program = format!("{{\"level\": \"container\", \"deterministic\": false, {needs}}}");
    let whole = spec(&program, "").expect("no hash is needed").stages.remove(0);
    assert_eq!(whole.program.needs.image.as_ref().map(ToString::to_string), Some(image));
    assert_eq!(whole.program.needs.gpus.as_ref().map(ToString::to_string).as_deref(), Some("1,model=a100"));
    assert_eq!(
        whole.limits.fuel,
        opensky_types::resources::TaskLimits::fuel_of_time(whole.limits.wall_ms, 1)
    );
    let fixed = spec(&program, ", \"limits\": {\"fuel\": 5}").expect("it is a job").stages.remove(0);
    assert_eq!(fixed.limits.fuel, 5);
    let nothing = spec("{\"level\": \"vm\"}", "").expect_err("nothing to run").to_string();
    assert!(nothing.contains("has no hash"), "{nothing}");
}
