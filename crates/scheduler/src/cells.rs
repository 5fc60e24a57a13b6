//! Tasks in memory: a few bytes for each, and more only for those that are being worked on.

use opensky_types::{AgreementId, Hash, NodeId, job::CheckDecision, task::Failure};

const NO_DETAIL: u32 = u32::MAX;

/// One task. Every task of a job has one, so each byte counts a million times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// The first bytes of the accepted outcome's hash.
    output: [u8; 8],
    /// Place of its detail, or `NO_DETAIL`.
    detail: u32,
    /// Runs handed out since the job was submitted or restored.
    pub attempts: u32,
    pub state: CellState,
}

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellState {
    /// Never tried; whether its inputs are there is the stage's to say.
    Untried,
    /// Tried and not settled: has a detail.
    Open,
    Accepted,
    /// Failed for good. It has a result all the same where its stage may fail.
    Failed,
    /// Never to be tried: a condition does not hold, or what it reads has no result.
    Skipped,
}

impl CellState {
    /// Whether nothing more will happen to it.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Accepted | Self::Failed | Self::Skipped)
    }
}

impl Cell {
    pub const UNTRIED: Self =
        Self { output: [0; 8], detail: NO_DETAIL, attempts: 0, state: CellState::Untried };

    /// Settles the task with this outcome.
    pub fn accept(&mut self, output: &Hash) {
        self.state = CellState::Accepted;
        self.output.copy_from_slice(&output.as_bytes()[..8]);
    }

    /// Whether the accepted outcome is this one.
    pub fn has_output(&self, output: &Hash) -> bool {
        self.state == CellState::Accepted && self.output == output.as_bytes()[..8]
    }
}

/// What is remembered of a task while it is open.
#[derive(Debug, Default)]
pub(crate) struct Detail {
    /// Which task.
    pub index: u32,
    /// Whether it is in use; free ones are kept for their allocations.
    used: bool,
    /// Equal answers that settle it.
    pub agree: u8,
    /// Answers wanted so far.
    pub target: u8,
    /// Most answers that may be asked for.
    pub target_max: u8,
    /// Extra runs wanted, because one is slow.
    pub hedges: u8,
    /// Runs wanted and not placed: entries in the stage's queues that count.
    pub queued: u8,
    /// Runs wanted that wait until their task is tried again.
    pub paused: u8,
    /// Draws made of whether it is audited, one for each run.
    pub draws: u8,
    /// Failures that were not the program's fault.
    pub mishaps: u8,
    /// Where the last of these happened; avoided while there is another choice.
    pub mishap_on: Option<NodeId>,
    /// Runs handed out.
    pub runs: Vec<RunRef>,
    /// Answers that came in and are not decided on.
    pub answers: Vec<Answer>,
    /// Nodes on which it failed by the program's fault.
    pub failed_on: Vec<NodeId>,
    pub last_failure: Option<Failure>,
    /// In a stage that may fail: the last failure, not judged yet, since it may be the task's result.
    pub fallback: Option<Answer>,
    /// Checks of answers that were asked for.
    pub checks: Vec<AnswerCheck>,
}

/// A check of one answer, or of two, by their attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AnswerCheck {
    pub first: u32,
    pub second: Option<u32>,
    /// What it came to; nothing yet.
    pub decision: Option<CheckDecision>,
}

/// A run of a task, by the agreement that it runs under.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunRef {
    /// Place of the agreement.
    pub slot: u32,
    /// Where it runs.
    pub node: NodeId,
    /// Whether a result is still expected; if not, a late one is welcome all the same.
    pub live: bool,
}

/// A result that waits for others to compare with.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub agreement: AgreementId,
    pub node: NodeId,
    pub attempt: u32,
    pub output: Hash,
    /// Why the program failed, where it did.
    pub failure: Option<Failure>,
    /// Which tests of later stages hold of it.
    pub tests: u32,
}

impl Detail {
    /// Runs that a result is expected of.
    pub fn live(&self) -> usize {
        self.runs.iter().filter(|run| run.live).count()
    }

    /// Whether one answer settles the task.
    pub fn is_plain(&self) -> bool {
        self.target_max == 1
    }

    /// Whether this node has, had or failed a run of the task, so that it must not get another.
    pub fn has_used(&self, node: &NodeId) -> bool {
        self.runs.iter().any(|run| run.node == *node)
            || self.answers.iter().any(|answer| answer.node == *node)
            || self.failed_on.contains(node)
    }

    /// Entries that are to be queued now (positive) or do not count any more (negative).
    pub fn queue_change(&self) -> i32 {
        let wanted = i32::from(self.target) + i32::from(self.hedges);
        let have = self.answers.len() + self.live() + usize::from(self.queued) + usize::from(self.paused);
        (wanted - i32::try_from(have).unwrap_or(i32::MAX)).max(-i32::from(self.queued))
    }

    fn clear(&mut self) {
        let (mut runs, mut answers, mut failed_on) = (
            std::mem::take(&mut self.runs),
            std::mem::take(&mut self.answers),
            std::mem::take(&mut self.failed_on),
        );
        runs.clear();
        answers.clear();
        failed_on.clear();
        *self = Self { runs, answers, failed_on, ..Self::default() };
    }
}

/// All tasks of a stage.
#[derive(Debug)]
pub(crate) struct Cells {
    cells: Vec<Cell>,
    details: Vec<Detail>,
    free: Vec<u32>,
}

impl Cells {
    pub fn new(count: u32) -> Self {
        Self { cells: vec![Cell::UNTRIED; count as usize], details: Vec::new(), free: Vec::new() }
    }

    pub fn count(&self) -> u32 {
        self.cells.len() as u32
    }

    pub fn get(&self, index: u32) -> Option<&Cell> {
        self.cells.get(index as usize)
    }

    /// The task's cell; `index` is one of this stage.
    pub fn at(&mut self, index: u32) -> &mut Cell {
        &mut self.cells[index as usize]
    }

    pub fn state(&self, index: u32) -> CellState {
        self.cells[index as usize].state
    }

    pub fn detail(&self, index: u32) -> Option<&Detail> {
        let place = self.cells.get(index as usize)?.detail;
        self.details.get(place as usize)
    }

    pub fn detail_mut(&mut self, index: u32) -> Option<&mut Detail> {
        let place = self.cells.get(index as usize)?.detail;
        self.details.get_mut(place as usize)
    }

    /// Makes an untried task open, with an empty detail.
    pub fn open(&mut self, index: u32) -> &mut Detail {
        let place = self.free.pop().unwrap_or_else(|| {
            self.details.push(Detail::default());
            self.details.len() as u32 - 1
        });
        let cell = &mut self.cells[index as usize];
        debug_assert_eq!(cell.state, CellState::Untried);
        cell.state = CellState::Open;
        cell.detail = place;
        let detail = &mut self.details[place as usize];
        detail.index = index;
        detail.used = true;
        detail
    }

    /// Forgets the detail of a task that is open no more; the caller sets the state.
    pub fn drop_detail(&mut self, index: u32) {
        let cell = &mut self.cells[index as usize];
        if let Some(detail) = self.details.get_mut(cell.detail as usize) {
            detail.clear();
            self.free.push(cell.detail);
            cell.detail = NO_DETAIL;
        }
    }

    /// Details in use.
    pub fn open_details(&self) -> impl Iterator<Item = &Detail> {
        self.details.iter().filter(|detail| detail.used)
    }

    /// Makes every task that was skipped untried again, for whoever finds out anew which are.
    pub fn forget_skipped(&mut self) {
        for cell in self.cells.iter_mut().filter(|cell| cell.state == CellState::Skipped) {
            cell.state = CellState::Untried;
        }
    }

    /// Makes every task that is open, or, if `failed_too`, failed, untried again.
    pub fn reset(&mut self, failed_too: bool) {
        self.details.clear();
        self.free.clear();
        for cell in &mut self.cells {
            cell.detail = NO_DETAIL;
            if cell.state == CellState::Open || (failed_too && cell.state == CellState::Failed) {
                cell.state = CellState::Untried;
            }
        }
    }

    /// Bytes held by these tasks, without what details allocate themselves.
    pub fn size_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>() + self.details.capacity() * size_of::<Detail>()
    }
}
