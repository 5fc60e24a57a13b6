//! Checkers and tolerances, as job files name them.

use opensky_jobfile::{Format, parse, plan::CheckPlan};
use opensky_types::job::{Real, Tolerance, Verify};

/// A job whose only stage is not deterministic and is checked so.
fn job(verify: &str) -> String {
    format!(
        "name = \"n\"\n[[stage]]\nname = \"s\"\nprogram = \"p.wasm\"\ndeterministic = false\nverify = {verify}\n"
    )
}

fn read(verify: &str) -> (Verify, CheckPlan) {
    let plan = parse("job.toml", &job(verify), Format::Toml).unwrap();
    let stage = &plan.job().stages[0];
    (stage.verify, stage.check.clone().expect("it has one"))
}

#[test]
fn v1_a_checker_looks_at_results_one_by_one_or_two_by_two() {
    let (verify, check) = read("{ checker = { program = \"c.wasm\" } }");
    assert_eq!(verify, Verify::Checked { agree: 1, replicas: 1, replicas_max: 1 });
    let CheckPlan::Program { program, args, score_min, limits } = check else { panic!("a program") };
    assert_eq!((program.value.as_str(), args.len(), score_min), ("c.wasm", 0, None));
    assert_eq!((limits.wall_ms, limits.fuel, limits.output_bytes), (10_000, 10_000_000_000, 64 << 10));
    let (verify, check) = read(
        "{ checker = { program = \"c.wasm\", args = [\"{item}\"], score_min = 0.5, agree = 2, replicas_max = 4, \
         resources = { time = \"1m\" } } }",
    );
    assert_eq!(verify, Verify::Checked { agree: 2, replicas: 2, replicas_max: 4 });
    let CheckPlan::Program { args, score_min, limits, .. } = check else { panic!("a program") };
    assert_eq!((args, score_min, limits.wall_ms), (vec!["{item}".into()], Real::new(0.5), 60_000));
}

#[test]
fn v1_a_tolerance_compares_two_results_at_least() {
    let (verify, check) = read("{ tolerance = { absolute = 1e-9, relative = 0 } }");
    assert_eq!(verify, Verify::Checked { agree: 2, replicas: 2, replicas_max: 5 });
    let tolerance = Tolerance { absolute: Real::new(1e-9).unwrap(), relative: Real::default() };
    assert_eq!(check, CheckPlan::Tolerance(tolerance));
    let (verify, _) = read("{ tolerance = { relative = 0.01, agree = 3, replicas = 4, replicas_max = 9 } }");
    assert_eq!(verify, Verify::Checked { agree: 3, replicas: 4, replicas_max: 9 });
}

#[test]
fn v1_mistakes_in_checks_are_shown_where_they_are() {
    let long = "x".repeat(17_000);
    for (verify, column, problem) in [
        ("{ checker = {} }", 12, "the key 'program' is missing"),
        ("{ checker = { program = \"\" } }", 34, "path is empty"),
        ("{ checker = { program = \"c\", replicas = 2 } }", 10, "looked at by itself"),
        ("{ checker = { program = \"c\", agree = 0 } }", 10, "a quorum needs"),
        ("{ checker = { program = \"c\", agree = 2, replicas_max = 10 } }", 10, "<= 9"),
        ("{ checker = { program = \"c\", score_min = nan } }", 51, "not finite"),
        ("{ checker = { program = \"c\", resources = { time = \"11m\" } } }", 10, "10 minutes"),
        ("{ checker = { program = \"c\", score = 1 } }", 39, "unknown key 'score'"),
        (&format!("{{ checker = {{ program = \"c\", args = [\"{long}\"] }} }}"), 10, "at most 16384 bytes"),
        ("{ tolerance = {} }", 10, "by how much"),
        ("{ tolerance = { absolute = 1, agree = 1 } }", 10, "at least 2"),
        ("{ tolerance = { absolute = -1 } }", 37, "not negative"),
        ("{ tolerance = { relative = inf } }", 37, "not finite"),
        ("{ sample = \"5%\" }", 1, "needs a deterministic program"),
    ] {
        let error = parse("job.toml", &job(verify), Format::Toml).unwrap_err();
        let shown: String = verify.chars().take(80).collect();
        assert!(error.problem.contains(problem), "{shown}: {}", error.problem);
        if !problem.contains("deterministic") && !problem.contains("missing") {
            assert_eq!((error.line, error.column), (6, column), "{shown}: {}", error.problem);
        }
    }
}
