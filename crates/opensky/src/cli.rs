//! The command line.

use crate::{commands, output::Format};
use clap::{Args, Parser, Subcommand};
use opensky_client::Fingerprint;
use std::path::PathBuf;

/// Turns machines into one cloud.
#[derive(Debug, Parser)]
#[command(
    name = "opensky",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Start here:
  opensky demo                        four nodes on this machine run two jobs
  opensky up                          make this machine a node of a new sky
  opensky up --join TOKEN             join the sky of a friend (`opensky invite` there)
  opensky run program.wasm -- args    run a WASI program somewhere on the sky
  opensky run job.toml                run a job

Exit codes:
  0 done   1 failed   2 wrong usage   3 no node is running here   4 the job failed or was cancelled
  5 not found   6 no node fits   7 invalid file, receipt or value   130 interrupted
  `opensky run PROGRAM` ends with the program's own code, or 125 if it could not be run"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The node's data folder [default: $XDG_DATA_HOME/opensky or ~/.local/share/opensky]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "OPENSKY_DATA_DIR",
        help_heading = "Global options"
    )]
    pub data_dir: Option<PathBuf>,
    /// Speak to a node on another machine, such as https://node.example.com:4720
    #[arg(long, global = true, value_name = "URL", env = "OPENSKY_URL", help_heading = "Global options")]
    pub url: Option<String>,
    /// File with the token or key for it [default: $OPENSKY_API_TOKEN]
    #[arg(long, global = true, value_name = "FILE", requires = "url", help_heading = "Global options")]
    pub token_file: Option<PathBuf>,
    /// File with the certificates that its own must lead to, in PEM [default: the system's]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        requires = "url",
        conflicts_with = "fingerprint",
        help_heading = "Global options"
    )]
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the one certificate that it may show (`opensky keys fingerprint` there)
    /// [default: $OPENSKY_FINGERPRINT]
    #[arg(long, global = true, value_name = "HEX", requires = "url", help_heading = "Global options")]
    pub fingerprint: Option<Fingerprint>,
    /// Print data as a table or as JSON
    #[arg(long, global = true, value_enum, default_value = "table", help_heading = "Global options")]
    pub output: Format,
    /// Short for --output json
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Say more on standard error
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = "Global options")]
    pub verbose: bool,
    /// Say nothing on standard error but errors
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start this machine's node
    Up(Box<commands::up::UpArgs>),
    /// Stop this machine's node
    Down,
    /// Open the dashboard in a browser
    Dashboard(commands::dashboard::DashboardArgs),
    /// Show how the node is doing
    Status,
    /// Watch the node, its jobs, services and peers in the terminal
    Monitor(commands::monitor::MonitorArgs),
    /// Look for what is wrong, and say what to do about it
    Doctor,
    /// Show the node and its machine
    #[command(subcommand)]
    Node(commands::node::NodeCommand),
    /// Show connected nodes: path and round trip
    Peers,
    /// Show what nodes offer
    Offers,
    /// Show the sky's clusters: nodes of one region with one capability
    Clusters,
    /// Make an invite to this sky
    Invite(commands::invite::InviteArgs),
    /// Show, back up, restore or replace the node's key
    #[command(subcommand)]
    Identity(commands::identity::IdentityCommand),
    /// Show or change what this machine shares
    #[command(subcommand)]
    Limits(commands::limits::LimitsCommand),
    /// Show or change the configuration
    #[command(subcommand)]
    Config(commands::config::ConfigCommand),
    /// Make, list and revoke keys of the API
    #[command(subcommand)]
    Keys(commands::keys::KeysCommand),
    /// Show the node's own log
    Logs(commands::logs::LogsArgs),
    /// Make a job that runs as it is, to begin your own with
    New(commands::new::NewArgs),
    /// Run a program, an image or a job file
    Run(commands::run::RunArgs),
    /// Keep programs up: on any nodes, whatever happens to one of them
    #[command(subcommand)]
    Service(commands::service::ServiceCommand),
    /// Run the services of a Compose file on the sky
    Compose(commands::compose::ComposeArgs),
    /// Make what runs be what files say
    Apply(commands::apply::ApplyArgs),
    /// Keep images on this node, for jobs that name them
    #[command(subcommand)]
    Image(commands::image::ImageCommand),
    /// Check job files
    #[command(subcommand)]
    Job(commands::job::JobCommand),
    /// List, follow and stop jobs
    #[command(subcommand)]
    Jobs(commands::jobs::JobsCommand),
    /// Explain placements, retries, rejections and waits
    Why(commands::why::WhyArgs),
    /// Check a receipt, offline
    Verify(commands::verify::VerifyArgs),
    /// Show balances and move money
    #[command(subcommand)]
    Wallet(commands::wallet::WalletCommand),
    /// Look at the sky's ledger, prove what it holds, check proofs
    #[command(subcommand)]
    Ledger(commands::ledger::LedgerCommand),
    /// Show who votes on blocks, or change it
    #[command(subcommand)]
    Validator(commands::validator::ValidatorCommand),
    /// Run a sky of several nodes on this machine
    Devnet(commands::devnet::DevnetArgs),
    /// Show it all: four nodes, two jobs
    Demo(commands::demo::DemoArgs),
    /// Print completions for a shell
    Completions(commands::completions::CompletionsArgs),
    /// A worker process of the node
    #[command(hide = true)]
    Worker,
    /// Slows a process down, for `devnet slow`
    #[command(hide = true)]
    Throttle(commands::devnet::ThrottleArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_read_as_documented() {
        for line in [
            "opensky up --detach --unencrypted-key --listen 0 --kind general,wasm",
            "opensky run a.wasm --on-peer 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN -- -x --json",
            "opensky run docker:python:3.13-slim --memory 1GiB --time 2h -- python3 -c x",
            "opensky new map-reduce folder",
            "opensky image push docker:python:3.13-slim --name python",
            "opensky image remove python --json",
            "opensky run job.toml --no-wait --json --verify quorum=2/3",
            "opensky dashboard --no-open",
            "opensky devnet 4",
            "opensky devnet 4 --detach --dir /tmp/x",
            "opensky devnet kill node3 --dir /tmp/x",
            "opensky devnet slow node3 --percent 90",
            "opensky identity rotate-keys --fresh --unencrypted-key",
            "opensky limits set --cpu 25 --memory 2GiB --hours 22:00-07:00",
            "opensky invite --uses 3 --expires 2d --lan",
            "opensky jobs logs 0123456789abcdef 0.17 --stderr -f",
            "opensky jobs show 0123456789abcdef --all",
            "opensky verify receipt.json",
            "opensky why 0123456789abcdef 0.3",
            "opensky keys create ci --role operator --expires 90d",
            "opensky keys revoke ci --json",
            "opensky keys create ci --role operator --spend-limit 2.5 --spend-per day",
            "opensky keys wallet add 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --role operator",
            "opensky keys wallet list --json",
            "opensky keys fingerprint",
            "opensky monitor",
            "opensky monitor --once --json",
            "opensky status --url https://node.example.com:4720 --token-file t --ca-file ca.pem",
            "opensky up --remote 0.0.0.0:4720 --remote-certificate self-signed --remote-names node.example.com",
            "opensky logs --follow",
            "opensky wallet balance",
            "opensky wallet balance 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN --json",
            "opensky wallet history --limit 10 --before 1024:3",
            "opensky wallet transfer 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN 1.5 --memo x --yes",
            "opensky wallet stake 1500000u --dry-run",
            "opensky wallet unstake 2 --yes --no-wait",
            "opensky wallet owner ask 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN --out o.json",
            "opensky wallet owner accept o.json --yes --unencrypted-key",
            "opensky wallet auto-transfer list",
            "opensky wallet auto-transfer remove 1",
            "opensky ledger info",
            "opensky ledger prove balance --out proof.bin",
            "opensky ledger prove key 0600 --out proof.bin",
            "opensky ledger export --from 1 --to 9 --out blocks.jsonl",
            "opensky validator list",
            "opensky validator add 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN --yes",
        ] {
            if let Err(error) = Cli::try_parse_from(line.split(' ')) {
                panic!("{line}: {error}");
            }
        }
    }
}
