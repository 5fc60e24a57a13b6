//! Makes the views of a job and its tasks.

use crate::{
    agreements::{Reach, RunState},
    cells::CellState,
    job::Job,
    stage::Stage,
    view::{JobView, NodeRuns, RunView, StageView, TaskState, TaskView},
};
use opensky_types::{NodeId, TaskId};
use std::collections::BTreeMap;

impl Job {
    pub fn view(&self) -> JobView {
        let mut nodes: BTreeMap<NodeId, NodeRuns> = BTreeMap::new();
        let blank = |node| NodeRuns { node, slots: 0, running: 0, accepted: 0 };
        for (_, agreement) in self.agreements.iter() {
            let node = nodes.entry(agreement.node).or_insert(blank(agreement.node));
            node.slots += u32::from(agreement.slots);
            node.running += agreement.active();
        }
        for (node, accepted) in &self.accepted_by {
            nodes.entry(*node).or_insert(blank(*node)).accepted = *accepted;
        }
        JobView {
            state: self.state,
            started_at: self.started_at,
            stages: self.stages.iter().map(|stage| self.stage_view(stage)).collect(),
            nodes: nodes.into_values().collect(),
        }
    }

    fn stage_view(&self, stage: &Stage) -> StageView {
        let running =
            stage.cells.open_details().filter(|detail| detail.live() + detail.answers.len() > 0).count();
        let running = running as u32;
        let total = stage.cells.count();
        let rest = total - stage.accepted - stage.failed - stage.skipped;
        let waiting = if self.state.is_final() { rest } else { stage.ready + stage.open - running };
        let reachable = |slot: &&u32| {
            self.agreements.get(**slot).is_some_and(|held| !matches!(held.reach, Reach::Gone { .. }))
        };
        StageView {
            total,
            blocked: rest - waiting - running,
            waiting,
            running,
            accepted: stage.accepted,
            failed: stage.failed,
            skipped: stage.skipped,
            attempts: stage.attempts,
            agreements: stage.members.iter().filter(reachable).count() as u32,
            waiting_for: stage.starved_since.and(stage.counts.clone()),
        }
    }

    pub fn task_view(&self, task: TaskId) -> Option<TaskView> {
        let stage = self.stages.get(usize::from(task.stage))?;
        let cell = stage.cells.get(task.index)?;
        let detail = stage.cells.detail(task.index);
        let mut runs = Vec::new();
        for run in detail.iter().flat_map(|detail| &detail.runs) {
            let Some(agreement) = self.agreements.get(run.slot) else { continue };
            let Some(handed) = agreement.runs.get(&task.index) else { continue };
            if handed.state == RunState::Active {
                let (attempt, since) = (handed.attempt, handed.since);
                runs.push(RunView { agreement: agreement.id, node: run.node, attempt, since });
            }
        }
        let state = match cell.state {
            CellState::Accepted => TaskState::Accepted,
            CellState::Failed => TaskState::Failed,
            CellState::Skipped => TaskState::Skipped,
            CellState::Open if detail.is_some_and(|d| d.live() + d.answers.len() > 0) => TaskState::Running,
            CellState::Open => TaskState::Waiting,
            CellState::Untried if self.is_ready(task) => TaskState::Waiting,
            CellState::Untried => TaskState::Blocked,
        };
        Some(TaskView {
            task,
            state,
            attempts: cell.attempts,
            runs,
            answers: detail.map_or(0, |d| d.answers.len() as u32 + u32::from(d.fallback.is_some())),
            failed_on: detail.map_or(Vec::new(), |detail| detail.failed_on.clone()),
        })
    }
}
