//! Jobs: a graph of stages, each with one program and many tasks.

use crate::{
    hash::Hash,
    ids::TaskId,
    offer::{Constraints, Demand},
    place::Level,
    resources::TaskLimits,
    units::{Micros, Timestamp},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;

mod check;
mod condition;
mod level;
mod needs;
mod program;
mod retry;

pub use check::{
    CHECK_ARGS_BYTES_MAX, CHECK_WALL_MS_MAX, COMPARED_MAX, Check, CheckDecision, Checker, Real, Tolerance,
};
pub use condition::{
    CONDITIONS_MAX, Condition, ResultTests, TEST_CODES_MAX, TEST_TEXT_BYTES_MAX, TESTS_MAX, TasksMeant, Test,
};
pub use level::LevelReason;
pub use needs::{GPUS_MAX, GpuNeed, GpuVendor, ImageRef, Isolation, Needs};
pub use program::Program;
pub use retry::{BACKOFF_MAX_MS_USUAL, BACKOFF_MS_MAX, EXIT_CODES_MAX, FailureKind, LOSSES_MAX_USUAL, Retry};

/// Most stages of a job.
pub const STAGES_MAX: usize = 256;
/// Most tasks of a stage.
pub const STAGE_TASKS_MAX: u32 = 2_000_000;
/// Most inputs that one reduce task reads; so many inline inputs fit one message.
pub const FAN_IN_MAX: u32 = 1_024;
/// Most bytes of a program's function name, arguments and environment together, with eight more for
/// each argument and each variable, so that empty ones count too.
pub const CALL_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of an input's name.
pub const ITEM_BYTES_MAX: usize = 1_024;
/// Bytes up to which an input or output travels inside its message instead of as a blob.
pub const INLINE_BYTES_MAX: usize = 4 * 1024;

/// A job as the consumer's node keeps it: every path resolved to a hash.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct JobSpec {
    /// A name for people, up to 64 characters.
    pub name: String,
    /// The stages, in an order in which each one only depends on earlier ones.
    pub stages: Vec<StageSpec>,
    /// Milliseconds that tasks wait for a node that fits before the job fails. 0: fail at once.
    pub wait_ms: u64,
    /// Milliseconds after which the whole job is stopped; `None` for no end.
    pub deadline_ms: Option<u64>,
    /// Most that the job may cost, in a sky with prices; `None` for no bound but what there is.
    pub budget: Option<Micros>,
    /// Seed of deterministic randomness and of the audit draw.
    pub seed: u64,
    /// Whether the job is on disk before its submission is acknowledged. A caller that waits for
    /// the result and would simply call again sets `false` and saves two disk syncs.
    pub durable: bool,
}

/// One stage: the same program over many inputs.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StageSpec {
    /// Unique in the job, up to 64 characters.
    pub name: String,
    /// What to run.
    pub program: Program,
    /// Why it runs at its level.
    pub level_reason: LevelReason,
    /// One task per input.
    pub inputs: StageInputs,
    /// Stages (by position, each before this one) that must be complete before this one starts,
    /// beside the one that `inputs` reads.
    pub after: Vec<u16>,
    /// Limits of each task.
    pub limits: TaskLimits,
    /// Which nodes may run it.
    pub constraints: Constraints,
    /// How results are checked.
    pub verify: Verify,
    /// For [`Verify::Checked`]: what checks them.
    pub check: Option<Check>,
    /// Distinct nodes on which one task may fail before it is poisoned and the job stops.
    pub failures_max: u8,
    /// After which failures a task is tried again, and how soon.
    pub retry: Retry,
    /// What must hold of earlier stages; else all tasks are skipped.
    pub when: Vec<Condition>,
    /// Whether a task that fails for good is a result like any other, and the job goes on.
    pub may_fail: bool,
    /// Whether a non-zero exit code is a result like any other, not a failure to retry.
    pub accept_any_exit: bool,
    /// Whether stragglers get a second copy elsewhere.
    pub hedge: bool,
}

impl StageSpec {
    /// Stages that must be settled as a whole before this one starts: those it stands after and those that its
    /// conditions are about.
    pub fn predecessors(&self) -> BTreeSet<u16> {
        let conditions = self.when.iter().filter(|condition| condition.of != TasksMeant::Each);
        self.after.iter().copied().chain(conditions.map(|condition| condition.stage)).collect()
    }

    /// What the market must find for this stage.
    pub fn demand(&self) -> Demand {
        Demand {
            level: self.program.level,
            limits: self.limits,
            constraints: self.constraints.clone(),
            needs: self.program.needs.clone(),
        }
    }
}

/// Where a stage's tasks get their inputs. The task count follows from it.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum StageInputs {
    /// One task; its stdin is the blob, if any.
    One { stdin: Option<Blob> } = 0,
    /// One task per number from `from` up to and without `to`.
    Numbers { from: i64, to: i64, step: i64 } = 1,
    /// One task per blob, read as stdin; `names` are the items.
    Blobs { blobs: Vec<Blob>, names: Vec<String> } = 2,
    /// One task per slice of one large blob, read as stdin. Task i reads `cuts[i]..cuts[i + 1]`.
    Slices { blob: Blob, cuts: Vec<u64> } = 3,
    /// One task per task of an earlier stage, reading that task's stdout.
    Each { stage: u16 } = 4,
    /// Tasks that each read the stdout of up to `fan_in` tasks of an earlier stage, one after the
    /// other in order.
    Reduce { stage: u16, fan_in: u32 } = 5,
}

/// Content by hash and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Blob {
    /// BLAKE3 of the content.
    pub hash: Hash,
    /// Its size, in bytes.
    pub size_bytes: u64,
}

/// How results are verified (spec V1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Verify {
    /// One run, believed.
    None = 0,
    /// One run; a share of tasks, drawn from the job's seed, is run again elsewhere and compared.
    Sample { per_mille: u16 } = 1,
    /// At least `agree` of `replicas` runs on distinct nodes must commit to the same output hash; a
    /// tie asks for more, up to `replicas_max`.
    Quorum { agree: u8, replicas: u8, replicas_max: u8 } = 2,
    /// One run; run again elsewhere and compared as often as the standing of the node that ran it
    /// asks (spec V3).
    Reputation = 3,
    /// Results are looked at by the stage's [`Check`]. With `agree` of 1, each by itself: one run, whose result
    /// counts if the check passes. Else as in a quorum, but results are alike if the check says so.
    Checked { agree: u8, replicas: u8, replicas_max: u8 } = 4,
}

impl Verify {
    /// Whether results are committed to before they are shown, so that none can be copied from another's.
    pub const fn commits_first(self) -> bool {
        matches!(self, Self::Quorum { .. }) || self.compares_by_check()
    }

    /// Whether results of several nodes are compared by a check.
    pub const fn compares_by_check(self) -> bool {
        matches!(self, Self::Checked { agree: 2.., .. })
    }
}

/// How a job or a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum JobState {
    /// Accepted, no task has run yet, and nodes that fit are being looked for.
    Waiting = 0,
    /// Tasks are running.
    Running = 1,
    /// Every task has an accepted result, or was skipped.
    Succeeded = 2,
    /// Stopped by a poisoned task, a deadline or no node that fits.
    Failed = 3,
    /// Stopped by its owner.
    Cancelled = 4,
}

impl JobState {
    /// Whether nothing more will happen unless the owner retries.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Why a spec is not a job. `stage` is the name of the stage at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", stage.as_ref().map(|s| format!("stage '{s}': ")).unwrap_or_default())]
pub struct InvalidJob {
    /// The stage, where one is at fault.
    pub stage: Option<String>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl JobSpec {
    /// Tasks of each stage, in order; only for a spec that [`JobSpec::validate`] accepts.
    pub fn task_counts(&self) -> Vec<u32> {
        let mut counts: Vec<u32> = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            counts.push(stage.inputs.task_count(&counts));
        }
        counts
    }

    /// Every blob that the spec names, each once.
    pub fn blobs(&self) -> Vec<Hash> {
        let mut hashes = Vec::new();
        for stage in &self.stages {
            hashes.extend(stage.program.blob().map(|blob| blob.hash));
            if let Some(Check::Program(checker)) = &stage.check {
                hashes.push(checker.program);
            }
            match &stage.inputs {
                StageInputs::One { stdin } => hashes.extend(stdin.iter().map(|blob| blob.hash)),
                StageInputs::Blobs { blobs, .. } => hashes.extend(blobs.iter().map(|blob| blob.hash)),
                StageInputs::Slices { blob, .. } => hashes.push(blob.hash),
                StageInputs::Numbers { .. } | StageInputs::Each { .. } | StageInputs::Reduce { .. } => {}
            }
        }
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }

    /// Checks everything a node relies on, so that no later step needs to.
    pub fn validate(&self) -> Result<(), InvalidJob> {
        let fail = |stage: Option<&StageSpec>, problem: String| {
            Err(InvalidJob { stage: stage.map(|s| s.name.clone()), problem })
        };
        if self.stages.is_empty() || self.stages.len() > STAGES_MAX {
            return fail(
                None,
                format!("a job has 1 to {STAGES_MAX} stages, this one has {}", self.stages.len()),
            );
        }
        if self.name.is_empty() || self.name.chars().count() > 64 {
            return fail(None, "a job's name has 1 to 64 characters".into());
        }
        let mut counts: Vec<u32> = Vec::new();
        for (position, stage) in self.stages.iter().enumerate() {
            if self.stages[..position].iter().any(|other| other.name == stage.name) {
                return fail(Some(stage), "another stage has the same name".into());
            }
            let conditions = |()| condition::validate(&self.stages, position);
            if let Err(problem) = stage.validate(position).and_then(conditions) {
                return fail(Some(stage), problem);
            }
            let count = stage.inputs.task_count(&counts);
            if count == 0 || count > STAGE_TASKS_MAX {
                return fail(
                    Some(stage),
                    format!("a stage has 1 to {STAGE_TASKS_MAX} tasks, this one has {count}"),
                );
            }
            counts.push(count);
        }
        if let Err((stage, problem)) = condition::validate_tests(self) {
            return fail(self.stages.get(stage), problem);
        }
        Ok(())
    }
}

impl StageSpec {
    fn validate(&self, position: usize) -> Result<(), String> {
        if self.name.is_empty() || self.name.chars().count() > 64 {
            return Err("a stage's name has 1 to 64 characters".into());
        }
        let reads = match self.inputs {
            StageInputs::Each { stage } | StageInputs::Reduce { stage, .. } => Some(stage),
            _ => None,
        };
        if self.after.iter().chain(reads.iter()).any(|earlier| usize::from(*earlier) >= position) {
            return Err("a stage can only depend on stages before it".into());
        }
        if self.program.call_bytes() > CALL_BYTES_MAX {
            return Err(format!("arguments and environment have at most {CALL_BYTES_MAX} bytes"));
        }
        if self.program.level == Level::Function && self.program.function.is_empty() {
            return Err("level 'function' needs the name of an exported function".into());
        }
        self.program.validate_needs()?;
        if self.failures_max == 0 {
            return Err("failures_max is at least 1".into());
        }
        self.retry.validate()?;
        self.inputs.validate()?;
        if self.check.is_some() != matches!(self.verify, Verify::Checked { .. }) {
            return Err("a check goes with verification by a check, and the other way round".into());
        }
        match self.verify {
            Verify::Sample { per_mille } if per_mille > 1000 => {
                Err("a sample is at most 1000 per mille".into())
            }
            Verify::Quorum { agree, replicas, replicas_max }
                if agree == 0 || agree > replicas || replicas > replicas_max || replicas_max > 31 =>
            {
                Err("a quorum needs 1 <= agree <= replicas <= replicas_max <= 31".into())
            }
            Verify::Checked { agree, replicas, replicas_max }
                if agree == 0
                    || agree > replicas
                    || replicas > replicas_max
                    || replicas_max > COMPARED_MAX =>
            {
                Err(format!("a check needs 1 <= agree <= replicas <= replicas_max <= {COMPARED_MAX}"))
            }
            Verify::Checked { agree: 1, replicas_max: 2.., .. } => {
                Err("a check of each result by itself has one replica".into())
            }
            Verify::Checked { agree, .. } => {
                self.check.as_ref().map_or(Ok(()), |check| check.validate(agree))
            }
            Verify::Sample { .. } | Verify::Quorum { .. } | Verify::Reputation
                if !self.program.deterministic =>
            {
                Err("results are compared by hash, so verification needs a deterministic program".into())
            }
            _ => Ok(()),
        }
    }
}

impl StageInputs {
    /// Tasks of this stage, given the counts of the stages before it.
    fn task_count(&self, earlier: &[u32]) -> u32 {
        let wide = match self {
            Self::One { .. } => 1,
            Self::Numbers { from, to, step } => count_numbers(*from, *to, *step),
            Self::Blobs { blobs, .. } => blobs.len() as u64,
            Self::Slices { cuts, .. } => cuts.len().saturating_sub(1) as u64,
            Self::Each { stage } => earlier.get(usize::from(*stage)).copied().map_or(0, u64::from),
            Self::Reduce { stage, fan_in } => earlier
                .get(usize::from(*stage))
                .map_or(0, |count| u64::from(count.div_ceil((*fan_in).max(1)))),
        };
        u32::try_from(wide).unwrap_or(u32::MAX)
    }

    fn validate(&self) -> Result<(), String> {
        match self {
            Self::Numbers { step, .. } if *step <= 0 => Err("'step' must be positive".into()),
            Self::Blobs { blobs, names } if blobs.len() != names.len() => {
                Err("every blob needs a name".into())
            }
            Self::Blobs { names, .. } if names.iter().any(|name| name.len() > ITEM_BYTES_MAX) => {
                Err(format!("an input's name has at most {ITEM_BYTES_MAX} bytes"))
            }
            Self::Slices { blob, cuts }
                if cuts.windows(2).any(|pair| pair[0] > pair[1])
                    || cuts.last().is_some_and(|last| *last > blob.size_bytes) =>
            {
                Err("slices must follow each other within the blob".into())
            }
            Self::Reduce { fan_in, .. } if *fan_in == 0 || *fan_in > FAN_IN_MAX => {
                Err(format!("fan_in is 1 to {FAN_IN_MAX}"))
            }
            _ => Ok(()),
        }
    }
}

/// How often a loop over these numbers would run; zero where `step` does not lead upwards.
fn count_numbers(from: i64, to: i64, step: i64) -> u64 {
    let Some(step) = u64::try_from(step).ok().filter(|step| *step > 0) else { return 0 };
    if from < to { to.abs_diff(from).div_ceil(step) } else { 0 }
}

/// A step of a job that a user may ask about with `opensky why`.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct JobNote {
    /// When it happened.
    pub at: Timestamp,
    /// The task, where it is about one.
    pub task: Option<TaskId>,
    /// What happened, and why.
    pub reason: crate::reason::Reason,
}
