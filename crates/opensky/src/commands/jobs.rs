//! `opensky jobs`

use crate::{
    commands::{
        Context,
        run::{costs, finish, kept, results_default},
    },
    output::{ago, now, table},
    terminal::RemoteWriter,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use opensky_api::{
    event::{LogQuery, StreamView},
    progress::{JobDetail, JobsQuery, RunView, RunsQuery},
};
use opensky_client::{Client, FileJob};
use opensky_types::{JobId, TaskId};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

/// Runs shown by `jobs show` unless `--all` is given.
const RUNS_SHOWN: u32 = 50;

/// List, follow and stop jobs
#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List jobs, newest first
    List {
        /// At most this many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Show a job: stages, nodes, runs with their receipts
    Show {
        /// The job
        job: JobId,
        /// Show every run
        #[arg(long)]
        all: bool,
    },
    /// Show what a task wrote
    #[command(after_help = "Example:\n  opensky jobs logs JOB 0.17 --stderr --follow")]
    Logs(LogsArgs),
    /// Follow a job to its end and keep its results
    Attach {
        /// The job
        job: JobId,
        /// Where results go [default: opensky-results/JOB]
        #[arg(long, value_name = "DIR")]
        results: Option<PathBuf>,
    },
    /// Stop a job
    Cancel {
        /// The job
        job: JobId,
    },
    /// Run what failed or was cancelled again; finished tasks stay
    Retry {
        /// The job
        job: JobId,
    },
    /// Forget an ended job and free what only it needed
    Remove {
        /// The job
        job: JobId,
    },
}

/// Show what a task wrote
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The job
    job: JobId,
    /// The task, as stage.index
    #[arg(default_value = "0.0")]
    task: TaskId,
    /// Its standard error instead of its standard output
    #[arg(long)]
    stderr: bool,
    /// Stay until the task ends
    #[arg(short, long)]
    follow: bool,
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    detail: JobDetail,
    runs: Vec<RunView>,
}

pub async fn run(context: &Context, command: JobsCommand) -> Result<ExitCode> {
    let client = context.client()?;
    match command {
        JobsCommand::List { limit } => list(context, &client, limit).await?,
        JobsCommand::Show { job, all } => show(context, &client, job, all).await?,
        JobsCommand::Logs(args) => logs(&client, &args).await?,
        JobsCommand::Attach { job, results } => {
            let detail = client.job(job).await?;
            let results = results.unwrap_or_else(|| results_default(job));
            // A job from another terminal or machine: its results go to the folder only.
            let tasks = u64::from(detail.summary.tasks.total());
            let unknown = FileJob { job, name: detail.summary.name, tasks, outputs: vec![] };
            let file_job = kept(&results)?.filter(|kept| kept.job == job).unwrap_or(unknown);
            return finish(context, &client, &file_job, &results).await;
        }
        JobsCommand::Cancel { job } => {
            let summary = client.cancel(job).await?;
            context
                .format
                .print(&summary, |_| format!("{job} is cancelled; `opensky jobs retry {job}` goes on"))?;
        }
        JobsCommand::Retry { job } => {
            let summary = client.retry(job).await?;
            context
                .format
                .print(&summary, |_| format!("{job} runs again; `opensky jobs attach {job}` follows it"))?;
        }
        JobsCommand::Remove { job } => {
            client.remove(job).await?;
            context.say(format!("{job} is forgotten"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(context: &Context, client: &Client, limit: u32) -> Result<()> {
    let jobs = client.jobs(&JobsQuery { before: None, limit: Some(limit.clamp(1, 1000)) }).await?;
    context.format.print(&jobs, |jobs| {
        if jobs.jobs.is_empty() {
            return "no jobs yet; `opensky run` starts one".into();
        }
        let rows = jobs.jobs.iter().map(|job| {
            let tasks = format!("{}/{}", job.tasks.done, job.tasks.total());
            let submitted = ago(now(), job.submitted_at);
            let state = job.state.as_str().to_owned();
            vec![job.job.to_string(), job.name.clone(), state, tasks, submitted, job.reason.clone()]
        });
        table(&["JOB", "NAME", "STATE", "DONE", "SUBMITTED", "WHY"], rows)
    })
}

async fn show(context: &Context, client: &Client, job: JobId, all: bool) -> Result<()> {
    let detail = client.job(job).await?;
    let mut runs = Vec::new();
    if all {
        client.for_each_run(job, RunsQuery::default(), |run| runs.push(run)).await?;
    } else {
        runs =
            client.runs_page(job, &RunsQuery { limit: Some(RUNS_SHOWN), ..RunsQuery::default() }).await?.runs;
    }
    context.format.print(&Shown { detail, runs }, |Shown { detail, runs }| {
        let summary = &detail.summary;
        let head =
            format!("{} ({}): {} {}", summary.job, summary.name, summary.state.as_str(), summary.reason);
        let costs = costs(detail).map_or(String::new(), |costs| format!("\n{costs}"));
        let stages = detail.stages.iter().map(|stage| {
            let tasks = stage.tasks;
            let waits =
                stage.waiting_for.as_ref().map(|waiting| waiting.sentence.clone()).unwrap_or_default();
            let counts = [tasks.done, tasks.running, tasks.waiting, tasks.failed, tasks.skipped];
            let head = vec![stage.name.clone(), stage.state.as_str().to_owned()];
            [head, counts.map(|count| count.to_string()).to_vec(), vec![waits]].concat()
        });
        let rows = runs.iter().map(|run| {
            let ended =
                run.failure.clone().or(run.exit_code.map(|code| format!("exit {code}"))).unwrap_or_default();
            vec![
                run.task.to_string(),
                run.attempt.to_string(),
                format!("…{}", run.node.short()),
                format!("{:?}", run.verdict).to_lowercase(),
                ended,
                format!("{:.1} ms", run.usage.wall_us as f64 / 1000.0),
                run.receipt.map_or("-".into(), |id| id.to_string()),
            ]
        });
        [
            crate::terminal::clean(&head) + &costs,
            table(&["STAGE", "STATE", "DONE", "RUNNING", "WAITING", "FAILED", "SKIPPED", "WHY"], stages),
            table(&["TASK", "TRY", "NODE", "RESULT", "ENDED", "TIME", "RECEIPT"], rows),
        ]
        .join("\n\n")
    })
}

async fn logs(client: &Client, args: &LogsArgs) -> Result<()> {
    let stream = if args.stderr { StreamView::Stderr } else { StreamView::Stdout };
    let mut answer =
        client.task_log(args.job, args.task, &LogQuery { stream, follow: args.follow, after: 0 }).await?;
    let mut out = RemoteWriter::stdout();
    loop {
        let piece = tokio::select! {
            piece = answer.chunk() => piece?,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        match piece {
            Some(piece) => out.write(&piece)?,
            None => return Ok(()),
        }
    }
}
