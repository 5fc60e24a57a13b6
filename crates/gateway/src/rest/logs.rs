//! Logs: of tasks, as written, and of the node itself.

use super::{blobs, jobs::find};
use crate::{
    Gateway,
    problem::{Outcome, problem},
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::header,
    response::{IntoResponse, Response},
};
use futures::{Stream, StreamExt};
use opensky_api::{
    Code,
    event::{FollowQuery, LogQuery, StreamView},
};
use opensky_ports::{
    LogStream,
    journal::{TaskRun, Verdict},
};
use opensky_types::{JobId, TaskId, task::Content};
use std::{
    collections::VecDeque,
    io::{self, SeekFrom},
    path::Path as FilePath,
    time::Duration,
};
use tokio::{
    fs::File,
    io::{AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, BufReader},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

/// Runs of one task that are looked at for its log.
const RUNS_MAX: usize = 1_000;
/// Lines of the node's log, where the query does not say.
const LINES_DEFAULT: u32 = 100;
/// Most lines of the past.
const LINES_MAX: u32 = 10_000;
/// How often a followed log file is looked at.
const POLL: Duration = Duration::from_millis(250);
/// How long output of a task that still runs is gathered, when its reader does not stay.
const GATHER: Duration = Duration::from_millis(500);
const BYTES: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/octet-stream"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];

/// One output of one task: of its accepted run if there is one, else of the one that runs, else of
/// the last that failed.
pub(crate) async fn task_log(
    State(gateway): State<Gateway>,
    Extension(stop): Extension<CancellationToken>,
    path: Result<Path<(JobId, TaskId)>, PathRejection>,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Outcome<Response> {
    let (Path((job, task)), Query(query)) = (path?, query?);
    let view = find(&gateway, job).await?;
    let counts = view.stored.spec.task_counts();
    if counts.get(usize::from(task.stage)).is_none_or(|count| task.index >= *count) {
        return Err(problem(Code::TaskNotFound, format!("job {job} has no task {task}")));
    }
    let runs = gateway.handle.runs(job, move |run| run.task == task, 0, RUNS_MAX).await?;
    let accepted = runs.iter().find(|run| run.verdict == Verdict::Accepted);
    let over = view.stored.state.is_final();
    match accepted.or_else(|| runs.last().filter(|_| over)) {
        Some(run) => written(&gateway, run, query.stream).await,
        None if over => Ok((BYTES, Body::empty()).into_response()),
        None => live(&gateway, stop, job, task, &query).await,
    }
}

async fn written(gateway: &Gateway, run: &TaskRun, stream: StreamView) -> Outcome<Response> {
    let content = match stream {
        StreamView::Stdout => run.outcome.stdout(),
        StreamView::Stderr => run.outcome.stderr(),
    };
    match content {
        Content::Inline(bytes) => Ok((BYTES, bytes.clone()).into_response()),
        Content::Blob(blob) => {
            let body = blobs::open(gateway, blob.hash).await?;
            body.ok_or_else(|| problem(Code::BlobNotFound, "the run's output is no longer on this node"))
        }
    }
}

async fn live(
    gateway: &Gateway,
    stop: CancellationToken,
    job: JobId,
    task: TaskId,
    query: &LogQuery,
) -> Outcome<Response> {
    let wanted = match query.stream {
        StreamView::Stdout => LogStream::Stdout,
        StreamView::Stderr => LogStream::Stderr,
    };
    let chunks = ReceiverStream::new(gateway.handle.follow(job, task).await?);
    let bytes = chunks.filter_map(move |chunk| async move {
        (chunk.stream == wanted).then(|| Ok::<_, io::Error>(Bytes::from(chunk.bytes)))
    });
    let body = if query.follow {
        followed(bytes, stop)
    } else {
        Body::from_stream(bytes.take_until(tokio::time::sleep(GATHER)))
    };
    Ok((BYTES, body).into_response())
}

/// What is followed ends with the server at the latest, which waits for open answers.
fn followed(bytes: impl Stream<Item = io::Result<Bytes>> + Send + 'static, stop: CancellationToken) -> Body {
    Body::from_stream(bytes.take_until(stop.cancelled_owned()))
}

/// The node's own log, a line each.
pub(crate) async fn node_log(
    State(gateway): State<Gateway>,
    Extension(stop): Extension<CancellationToken>,
    query: Result<Query<FollowQuery>, QueryRejection>,
) -> Outcome<Response> {
    let Query(query) = query?;
    let lines = query.lines.unwrap_or(LINES_DEFAULT).min(LINES_MAX) as usize;
    let (past, file) = last_lines(&gateway.surroundings.log_file, lines)
        .await
        .map_err(|error| problem(Code::Internal, format!("the log file cannot be read: {error}")))?;
    let past = futures::stream::once(async { Ok::<_, io::Error>(Bytes::from(past)) });
    let body = if query.follow {
        followed(past.chain(futures::stream::try_unfold(file, grown)), stop)
    } else {
        Body::from_stream(past)
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response())
}

/// The last lines of a file, and the file at its end.
async fn last_lines(path: &FilePath, count: usize) -> io::Result<(String, File)> {
    let mut reader = BufReader::new(File::open(path).await?);
    let mut lines = VecDeque::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).await? > 0 {
        lines.push_back(String::from_utf8_lossy(&line).into_owned());
        if lines.len() > count {
            lines.pop_front();
        }
        line.clear();
    }
    Ok((lines.into_iter().collect(), reader.into_inner()))
}

/// What was appended since; waits until something is. A file cut short is read from its start.
async fn grown(mut file: File) -> io::Result<Option<(Bytes, File)>> {
    loop {
        let mut bytes = vec![0; 64 * 1024];
        let count = file.read(&mut bytes).await?;
        if count > 0 {
            bytes.truncate(count);
            return Ok(Some((bytes.into(), file)));
        }
        if file.stream_position().await? > file.metadata().await?.len() {
            file.seek(SeekFrom::Start(0)).await?;
        }
        tokio::time::sleep(POLL).await;
    }
}
