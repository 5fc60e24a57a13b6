//! `opensky compose`: Compose files as they are, on the sky.

use crate::{
    acting::confirm,
    commands::{
        Context,
        service::{self, LogsArgs, StartArgs, list_table},
    },
    fail::{Exit, Fail},
};
use anyhow::Result;
use clap::{Args, Subcommand};
use opensky_client::Client;
use opensky_servicefile::{Plan, bacalhau::Work};
use opensky_types::service::ServiceRef;
use std::path::{Path, PathBuf};

/// What Compose calls its files, in its order.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Run the services of a Compose file on the sky
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  opensky compose up                      compose.yaml of this folder
  opensky compose -f stack.yml up -d
  opensky compose logs web --follow
  opensky compose down
What OpenSky does not do (volumes, builds, privileged containers) is said before anything starts.")]
pub struct ComposeArgs {
    /// The file [default: compose.yaml, compose.yml, docker-compose.yaml or docker-compose.yml]
    #[arg(long, short)]
    file: Option<PathBuf>,
    /// A profile whose services are meant too; may be given several times
    #[arg(long)]
    profile: Vec<String>,
    #[command(subcommand)]
    command: ComposeCommand,
}

/// What to do
#[derive(Debug, Subcommand)]
pub enum ComposeCommand {
    /// Start all services, or what has changed of them
    Up(StartArgs),
    /// Show its services
    Ps,
    /// Show what a service writes
    Logs(LogsArgs),
    /// End all its services
    Down {
        /// Do not ask first
        #[arg(long, short)]
        yes: bool,
    },
    /// Say what of the file OpenSky does not do; start nothing
    Check,
}

pub async fn run(context: &Context, args: ComposeArgs) -> Result<()> {
    let path = match &args.file {
        Some(path) => path.clone(),
        None => usual_file()?,
    };
    let plan = read(context, &path, &args.profile).await?;
    let client = || context.client();
    match args.command {
        ComposeCommand::Check => {
            let count = plan.services().len();
            let checked = serde_json::json!({ "file": path.display().to_string(), "services": count });
            context.format.print(&checked, |_| format!("{} can run: {count} service(s)", path.display()))
        }
        ComposeCommand::Up(start) => {
            let folder = path.parent().unwrap_or(Path::new(""));
            service::start(context, &client()?, &plan, folder, &start).await
        }
        ComposeCommand::Ps => context.format.print(&service::of_plan(&client()?, &plan).await?, list_table),
        ComposeCommand::Logs(args) => service::log(&client()?, &args).await,
        ComposeCommand::Down { yes } => down(context, &client()?, &plan, yes).await,
    }
}

async fn down(context: &Context, client: &Client, plan: &Plan, yes: bool) -> Result<()> {
    let running = service::of_plan(client, plan).await?.services;
    let names: Vec<&str> = running.iter().map(|service| service.name.as_str()).collect();
    if names.is_empty() {
        context.say("none of its services runs");
        return Ok(());
    }
    confirm(&format!("end {} on all nodes; what they wrote is lost?", names.join(", ")), yes)?;
    for name in names {
        client.remove_service(&ServiceRef { name: name.to_owned(), owner: None }).await?;
        context.say(format!("{name} is ending"));
    }
    Ok(())
}

fn usual_file() -> Result<PathBuf> {
    let found = NAMES.iter().map(PathBuf::from).find(|path| path.exists());
    found.ok_or_else(|| {
        let what = format!("this folder has none of {}", NAMES.join(", "));
        Fail::new(Exit::NotFound, what).next("name one with --file").into()
    })
}

async fn read(context: &Context, path: &Path, profiles: &[String]) -> Result<Plan> {
    let mut named = service::read_text(path)?;
    // Whatever it looks like: the command says what it is.
    named.kind = Some(opensky_servicefile::Kind::Compose);
    match service::read_import(context, &named, profiles).await? {
        Work::Services(plan) => Ok(plan),
        Work::Job(_) => Err(Fail::new(Exit::Invalid, format!("{} has no services", path.display())).into()),
    }
}
