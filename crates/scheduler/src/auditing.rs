//! Audits: which tasks are run again on another node. No node can tell whether its work will be.

use crate::{AUDIT_PARTS_ALL, job::Job, turn::Turn};
use opensky_types::{TaskId, job::Verify, reason::Reason};

/// Most runs of an audited task: the second opinion, then ties.
const AUDIT_RUNS_MAX: u8 = 5;
/// Parts of [`AUDIT_PARTS_ALL`] in a thousandth.
const PARTS_PER_MILLE: u32 = AUDIT_PARTS_ALL / 1_000;

impl Job {
    /// Draws whether a task is audited, now that a node has a run of it. A sample is drawn with the first
    /// run; by reputation (spec V3) each run is drawn anew, at the rate of its node. An audit is never
    /// taken back.
    pub fn draw_audit(&mut self, turn: &mut Turn<'_>, slot: u32, task: TaskId) {
        let position = usize::from(task.stage);
        let rate = self.agreements.get(slot).map_or(0, |held| held.audit_parts);
        let stage = &mut self.stages[position];
        let Some(detail) = stage.cells.detail_mut(task.index).filter(|detail| detail.is_plain()) else {
            return;
        };
        let parts = match self.spec.stages[position].verify {
            Verify::Sample { per_mille } if detail.draws == 0 => u32::from(per_mille) * PARTS_PER_MILLE,
            Verify::Reputation => rate,
            Verify::None | Verify::Sample { .. } | Verify::Quorum { .. } | Verify::Checked { .. } => return,
        };
        let drawn = self.draw.is_audited(task.stage, task.index, detail.draws, parts);
        detail.draws = detail.draws.saturating_add(1);
        if drawn {
            (detail.agree, detail.target, detail.target_max) = (2, 2, AUDIT_RUNS_MAX);
            stage.top_up(task.index);
            self.note_routine(turn, task, Reason::AuditDrawn);
        }
    }
}
