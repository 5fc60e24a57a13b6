//! Errors as people read them: what happened, why, what to do next; and exit codes.

use opensky_api::problem::Code;
use opensky_client::ClientError;
use std::{fmt, process::ExitCode};

/// Exit codes. `opensky run PROGRAM` ends with the program's own code instead; usage errors are 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Something went wrong.
    Failed = 1,
    /// No node is running here.
    NoNode = 3,
    /// The job failed or was cancelled.
    JobFailed = 4,
    /// What was named is not there.
    NotFound = 5,
    /// No node fits, and waiting was not wanted.
    NoNodeFits = 6,
    /// A file, receipt or value is not valid.
    Invalid = 7,
    /// `opensky run PROGRAM`: the program could not be run.
    NotRun = 125,
    /// Interrupted by ctrl-c.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failure with its exit code and what to do next.
#[derive(Debug)]
pub struct Fail {
    /// The exit code.
    pub exit: Exit,
    /// What happened, and why.
    pub what: String,
    /// What to do next.
    pub next: Option<String>,
}

impl Fail {
    /// A failure without advice.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), next: None }
    }

    /// Adds what to do next.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Fail {}

/// Prints an error to standard error and answers its exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let (exit, next) = classify(error);
    let mut chain = error.chain().map(ToString::to_string);
    let mut shown = vec![chain.next().unwrap_or_default()];
    // A cause that its effect already names adds nothing.
    shown.extend(chain);
    shown.dedup_by(|cause, effect| effect.contains(cause.as_str()));
    eprintln!("error: {}", crate::terminal::clean_lines(&shown[0]));
    for cause in &shown[1..] {
        eprintln!("  because: {}", crate::terminal::clean_lines(cause));
    }
    if let Some(next) = next {
        eprintln!("  next: {next}");
    }
    exit.into()
}

/// Whether an address with its port is one of this machine.
fn is_here(address: &str) -> bool {
    let is_loopback = |address: std::net::SocketAddr| address.ip().is_loopback();
    address.starts_with("localhost:") || address.parse().is_ok_and(is_loopback)
}

fn classify(error: &anyhow::Error) -> (Exit, Option<String>) {
    if let Some(fail) = error.downcast_ref::<Fail>() {
        return (fail.exit, fail.next.clone());
    }
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Unreachable { address, .. }) if !is_here(address) => (
            Exit::NoNode,
            Some(
                "look whether the node runs there, and which certificate it shows: --ca-file or --fingerprint \
                 (`opensky keys fingerprint` there) say which one is right"
                    .into(),
            ),
        ),
        Some(ClientError::Url { .. } | ClientError::Trust { .. }) => (Exit::Invalid, None),
        Some(ClientError::NotRunning { .. } | ClientError::Unreachable { .. }) => (
            Exit::NoNode,
            Some("start a node with `opensky up`, or a local sky with `opensky devnet 4`".into()),
        ),
        Some(ClientError::Problem(problem)) => {
            let exit = match problem.code {
                Code::JobNotFound
                | Code::TaskNotFound
                | Code::BlobNotFound
                | Code::ReceiptNotFound
                | Code::ImageNotFound
                | Code::ServiceNotFound
                | Code::KeyNotFound
                | Code::SessionNotFound
                | Code::AccountNotFound
                | Code::CheckpointNotFound => Exit::NotFound,
                Code::NoNodeFits => Exit::NoNodeFits,
                Code::InvalidJob | Code::InvalidRequest => Exit::Invalid,
                _ => Exit::Failed,
            };
            let listed = || match problem.code {
                Code::JobNotFound => Some("`opensky jobs list` shows the jobs of this node".to_owned()),
                Code::TaskNotFound => Some("`opensky jobs show JOB` shows its tasks".to_owned()),
                Code::CheckpointNotFound => {
                    Some("`opensky ledger info` shows which epoch it is, and of how many blocks".to_owned())
                }
                Code::ReceiptNotFound => {
                    Some("`opensky jobs show JOB` shows the receipts of a job".to_owned())
                }
                Code::KeyNotFound => Some("`opensky keys list` shows the keys of this node".to_owned()),
                Code::ServiceNotFound => {
                    Some("`opensky service list` shows those that this node knows".to_owned())
                }
                Code::ImageNotFound => Some("`opensky image list` shows the images of this node".to_owned()),
                _ => None,
            };
            (exit, problem.next.clone().or_else(listed))
        }
        Some(ClientError::Image { name, .. }) => (
            Exit::Failed,
            Some(format!("`docker pull {name}` gets it; `opensky image list` shows what the node keeps")),
        ),
        Some(ClientError::JobFile(_) | ClientError::UnknownFormat { .. } | ClientError::InvalidJob(_)) => (
            Exit::Invalid,
            Some("`opensky job check FILE` checks a job file, `opensky job schema` shows its schema".into()),
        ),
        _ => (Exit::Failed, None),
    }
}
