//! Facts that the scheduler is told.

use crate::CheckedRun;
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, TaskId, Timestamp,
    job::{CheckDecision, JobSpec},
    reason::{Misfit, MisfitCounts, Reason},
    task::Failure,
};
use std::sync::Arc;

/// A fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A new job, which [`JobSpec::validate`] accepts. A job id that is known already is ignored.
    Submitted { job: JobId, spec: Arc<JobSpec> },
    /// A job from the journal, after a restart. Its accepted tasks never run again.
    Restored(Box<Restored>),
    /// The market's answer to [`crate::Effect::Find`]. `ranked`: nodes that fit and are not excluded,
    /// best first.
    Matched { job: JobId, stage: u16, ranked: Vec<Candidate>, counts: MisfitCounts },
    /// A provider signed the terms. `slots`: how many it granted.
    Agreed { job: JobId, stage: u16, node: NodeId, agreement: AgreementId, slots: u16 },
    /// A provider refused the terms, or could not be asked.
    Refused { job: JobId, stage: u16, node: NodeId, misfit: Misfit },
    /// A provider commits to results that it will show when told to.
    Committed { agreement: AgreementId, commitments: Vec<Committed> },
    /// Runs ended. The node has checked the receipts and holds every output byte.
    Reported { agreement: AgreementId, reports: Vec<Report> },
    /// What a check came to that [`crate::Effect::Check`] asked for, of the same runs. `message`: what the checker
    /// says of it, short and without control characters.
    Checked { job: JobId, task: TaskId, runs: Vec<CheckedRun>, decision: CheckDecision, message: String },
    /// A provider's word on what it has under an agreement: tasks that are queued or run. A run it
    /// does not name is lost, unless it was assigned just now or has committed.
    Standing { agreement: AgreementId, slots: u16, tasks: Vec<TaskId> },
    /// The provider ended an agreement.
    AgreementEnded { agreement: AgreementId, misfit: Misfit },
    /// Nothing was heard from a provider for a few heartbeats, or its connection broke.
    ProviderLost { node: NodeId },
    /// A lost provider is connected again. The node sends it `Resume` for each agreement, and its
    /// answer comes as [`Input::Standing`].
    ProviderBack { node: NodeId },
    /// The owner stops a job.
    Cancel { job: JobId },
    /// The node can't go on with a job; the reason says why it ends.
    GiveUp { job: JobId, reason: Reason },
    /// The owner wants a failed or cancelled job to go on; tasks without a result run again.
    Retry { job: JobId },
    /// The node no longer needs a final job's state. Ignored for a job that is not final.
    Forget { job: JobId },
    /// Time has passed.
    Tick,
}

impl Input {
    /// The agreement that it comes under, if any.
    pub(crate) fn agreement(&self) -> Option<&AgreementId> {
        match self {
            Self::Committed { agreement, .. }
            | Self::Reported { agreement, .. }
            | Self::Standing { agreement, .. }
            | Self::AgreementEnded { agreement, .. } => Some(agreement),
            _ => None,
        }
    }
}

/// What the journal knows about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The job.
    pub job: JobId,
    /// Its spec.
    pub spec: Arc<JobSpec>,
    /// When it was submitted; its deadline counts from here.
    pub submitted_at: Timestamp,
    /// Tasks with a result, in any order.
    pub accepted: Vec<AcceptedTask>,
    /// Runs that failed by the program's fault and still count towards poisoning.
    pub failed: Vec<FailedRun>,
    /// Attempts are numbered from here. Must be above every attempt handed out before: 65,536 times
    /// the number of restarts is enough.
    pub attempts_from: u32,
    /// Agreements from before the restart whose providers may still hold work. The node sends
    /// `Resume` for each; results and standing that follow are taken over. Those of stages that
    /// commit first are closed instead, since the commitments were lost.
    pub agreements: Vec<HeldAgreement>,
}

/// A task that needs no more runs: it has a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptedTask {
    /// Which task.
    pub task: TaskId,
    /// Hash of the accepted outcome.
    pub output: Hash,
    /// Whether it is that the task failed, in a stage that may.
    pub failed: bool,
    /// As in [`Report`].
    pub tests: u32,
}

/// A run that failed by the program's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedRun {
    /// Which task.
    pub task: TaskId,
    /// Where it failed.
    pub node: NodeId,
}

/// The parts of a whole that audit rates count: at this rate all work is checked.
pub const AUDIT_PARTS_ALL: u32 = 100_000;

/// An agreement from before a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldAgreement {
    /// Its id.
    pub agreement: AgreementId,
    /// Stage of the job.
    pub stage: u16,
    /// The provider.
    pub node: NodeId,
    /// Slots granted.
    pub slots: u16,
    /// As in [`Candidate`], by the node's standing now.
    pub audit_parts: u32,
}

/// A node that fits a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The node.
    pub node: NodeId,
    /// Slots it has free; those with none are better left out.
    pub slots_free: u16,
    /// The market's score, for explanations.
    pub score: u32,
    /// Its place among all that fit, from 1.
    pub rank: u32,
    /// How often its work is checked where a stage verifies by reputation, of [`AUDIT_PARTS_ALL`].
    pub audit_parts: u32,
}

/// A commitment to one result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Which task.
    pub task: TaskId,
    /// Which try.
    pub attempt: u32,
    /// [`opensky_types::task::commitment`] of the result.
    pub hash: Hash,
}

/// How one run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which task.
    pub task: TaskId,
    /// Which try.
    pub attempt: u32,
    /// [`opensky_types::task::Outcome::hash`] of what came.
    pub output: Hash,
    /// Whether it ran to its end.
    pub ended: Ended,
    /// How long it ran, in microseconds, as the provider says.
    pub wall_us: u64,
    /// Salt of its commitment; zero where there was none.
    pub salt: [u8; 16],
    /// What [`opensky_types::job::ResultTests::look`] says of it.
    pub tests: u32,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The program ended by itself.
    Exited { code: i32 },
    /// It did not.
    Failed(Failure),
}
