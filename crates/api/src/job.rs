//! What is submitted: a job with every path already resolved to a hash.

use crate::content::BlobRef;
use opensky_types::{
    Hash, Micros, NodeId,
    job::{Blob, InvalidJob, JobSpec, LevelReason, Program, StageInputs, StageSpec, Verify},
    offer::Constraints,
    place::{Level, NodeKind, Region},
    resources::TaskLimits,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use utoipa::ToSchema;

mod needs;
mod rules;

pub(crate) use needs::no_hash;
pub use needs::{ContainerOfferView, GpuNeedView, NeedsView};
pub use rules::{CheckView, ConditionView, RetryView, TasksMeantView, TestView};

/// Milliseconds that tasks wait for a node that fits, unless the job says otherwise: ten minutes.
pub const WAIT_MS_DEFAULT: u64 = 600_000;
/// Distinct nodes on which a task may fail, unless the stage says otherwise.
pub const FAILURES_MAX_DEFAULT: u8 = 3;
/// Largest blob that holds a list ([`ListOf::Uploaded`]), in bytes.
pub const LIST_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// A seed that a node draws is below this, so that JavaScript reads it exactly.
pub const SEED_DRAWN_LIMIT: u64 = 1 << 53;

/// A job to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// A name for people, up to 64 characters.
    pub name: String,
    /// In an order in which each stage depends on earlier ones only.
    pub stages: Vec<StageRequest>,
    /// Milliseconds that tasks wait for a node that fits before the job fails. 0: fail at once.
    #[serde(default = "wait_ms_default")]
    pub wait_ms: u64,
    /// Milliseconds after which the whole job is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Most that the job may cost, in a sky with prices, in micros.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_micros: Option<Micros>,
    /// Seed of deterministic randomness and of the audit draw. Absent: drawn by the node, so that
    /// no provider can foresee which tasks are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether the job is on disk before the answer comes.
    #[serde(default = "yes")]
    pub durable: bool,
}

/// One stage: the same program over many inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageRequest {
    /// Unique in the job, up to 64 characters.
    pub name: String,
    /// What to run.
    pub program: ProgramRequest,
    /// Why it runs at its level, for `opensky why`.
    #[serde(default = "level_given", skip_serializing_if = "is_level_given")]
    pub level_reason: LevelReason,
    /// One task per input.
    pub inputs: InputsRequest,
    /// Positions of stages that must be complete before this one starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u16>,
    /// Limits of each task.
    #[serde(default)]
    pub limits: TaskLimitsView,
    /// Which nodes may run it.
    #[serde(default)]
    pub constraints: ConstraintsView,
    /// How results are checked.
    #[serde(default)]
    pub verify: VerifyView,
    /// For mode `checked`: what checks them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckView>,
    /// Distinct nodes on which one task may fail before the job stops.
    #[serde(default = "failures_max_default")]
    pub failures_max: u8,
    /// After which failures a task is tried again, and how soon.
    #[serde(default, skip_serializing_if = "RetryView::is_usual")]
    pub retry: RetryView,
    /// What must hold of earlier stages; else all tasks are skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<ConditionView>,
    /// Whether a task that fails for good is a result like any other, and the job goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_fail: bool,
    /// Whether a non-zero exit code is a result like any other.
    #[serde(default)]
    pub accept_any_exit: bool,
    /// Whether stragglers get a second copy elsewhere.
    #[serde(default = "yes")]
    pub hedge: bool,
}

/// A program and how it is called. `{item}` in an argument stands for the task's own item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramRequest {
    /// The uploaded WASM module, component or image, by hash. Of an image in a registry that of its name, which may
    /// be left out.
    #[serde(default = "no_hash")]
    pub hash: Hash,
    /// Its size, in bytes; 0 of an image in a registry.
    #[serde(default)]
    pub size_bytes: u64,
    /// How it runs.
    #[serde(default = "level_default")]
    pub level: Level,
    /// For level `function`: the exported function.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub function: String,
    /// Arguments after the program's name, or the function's arguments as WAVE values.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// Fixed clock, seeded randomness, canonical NaN.
    #[serde(default = "yes")]
    pub deterministic: bool,
    /// For level `container`: what it needs beside a processor, memory and files.
    #[serde(default, skip_serializing_if = "NeedsView::is_nothing")]
    pub needs: NeedsView,
}

/// Where a stage's tasks get their inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum InputsRequest {
    /// One task; its stdin is the blob, if any.
    One {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stdin: Option<BlobRef>,
    },
    /// One task per number from `from` up to and without `to`.
    Numbers {
        from: i64,
        to: i64,
        #[serde(default = "one")]
        step: i64,
    },
    /// One task per blob, read as stdin.
    Blobs { blobs: ListOf<NamedBlob> },
    /// One task per slice of one blob. Task i reads bytes `cuts[i]..cuts[i + 1]`.
    Slices { blob: BlobRef, cuts: ListOf<u64> },
    /// One task per task of an earlier stage (by position), reading that task's stdout.
    Each { stage: u16 },
    /// Tasks that each read the stdout of up to `fan_in` tasks of an earlier stage, in order.
    Reduce { stage: u16, fan_in: u32 },
}

/// A list, in place or, if long, uploaded first as a blob that holds the same JSON array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ListOf<T> {
    /// The list itself.
    Inline(Vec<T>),
    /// The blob that holds it.
    Uploaded(BlobRef),
}

/// An input and its name, which is the task's item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedBlob {
    /// What `{item}` stands for.
    pub name: String,
    /// BLAKE3 of the content.
    pub hash: Hash,
    /// Its size, in bytes.
    pub size_bytes: u64,
}

/// The hard limits of one task. Absent ones have their default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TaskLimitsView {
    /// Linear memory, in bytes.
    pub memory_bytes: u64,
    /// Fuel, about one unit per WASM instruction.
    pub fuel: u64,
    /// Wall time, in milliseconds.
    pub wall_ms: u64,
    /// Files written, in bytes.
    pub scratch_bytes: u64,
    /// Standard output, standard error and output files, each kind on its own, in bytes.
    pub output_bytes: u64,
}

impl Default for TaskLimitsView {
    fn default() -> Self {
        TaskLimits::default().into()
    }
}

/// What providers must have. Absent or empty means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConstraintsView {
    /// Only these regions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
    /// Only nodes of one of these kinds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<NodeKind>,
    /// Only these nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<NodeId>,
    /// Never these nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers_excluded: Vec<NodeId>,
    /// At least this many logical cores.
    pub cpu_cores_min: u16,
    /// At least this score of one core.
    pub score_min: u32,
    /// At least this much machine memory, in bytes.
    pub machine_memory_bytes_min: u64,
    /// At least this many GPUs.
    pub gpus_min: u8,
    /// At most this price of one billion fuel, in micros.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_per_gfuel_max: Option<Micros>,
    /// Processor architecture, such as `x86_64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
}

/// How results are verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum VerifyView {
    /// One run, believed.
    #[default]
    None,
    /// One run; a share of tasks is run again elsewhere and compared.
    Sample { per_mille: u16 },
    /// At least `agree` of `replicas` runs on distinct nodes must have the same result; a tie asks
    /// for more, up to `replicas_max`.
    Quorum { agree: u8, replicas: u8, replicas_max: u8 },
    /// One run; run again elsewhere and compared as often as the standing of the node that ran it asks.
    Reputation,
    /// Results are looked at by the stage's check. With `agree` of 1, each by itself; else as in a quorum, but results
    /// are alike if the check says so.
    Checked { agree: u8, replicas: u8, replicas_max: u8 },
}

/// Why a request is not a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobRequestError {
    /// An uploaded list was not handed in.
    #[error("the list {hash} is not on this node; upload it first")]
    ListMissing { hash: Hash },
    /// An uploaded list is not the JSON array it should be.
    #[error("the list {hash} is not a JSON array of the right shape: {reason}")]
    ListMalformed { hash: Hash, reason: String },
    /// A rule of jobs is broken.
    #[error(transparent)]
    Invalid(#[from] InvalidJob),
}

impl JobRequest {
    /// Blobs that hold lists: to be read before [`JobRequest::into_spec`].
    pub fn lists(&self) -> Vec<BlobRef> {
        let uploaded = |stage: &StageRequest| match &stage.inputs {
            InputsRequest::Blobs { blobs: ListOf::Uploaded(list) } => Some(*list),
            InputsRequest::Slices { cuts: ListOf::Uploaded(list), .. } => Some(*list),
            _ => None,
        };
        self.stages.iter().filter_map(uploaded).collect()
    }

    /// The job, validated. `seed_drawn` is random and used unless the request names a seed; `lists`
    /// are the contents of [`JobRequest::lists`].
    pub fn into_spec(
        self,
        seed_drawn: u64,
        lists: &BTreeMap<Hash, Vec<u8>>,
    ) -> Result<JobSpec, JobRequestError> {
        let stages = self.stages.into_iter().map(|stage| stage.into_spec(lists));
        let spec = JobSpec {
            name: self.name,
            stages: stages.collect::<Result<_, _>>()?,
            wait_ms: self.wait_ms,
            deadline_ms: self.deadline_ms,
            budget: self.budget_micros,
            seed: self.seed.unwrap_or(seed_drawn),
            durable: self.durable,
        };
        spec.validate()?;
        Ok(spec)
    }

    /// Moves each list of more than `length_max` entries out; what comes back must be uploaded
    /// before the request is sent.
    pub fn split_long_lists(&mut self, length_max: usize) -> Vec<Vec<u8>> {
        let mut uploads = Vec::new();
        for stage in &mut self.stages {
            match &mut stage.inputs {
                InputsRequest::Blobs { blobs } => blobs.split(length_max, &mut uploads),
                InputsRequest::Slices { cuts, .. } => cuts.split(length_max, &mut uploads),
                _ => {}
            }
        }
        uploads
    }
}

impl<T: Serialize + DeserializeOwned> ListOf<T> {
    fn into_vec(self, lists: &BTreeMap<Hash, Vec<u8>>) -> Result<Vec<T>, JobRequestError> {
        match self {
            Self::Inline(list) => Ok(list),
            Self::Uploaded(BlobRef { hash, .. }) => {
                let bytes = lists.get(&hash).ok_or(JobRequestError::ListMissing { hash })?;
                serde_json::from_slice(bytes)
                    .map_err(|error| JobRequestError::ListMalformed { hash, reason: error.to_string() })
            }
        }
    }

    fn split(&mut self, length_max: usize, uploads: &mut Vec<Vec<u8>>) {
        if let Self::Inline(list) = self
            && list.len() > length_max
        {
            let bytes = serde_json::to_vec(list).expect("plain records always serialize");
            *self = Self::Uploaded(BlobRef { hash: Hash::of(&bytes), size_bytes: bytes.len() as u64 });
            uploads.push(bytes);
        }
    }
}

impl StageRequest {
    fn into_spec(self, lists: &BTreeMap<Hash, Vec<u8>>) -> Result<StageSpec, JobRequestError> {
        if self.program.hash == no_hash() && self.program.needs.image.is_none() {
            let problem = "its program has no hash, and names no image in a registry".to_owned();
            return Err(InvalidJob { stage: Some(self.name), problem }.into());
        }
        let limits = self.program.needs.limits(self.limits.into());
        Ok(StageSpec {
            name: self.name,
            program: self.program.into(),
            level_reason: self.level_reason,
            inputs: self.inputs.into_spec(lists)?,
            after: self.after,
            limits,
            constraints: self.constraints.into(),
            verify: self.verify.into(),
            check: self.check.map(Into::into),
            failures_max: self.failures_max,
            retry: self.retry.into(),
            when: self.when.into_iter().map(Into::into).collect(),
            may_fail: self.may_fail,
            accept_any_exit: self.accept_any_exit,
            hedge: self.hedge,
        })
    }
}

impl InputsRequest {
    fn into_spec(self, lists: &BTreeMap<Hash, Vec<u8>>) -> Result<StageInputs, JobRequestError> {
        Ok(match self {
            Self::One { stdin } => StageInputs::One { stdin: stdin.map(Into::into) },
            Self::Numbers { from, to, step } => StageInputs::Numbers { from, to, step },
            Self::Blobs { blobs } => {
                let split =
                    |named: NamedBlob| (Blob { hash: named.hash, size_bytes: named.size_bytes }, named.name);
                let (blobs, names) = blobs.into_vec(lists)?.into_iter().map(split).unzip();
                StageInputs::Blobs { blobs, names }
            }
            Self::Slices { blob, cuts } => {
                StageInputs::Slices { blob: blob.into(), cuts: cuts.into_vec(lists)? }
            }
            Self::Each { stage } => StageInputs::Each { stage },
            Self::Reduce { stage, fan_in } => StageInputs::Reduce { stage, fan_in },
        })
    }
}

impl From<JobSpec> for JobRequest {
    fn from(spec: JobSpec) -> Self {
        Self {
            name: spec.name,
            stages: spec.stages.into_iter().map(Into::into).collect(),
            wait_ms: spec.wait_ms,
            deadline_ms: spec.deadline_ms,
            budget_micros: spec.budget,
            seed: Some(spec.seed),
            durable: spec.durable,
        }
    }
}

impl From<StageSpec> for StageRequest {
    fn from(stage: StageSpec) -> Self {
        Self {
            name: stage.name,
            program: stage.program.into(),
            level_reason: stage.level_reason,
            inputs: stage.inputs.into(),
            after: stage.after,
            limits: stage.limits.into(),
            constraints: stage.constraints.into(),
            verify: stage.verify.into(),
            check: stage.check.map(Into::into),
            failures_max: stage.failures_max,
            retry: stage.retry.into(),
            when: stage.when.into_iter().map(Into::into).collect(),
            may_fail: stage.may_fail,
            accept_any_exit: stage.accept_any_exit,
            hedge: stage.hedge,
        }
    }
}

impl From<StageInputs> for InputsRequest {
    fn from(inputs: StageInputs) -> Self {
        match inputs {
            StageInputs::One { stdin } => Self::One { stdin: stdin.map(Into::into) },
            StageInputs::Numbers { from, to, step } => Self::Numbers { from, to, step },
            StageInputs::Blobs { blobs, names } => {
                let named = blobs.into_iter().zip(names).map(|(blob, name)| NamedBlob {
                    name,
                    hash: blob.hash,
                    size_bytes: blob.size_bytes,
                });
                Self::Blobs { blobs: ListOf::Inline(named.collect()) }
            }
            StageInputs::Slices { blob, cuts } => {
                Self::Slices { blob: blob.into(), cuts: ListOf::Inline(cuts) }
            }
            StageInputs::Each { stage } => Self::Each { stage },
            StageInputs::Reduce { stage, fan_in } => Self::Reduce { stage, fan_in },
        }
    }
}

impl From<ProgramRequest> for Program {
    fn from(program: ProgramRequest) -> Self {
        let (hash, size_bytes) = program.needs.content(program.hash, program.size_bytes);
        Self {
            hash,
            size_bytes,
            level: program.level,
            function: program.function,
            args: program.args,
            env: program.env,
            deterministic: program.deterministic,
            needs: program.needs.into(),
        }
    }
}

impl From<Program> for ProgramRequest {
    fn from(program: Program) -> Self {
        Self {
            hash: program.hash,
            size_bytes: program.size_bytes,
            level: program.level,
            function: program.function,
            args: program.args,
            env: program.env,
            deterministic: program.deterministic,
            needs: program.needs.into(),
        }
    }
}

impl From<TaskLimitsView> for TaskLimits {
    fn from(limits: TaskLimitsView) -> Self {
        Self {
            memory_bytes: limits.memory_bytes,
            fuel: limits.fuel,
            wall_ms: limits.wall_ms,
            scratch_bytes: limits.scratch_bytes,
            output_bytes: limits.output_bytes,
        }
    }
}

impl From<TaskLimits> for TaskLimitsView {
    fn from(limits: TaskLimits) -> Self {
        Self {
            memory_bytes: limits.memory_bytes,
            fuel: limits.fuel,
            wall_ms: limits.wall_ms,
            scratch_bytes: limits.scratch_bytes,
            output_bytes: limits.output_bytes,
        }
    }
}

impl From<ConstraintsView> for Constraints {
    fn from(constraints: ConstraintsView) -> Self {
        Self {
            regions: constraints.regions,
            kinds: constraints.kinds,
            peers: constraints.peers,
            peers_excluded: constraints.peers_excluded,
            cpu_cores_min: constraints.cpu_cores_min,
            score_min: constraints.score_min,
            machine_memory_bytes_min: constraints.machine_memory_bytes_min,
            gpus_min: constraints.gpus_min,
            price_per_gfuel_max: constraints.price_per_gfuel_max,
            arch: constraints.arch,
        }
    }
}

impl From<Constraints> for ConstraintsView {
    fn from(constraints: Constraints) -> Self {
        Self {
            regions: constraints.regions,
            kinds: constraints.kinds,
            peers: constraints.peers,
            peers_excluded: constraints.peers_excluded,
            cpu_cores_min: constraints.cpu_cores_min,
            score_min: constraints.score_min,
            machine_memory_bytes_min: constraints.machine_memory_bytes_min,
            gpus_min: constraints.gpus_min,
            price_per_gfuel_max: constraints.price_per_gfuel_max,
            arch: constraints.arch,
        }
    }
}

impl From<VerifyView> for Verify {
    fn from(verify: VerifyView) -> Self {
        match verify {
            VerifyView::None => Self::None,
            VerifyView::Sample { per_mille } => Self::Sample { per_mille },
            VerifyView::Quorum { agree, replicas, replicas_max } => {
                Self::Quorum { agree, replicas, replicas_max }
            }
            VerifyView::Reputation => Self::Reputation,
            VerifyView::Checked { agree, replicas, replicas_max } => {
                Self::Checked { agree, replicas, replicas_max }
            }
        }
    }
}

impl From<Verify> for VerifyView {
    fn from(verify: Verify) -> Self {
        match verify {
            Verify::None => Self::None,
            Verify::Sample { per_mille } => Self::Sample { per_mille },
            Verify::Quorum { agree, replicas, replicas_max } => {
                Self::Quorum { agree, replicas, replicas_max }
            }
            Verify::Reputation => Self::Reputation,
            Verify::Checked { agree, replicas, replicas_max } => {
                Self::Checked { agree, replicas, replicas_max }
            }
        }
    }
}

fn wait_ms_default() -> u64 {
    WAIT_MS_DEFAULT
}

fn failures_max_default() -> u8 {
    FAILURES_MAX_DEFAULT
}

fn level_default() -> Level {
    Level::Vm
}

fn level_given() -> LevelReason {
    LevelReason::Given
}

fn is_level_given(reason: &LevelReason) -> bool {
    *reason == LevelReason::Given
}

fn yes() -> bool {
    true
}

fn one() -> i64 {
    1
}
