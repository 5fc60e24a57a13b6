//! One file per command.

pub mod apply;
pub mod completions;
pub mod compose;
pub mod config;
pub mod dashboard;
pub mod demo;
pub mod devnet;
pub mod doctor;
pub mod identity;
pub mod image;
pub mod invite;
pub mod job;
pub mod jobs;
pub mod keys;
pub mod ledger;
pub mod limits;
pub mod logs;
pub mod monitor;
pub mod new;
pub mod node;
pub mod run;
pub mod service;
pub mod sky;
pub mod status;
pub mod up;
pub mod validator;
pub mod verify;
pub mod wallet;
pub mod why;

use crate::{
    cli::{Cli, Command, Global},
    fail::{Exit, Fail},
    output::Format,
};
use anyhow::Result;
use opensky_client::{Client, Fingerprint, Trust, data_dir_default};
use std::{path::PathBuf, process::ExitCode};

/// Runs a command.
pub async fn run(cli: Cli) -> Result<ExitCode> {
    let context = Context::new(cli.global);
    match cli.command {
        Command::Up(args) => return up::run(&context, *args).await,
        Command::Run(args) => return run::run(&context, args).await,
        Command::Doctor => return doctor::run(&context).await,
        Command::Jobs(command) => return jobs::run(&context, command).await,
        Command::Down => up::down(&context).await?,
        Command::Dashboard(args) => dashboard::run(&context, args).await?,
        Command::Status => status::run(&context).await?,
        Command::Monitor(args) => monitor::run(&context, args).await?,
        Command::Node(command) => node::run(&context, command).await?,
        Command::Peers => sky::peers(&context).await?,
        Command::Offers => sky::offers(&context).await?,
        Command::Clusters => sky::clusters(&context).await?,
        Command::Invite(args) => invite::run(&context, args).await?,
        Command::Identity(command) => identity::run(&context, command)?,
        Command::Limits(command) => limits::run(&context, command).await?,
        Command::Config(command) => config::run(&context, command).await?,
        Command::Logs(args) => logs::run(&context, args).await?,
        Command::New(args) => new::run(&context, &args)?,
        Command::Image(command) => image::run(&context, command).await?,
        Command::Service(command) => service::run(&context, command).await?,
        Command::Compose(args) => compose::run(&context, args).await?,
        Command::Apply(args) => apply::run(&context, args).await?,
        Command::Keys(command) => keys::run(&context, command).await?,
        Command::Job(command) => job::run(&context, command)?,
        Command::Why(args) => why::run(&context, args).await?,
        Command::Verify(args) => verify::run(&context, args).await?,
        Command::Wallet(command) => wallet::run(&context, command).await?,
        Command::Ledger(command) => ledger::run(&context, command).await?,
        Command::Validator(command) => validator::run(&context, command).await?,
        Command::Devnet(args) => devnet::run(&context, args).await?,
        Command::Demo(args) => demo::run(&context, args).await?,
        Command::Completions(args) => completions::run(&args)?,
        Command::Throttle(args) => devnet::throttle(&args)?,
        Command::Worker => return Ok(opensky_executor_wasm::worker::main()),
    }
    Ok(ExitCode::SUCCESS)
}

/// A node on another machine.
struct Elsewhere {
    url: String,
    token_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    fingerprint: Option<Fingerprint>,
}

impl Elsewhere {
    fn client(&self) -> Result<Client> {
        let read = |path: &PathBuf| {
            std::fs::read(path)
                .map_err(|error| Fail::new(Exit::Failed, format!("cannot read {}: {error}", path.display())))
        };
        let token = match (&self.token_file, std::env::var("OPENSKY_API_TOKEN")) {
            (Some(path), _) => String::from_utf8_lossy(&read(path)?).into_owned(),
            (None, Ok(token)) => token,
            (None, Err(_)) => {
                let fail = Fail::new(Exit::Invalid, format!("there is no token or key for {}", self.url));
                return Err(fail.next("name its file with --token-file, or set OPENSKY_API_TOKEN").into());
            }
        };
        let trust = match (self.fingerprint, &self.ca_file, std::env::var("OPENSKY_FINGERPRINT")) {
            (Some(fingerprint), ..) => Trust::Pinned(fingerprint),
            (None, Some(path), _) => Trust::Roots(read(path)?),
            (None, None, Ok(text)) => Trust::Pinned(
                text.parse()
                    .map_err(|problem| Fail::new(Exit::Invalid, format!("OPENSKY_FINGERPRINT: {problem}")))?,
            ),
            (None, None, Err(_)) => Trust::System,
        };
        Ok(Client::remote(&self.url, &token, &trust)?)
    }
}

/// What every command knows.
pub struct Context {
    data_dir: Option<PathBuf>,
    elsewhere: Option<Elsewhere>,
    /// How data is printed.
    pub format: Format,
    /// Whether to say more.
    pub verbose: bool,
    /// Whether to say nothing but errors.
    pub quiet: bool,
}

impl Context {
    fn new(global: Global) -> Self {
        let format = if global.json { Format::Json } else { global.output };
        let Global { url, token_file, ca_file, fingerprint, .. } = global;
        let elsewhere = url.map(|url| Elsewhere { url, token_file, ca_file, fingerprint });
        Self { data_dir: global.data_dir, elsewhere, format, verbose: global.verbose, quiet: global.quiet }
    }

    /// The data folder.
    pub fn data_dir(&self) -> Result<PathBuf> {
        Ok(self.data_dir.clone().map_or_else(data_dir_default, Ok)?)
    }

    /// The data folder, for what is about this machine's own node and no other.
    pub fn own_data_dir(&self) -> Result<PathBuf> {
        match &self.elsewhere {
            None => self.data_dir(),
            Some(Elsewhere { url, .. }) => {
                let what = format!("this command is about the node of this machine, not the one at {url}");
                Err(Fail::new(Exit::Invalid, what).next("leave out --url, and unset OPENSKY_URL").into())
            }
        }
    }

    /// Whether the commands are for a node on another machine.
    pub const fn is_elsewhere(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// A client of the node of the data folder. If none was named and none runs there, the first
    /// node of a running devnet is meant.
    pub fn client(&self) -> Result<Client> {
        if let Some(elsewhere) = &self.elsewhere {
            return elsewhere.client();
        }
        let named = self.data_dir.is_some() || std::env::var_os("OPENSKY_API_ADDRESS").is_some();
        let own = match &self.data_dir {
            Some(data_dir) => Client::from_data_dir(data_dir),
            None => Client::from_env(),
        };
        match own {
            Err(error) if !named => match devnet::first_node(&devnet::folder_default()?) {
                Some(data_dir) => {
                    self.say(format!("(using the devnet's first node, {})", data_dir.display()));
                    Ok(Client::from_data_dir(&data_dir)?)
                }
                None => Err(error.into()),
            },
            own => Ok(own?),
        }
    }

    /// Says something to the person at the terminal.
    pub fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            eprintln!("{}", crate::terminal::clean_lines(text.as_ref()));
        }
    }
}
