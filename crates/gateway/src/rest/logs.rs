//! Logs: of tasks, as written, and of the node itself.

use super::{
    blobs::{self, Pieces},
    jobs::find,
    telling::{Bound, Telling},
};
use crate::{
    Gateway,
    problem::{Outcome, problem},
};
use axum::{
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::Response,
};
use futures::{Stream, StreamExt, stream};
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
use tokio_util::io::ReaderStream;

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
const BYTES: &str = "application/octet-stream";

/// One output of one task: of its accepted run if there is one, else of the one that runs, else of
/// the last that failed.
pub(crate) async fn task_log(
    State(gateway): State<Gateway>,
    telling: Telling,
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
    let (size_bytes, pieces) = match accepted.or_else(|| runs.last().filter(|_| over)) {
        Some(run) => written(&gateway, run, query.stream).await?,
        None if over => (Some(0), stream::empty().boxed()),
        None => (None, live(&gateway, job, task, &query).await?),
    };
    let from = query.after.min(size_bytes.unwrap_or(u64::MAX));
    let length = size_bytes.map(|size_bytes| size_bytes - from);
    telling.answer_bytes(Bound { from, length, content_type: BYTES }, after(from, pieces))
}

/// The size and the bytes of an output that is whole.
async fn written(gateway: &Gateway, run: &TaskRun, stream: StreamView) -> Outcome<(Option<u64>, Pieces)> {
    let content = match stream {
        StreamView::Stdout => run.outcome.stdout(),
        StreamView::Stderr => run.outcome.stderr(),
    };
    match content {
        Content::Inline(bytes) => {
            let bytes = Bytes::from(bytes.clone());
            Ok((Some(bytes.len() as u64), stream::once(async { Ok(bytes) }).boxed()))
        }
        Content::Blob(blob) => {
            let found = blobs::pieces(gateway, blob.hash).await?;
            let gone = || problem(Code::BlobNotFound, "the run's output is no longer on this node");
            found.map(|(size_bytes, pieces)| (Some(size_bytes), pieces)).ok_or_else(gone)
        }
    }
}

/// The output of a task that runs, from its start.
async fn live(gateway: &Gateway, job: JobId, task: TaskId, query: &LogQuery) -> Outcome<Pieces> {
    let wanted = match query.stream {
        StreamView::Stdout => LogStream::Stdout,
        StreamView::Stderr => LogStream::Stderr,
    };
    let chunks = ReceiverStream::new(gateway.handle.follow(job, task).await?);
    let bytes = chunks.filter_map(move |chunk| async move {
        (chunk.stream == wanted).then(|| Ok::<_, io::Error>(Bytes::from(chunk.bytes)))
    });
    Ok(if query.follow { bytes.boxed() } else { bytes.take_until(tokio::time::sleep(GATHER)).boxed() })
}

/// What comes after the first bytes.
fn after(from: u64, pieces: Pieces) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let mut left = from;
    pieces.filter_map(move |piece| {
        let piece = piece.map(|mut bytes| {
            let skipped = left.min(bytes.len() as u64);
            left -= skipped;
            bytes.split_off(skipped as usize)
        });
        std::future::ready(
            (piece.is_err() || piece.as_ref().is_ok_and(|bytes| !bytes.is_empty())).then_some(piece),
        )
    })
}

/// The node's own log, a line each.
pub(crate) async fn node_log(
    State(gateway): State<Gateway>,
    telling: Telling,
    query: Result<Query<FollowQuery>, QueryRejection>,
) -> Outcome<Response> {
    let Query(query) = query?;
    let lines = query.lines.unwrap_or(LINES_DEFAULT).min(LINES_MAX) as usize;
    let failed = |error| problem(Code::Internal, format!("the log file cannot be read: {error}"));
    let path = &gateway.surroundings.log_file;
    let (from, past, file) = match query.after {
        Some(from) => at(path, from).await.map_err(failed)?,
        None => last_lines(path, lines).await.map_err(failed)?,
    };
    let past = stream::iter((!past.is_empty()).then(|| Ok::<_, io::Error>(Bytes::from(past))));
    let bytes = if query.follow {
        past.chain(stream::try_unfold(file, grown)).boxed()
    } else if query.after.is_some() {
        past.chain(ReaderStream::new(file)).boxed()
    } else {
        past.boxed()
    };
    telling.answer_bytes(Bound { from, length: None, content_type: "text/plain; charset=utf-8" }, bytes)
}

/// A file from some place in it; from its start, if it is shorter: it is another one then.
async fn at(path: &FilePath, from: u64) -> io::Result<(u64, Vec<u8>, File)> {
    let mut file = File::open(path).await?;
    let from = if from > file.metadata().await?.len() { 0 } else { from };
    file.seek(SeekFrom::Start(from)).await?;
    Ok((from, Vec::new(), file))
}

/// Where the last lines of a file begin, they, and the file at its end.
async fn last_lines(path: &FilePath, count: usize) -> io::Result<(u64, Vec<u8>, File)> {
    let mut reader = BufReader::new(File::open(path).await?);
    let (mut lines, mut line, mut from) = (VecDeque::new(), Vec::new(), 0);
    while reader.read_until(b'\n', &mut line).await? > 0 {
        lines.push_back(std::mem::take(&mut line));
        if lines.len() > count {
            from += lines.pop_front().map_or(0, |line| line.len() as u64);
        }
    }
    Ok((from, lines.into_iter().flatten().collect(), reader.into_inner()))
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
