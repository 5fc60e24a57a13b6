//! `opensky apply`: a folder says which services are to run.

use crate::{
    acting::confirm,
    commands::{
        Context,
        service::{self, StartArgs},
    },
    fail::{Exit, Fail},
};
use anyhow::{Context as _, Result};
use clap::Args;
use opensky_servicefile::{Kind, format_of};
use opensky_types::service::ServiceRef;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Most files of a folder.
const FILES_MAX: usize = 1_000;

/// Make what runs be what files say
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky apply deploy/                   every service file, Compose file and Akash SDL in it
  opensky apply deploy/ --dry-run
  opensky apply deploy/ --prune           and end own services that no file names
What is as it should be is left alone, so it can be run again and again.")]
pub struct ApplyArgs {
    /// Files, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// End services of this node that no file names
    #[arg(long)]
    prune: bool,
    /// Do not ask before services end
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    start: StartArgs,
}

pub async fn run(context: &Context, args: ApplyArgs) -> Result<()> {
    let client = context.client()?;
    // All are read before anything starts, so that a mistake in the last one changes nothing.
    let mut plans = Vec::new();
    for path in files(&args.paths)? {
        let named = service::read_text(&path)?;
        match named.kind {
            Some(Kind::ServiceFile | Kind::Compose | Kind::Sdl) => {
                plans.push((path.clone(), service::read_services(context, &path, &[]).await?));
            }
            Some(Kind::JobFile | Kind::Bacalhau) => {
                context.say(format!("{}: a job; run it with: opensky run {0}", path.display()));
            }
            None => context.say(format!("{}: left out, it is of no kind that is known", path.display())),
        }
    }
    let mut names = BTreeSet::new();
    for (_, plan) in &plans {
        for service in plan.services() {
            if !names.insert(service.name.value.clone()) {
                let problem = "another file has a service of that name".to_owned();
                let error = plan.error_at(&service.name, problem, None);
                return Err(Fail::new(Exit::Invalid, error.to_string()).into());
            }
        }
    }
    for (path, plan) in &plans {
        let folder = path.parent().unwrap_or(Path::new(""));
        service::start(context, &client, plan, folder, &args.start).await?;
    }
    if args.prune {
        // A service whose profile nobody asks for now is still one of the file's.
        names.extend(plans.iter().flat_map(|(_, plan)| plan.left_out().iter().cloned()));
        prune(context, &client, &names, &args).await?;
    }
    Ok(())
}

async fn prune(
    context: &Context,
    client: &opensky_client::Client,
    names: &BTreeSet<String>,
    args: &ApplyArgs,
) -> Result<()> {
    let services = client.services().await?.services;
    let extra = services.into_iter().filter(|service| service.own && !names.contains(&service.name));
    for service in extra {
        if args.start.dry_run {
            context.say(format!("{} would end", service.name));
            continue;
        }
        confirm(&format!("no file names {}; end it on all nodes?", service.name), args.yes)?;
        client.remove_service(&ServiceRef { name: service.name.clone(), owner: None }).await?;
        context.say(format!("{} is ending", service.name));
    }
    Ok(())
}

/// The files that are meant, in order of name.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut inside = Vec::new();
        for entry in entries {
            let file = entry?.path();
            if file.is_file() && format_of(&file.to_string_lossy()).is_some() {
                inside.push(file);
            }
        }
        inside.sort();
        files.extend(inside);
    }
    anyhow::ensure!(files.len() <= FILES_MAX, "more than {FILES_MAX} files");
    Ok(files)
}
