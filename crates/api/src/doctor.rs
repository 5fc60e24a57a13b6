//! What `opensky doctor` found.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All checks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DoctorReport {
    /// In the order they were made.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What was looked at, such as `sandbox` or `reachability`.
    pub name: String,
    /// How it is.
    pub standing: Standing,
    /// What was found.
    pub found: String,
    /// What to do about it, where something can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// As it should be.
    Ok,
    /// Could not be checked here.
    Skipped,
    /// Works, but less well than it could.
    Warning,
    /// Does not work.
    Broken,
}

impl DoctorReport {
    /// The worst standing of all checks.
    pub fn worst(&self) -> Standing {
        self.checks.iter().map(|check| check.standing).max().unwrap_or(Standing::Ok)
    }
}
