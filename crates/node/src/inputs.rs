//! From a stage's spec and a task's index to what that task reads.

use opensky_ports::{BlobError, BlobStore, Pin};
use opensky_types::{
    Hash, JobId, TaskId,
    job::{Blob, INLINE_BYTES_MAX, JobSpec, StageInputs},
    task::{Content, TaskInput},
};
use std::{
    collections::BTreeMap,
    io::{Read, Seek, SeekFrom},
};

/// Accepted stdouts of stages that later stages read, by stage and index.
#[derive(Debug, Default)]
pub(crate) struct StageOutputs {
    by_stage: BTreeMap<u16, Vec<Option<Content>>>,
}

impl StageOutputs {
    /// Room for every stage of `spec` that another one reads.
    pub(crate) fn of(spec: &JobSpec) -> Self {
        let counts = spec.task_counts();
        let read = spec.stages.iter().filter_map(|stage| match stage.inputs {
            StageInputs::Each { stage } | StageInputs::Reduce { stage, .. } => Some(stage),
            _ => None,
        });
        Self {
            by_stage: read.map(|stage| (stage, vec![None; counts[usize::from(stage)] as usize])).collect(),
        }
    }

    /// Whether `stage` is read by a later one.
    pub(crate) fn wants(&self, stage: u16) -> bool {
        self.by_stage.contains_key(&stage)
    }

    /// Keeps a task's stdout.
    pub(crate) fn set(&mut self, task: TaskId, stdout: Content) {
        if let Some(slot) =
            self.by_stage.get_mut(&task.stage).and_then(|stage| stage.get_mut(task.index as usize))
        {
            *slot = Some(stdout);
        }
    }

    /// What these tasks wrote, in order. Tasks that failed or were skipped have written nothing.
    fn range(&self, stage: u16, from: usize, to: usize) -> Result<Vec<Content>, InputError> {
        let stage = self.by_stage.get(&stage).ok_or(InputError::NotReady)?;
        let contents = stage.get(from..to.min(stage.len())).ok_or(InputError::NotReady)?;
        let written: Vec<Content> = contents.iter().flatten().cloned().collect();
        if written.is_empty() { Err(InputError::NotReady) } else { Ok(written) }
    }
}

/// Why a task's input could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("a task was placed before the tasks it reads")]
    NotReady,
    #[error("blob {0} is gone from the store")]
    Missing(Hash),
    #[error(transparent)]
    Store(#[from] BlobError),
    #[error("reading a slice of blob {hash}")]
    Slice {
        hash: Hash,
        #[source]
        source: std::io::Error,
    },
}

/// How a task's input is made: decided on the loop, carried out where blocking is allowed.
#[derive(Debug)]
pub(crate) struct Recipe {
    item: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    /// Ready as it is.
    Content(Content),
    /// Bytes of a stored blob.
    Slice { blob: Blob, from: u64, to: u64 },
}

impl Recipe {
    /// What task `task` of `spec` reads.
    pub(crate) fn of(spec: &JobSpec, outputs: &StageOutputs, task: TaskId) -> Result<Self, InputError> {
        let index = task.index as usize;
        let indexed = |parts| Self { item: index.to_string(), parts };
        let contents = |contents: Vec<Content>| contents.into_iter().map(Part::Content).collect();
        Ok(match &spec.stages[usize::from(task.stage)].inputs {
            StageInputs::One { stdin } => {
                indexed(stdin.iter().map(|blob| Part::Content(Content::Blob(*blob))).collect())
            }
            StageInputs::Numbers { from, step, .. } => {
                let number = i128::from(*from) + i128::from(*step) * index as i128;
                Self { item: number.to_string(), parts: Vec::new() }
            }
            StageInputs::Blobs { blobs, names } => {
                Self { item: names[index].clone(), parts: contents(vec![Content::Blob(blobs[index])]) }
            }
            StageInputs::Slices { blob, cuts } => {
                indexed(vec![Part::Slice { blob: *blob, from: cuts[index], to: cuts[index + 1] }])
            }
            StageInputs::Each { stage } => indexed(contents(outputs.range(*stage, index, index + 1)?)),
            StageInputs::Reduce { stage, fan_in } => {
                let from = index * *fan_in as usize;
                indexed(contents(outputs.range(*stage, from, from + *fan_in as usize)?))
            }
        })
    }

    /// Whether the blob store must be read.
    pub(crate) fn needs_store(&self) -> bool {
        !self.parts.iter().all(|part| matches!(part, Part::Content(Content::Inline(_))))
    }

    /// The input, for a recipe that needs no store.
    pub(crate) fn without_store(self) -> TaskInput {
        let stdin = self.parts.into_iter().filter_map(|part| match part {
            Part::Content(content) => Some(content),
            Part::Slice { .. } => None,
        });
        TaskInput { item: self.item, stdin: stdin.collect() }
    }

    /// The input. Small contents travel with their task: one message less than a fetch. Large
    /// slices become blobs of their own, pinned for the job. Blocks on the disk.
    pub(crate) fn make(self, blobs: &dyn BlobStore, job: JobId) -> Result<TaskInput, InputError> {
        let stdin = self.parts.into_iter().map(|part| match part {
            Part::Content(Content::Blob(blob)) if blob.size_bytes <= INLINE_BYTES_MAX as u64 => {
                let bytes = blobs.get(&blob.hash, INLINE_BYTES_MAX as u64)?;
                bytes.map(Content::Inline).ok_or(InputError::Missing(blob.hash))
            }
            Part::Content(content) => Ok(content),
            Part::Slice { blob, from, to } => slice(blobs, job, blob, from, to),
        });
        Ok(TaskInput { item: self.item, stdin: stdin.collect::<Result<_, _>>()? })
    }
}

fn slice(blobs: &dyn BlobStore, job: JobId, blob: Blob, from: u64, to: u64) -> Result<Content, InputError> {
    let source = |source| InputError::Slice { hash: blob.hash, source };
    let mut reader = blobs.open(&blob.hash)?.ok_or(InputError::Missing(blob.hash))?;
    reader.seek(SeekFrom::Start(from)).map_err(source)?;
    let mut part = reader.take(to - from);
    if to - from <= INLINE_BYTES_MAX as u64 {
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).map_err(source)?;
        return Ok(Content::Inline(bytes));
    }
    let mut writer = blobs.create(to - from)?;
    std::io::copy(&mut part, &mut writer).map_err(source)?;
    let blob = writer.finish(None)?;
    blobs.pin(Pin::Job(job), &[blob.hash])?;
    Ok(Content::Blob(blob))
}
