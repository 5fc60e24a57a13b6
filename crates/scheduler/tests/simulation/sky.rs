//! A fake sky in virtual time: providers of every character, and a network that loses and repeats.

use opensky_scheduler::{
    AUDIT_PARTS_ALL, AcceptedTask, Candidate, CheckedRun, Committed, Config, Effect, Ended, HeldAgreement,
    Input, Judgement, Report, Restored, Scheduler,
};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, TaskId, Timestamp,
    job::{CheckDecision, JobSpec, JobState},
    reason::{Misfit, MisfitCounts, Reason},
    task::{Failure, commitment},
};
use std::{
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
    sync::Arc,
};

/// How a provider behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Character {
    Honest,
    /// Takes this many times as long.
    Slow(u64),
    /// Makes up its own wrong result.
    Liar,
    /// Makes up the same wrong result as its friends.
    Colluder,
    /// Shows another result than the one it committed to.
    Swapper,
    /// Vanishes for good at this time.
    Dies(u64),
    /// Vanishes at the first time, with all it had, and is back at the second.
    Returns(u64, u64),
    /// Is cut off between these times, and works on.
    CutOff(u64, u64),
    /// Accepts work and never answers.
    Silent,
    Refusing,
    /// Every fifth run fails by its own fault.
    Clumsy,
}

/// A source of chance for the fake sky (SplitMix64).
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
    pub fn per_mille(&mut self, share: u64) -> bool {
        self.below(1_000) < share
    }
}

#[derive(Debug, Clone)]
enum Event {
    Tell(Input),
    Order(NodeId, Effect),
    Finish { node: NodeId, life: u32, agreement: AgreementId, task: TaskId, attempt: u32 },
    Standing(NodeId),
    Down(NodeId, bool),
    Up(NodeId),
    Tick,
}

#[derive(Debug, Default)]
struct Held {
    slots: u16,
    commit_first: bool,
    queue: VecDeque<(TaskId, u32)>,
    running: BTreeMap<TaskId, u32>,
    committed: BTreeMap<TaskId, Report>,
    done: BTreeMap<(TaskId, u32), Report>,
}

#[derive(Debug)]
struct Provider {
    character: Character,
    slots: u16,
    /// How often its work is checked.
    audit_parts: u32,
    connected: bool,
    life: u32,
    held: BTreeMap<AgreementId, Held>,
}

impl Provider {
    fn slots_taken(&self) -> u16 {
        self.held.values().map(|held| held.slots).sum()
    }
}

/// The sky around one scheduler.
pub struct Sky {
    pub scheduler: Scheduler,
    config: Config,
    pub now: u64,
    pub chance: Chance,
    events: BinaryHeap<std::cmp::Reverse<(u64, u64)>>,
    payloads: BTreeMap<u64, Event>,
    sequence: u64,
    providers: BTreeMap<NodeId, Provider>,
    resting: BTreeMap<NodeId, u64>,
    specs: BTreeMap<JobId, Arc<JobSpec>>,
    /// Milliseconds of one task on an honest node.
    pub task_ms: u64,
    pub loss_per_mille: u64,
    pub repeat_per_mille: u64,
    /// How often a checker fails itself.
    pub broken_per_mille: u64,
    /// Whether honest nodes give another result each.
    pub noisy: bool,
    honest: BTreeSet<Hash>,
    /// Assert every invariant after one in so many inputs.
    pub check_every: u64,
    inputs: u64,
    outputs: BTreeMap<(AgreementId, TaskId, u32), Hash>,
    judged: BTreeSet<(AgreementId, TaskId, u32)>,
    agreements: BTreeMap<AgreementId, HeldAgreement>,
    pub accepted: BTreeMap<(JobId, TaskId), Hash>,
    pub assigned: u64,
    pub states: BTreeMap<JobId, JobState>,
    pub notes: BTreeMap<JobId, Vec<Reason>>,
}

pub fn node(number: u64) -> NodeId {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    NodeId::from_public_key(bytes)
}

pub fn right_output(task: TaskId) -> Hash {
    Hash::of_value("test right output", &task)
}

impl Sky {
    pub fn new(seed: u64, characters: &[Character], slots: u16) -> Self {
        let mut config = Config::new(*Hash::of(&seed.to_le_bytes()).as_bytes());
        config.rest_rejected_ms = 60_000;
        let mut sky = Self {
            scheduler: Scheduler::new(config.clone()),
            config,
            now: 1_000,
            chance: Chance(seed),
            events: BinaryHeap::new(),
            payloads: BTreeMap::new(),
            sequence: 0,
            providers: BTreeMap::new(),
            resting: BTreeMap::new(),
            specs: BTreeMap::new(),
            task_ms: 20,
            loss_per_mille: 0,
            repeat_per_mille: 0,
            broken_per_mille: 0,
            noisy: false,
            honest: BTreeSet::new(),
            check_every: 1,
            inputs: 0,
            outputs: BTreeMap::new(),
            judged: BTreeSet::new(),
            agreements: BTreeMap::new(),
            accepted: BTreeMap::new(),
            assigned: 0,
            states: BTreeMap::new(),
            notes: BTreeMap::new(),
        };
        for (number, character) in characters.iter().enumerate() {
            let id = node(number as u64);
            let held = BTreeMap::new();
            let audit_parts = if *character == Character::Honest { 2_000 } else { AUDIT_PARTS_ALL };
            let provider =
                Provider { character: *character, slots, audit_parts, connected: true, life: 0, held };
            sky.providers.insert(id, provider);
            match *character {
                Character::Dies(at) => sky.at(at, Event::Down(id, true)),
                Character::Returns(down, up) => {
                    sky.at(down, Event::Down(id, true));
                    sky.at(up, Event::Up(id));
                }
                Character::CutOff(down, up) => {
                    sky.at(down, Event::Down(id, false));
                    sky.at(up, Event::Up(id));
                }
                _ => {}
            }
            sky.at(sky.now + 100 * number as u64, Event::Standing(id));
        }
        sky.at(sky.now, Event::Tick);
        sky
    }

    pub fn submit(&mut self, job: JobId, spec: JobSpec) {
        spec.validate().expect("a valid job");
        let spec = Arc::new(spec);
        self.specs.insert(job, spec.clone());
        self.tell(Input::Submitted { job, spec });
    }

    /// The consumer dies and comes back with what its journal knows.
    pub fn restart(&mut self, job: JobId, restarts: u32) {
        let state = self.states.get(&job).copied();
        assert!(!state.is_some_and(JobState::is_final), "nothing left to restore");
        self.scheduler = Scheduler::new(self.config.clone());
        let accepted = self.accepted.iter().filter(|((of, _), _)| *of == job);
        let accepted = accepted.map(|((_, task), output)| AcceptedTask {
            task: *task,
            output: *output,
            failed: false,
            tests: 0,
        });
        let held: Vec<HeldAgreement> = self.agreements.values().copied().collect();
        let restored = Restored {
            job,
            spec: self.specs[&job].clone(),
            submitted_at: Timestamp::from_millis(1_000),
            accepted: accepted.collect(),
            failed: Vec::new(),
            attempts_from: restarts << 16,
            agreements: held.clone(),
        };
        self.tell(Input::Restored(Box::new(restored)));
        for agreement in held {
            self.resume(agreement.node, agreement.agreement);
        }
    }

    /// Runs until all jobs have ended or the time is over; says whether they ended.
    pub fn run(&mut self, until: u64) -> bool {
        while !self.states.values().all(|state| state.is_final()) {
            let Some(std::cmp::Reverse((at, sequence))) = self.events.pop() else { return false };
            if at > until {
                self.events.push(std::cmp::Reverse((at, sequence)));
                return false;
            }
            self.now = self.now.max(at);
            let event = self.payloads.remove(&sequence).expect("every event has a payload");
            self.happen(event);
        }
        true
    }

    fn at(&mut self, time: u64, event: Event) {
        self.sequence += 1;
        self.events.push(std::cmp::Reverse((time, self.sequence)));
        self.payloads.insert(self.sequence, event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tell(input) => self.tell(input),
            Event::Order(node, effect) => self.obey(node, effect),
            Event::Finish { node, life, agreement, task, attempt } => {
                self.finish(node, life, agreement, task, attempt);
            }
            Event::Standing(id) => {
                let provider = &self.providers[&id];
                if provider.connected && provider.character != Character::Silent {
                    for agreement in provider.held.keys().copied().collect::<Vec<_>>() {
                        self.stand(id, agreement);
                    }
                }
                self.at(self.now + 1_000, Event::Standing(id));
            }
            Event::Down(id, dead) => {
                let provider = self.providers.get_mut(&id).expect("a known node");
                provider.connected = false;
                if dead {
                    provider.life += 1;
                    provider.held.clear();
                }
                self.at(self.now + 300, Event::Tell(Input::ProviderLost { node: id }));
            }
            Event::Up(id) => {
                let provider = self.providers.get_mut(&id).expect("a known node");
                provider.connected = true;
                self.tell(Input::ProviderBack { node: id });
                let known: Vec<_> =
                    self.agreements.values().filter(|held| held.node == id).copied().collect();
                for agreement in known {
                    self.resume(id, agreement.agreement);
                }
            }
            Event::Tick => {
                self.tell(Input::Tick);
                self.at(self.now + 50, Event::Tick);
            }
        }
    }

    /// Resume: the provider repeats what was not judged, and says what it has.
    fn resume(&mut self, id: NodeId, agreement: AgreementId) {
        let provider = &self.providers[&id];
        match provider.held.get(&agreement) {
            Some(held) => {
                let reports: Vec<Report> = held.done.values().cloned().collect();
                self.answer(id, Input::Reported { agreement, reports });
                self.stand(id, agreement);
            }
            None => self.answer(id, Input::AgreementEnded { agreement, misfit: Misfit::Expired }),
        }
    }

    fn stand(&mut self, id: NodeId, agreement: AgreementId) {
        let held = &self.providers[&id].held[&agreement];
        let tasks = held.queue.iter().map(|(task, _)| *task).chain(held.running.keys().copied()).collect();
        let slots = held.slots;
        if !self.scheduler.holds(&agreement) && !self.is_acceptance_on_its_way(agreement) {
            return self.order(id, Effect::Close { agreement, node: id });
        }
        self.answer(id, Input::Standing { agreement, slots, tasks });
    }

    /// Acceptances and standings keep their order on the wire.
    fn is_acceptance_on_its_way(&self, wanted: AgreementId) -> bool {
        self.payloads.values().any(
            |event| matches!(event, Event::Tell(Input::Agreed { agreement, .. }) if *agreement == wanted),
        )
    }

    /// A message from a provider, over a network that may lose or repeat it.
    fn answer(&mut self, from: NodeId, input: Input) {
        if !self.providers[&from].connected || self.chance.per_mille(self.loss_per_mille) {
            return;
        }
        if self.chance.per_mille(self.repeat_per_mille) {
            let later = self.now + self.chance.below(3_000);
            self.at(later, Event::Tell(input.clone()));
        }
        self.at(self.now + 1, Event::Tell(input));
    }

    pub fn tell(&mut self, input: Input) {
        if let Input::Reported { agreement, reports } = &input {
            for report in reports {
                self.outputs.insert((*agreement, report.task, report.attempt), report.output);
            }
        }
        let mut effects = Vec::new();
        self.scheduler.handle(Timestamp::from_millis(self.now), input, &mut effects);
        self.inputs += 1;
        if self.inputs.is_multiple_of(self.check_every) {
            self.scheduler.check();
        }
        for effect in effects {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match &effect {
            Effect::Find { job, stage, exclude, .. } => self.find(*job, *stage, exclude),
            Effect::Propose { node, .. } | Effect::Reveal { node, .. } | Effect::CancelTasks { node, .. } => {
                self.order(*node, effect.clone());
            }
            Effect::Assign { job, node, tasks, .. } => {
                assert!(!tasks.is_empty() && tasks.len() <= 1_024);
                for (task, _) in tasks {
                    assert!(!self.accepted.contains_key(&(*job, *task)), "{task} runs again");
                }
                self.assigned += tasks.len() as u64;
                self.order(*node, effect.clone());
            }
            Effect::Close { agreement, node } => {
                self.agreements.remove(agreement);
                self.order(*node, effect.clone());
            }
            Effect::Judge { job, agreement, node, judged } => {
                for one in judged {
                    let run = (*agreement, one.task, one.attempt);
                    assert!(self.judged.insert(run), "{run:?} is judged twice");
                    if let Some(held) =
                        self.providers.get_mut(node).and_then(|provider| provider.held.get_mut(agreement))
                    {
                        held.done.remove(&(one.task, one.attempt));
                    }
                    if one.judgement == Judgement::Accepted {
                        let before = self.accepted.insert((*job, one.task), self.outputs[&run]);
                        assert!(before.is_none(), "{} is accepted twice", one.task);
                    }
                }
            }
            Effect::Check { job, task, runs } => self.check_results(*job, *task, runs.clone()),
            Effect::Note { job, note } => self.notes.entry(*job).or_default().push(note.reason.clone()),
            Effect::Changed { job, state } => {
                self.states.insert(*job, *state);
            }
            Effect::Rest { node, until } => {
                self.resting.insert(*node, until.as_millis());
            }
        }
    }

    /// The market: nodes that are connected, awake and have a free slot, in random order.
    fn find(&mut self, job: JobId, stage: u16, exclude: &[NodeId]) {
        let mut excluded: BTreeMap<Misfit, u32> = BTreeMap::new();
        let mut ranked = Vec::new();
        for (id, provider) in &self.providers {
            let free = provider.slots.saturating_sub(provider.slots_taken());
            let misfit = if exclude.contains(id) {
                Some(Misfit::AlreadyUsed)
            } else if !provider.connected {
                Some(Misfit::Expired)
            } else if self.resting.get(id).is_some_and(|until| *until > self.now) {
                Some(Misfit::Resting)
            } else {
                (free == 0).then_some(Misfit::Full)
            };
            match misfit {
                Some(misfit) => *excluded.entry(misfit).or_default() += 1,
                None => {
                    let audit_parts = provider.audit_parts;
                    ranked.push(Candidate { node: *id, slots_free: free, score: 100, rank: 0, audit_parts });
                }
            }
        }
        let mut order: Vec<(u64, Candidate)> =
            ranked.into_iter().map(|candidate| (self.chance.below(1 << 32), candidate)).collect();
        order.sort_by_key(|(draw, _)| *draw);
        let ranked: Vec<Candidate> = order
            .into_iter()
            .enumerate()
            .map(|(place, (_, candidate))| Candidate { rank: place as u32 + 1, ..candidate })
            .collect();
        let counts = MisfitCounts {
            offers: self.providers.len() as u32,
            fitting: ranked.len() as u32,
            excluded: excluded.into_iter().collect(),
        };
        self.at(self.now + 1, Event::Tell(Input::Matched { job, stage, ranked, counts }));
    }

    fn order(&mut self, to: NodeId, effect: Effect) {
        if !self.chance.per_mille(self.loss_per_mille) {
            self.at(self.now + 1, Event::Order(to, effect));
        }
    }

    fn obey(&mut self, id: NodeId, effect: Effect) {
        let provider = self.providers.get_mut(&id).expect("a known node");
        if !provider.connected {
            return;
        }
        match effect {
            Effect::Propose { job, stage, slots, .. } => self.consider(id, job, stage, slots),
            Effect::Assign { agreement, tasks, .. } => {
                let Some(held) = provider.held.get_mut(&agreement) else { return };
                held.queue.extend(tasks);
                self.start(id, agreement);
            }
            Effect::Reveal { agreement, tasks, .. } => {
                let swaps = provider.character == Character::Swapper;
                let Some(held) = provider.held.get_mut(&agreement) else { return };
                let mut reports: Vec<Report> =
                    tasks.iter().filter_map(|task| held.committed.remove(task)).collect();
                if swaps {
                    reports.iter_mut().for_each(|report| report.output = Hash::of(b"swapped"));
                }
                held.done.extend(reports.iter().map(|r| ((r.task, r.attempt), r.clone())));
                self.answer(id, Input::Reported { agreement, reports });
            }
            Effect::CancelTasks { agreement, tasks, .. } => {
                let Some(held) = provider.held.get_mut(&agreement) else { return };
                held.queue.retain(|(task, _)| !tasks.contains(task));
                held.running.retain(|task, _| !tasks.contains(task));
                self.start(id, agreement);
            }
            Effect::Close { agreement, .. } => {
                provider.held.remove(&agreement);
            }
            _ => {}
        }
    }

    fn consider(&mut self, id: NodeId, job: JobId, stage: u16, slots: u16) {
        let commit_first = self.specs[&job].stages[usize::from(stage)].verify.commits_first();
        let provider = self.providers.get_mut(&id).expect("a known node");
        let free = provider.slots.saturating_sub(provider.slots_taken());
        let slots = slots.min(free);
        if slots == 0 || provider.character == Character::Refusing {
            return self.answer(id, Input::Refused { job, stage, node: id, misfit: Misfit::Full });
        }
        self.sequence += 1;
        let agreement = AgreementId::from_hash(Hash::of(&self.sequence.to_le_bytes()));
        let held = Held { slots, commit_first, ..Held::default() };
        provider.held.insert(agreement, held);
        let audit_parts = provider.audit_parts;
        self.agreements.insert(agreement, HeldAgreement { agreement, stage, node: id, slots, audit_parts });
        self.answer(id, Input::Agreed { job, stage, node: id, agreement, slots });
    }

    fn start(&mut self, id: NodeId, agreement: AgreementId) {
        let task_ms = self.task_ms;
        let provider = self.providers.get_mut(&id).expect("a known node");
        let factor = if let Character::Slow(factor) = provider.character { factor } else { 1 };
        let (life, character) = (provider.life, provider.character);
        let Some(held) = provider.held.get_mut(&agreement) else { return };
        let mut started = Vec::new();
        while held.running.len() < usize::from(held.slots) {
            let Some((task, attempt)) = held.queue.pop_front() else { break };
            held.running.insert(task, attempt);
            started.push((task, attempt));
        }
        if character == Character::Silent {
            return;
        }
        for (task, attempt) in started {
            let took = (task_ms + self.chance.below(task_ms.max(1))) * factor;
            self.at(self.now + took, Event::Finish { node: id, life, agreement, task, attempt });
        }
    }

    fn finish(&mut self, id: NodeId, life: u32, agreement: AgreementId, task: TaskId, attempt: u32) {
        let clumsy = self.chance.per_mille(200);
        let salt = [self.chance.below(256) as u8; 16];
        let provider = self.providers.get_mut(&id).expect("a known node");
        let character = provider.character;
        let Some(held) = provider.held.get_mut(&agreement).filter(|_| provider.life == life) else { return };
        if held.running.get(&task) != Some(&attempt) {
            return;
        }
        held.running.remove(&task);
        let output = match character {
            Character::Liar => Hash::of_value("test lie", &(task, id)),
            Character::Colluder => Hash::of_value("test collusion", &task),
            _ if self.noisy => Hash::of_value("test noise", &(task, id)),
            _ => right_output(task),
        };
        if self.noisy && !matches!(character, Character::Liar | Character::Colluder) {
            self.honest.insert(output);
        }
        let mut report = Report {
            task,
            attempt,
            output,
            ended: Ended::Exited { code: 0 },
            wall_us: 20_000,
            salt,
            tests: 0,
        };
        if character == Character::Clumsy && clumsy {
            report.ended = Ended::Failed(Failure::WorkerLost { message: "killed".into() });
        }
        let mishap = matches!(report.ended, Ended::Failed(_));
        if held.commit_first && !mishap {
            let hash = commitment(&id, task, &output, &salt);
            held.committed.insert(task, report);
            let commitments = vec![Committed { task, attempt, hash }];
            self.answer(id, Input::Committed { agreement, commitments });
        } else {
            held.done.insert((task, attempt), report.clone());
            self.answer(id, Input::Reported { agreement, reports: vec![report] });
        }
        self.start(id, agreement);
    }

    /// Tasks of a job with a wrong accepted result.
    pub fn is_right(&self, task: TaskId, output: &Hash) -> bool {
        *output == right_output(task) || self.honest.contains(output)
    }

    /// The checker says what is so, after a while, and sometimes fails itself.
    fn check_results(&mut self, job: JobId, task: TaskId, runs: Vec<CheckedRun>) {
        let right = |run: &CheckedRun| {
            let output = self.outputs.get(&(run.agreement, task, run.attempt));
            output.is_some_and(|output| self.is_right(task, output))
        };
        let all_right = runs.iter().all(right);
        let decision = match (all_right, self.chance.per_mille(self.broken_per_mille)) {
            (_, true) => CheckDecision::Broken,
            (true, false) => CheckDecision::Passed,
            (false, false) => CheckDecision::Failed,
        };
        let at = self.now + self.chance.below(400);
        let message = String::new();
        self.at(at, Event::Tell(Input::Checked { job, task, runs, decision, message }));
    }

    /// Results accepted that no honest node gave.
    pub fn wrong(&self, job: JobId) -> usize {
        let of_job = self.accepted.iter().filter(|((of, _), _)| *of == job);
        of_job.filter(|((_, task), output)| !self.is_right(*task, output)).count()
    }
}
