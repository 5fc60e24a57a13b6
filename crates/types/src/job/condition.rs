//! What must hold of earlier stages for a stage to run. A small closed language: no expressions.

use super::{JobSpec, StageInputs, StageSpec};
use crate::{
    hash::Hash,
    task::{Content, Outcome, is_safe_output_path},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// Most conditions of a stage.
pub const CONDITIONS_MAX: usize = 16;
/// Most different tests that later stages may make of one stage's results.
pub const TESTS_MAX: usize = 32;
/// Longest text that a standard output is compared with, in bytes.
pub const TEST_TEXT_BYTES_MAX: usize = 1_024;
/// Most exit codes of a test.
pub const TEST_CODES_MAX: usize = 64;

/// One condition. A stage runs if all of its conditions hold, and is skipped otherwise.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Condition {
    /// The earlier stage, by position.
    pub stage: u16,
    /// Of which of its tasks the test must hold.
    pub of: TasksMeant,
    /// The test.
    pub test: Test,
    /// Whether it is the other way round: the stage runs if the test does not hold so.
    pub not: bool,
}

/// Of which tasks a test must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum TasksMeant {
    /// Of all.
    All = 0,
    /// Of one at least.
    Any = 1,
    /// Of the one that a task reads ([`StageInputs::Each`]): each task runs or is skipped by itself.
    Each = 2,
}

/// A test of one task.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Test {
    /// It did not fail; one that was skipped did not.
    Succeeded = 0,
    /// It failed, in a stage that may.
    Failed = 1,
    /// It was skipped.
    Skipped = 2,
    /// It ended with one of these exit codes.
    ExitCode { codes: Vec<i32> } = 3,
    /// Its standard output is this text, white space at both ends aside.
    Output { text: String } = 4,
    /// It left this file under `/out`.
    File { path: String } = 5,
}

impl Test {
    /// Whether it is about what a run left, and not about how the task stands.
    pub const fn is_of_result(&self) -> bool {
        matches!(self, Self::ExitCode { .. } | Self::Output { .. } | Self::File { .. })
    }

    /// Whether it holds of this result. What is not about results holds of none.
    fn holds(&self, outcome: &Outcome) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Skipped => false,
            Self::ExitCode { codes } => {
                matches!(outcome, Outcome::Exited(output) if codes.contains(&output.exit_code))
            }
            Self::Output { text } => {
                let text = text.trim();
                match outcome.stdout() {
                    Content::Inline(bytes) => bytes.trim_ascii() == text.as_bytes(),
                    // A provider may send what is short by its hash alone, to be taken for something else.
                    Content::Blob(blob) => ["", "\n", "\r\n"]
                        .iter()
                        .any(|end| Hash::of(format!("{text}{end}").as_bytes()) == blob.hash),
                }
            }
            Self::File { path } => outcome.files().iter().any(|(found, _)| found == path),
        }
    }

    fn validate(&self) -> Result<(), String> {
        match self {
            Self::ExitCode { codes } if codes.is_empty() || codes.len() > TEST_CODES_MAX => {
                Err(format!("a condition names 1 to {TEST_CODES_MAX} exit codes"))
            }
            Self::Output { text } if text.len() > TEST_TEXT_BYTES_MAX => {
                Err(format!("a condition's text has at most {TEST_TEXT_BYTES_MAX} bytes"))
            }
            Self::File { path } if !is_safe_output_path(path) => {
                Err("a condition's file is a plain path below /out, such as 'report.txt'".into())
            }
            _ => Ok(()),
        }
    }
}

/// Tests that later stages make of each stage's results, each once: what a result is looked at for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResultTests {
    stages: Vec<Vec<Test>>,
}

impl ResultTests {
    /// Those of a job.
    pub fn of(spec: &JobSpec) -> Self {
        let mut stages: Vec<Vec<Test>> = vec![Vec::new(); spec.stages.len()];
        for condition in spec.stages.iter().flat_map(|stage| &stage.when) {
            if let Some(tests) = stages.get_mut(usize::from(condition.stage))
                && condition.test.is_of_result()
                && !tests.contains(&condition.test)
            {
                tests.push(condition.test.clone());
            }
        }
        Self { stages }
    }

    /// Whether anything is asked of a stage's results.
    pub fn ask(&self, stage: u16) -> bool {
        self.count(stage) > 0
    }

    /// How many tests are made of a stage's results.
    pub fn count(&self, stage: u16) -> usize {
        self.stages.get(usize::from(stage)).map_or(0, Vec::len)
    }

    /// The bit that stands for a test.
    pub fn bit(&self, stage: u16, test: &Test) -> Option<u32> {
        let tests = self.stages.get(usize::from(stage))?;
        tests.iter().position(|other| other == test).and_then(|position| u32::try_from(position).ok())
    }

    /// One bit for each test that holds of a result.
    pub fn look(&self, stage: u16, outcome: &Outcome) -> u32 {
        let tests = self.stages.get(usize::from(stage)).map_or(&[][..], Vec::as_slice);
        let held = (0..).zip(tests).filter(|(_, test)| test.holds(outcome));
        held.fold(0, |bits, (bit, _)| bits | 1 << bit)
    }
}

impl StageSpec {
    /// Whether a result of it is a failure, as a stage that may fail has them.
    pub fn is_failure(&self, outcome: &Outcome) -> bool {
        outcome.is_failure(self.accept_any_exit)
    }
}

/// Checks the conditions of the stage at `position`.
pub(super) fn validate(stages: &[StageSpec], position: usize) -> Result<(), String> {
    let stage = &stages[position];
    if stage.when.len() > CONDITIONS_MAX {
        return Err(format!("a stage has at most {CONDITIONS_MAX} conditions"));
    }
    for condition in &stage.when {
        let Some(meant) = stages[..position].get(usize::from(condition.stage)) else {
            return Err("a condition can only be about stages before its own".into());
        };
        condition.test.validate()?;
        let each = StageInputs::Each { stage: condition.stage };
        if condition.of == TasksMeant::Each && (!condition.test.is_of_result() || stage.inputs != each) {
            return Err(format!(
                "a condition for each task is about a result of the stage that each of them reads, and this one \
                 does not read each of '{}'",
                meant.name
            ));
        }
        let never = match &condition.test {
            Test::Failed => !meant.may_fail,
            Test::ExitCode { codes } => {
                !meant.may_fail && !meant.accept_any_exit && codes.iter().all(|code| *code != 0)
            }
            _ => false,
        };
        if never {
            return Err(format!(
                "stage '{}' stops the job when it fails, so this condition on it never holds; give it may_fail = true",
                meant.name
            ));
        }
    }
    Ok(())
}

/// Checks that no stage is asked too much.
pub(super) fn validate_tests(spec: &JobSpec) -> Result<(), (usize, String)> {
    let tests = ResultTests::of(spec);
    match tests.stages.iter().position(|tests| tests.len() > TESTS_MAX) {
        Some(stage) => Err((stage, format!("at most {TESTS_MAX} different tests are made of one stage"))),
        None => Ok(()),
    }
}

impl fmt::Display for Condition {
    /// What must hold: `all tasks of stage 0 exit with 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = self.stage;
        let not = if self.not { "not so that " } else { "" };
        match self.of {
            TasksMeant::All => write!(f, "{not}each task of stage {stage} {}", self.test),
            TasksMeant::Any => write!(f, "{not}a task of stage {stage} {}", self.test),
            TasksMeant::Each => write!(f, "{not}the task of stage {stage} that it reads {}", self.test),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => f.write_str("succeeded"),
            Self::Failed => f.write_str("failed"),
            Self::Skipped => f.write_str("was skipped"),
            Self::ExitCode { codes } => {
                let codes: Vec<String> = codes.iter().map(i32::to_string).collect();
                write!(f, "ended with exit code {}", codes.join(" or "))
            }
            Self::Output { text } => write!(f, "wrote \"{}\"", text.escape_debug()),
            Self::File { path } => write!(f, "left the file {path}"),
        }
    }
}
