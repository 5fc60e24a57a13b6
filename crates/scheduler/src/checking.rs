//! What must hold after every input, as assertions for tests.

use crate::{
    agreements::{RunState, WINDOW_MAX},
    cells::{CellState, Detail},
    job::Job,
    stage::Stage,
};
use opensky_types::NodeId;
use std::collections::BTreeSet;

impl Job {
    pub fn check(&self) {
        assert!(self.dirty.is_empty() && self.doom.is_none() && self.liars.is_empty(), "unfinished turn");
        for (position, stage) in self.stages.iter().enumerate() {
            self.check_counts(stage);
            for detail in stage.cells.open_details() {
                self.check_detail(position as u16, detail);
            }
        }
        for (slot, agreement) in self.agreements.iter() {
            let stage = &self.stages[usize::from(agreement.stage)];
            assert!(stage.members.contains(&slot), "an agreement that its stage does not know");
            let count = |states: &[RunState]| {
                agreement.runs.values().filter(|run| states.contains(&run.state)).count() as u32
            };
            assert_eq!(agreement.active(), count(&[RunState::Active]));
            assert_eq!(agreement.held(), count(&[RunState::Committed, RunState::Revealed]));
            assert!(agreement.active() <= WINDOW_MAX, "more runs than a window holds");
            assert!(!self.state.is_final() || agreement.active() == 0, "an ended job has runs");
            for (index, run) in &agreement.runs {
                let open = stage.cells.state(*index) == CellState::Open;
                let referred = stage.cells.detail(*index).is_some_and(|detail| {
                    detail.runs.iter().any(|other| other.slot == slot && other.node == agreement.node)
                });
                let expected = open && run.state != RunState::Cancelled;
                assert_eq!(expected, referred, "run {index} {run:?} and its task do not agree");
                assert!(open || run.state != RunState::Active, "a settled task still runs");
            }
        }
    }

    fn check_counts(&self, stage: &Stage) {
        let states = |state| {
            (0..stage.cells.count()).filter(|index| stage.cells.state(*index) == state).count() as u32
        };
        assert_eq!(stage.accepted, states(CellState::Accepted));
        assert_eq!(stage.failed, states(CellState::Failed));
        assert_eq!(stage.skipped, states(CellState::Skipped));
        assert_eq!(stage.open, states(CellState::Open));
        assert_eq!(stage.open, stage.cells.open_details().count() as u32);
        assert!(stage.ready <= states(CellState::Untried));
        let paused: usize = stage.cells.open_details().map(|detail| usize::from(detail.paused)).sum();
        assert!(stage.paused_entries() >= paused, "a paused run that nothing wakes");
        let queued: u32 = stage.cells.open_details().map(|detail| u32::from(detail.queued)).sum();
        assert_eq!(stage.queued, queued);
        assert!(stage.queue_entries() >= queued as usize, "a queued run that no queue holds");
    }

    fn check_detail(&self, stage: u16, detail: &Detail) {
        let mut nodes: BTreeSet<NodeId> = BTreeSet::new();
        let used = detail.runs.iter().map(|run| run.node).chain(detail.answers.iter().map(|a| a.node));
        for node in used {
            assert!(nodes.insert(node), "task {stage}.{} has two replicas on one node", detail.index);
        }
        for run in &detail.runs {
            let agreement = self.agreements.get(run.slot).expect("a run under no agreement");
            let handed = agreement.runs.get(&detail.index).expect("a run that its agreement lacks");
            assert_eq!(agreement.stage, stage);
            assert_eq!(run.live, handed.state != RunState::Abandoned);
        }
        assert!(detail.target <= detail.target_max);
        // Copies of a slow run may come while the first result is looked at by itself.
        assert!(detail.agree == 1 || detail.answers.len() <= usize::from(detail.target_max));
        let waiting = usize::from(detail.queued) + usize::from(detail.paused);
        let have = detail.answers.len() + detail.live() + waiting;
        let wanted = usize::from(detail.target) + usize::from(detail.hedges);
        assert!(have >= wanted, "task {stage}.{} is forgotten", detail.index);
    }
}
