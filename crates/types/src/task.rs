//! One execution: what goes in, what came out.

use crate::{
    hash::{Context, Hash},
    ids::TaskId,
    job::{Blob, INLINE_BYTES_MAX},
    resources::{Limit, Usage},
    units::Timestamp,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most files that one task may leave under `/out`.
pub const OUTPUT_FILES_MAX: usize = 1_024;
/// Most bytes of the path of such a file.
pub const OUTPUT_PATH_BYTES_MAX: usize = 512;

/// Bytes given in place or by hash.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Content {
    /// The bytes themselves, at most [`crate::job::INLINE_BYTES_MAX`].
    Inline(Vec<u8>) = 0,
    /// To be fetched.
    Blob(Blob) = 1,
}

impl Content {
    /// Nothing.
    pub const fn empty() -> Self {
        Self::Inline(Vec::new())
    }

    /// The size, in bytes.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Blob(blob) => blob.size_bytes,
        }
    }

    /// The hash of the bytes, the same however they are given.
    pub fn hash(&self) -> Hash {
        match self {
            Self::Inline(bytes) => Hash::of(bytes),
            Self::Blob(blob) => blob.hash,
        }
    }
}

/// What one task reads.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TaskInput {
    /// What `{item}` in the arguments stands for.
    pub item: String,
    /// Standard input: these contents, one after the other.
    pub stdin: Vec<Content>,
}

impl TaskInput {
    /// The hash that receipts carry.
    pub fn hash(&self) -> Hash {
        static CONTEXT: Context = Context::new("opensky task input 1");
        let parts: Vec<Hash> = self.stdin.iter().map(Content::hash).collect();
        CONTEXT.hash(&(&self.item, parts))
    }
}

/// A task handed to a provider under an agreement.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Assignment {
    /// Which task.
    pub task: TaskId,
    /// Which try of it, counted over all providers from 0.
    pub attempt: u32,
    /// What it reads.
    pub input: TaskInput,
}

/// What a program left behind.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TaskOutput {
    /// Exit code of a command program; 0 for a function that returned.
    pub exit_code: i32,
    /// Standard output, or the function's result as text.
    pub stdout: Content,
    /// Standard error.
    pub stderr: Content,
    /// Files under `/out`, by path, in order of path.
    pub files: Vec<(String, Content)>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Outcome {
    /// It ran to its end; the exit code may still be non-zero.
    Exited(TaskOutput) = 0,
    /// It did not; what it wrote until then is kept.
    Failed { failure: Failure, stdout: Content, stderr: Content } = 1,
}

impl Outcome {
    /// The hash that replicas of a task are compared by: all that the program determines, nothing
    /// that the machine does. Standard error is left out, since engines add their own lines to it.
    pub fn hash(&self) -> Hash {
        static EXITED: Context = Context::new("opensky task output 1");
        match self {
            Self::Exited(output) => {
                let files: Vec<(&String, Hash)> =
                    output.files.iter().map(|(path, content)| (path, content.hash())).collect();
                EXITED.hash(&(output.exit_code, output.stdout.hash(), files))
            }
            Self::Failed { failure, .. } => Hash::of_value("opensky task failure 1", &failure.kind()),
        }
    }

    /// Whether it says that its task failed, in a stage that takes any exit code or not.
    pub const fn is_failure(&self, accept_any_exit: bool) -> bool {
        match self {
            Self::Exited(output) => output.exit_code != 0 && !accept_any_exit,
            Self::Failed { .. } => true,
        }
    }

    /// Standard output so far.
    pub fn stdout(&self) -> &Content {
        match self {
            Self::Exited(output) => &output.stdout,
            Self::Failed { stdout, .. } => stdout,
        }
    }

    /// Standard error so far.
    pub fn stderr(&self) -> &Content {
        match self {
            Self::Exited(output) => &output.stderr,
            Self::Failed { stderr, .. } => stderr,
        }
    }

    /// Checks what a consumer relies on before it keeps an outcome or writes its files: a provider
    /// may send anything.
    pub fn validate(&self) -> Result<(), InvalidOutcome> {
        let files = self.files();
        if files.len() > OUTPUT_FILES_MAX {
            return Err(InvalidOutcome::TooManyFiles { count: files.len() });
        }
        if let Some((path, _)) = files.iter().find(|(path, _)| !is_safe_output_path(path)) {
            return Err(InvalidOutcome::UnsafePath { path: path.chars().take(80).collect() });
        }
        if files.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(InvalidOutcome::Unordered);
        }
        let too_large =
            |content: &&Content| matches!(content, Content::Inline(bytes) if bytes.len() > INLINE_BYTES_MAX);
        match self.contents().find(too_large) {
            Some(content) => Err(InvalidOutcome::InlineTooLarge { size_bytes: content.size_bytes() }),
            None => Ok(()),
        }
    }

    /// Files left under `/out`, by path; none of a run that failed.
    pub fn files(&self) -> &[(String, Content)] {
        match self {
            Self::Exited(output) => &output.files,
            Self::Failed { .. } => &[],
        }
    }

    fn contents(&self) -> impl Iterator<Item = &Content> {
        [self.stdout(), self.stderr()].into_iter().chain(self.files().iter().map(|(_, content)| content))
    }

    /// Every content that is a blob, for fetching.
    pub fn blobs(&self) -> Vec<Blob> {
        self.contents()
            .filter_map(|content| if let Content::Blob(blob) = content { Some(*blob) } else { None })
            .collect()
    }
}

/// Why an outcome is not one that a provider may send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOutcome {
    /// Too much is given in place.
    #[error("{size_bytes} bytes are given in place, the limit is {INLINE_BYTES_MAX}")]
    InlineTooLarge { size_bytes: u64 },
    /// Too many files.
    #[error("{count} files were left, the limit is {OUTPUT_FILES_MAX}")]
    TooManyFiles { count: usize },
    /// A path that does not stay inside the folder of outputs, or is too long.
    #[error("'{}' is not a path inside the folder of outputs", path.escape_debug())]
    UnsafePath { path: String },
    /// Files are not in order of path, or one is there twice.
    #[error("files are not in order of path")]
    Unordered,
}

/// Whether `path` names a file inside the folder it is joined to, on any system: relative, `/`
/// between its parts, no part that is empty, `.` or `..`, no backslash, colon or control character.
pub fn is_safe_output_path(path: &str) -> bool {
    let safe_part = |part: &str| !matches!(part, "" | "." | "..");
    path.len() <= OUTPUT_PATH_BYTES_MAX
        && path.split('/').all(safe_part)
        && !path.chars().any(|c| c == '\\' || c == ':' || c.is_control())
}

/// Why a run did not reach its end.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize, thiserror::Error)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Failure {
    /// It passed one of its limits.
    #[error("stopped at its {limit} limit")]
    Limit { limit: Limit } = 0,
    /// The program trapped.
    #[error("trapped: {message}")]
    Trap { message: String } = 1,
    /// The bytes are not a program of the asked level.
    #[error("not a runnable program: {message}")]
    InvalidProgram { message: String } = 2,
    /// Program or input could not be fetched whole.
    #[error("input {hash} could not be fetched: {message}")]
    InputUnavailable { hash: Hash, message: String } = 3,
    /// The worker process died.
    #[error("the worker process ended: {message}")]
    WorkerLost { message: String } = 4,
    /// Stopped on the consumer's word.
    #[error("cancelled")]
    Cancelled = 5,
    /// Stopped by the provider: its limits changed or it shuts down.
    #[error("stopped by the provider: {message}")]
    ProviderStopped { message: String } = 6,
    /// The consumer lost the provider. Never sent by a provider.
    #[error("the provider was lost")]
    ProviderLost = 7,
    /// The program ended with a non-zero exit code, and the stage does not accept that. Never sent
    /// by a provider.
    #[error("exited with code {code}")]
    ExitCode { code: i32 } = 8,
    /// The result did not pass the stage's check. Never sent by a provider.
    #[error("{message}")]
    Unchecked { message: String } = 9,
}

impl Failure {
    /// The part that two honest providers agree on.
    fn kind(&self) -> (u8, u8) {
        match self {
            Self::Limit { limit } => (0, *limit as u8),
            Self::Trap { .. } => (1, 0),
            Self::InvalidProgram { .. } => (2, 0),
            Self::InputUnavailable { .. } => (3, 0),
            Self::WorkerLost { .. } => (4, 0),
            Self::Cancelled => (5, 0),
            Self::ProviderStopped { .. } => (6, 0),
            Self::ProviderLost => (7, 0),
            Self::ExitCode { .. } => (8, 0),
            Self::Unchecked { .. } => (9, 0),
        }
    }

    /// Whether the program itself is at fault, so that another node would most likely see the same.
    /// Only these count towards poisoning a task.
    pub const fn is_programs_fault(&self) -> bool {
        matches!(
            self,
            Self::Limit { .. }
                | Self::Trap { .. }
                | Self::InvalidProgram { .. }
                | Self::ExitCode { .. }
                | Self::Unchecked { .. }
        )
    }
}

/// A provider's word on one run. The receipt that goes with it is signed in a batch.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TaskReport {
    /// Which task.
    pub task: TaskId,
    /// Which try.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
    /// When it started on the provider's clock.
    pub started_at: Timestamp,
    /// When it ended on the provider's clock.
    pub ended_at: Timestamp,
    /// Salt of the commitment sent before, zero where none was asked for.
    pub salt: [u8; 16],
}

/// A commitment to an output hash, so that no replica can copy another's answer.
pub fn commitment(provider: &crate::NodeId, task: TaskId, output: &Hash, salt: &[u8; 16]) -> Hash {
    Hash::of_value("opensky output commitment 1", &(provider, task, output, salt))
}
