//! One program somewhere on the sky, as if it ran here.

use super::RunArgs;
use crate::{
    commands::Context,
    fail::{Exit, Fail},
    progress,
    terminal::RemoteWriter,
};
use anyhow::{Context as _, Result};
use opensky_api::{
    content::{BlobRef, ContentView},
    event::{LogQuery, StreamView},
    job::{
        ConstraintsView, FAILURES_MAX_DEFAULT, InputsRequest, JobRequest, ProgramRequest, RetryView,
        StageRequest, WAIT_MS_DEFAULT,
    },
    progress::{RunView, RunsQuery, StateView, VerdictView},
};
use opensky_client::Client;
use opensky_types::{
    JobId, TaskId,
    job::{LevelReason, Needs},
    place::Level,
};
use std::{
    io::{IsTerminal, Read, Write},
    path::Path,
    process::ExitCode,
};

const TASK: TaskId = TaskId { stage: 0, index: 0 };

pub async fn run(context: &Context, client: &Client, args: &RunArgs) -> Result<ExitCode> {
    let request = request(client, args).await?;
    if args.dry_run {
        let quote = client.quote(request).await?;
        context.format.print(&quote, super::quote::table)?;
        return Ok(ExitCode::SUCCESS);
    }
    let submitted = client.submit(request).await?;
    let job = submitted.job;
    if args.detach {
        context.say(format!("follow it with `opensky jobs attach {job}`"));
        context.format.print(&submitted, |submitted| submitted.job.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    if context.verbose {
        context.say(format!("job {job}"));
    }
    let mut out = Shown::new(RemoteWriter::stdout());
    let mut err = Shown::new(RemoteWriter::stderr());
    let detail = {
        // What the program writes is shown while it runs; what was missed is shown at the end.
        let watched = progress::watch(client, job, true);
        let followed = async {
            tokio::join!(
                follow(client, job, StreamView::Stdout, &mut out),
                follow(client, job, StreamView::Stderr, &mut err)
            );
            std::future::pending::<()>().await;
        };
        tokio::select! {
            detail = watched => detail?,
            () = followed => unreachable!("it never ends"),
            _ = tokio::signal::ctrl_c() => {
                client.cancel(job).await?;
                return Ok(Exit::Interrupted.into());
            }
        }
    };
    let Some(run) = last_run(client, job).await? else {
        let what = format!("the program was not run: {}", detail.summary.reason);
        let exit = if args.no_wait { Exit::NoNodeFits } else { Exit::NotRun };
        return Err(Fail::new(exit, what).next(format!("opensky why {job}")).into());
    };
    out.rest(client, &run.stdout).await?;
    err.rest(client, &run.stderr).await?;
    if context.verbose {
        let receipt = run.receipt.map_or("none".to_owned(), |id| id.to_string());
        context.say(format!("ran on {}, {} fuel, receipt {receipt}", run.node, run.usage.fuel));
    }
    match (detail.summary.state, run.exit_code) {
        (StateView::Succeeded, Some(code)) => Ok(ExitCode::from(code.clamp(0, 255) as u8)),
        _ => {
            let why = run.failure.unwrap_or(detail.summary.reason);
            Err(Fail::new(Exit::NotRun, format!("the program failed: {why}"))
                .next(format!("opensky why {job}"))
                .into())
        }
    }
}

async fn request(client: &Client, args: &RunArgs) -> Result<JobRequest> {
    let in_registry = args.registry_image()?;
    let level = level(args, in_registry.is_some())?;
    let program = match (&in_registry, args.image()) {
        (Some(image), _) => BlobRef { hash: image.hash(), size_bytes: 0 },
        (None, Some(image)) => client.image(image).await?,
        (None, None) => client.upload_file(&args.file).await?,
    };
    let needs = Needs { image: in_registry, isolation: args.isolation, gpus: args.gpus.clone() };
    let name = args.file.file_name().map_or("program".into(), |name| name.to_string_lossy());
    let stdin = match std::io::stdin().is_terminal() {
        true => None,
        false => read_stdin(client).await?,
    };
    let overrides = args.overrides();
    let constraints = ConstraintsView { peers: overrides.peers, ..ConstraintsView::default() };
    let stage = StageRequest {
        name: "program".into(),
        program: ProgramRequest {
            hash: program.hash,
            size_bytes: program.size_bytes,
            level,
            function: args.function.clone().unwrap_or_default(),
            args: args.args.clone(),
            env: args.env.clone(),
            deterministic: level != Level::Container,
            needs: needs.into(),
        },
        inputs: InputsRequest::One { stdin },
        after: vec![],
        limits: args.limits(),
        constraints,
        verify: overrides.verify.map(Into::into).unwrap_or_default(),
        failures_max: FAILURES_MAX_DEFAULT,
        retry: RetryView::default(),
        level_reason: LevelReason::Given,
        check: None,
        when: Vec::new(),
        may_fail: false,
        accept_any_exit: true,
        hedge: true,
    };
    Ok(JobRequest {
        name: name.chars().take(64).collect(),
        stages: vec![stage],
        wait_ms: overrides.wait_ms.unwrap_or(WAIT_MS_DEFAULT),
        deadline_ms: None,
        budget_micros: overrides.budget,
        seed: None,
        // Whoever waits for a program would simply run it again; it need not outlive the node.
        durable: args.detach,
    })
}

/// How it runs: images are told from programs by their name or their first bytes.
fn level(args: &RunArgs, is_in_registry: bool) -> Result<Level> {
    let is_image = is_in_registry || args.image().is_some() || is_archive(&args.file)?;
    match (is_image, &args.function) {
        (true, Some(_)) => {
            let what = "an image has no functions to call";
            Err(Fail::new(Exit::Invalid, what).next("leave --function out; arguments come after --").into())
        }
        (true, None) => Ok(Level::Container),
        (false, Some(_)) => Ok(Level::Function),
        (false, None) => Ok(Level::Vm),
    }
}

fn is_archive(path: &Path) -> Result<bool> {
    /// Where a tar says that it is one.
    const MAGIC_AT: usize = 257;
    let mut start = Vec::new();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    file.take(512).read_to_end(&mut start)?;
    Ok(start.get(MAGIC_AT..).is_some_and(|rest| rest.starts_with(b"ustar")))
}

async fn read_stdin(client: &Client) -> Result<Option<BlobRef>> {
    let read = tokio::task::spawn_blocking(|| {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = read.await?.context("cannot read standard input")?;
    if bytes.is_empty() {
        return Ok(None);
    }
    Ok(Some(client.upload(bytes).await?))
}

/// Shows a stream while the program runs. A stream that cannot be followed is shown at the end.
async fn follow<W: Write>(client: &Client, job: JobId, stream: StreamView, shown: &mut Shown<W>) {
    let Ok(mut answer) = client.task_log(job, TASK, &LogQuery { stream, follow: true, after: 0 }).await
    else {
        return;
    };
    while let Ok(Some(piece)) = answer.chunk().await {
        if shown.write(&piece).is_err() {
            return;
        }
    }
}

/// The run that counts: the accepted one, else the last.
async fn last_run(client: &Client, job: JobId) -> Result<Option<RunView>> {
    let mut last: Option<RunView> = None;
    client
        .for_each_run(job, RunsQuery::default(), |run| {
            if last.as_ref().is_none_or(|last| last.verdict != VerdictView::Accepted) {
                last = Some(run);
            }
        })
        .await?;
    Ok(last)
}

/// A stream and how much of it was shown already.
struct Shown<W> {
    to: RemoteWriter<W>,
    bytes: usize,
}

impl<W: Write> Shown<W> {
    fn new(to: RemoteWriter<W>) -> Self {
        Self { to, bytes: 0 }
    }

    fn write(&mut self, piece: &[u8]) -> std::io::Result<()> {
        self.bytes += piece.len();
        self.to.write(piece)
    }

    /// What was not shown yet. Another attempt may have written what was: it is the same where programs are
    /// deterministic, and of the same length or longer where they are orderly.
    async fn rest(&mut self, client: &Client, content: &ContentView) -> Result<()> {
        if content.size_bytes as usize <= self.bytes {
            return Ok(());
        }
        let bytes = client.content(content).await?;
        Ok(self.to.write(bytes.get(self.bytes..).unwrap_or_default())?)
    }
}
