//! Jobs: submit, look, stop, fetch.

use crate::{Client, ClientError, JobEvents, client::QueryWith};
use futures::{StreamExt, TryStreamExt, stream};
use opensky_api::{
    event::{JobEvent, LogQuery},
    job::JobRequest,
    progress::{
        JobDetail, JobSummary, Jobs, JobsQuery, Notes, NotesQuery, RunView, Runs, RunsQuery, Submitted,
        VerdictView,
    },
    quote::QuoteView,
    routes,
};
use opensky_types::{JobId, TaskId};
use reqwest::{Method, Response};

/// Lists longer than this travel as blobs beside the job.
const INLINE_LIST_LENGTH_MAX: usize = 1_000;
/// Runs asked for at a time.
const PAGE_LENGTH: u32 = 1_000;
/// Outputs fetched at a time.
const FETCHES_MAX: usize = 8;

/// The accepted result of one task, with its standard output in memory.
#[derive(Debug, Clone)]
pub struct Output {
    /// The run: its node, use, files and receipt.
    pub run: RunView,
    /// Its standard output.
    pub stdout: Vec<u8>,
}

impl Client {
    /// Submits a job whose content is uploaded already. Long lists are uploaded on the way.
    pub async fn submit(&self, mut job: JobRequest) -> Result<Submitted, ClientError> {
        for list in job.split_long_lists(INLINE_LIST_LENGTH_MAX) {
            self.upload(list).await?;
        }
        self.call(Method::POST, routes::JOBS, Some(&job)).await
    }

    /// What a job would cost, and who could run it; nothing is started.
    pub async fn quote(&self, mut job: JobRequest) -> Result<QuoteView, ClientError> {
        for list in job.split_long_lists(INLINE_LIST_LENGTH_MAX) {
            self.upload(list).await?;
        }
        self.call(Method::POST, routes::JOBS_QUOTE, Some(&job)).await
    }

    /// Jobs, newest first.
    pub async fn jobs(&self, query: &JobsQuery) -> Result<Jobs, ClientError> {
        self.json(routes::JOBS, self.request(Method::GET, routes::JOBS).query_with(query)).await
    }

    /// One job.
    pub async fn job(&self, job: JobId) -> Result<JobDetail, ClientError> {
        self.get(&routes::job(job)).await
    }

    /// Stops a job.
    pub async fn cancel(&self, job: JobId) -> Result<JobSummary, ClientError> {
        self.call::<(), _>(Method::POST, &routes::job_cancel(job), None).await
    }

    /// Runs the failed tasks of a job again; finished ones stay.
    pub async fn retry(&self, job: JobId) -> Result<JobSummary, ClientError> {
        self.call::<(), _>(Method::POST, &routes::job_retry(job), None).await
    }

    /// Forgets an ended job and frees what only it needed.
    pub async fn remove(&self, job: JobId) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, &routes::job(job))).await.map(drop)
    }

    /// One page of a job's runs.
    pub async fn runs_page(&self, job: JobId, query: &RunsQuery) -> Result<Runs, ClientError> {
        let path = routes::job_runs(job);
        self.json(&path, self.request(Method::GET, &path).query_with(query)).await
    }

    /// Hands every run that the query asks for to `each`, page by page, without holding them all.
    pub async fn for_each_run(
        &self,
        job: JobId,
        query: RunsQuery,
        mut each: impl FnMut(RunView),
    ) -> Result<(), ClientError> {
        let mut query = RunsQuery { limit: Some(PAGE_LENGTH), ..query };
        loop {
            let page = self.runs_page(job, &query).await?;
            page.runs.into_iter().for_each(&mut each);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// The accepted results of one stage, in order of task; tasks that failed or were skipped have none.
    pub async fn outputs(&self, job: JobId, stage: u16) -> Result<Vec<Output>, ClientError> {
        let query =
            RunsQuery { state: Some(VerdictView::Accepted), stage: Some(stage), ..RunsQuery::default() };
        let mut runs = Vec::new();
        self.for_each_run(job, query, |run| runs.extend(Some(run).filter(|run| !run.failed))).await?;
        runs.sort_by_key(|run| run.task);
        let fetch = |run: RunView| async move {
            let stdout = self.content(&run.stdout).await?;
            Ok(Output { run, stdout })
        };
        stream::iter(runs.into_iter().map(fetch)).buffered(FETCHES_MAX).try_collect().await
    }

    /// What was noted of a job or a task.
    pub async fn notes(&self, job: JobId, task: Option<TaskId>) -> Result<Notes, ClientError> {
        let path = routes::job_notes(job);
        self.json(&path, self.request(Method::GET, &path).query_with(&NotesQuery { task })).await
    }

    /// What happens to a job, from now until its end. Reconnects by itself.
    pub fn events(&self, job: JobId) -> JobEvents {
        JobEvents::new(self.clone(), job)
    }

    /// Waits for a job's end.
    pub async fn wait(&self, job: JobId) -> Result<JobDetail, ClientError> {
        let mut events = self.events(job);
        while let Some(event) = events.next().await? {
            if matches!(event, JobEvent::Job { state, .. } if state.is_final()) {
                break;
            }
        }
        self.job(job).await
    }

    /// What a task writes; with `follow` until it ends.
    pub async fn task_log(
        &self,
        job: JobId,
        task: TaskId,
        query: &LogQuery,
    ) -> Result<Response, ClientError> {
        self.stream(self.request(Method::GET, &routes::task_log(job, task)).query_with(query)).await
    }
}
