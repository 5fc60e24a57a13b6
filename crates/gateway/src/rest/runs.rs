//! Runs, notes and receipts.

use super::jobs::find;
use crate::{
    Gateway,
    problem::{Outcome, problem},
    views,
};
use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use opensky_api::{
    Code,
    progress::{NoteView, Notes, NotesQuery, Runs, RunsQuery},
    receipt::ReceiptView,
};
use opensky_types::{Hash, JobId};

/// Runs of a page, where the query does not say.
const PAGE_DEFAULT: u32 = 100;
/// Most runs of a page.
const PAGE_MAX: u32 = 1_000;

pub(crate) async fn runs(
    State(gateway): State<Gateway>,
    job: Result<Path<JobId>, PathRejection>,
    query: Result<Query<RunsQuery>, QueryRejection>,
) -> Outcome<Json<Runs>> {
    let (Path(job), Query(query)) = (job?, query?);
    let spec = find(&gateway, job).await?.stored.spec;
    let limit = query.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX) as usize;
    let skip: usize = match &query.after {
        Some(cursor) => cursor
            .parse()
            .map_err(|_| problem(Code::InvalidRequest, "'after' is the 'next' of an earlier page"))?,
        None => 0,
    };
    let (state, task, stage) = (query.state, query.task, query.stage);
    let keep = move |run: &opensky_ports::journal::TaskRun| {
        state.is_none_or(|state| views::verdict(run.verdict) == state)
            && task.is_none_or(|task| run.task == task)
            && stage.is_none_or(|stage| run.task.stage == stage)
    };
    // One more than asked for tells whether there is a next page.
    let mut runs = gateway.handle.runs(job, keep, skip, limit + 1).await?;
    let next = (runs.len() > limit).then(|| (skip + limit).to_string());
    runs.truncate(limit);
    Ok(Json(Runs { runs: runs.iter().map(|run| views::run(run, &spec)).collect(), next }))
}

pub(crate) async fn notes(
    State(gateway): State<Gateway>,
    job: Result<Path<JobId>, PathRejection>,
    query: Result<Query<NotesQuery>, QueryRejection>,
) -> Outcome<Json<Notes>> {
    let (Path(job), Query(query)) = (job?, query?);
    find(&gateway, job).await?;
    let notes = gateway.handle.notes(job).await?;
    let wanted = notes.iter().filter(|note| query.task.is_none() || note.task == query.task);
    Ok(Json(Notes { notes: wanted.map(NoteView::from).collect() }))
}

pub(crate) async fn receipt(
    State(gateway): State<Gateway>,
    id: Result<Path<Hash>, PathRejection>,
) -> Outcome<Json<ReceiptView>> {
    let Path(id) = id?;
    let proof = gateway.handle.receipt(id).await?;
    let proof =
        proof.ok_or_else(|| problem(Code::ReceiptNotFound, format!("this node has no receipt {id}")))?;
    let view = ReceiptView::from_proof(&proof);
    Ok(Json(
        view.map_err(|error| problem(Code::Internal, format!("a stored receipt does not hold: {error}")))?,
    ))
}
