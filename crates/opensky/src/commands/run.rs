//! `opensky run`: one program like a local process, or a job file.

mod program;
mod quote;
mod report;

use crate::{
    commands::Context,
    commands::invite::millis,
    fail::{Exit, Fail},
    progress,
};
use anyhow::Result;
use clap::Args;
use opensky_api::{job::TaskLimitsView, progress::StateView};
use opensky_client::{Client, FileJob, ImageSource, Overrides};
use opensky_jobfile::{Format, values::parse_per_mille};
use opensky_types::{
    JobId, Micros, NodeId,
    job::{GpuNeed, ImageRef, Isolation, Verify},
    resources::{ByteSize, TaskLimits},
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

pub use report::{costs, summary};

/// The file in a results folder that [`keep`] writes.
const KEPT: &str = "job.json";

/// Run a program, an image or a job file
#[derive(Debug, Args)]
#[command(after_help = "\
A file that ends in .toml, .yaml, .yml or .json is a job file. docker:NAME is an image that Docker
or Podman has on this machine, sky:NAME one that the node keeps (`opensky image`); an archive that
`docker save` wrote is one too, and REGISTRY/NAME@sha256:DIGEST is one that whoever runs it takes
from a registry that its owner allows. Anything else is a WASI program. Programs and images behave like a
local process: standard input, outputs and exit code are yours.

Examples:
  opensky run hello.wasm -- --name sky < input.txt
  opensky run docker:python:3.13-slim --memory 1GiB -- python3 -c 'print(6 * 7)'
  opensky run docker:my-model --gpus 1,memory=16GiB -- infer.py
  opensky run job.toml --results out
  opensky run examples/jobs/word-frequency.toml --input book1.txt --input book2.txt
  opensky run job.toml --verify quorum=2/3 --no-wait
  opensky run job.toml --dry-run           what it would cost, and who could run it
  opensky run job.toml --budget 2.5        stop at 2.5 credits
  opensky run job.toml --detach            then: opensky jobs attach JOB")]
pub struct RunArgs {
    /// A WASM program, an image (docker:NAME, sky:NAME, an archive, REGISTRY/NAME@sha256:DIGEST) or a job file
    file: PathBuf,
    /// Arguments of the program
    #[arg(last = true)]
    args: Vec<String>,
    /// Submit and return; prints the job's id
    #[arg(long)]
    detach: bool,
    /// Fail at once if no node fits
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
    /// How long to wait for a node that fits, such as 10m
    #[arg(long, value_parser = millis)]
    wait: Option<u64>,
    /// How results are checked: none, sample=5%, reputation, or quorum=AGREE/REPLICAS
    #[arg(long, value_parser = verify)]
    verify: Option<Verify>,
    /// Most that it may cost, in credits; it stops when that is spent or put aside
    #[arg(long, value_name = "CREDITS", value_parser = crate::amount::amount)]
    budget: Option<Micros>,
    /// Say what it would cost and who could run it; start nothing
    #[arg(long, conflicts_with = "detach")]
    dry_run: bool,
    /// Only on this node; may be given several times
    #[arg(long, value_name = "NODE")]
    on_peer: Vec<NodeId>,
    /// Where results go [default: opensky-results/JOB]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Give this file to the stages of a job that read files, instead of those they name; may be
    /// given several times
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    /// An environment variable of the program
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Most memory of a program or image [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// Most time of a program or image, such as 2h [default: 10m]
    #[arg(long, value_name = "DURATION", value_parser = millis)]
    time: Option<u64>,
    /// GPUs that the image's program has for itself: 1, or 2,memory=16GiB,vendor=nvidia,model=a100
    #[arg(long, value_name = "COUNT[,WHICH]")]
    gpus: Option<GpuNeed>,
    /// What keeps the image's program from its host: gvisor, or any, what the host's owner has chosen
    #[arg(long, default_value = "any")]
    isolation: Isolation,
    /// Call this exported function instead of a whole program
    #[arg(long, value_name = "NAME")]
    function: Option<String>,
}

impl RunArgs {
    /// The image in a registry that is meant, if one is named.
    fn registry_image(&self) -> Result<Option<ImageRef>> {
        let text = self.file.to_str().filter(|text| text.contains("@sha256:") && self.image().is_none());
        text.map(str::parse).transpose().map_err(|error: opensky_types::text::ParseError| {
            Fail::new(Exit::Invalid, error.to_string()).into()
        })
    }

    /// The image that is meant, if one is named.
    fn image(&self) -> Option<ImageSource<'_>> {
        self.file.to_str().and_then(ImageSource::of)
    }

    /// The limits of a program or image.
    fn limits(&self) -> TaskLimitsView {
        let default = TaskLimitsView::default();
        let wall_ms = self.time.unwrap_or(default.wall_ms);
        let fuel = self.gpus.as_ref().map(|gpus| TaskLimits::fuel_of_time(wall_ms, gpus.count));
        TaskLimitsView {
            memory_bytes: self.memory.map_or(default.memory_bytes, ByteSize::get),
            fuel: fuel.unwrap_or(default.fuel),
            wall_ms,
            ..default
        }
    }

    fn overrides(&self) -> Overrides {
        Overrides {
            verify: self.verify,
            peers: self.on_peer.clone(),
            wait_ms: if self.no_wait { Some(0) } else { self.wait },
            files: self.input.clone(),
            budget: self.budget,
        }
    }
}

pub async fn run(context: &Context, args: RunArgs) -> Result<ExitCode> {
    let client = context.client()?;
    if Format::of_name(&args.file.to_string_lossy()).is_none() {
        return program::run(context, &client, &args).await;
    }
    if args.gpus.is_some() || args.isolation != Isolation::Any {
        let what = "--gpus and --isolation are of one program; a job file says it for each stage";
        return Err(Fail::new(Exit::Invalid, what)
            .next("add gpus = 1 or isolation = \"gvisor\" to the stage")
            .into());
    }
    let prepared = client.prepare_file(&args.file, &args.overrides()).await?;
    let quote = client.quote(prepared.request()).await?;
    if args.dry_run {
        context.format.print(&quote, quote::table)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(line) = quote::line(&quote) {
        context.say(line);
    }
    let job = client.submit_prepared(prepared).await?;
    context.say(format!("job {} ({}): {} tasks", job.job, job.name, job.tasks));
    let results = args.results.clone().unwrap_or_else(|| results_default(job.job));
    if args.detach {
        keep(&job, &results)?;
        context.say(format!("follow it with `opensky jobs attach {}`", job.job));
        context.format.print(&job, |job| job.job.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    finish(context, &client, &job, &results).await
}

/// Follows a job to its end, keeps what it left, and says how it went.
pub async fn finish(context: &Context, client: &Client, job: &FileJob, results: &Path) -> Result<ExitCode> {
    let detail = tokio::select! {
        detail = progress::watch(client, job.job, context.quiet) => detail?,
        _ = tokio::signal::ctrl_c() => {
            client.cancel(job.job).await?;
            context.say(format!("cancelled; `opensky jobs retry {}` goes on where it stopped", job.job));
            return Ok(Exit::Interrupted.into());
        }
    };
    let saved = client.save(job, results).await?;
    context.say(summary(&detail, &saved));
    let shown = serde_json::json!({ "job": detail, "results": saved.folder, "outputs": saved.outputs });
    context.format.print(&shown, |_| {
        let outputs = saved.outputs.iter().map(|path| path.display().to_string());
        outputs.chain([saved.folder.display().to_string()]).collect::<Vec<_>>().join("\n")
    })?;
    Ok(match detail.summary.state {
        StateView::Succeeded => ExitCode::SUCCESS,
        _ => Exit::JobFailed.into(),
    })
}

/// Remembers, where the results will be, what the job file says about them.
fn keep(job: &FileJob, results: &Path) -> Result<()> {
    let mut job = job.clone();
    for output in &mut job.outputs {
        output.path = std::path::absolute(&output.path)?;
    }
    std::fs::create_dir_all(results)?;
    std::fs::write(results.join(KEPT), serde_json::to_vec_pretty(&job)?)?;
    Ok(())
}

/// The job that was started in the background with these results, if it was one from a job file.
pub fn kept(results: &Path) -> Result<Option<FileJob>> {
    match std::fs::read(results.join(KEPT)) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Where results go if nobody says.
pub fn results_default(job: JobId) -> PathBuf {
    Path::new("opensky-results").join(job.to_string())
}

fn verify(text: &str) -> Result<Verify, String> {
    let bad =
        || "verify is none, sample=5%, reputation, or quorum=AGREE/REPLICAS such as quorum=2/3".to_owned();
    match text.split_once('=') {
        None if text == "none" => Ok(Verify::None),
        None if text == "reputation" => Ok(Verify::Reputation),
        Some(("sample", share)) => parse_per_mille(share)
            .map(|per_mille| Verify::Sample { per_mille: per_mille as u16 })
            .ok_or_else(bad),
        Some(("quorum", counts)) => {
            let (agree, replicas) = counts.split_once('/').ok_or_else(bad)?;
            let (agree, replicas): (u8, u8) =
                (agree.parse().map_err(|_| bad())?, replicas.parse().map_err(|_| bad())?);
            if agree == 0 || agree > replicas || replicas > 28 {
                return Err("a quorum needs 1 <= AGREE <= REPLICAS <= 28".into());
            }
            Ok(Verify::Quorum { agree, replicas, replicas_max: replicas + 3 })
        }
        _ => Err(bad()),
    }
}

pub fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a variable looks like NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verification_reads_as_written() {
        assert_eq!(verify("none"), Ok(Verify::None));
        assert_eq!(verify("reputation"), Ok(Verify::Reputation));
        assert_eq!(verify("sample=5%"), Ok(Verify::Sample { per_mille: 50 }));
        assert_eq!(verify("quorum=2/3"), Ok(Verify::Quorum { agree: 2, replicas: 3, replicas_max: 6 }));
        for bad in ["", "quorum", "quorum=3/2", "quorum=0/1", "sample=5", "reputation=5%", "all"] {
            assert!(verify(bad).is_err(), "{bad}");
        }
    }
}
