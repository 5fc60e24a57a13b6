//! A job file with the local files it names, made into a job.

use crate::{Client, ClientError, ImageSource};
use futures::{StreamExt, TryStreamExt, stream};
use opensky_api::job::{JobRequest, WAIT_MS_DEFAULT};
use opensky_jobfile::{
    Format, Plan, cut,
    plan::{CheckPlan, InputsPlan, StageFound, StagePlan},
    values::At,
};
use opensky_types::{
    JobId, Micros, NodeId,
    job::{Blob, JobSpec, StageInputs, Verify},
    place::Level,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tokio::io::AsyncReadExt;

/// Files uploaded at a time.
const UPLOADS_MAX: usize = 8;

/// What a caller changes of a job file, for all of its stages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// How results are checked.
    pub verify: Option<Verify>,
    /// Only these nodes.
    pub peers: Vec<NodeId>,
    /// How long tasks wait for a node that fits, in milliseconds.
    pub wait_ms: Option<u64>,
    /// Most that the job may cost.
    pub budget: Option<Micros>,
    /// What stages that read `files` read instead of the files they name.
    pub files: Vec<PathBuf>,
}

/// A job file that was submitted. Can be kept as JSON to save its results later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileJob {
    /// The job.
    pub job: JobId,
    /// Its name.
    pub name: String,
    /// Tasks in all.
    pub tasks: u64,
    /// Where the file wants standard outputs to go.
    pub outputs: Vec<StageOutput>,
}

/// A job of a file whose content is on the node.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedJob {
    spec: JobSpec,
    outputs: Vec<StageOutput>,
}

impl PreparedJob {
    /// What is asked of the node.
    pub fn request(&self) -> JobRequest {
        self.spec.clone().into()
    }
}

/// A stage whose standard output goes to a file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageOutput {
    /// The stage, by position.
    pub stage: u16,
    /// Where to: a file or, if `folder`, one file for each task below it.
    pub path: PathBuf,
    /// Whether the path is a folder.
    pub folder: bool,
}

impl Client {
    /// Reads a job file and every local file it names, uploads them and submits the job.
    pub async fn submit_file(&self, path: &Path, overrides: &Overrides) -> Result<FileJob, ClientError> {
        self.submit_prepared(self.prepare_file(path, overrides).await?).await
    }

    /// Reads a job file and every local file it names, and uploads them: the job can then be quoted
    /// ([`Client::quote`]) and submitted.
    pub async fn prepare_file(&self, path: &Path, overrides: &Overrides) -> Result<PreparedJob, ClientError> {
        let format = Format::of_name(&path.to_string_lossy())
            .ok_or_else(|| ClientError::UnknownFormat { path: path.into() })?;
        let text = tokio::fs::read_to_string(path).await.map_err(ClientError::read(path))?;
        let plan = opensky_jobfile::parse(&path.to_string_lossy(), &text, format).map_err(Box::new)?;
        self.prepare_plan(plan, path.parent().unwrap_or(Path::new("")), overrides).await
    }

    /// Submits a job whose files are on the node.
    pub async fn submit_prepared(&self, prepared: PreparedJob) -> Result<FileJob, ClientError> {
        let PreparedJob { spec, outputs } = prepared;
        let name = spec.name.clone();
        let submitted = self.submit(spec.into()).await?;
        Ok(FileJob { job: submitted.job, name, tasks: submitted.tasks, outputs })
    }

    /// Uploads what a checked job file names; paths are relative to `folder`.
    async fn prepare_plan(
        &self,
        plan: Plan,
        folder: &Path,
        overrides: &Overrides,
    ) -> Result<PreparedJob, ClientError> {
        let reads_files = |stage: &StagePlan| matches!(stage.inputs, InputsPlan::Files { .. });
        if !overrides.files.is_empty() && !plan.job().stages.iter().any(reads_files) {
            return Err(ClientError::ReadsNoFiles);
        }
        let mut found = Vec::new();
        for stage in &plan.job().stages {
            let program = self.program(&plan, folder, stage).await?;
            let inputs = if reads_files(stage) && !overrides.files.is_empty() {
                self.upload_files(&overrides.files, Path::new("")).await?
            } else {
                self.inputs(&plan, folder, stage).await?
            };
            let checker = match &stage.check {
                Some(CheckPlan::Program { program, .. }) => {
                    Some(self.upload_named(&plan, folder, program, "checker").await?)
                }
                _ => None,
            };
            found.push(StageFound { program, inputs, checker });
        }
        let outputs = plan.job().stages.iter().enumerate().filter_map(|(position, stage)| {
            let output = stage.output.as_ref()?;
            let folder_wanted = output.value.ends_with('/');
            Some(StageOutput {
                stage: position as u16,
                path: folder.join(&output.value),
                folder: folder_wanted,
            })
        });
        let outputs = outputs.collect();
        let seed = rand::random_range(0..opensky_api::job::SEED_DRAWN_LIMIT);
        let mut spec = plan.into_spec(found, seed, WAIT_MS_DEFAULT)?;
        spec.wait_ms = overrides.wait_ms.unwrap_or(spec.wait_ms);
        spec.budget = overrides.budget.or(spec.budget);
        for stage in &mut spec.stages {
            if let Some(verify) = overrides.verify {
                (stage.verify, stage.check) = (verify, None);
            }
            if !overrides.peers.is_empty() {
                stage.constraints.peers = overrides.peers.clone();
            }
        }
        Ok(PreparedJob { spec, outputs })
    }

    /// What a stage runs: a file, or an image by name.
    async fn program(&self, plan: &Plan, folder: &Path, stage: &StagePlan) -> Result<Blob, ClientError> {
        let name = &stage.program;
        if let Some(image) = &stage.needs.image {
            return Ok(Blob { hash: image.hash(), size_bytes: 0 });
        }
        let source = ImageSource::of(&name.value).filter(|_| stage.level == Level::Container);
        let Some(source) = source else { return self.upload_named(plan, folder, name, "program").await };
        match self.image(source).await {
            Err(error @ ClientError::Image { .. }) => {
                Err(Box::new(plan.error_at(name, error.to_string(), Some(source.hint()))).into())
            }
            other => other.map(Blob::from),
        }
    }

    async fn inputs(
        &self,
        plan: &Plan,
        folder: &Path,
        stage: &StagePlan,
    ) -> Result<StageInputs, ClientError> {
        Ok(match &stage.inputs {
            InputsPlan::One { stdin: None } => StageInputs::One { stdin: None },
            InputsPlan::One { stdin: Some(file) } => {
                StageInputs::One { stdin: Some(self.upload_named(plan, folder, file, "input").await?) }
            }
            InputsPlan::Files { patterns } => {
                self.upload_files(&expand(plan, folder, patterns)?, folder).await?
            }
            InputsPlan::Lines { file, per_task } => {
                let blob = self.upload_named(plan, folder, file, "input").await?;
                StageInputs::Slices { blob, cuts: cut_lines(&folder.join(&file.value), *per_task).await? }
            }
            InputsPlan::Bytes { file, chunk_bytes } => {
                let blob = self.upload_named(plan, folder, file, "input").await?;
                StageInputs::Slices { blob, cuts: cut::by_bytes(blob.size_bytes, *chunk_bytes) }
            }
            InputsPlan::Numbers { from, to, step } => {
                StageInputs::Numbers { from: *from, to: *to, step: *step }
            }
            InputsPlan::Each { stage } => StageInputs::Each { stage: *stage },
            InputsPlan::Reduce { stage, fan_in } => StageInputs::Reduce { stage: *stage, fan_in: *fan_in },
        })
    }

    /// One task per file; items are the paths below `folder`.
    async fn upload_files(&self, paths: &[PathBuf], folder: &Path) -> Result<StageInputs, ClientError> {
        let uploads = paths.iter().map(|path| async move { self.upload_file(path).await.map(Blob::from) });
        let blobs = stream::iter(uploads).buffered(UPLOADS_MAX).try_collect().await?;
        let name = |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
        Ok(StageInputs::Blobs { blobs, names: paths.iter().map(name).collect() })
    }

    /// Uploads a file that the job file names; if it cannot be read, the error points at that place.
    async fn upload_named(
        &self,
        plan: &Plan,
        folder: &Path,
        name: &At<String>,
        what: &str,
    ) -> Result<Blob, ClientError> {
        let path = folder.join(&name.value);
        match self.upload_file(&path).await {
            Err(ClientError::File { source, .. }) => {
                let problem = format!("cannot read the {what} {}: {source}", path.display());
                let hint = Some("paths are relative to the job file".to_owned());
                Err(Box::new(plan.error_at(name, problem, hint)).into())
            }
            other => other.map(Blob::from),
        }
    }
}

fn expand(plan: &Plan, folder: &Path, patterns: &[At<String>]) -> Result<Vec<PathBuf>, ClientError> {
    let mut paths = Vec::new();
    for pattern in patterns {
        let fault = |problem: String| ClientError::from(Box::new(plan.error_at(pattern, problem, None)));
        let below = PathBuf::from(glob::Pattern::escape(&folder.to_string_lossy())).join(&pattern.value);
        let matches =
            glob::glob(&below.to_string_lossy()).map_err(|error| fault(format!("not a pattern: {error}")))?;
        let before = paths.len();
        for found in matches {
            let path = found.map_err(|error| fault(error.to_string()))?;
            if path.is_file() {
                paths.push(path);
            }
        }
        if paths.len() == before {
            return Err(fault(format!("no file matches '{}' in {}", pattern.value, folder.display())));
        }
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

async fn cut_lines(path: &Path, per_task: u64) -> Result<Vec<u64>, ClientError> {
    let mut file = tokio::fs::File::open(path).await.map_err(ClientError::read(path))?;
    let mut cutter = cut::LineCutter::new(per_task);
    let mut piece = vec![0; 1024 * 1024];
    loop {
        match file.read(&mut piece).await.map_err(ClientError::read(path))? {
            0 => return Ok(cutter.finish()),
            read => cutter.push(&piece[..read]),
        }
    }
}
