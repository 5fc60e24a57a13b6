//! From the node's answers to the shapes of the API.

pub(crate) mod ledger;
pub(crate) mod quote;
pub(crate) mod services;

use crate::{Gateway, problem::Outcome};
use opensky_api::{
    content::ContentView,
    event::JobEvent,
    ledger::LedgerSummary,
    progress::{
        FileView, JobDetail, JobNodeView, JobSummary, MisfitCountsView, RunView, StageView, TaskCounts,
        VerdictView,
    },
    status::{NetworkSummary, SharingView, SkyView, Status, StorageView},
};
use opensky_node::{Handle, JobProgress, JobView};
use opensky_ports::{
    journal::{TaskRun, Verdict},
    transport::{NetworkView, Path},
};
use opensky_types::{
    NodeId, Timestamp,
    job::{JobSpec, JobState, StageInputs},
    reason::Reason,
    resources::Usage,
    task::Outcome as RunOutcome,
};
use std::{collections::BTreeMap, fs};

/// Runs what blocks off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

pub(crate) fn status(
    gateway: &Gateway,
    status: opensky_node::Status,
    network: NetworkView,
    ledger: LedgerSummary,
    offers: u32,
    now: Timestamp,
) -> Status {
    let relayed = network.peers.iter().filter(|peer| peer.path == Path::Relayed).count();
    Status {
        node: status.node,
        name: gateway.name(),
        version: gateway.surroundings.version.clone(),
        started_at: status.started_at,
        now,
        sky: SkyView::from(&status.genesis),
        data_dir: gateway.surroundings.data_dir.display().to_string(),
        network: NetworkSummary {
            peers: network.peers.len() as u32,
            peers_relayed: relayed as u32,
            listening: network.listening,
            external: network.external,
            reachability: network.reachability,
            sent_bytes: network.sent_bytes,
            received_bytes: network.received_bytes,
        },
        offers,
        sharing: SharingView {
            slots_total: status.slots_total,
            slots_busy: u16::try_from(status.tasks_running).unwrap_or(u16::MAX),
            closed_reason: status.sharing_note,
            tasks_done: status.tasks_done,
        },
        jobs_open: status.jobs_active,
        ledger,
        storage: StorageView { used_bytes: status.blobs_used_bytes, cap_bytes: status.blobs_cap_bytes },
        resident_bytes: resident_bytes(),
    }
}

/// Memory of this process, where the system says so in the usual place.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: Option<u64> = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0) * 1024
}

pub(crate) const fn verdict(verdict: Verdict) -> VerdictView {
    match verdict {
        Verdict::Accepted => VerdictView::Accepted,
        Verdict::Agreed => VerdictView::Agreed,
        Verdict::Failed => VerdictView::Failed,
        Verdict::Rejected => VerdictView::Rejected,
        Verdict::Undecided => VerdictView::Undecided,
    }
}

pub(crate) fn run(run: &TaskRun, spec: &JobSpec) -> RunView {
    let (exit_code, failure) = match &run.outcome {
        RunOutcome::Exited(output) => (Some(output.exit_code), None),
        RunOutcome::Failed { failure, .. } => (None, Some(failure.to_string())),
    };
    let files = run.outcome.files().iter();
    RunView {
        task: run.task,
        attempt: run.attempt,
        node: run.node,
        verdict: verdict(run.verdict),
        failed: run.verdict == Verdict::Accepted
            && spec
                .stages
                .get(usize::from(run.task.stage))
                .is_some_and(|stage| stage.is_failure(&run.outcome)),
        exit_code,
        failure,
        output: run.outcome.hash(),
        stdout: run.outcome.stdout().into(),
        stderr: run.outcome.stderr().into(),
        files: files
            .map(|(path, content)| FileView { path: path.clone(), content: ContentView::from(content) })
            .collect(),
        usage: run.usage.into(),
        receipt: run.receipt,
    }
}

/// What all runs of a job add up to.
#[derive(Default)]
pub(crate) struct Totals {
    usage: Usage,
    cost_micros: u64,
    nodes: BTreeMap<NodeId, NodeTotals>,
    /// Accepted tasks per stage.
    accepted: BTreeMap<u16, AcceptedTotals>,
    /// Tasks skipped per stage, as noted.
    skipped: BTreeMap<u16, u32>,
}

/// Accepted results of a stage.
#[derive(Debug, Clone, Copy, Default)]
struct AcceptedTotals {
    done: u32,
    /// Those that say that their task failed.
    failed: u32,
}

/// What one node's runs add up to.
#[derive(Default)]
struct NodeTotals {
    /// By verdict.
    counts: [u32; 5],
    usage: Usage,
    cost_micros: u64,
}

/// Adds up a job's runs, one at a time.
pub(crate) async fn totals(handle: &Handle, view: &JobView) -> Outcome<Totals> {
    let (job, stages) = (view.stored.job, &view.stored.spec.stages);
    let has_skips = stages.iter().any(|stage| !stage.when.is_empty() || stage.may_fail);
    let accepts_any_exit: Vec<bool> = stages.iter().map(|stage| stage.accept_any_exit).collect();
    let totals = handle.fold_runs(job, Totals::default(), move |totals, run| {
        totals.usage = totals.usage.plus(run.usage);
        totals.cost_micros = totals.cost_micros.saturating_add(run.price.get());
        let node = totals.nodes.entry(run.node).or_default();
        node.counts[verdict(run.verdict) as usize] += 1;
        node.usage = node.usage.plus(run.usage);
        node.cost_micros = node.cost_micros.saturating_add(run.price.get());
        if run.verdict == Verdict::Accepted {
            let any = accepts_any_exit.get(usize::from(run.task.stage)).copied().unwrap_or_default();
            let failed = run.outcome.is_failure(any);
            let accepted = totals.accepted.entry(run.task.stage).or_default();
            accepted.done += u32::from(!failed);
            accepted.failed += u32::from(failed);
        }
    });
    let mut totals = totals.await?;
    if has_skips {
        for note in handle.notes(job).await? {
            if let Reason::StageSkipped { stage, tasks, .. } = note.reason {
                totals.skipped.insert(stage, tasks);
            }
        }
    }
    Ok(totals)
}

/// Tasks per stage, from the live job.
pub(crate) fn live_counts(view: &JobView) -> Option<Vec<TaskCounts>> {
    view.progress.as_ref().map(progress_counts)
}

fn progress_counts(progress: &JobProgress) -> Vec<TaskCounts> {
    let counts = progress.stages.iter().map(|stage| TaskCounts {
        waiting: stage.blocked + stage.waiting,
        running: stage.running,
        done: stage.accepted,
        failed: stage.failed,
        skipped: stage.skipped,
    });
    counts.collect()
}

/// Tasks per stage of a job that left memory: what has no result was given up.
pub(crate) fn counts(view: &JobView, totals: &Totals) -> Vec<TaskCounts> {
    let tasks = view.stored.spec.task_counts();
    let counts = (0u16..).zip(tasks).map(|(stage, total)| {
        let accepted = totals.accepted.get(&stage).copied().unwrap_or_default();
        let done = accepted.done.min(total);
        let failed = accepted.failed.min(total - done);
        let rest = total - done - failed;
        // A job succeeds when nothing is left to run. Of others only stages that were skipped whole are noted.
        let skipped = match view.stored.state {
            JobState::Succeeded => rest,
            _ => totals.skipped.get(&stage).copied().unwrap_or(0).min(rest),
        };
        TaskCounts { waiting: rest - skipped, running: 0, done, failed, skipped }
    });
    counts.collect()
}

pub(crate) fn progress_event(progress: &JobProgress) -> JobEvent {
    JobEvent::Progress { stages: progress_counts(progress) }
}

pub(crate) fn summary(view: &JobView, counts: &[TaskCounts], reason: String) -> JobSummary {
    JobSummary {
        job: view.stored.job,
        name: view.stored.spec.name.clone(),
        state: view.stored.state.into(),
        submitted_at: view.stored.submitted_at,
        changed_at: view.stored.changed_at,
        tasks: counts.iter().fold(TaskCounts::default(), |sum, stage| sum.plus(*stage)),
        reason,
    }
}

pub(crate) fn detail(view: &JobView, totals: &Totals, reason: String) -> JobDetail {
    let counts = live_counts(view).unwrap_or_else(|| counts(view, totals));
    let spec = &view.stored.spec;
    let read: Vec<u16> = spec
        .stages
        .iter()
        .filter_map(|stage| match stage.inputs {
            StageInputs::Each { stage } | StageInputs::Reduce { stage, .. } => Some(stage),
            _ => None,
        })
        .collect();
    let tasks_of = |position: u16| counts.get(usize::from(position)).copied().unwrap_or_default();
    let stages = (0u16..).zip(&spec.stages).map(|(position, stage)| StageView {
        name: stage.name.clone(),
        program: stage.program.hash,
        level: stage.program.level,
        verify: stage.verify.into(),
        state: tasks_of(position).stage_state(view.stored.state.into()),
        tasks: tasks_of(position),
        is_last: !read.contains(&position),
        waiting_for: waiting_for(view, position),
    });
    let nodes = totals.nodes.iter().map(|(node, sums)| JobNodeView {
        node: *node,
        accepted: sums.counts[VerdictView::Accepted as usize],
        agreed: sums.counts[VerdictView::Agreed as usize],
        failed: sums.counts[VerdictView::Failed as usize],
        rejected: sums.counts[VerdictView::Rejected as usize],
        usage: sums.usage.into(),
        cost_micros: sums.cost_micros,
    });
    JobDetail {
        seed: spec.seed,
        wait_ms: spec.wait_ms,
        deadline_ms: spec.deadline_ms,
        stages: stages.collect(),
        nodes: nodes.collect(),
        usage: totals.usage.into(),
        cost_micros: totals.cost_micros,
        budget_micros: spec.budget,
        summary: summary(view, &counts, reason),
    }
}

fn waiting_for(view: &JobView, stage: u16) -> Option<MisfitCountsView> {
    let progress = view.progress.as_ref()?;
    progress.stages.get(usize::from(stage))?.waiting_for.as_ref().map(MisfitCountsView::from)
}

/// Why a job waits or ended, in a sentence.
pub(crate) async fn reason(handle: &Handle, view: &JobView) -> Outcome<String> {
    match view.stored.state {
        JobState::Running | JobState::Waiting => {
            let waiting =
                view.progress.iter().flat_map(|progress| &progress.stages).zip(&view.stored.spec.stages);
            let waiting = waiting.filter_map(|(stage, spec)| {
                stage
                    .waiting_for
                    .as_ref()
                    .map(|counts| format!("stage '{}' waits for a node: {counts}", spec.name))
            });
            Ok(waiting.collect::<Vec<_>>().join("; "))
        }
        JobState::Succeeded => Ok(String::new()),
        JobState::Failed | JobState::Cancelled => {
            let notes = handle.notes(view.stored.job).await?;
            Ok(notes
                .iter()
                .rev()
                .find(|note| note.reason.ends_job())
                .map(|note| note.reason.to_string())
                .unwrap_or_default())
        }
    }
}
