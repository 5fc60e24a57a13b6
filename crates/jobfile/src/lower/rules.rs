//! What becomes of a stage's tasks when they fail.

use crate::{
    file::{Failure, Stage},
    values::At,
};
use opensky_textfile::Fault;
use opensky_types::job::{BACKOFF_MAX_MS_USUAL, BACKOFF_MS_MAX, EXIT_CODES_MAX, FailureKind, Retry};

/// Nodes on which a task may fail, unless the file says otherwise.
const FAILURES_MAX_DEFAULT: u8 = 3;

/// On how many nodes a task may fail.
pub fn failures_max(stage: &Stage) -> Result<u8, Fault> {
    let nodes = stage.retry.as_ref().and_then(|retry| retry.value.nodes.as_ref());
    let (given, key) = match (&stage.failures_max, nodes) {
        (Some(_), Some(nodes)) => {
            let problem = "'nodes' and 'failures_max' both say on how many nodes a task may fail";
            return Err(Fault::new(nodes.span, problem).with_hint("keep one of them"));
        }
        (None, Some(nodes)) => (Some(nodes), "nodes"),
        (given, None) => (given.as_ref(), "failures_max"),
    };
    match given {
        Some(At { span, value: 0 }) => Err(Fault::new(*span, format!("{key} is at least 1"))),
        given => Ok(given.map_or(FAILURES_MAX_DEFAULT, |at| at.value)),
    }
}

pub fn retry(stage: &Stage) -> Result<Retry, Fault> {
    let usual = Retry::default();
    let Some(At { value: file, .. }) = &stage.retry else { return Ok(usual) };
    let on = match &file.on {
        None => usual.on,
        Some(on) => {
            let mut kinds: Vec<FailureKind> = on.value.0.iter().map(|at| kind_of(at.value)).collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        }
    };
    if let Some(code) = file.exit_codes.iter().find(|code| code.value == 0) {
        return Err(Fault::new(code.span, "exit code 0 is no failure, so there is nothing to try again"));
    }
    if let Some(code) = file.exit_codes.first() {
        if !on.contains(&FailureKind::ExitCode) {
            return Err(Fault::new(code.span, "'exit_codes' is of no use without 'on'")
                .with_hint("add \"exit-code\" to 'on'"));
        }
        if file.exit_codes.len() > EXIT_CODES_MAX {
            return Err(Fault::new(code.span, format!("at most {EXIT_CODES_MAX} exit codes are named")));
        }
    }
    let losses_max = match &file.losses {
        Some(At { span, value: 0 }) => {
            let fault = Fault::new(*span, "'losses' is at least 1");
            return Err(fault.with_hint("to stop the job at the first one, leave \"loss\" out of 'on'"));
        }
        losses => losses.as_ref().map_or(usual.losses_max, |at| at.value),
    };
    let backoff_ms = file.backoff.as_ref().map_or(0, |at| at.value.0);
    let (longest, backoff_max_ms) = match &file.backoff_max {
        Some(at) => (Some(at), at.value.0),
        None => (file.backoff.as_ref(), BACKOFF_MAX_MS_USUAL.max(backoff_ms)),
    };
    match longest {
        Some(at) if backoff_max_ms > BACKOFF_MS_MAX => {
            Err(Fault::new(at.span, "a task waits at most a day before it is tried again"))
        }
        Some(at) if backoff_max_ms < backoff_ms => {
            Err(Fault::new(at.span, "'backoff_max' is at least 'backoff'"))
        }
        _ => Ok(Retry {
            on,
            exit_codes: file.exit_codes.iter().map(|at| at.value).collect(),
            losses_max,
            backoff_ms,
            backoff_max_ms,
        }),
    }
}

const fn kind_of(failure: Failure) -> FailureKind {
    match failure {
        Failure::ExitCode => FailureKind::ExitCode,
        Failure::Trap => FailureKind::Trap,
        Failure::Limit => FailureKind::Limit,
        Failure::Time => FailureKind::Time,
        Failure::Loss => FailureKind::Loss,
        Failure::Check => FailureKind::Check,
    }
}
