//! Inputs, outcomes and commitments: what is hashed, and what a hostile provider may not send.

use opensky_types::{
    Hash,
    job::{Blob, INLINE_BYTES_MAX},
    resources::Limit,
    samples,
    task::{
        Content, Failure, InvalidOutcome, OUTPUT_FILES_MAX, Outcome, TaskInput, TaskOutput, commitment,
        is_safe_output_path,
    },
};

fn inline(bytes: &[u8]) -> Content {
    Content::Inline(bytes.to_vec())
}

fn by_hash(bytes: &[u8]) -> Content {
    Content::Blob(Blob { hash: Hash::of(bytes), size_bytes: bytes.len() as u64 })
}

fn output(change: impl FnOnce(&mut TaskOutput)) -> Outcome {
    let Outcome::Exited(mut output) = samples::outcome("out") else { panic!("the sample exits") };
    change(&mut output);
    Outcome::Exited(output)
}

fn failed(failure: Failure) -> Outcome {
    Outcome::Failed { failure, stdout: inline(b"so far"), stderr: Content::empty() }
}

#[test]
fn a_hash_does_not_depend_on_how_bytes_travel() {
    let input = |stdin| TaskInput { item: "0".into(), stdin }.hash();
    assert_eq!(input(vec![inline(b"a"), inline(b"b")]), input(vec![by_hash(b"a"), by_hash(b"b")]));
    assert_ne!(input(vec![inline(b"a"), inline(b"b")]), input(vec![inline(b"ab")]));
    assert_eq!(output(|o| o.stdout = inline(b"x")).hash(), output(|o| o.stdout = by_hash(b"x")).hash());
}

#[test]
fn c1_an_outcome_hash_covers_all_that_the_program_determines() {
    let plain = output(|_| {}).hash();
    let changed = [
        output(|o| o.exit_code = 1),
        output(|o| o.stdout = inline(b"other")),
        output(|o| o.files[0].0.push('x')),
        output(|o| o.files[0].1 = inline(b"other")),
        output(|o| o.files.clear()),
        failed(Failure::Cancelled),
    ];
    assert!(changed.iter().all(|outcome| outcome.hash() != plain));
    assert_eq!(output(|o| o.stderr = inline(b"engine chatter")).hash(), plain, "stderr is left out");
}

#[test]
fn honest_providers_agree_on_failures() {
    let trap = |message: &str| failed(Failure::Trap { message: message.into() }).hash();
    assert_eq!(trap("wasm trap: unreachable"), trap("unreachable"), "engines word it differently");
    let limit = |limit| failed(Failure::Limit { limit }).hash();
    assert_ne!(limit(Limit::Fuel), limit(Limit::Memory));
    assert_ne!(trap("x"), limit(Limit::Memory));
}

#[test]
fn c2_a_commitment_cannot_be_copied() {
    let (provider, other) = (samples::node(3), samples::node(4));
    let result = samples::outcome("out").hash();
    let made = commitment(&provider, samples::task_id(0), &result, &[1; 16]);
    let others = [
        commitment(&other, samples::task_id(0), &result, &[1; 16]),
        commitment(&provider, samples::task_id(1), &result, &[1; 16]),
        commitment(&provider, samples::task_id(0), &Hash::of(b"x"), &[1; 16]),
        commitment(&provider, samples::task_id(0), &result, &[2; 16]),
    ];
    assert!(!others.contains(&made), "a copied commitment does not fit the copier's name");
}

#[test]
fn blobs_of_an_outcome_are_all_of_them() {
    let outcome = output(|o| {
        o.stdout = by_hash(b"1");
        o.stderr = by_hash(b"2");
        o.files = vec![("a".into(), by_hash(b"3")), ("b".into(), inline(b"4"))];
    });
    let hashes: Vec<Hash> = outcome.blobs().iter().map(|blob| blob.hash).collect();
    assert_eq!(hashes, [b"1", b"2", b"3"].map(|bytes| Hash::of(bytes)));
}

#[test]
fn w4_paths_stay_inside_their_folder() {
    for safe in ["a", "picture.png", "tiles/0/1.png", "..a", "a..", ".hidden", "ü/ß", &"x".repeat(512)] {
        assert!(is_safe_output_path(safe), "{safe}");
    }
    let unsafe_paths = [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "./a",
        "a/.",
        "a//b",
        "a/",
        "a\\..\\b",
        "C:x",
        "a\0b",
        "a\nb",
        "\u{1b}[31m",
        &"x".repeat(513),
    ];
    for path in unsafe_paths {
        assert!(!is_safe_output_path(path), "{path:?}");
        let outcome = output(|o| o.files[0].0 = path.into());
        assert!(matches!(outcome.validate(), Err(InvalidOutcome::UnsafePath { .. })), "{path:?}");
        let shown = outcome.validate().expect_err("checked above").to_string();
        assert!(!shown.chars().any(char::is_control), "j5: {shown:?}");
    }
}

#[test]
fn outcomes_keep_their_limits() {
    assert_eq!(samples::outcome("out").validate(), Ok(()));
    assert_eq!(failed(Failure::Cancelled).validate(), Ok(()));
    let file = |index: usize| (format!("{index:05}"), Content::empty());
    assert_eq!(output(|o| o.files = (0..OUTPUT_FILES_MAX).map(file).collect()).validate(), Ok(()));
    let too_many = output(|o| o.files = (0..=OUTPUT_FILES_MAX).map(file).collect());
    assert_eq!(too_many.validate(), Err(InvalidOutcome::TooManyFiles { count: OUTPUT_FILES_MAX + 1 }));
    for files in [vec![file(1), file(0)], vec![file(1), file(1)]] {
        assert_eq!(output(|o| o.files = files).validate(), Err(InvalidOutcome::Unordered));
    }
    let size_bytes = INLINE_BYTES_MAX as u64 + 1;
    let large = || inline(&vec![0; INLINE_BYTES_MAX + 1]);
    let too_large = [
        output(|o| o.stdout = large()),
        output(|o| o.stderr = large()),
        output(|o| o.files[0].1 = large()),
        Outcome::Failed { failure: Failure::Cancelled, stdout: large(), stderr: Content::empty() },
    ];
    for outcome in too_large {
        assert_eq!(outcome.validate(), Err(InvalidOutcome::InlineTooLarge { size_bytes }));
    }
    assert_eq!(output(|o| o.stdout = inline(&vec![0; INLINE_BYTES_MAX])).validate(), Ok(()));
}

#[test]
fn only_a_programs_own_faults_count_against_it() {
    let own = [
        Failure::Limit { limit: Limit::Fuel },
        Failure::Trap { message: String::new() },
        Failure::InvalidProgram { message: String::new() },
        Failure::ExitCode { code: 1 },
    ];
    let others = [
        Failure::InputUnavailable { hash: Hash::of(b"x"), message: String::new() },
        Failure::WorkerLost { message: String::new() },
        Failure::Cancelled,
        Failure::ProviderStopped { message: String::new() },
        Failure::ProviderLost,
    ];
    assert!(own.iter().all(Failure::is_programs_fault));
    assert!(!others.iter().any(Failure::is_programs_fault));
}
