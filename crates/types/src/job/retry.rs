//! What becomes of a task whose run failed (spec C9).

use crate::{
    place::words,
    resources::Limit,
    task::Failure,
    text::{ParseError, serde_as_text},
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::{fmt, str::FromStr};

/// Most exit codes that a policy names.
pub const EXIT_CODES_MAX: usize = 64;
/// Longest wait before a task is tried again, in milliseconds: a day.
pub const BACKOFF_MS_MAX: u64 = 86_400_000;
/// How many runs of one task may be lost, unless the stage says otherwise.
pub const LOSSES_MAX_USUAL: u8 = 32;
/// Longest wait, unless the stage says otherwise.
pub const BACKOFF_MAX_MS_USUAL: u64 = 300_000;

words! {
    /// How a run failed, in the words of a retry policy.
    FailureKind,
    "a kind of failure: exit-code, trap, limit, time, loss or check",
    {
        /// It ended with a non-zero exit code.
        ExitCode = 0 => "exit-code",
        /// It trapped, or is no program.
        Trap = 1 => "trap",
        /// It passed a limit other than the wall time.
        Limit = 2 => "limit",
        /// It ran out of wall time.
        Time = 3 => "time",
        /// Its provider was lost, stopped it, or could not fetch what it reads: no fault of the program.
        Loss = 4 => "loss",
        /// Its result did not pass the stage's check.
        Check = 5 => "check",
    }
}

impl FailureKind {
    /// The kind of a failure.
    pub const fn of(failure: &Failure) -> Self {
        match failure {
            Failure::ExitCode { .. } => Self::ExitCode,
            Failure::Trap { .. } | Failure::InvalidProgram { .. } => Self::Trap,
            Failure::Limit { limit: Limit::Time } => Self::Time,
            Failure::Limit { .. } => Self::Limit,
            Failure::Unchecked { .. } => Self::Check,
            Failure::InputUnavailable { .. }
            | Failure::WorkerLost { .. }
            | Failure::Cancelled
            | Failure::ProviderStopped { .. }
            | Failure::ProviderLost => Self::Loss,
        }
    }
}

/// After which failures a task is tried again, on a node that has not had it yet, and how soon. On how many
/// nodes it may fail is [`super::StageSpec::failures_max`].
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Retry {
    /// Kinds of failures that are worth another try, in order. Any other stops the job at once.
    pub on: Vec<FailureKind>,
    /// If any are named, only these exit codes are worth another try.
    pub exit_codes: Vec<i32>,
    /// Runs of one task that may be lost by no fault of the program before the job stops.
    pub losses_max: u8,
    /// How long a task waits after its first failure; doubles with each further one. 0: not at all.
    pub backoff_ms: u64,
    /// Longest such wait.
    pub backoff_max_ms: u64,
}

impl Default for Retry {
    /// After any failure, at once.
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

impl Retry {
    /// Whether a task that failed so is tried again at all.
    pub fn is_worth_it(&self, failure: &Failure) -> bool {
        let named = |code: &i32| self.exit_codes.is_empty() || self.exit_codes.contains(code);
        let code_fits = if let Failure::ExitCode { code } = failure { named(code) } else { true };
        self.on.contains(&FailureKind::of(failure)) && code_fits
    }

    /// How long a task waits that has failed so often, in milliseconds.
    pub fn wait_ms(&self, failures: u32) -> u64 {
        let doublings = failures.saturating_sub(1).min(63);
        self.backoff_ms.saturating_mul(1 << doublings).min(self.backoff_max_ms)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.on.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err("a retry policy names kinds of failures in order, each once".into());
        }
        if self.exit_codes.len() > EXIT_CODES_MAX {
            return Err(format!("a retry policy names at most {EXIT_CODES_MAX} exit codes"));
        }
        if !self.exit_codes.is_empty() && !self.on.contains(&FailureKind::ExitCode) {
            return Err("a retry policy that names exit codes tries again on 'exit-code'".into());
        }
        if self.exit_codes.contains(&0) {
            return Err("exit code 0 is no failure, so there is nothing to try again".into());
        }
        if self.losses_max == 0 {
            return Err("losses_max is at least 1".into());
        }
        if self.backoff_ms > self.backoff_max_ms || self.backoff_max_ms > BACKOFF_MS_MAX {
            return Err("a task waits at most a day, and first no longer than it may at most".into());
        }
        Ok(())
    }
}
