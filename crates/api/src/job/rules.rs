//! What becomes of a stage's tasks, beside what they run.

use super::TaskLimitsView;
use opensky_types::{
    Hash,
    job::{
        BACKOFF_MAX_MS_USUAL, Check, Checker, Condition, FailureKind, LOSSES_MAX_USUAL, Real, Retry,
        TasksMeant, Test, Tolerance,
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// After which failures a task is tried again, and how soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryView {
    /// Kinds of failures that are worth another try on another node; any other stops the job at once. All, if
    /// absent.
    pub on: Vec<FailureKind>,
    /// If any are named, only these exit codes are worth another try.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exit_codes: Vec<i32>,
    /// Runs of one task that may be lost by no fault of the program before the job stops.
    pub losses_max: u8,
    /// Milliseconds that a task waits after its first failure; doubles with each further one.
    pub backoff_ms: u64,
    /// Longest such wait, in milliseconds.
    pub backoff_max_ms: u64,
}

impl Default for RetryView {
    fn default() -> Self {
        Self {
            on: FailureKind::ALL.to_vec(),
            exit_codes: Vec::new(),
            losses_max: LOSSES_MAX_USUAL,
            backoff_ms: 0,
            backoff_max_ms: BACKOFF_MAX_MS_USUAL,
        }
    }
}

impl RetryView {
    /// Whether it is what holds when nothing is said.
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl From<RetryView> for Retry {
    fn from(retry: RetryView) -> Self {
        let RetryView { mut on, exit_codes, losses_max, backoff_ms, backoff_max_ms } = retry;
        on.sort_unstable();
        on.dedup();
        Self { on, exit_codes, losses_max, backoff_ms, backoff_max_ms: backoff_max_ms.max(backoff_ms) }
    }
}

impl From<Retry> for RetryView {
    fn from(retry: Retry) -> Self {
        let Retry { on, exit_codes, losses_max, backoff_ms, backoff_max_ms } = retry;
        Self { on, exit_codes, losses_max, backoff_ms, backoff_max_ms }
    }
}

/// A condition on an earlier stage. A stage whose conditions do not all hold is skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionView {
    /// The earlier stage, by position.
    pub stage: u16,
    /// Of which of its tasks the test must hold.
    #[serde(default)]
    pub of: TasksMeantView,
    /// What must hold.
    pub test: TestView,
    /// Whether it is the other way round. (`not` is a keyword in some of the languages that have a client.)
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub negated: bool,
}

/// Of which tasks a test must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TasksMeantView {
    /// Of all.
    #[default]
    All,
    /// Of one at least.
    Any,
    /// Of the one that a task reads, where the stage's inputs are `each`: each task runs or is skipped by itself.
    Each,
}

/// A test of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TestView {
    /// It did not fail; one that was skipped did not.
    Succeeded,
    /// It failed, in a stage that may.
    Failed,
    /// It was skipped.
    Skipped,
    /// It ended with one of these exit codes.
    ExitCode { codes: Vec<i32> },
    /// Its standard output is this text, white space at both ends aside.
    Output { text: String },
    /// It left this file under `/out`.
    File { path: String },
}

impl From<ConditionView> for Condition {
    fn from(condition: ConditionView) -> Self {
        let ConditionView { stage, of, test, negated } = condition;
        let of = match of {
            TasksMeantView::All => TasksMeant::All,
            TasksMeantView::Any => TasksMeant::Any,
            TasksMeantView::Each => TasksMeant::Each,
        };
        let test = match test {
            TestView::Succeeded => Test::Succeeded,
            TestView::Failed => Test::Failed,
            TestView::Skipped => Test::Skipped,
            TestView::ExitCode { codes } => Test::ExitCode { codes },
            TestView::Output { text } => Test::Output { text },
            TestView::File { path } => Test::File { path },
        };
        Self { stage, of, test, not: negated }
    }
}

impl From<Condition> for ConditionView {
    fn from(condition: Condition) -> Self {
        let Condition { stage, of, test, not } = condition;
        let of = match of {
            TasksMeant::All => TasksMeantView::All,
            TasksMeant::Any => TasksMeantView::Any,
            TasksMeant::Each => TasksMeantView::Each,
        };
        let test = match test {
            Test::Succeeded => TestView::Succeeded,
            Test::Failed => TestView::Failed,
            Test::Skipped => TestView::Skipped,
            Test::ExitCode { codes } => TestView::ExitCode { codes },
            Test::Output { text } => TestView::Output { text },
            Test::File { path } => TestView::File { path },
        };
        Self { stage, of, test, negated: not }
    }
}

/// What checks results, for verification by a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CheckView {
    /// An uploaded WASI command program, which runs on this node. Exit code 0: right; 1: not; anything else decides
    /// nothing.
    Program {
        /// Its hash.
        hash: Hash,
        /// Its size, in bytes.
        size_bytes: u64,
        /// Its arguments; `{item}` stands for the task's own item.
        #[serde(default)]
        args: Vec<String>,
        /// If given, the program writes a score, and this is the least that will do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score_min: Option<Real>,
        /// Limits of each run.
        #[serde(default)]
        limits: TaskLimitsView,
    },
    /// Results are texts in which numbers may differ by one of the two.
    Tolerance {
        /// By so much.
        #[serde(default)]
        absolute: Real,
        /// By this part of the larger one.
        #[serde(default)]
        relative: Real,
    },
}

impl From<CheckView> for Check {
    fn from(check: CheckView) -> Self {
        match check {
            CheckView::Program { hash, size_bytes, args, score_min, limits } => {
                Self::Program(Checker { program: hash, size_bytes, args, score_min, limits: limits.into() })
            }
            CheckView::Tolerance { absolute, relative } => Self::Tolerance(Tolerance { absolute, relative }),
        }
    }
}

impl From<Check> for CheckView {
    fn from(check: Check) -> Self {
        match check {
            Check::Program(Checker { program, size_bytes, args, score_min, limits }) => {
                Self::Program { hash: program, size_bytes, args, score_min, limits: limits.into() }
            }
            Check::Tolerance(Tolerance { absolute, relative }) => Self::Tolerance { absolute, relative },
        }
    }
}
