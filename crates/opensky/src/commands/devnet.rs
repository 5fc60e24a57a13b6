//! `opensky devnet`: a sky of several nodes on this machine, each a process with its own key, ports
//! and folder. Chaos included.

mod nodes;
mod throttle;

use crate::{
    commands::Context,
    fail::{Exit, Fail},
    founding::Economy,
    output::table,
};
use anyhow::Result;
use clap::{Args, Subcommand};
use opensky_client::data_dir_default;
use std::{path::PathBuf, time::Duration};

pub use nodes::{Devnet, first_node};
pub use throttle::{ThrottleArgs, throttle};

/// How often a devnet in the foreground looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(500);

/// Run a sky of several nodes on this machine
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  opensky devnet 4               four nodes, until ctrl-c
  opensky devnet 4 --detach      in the background, until `opensky devnet down`
  opensky devnet 4 --economy paid            a new sky in which work has a price
  opensky run job.toml           uses the first node, if no other node runs here
  opensky devnet kill node3      like a power cut; `devnet start node3` brings it back
  opensky devnet stop node3      freezes it (SIGSTOP); `devnet continue node3` goes on
  opensky devnet slow node3 --percent 90"
)]
pub struct DevnetArgs {
    /// How many nodes
    #[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
    count: Option<u16>,
    /// Run in the background
    #[arg(long)]
    detach: bool,
    /// Whether work has a price; fixed when the sky is founded
    #[arg(long, value_enum, value_name = "KIND")]
    economy: Option<Economy>,
    #[command(flatten)]
    folder: FolderArg,
    #[command(subcommand)]
    command: Option<DevnetCommand>,
}

/// Which devnet
#[derive(Debug, Clone, Default, Args)]
pub struct FolderArg {
    /// The devnet's folder [default: devnet, beside the node's data folder]
    #[arg(long, value_name = "DIR", env = "OPENSKY_DEVNET_DIR", global = true)]
    dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum DevnetCommand {
    /// List the nodes
    List,
    /// Kill a node at once (SIGKILL)
    Kill {
        /// Its name, such as node3
        #[arg(value_parser = name)]
        node: String,
    },
    /// Freeze a node (SIGSTOP)
    Stop {
        /// Its name
        #[arg(value_parser = name)]
        node: String,
    },
    /// Let a frozen or slow node go on
    Continue {
        /// Its name
        #[arg(value_parser = name)]
        node: String,
    },
    /// Make a node slow, by freezing it most of the time
    Slow {
        /// Its name
        #[arg(value_parser = name)]
        node: String,
        /// Share of the time that it is frozen
        #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=99))]
        percent: u8,
    },
    /// Start a node that was killed
    Start {
        /// Its name
        #[arg(value_parser = name)]
        node: String,
    },
    /// Stop all nodes
    Down {
        /// Remove their folders too
        #[arg(long)]
        remove: bool,
    },
}

/// Where the devnet lives if nobody says.
pub fn folder_default() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("OPENSKY_DEVNET_DIR") {
        return Ok(dir.into());
    }
    Ok(data_dir_default()?.with_file_name("opensky-devnet"))
}

pub async fn run(context: &Context, args: DevnetArgs) -> Result<()> {
    let folder = args.folder.dir.map_or_else(folder_default, Ok)?;
    match (args.count, args.command) {
        (Some(count), None) => up(context, folder, (count, args.economy), args.detach).await,
        (_, Some(command)) => {
            let devnet = Devnet::open(&folder)?.ok_or_else(|| {
                Fail::new(Exit::NotFound, format!("there is no devnet in {}", folder.display()))
                    .next("start one with `opensky devnet 4`")
            })?;
            command_on(context, devnet, command).await
        }
        (None, None) => unreachable!("clap asks for one of the two"),
    }
}

async fn up(
    context: &Context,
    folder: PathBuf,
    (count, economy): (u16, Option<Economy>),
    detach: bool,
) -> Result<()> {
    let mut devnet = Devnet::start(context, &folder, count, economy).await?;
    show(context, &devnet)?;
    context.say(format!("\n{count} nodes see each other. Try:"));
    context.say(
        "  opensky run examples/jobs/word-frequency.toml\n  opensky dashboard\n  opensky devnet kill node2\n  \
         opensky devnet list",
    );
    if detach {
        context.say("`opensky devnet down` stops them.");
        return Ok(());
    }
    context.say("ctrl-c stops them.");
    tokio::select! {
        asked = tokio::signal::ctrl_c() => asked?,
        ended = all_ended(&devnet) => ended?,
    }
    devnet.stop_all().await?;
    context.say("stopped");
    Ok(())
}

/// Waits until no node is left, as after `opensky devnet down` elsewhere.
async fn all_ended(devnet: &Devnet) -> Result<()> {
    while devnet.list()?.iter().any(|node| node.pid.is_some()) {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// A node by its name or its number.
fn name(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.parse::<u16>().map_or_else(|_| text.to_owned(), |number| format!("node{number}")))
}

async fn command_on(context: &Context, mut devnet: Devnet, command: DevnetCommand) -> Result<()> {
    use rustix::process::Signal;
    match command {
        DevnetCommand::List => {}
        DevnetCommand::Kill { node } => devnet.signal(&node, Signal::KILL)?,
        DevnetCommand::Stop { node } => devnet.signal(&node, Signal::STOP)?,
        DevnetCommand::Continue { node } => {
            devnet.end_throttle(&node)?;
            devnet.signal(&node, Signal::CONT)?;
        }
        DevnetCommand::Slow { node, percent } => devnet.slow(&node, percent)?,
        DevnetCommand::Start { node } => devnet.restart(&node).await?,
        DevnetCommand::Down { remove } => {
            devnet.stop_all().await?;
            if remove {
                devnet.remove()?;
            }
            context.say("stopped");
            return Ok(());
        }
    }
    show(context, &devnet)
}

fn show(context: &Context, devnet: &Devnet) -> Result<()> {
    let nodes = devnet.list()?;
    context.format.print(&nodes, |nodes| {
        let rows = nodes.iter().map(|node| {
            let pid = node.pid.map_or("-".into(), |pid| pid.to_string());
            let folder = node.data_dir.display().to_string();
            vec![node.name.clone(), node.state.to_owned(), pid, node.node.clone(), folder]
        });
        table(&["NAME", "STATE", "PROCESS", "NODE", "DATA FOLDER"], rows)
    })
}
