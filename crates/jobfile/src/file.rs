//! What may be written in a job file. The comments here are the descriptions in the published schema.

use crate::values::{At, Fuel, Millis, OneOrMany, PerMille, Price, Size};
use opensky_textfile::{
    constraints::Constraints,
    needs::{Gpus, IsolationWord},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// An OpenSky job: stages, each one program over many inputs.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "OpenSky job file")]
pub struct JobFile {
    /// A name for people, 1 to 64 characters.
    pub name: At<String>,
    /// How long tasks wait for a node that fits before the job fails; "0" to fail at once. 10m if
    /// absent.
    pub wait: Option<Millis>,
    /// After how long the whole job is stopped. No end if absent.
    pub deadline: Option<Millis>,
    /// Most that the job may cost, in a sky with prices. No bound but what the account has if absent.
    pub budget: Option<Price>,
    /// Seed of the programs' randomness and of the draw of tasks to check. Random if absent.
    pub seed: Option<u64>,
    /// Limits of each task, for all stages.
    #[serde(default)]
    pub resources: Resources,
    /// How results are checked, for all stages.
    pub verify: Option<At<Verify>>,
    /// Which nodes may run tasks, for all stages.
    #[serde(default)]
    pub constraints: Option<Constraints>,
    /// The stages. A stage can only use stages that stand before it.
    pub stage: At<Vec<At<Stage>>>,
}

/// One stage: the same program over many inputs. At most one of `stdin`, `files`, `lines`, `bytes`,
/// `numbers`, `each` and `reduce` says where the inputs come from; without any there is one task.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Unique in the job, 1 to 64 characters.
    pub name: At<String>,
    /// Path of the WASM module or component. Paths are relative to the job file. A stage may name an image beside
    /// it that does the same; `level` says which is run.
    pub program: Option<At<String>>,
    /// An image to run in a container: `docker:NAME` for one that Docker or Podman has on
    /// this machine, `sky:NAME` for one that the node keeps, the path of an archive as `docker save` writes it, or
    /// `REGISTRY/NAME@sha256:DIGEST` for one that whoever runs it takes from a registry that its owner allows.
    pub image: Option<At<String>>,
    /// What keeps an image's program from its host: `gvisor`, or `any` (the default): what the host's owner has chosen.
    pub isolation: Option<At<IsolationWord>>,
    /// GPUs that each task has for itself: how many, or which.
    pub gpus: Option<At<Gpus>>,
    /// `vm`: a WASI command program. `function`: a call of one exported function. `container`: an image.
    /// `auto` (the default): what the stage names. Of a program and an image the image if special hardware is asked
    /// for, the program if the stage reads and writes little, else the image.
    #[serde(default)]
    pub level: At<Level>,
    /// The exported function, for level `function`.
    pub function: Option<At<String>>,
    /// Arguments. `{item}` stands for the task's own item: the number, the input's name, or the
    /// task's index. For level `function`: the function's arguments as WAVE values. For level `container`:
    /// what follows the image's entry point, instead of its usual command.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Fixed clock, seeded randomness, canonical NaN: same inputs, same outputs. True if absent; for images,
    /// which have none of that, it is your word that outputs are the same, and false if absent.
    pub deterministic: Option<At<bool>>,
    /// One task that reads this file as its standard input.
    pub stdin: Option<At<String>>,
    /// One task per file that matches these patterns (`*`, `**`, `?`), sorted by path.
    pub files: Option<At<OneOrMany<At<String>>>>,
    /// One task per so many lines of a file.
    pub lines: Option<At<Lines>>,
    /// One task per so many bytes of a file.
    pub bytes: Option<At<Bytes>>,
    /// One task per number.
    pub numbers: Option<At<Numbers>>,
    /// One task per task of this earlier stage, reading that task's standard output.
    pub each: Option<At<String>>,
    /// Tasks that each read the standard outputs of several tasks of an earlier stage.
    pub reduce: Option<At<Reduce>>,
    /// Earlier stages that must be complete before this one starts.
    #[serde(default)]
    pub after: OneOrMany<At<String>>,
    /// Limits of each task; what is absent here is taken from the job's.
    #[serde(default)]
    pub resources: Resources,
    /// How results are checked, instead of the job's way.
    pub verify: Option<At<Verify>>,
    /// Which nodes may run tasks, instead of the job's constraints.
    pub constraints: Option<Constraints>,
    /// On how many different nodes a task may fail before the job stops. 3 if absent.
    pub failures_max: Option<At<u8>>,
    /// After which failures a task is tried again on another node, and how soon. After any, at once, if absent.
    pub retry: Option<At<Retry>>,
    /// What must hold of earlier stages for this one to run: one condition or a list of them, all of which must hold.
    /// Else all of its tasks are skipped.
    #[serde(default)]
    pub when: OneOrMany<At<When>>,
    /// Whether a task that fails for good is a result like any other, and the job goes on. False if absent.
    #[serde(default)]
    pub may_fail: bool,
    /// Whether a non-zero exit code is a result like any other. False if absent.
    #[serde(default)]
    pub accept_any_exit: bool,
    /// Whether slow tasks get a second copy elsewhere. True if absent.
    pub hedge: Option<bool>,
    /// Where the standard output goes: a file (all tasks' outputs in order), or with a `/` at the
    /// end a folder (one file per task). Relative to the job file.
    pub output: Option<At<String>>,
}

/// How a program runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Decided by what the stage names and asks for.
    #[default]
    Auto,
    /// A call of one exported function.
    Function,
    /// A WASI command program.
    Vm,
    /// An image.
    Container,
}

/// After which failures a task is tried again on another node, and how soon.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// On how many different nodes a task may fail before the job stops: another way to write `failures_max`.
    pub nodes: Option<At<u8>>,
    /// Failures that are worth another try; any other stops the job at once. All of them if absent.
    pub on: Option<At<OneOrMany<At<Failure>>>>,
    /// If any are named, only these exit codes are worth another try.
    #[serde(default)]
    pub exit_codes: Vec<At<i32>>,
    /// How often runs of one task may be lost, by no fault of the program, before the job stops. 32 if absent.
    pub losses: Option<At<u8>>,
    /// How long a task waits after its first failure; doubles with each further one. "0" if absent.
    pub backoff: Option<At<Millis>>,
    /// Longest such wait. 5m if absent, or `backoff` if that is longer.
    pub backoff_max: Option<At<Millis>>,
}

/// A condition on an earlier stage. Exactly one of `is`, `exit_code`, `output` and `file` says what must hold.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The earlier stage.
    pub stage: At<String>,
    /// How it stands.
    pub is: Option<At<Is>>,
    /// With which exit code its tasks ended: one or a list.
    pub exit_code: Option<At<OneOrMany<i32>>>,
    /// What its tasks wrote to standard output, white space at both ends aside.
    pub output: Option<At<String>>,
    /// A file that its tasks left under `/out`.
    pub file: Option<At<String>>,
    /// Of which of its tasks that must hold: `all`, `any` or, for a stage whose inputs are `each` of that stage,
    /// `each`. `all` if absent; `any` for `is = "failed"` and `is = "ran"`.
    pub of: Option<At<Of>>,
    /// Whether it is the other way round: this stage runs if that does not hold. False if absent.
    #[serde(default)]
    pub not: bool,
}

/// How a stage stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Is {
    /// Its tasks did not fail. Tasks that were skipped did not.
    Succeeded,
    /// Its tasks failed; it must be one that `may_fail`.
    Failed,
    /// Its tasks were skipped.
    Skipped,
    /// Its tasks were not skipped.
    Ran,
}

/// Of which tasks a condition must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// Of all.
    All,
    /// Of one at least.
    Any,
    /// Of the one that a task reads: each task runs or is skipped by itself.
    Each,
}

/// How a run failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It ended with a non-zero exit code.
    ExitCode,
    /// It trapped, or is no program.
    Trap,
    /// It passed a limit other than the wall time.
    Limit,
    /// It ran out of wall time.
    Time,
    /// Its provider was lost, stopped it, or could not fetch what it reads.
    Loss,
    /// Its result did not pass the stage's check.
    Check,
}

/// One task per `per_task` lines of `file`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// The file.
    pub file: At<String>,
    /// Lines of each task, at least 1.
    pub per_task: At<u64>,
}

/// One task per `chunk` bytes of `file`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// The file.
    pub file: At<String>,
    /// Bytes of each task; the last one may have fewer.
    pub chunk: At<Size>,
}

/// One task per number from `from` up to and without `to`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// The first number. 0 if absent.
    #[serde(default)]
    pub from: i64,
    /// The number before which to stop.
    pub to: At<i64>,
    /// From one number to the next, at least 1. 1 if absent.
    pub step: Option<At<i64>>,
}

/// Tasks that each read the standard outputs of up to `fan_in` tasks of `stage`, in order.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reduce {
    /// The earlier stage.
    pub stage: At<String>,
    /// Outputs that each task reads, 1 to 1024. 1024 if absent.
    pub fan_in: Option<At<u32>>,
}

/// Hard limits of each task. A task that passes one is stopped and says which.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Memory of the program. 256MiB if absent.
    pub memory: Option<Size>,
    /// Wall time. 10m if absent.
    pub time: Option<Millis>,
    /// Fuel, about one unit per WASM instruction; in containers, 1G for each second of processor time, and 20G for each
    /// second of each GPU. 1T if
    /// absent; with GPUs as much as the wall time allows.
    pub fuel: Option<Fuel>,
    /// Files written. 256MiB if absent.
    pub scratch: Option<Size>,
    /// Standard output, standard error and output files, each kind on its own. 64MiB if absent.
    pub output: Option<Size>,
}

/// How results are checked.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// One run, believed.
    None,
    /// One run; this share of tasks is run again on another node and compared.
    Sample(PerMille),
    /// Several runs on different nodes that must agree.
    Quorum(Quorum),
    /// One run; run again on another node and compared as often as the standing of the node that ran
    /// it asks.
    Reputation,
    /// A WASM program decides about each result, or whether results of different nodes are alike.
    Checker(Checker),
    /// Several runs on different nodes must agree, but numbers in what they write may differ a little.
    Tolerance(Tolerance),
}

/// A WASI command program that decides about results. It runs on this node and reads what the task read and what it
/// left. It ends with exit code 0 if that is right, with 1 if it is not; anything else decides nothing.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checker {
    /// Path of the program, relative to the job file.
    pub program: At<String>,
    /// Its arguments. `{item}` stands for the task's own item.
    #[serde(default)]
    pub args: Vec<String>,
    /// If given, the program writes a score and ends with 0, and this is the least score that will do.
    pub score_min: Option<At<f64>>,
    /// Results that must be alike. 1 if absent: each result is looked at by itself. 2 or more: as in a quorum, the
    /// program is given two results at a time.
    pub agree: Option<u8>,
    /// Runs to start with. As many as must be alike, if absent.
    pub replicas: Option<u8>,
    /// Most runs. `replicas` plus 3 if absent.
    pub replicas_max: Option<u8>,
    /// Limits of each run of the program: 10s, 10G fuel, 256MiB of memory, 64KiB of output if absent.
    #[serde(default)]
    pub resources: Resources,
}

/// At least `agree` of `replicas` runs on different nodes must be the same but for numbers that differ by one of the
/// two at most; a tie asks for more, up to `replicas_max`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// By so much.
    pub absolute: Option<At<f64>>,
    /// By this part of the larger one, such as 1e-6.
    pub relative: Option<At<f64>>,
    /// Runs that must be alike. 2 if absent.
    pub agree: Option<u8>,
    /// Runs to start with. As many as must be alike, if absent.
    pub replicas: Option<u8>,
    /// Most runs. `replicas` plus 3 if absent.
    pub replicas_max: Option<u8>,
}

/// At least `agree` of `replicas` runs on different nodes must have the same output; a tie asks for
/// more, up to `replicas_max`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// Runs that must agree.
    pub agree: u8,
    /// Runs to start with. As many as must agree, if absent.
    pub replicas: Option<u8>,
    /// Most runs. `replicas` plus 3 if absent.
    pub replicas_max: Option<u8>,
}
