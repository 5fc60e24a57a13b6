//! The consumer's side: orders of the scheduler carried out, answers of providers taken in.

mod agreements;
mod assigning;
mod checking;
mod jobs;
mod judging;
mod recall;
mod restore;
mod results;
mod standing;

pub(crate) use checking::Verdict;
pub(crate) use recall::{RecallError, Recalled};
pub(crate) use restore::LoadedJob;
pub(crate) use results::Results;

use self::checking::Checks;
use crate::{
    audits::JudgedRun,
    handle::{JobEvent, LogChunk},
    inputs::StageOutputs,
    journal::Keeping,
    node::Node,
    quote::FuelSeen,
    steady::translated,
};
use opensky_ports::journal::TaskRun;
use opensky_protocol::work::{TASKS_MAX, ToProvider};
use opensky_scheduler::{AUDIT_PARTS_ALL, Candidate, Effect, Input, JobView, Scheduler};
use opensky_types::{
    AgreementId, Hash, JobId, Micros, NodeId, Signed, TaskId, Timestamp,
    agreement::Terms,
    job::{JobNote, JobSpec, ResultTests, Verify},
    offer::Demand,
    task::TaskReport,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Time between two DHT lookups for one stage, in milliseconds.
const LOOKUP_INTERVAL_MS: u64 = 10_000;
/// Final views of jobs that are kept in memory for whoever asks next.
const FINAL_VIEWS_MAX: usize = 256;
/// Pieces of followed output that may wait for a slow reader.
const FOLLOWED_CHUNKS_MAX: usize = 256;

/// One run of a task: the task and which try of it.
pub(crate) type Run = (TaskId, u32);

/// A job that is not over.
pub(crate) struct ActiveJob {
    spec: Arc<JobSpec>,
    /// What stages ask of the results of earlier ones.
    tests: ResultTests,
    outputs: StageOutputs,
    /// Receipts accepted before a restart; empty for a job of this life.
    receipts_accepted: BTreeSet<Hash>,
    /// When each stage was last looked up in the DHT.
    looked_up: BTreeMap<u16, Timestamp>,
    /// What watchers saw last.
    published: Option<Arc<JobView>>,
    /// Fires at its end: nothing more of it is fetched.
    over: CancellationToken,
}

impl ActiveJob {
    fn new(spec: Arc<JobSpec>) -> Self {
        Self {
            outputs: StageOutputs::of(&spec),
            tests: ResultTests::of(&spec),
            spec,
            receipts_accepted: BTreeSet::new(),
            looked_up: BTreeMap::new(),
            published: None,
            over: CancellationToken::new(),
        }
    }
}

/// An agreement with a provider.
pub(crate) struct Agreement {
    terms: Terms,
    /// Slots that the provider granted.
    slots: u16,
    /// Hash of what each handed-out run reads, until its result was checked.
    inputs: BTreeMap<Run, Hash>,
    /// Whether it is from before a restart, so that results may come that nobody remembers asking for.
    restored: bool,
}

/// A checked report with its place in a signed batch: it waits for its blobs or for judgement, and
/// outlives its agreement.
struct Held {
    job: JobId,
    node: NodeId,
    report: TaskReport,
    /// The hash of what came out, by which replicas are compared.
    output: Hash,
    receipt: Hash,
    root: Hash,
    index: u32,
    /// Its output could not be had: whatever it is judged, it is not signed for.
    undelivered: bool,
}

/// A batch of receipts that is countersigned once all of it is judged.
struct OpenBatch {
    provider: NodeId,
    agreement: AgreementId,
    /// What each receipt costs; none where work is free.
    prices: Vec<Micros>,
    keeping: Keeping,
    judged: Vec<Option<bool>>,
    open: u32,
}

/// State of the consumer's side.
pub(crate) struct Consumer {
    scheduler: Scheduler,
    jobs: BTreeMap<JobId, ActiveJob>,
    /// Jobs that ended lately, oldest first.
    finals: VecDeque<(JobId, Arc<JobView>)>,
    proposals: BTreeMap<AgreementId, (Signed<Terms>, Terms)>,
    agreements: BTreeMap<AgreementId, Agreement>,
    held: BTreeMap<(AgreementId, Run), Held>,
    batches: BTreeMap<Hash, OpenBatch>,
    /// Batches that are being looked up, by provider and root.
    recalling: BTreeSet<(NodeId, Hash)>,
    followers: BTreeMap<(AgreementId, TaskId), mpsc::Sender<LogChunk>>,
    /// Runs judged in this round, by job: one journal row each.
    judged: BTreeMap<JobId, Vec<TaskRun>>,
    /// Those of tasks that are checked by reputation, by task.
    audited: BTreeMap<(JobId, TaskId), Vec<JudgedRun>>,
    /// Notes of this round, likewise.
    noted: BTreeMap<JobId, Vec<JobNote>>,
    checks: Checks,
    pub(crate) fuel_seen: FuelSeen,
    /// Attempts of jobs from before this start are numbered below.
    attempts_from: u32,
}

impl Consumer {
    /// `starts` counts the lives of this node, this one included.
    pub(crate) fn new(secret: [u8; 32], starts: u32) -> Self {
        Self {
            scheduler: Scheduler::new(opensky_scheduler::Config::new(secret)),
            jobs: BTreeMap::new(),
            finals: VecDeque::new(),
            proposals: BTreeMap::new(),
            agreements: BTreeMap::new(),
            held: BTreeMap::new(),
            batches: BTreeMap::new(),
            recalling: BTreeSet::new(),
            followers: BTreeMap::new(),
            judged: BTreeMap::new(),
            audited: BTreeMap::new(),
            noted: BTreeMap::new(),
            checks: Checks::default(),
            fuel_seen: FuelSeen::default(),
            attempts_from: restore::attempts_from(starts),
        }
    }

    pub(crate) fn jobs_active(&self) -> usize {
        self.jobs.len()
    }

    /// How facts of a job are kept. Of one that has left memory nobody knows any more: then surely.
    fn keeping(&self, job: JobId) -> Keeping {
        Keeping::of_job(self.jobs.get(&job).is_none_or(|active| active.spec.durable))
    }

    pub(crate) fn is_active(&self, job: JobId) -> bool {
        self.jobs.contains_key(&job)
    }

    /// Drops what is remembered of a job that is over.
    pub(crate) fn forget_final(&mut self, job: JobId) {
        self.finals.retain(|(of, _)| *of != job);
    }

    pub(crate) fn holds(&self, agreement: AgreementId) -> bool {
        self.agreements.contains_key(&agreement)
    }

    pub(crate) fn has_agreements_with(&self, node: NodeId) -> bool {
        self.agreements.values().any(|agreement| agreement.terms.provider == node)
            || self.proposals.values().any(|(_, terms)| terms.provider == node)
    }

    /// Most that a job may cost.
    pub(crate) fn budget(&self, job: JobId) -> Option<Micros> {
        self.jobs.get(&job)?.spec.budget
    }

    /// Fuel that a task of a stage uses, by what runs of its program used before.
    pub(crate) fn fuel_of(&self, job: JobId, stage: u16) -> Option<u64> {
        let stage = self.jobs.get(&job)?.spec.stages.get(usize::from(stage))?;
        self.fuel_seen.mean(&stage.program.hash)
    }

    /// The terms of an open agreement.
    pub(crate) fn terms(&self, agreement: AgreementId) -> Option<&Terms> {
        self.agreements.get(&agreement).map(|open| &open.terms)
    }

    /// Money in proposals that are not answered: of one job, or of all.
    pub(crate) fn offered(&self, job: Option<JobId>) -> Micros {
        let proposed = self.proposals.values().map(|(_, terms)| terms);
        let of_job = proposed.filter(|terms| job.is_none_or(|job| terms.job == job));
        let amounts = of_job.filter_map(|terms| terms.payment).map(|payment| payment.escrow.get());
        Micros::new(amounts.fold(0, u64::saturating_add))
    }

    /// Whether work of a job goes on, or is about to, that money was found for.
    pub(crate) fn works_for_money(&self, job: JobId) -> bool {
        let proposed = self.proposals.values().map(|(_, terms)| terms);
        let mut all = proposed.chain(self.agreements.values().map(|open| &open.terms));
        all.any(|terms| terms.job == job && terms.payment.is_some())
    }

    /// What a stage of a job needs, and how its results are checked.
    pub(crate) fn demand(&self, job: JobId, stage: u16) -> Option<(Demand, Verify)> {
        let stage = self.jobs.get(&job)?.spec.stages.get(usize::from(stage))?;
        Some((stage.demand(), stage.verify))
    }

    /// Whether nothing is remembered of jobs that are over, but how they ended.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.scheduler.jobs().next().is_none()
            && self.jobs.is_empty()
            && self.proposals.is_empty()
            && self.agreements.is_empty()
            && self.held.is_empty()
            && self.batches.is_empty()
            && self.recalling.is_empty()
            && self.followers.is_empty()
            && self.judged.is_empty()
            && self.noted.is_empty()
            && self.checks.is_idle()
            && self.finals.len() <= FINAL_VIEWS_MAX
    }

    /// A job's counts, live or as they were at its end.
    pub(crate) fn view(&self, job: JobId) -> Option<JobView> {
        let ended = || self.finals.iter().find(|(of, _)| *of == job).map(|(_, view)| (**view).clone());
        self.scheduler.job(&job).or_else(ended)
    }
}

impl Node {
    /// Hands a fact to the scheduler and carries out what it answers, until it is content.
    pub(crate) fn schedule(&mut self, now: Timestamp, input: Input) {
        let steady = self.steady.now(self.clock.as_ref());
        let mut inputs = VecDeque::from([input]);
        let mut effects = Vec::new();
        while let Some(input) = inputs.pop_front() {
            self.consumer.scheduler.handle(steady, input, &mut effects);
            for effect in effects.drain(..) {
                self.perform_scheduled(now, effect, &mut inputs);
            }
        }
    }

    fn perform_scheduled(&mut self, now: Timestamp, effect: Effect, inputs: &mut VecDeque<Input>) {
        match effect {
            Effect::Find { job, stage, wanted, exclude } => {
                inputs.extend(self.find(now, job, stage, wanted, &exclude));
            }
            Effect::Propose { job, stage, node, slots } => {
                inputs.extend(self.propose(now, job, stage, node, slots));
            }
            Effect::Assign { job, agreement, node, tasks } => self.assign(now, job, agreement, node, tasks),
            Effect::Reveal { agreement, node, tasks } => {
                self.in_pieces(node, tasks, |tasks| ToProvider::Reveal { agreement, tasks });
            }
            Effect::CancelTasks { agreement, node, tasks } => {
                self.in_pieces(node, tasks, |tasks| ToProvider::Cancel { agreement, tasks });
            }
            Effect::Close { agreement, node } => self.close(now, agreement, node),
            Effect::Judge { job, agreement, node: _, judged } => self.judge(job, agreement, &judged),
            Effect::Check { job, task, runs } => self.check(job, task, runs),
            Effect::Note { job, note } => self.note(job, JobNote { at: now, ..note }),
            Effect::Changed { job, state } => self.on_job_changed(now, job, state),
            Effect::Rest { node, until } => {
                let steady = self.steady.now(self.clock.as_ref());
                self.market.rest(node, translated(until, steady, now));
            }
        }
    }

    /// Keeps and tells a step worth explaining.
    pub(crate) fn note(&mut self, job: JobId, note: JobNote) {
        self.consumer.noted.entry(job).or_default().push(note.clone());
        self.publish(JobEvent::Noted { job, note });
    }

    fn in_pieces(&mut self, node: NodeId, tasks: Vec<TaskId>, message: impl Fn(Vec<TaskId>) -> ToProvider) {
        for piece in tasks.chunks(TASKS_MAX) {
            self.tell_provider(node, message(piece.to_vec()));
        }
    }

    /// Asks the market, and the DHT where the market knows nobody.
    fn find(
        &mut self,
        now: Timestamp,
        job: JobId,
        stage: u16,
        wanted: u32,
        used: &[NodeId],
    ) -> Option<Input> {
        let active = self.consumer.jobs.get_mut(&job)?;
        let spec = active.spec.stages.get(usize::from(stage))?;
        let (demand, verify) = (spec.demand(), spec.verify);
        // Drawn anew each time, so that near ties do not always fall the same way.
        let seed = u64::from_le_bytes(self.clock.random()[..8].try_into().expect("eight bytes"));
        let matches = self.market.find(now, &demand, wanted as usize, used, seed);
        let last = active.looked_up.get(&stage);
        if matches.counts.fitting == 0 && last.is_none_or(|at| now.ms_since(*at) >= LOOKUP_INTERVAL_MS) {
            active.looked_up.insert(stage, now);
            self.look_up(job, stage, &demand);
        }
        // A provider shares its slots among its consumers: one whose slots are all taken still lets
        // a newcomer in, so it is asked when nobody has a slot free.
        let found = if matches.ranked.is_empty() { &matches.busy } else { &matches.ranked };
        let rates = match verify {
            Verify::Reputation => self.audit_parts(now, found.iter().map(|found| found.node)),
            _ => vec![AUDIT_PARTS_ALL; found.len()],
        };
        let ranked = found.iter().zip(rates).map(|(found, audit_parts)| Candidate {
            node: found.node,
            slots_free: found.slots_free.max(1),
            score: found.score,
            rank: found.rank,
            audit_parts,
        });
        Some(Input::Matched { job, stage, ranked: ranked.collect(), counts: matches.counts })
    }

    /// Offers of nodes found in the DHT for a stage are in: the next search sees them.
    pub(crate) fn on_looked_up(
        &mut self,
        now: Timestamp,
        job: JobId,
        stage: u16,
        offers: Vec<Signed<opensky_types::offer::Offer>>,
    ) {
        tracing::debug!(%job, stage, found = offers.len(), "looked up providers in the DHT");
        self.on_offers_fetched(now, offers);
    }
}
