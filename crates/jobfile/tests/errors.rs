//! Every mistake is shown with its line and column, in all three formats.

use opensky_jobfile::{Format, Plan, parse, schema};
use opensky_types::{
    Micros,
    job::{Condition, FailureKind, LevelReason, Retry, TasksMeant, Test, Verify},
    place::{Level, Region},
};

const TOML: &str = r#"name = "words"
wait = "30s"
[resources]
memory = "64MiB"
[verify]
quorum = { agree = 2, replicas = 2 }
[[stage]]
name = "map"
program = "map.wasm"
lines = { file = "text.txt", per_task = 100 }
[stage.constraints]
region = "europe"
[[stage]]
name = "sum"
program = "sum.wasm"
reduce = { stage = "map", fan_in = 16 }
output = "result.txt"
"#;

const YAML: &str = "name: words
wait: 30s
resources:
  memory: 64MiB
verify:
  quorum: { agree: 2, replicas: 2 }
stage:
  - name: map
    program: map.wasm
    lines: { file: text.txt, per_task: 100 }
    constraints:
      region: europe
  - name: sum
    program: sum.wasm
    reduce:
      stage: map
      fan_in: 16
    output: result.txt
";

const JSON: &str = r#"{
  "name": "words", "wait": "30s",
  "resources": { "memory": "64MiB" },
  "verify": { "quorum": { "agree": 2, "replicas": 2 } },
  "stage": [
    { "name": "map", "program": "map.wasm", "lines": { "file": "text.txt", "per_task": 100 },
      "constraints": { "region": ["europe"] } },
    { "name": "sum", "program": "sum.wasm", "reduce": { "stage": "map", "fan_in": 16 },
      "output": "result.txt" }
  ]
}
"#;

/// The line of [`TOML`] that says what runs.
const PROGRAM: &str = "program = \"map.wasm\"";

/// A plan without places, so that formats can be compared.
fn shape(plan: &Plan) -> String {
    let text = format!("{:?}", plan.job());
    let mut parts = text.split("Span { ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('}').map_or(part, |(_, rest)| rest))
}

#[test]
fn three_formats_one_plan() {
    let toml = parse("job.toml", TOML, Format::Toml).unwrap();
    let yaml = parse("job.yaml", YAML, Format::Yaml).unwrap();
    let json = parse("job.json", JSON, Format::Json).unwrap();
    assert_eq!(shape(&toml), shape(&yaml));
    assert_eq!(shape(&toml), shape(&json));
    let map = &toml.job().stages[0];
    assert_eq!((map.level, map.limits.memory_bytes), (Level::Vm, 64 << 20));
    assert_eq!(map.verify, Verify::Quorum { agree: 2, replicas: 2, replicas_max: 5 });
    assert_eq!(map.constraints.regions, [Region::Europe]);
    assert_eq!(toml.job().wait_ms, Some(30_000));
}

#[test]
fn c2_an_image_is_run_in_a_container_whether_the_file_says_so_or_not() {
    for level in ["", "\nlevel = \"container\"", "\nlevel = \"auto\""] {
        let image = format!("image = \"map.tar\"\ndeterministic = true{level}");
        let plan = parse("job.toml", &TOML.replacen(PROGRAM, &image, 1), Format::Toml).unwrap();
        let map = &plan.job().stages[0];
        assert_eq!((map.level, map.program.value.as_str()), (Level::Container, "map.tar"));
        assert!(map.deterministic);
    }
    let free = TOML.replacen("quorum = { agree = 2, replicas = 2 }", "sample = \"0%\"", 1);
    let free = free.replacen("[verify]\nsample = \"0%\"\n", "", 1);
    let plan = parse("job.toml", &free.replacen(PROGRAM, "image = \"map.tar\"", 1), Format::Toml).unwrap();
    assert!(!plan.job().stages[0].deterministic, "nobody said that its outputs are always the same");
}

/// The rule of C2 among what a stage can be run as.
#[test]
fn c2_the_level_of_a_stage_follows_from_what_it_names_and_asks_for() {
    let both = "program = \"map.wasm\"\nimage = \"map.tar\"\ndeterministic = true";
    for (keys, level, reason, runs) in [
        (PROGRAM.to_owned(), Level::Vm, LevelReason::OnlyProgram, "map.wasm"),
        (format!("{PROGRAM}\nlevel = \"vm\""), Level::Vm, LevelReason::Given, "map.wasm"),
        (format!("{PROGRAM}\nfunction = \"f\""), Level::Function, LevelReason::Function, "map.wasm"),
        (
            "image = \"map.tar\"\ndeterministic = true".to_owned(),
            Level::Container,
            LevelReason::OnlyImage,
            "map.tar",
        ),
        (both.to_owned(), Level::Vm, LevelReason::LittleIo, "map.wasm"),
        (format!("{both}\nlevel = \"container\""), Level::Container, LevelReason::Given, "map.tar"),
        (format!("{both}\nlevel = \"vm\""), Level::Vm, LevelReason::Given, "map.wasm"),
        (
            format!("{both}\nresources = {{ output = \"1GiB\" }}"),
            Level::Container,
            LevelReason::Otherwise,
            "map.tar",
        ),
        (
            format!("{both}\nresources = {{ scratch = \"1GiB\" }}"),
            Level::Container,
            LevelReason::Otherwise,
            "map.tar",
        ),
    ] {
        let plan = parse("job.toml", &TOML.replacen(PROGRAM, &keys, 1), Format::Toml).unwrap();
        let map = &plan.job().stages[0];
        assert_eq!(
            (map.level, map.level_reason, map.program.value.as_str()),
            (level, reason, runs),
            "{keys}"
        );
    }
    let hardware = TOML.replacen(PROGRAM, both, 1).replacen("region = \"europe\"", "gpus = 1", 1);
    let map = &parse("job.toml", &hardware, Format::Toml).unwrap().job().stages[0].clone();
    assert_eq!((map.level, map.level_reason), (Level::Container, LevelReason::SpecialHardware));
}

#[test]
fn c6_conditions_are_read_with_all_their_words() {
    let condition = |when: &str| {
        let text = TOML.replacen("reduce =", &format!("when = {when}\nreduce ="), 1);
        let text = text.replacen(PROGRAM, &format!("{PROGRAM}\nmay_fail = true"), 1);
        let plan = parse("job.toml", &text, Format::Toml).unwrap();
        assert!(plan.job().stages[0].may_fail);
        plan.job().stages[1].when.clone()
    };
    let expected = |of, test, not| Condition { stage: 0, of, test, not };
    let (all, any) = (TasksMeant::All, TasksMeant::Any);
    for (when, found) in [
        ("{ stage = \"map\", is = \"succeeded\" }", expected(all, Test::Succeeded, false)),
        ("{ stage = \"map\", is = \"failed\" }", expected(any, Test::Failed, false)),
        ("{ stage = \"map\", is = \"failed\", of = \"all\" }", expected(all, Test::Failed, false)),
        ("{ stage = \"map\", is = \"skipped\" }", expected(all, Test::Skipped, false)),
        ("{ stage = \"map\", is = \"ran\" }", expected(all, Test::Skipped, true)),
        ("{ stage = \"map\", is = \"ran\", of = \"all\" }", expected(any, Test::Skipped, true)),
        ("{ stage = \"map\", is = \"ran\", not = true }", expected(all, Test::Skipped, false)),
        ("{ stage = \"map\", exit_code = 3 }", expected(all, Test::ExitCode { codes: vec![3] }, false)),
        (
            "{ stage = \"map\", exit_code = [3, -1], of = \"any\", not = true }",
            expected(any, Test::ExitCode { codes: vec![3, -1] }, true),
        ),
        ("{ stage = \"map\", output = \"yes\" }", expected(all, Test::Output { text: "yes".into() }, false)),
        ("{ stage = \"map\", file = \"a/b\" }", expected(all, Test::File { path: "a/b".into() }, false)),
    ] {
        assert_eq!(condition(when), [found], "{when}");
    }
    assert_eq!(condition("[{ stage = \"map\", is = \"ran\" }, { stage = \"map\", file = \"f\" }]").len(), 2);
}

#[test]
fn c6_mistakes_in_conditions_have_line_and_column() {
    for (when, column, problem) in [
        ("{ stage = \"mpa\", is = \"ran\" }", 18, "there is no stage 'mpa'"),
        ("{ stage = \"sum\", is = \"ran\" }", 18, "cannot depend on itself"),
        ("{ stage = \"map\" }", 8, "says what must hold"),
        ("{ stage = \"map\", is = \"ran\", file = \"f\" }", 44, "both say what must hold"),
        ("{ stage = \"map\", is = \"odd\" }", 30, "'odd' is not one of"),
        ("{ stage = \"map\", is = \"failed\" }", 30, "stops the job when it fails"),
        ("{ stage = \"map\", exit_code = 3 }", 37, "stops the job when it fails"),
        ("{ stage = \"map\", exit_code = [] }", 37, "1 to 64 exit codes"),
        ("{ stage = \"map\", file = \"/out/f\" }", 32, "not a plain path"),
        ("{ stage = \"map\", file = \"f\", of = \"each\" }", 42, "does not read each task of 'map'"),
    ] {
        let (_, found, text, _) = fault(Format::Toml, "reduce =", &format!("when = {when}\nreduce ="));
        assert!(text.contains(problem), "{when}: {text}");
        assert_eq!(found, column, "{when}: {text}");
    }
}

#[test]
fn verification_by_reputation_is_a_word() {
    for (text, format, quorum, word) in [
        (TOML, Format::Toml, "[verify]\nquorum = { agree = 2, replicas = 2 }\n", "verify = \"reputation\"\n"),
        (YAML, Format::Yaml, "verify:\n  quorum: { agree: 2, replicas: 2 }\n", "verify: reputation\n"),
        (JSON, Format::Json, "{ \"quorum\": { \"agree\": 2, \"replicas\": 2 } }", "\"reputation\""),
    ] {
        // In TOML, what stands below a table belongs to it.
        let top = format == Format::Toml;
        let changed = if top {
            format!("{word}{}", text.replacen(quorum, "", 1))
        } else {
            text.replacen(quorum, word, 1)
        };
        let plan = parse("job", &changed, format).unwrap();
        assert!(plan.job().stages.iter().all(|stage| stage.verify == Verify::Reputation), "{format:?}");
    }
}

#[test]
fn a_budget_is_an_amount_of_credits_in_quotes() {
    for (format, good, wait, key) in [
        (Format::Toml, TOML, "wait = \"30s\"", "wait = \"30s\"\nbudget = \"2.5\""),
        (Format::Yaml, YAML, "wait: 30s", "wait: 30s\nbudget: \"2.5\""),
        (Format::Json, JSON, "\"wait\": \"30s\"", "\"wait\": \"30s\", \"budget\": \"2.5\""),
    ] {
        let plan = parse("job", &good.replacen(wait, key, 1), format).unwrap();
        assert_eq!(plan.job().budget, Some(Micros::new(2_500_000)), "{format:?}");
    }
    for bad in ["\"lots\"", "\"-1\"", "\"1.0000001\"", "2.5"] {
        let changed = format!("wait = \"30s\"\nbudget = {bad}");
        let problem = fault(Format::Toml, "wait = \"30s\"", &changed).2;
        assert!(problem.contains("amount of credits"), "{bad}: {problem}");
    }
}

/// Replaces `old` by `new` in a good file and says what is wrong with the result.
fn fault(format: Format, old: &str, new: &str) -> (u32, u32, String, Option<String>) {
    let (name, good) = match format {
        Format::Toml => ("job.toml", TOML),
        Format::Yaml => ("job.yaml", YAML),
        Format::Json => ("job.json", JSON),
    };
    assert!(good.contains(old), "{name} has no {old:?}");
    let error = parse(name, &good.replacen(old, new, 1), format).unwrap_err();
    let shown = error.to_string();
    assert!(shown.starts_with(&format!("{name}:{}:{}: ", error.line, error.column)), "{shown}");
    assert!(shown.contains(&error.line_text) && shown.contains('^'), "{shown}");
    (error.line, error.column, error.problem, error.hint)
}

#[test]
fn mistakes_have_line_and_column() {
    use Format::{Json, Toml, Yaml};
    let table: &[(Format, &str, &str, u32, u32, &str)] = &[
        // unknown keys
        (Toml, "memory =", "memroy =", 4, 1, "unknown key 'memroy'"),
        (Yaml, "memory:", "memroy:", 4, 3, "unknown key 'memroy'"),
        (Json, "\"memory\"", "\"memroy\"", 3, 18, "unknown key 'memroy'"),
        // wrong types and units
        (Toml, "\"64MiB\"", "\"64 parsecs\"", 4, 10, "expected a size such as"),
        (Yaml, "64MiB", "64 parsecs", 4, 11, "expected a size such as"),
        (Json, "\"64MiB\"", "\"64 parsecs\"", 3, 28, "expected a size such as"),
        (Toml, "\"30s\"", "30", 2, 8, "expected a duration such as"),
        (Yaml, "30s", "soon", 2, 7, "expected a duration such as"),
        (Json, "\"30s\"", "true", 2, 28, "expected a duration such as"),
        // missing keys
        (Toml, "program = \"map.wasm\"\n", "", 7, 1, "the key 'program' is missing"),
        (Yaml, "    program: map.wasm\n", "", 8, 5, "the key 'program' is missing"),
        (Json, "\"program\": \"map.wasm\", ", "", 6, 5, "the key 'program' is missing"),
        // wrong words
        (Toml, "\"europe\"", "\"eurpe\"", 12, 10, "'eurpe' is not a region"),
        (Yaml, "europe", "eurpe", 12, 15, "'eurpe' is not a region"),
        (Json, "\"europe\"", "\"eurpe\"", 7, 35, "'eurpe' is not a region"),
        // references
        (Toml, "stage = \"map\"", "stage = \"mpa\"", 16, 20, "there is no stage 'mpa'"),
        (Yaml, "stage: map", "stage: mpa", 16, 14, "there is no stage 'mpa'"),
        (Json, "\"stage\": \"map\"", "\"stage\": \"mpa\"", 8, 66, "there is no stage 'mpa'"),
        (Toml, "stage = \"map\"", "stage = \"sum\"", 16, 20, "a stage cannot depend on itself"),
        // rules
        (Toml, "fan_in = 16", "fan_in = 0", 16, 36, "'fan_in' is 1 to"),
        (Yaml, "fan_in: 16", "fan_in: 9999", 17, 15, "'fan_in' is 1 to"),
        (Json, "\"fan_in\": 16", "\"fan_in\": 0", 8, 83, "'fan_in' is 1 to"),
        (Toml, "agree = 2,", "agree = 3,", 5, 1, "a quorum needs"),
        (Toml, "name = \"sum\"", "name = \"map\"", 14, 8, "another stage has the same name"),
        (Toml, "output = ", "numbers = { to = 5 }\noutput = ", 17, 11, "both say where the inputs come from"),
        (Toml, "per_task = 100", "per_task = 0", 10, 41, "'per_task' is at least 1"),
        (Yaml, "wait: 30s", "verify: none", 5, 1, "not valid YAML"),
        (
            Toml,
            "[verify]\nquorum = { agree = 2, replicas = 2 }",
            "[verify]\nsampel = \"5%\"",
            6,
            1,
            "'sampel' is not one of",
        ),
        (
            Json,
            "{ \"quorum\": { \"agree\": 2, \"replicas\": 2 } }",
            "\"reputaton\"",
            4,
            13,
            "'reputaton' is not one of",
        ),
        (
            Toml,
            "program = \"map.wasm\"",
            "program = \"map.wasm\"\nverify = \"reputation\"\ndeterministic = false",
            11,
            17,
            "needs a deterministic program",
        ),
        // syntax
        (Toml, "name = \"words\"", "name = words\"", 1, 8, "not valid TOML"),
        (Json, "\"name\": \"words\",", "\"name\": \"words\"", 2, 19, "not valid JSON"),
        (Json, "\"wait\": \"30s\"", "\"name\": \"again\"", 2, 20, "the key 'name' is there twice"),
        (Yaml, "  - name: sum", " - name: sum", 13, 2, "not valid YAML"),
    ];
    let mut wrong = Vec::new();
    for (format, old, new, line, column, problem) in table {
        let (found_line, found_column, found, _) = fault(*format, old, new);
        if (found_line, found_column) != (*line, *column) || !found.contains(problem) {
            wrong.push(format!(
                "{format:?} {new:?}: expected {line}:{column} {problem}, found {found_line}:{found_column} {found}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn c2_mistakes_with_images_have_line_and_column() {
    for (new, line, column, problem) in [
        (
            "program = \"map.wasm\"\nimage = \"map.tar\"\nfunction = \"f\"",
            11,
            12,
            "with values and an image with words",
        ),
        ("level = \"container\"", 9, 9, "level 'container' needs an image"),
        ("image = \"map.tar\"\nfunction = \"f\"", 10, 12, "an image has no functions"),
        ("image = \"\"", 9, 9, "the image's path is empty"),
        ("image = \"map.tar\"\nlevel = \"vm\"", 7, 1, "the key 'program' is missing"),
        ("image = \"map.tar\"", 5, 1, "needs a deterministic program"),
    ] {
        let (found_line, found_column, found, _) = fault(Format::Toml, PROGRAM, new);
        assert_eq!((found_line, found_column), (line, column), "{new:?}: {found}");
        assert!(found.contains(problem), "{new:?}: {found}");
    }
}

#[test]
fn c9_a_stage_says_what_is_tried_again() {
    let usual = parse("job.toml", TOML, Format::Toml).unwrap();
    assert_eq!(usual.job().stages[0].retry, Retry::default());
    assert_eq!(usual.job().stages[0].failures_max, 3);
    let retry = r#"program = "map.wasm"
retry = { nodes = 5, on = ["time", "exit-code"], exit_codes = [75], losses = 9, backoff = "2s", backoff_max = "1m" }"#;
    let plan = parse("job.toml", &TOML.replacen(PROGRAM, retry, 1), Format::Toml).unwrap();
    let map = &plan.job().stages[0];
    let expected = Retry {
        on: vec![FailureKind::ExitCode, FailureKind::Time],
        exit_codes: vec![75],
        losses_max: 9,
        backoff_ms: 2_000,
        backoff_max_ms: 60_000,
    };
    assert_eq!((map.failures_max, &map.retry), (5, &expected));
    for (given, column, problem) in [
        ("retry = { nodes = 5 }\nfailures_max = 4", 19, "both say on how many nodes"),
        ("retry = { nodes = 0 }", 19, "nodes is at least 1"),
        ("retry = { on = \"exit-cod\" }", 16, "'exit-cod' is not one of"),
        ("retry = { on = \"loss\", exit_codes = [3] }", 38, "no use"),
        ("retry = { exit_codes = [0] }", 25, "no failure"),
        ("retry = { losses = 0 }", 20, "at least 1"),
        ("retry = { backoff = \"9s\", backoff_max = \"8s\" }", 41, "at least 'backoff'"),
        ("retry = { backoff = \"2d\" }", 21, "at most a day"),
        ("retry = { tries = 4 }", 11, "unknown key 'tries'"),
    ] {
        let (line, found, text, _) = fault(Format::Toml, PROGRAM, &format!("{PROGRAM}\n{given}"));
        assert_eq!((line, found), (10, column), "{given}: {text}");
        assert!(text.contains(problem), "{given}: {text}");
    }
}

#[test]
fn mistakes_have_hints() {
    for (old, new, hint) in [
        ("memory =", "memroy =", "did you mean 'memory'?"),
        ("stage = \"map\"", "stage = \"mpa\"", "did you mean 'map'?"),
        ("wait =", "wiat =", "did you mean 'wait'?"),
        ("output = \"result.txt\"", "level = \"function\"", "add function = \"NAME\""),
    ] {
        assert_eq!(fault(Format::Toml, old, new).3.as_deref(), Some(hint), "{new}");
    }
}

#[test]
fn an_error_looks_like_this() {
    let error = parse("job.toml", &TOML.replace("memory =", "memroy ="), Format::Toml).unwrap_err();
    let expected = "job.toml:4:1: unknown key 'memroy'\n    4 | memroy = \"64MiB\"\n      | ^^^^^^\nhint: did you mean 'memory'?";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn hostile_files_are_refused_quickly() {
    let deep_json = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(parse("j.json", &deep_json, Format::Json).is_err());
    let deep_toml = format!("a = {}{}", "[".repeat(100), "]".repeat(100));
    assert!(parse("j.toml", &deep_toml, Format::Toml).is_err());
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
    assert!(parse("j.yaml", bomb, Format::Yaml).is_err());
    assert!(parse("j.toml", &"#".repeat(2 << 20), Format::Toml).is_err());
}

/// `docs/job.schema.json` is what the code reads. `UPDATE_GOLDEN=1` writes it anew.
#[test]
fn published_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/job.schema.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, schema()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), schema(), "run with UPDATE_GOLDEN=1");
}
