//! What was promised about jobs: kept over crashes, each task accepted once, nothing wrong let through.

use super::{Taken, Unsettled, Watch};
use crate::{plan::Manner, worker::truth};
use anyhow::{Context, Result, ensure};
use opensky_node::Handle;
use opensky_ports::journal::{TaskRun, Verdict};
use opensky_types::{
    NodeId,
    job::{JobSpec, JobState, StageInputs, Verify},
    task::{Content, Outcome},
};
use std::collections::BTreeMap;

impl Watch {
    /// The first acknowledged job that has not ended, of a node that stays.
    pub(super) async fn unsettled_job(&mut self) -> Result<Option<Unsettled>> {
        let taken = self.sent.lock().jobs.clone();
        for one in taken {
            let living = {
                let machines = self.machines.lock();
                let machine = &machines[one.node];
                machine.life.as_ref().map(|life| (life.handle.clone(), life.number))
            };
            let Some((handle, life)) = living else { continue };
            let view = handle.job(one.job).await.context("a journal that opened is readable")?;
            let Some(view) = view else {
                ensure!(
                    !one.spec.durable && life != one.life,
                    "job {} of node {} was acknowledged and is gone",
                    one.job,
                    one.node
                );
                self.is_judged(&one, "jobs that ended with their node");
                continue;
            };
            if !view.stored.state.is_final() {
                return Ok(Some(Unsettled::Job(one.node, one.job)));
            }
            self.judge(&handle, &one, view.stored.state).await?;
            self.is_judged(&one, &format!("jobs {:?}", view.stored.state));
        }
        Ok(None)
    }

    /// Tells whoever replays what is known of a job that does not end.
    pub async fn explain(&self, unsettled: &Unsettled) {
        let Unsettled::Job(node, job) = unsettled else { return };
        let handle = self.machines.lock()[*node].life.as_ref().map(|life| life.handle.clone());
        let Some(handle) = handle else { return };
        if let Ok(Some(view)) = handle.job(*job).await {
            tracing::info!(spec = ?view.stored.spec, state = ?view.stored.state, progress = ?view.progress, "it");
        }
        if let (Ok(network), Ok(offers)) = (handle.network().await, handle.offers().await) {
            let offers: Vec<_> =
                offers.iter().map(|view| (view.offer.node, view.offer.slots_total)).collect();
            tracing::info!(peers = network.peers.len(), ?offers, "its node");
        }
        for note in handle.notes(*job).await.unwrap_or_default().iter().rev().take(12) {
            tracing::info!(at = note.at.as_millis(), task = ?note.task, reason = ?note.reason, "why");
        }
    }

    /// Each is judged once: nothing happens to an ended job any more.
    fn is_judged(&self, judged: &Taken, how: &str) {
        self.sent.lock().jobs.retain(|taken| taken.job != judged.job);
        self.count(how, 1);
    }

    /// Holds an ended job against what was asked.
    async fn judge(&self, handle: &Handle, taken: &Taken, state: JobState) -> Result<()> {
        let runs = handle.runs(taken.job, |_| true, 0, usize::MAX).await.context("runs are readable")?;
        let accepted: Vec<&TaskRun> = runs.iter().filter(|run| run.verdict == Verdict::Accepted).collect();
        let counts = taken.spec.task_counts();
        let mut seen: BTreeMap<_, u32> = BTreeMap::new();
        for run in &accepted {
            *seen.entry(run.task).or_default() += 1;
        }
        for (task, times) in &seen {
            ensure!(*times == 1, "task {task} of job {} was accepted {times} times", taken.job);
        }
        if state == JobState::Succeeded {
            let tasks: u32 = counts.iter().sum();
            ensure!(
                seen.len() as u32 == tasks,
                "job {} succeeded with {} of {tasks} tasks",
                taken.job,
                seen.len()
            );
        }
        let mut wrong = 0_u64;
        for run in &accepted {
            wrong += u64::from(!self.is_right(&taken.spec, run)?);
        }
        let owed: u64 = runs.iter().map(|run| run.price.get()).sum();
        self.count("tasks accepted", seen.len() as u64);
        self.count("wrong results that nothing checked", wrong);
        self.count("micros owed", owed);
        Ok(())
    }

    /// Whether an accepted result is right; an error if it is wrong although liars could not get it through.
    fn is_right(&self, spec: &JobSpec, run: &TaskRun) -> Result<bool> {
        let stage = spec.stages.get(usize::from(run.task.stage)).context("a stage of the job")?;
        let item = match stage.inputs {
            StageInputs::Numbers { from, step, .. } => from + i64::from(run.task.index) * step,
            _ => i64::from(run.task.index),
        };
        let right = truth(&item.to_string());
        let is_right = match &run.outcome {
            Outcome::Exited(output) => output.stdout == Content::Inline(right),
            Outcome::Failed { .. } => false,
        };
        if !is_right {
            let is_checked = matches!(stage.verify, Verify::Quorum { .. });
            ensure!(
                !is_checked,
                "a wrong result of {} was accepted by a quorum: {:?}",
                run.node,
                run.outcome
            );
            ensure!(
                self.lies(run.node),
                "an honest node's result of task {} is wrong: {:?}",
                run.task,
                run.outcome
            );
        }
        Ok(is_right)
    }

    fn lies(&self, node: NodeId) -> bool {
        let machines = self.machines.lock();
        machines.iter().any(|machine| machine.id() == node && matches!(machine.plan.manner, Manner::Lies(_)))
    }
}
