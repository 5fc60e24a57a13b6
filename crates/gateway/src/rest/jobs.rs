//! Jobs: submitted, listed, shown, cancelled, retried, removed.

use super::transactions::Purse;
use crate::{
    Gateway,
    auth::{Caller, uncounted},
    problem::{Outcome, problem},
    views::{self, blocking},
};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::StatusCode,
};
use opensky_api::{
    Code,
    job::{JobRequest, LIST_BYTES_MAX, SEED_DRAWN_LIMIT},
    progress::{JobDetail, JobSummary, Jobs, JobsQuery, Submitted},
    quote::QuoteView,
};
use opensky_node::JobView;
use opensky_ports::BlobError;
use opensky_types::{Hash, JobId, Micros, Timestamp, job::JobSpec};
use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

/// Jobs of a page, where the query does not say.
const PAGE_DEFAULT: u32 = 50;
/// Most jobs of a page.
const PAGE_MAX: u32 = 1_000;

pub(crate) async fn quote(
    State(gateway): State<Gateway>,
    request: Result<Json<JobRequest>, JsonRejection>,
) -> Outcome<Json<QuoteView>> {
    let Json(request) = request?;
    let spec = read_spec(&gateway, request).await?;
    Ok(Json(views::quote::quote(&gateway.handle.quote(spec).await?)))
}

async fn read_spec(gateway: &Gateway, request: JobRequest) -> Outcome<JobSpec> {
    let lists = read_lists(gateway, &request).await?;
    request.into_spec(draw_seed(), &lists).map_err(|error| problem(Code::InvalidJob, error))
}

pub(crate) async fn submit(
    State(gateway): State<Gateway>,
    purse: Purse,
    request: Result<Json<JobRequest>, JsonRejection>,
) -> Outcome<(StatusCode, Json<Submitted>)> {
    let Json(request) = request?;
    let spec = read_spec(&gateway, request).await?;
    let tasks = spec.task_counts().iter().map(|count| u64::from(*count)).sum();
    let budget = budget(&gateway, &purse.caller, &spec).await?;
    let submitting = async { Ok(gateway.handle.submit(spec).await?) };
    let job = purse.door.spend(&gateway.handle, &purse.caller, budget, submitting).await?;
    Ok((StatusCode::CREATED, Json(Submitted { job, tasks })))
}

/// What a job counts as, for a caller who may spend so much only.
async fn budget(gateway: &Gateway, caller: &Caller, spec: &JobSpec) -> Outcome<Micros> {
    let has_prices = gateway.handle.ledger(|engine| engine.genesis().params.economy).await;
    match spec.budget {
        _ if !has_prices => Ok(Micros::ZERO),
        Some(budget) => Ok(budget),
        None => uncounted(caller, "run jobs without a budget").map(|()| Micros::ZERO),
    }
}

/// Long lists come as blobs that were uploaded before.
async fn read_lists(gateway: &Gateway, request: &JobRequest) -> Outcome<BTreeMap<Hash, Vec<u8>>> {
    let wanted = request.lists();
    let blobs = Arc::clone(gateway.handle.blobs());
    blocking(move || {
        let mut lists = BTreeMap::new();
        for list in wanted {
            let Some(bytes) = blobs.get(&list.hash, LIST_BYTES_MAX)? else { return Ok(Err(list.hash)) };
            lists.insert(list.hash, bytes);
        }
        Ok::<_, BlobError>(Ok(lists))
    })
    .await?
    .map_err(|hash| problem(Code::BlobNotFound, format!("list {hash} is not on this node; upload it first")))
}

/// A seed that JSON readers keep exact. It only has to differ between jobs.
fn draw_seed() -> u64 {
    RandomState::new().build_hasher().finish() % SEED_DRAWN_LIMIT
}

pub(crate) async fn list(
    State(gateway): State<Gateway>,
    query: Result<Query<JobsQuery>, QueryRejection>,
) -> Outcome<Json<Jobs>> {
    let Query(query) = query?;
    let limit = query.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let before = query.before.map(Timestamp::from_millis);
    let mut jobs = Vec::new();
    for stored in gateway.handle.jobs(before, limit as usize).await? {
        let progress = gateway.handle.progress(stored.job).await?;
        jobs.push(summary(&gateway, JobView { stored, progress }).await?);
    }
    Ok(Json(Jobs { jobs }))
}

pub(crate) async fn detail(
    State(gateway): State<Gateway>,
    job: Result<Path<JobId>, PathRejection>,
) -> Outcome<Json<JobDetail>> {
    let Path(job) = job?;
    let view = find(&gateway, job).await?;
    let totals = views::totals(&gateway.handle, &view).await?;
    let reason = views::reason(&gateway.handle, &view).await?;
    Ok(Json(views::detail(&view, &totals, reason)))
}

pub(crate) async fn cancel(
    State(gateway): State<Gateway>,
    job: Result<Path<JobId>, PathRejection>,
) -> Outcome<Json<JobSummary>> {
    let Path(job) = job?;
    find(&gateway, job).await?;
    if !gateway.handle.cancel(job).await? {
        return Err(problem(Code::WrongState, "the job has ended already"));
    }
    let view = find(&gateway, job).await?;
    Ok(Json(summary(&gateway, view).await?))
}

/// The budget counts anew, for the caller's limit too.
pub(crate) async fn retry(
    State(gateway): State<Gateway>,
    purse: Purse,
    job: Result<Path<JobId>, PathRejection>,
) -> Outcome<Json<JobSummary>> {
    let Path(job) = job?;
    let view = find(&gateway, job).await?;
    if !view.stored.state.is_final() {
        return Err(problem(Code::WrongState, "the job has not ended yet"));
    }
    if view.stored.state == opensky_types::job::JobState::Succeeded {
        return Err(problem(
            Code::WrongState,
            "every task of the job has its result; there is nothing to retry",
        ));
    }
    let budget = budget(&gateway, &purse.caller, &view.stored.spec).await?;
    let retrying = async { Ok(gateway.handle.retry(job).await?) };
    purse.door.spend(&gateway.handle, &purse.caller, budget, retrying).await?;
    let view = find(&gateway, job).await?;
    Ok(Json(summary(&gateway, view).await?))
}

pub(crate) async fn remove(
    State(gateway): State<Gateway>,
    job: Result<Path<JobId>, PathRejection>,
) -> Outcome<StatusCode> {
    let Path(job) = job?;
    find(&gateway, job).await?;
    if !gateway.handle.remove(job).await? {
        return Err(problem(Code::WrongState, "the job has not ended yet; cancel it first"));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The job, or the problem that there is none.
pub(super) async fn find(gateway: &Gateway, job: JobId) -> Outcome<JobView> {
    let view = gateway.handle.job(job).await?;
    view.ok_or_else(|| problem(Code::JobNotFound, format!("this node has no job {job}")))
}

async fn summary(gateway: &Gateway, view: JobView) -> Outcome<JobSummary> {
    let reason = views::reason(&gateway.handle, &view).await?;
    let counts = match views::live_counts(&view) {
        Some(counts) => counts,
        None => views::counts(&view, &views::totals(&gateway.handle, &view).await?),
    };
    Ok(views::summary(&view, &counts, reason))
}
