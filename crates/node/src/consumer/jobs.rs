//! The life of a job on its own node: taken in, watched, over.

use super::{ActiveJob, FINAL_VIEWS_MAX, FOLLOWED_CHUNKS_MAX};
use crate::{
    event::Event,
    handle::{JobEvent, LogChunk},
    journal::Promise,
    node::Node,
};
use opensky_ports::Record;
use opensky_protocol::work::ToProvider;
use opensky_scheduler::Input;
use opensky_types::{
    JobId, TaskId, Timestamp,
    job::{JobSpec, JobState},
};
use std::sync::Arc;
use tokio::sync::mpsc;

impl Node {
    pub(super) fn on_job_changed(&mut self, now: Timestamp, job: JobId, state: JobState) {
        // What was judged comes before the change that it led to.
        self.consumer_flush(now);
        let keeping = self.consumer.keeping(job);
        self.keep_record_as(keeping, Record::JobChanged { job, state, at: now });
        let mut events = Vec::new();
        if state.is_final()
            && let Some(view) = self.consumer.scheduler.job(&job)
        {
            let view = Arc::new(view);
            events.push(JobEvent::Progress { job, progress: Arc::clone(&view) });
            self.consumer.finals.push_back((job, view));
            if self.consumer.finals.len() > FINAL_VIEWS_MAX {
                self.consumer.finals.pop_front();
            }
            self.retire(now, job);
        }
        events.push(JobEvent::Changed { job, state });
        // A word on a job is only said when it can be read back, and on disk if the job is to last.
        self.promise_as(keeping, Promise::Publish(events));
    }

    /// Lets go of a job that is over; its facts stay in the journal.
    fn retire(&mut self, now: Timestamp, job: JobId) {
        if let Some(active) = self.consumer.jobs.remove(&job) {
            active.over.cancel();
        }
        self.release_held(job);
        self.local.push_back(Event::JobRetired { job });
        tracing::info!(%job, at = now.as_millis(), "job ended");
    }

    pub(crate) fn on_job_retired(&mut self, now: Timestamp, job: JobId) {
        self.schedule(now, Input::Forget { job });
    }

    /// Tells watchers how jobs move on, when something moved.
    pub(crate) fn publish_progress(&mut self) {
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
        self.consumer.jobs.insert(job, ActiveJob::new(Arc::clone(&spec)));
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
