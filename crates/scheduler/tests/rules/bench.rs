//! One scheduler on a bench: each test hands it facts and looks at the orders.

use opensky_scheduler::{
    AcceptedTask, Candidate, Committed, Config, Effect, Ended, Input, Judgement, Report, Scheduler,
};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, TaskId, Timestamp,
    job::{JobSpec, JobState, LevelReason, Needs, Program, Retry, StageInputs, StageSpec, Verify},
    offer::Constraints,
    place::Level,
    reason::{Misfit, MisfitCounts, Reason},
    resources::TaskLimits,
    task::{Failure, commitment},
};
use std::sync::Arc;

pub const JOB: JobId = JobId::from_bytes([1; 10]);
pub const SALT: [u8; 16] = [9; 16];

pub struct Bench {
    pub scheduler: Scheduler,
    pub now: u64,
    /// What the last input led to.
    pub effects: Vec<Effect>,
    /// What all inputs led to.
    pub history: Vec<Effect>,
    /// How often the market says that a node's work is checked.
    pub audit_parts: fn(u8) -> u32,
}

pub fn node(number: u8) -> NodeId {
    NodeId::from_public_key([number; 32])
}

/// The agreement of a node for a stage, in these tests.
pub fn agreement(stage: u16, number: u8) -> AgreementId {
    AgreementId::from_hash(Hash::of_value("test agreement", &(stage, number)))
}

pub fn task(index: u32) -> TaskId {
    TaskId { stage: 0, index }
}

pub fn output(text: &str) -> Hash {
    Hash::of(text.as_bytes())
}

pub fn exited(task: TaskId, attempt: u32, text: &str) -> Report {
    let (output, ended) = (output(text), Ended::Exited { code: 0 });
    Report { task, attempt, output, ended, wall_us: 50_000, salt: SALT, tests: 0 }
}

/// What the journal says of a task that has this result.
pub fn accepted(task: TaskId, text: &str) -> AcceptedTask {
    AcceptedTask { task, output: output(text), failed: false, tests: 0 }
}

pub fn failed(task: TaskId, attempt: u32, failure: Failure) -> Report {
    Report { ended: Ended::Failed(failure), ..exited(task, attempt, "failed") }
}

pub fn trap() -> Failure {
    Failure::Trap { message: "unreachable".into() }
}

pub fn worker_lost() -> Failure {
    Failure::WorkerLost { message: "killed".into() }
}

pub fn stage(name: &str, inputs: StageInputs) -> StageSpec {
    let program = Program {
        hash: output("program"),
        size_bytes: 7,
        level: Level::Vm,
        function: String::new(),
        args: Vec::new(),
        env: Vec::new(),
        deterministic: true,
        needs: Needs::default(),
    };
    StageSpec {
        name: name.into(),
        program,
        inputs,
        after: Vec::new(),
        limits: TaskLimits::default(),
        constraints: Constraints::default(),
        verify: Verify::None,
        failures_max: 3,
        retry: Retry::default(),
        level_reason: LevelReason::Given,
        check: None,
        when: Vec::new(),
        may_fail: false,
        accept_any_exit: false,
        hedge: false,
    }
}

pub fn numbers(count: i64) -> StageInputs {
    StageInputs::Numbers { from: 0, to: count, step: 1 }
}

pub fn job(stages: Vec<StageSpec>) -> JobSpec {
    let (wait_ms, deadline_ms) = (60_000, None);
    JobSpec { name: "job".into(), stages, wait_ms, deadline_ms, budget: None, seed: 1, durable: true }
}

impl Bench {
    /// A bench with one submitted job.
    pub fn with(spec: JobSpec) -> Self {
        spec.validate().expect("a valid job");
        let scheduler = Scheduler::new(Config::new([5; 32]));
        let (effects, history) = (Vec::new(), Vec::new());
        let mut bench = Self { scheduler, now: 1_000, effects, history, audit_parts: |_| 0 };
        bench.give(Input::Submitted { job: JOB, spec: Arc::new(spec) });
        bench
    }

    pub fn give(&mut self, input: Input) -> &[Effect] {
        self.effects.clear();
        self.scheduler.handle(Timestamp::from_millis(self.now), input, &mut self.effects);
        self.scheduler.check();
        self.history.extend(self.effects.iter().cloned());
        &self.effects
    }

    /// Lets time pass, with a tick each 100 ms; `effects` holds what all of them led to.
    pub fn wait(&mut self, millis: u64) {
        let before = self.history.len();
        let end = self.now + millis;
        while self.now < end {
            self.now = (self.now + 100).min(end);
            self.give(Input::Tick);
        }
        self.effects = self.history[before..].to_vec();
    }

    /// The market answers with these nodes, each with so many free slots.
    pub fn matched(&mut self, stage: u16, numbers: &[u8], slots_free: u16) {
        let candidate = |number: &u8| Candidate {
            node: node(*number),
            slots_free,
            score: 10,
            rank: 1,
            audit_parts: (self.audit_parts)(*number),
        };
        let ranked: Vec<Candidate> = numbers.iter().map(candidate).collect();
        let fitting = ranked.len() as u32;
        let counts = MisfitCounts { offers: fitting, fitting, excluded: Vec::new() };
        self.give(Input::Matched { job: JOB, stage, ranked, counts });
    }

    /// The market answers that nobody fits, for this reason.
    pub fn nobody(&mut self, stage: u16, misfit: Misfit) {
        let counts = MisfitCounts { offers: 1, fitting: 0, excluded: vec![(misfit, 1)] };
        self.give(Input::Matched { job: JOB, stage, ranked: Vec::new(), counts });
    }

    pub fn agreed(&mut self, stage: u16, number: u8, slots: u16) {
        let agreement = agreement(stage, number);
        self.give(Input::Agreed { job: JOB, stage, node: node(number), agreement, slots });
    }

    /// Lets time pass, with a market that always offers these nodes, until a run is handed out; gives
    /// the node's number and the attempt.
    pub fn until_assigned(&mut self, numbers: &[u8]) -> (u8, u32) {
        loop {
            assert!(!self.state().is_final(), "the job ended: {:?}", self.notes());
            if let Some((node, _, attempt)) = self.assigned().first() {
                return (node.public_key()[0], *attempt);
            }
            let asked = self.effects.iter().find_map(|effect| match effect {
                Effect::Find { exclude, .. } => Some(exclude.clone()),
                _ => None,
            });
            let proposed = self.effects.iter().find_map(|effect| match effect {
                Effect::Propose { node, .. } => Some(node.public_key()[0]),
                _ => None,
            });
            match (asked, proposed) {
                (_, Some(number)) => self.agreed(0, number, 1),
                (Some(exclude), None) => {
                    let fit: Vec<u8> =
                        numbers.iter().copied().filter(|number| !exclude.contains(&node(*number))).collect();
                    self.matched(0, &fit, 1);
                }
                (None, None) => self.wait(100),
            }
        }
    }

    pub fn reported(&mut self, number: u8, reports: Vec<Report>) {
        let stage = reports.first().map_or(0, |report| report.task.stage);
        self.give(Input::Reported { agreement: agreement(stage, number), reports });
    }

    pub fn committed(&mut self, number: u8, task: TaskId, attempt: u32, text: &str) {
        let hash = commitment(&node(number), task, &output(text), &SALT);
        let commitments = vec![Committed { task, attempt, hash }];
        self.give(Input::Committed { agreement: agreement(task.stage, number), commitments });
    }

    pub fn state(&self) -> JobState {
        self.scheduler.job(&JOB).expect("the job is held").state
    }

    /// Runs handed out by the last input: (node, task, attempt).
    pub fn assigned(&self) -> Vec<(NodeId, TaskId, u32)> {
        assigned_in(&self.effects)
    }

    /// Judgements of the last input: (node, task, judgement).
    pub fn judged(&self) -> Vec<(NodeId, TaskId, Judgement)> {
        let mut all = Vec::new();
        for effect in &self.effects {
            if let Effect::Judge { node, judged, .. } = effect {
                all.extend(judged.iter().map(|one| (*node, one.task, one.judgement)));
            }
        }
        all
    }

    /// Notes of the last input.
    pub fn notes(&self) -> Vec<&Reason> {
        notes_in(&self.effects)
    }

    pub fn has(&self, wanted: impl Fn(&Effect) -> bool) -> bool {
        self.effects.iter().any(wanted)
    }
}

pub fn assigned_in(effects: &[Effect]) -> Vec<(NodeId, TaskId, u32)> {
    let mut all = Vec::new();
    for effect in effects {
        if let Effect::Assign { node, tasks, .. } = effect {
            all.extend(tasks.iter().map(|(task, attempt)| (*node, *task, *attempt)));
        }
    }
    all
}

fn notes_in(effects: &[Effect]) -> Vec<&Reason> {
    let mut all = Vec::new();
    for effect in effects {
        if let Effect::Note { note, .. } = effect {
            all.push(&note.reason);
        }
    }
    all
}
