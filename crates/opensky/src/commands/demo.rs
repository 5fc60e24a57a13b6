//! `opensky demo`: the README's main command.

use crate::{
    commands::{
        Context,
        devnet::{Devnet, folder_default},
        run::summary,
    },
    fail::{Exit, Fail},
    progress,
};
use anyhow::{Context as _, Result};
use clap::Args;
use opensky_api::progress::{JobDetail, StateView};
use opensky_client::{Client, Overrides, Saved};
use std::path::{Path, PathBuf};

/// Words of the result that are shown.
const TOP_WORDS: usize = 10;

/// Show it all: four nodes, two jobs
#[derive(Debug, Args)]
#[command(after_help = "\
Starts a sky of real node processes on this machine, counts the words of a shelf of books and renders a
picture on it, shows the results and who did what, and stops the nodes again.")]
pub struct DemoArgs {
    /// Count the words of these files instead of the books that come along
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How many nodes
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(2..=16))]
    nodes: u16,
    /// The folder `examples` of the source tree
    #[arg(long, value_name = "DIR")]
    examples: Option<PathBuf>,
    /// Where results go
    #[arg(long, value_name = "DIR", default_value = "opensky-results/demo")]
    results: PathBuf,
    /// Leave the nodes running
    #[arg(long)]
    keep: bool,
}

pub async fn run(context: &Context, args: DemoArgs) -> Result<()> {
    let examples = examples(args.examples.as_deref())?;
    let folder = folder_default()?;
    let mut devnet = Devnet::start(context, &folder, args.nodes, None).await?;
    let shown = tokio::select! {
        shown = jobs(context, &devnet, &examples, &args) => shown,
        _ = tokio::signal::ctrl_c() => Err(Fail::new(Exit::Interrupted, "interrupted").into()),
    };
    if args.keep && shown.is_ok() {
        context.say("\nThe nodes keep running; `opensky devnet down` stops them. Next:");
        context.say("  opensky offers\n  opensky devnet kill node2\n  opensky jobs list\n  opensky why JOB");
        return shown;
    }
    devnet.stop_all().await?;
    shown?;
    context.say("\nThe nodes are stopped. Next:");
    context.say(
        "  opensky devnet 4                                   the same nodes again, for you to play with",
    );
    context.say("  opensky run examples/jobs/sweep.toml               another job on them");
    context.say("  opensky up, then `opensky invite` on it            a sky of your own machines");
    Ok(())
}

async fn jobs(context: &Context, devnet: &Devnet, examples: &Path, args: &DemoArgs) -> Result<()> {
    let nodes = devnet.list()?;
    let first = nodes.first().context("the devnet has no node")?;
    let client = Client::from_data_dir(&first.data_dir)?;
    let own_files = Overrides { files: args.files.clone(), ..Overrides::default() };
    for (name, overrides) in [("word-frequency", own_files), ("picture", Overrides::default())] {
        context.say(format!("\n== {name} =="));
        let file = examples.join(format!("jobs/{name}.toml"));
        let (detail, saved) = job(context, &client, &file, &overrides, &args.results.join(name)).await?;
        context.say(summary(&detail, &saved));
        if detail.summary.state != StateView::Succeeded {
            let what = format!("the job '{name}' did not succeed: {}", detail.summary.reason);
            return Err(Fail::new(Exit::JobFailed, what).into());
        }
        show(&saved)?;
    }
    Ok(())
}

async fn job(
    context: &Context,
    client: &Client,
    file: &Path,
    overrides: &Overrides,
    results: &Path,
) -> Result<(JobDetail, Saved)> {
    let mut job = client.submit_file(file, overrides).await?;
    context.say(format!("job {}: {} tasks", job.job, job.tasks));
    // The job file wants its result beside itself; the demo leaves the source tree alone.
    for output in &mut job.outputs {
        let name = output.path.file_name().context("an output without a name")?;
        output.path = results.join(name);
    }
    let detail = progress::watch(client, job.job, context.quiet).await?;
    Ok((detail, client.save(&job, &results.join("tasks")).await?))
}

/// The head of a table, the place of a picture.
fn show(saved: &Saved) -> Result<()> {
    for path in &saved.outputs {
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        if path.extension().is_some_and(|extension| extension == "tsv" || extension == "txt") {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let top =
                text.lines().take(TOP_WORDS).map(|line| format!("  {}", crate::terminal::clean_lines(line)));
            crate::output::print_line(&top.collect::<Vec<_>>().join("\n"))?;
        }
        crate::output::print_line(&format!("result: {}", path.display()))?;
    }
    Ok(())
}

/// The folder `examples`: as named, here, or beside the build folder that this program lies in.
fn examples(named: Option<&Path>) -> Result<PathBuf> {
    let mut places: Vec<PathBuf> = match named {
        Some(path) => vec![path.to_owned()],
        None => vec!["examples".into()],
    };
    if named.is_none()
        && let Ok(program) = std::env::current_exe()
    {
        places.extend(program.ancestors().skip(1).take(4).map(|folder| folder.join("examples")));
    }
    let found = places.iter().find(|place| place.join("jobs/word-frequency.toml").is_file());
    found.cloned().ok_or_else(|| {
        let shown: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        Fail::new(Exit::NotFound, format!("the examples are not in {}", shown.join(" or ")))
            .next("run it in the source tree, or name the folder with --examples DIR")
            .into()
    })
}
