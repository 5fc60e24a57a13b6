//! The front desk: finds the job that an input is about.

use crate::{
    Config, Effect, Input,
    job::Job,
    rests::Rests,
    turn::Turn,
    view::{JobView, TaskView},
};
use opensky_types::{AgreementId, JobId, TaskId, Timestamp, job::JobSpec};
use std::{collections::BTreeMap, sync::Arc};

/// All jobs of a node.
#[derive(Debug)]
pub struct Scheduler {
    config: Config,
    jobs: BTreeMap<JobId, Job>,
    /// Which job, and which place in it, an agreement belongs to.
    owners: BTreeMap<AgreementId, (JobId, u32)>,
    rests: Rests,
}

impl Scheduler {
    /// A scheduler without jobs.
    pub fn new(config: Config) -> Self {
        Self { config, jobs: BTreeMap::new(), owners: BTreeMap::new(), rests: Rests::default() }
    }

    /// Takes in one fact and appends what is to be done about it.
    pub fn handle(&mut self, now: Timestamp, input: Input, effects: &mut Vec<Effect>) {
        let owner = input.agreement().and_then(|agreement| self.owners.get(agreement)).copied();
        let Self { config, jobs, owners, rests } = self;
        let mut turn = Turn { now, config, rests, owners, effects };
        match input {
            Input::Submitted { job, spec } => {
                if let Some(job) = add(jobs, &turn, job, spec) {
                    job.on_submitted(&mut turn);
                }
            }
            Input::Restored(restored) => {
                if let Some(job) = add(jobs, &turn, restored.job, restored.spec.clone()) {
                    job.on_restored(&mut turn, &restored);
                }
            }
            Input::Matched { job, stage, ranked, counts } => {
                if let Some(job) = jobs.get_mut(&job) {
                    job.on_matched(&mut turn, stage, ranked, counts);
                }
            }
            Input::Agreed { job, stage, node, agreement, slots } => match jobs.get_mut(&job) {
                Some(job) => job.on_agreed(&mut turn, stage, node, agreement, slots),
                None => turn.effects.push(Effect::Close { agreement, node }),
            },
            Input::Refused { job, stage, node, misfit } => {
                if let Some(job) = jobs.get_mut(&job) {
                    job.on_refused(&mut turn, stage, node, misfit);
                }
            }
            Input::Checked { job, task, runs, decision, message } => {
                if let Some(job) = jobs.get_mut(&job) {
                    job.on_checked(&mut turn, task, &runs, decision, message);
                }
            }
            Input::Cancel { job } => {
                if let Some(job) = jobs.get_mut(&job) {
                    job.on_cancel(&mut turn);
                }
            }
            Input::GiveUp { job, reason } => {
                if let Some(job) = jobs.get_mut(&job) {
                    job.on_give_up(&mut turn, reason);
                }
            }
            Input::Retry { job } => {
                if let Some(job) = jobs.get_mut(&job) {
                    job.on_retry(&mut turn);
                }
            }
            Input::Forget { job } => forget(jobs, &mut turn, job),
            Input::ProviderLost { node } => {
                jobs.values_mut().for_each(|job| job.on_provider_lost(&mut turn, node));
            }
            Input::ProviderBack { node } => {
                jobs.values_mut().for_each(|job| job.on_provider_back(&mut turn, node));
            }
            Input::Tick => {
                turn.rests.prune(config, now);
                jobs.values_mut().for_each(|job| job.on_tick(&mut turn));
            }
            Input::Committed { .. }
            | Input::Reported { .. }
            | Input::Standing { .. }
            | Input::AgreementEnded { .. } => {
                if let Some((job, slot)) = owner
                    && let Some(job) = jobs.get_mut(&job)
                {
                    on_agreement(job, &mut turn, slot, input);
                }
            }
        }
    }

    /// Whether an agreement is held here. A provider whose standing names one that is not is told to
    /// close it: the closing, or its own acceptance, was lost on the way.
    pub fn holds(&self, agreement: &AgreementId) -> bool {
        self.owners.contains_key(agreement)
    }

    /// How a job stands; `None` for a job that is not known or was forgotten.
    pub fn job(&self, job: &JobId) -> Option<JobView> {
        Some(self.jobs.get(job)?.view())
    }

    /// How one task stands.
    pub fn task(&self, job: &JobId, task: TaskId) -> Option<TaskView> {
        self.jobs.get(job)?.task_view(task)
    }

    /// Ids of all jobs held, in order.
    pub fn jobs(&self) -> impl Iterator<Item = JobId> + '_ {
        self.jobs.keys().copied()
    }

    /// Bytes held for a job's tasks and their queues.
    pub fn size_bytes(&self, job: &JobId) -> usize {
        self.jobs.get(job).map_or(0, |job| job.stages.iter().map(|stage| stage.size_bytes()).sum())
    }

    /// Asserts every invariant. For tests: it looks at every task.
    pub fn check(&self) {
        for (agreement, (job, slot)) in &self.owners {
            let held = self.jobs.get(job).and_then(|job| job.agreements.get(*slot));
            assert!(held.is_some_and(|held| held.id == *agreement), "an owner that does not hold it");
        }
        for job in self.jobs.values() {
            job.check();
            for (slot, held) in job.agreements.iter() {
                assert_eq!(self.owners.get(&held.id), Some(&(job.id, slot)), "an agreement nobody finds");
            }
        }
    }
}

/// Adds a job, unless it is known already.
fn add<'a>(
    jobs: &'a mut BTreeMap<JobId, Job>,
    turn: &Turn<'_>,
    job: JobId,
    spec: Arc<JobSpec>,
) -> Option<&'a mut Job> {
    if jobs.contains_key(&job) {
        return None;
    }
    Some(jobs.entry(job).or_insert(Job::new(turn, job, spec)))
}

fn forget(jobs: &mut BTreeMap<JobId, Job>, turn: &mut Turn<'_>, job: JobId) {
    if let Some(known) = jobs.get_mut(&job)
        && known.state.is_final()
    {
        for slot in known.agreements.slots_where(|_| true) {
            known.close(turn, slot);
        }
        jobs.remove(&job);
    }
}

fn on_agreement(job: &mut Job, turn: &mut Turn<'_>, slot: u32, input: Input) {
    match input {
        Input::Committed { commitments, .. } => job.on_committed(turn, slot, &commitments),
        Input::Reported { reports, .. } => job.on_reported(turn, slot, reports),
        Input::Standing { slots, tasks, .. } => job.on_standing(turn, slot, slots, &tasks),
        Input::AgreementEnded { misfit, .. } => job.on_agreement_ended(turn, slot, misfit),
        _ => {}
    }
}
