//! What is a job and what is not.

use opensky_types::{
    Hash,
    job::{
        BACKOFF_MS_MAX, Blob, CALL_BYTES_MAX, Check, Checker, Condition, FAN_IN_MAX, FailureKind, InvalidJob,
        JobSpec, ResultTests, Retry, STAGE_TASKS_MAX, STAGES_MAX, StageInputs, StageSpec, TasksMeant, Test,
        Verify,
    },
    place::Level,
    resources::TaskLimits,
    samples,
    task::{Content, Outcome, TaskOutput},
};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

fn numbers(from: i64, to: i64, step: i64) -> JobSpec {
    with(|stage| stage.inputs = StageInputs::Numbers { from, to, step })
}

fn with(change: impl FnOnce(&mut StageSpec)) -> JobSpec {
    let mut job = samples::job(3);
    change(&mut job.stages[0]);
    job
}

fn two_stages(change: impl FnOnce(&mut StageSpec)) -> JobSpec {
    let mut job = samples::job(10);
    let mut second = samples::stage("second", 1);
    change(&mut second);
    job.stages.push(second);
    job
}

fn slices(size_bytes: u64, cuts: &[u64]) -> JobSpec {
    let blob = Blob { hash: Hash::of(b"x"), size_bytes };
    with(|stage| stage.inputs = StageInputs::Slices { blob, cuts: cuts.to_vec() })
}

#[test]
fn good_jobs_have_their_tasks() {
    let blobs = |count: usize| {
        with(|stage| {
            stage.inputs = StageInputs::Blobs {
                blobs: vec![samples::blob(); count],
                names: (0..count).map(|index| index.to_string()).collect(),
            };
        })
    };
    let reduce = |fan_in| two_stages(|stage| stage.inputs = StageInputs::Reduce { stage: 0, fan_in });
    let cases: [(&str, JobSpec, &[u32]); 23] = [
        ("one", with(|stage| stage.inputs = StageInputs::One { stdin: None }), &[1]),
        ("numbers", numbers(0, 10, 1), &[10]),
        ("a step that does not divide", numbers(0, 10, 3), &[4]),
        ("a step beyond the end", numbers(0, 10, i64::MAX), &[1]),
        ("negative numbers", numbers(-5, 5, 5), &[2]),
        ("the whole range in two", numbers(i64::MIN, i64::MAX, i64::MAX), &[3]),
        ("the last number", numbers(i64::MAX - 1, i64::MAX, 1), &[1]),
        ("the most tasks", numbers(0, i64::from(STAGE_TASKS_MAX), 1), &[STAGE_TASKS_MAX]),
        ("blobs", blobs(3), &[3]),
        ("slices", slices(100, &[0, 40, 100]), &[2]),
        ("slices inside", slices(100, &[10, 20]), &[1]),
        ("empty slices", slices(100, &[5, 5, 5]), &[2]),
        ("each", two_stages(|stage| stage.inputs = StageInputs::Each { stage: 0 }), &[10, 10]),
        ("reduce to one", reduce(FAN_IN_MAX), &[10, 1]),
        ("reduce unevenly", reduce(4), &[10, 3]),
        ("reduce one by one", reduce(1), &[10, 10]),
        ("after", two_stages(|stage| stage.after = vec![0, 0]), &[10, 1]),
        ("by reputation", with(|stage| stage.verify = Verify::Reputation), &[3]),
        ("sampled", with(|stage| stage.verify = Verify::Sample { per_mille: 1000 }), &[3]),
        (
            "quorum",
            with(|stage| stage.verify = Verify::Quorum { agree: 31, replicas: 31, replicas_max: 31 }),
            &[3],
        ),
        (
            "a function",
            with(|stage| {
                stage.program.level = Level::Function;
                stage.program.function = "f".into();
            }),
            &[3],
        ),
        ("unchecked and not deterministic", with(|stage| stage.program.deterministic = false), &[3]),
        ("map-reduce", samples::full_job(), &[2, 1]),
    ];
    for (what, job, counts) in cases {
        assert_eq!(job.validate(), Ok(()), "{what}");
        assert_eq!(job.task_counts(), counts, "{what}");
    }
}

#[test]
fn bad_jobs_say_what_is_wrong_and_where() {
    let long_name = StageInputs::Blobs { blobs: vec![samples::blob()], names: vec!["x".repeat(1_025)] };
    let long_args = vec!["x".repeat(CALL_BYTES_MAX)];
    let quorum = |agree, replicas, replicas_max| {
        with(|stage| stage.verify = Verify::Quorum { agree, replicas, replicas_max })
    };
    let named = |name: &str| JobSpec { name: name.into(), ..samples::job(1) };
    let inputs = |inputs| two_stages(|stage| stage.inputs = inputs);
    let cases: [(&str, JobSpec, Option<&str>, &str); 36] = [
        ("no stages", JobSpec { stages: Vec::new(), ..samples::job(1) }, None, "1 to 256 stages"),
        ("too many stages", many_stages(STAGES_MAX + 1), None, "this one has 257"),
        ("no name", named(""), None, "name"),
        ("long name", named(&"é".repeat(65)), None, "name"),
        ("stage without name", with(|stage| stage.name.clear()), Some(""), "name"),
        ("stage of long name", with(|stage| stage.name = "x".repeat(65)), Some(&"x".repeat(65)), "name"),
        ("equal names", two_stages(|stage| stage.name = "map".into()), Some("map"), "same name"),
        ("no numbers", numbers(5, 5, 1), Some("map"), "1 to 2000000 tasks, this one has 0"),
        ("numbers backwards", numbers(5, 0, 1), Some("map"), "this one has 0"),
        ("step 0", numbers(0, 5, 0), Some("map"), "step"),
        ("step -1", numbers(5, 0, -1), Some("map"), "step"),
        ("smallest step", numbers(0, 5, i64::MIN), Some("map"), "step"),
        ("too many numbers", numbers(0, 2_000_001, 1), Some("map"), "this one has 2000001"),
        ("the whole range", numbers(i64::MIN, i64::MAX, 1), Some("map"), "this one has 4294967295"),
        ("names missing", blobs_without_names(), Some("map"), "name"),
        ("long item", with(|stage| stage.inputs = long_name), Some("map"), "1024 bytes"),
        ("long arguments", with(|stage| stage.program.args = long_args), Some("map"), "65536 bytes"),
        ("no blobs", with(|stage| stage.inputs = no_blobs()), Some("map"), "this one has 0"),
        ("no cuts", slices(100, &[]), Some("map"), "this one has 0"),
        ("one cut", slices(100, &[0]), Some("map"), "this one has 0"),
        ("cuts backwards", slices(100, &[0, 50, 49]), Some("map"), "slices"),
        ("cut past the end", slices(100, &[0, 101]), Some("map"), "slices"),
        ("huge cut", slices(100, &[u64::MAX, u64::MAX]), Some("map"), "slices"),
        ("each of itself", inputs(StageInputs::Each { stage: 1 }), Some("second"), "before"),
        ("each of nothing", inputs(StageInputs::Each { stage: u16::MAX }), Some("second"), "before"),
        ("reduce of later", inputs(StageInputs::Reduce { stage: 2, fan_in: 2 }), Some("second"), "before"),
        ("fan-in 0", inputs(StageInputs::Reduce { stage: 0, fan_in: 0 }), Some("second"), "fan_in"),
        ("fan-in", inputs(StageInputs::Reduce { stage: 0, fan_in: u32::MAX }), Some("second"), "fan_in"),
        ("after itself", two_stages(|stage| stage.after = vec![0, 1]), Some("second"), "before"),
        ("first stage after", with(|stage| stage.after = vec![0]), Some("map"), "before"),
        ("no failures", with(|stage| stage.failures_max = 0), Some("map"), "failures_max"),
        ("nameless function", with(|stage| stage.program.level = Level::Function), Some("map"), "function"),
        ("large sample", with(|s| s.verify = Verify::Sample { per_mille: 1001 }), Some("map"), "1000"),
        ("quorum of 0", quorum(0, 2, 3), Some("map"), "quorum"),
        ("random and sampled", random(Verify::Sample { per_mille: 1 }), Some("map"), "deterministic"),
        ("random and checked by reputation", random(Verify::Reputation), Some("map"), "deterministic"),
    ];
    for (what, job, stage, problem) in cases {
        let InvalidJob { stage: found, problem: text } = job.validate().expect_err(what);
        assert_eq!(found.as_deref(), stage, "{what}: {text}");
        assert!(text.contains(problem), "{what}: {text}");
    }
    for (agree, replicas, replicas_max) in [(3, 2, 3), (2, 3, 2), (2, 2, 32), (255, 255, 255)] {
        assert!(quorum(agree, replicas, replicas_max).validate().is_err());
    }
    let shown = numbers(0, 5, 0).validate().expect_err("step 0").to_string();
    assert_eq!(shown, "stage 'map': 'step' must be positive");
}

#[test]
fn c9_rules_of_tries_that_are_wrong_say_so() {
    let retry = |retry: Retry| with(|stage| stage.retry = retry);
    let cases: [(&str, JobSpec, &str); 6] = [
        ("never lost", retry(Retry { losses_max: 0, ..Retry::default() }), "losses_max"),
        ("retried on 0", retry(Retry { exit_codes: vec![0], ..Retry::default() }), "code 0"),
        (
            "codes of no use",
            retry(Retry { on: vec![FailureKind::Loss], exit_codes: vec![1], ..Retry::default() }),
            "exit-code",
        ),
        ("a kind twice", retry(Retry { on: vec![FailureKind::Loss; 2], ..Retry::default() }), "once"),
        ("long wait", retry(Retry { backoff_max_ms: BACKOFF_MS_MAX + 1, ..Retry::default() }), "a day"),
        (
            "long first wait",
            retry(Retry { backoff_ms: 2, backoff_max_ms: 1, ..Retry::default() }),
            "no longer",
        ),
    ];
    for (what, job, problem) in cases {
        let InvalidJob { stage, problem: text } = job.validate().expect_err(what);
        assert_eq!(stage.as_deref(), Some("map"), "{what}: {text}");
        assert!(text.contains(problem), "{what}: {text}");
    }
}

#[test]
fn c6_conditions_are_about_what_can_be_and_stands_before() {
    let asked = |condition: Condition, change: fn(&mut StageSpec)| {
        let mut job = two_stages(|stage| stage.when = vec![condition]);
        change(&mut job.stages[0]);
        job.validate().map_err(|error| error.problem)
    };
    let when = |test| Condition { stage: 0, of: TasksMeant::All, test, not: false };
    let codes = |codes: &[i32]| Test::ExitCode { codes: codes.to_vec() };
    let nothing = |_: &mut StageSpec| ();
    for (condition, change) in [
        (when(Test::Succeeded), nothing as fn(&mut StageSpec)),
        (when(codes(&[0])), nothing),
        (when(codes(&[4])), |stage| stage.accept_any_exit = true),
        (when(codes(&[4])), |stage| stage.may_fail = true),
        (when(Test::Failed), |stage| stage.may_fail = true),
        (when(Test::File { path: "a/b".into() }), nothing),
    ] {
        assert_eq!(asked(condition.clone(), change), Ok(()), "{condition}");
    }
    for (condition, problem) in [
        (Condition { stage: 1, ..when(Test::Succeeded) }, "before its own"),
        (when(Test::Failed), "may_fail"),
        (when(codes(&[4])), "may_fail"),
        (when(codes(&[])), "1 to 64 exit codes"),
        (when(codes(&[0; 65])), "1 to 64 exit codes"),
        (when(Test::File { path: "../a".into() }), "plain path"),
        (when(Test::Output { text: "x".repeat(1_025) }), "1024 bytes"),
        (Condition { of: TasksMeant::Each, ..when(codes(&[0])) }, "does not read each"),
    ] {
        let found = asked(condition.clone(), nothing).expect_err("it is refused");
        assert!(found.contains(problem), "{condition}: {found}");
    }
    let many =
        |count: usize| two_stages(|stage| stage.when = vec![when(Test::Succeeded); count]).validate().is_ok();
    assert!(many(16) && !many(17));
    let mut greedy = many_stages(4);
    for (position, stage) in greedy.stages.iter_mut().enumerate().skip(1) {
        let text = |index: usize| Test::Output { text: format!("{position} {index}") };
        stage.when = (0..11).map(|index| when(text(index))).collect();
    }
    assert!(greedy.validate().is_err_and(|error| error.problem.contains("at most 32 different tests")));
}

#[test]
fn c6_a_result_is_looked_at_for_what_later_stages_ask() {
    let mut job = two_stages(|stage| {
        let tests = [
            Test::ExitCode { codes: vec![3, 4] },
            Test::Succeeded,
            Test::Output { text: "yes".into() },
            Test::File { path: "a/b".into() },
            Test::Output { text: "yes".into() },
        ];
        stage.when = tests.map(|test| Condition { stage: 0, of: TasksMeant::Any, test, not: false }).into();
    });
    job.stages[0].may_fail = true;
    assert_eq!(job.validate(), Ok(()));
    let tests = ResultTests::of(&job);
    assert_eq!((tests.count(0), tests.count(1)), (3, 0), "each once, and only of results");
    let left = |exit_code, stdout: &str, file: &str| {
        let content = |text: &str| Content::Inline(text.as_bytes().to_vec());
        let files = vec![(file.to_owned(), Content::empty())];
        Outcome::Exited(TaskOutput { exit_code, stdout: content(stdout), stderr: content(""), files })
    };
    for (outcome, bits) in [
        (left(0, "no", "a"), 0b000),
        (left(4, "no", "a"), 0b001),
        (left(0, " yes\n", "a"), 0b010),
        (left(3, "yes", "a/b"), 0b111),
    ] {
        assert_eq!(tests.look(0, &outcome), bits, "{outcome:?}");
        assert_eq!(tests.look(1, &outcome), 0);
    }
    let sent = Content::Blob(Blob { hash: Hash::of(b"yes\n"), size_bytes: 4 });
    let sent =
        Outcome::Exited(TaskOutput { exit_code: 0, stdout: sent, stderr: Content::empty(), files: vec![] });
    assert_eq!(tests.look(0, &sent), 0b010, "sent by its hash, it is the same text");
    let large = Content::Blob(samples::blob());
    let large =
        Outcome::Exited(TaskOutput { exit_code: 0, stdout: large, stderr: Content::empty(), files: vec![] });
    assert_eq!(tests.look(0, &large), 0, "too long to be any text");
}

/// Whose outputs can't be compared.
fn random(verify: Verify) -> JobSpec {
    with(|stage| {
        stage.program.deterministic = false;
        stage.verify = verify;
    })
}

fn many_stages(count: usize) -> JobSpec {
    let stages = (0..count).map(|index| samples::stage(&index.to_string(), 1)).collect();
    JobSpec { stages, ..samples::job(1) }
}

fn no_blobs() -> StageInputs {
    StageInputs::Blobs { blobs: Vec::new(), names: Vec::new() }
}

fn blobs_without_names() -> JobSpec {
    with(|stage| {
        stage.inputs = StageInputs::Blobs { blobs: vec![samples::blob()], names: Vec::new() };
    })
}

#[test]
fn the_longest_job_is_a_job() {
    assert_eq!(many_stages(STAGES_MAX).validate(), Ok(()));
}

fn any_inputs() -> impl Strategy<Value = StageInputs> {
    let edge = || prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(0), Just(1), Just(-1)];
    let blob = (any::<[u8; 32]>(), any::<u64>())
        .prop_map(|(hash, size_bytes)| Blob { hash: Hash::from_bytes(hash), size_bytes });
    prop_oneof![
        (edge(), edge(), edge()).prop_map(|(from, to, step)| StageInputs::Numbers { from, to, step }),
        (blob, proptest::collection::vec(any::<u64>(), 0..6))
            .prop_map(|(blob, cuts)| StageInputs::Slices { blob, cuts }),
        any::<u16>().prop_map(|stage| StageInputs::Each { stage }),
        (0..3u16, any::<u32>()).prop_map(|(stage, fan_in)| StageInputs::Reduce { stage, fan_in }),
    ]
}

proptest! {
    #[test]
    fn no_job_overflows_or_panics(all in proptest::collection::vec(any_inputs(), 1..4)) {
        let mut job = many_stages(all.len());
        for (stage, inputs) in job.stages.iter_mut().zip(all) {
            stage.inputs = inputs;
        }
        // Counting must not panic on what validation refuses either: a user's mistake is no crash.
        let counts = job.task_counts();
        if job.validate().is_ok() {
            prop_assert!(counts.iter().all(|count| (1..=STAGE_TASKS_MAX).contains(count)));
        }
    }

    #[test]
    fn numbers_are_counted_as_a_loop_would(from in -50..50i64, to in -50..50i64, step in 1..20i64) {
        let expected = (from..to).step_by(step as usize).count() as u32;
        prop_assert_eq!(numbers(from, to, step).task_counts(), vec![expected]);
    }
}

#[test]
fn m1_a_checker_has_limits_of_its_own() {
    let checked = |change: fn(&mut TaskLimits)| {
        let mut checker = Checker {
            program: Hash::of(b"check"),
            size_bytes: 5,
            args: Vec::new(),
            score_min: None,
            limits: TaskLimits { wall_ms: 1_000, ..TaskLimits::default() },
        };
        change(&mut checker.limits);
        let check = Some(Check::Program(checker));
        let verify = Verify::Checked { agree: 1, replicas: 1, replicas_max: 1 };
        with(|stage| (stage.check, stage.verify) = (check, verify)).validate().map_err(|error| error.problem)
    };
    assert_eq!(checked(|limits| limits.memory_bytes = 1 << 30), Ok(()), "as much as there may be");
    for (what, change) in [
        ("1 GiB", (|limits| limits.memory_bytes = (1 << 30) + 1) as fn(&mut TaskLimits)),
        ("1 GiB", |limits| limits.scratch_bytes = u64::MAX),
        ("64 MiB", |limits| limits.output_bytes = u64::MAX),
        ("10 minutes", |limits| limits.wall_ms = u64::MAX),
    ] {
        let problem = checked(change).expect_err(what);
        assert!(problem.contains(what), "{problem}");
    }
}
