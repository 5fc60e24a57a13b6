//! What a job file comes to: everything decided but the contents of local files.

use crate::{JobFileError, values::At};
use opensky_textfile::{Fault, Source};
use opensky_types::{
    Micros,
    job::{
        Blob, Check, Checker, Condition, InvalidJob, JobSpec, LevelReason, Needs, Program, Real, Retry,
        StageInputs, StageSpec, Tolerance, Verify,
    },
    offer::Constraints,
    place::Level,
    resources::TaskLimits,
};

/// A checked job file.
#[derive(Debug, Clone)]
pub struct Plan {
    source: Source,
    job: JobPlan,
}

/// A job whose files have not been read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPlan {
    /// Its name.
    pub name: String,
    /// Milliseconds that tasks wait for a node that fits, where the file says.
    pub wait_ms: Option<u64>,
    /// Milliseconds after which the job is stopped.
    pub deadline_ms: Option<u64>,
    /// Most that the job may cost.
    pub budget: Option<Micros>,
    /// Its seed, where the file says.
    pub seed: Option<u64>,
    /// Its stages.
    pub stages: Vec<StagePlan>,
}

/// A stage whose files have not been read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct StagePlan {
    /// Its name.
    pub name: String,
    /// Path of its program.
    pub program: At<String>,
    /// How it runs.
    pub level: Level,
    /// Why at that level.
    pub level_reason: LevelReason,
    /// The exported function, for level `function`; else empty.
    pub function: String,
    /// Arguments.
    pub args: Vec<String>,
    /// Environment variables, in order.
    pub env: Vec<(String, String)>,
    /// Whether it is deterministic.
    pub deterministic: bool,
    /// For level `container`: what it needs beside a processor, memory and files.
    pub needs: Needs,
    /// Where inputs come from.
    pub inputs: InputsPlan,
    /// Earlier stages to wait for, by position.
    pub after: Vec<u16>,
    /// Limits of each task.
    pub limits: TaskLimits,
    /// Which nodes may run it.
    pub constraints: Constraints,
    /// How results are checked.
    pub verify: Verify,
    /// What checks them, for verification by a check.
    pub check: Option<CheckPlan>,
    /// Nodes on which a task may fail.
    pub failures_max: u8,
    /// After which failures a task is tried again, and how soon.
    pub retry: Retry,
    /// What must hold of earlier stages.
    pub when: Vec<Condition>,
    /// Whether its tasks may fail and the job goes on.
    pub may_fail: bool,
    /// Whether every exit code is a result.
    pub accept_any_exit: bool,
    /// Whether stragglers get a second copy.
    pub hedge: bool,
    /// Where the standard output goes, relative to the job file.
    pub output: Option<At<String>>,
}

/// What checks a stage's results.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckPlan {
    /// A program.
    Program {
        /// Its path.
        program: At<String>,
        /// Its arguments.
        args: Vec<String>,
        /// The least score that will do.
        score_min: Option<Real>,
        /// Limits of each run.
        limits: TaskLimits,
    },
    /// A comparison of numbers.
    Tolerance(Tolerance),
}

/// Where a stage's inputs come from. Paths are relative to the job file.
#[derive(Debug, Clone, PartialEq)]
pub enum InputsPlan {
    /// One task, reading this file if any.
    One { stdin: Option<At<String>> },
    /// One task per file that matches, sorted by path, each only once.
    Files { patterns: Vec<At<String>> },
    /// One task per so many lines; see [`crate::cut::LineCutter`].
    Lines { file: At<String>, per_task: u64 },
    /// One task per so many bytes; see [`crate::cut::by_bytes`].
    Bytes { file: At<String>, chunk_bytes: u64 },
    /// One task per number.
    Numbers { from: i64, to: i64, step: i64 },
    /// One task per task of an earlier stage.
    Each { stage: u16 },
    /// Tasks that read several outputs of an earlier stage.
    Reduce { stage: u16, fan_in: u32 },
}

/// What was found on disk for one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct StageFound {
    /// The program, uploaded; of an image in a registry the hash of its name, and no size.
    pub program: Blob,
    /// The inputs, uploaded and cut.
    pub inputs: StageInputs,
    /// The program that checks results, uploaded, where there is one.
    pub checker: Option<Blob>,
}

impl Plan {
    pub(crate) fn new(source: Source, job: JobPlan) -> Self {
        Self { source, job }
    }

    /// The job.
    pub fn job(&self) -> &JobPlan {
        &self.job
    }

    /// An error about the value at `at`, such as a path that does not exist.
    pub fn error_at<T>(&self, at: &At<T>, problem: impl Into<String>, hint: Option<String>) -> JobFileError {
        let fault = Fault { span: Some(at.span), problem: problem.into(), hint };
        self.source.error(fault)
    }

    /// The job, with `found` for each of its stages, in order. `seed_drawn` is random and used
    /// unless the file names a seed.
    pub fn into_spec(
        self,
        found: Vec<StageFound>,
        seed_drawn: u64,
        wait_ms_default: u64,
    ) -> Result<JobSpec, InvalidJob> {
        let JobPlan { name, wait_ms, deadline_ms, budget, seed, stages } = self.job;
        let stages = stages.into_iter().zip(found).map(|(stage, found)| stage.into_spec(found));
        let spec = JobSpec {
            name,
            stages: stages.collect(),
            wait_ms: wait_ms.unwrap_or(wait_ms_default),
            deadline_ms,
            budget,
            seed: seed.unwrap_or(seed_drawn),
            durable: true,
        };
        spec.validate()?;
        Ok(spec)
    }
}

impl StagePlan {
    fn into_spec(self, found: StageFound) -> StageSpec {
        let check = self.check.and_then(|check| check.into_check(found.checker));
        StageSpec {
            check,
            name: self.name,
            level_reason: self.level_reason,
            program: Program {
                hash: found.program.hash,
                size_bytes: found.program.size_bytes,
                level: self.level,
                function: self.function,
                args: self.args,
                env: self.env,
                deterministic: self.deterministic,
                needs: self.needs,
            },
            inputs: found.inputs,
            after: self.after,
            limits: self.limits,
            constraints: self.constraints,
            verify: self.verify,
            failures_max: self.failures_max,
            retry: self.retry,
            when: self.when,
            may_fail: self.may_fail,
            accept_any_exit: self.accept_any_exit,
            hedge: self.hedge,
        }
    }
}

impl CheckPlan {
    /// The check, with the program that was found; none for a program that was not.
    fn into_check(self, found: Option<Blob>) -> Option<Check> {
        match self {
            Self::Tolerance(tolerance) => Some(Check::Tolerance(tolerance)),
            Self::Program { args, score_min, limits, .. } => found.map(|Blob { hash, size_bytes }| {
                Check::Program(Checker { program: hash, size_bytes, args, score_min, limits })
            }),
        }
    }
}
