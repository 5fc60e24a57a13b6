//! The consumer's side: orders of the scheduler carried out, answers of providers taken in.

mod agreements;
mod restore;
mod results;

pub(crate) use restore::LoadedJob;

use crate::{
    event::Event,
    handle::{JobEvent, LogChunk},
    inputs::{InputError, Recipe, StageOutputs},
    journal::Promise,
    node::Node,
};
use opensky_ports::Record;
use opensky_protocol::work::{TASKS_MAX, ToProvider};
use opensky_scheduler::{Candidate, Effect, Input, JobView, Scheduler};
use opensky_types::{
    AgreementId, Hash, JobId, NodeId, Signed, TaskId, Timestamp,
    agreement::Terms,
    job::{JobSpec, JobState},
    task::{Assignment, Content, TaskInput, TaskReport},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use tokio::sync::mpsc;

/// Time between two DHT lookups for one stage, in milliseconds.
const LOOKUP_INTERVAL_MS: u64 = 10_000;
/// Final views of jobs that are kept in memory for whoever asks next.
const FINAL_VIEWS_MAX: usize = 256;
/// Pieces of followed output that may wait for a slow reader.
const FOLLOWED_CHUNKS_MAX: usize = 256;
/// Bytes of one message's inline inputs after which the next message starts.
const ASSIGN_BYTES_MAX: usize = 2 * 1024 * 1024;

/// One run of a task: the task and which try of it.
pub(crate) type Run = (TaskId, u32);

/// A job that is not over.
pub(crate) struct ActiveJob {
    spec: Arc<JobSpec>,
    outputs: StageOutputs,
    /// Receipts accepted before a restart; empty for a job of this life.
    receipts_accepted: BTreeSet<Hash>,
    /// When each stage was last looked up in the DHT.
    looked_up: BTreeMap<u16, Timestamp>,
    /// What watchers saw last.
    published: Option<Arc<JobView>>,
}

/// An agreement with a provider.
pub(crate) struct Agreement {
    terms: Terms,
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
    receipt: Hash,
    root: Hash,
    index: u32,
}

/// A batch of receipts that is countersigned once all of it is judged.
struct OpenBatch {
    provider: NodeId,
    judged: Vec<Option<bool>>,
    open: u32,
}

/// State of the consumer's side.
pub(crate) struct Consumer {
    scheduler: Scheduler,
    jobs: BTreeMap<JobId, ActiveJob>,
    finals: BTreeMap<JobId, Arc<JobView>>,
    proposals: BTreeMap<AgreementId, (Signed<Terms>, Terms)>,
    agreements: BTreeMap<AgreementId, Agreement>,
    held: BTreeMap<(AgreementId, Run), Held>,
    batches: BTreeMap<Hash, OpenBatch>,
    followers: BTreeMap<(AgreementId, TaskId), mpsc::Sender<LogChunk>>,
    /// Runs judged in this round, by job: one journal row each.
    judged: BTreeMap<JobId, Vec<opensky_ports::journal::TaskRun>>,
}

impl Consumer {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self {
            scheduler: Scheduler::new(opensky_scheduler::Config::new(secret)),
            jobs: BTreeMap::new(),
            finals: BTreeMap::new(),
            proposals: BTreeMap::new(),
            agreements: BTreeMap::new(),
            held: BTreeMap::new(),
            batches: BTreeMap::new(),
            followers: BTreeMap::new(),
            judged: BTreeMap::new(),
        }
    }

    pub(crate) fn jobs_active(&self) -> usize {
        self.jobs.len()
    }

    pub(crate) fn is_active(&self, job: JobId) -> bool {
        self.jobs.contains_key(&job)
    }

    /// Drops what is remembered of a job that is over.
    pub(crate) fn forget_final(&mut self, job: JobId) {
        self.finals.remove(&job);
    }

    pub(crate) fn has_agreements_with(&self, node: NodeId) -> bool {
        self.agreements.values().any(|agreement| agreement.terms.provider == node)
            || self.proposals.values().any(|(_, terms)| terms.provider == node)
    }

    /// A job's counts, live or as they were at its end.
    pub(crate) fn view(&self, job: JobId) -> Option<JobView> {
        self.scheduler.job(&job).or_else(|| self.finals.get(&job).map(|view| (**view).clone()))
    }
}

impl Node {
    /// Hands a fact to the scheduler and carries out what it answers, until it is content.
    pub(crate) fn schedule(&mut self, now: Timestamp, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut effects = Vec::new();
        while let Some(input) = inputs.pop_front() {
            self.consumer.scheduler.handle(now, input, &mut effects);
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
            Effect::Propose { job, stage, node, slots } => self.propose(now, job, stage, node, slots),
            Effect::Assign { job, agreement, node, tasks } => self.assign(now, job, agreement, node, tasks),
            Effect::Reveal { agreement, node, tasks } => {
                self.in_pieces(node, tasks, |tasks| ToProvider::Reveal { agreement, tasks });
            }
            Effect::CancelTasks { agreement, node, tasks } => {
                self.in_pieces(node, tasks, |tasks| ToProvider::Cancel { agreement, tasks });
            }
            Effect::Close { agreement, node } => self.close(now, agreement, node),
            Effect::Judge { job, agreement, node: _, judged } => self.judge(job, agreement, &judged),
            Effect::Note { job, note } => {
                self.keep_record(Record::JobNoted { job, notes: vec![note.clone()] });
                self.publish(JobEvent::Noted { job, note });
            }
            Effect::Changed { job, state } => self.on_job_changed(now, job, state),
            Effect::Rest { node, until } => self.market.rest(node, until),
        }
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
        let demand = active.spec.stages.get(usize::from(stage))?.demand();
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
        let ranked = found.iter().map(|found| Candidate {
            node: found.node,
            slots_free: found.slots_free.max(1),
            score: found.score,
            rank: found.rank,
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

    /// Makes the inputs of tasks and hands them out; inputs from the store are made off the loop.
    fn assign(&mut self, now: Timestamp, job: JobId, agreement: AgreementId, node: NodeId, tasks: Vec<Run>) {
        let Some(active) = self.consumer.jobs.get(&job) else { return };
        let recipes: Result<Vec<Recipe>, InputError> =
            tasks.iter().map(|(task, _)| Recipe::of(&active.spec, &active.outputs, *task)).collect();
        let recipes = match recipes {
            Ok(recipes) => recipes,
            Err(error) => return self.on_inputs_made(now, job, agreement, node, tasks, Err(error)),
        };
        if !recipes.iter().any(Recipe::needs_store) {
            let made = recipes.into_iter().map(Recipe::without_store);
            let assignments = assignments(&tasks, made.collect());
            return self.on_inputs_made(now, job, agreement, node, tasks, Ok(assignments));
        }
        let (blobs, events) = (Arc::clone(&self.blobs), self.events.clone());
        self.tasks.spawn(async move {
            let made = tokio::task::spawn_blocking(move || {
                let inputs: Result<Vec<_>, InputError> =
                    recipes.into_iter().map(|recipe| recipe.make(blobs.as_ref(), job)).collect();
                inputs.map(|inputs| assignments(&tasks, inputs)).map_err(|error| (error, tasks))
            });
            let (tasks, result) =
                match made.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())) {
                    Ok(assignments) => {
                        (assignments.iter().map(|a| (a.task, a.attempt)).collect(), Ok(assignments))
                    }
                    Err((error, tasks)) => (tasks, Err(error)),
                };
            let _ = events.send(Event::InputsMade { job, agreement, node, tasks, result }).await;
        });
    }

    /// Sends tasks with their inputs. A job whose inputs are gone cannot go on.
    pub(crate) fn on_inputs_made(
        &mut self,
        now: Timestamp,
        job: JobId,
        agreement: AgreementId,
        node: NodeId,
        tasks: Vec<Run>,
        result: Result<Vec<Assignment>, InputError>,
    ) {
        let assignments = match result {
            Ok(assignments) => assignments,
            Err(error) => {
                tracing::error!(%job, tasks = tasks.len(), %error, "inputs of a job cannot be read; it is cancelled");
                return self.schedule(now, Input::Cancel { job });
            }
        };
        let Some(open) = self.consumer.agreements.get_mut(&agreement) else { return };
        for assignment in &assignments {
            open.inputs.insert((assignment.task, assignment.attempt), assignment.input.hash());
        }
        for piece in by_size(assignments) {
            self.tell_provider(node, ToProvider::Assign { agreement, tasks: piece });
        }
    }

    fn on_job_changed(&mut self, now: Timestamp, job: JobId, state: JobState) {
        self.keep_record(Record::JobChanged { job, state, at: now });
        let mut events = Vec::new();
        if state.is_final()
            && let Some(view) = self.consumer.scheduler.job(&job)
        {
            let view = Arc::new(view);
            events.push(JobEvent::Progress { job, progress: Arc::clone(&view) });
            self.consumer.finals.insert(job, view);
            while self.consumer.finals.len() > FINAL_VIEWS_MAX {
                self.consumer.finals.pop_first();
            }
            self.retire(now, job);
        }
        events.push(JobEvent::Changed { job, state });
        // The last word on a job is only said when it is on disk.
        self.consumer_flush();
        self.promise(Promise::Publish(events));
    }

    /// Lets go of a job that is over; its facts stay in the journal.
    fn retire(&mut self, now: Timestamp, job: JobId) {
        self.consumer.jobs.remove(&job);
        self.release_held(job);
        self.local.push_back(Event::JobRetired { job });
        tracing::info!(%job, at = now.as_millis(), "job ended");
    }

    pub(crate) fn on_job_retired(&mut self, now: Timestamp, job: JobId) {
        self.schedule(now, Input::Forget { job });
    }

    /// Tells watchers how jobs move on, when something moved.
    pub(crate) fn publish_progress(&mut self, _now: Timestamp) {
        if self.job_events.receiver_count() == 0 {
            return;
        }
        let mut events = Vec::new();
        for (job, active) in &mut self.consumer.jobs {
            let Some(view) = self.consumer.scheduler.job(job).map(Arc::new) else { continue };
            if active.published.as_ref() != Some(&view) {
                active.published = Some(Arc::clone(&view));
                events.push(JobEvent::Progress { job: *job, progress: view });
            }
        }
        events.into_iter().for_each(|event| self.publish(event));
    }

    /// Takes a job in: pins what it needs and starts it.
    pub(crate) fn start_job(&mut self, now: Timestamp, job: JobId, spec: JobSpec) {
        let spec = Arc::new(spec);
        let active = ActiveJob {
            outputs: StageOutputs::of(&spec),
            spec: Arc::clone(&spec),
            receipts_accepted: BTreeSet::new(),
            looked_up: BTreeMap::new(),
            published: None,
        };
        self.consumer.jobs.insert(job, active);
        self.schedule(now, Input::Submitted { job, spec });
    }

    /// Follows a running task's output wherever it runs.
    pub(crate) fn follow(&mut self, job: JobId, task: TaskId) -> mpsc::Receiver<LogChunk> {
        let (follower, chunks) = mpsc::channel(FOLLOWED_CHUNKS_MAX);
        let running = self.consumer.scheduler.task(&job, task).and_then(|task| task.runs.first().copied());
        if let Some(run) = running {
            self.consumer.followers.insert((run.agreement, task), follower);
            self.tell_provider(run.node, ToProvider::Follow { agreement: run.agreement, task, on: true });
        }
        chunks
    }
}

fn assignments(tasks: &[Run], inputs: Vec<TaskInput>) -> Vec<Assignment> {
    tasks
        .iter()
        .zip(inputs)
        .map(|((task, attempt), input)| Assignment { task: *task, attempt: *attempt, input })
        .collect()
}

/// Splits assignments so that each message stays below its caps.
fn by_size(assignments: Vec<Assignment>) -> Vec<Vec<Assignment>> {
    let mut pieces = vec![Vec::new()];
    let mut size_bytes = 0;
    for assignment in assignments {
        let bytes: u64 = assignment
            .input
            .stdin
            .iter()
            .map(|content| match content {
                Content::Inline(bytes) => bytes.len() as u64 + 8,
                Content::Blob(_) => 48,
            })
            .sum();
        size_bytes += bytes as usize + assignment.input.item.len() + 32;
        let piece = pieces.last_mut().expect("starts with one piece");
        if !piece.is_empty() && (size_bytes > ASSIGN_BYTES_MAX || piece.len() >= TASKS_MAX) {
            size_bytes = bytes as usize;
            pieces.push(vec![assignment]);
        } else {
            piece.push(assignment);
        }
    }
    pieces
}
