//! Job files: any text is refused with an error that can be shown, or is a job as far as its files allow.

use crate::{Seeds, check_value};
use opensky_jobfile::{
    Format, Plan, parse,
    plan::{CheckPlan, InputsPlan, StageFound, StagePlan},
};
use opensky_types::{
    Hash, codec,
    job::{Blob, StageInputs},
};

const FORMATS: [Format; 3] = [Format::Toml, Format::Yaml, Format::Json];

/// Panics unless what must hold of any text holds of this.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for format in FORMATS {
        match parse("any", text, format) {
            Ok(plan) => check_plan(plan),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// As if each file had been found and had one line.
fn check_plan(plan: Plan) {
    let found = plan.job().stages.iter().map(found).collect();
    match plan.into_spec(found, 7, 0) {
        Ok(spec) => {
            assert!(spec.stages.len() == spec.task_counts().len());
            let encoded = codec::encode(&spec);
            assert!(check_value(&encoded, encoded.len()) == Some(spec));
        }
        // Sizes are counted when all is known; anything else has a place in the file and is found there.
        Err(error) => {
            let is_size = error.problem.contains("at most") || error.problem.contains("tasks");
            assert!(is_size, "{error}");
        }
    }
}

fn found(stage: &StagePlan) -> StageFound {
    let blob = Blob { hash: Hash::of(b"a line\n"), size_bytes: 7 };
    let inputs = match &stage.inputs {
        InputsPlan::One { stdin } => StageInputs::One { stdin: stdin.as_ref().map(|_| blob) },
        InputsPlan::Files { patterns } => {
            let names = patterns.iter().map(|pattern| pattern.value.chars().take(64).collect()).collect();
            StageInputs::Blobs { blobs: vec![blob; patterns.len()], names }
        }
        InputsPlan::Lines { .. } | InputsPlan::Bytes { .. } => StageInputs::Slices { blob, cuts: vec![0, 7] },
        InputsPlan::Numbers { from, to, step } => StageInputs::Numbers { from: *from, to: *to, step: *step },
        InputsPlan::Each { stage } => StageInputs::Each { stage: *stage },
        InputsPlan::Reduce { stage, fan_in } => StageInputs::Reduce { stage: *stage, fan_in: *fan_in },
    };
    let checker = matches!(stage.check, Some(CheckPlan::Program { .. })).then_some(blob);
    StageFound { program: blob, inputs, checker }
}

/// First inputs: the examples, a job with rules, and one in JSON.
pub fn seeds() -> Seeds {
    [
        ("pi", include_str!("../../../../examples/jobs/pi.toml")),
        ("picture", include_str!("../../../../examples/jobs/picture.toml")),
        ("sweep", include_str!("../../../../examples/jobs/sweep.toml")),
        ("word_frequency", include_str!("../../../../examples/jobs/word-frequency.toml")),
        ("functions", include_str!("../../../../examples/jobs/functions.yaml")),
        ("rules", RULES),
        ("json", JSON),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .into()
}

const RULES: &str = r#"name = "rules"
wait = "1h"
deadline = "2d"
budget = "1.5"
seed = 9
resources = { memory = "64MiB", time = "5s" }

[[stage]]
name = "first"
program = "a.wasm"
lines = { file = "in.txt", per_task = 10 }
verify = { checker = { program = "c.wasm", args = ["{item}"], score_min = 0.5, agree = 2, replicas_max = 4 } }
deterministic = false
accept_any_exit = true

[[stage]]
name = "second"
program = "a.wasm"
each = "first"
verify = { quorum = { agree = 2, replicas = 3 } }

[[stage]]
name = "third"
program = "b.wasm"
after = ["first"]
when = { stage = "first", exit_code = 3 }
may_fail = true
retry = { nodes = 4, on = ["exit-code", "loss"], exit_codes = [75], losses = 10, backoff = "5s", backoff_max = "2m" }
constraints = { region = ["europe"] }
bytes = { file = "in.bin", chunk = "1MiB" }
verify = { sample = "5%" }
"#;

const JSON: &str = r#"{"name": "n", "stage": [
  {"name": "s", "program": "p.wasm", "numbers": {"from": 0, "to": 10, "step": 2}, "args": ["{item}"],
   "env": {"A": "b"}, "deterministic": false, "verify": {"tolerance": {"absolute": 1e-9, "relative": 0}}}]}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_inputs_are_jobs() {
        for (name, text) in seeds() {
            let text = String::from_utf8(text).expect("text");
            let parsed = FORMATS.map(|format| parse("any", &text, format));
            assert!(parsed.iter().any(Result::is_ok), "{name}: {:?}", parsed.map(Result::err));
        }
    }
}
