//! `opensky up`, `opensky down`

use crate::{
    commands::{Context, doctor},
    compose::{self, sky_name},
    config::Config,
    fail::{Exit, Fail},
    founding::{Entry, NewSky},
    passphrase::KeyArgs,
};
use anyhow::{Context as _, Result};
use clap::Args;
use opensky_client::Client;
use opensky_identity::{Layout, RunningNode};
use opensky_node::End;
use opensky_types::membership::InviteToken;
use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long a node may take to start or stop.
pub const START_TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(25);

/// Start this machine's node
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  opensky up                                a new sky, or the one this node belongs to
  opensky up --join sky1…                   join by the token of `opensky invite`
  opensky up --lan                          join the sky next door (`opensky invite --lan` there)
  opensky up --detach --passphrase-file p   in the background
  opensky up --economy paid                 a new sky in which work has a price

Without a key yet, one is made and locked with a passphrase: typed, from $OPENSKY_PASSPHRASE or
from --passphrase-file; with --unencrypted-key it is not locked.")]
pub struct UpArgs {
    /// Join the sky of this invite
    #[arg(long, value_name = "TOKEN")]
    pub join: Option<InviteToken>,
    /// Join a sky on the local network whose door is open
    #[arg(long, conflicts_with = "join")]
    pub lan: bool,
    /// Run in the background; returns once the node is ready
    #[arg(long)]
    pub detach: bool,
    /// The data folder was moved here and is the only one of its kind
    #[arg(long)]
    pub moved: bool,
    #[command(flatten)]
    pub key: KeyArgs,
    #[command(flatten)]
    pub new: NewSky,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// Settings as flags; each wins over its environment variable and the configuration file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings (see `opensky config show`)")]
pub struct SettingFlags {
    /// UDP and TCP port for other nodes; 0 takes a free one and keeps it
    #[arg(long, value_name = "PORT")]
    pub listen: Option<String>,
    /// Address of the local API, on loopback
    #[arg(long, value_name = "ADDRESS")]
    pub api: Option<String>,
    /// Address and port of the API for other machines, such as 0.0.0.0:4720
    #[arg(long, value_name = "ADDRESS")]
    pub remote: Option<String>,
    /// File with the certificate for them, in PEM; or self-signed
    #[arg(long, value_name = "FILE")]
    pub remote_certificate: Option<String>,
    /// File with the certificate's key, in PEM
    #[arg(long, value_name = "FILE")]
    pub remote_key: Option<String>,
    /// Names under which other machines reach the API, with commas
    #[arg(long, value_name = "NAMES")]
    pub remote_names: Option<String>,
    /// Meet other machines without TLS: only where the way is safe already
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub remote_insecure: Option<String>,
    /// A name for people
    #[arg(long)]
    pub name: Option<String>,
    /// Where the machine is: asia, europe, …
    #[arg(long)]
    pub region: Option<String>,
    /// What the node is meant for, with commas: general, wasm, ai, …
    #[arg(long = "kind", value_name = "KINDS")]
    pub kinds: Option<String>,
    /// Listen on this machine only
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub loopback_only: Option<String>,
    /// Find and be found on the local network
    #[arg(long, value_name = "BOOL")]
    pub mdns: Option<String>,
    /// Most disk for programs, inputs and outputs
    #[arg(long, value_name = "SIZE")]
    pub blob_cap: Option<String>,
    /// Let whoever decides on validators make this node one
    #[arg(long, value_name = "BOOL")]
    pub validate: Option<String>,
    /// TCP port for other validators, if this node is one; 0 takes a free one and keeps it
    #[arg(long, value_name = "PORT")]
    pub validator_listen: Option<String>,
    /// Where other validators reach this one, as host:port
    #[arg(long, value_name = "ADDRESS")]
    pub validator_address: Option<String>,
    /// What is logged
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
}

impl SettingFlags {
    fn given(&self) -> BTreeMap<&'static str, String> {
        let all = [
            ("listen", &self.listen),
            ("api", &self.api),
            ("remote", &self.remote),
            ("remote_certificate", &self.remote_certificate),
            ("remote_key", &self.remote_key),
            ("remote_names", &self.remote_names),
            ("remote_insecure", &self.remote_insecure),
            ("name", &self.name),
            ("region", &self.region),
            ("kinds", &self.kinds),
            ("loopback_only", &self.loopback_only),
            ("mdns", &self.mdns),
            ("blob_cap", &self.blob_cap),
            ("validate", &self.validate),
            ("validator_listen", &self.validator_listen),
            ("validator_address", &self.validator_address),
            ("log", &self.log),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

pub async fn run(context: &Context, args: UpArgs) -> Result<ExitCode> {
    let data_dir = context.own_data_dir()?;
    if args.detach {
        return detach(context, &data_dir, &args).await;
    }
    let config = Config::load(&data_dir, &args.settings.given())?;
    let start = compose::Start {
        data_dir: &data_dir,
        key: &args.key,
        entry: Entry { token: args.join.clone(), lan: args.lan, new: args.new.clone() },
        moved: args.moved,
        verbose: context.verbose,
    };
    let opened = compose::open(&config, start)?;
    // From here on: nobody is asked for a passphrase any more, and others may see that the node runs.
    let mut stops = Stops::listen()?;
    let running = tokio::select! {
        running = compose::start(&config, opened) => running?,
        () = stops.next() => return Err(Fail::new(Exit::Interrupted, "interrupted").into()),
    };
    let client = Client::from_data_dir(&data_dir)?;
    greet(context, &client).await?;
    context.say("\nctrl-c stops the node.");
    match running.until(stops.next()).await? {
        End::Asked => {
            context.say("stopped; own jobs go on at the next start");
            Ok(ExitCode::SUCCESS)
        }
        End::Twin => {
            Err(Fail::new(Exit::Failed, "another process runs with this node's key, so this one stopped")
                .next("give one of the two a key of its own: opensky identity rotate-keys --fresh")
                .into())
        }
    }
}

/// The signals that ask a node to end. One that comes before it is waited for is not lost.
struct Stops {
    interrupt: Signal,
    terminate: Signal,
}

impl Stops {
    fn listen() -> Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Who this is, where it is, whether it is well, and what can be done next.
async fn greet(context: &Context, client: &Client) -> Result<()> {
    let status = client.status().await?;
    context.say(format!("OpenSky {} is up: {} ({})", status.version, status.node, status.name));
    context.say(format!("  sky          {}", sky_name(&status.sky.name, status.sky.sky)));
    context.say(format!("  data folder  {}", status.data_dir));
    context.say(format!("  API          {}", client.base_url()));
    for address in &status.network.listening {
        context.say(format!("  listens at   {address}"));
    }
    let report = client.doctor().await?;
    context.say(format!("  doctor       {}", summary(&report.checks)));
    for check in report.checks.iter().filter(|check| check.standing > opensky_api::doctor::Standing::Skipped)
    {
        let one = opensky_api::doctor::DoctorReport { checks: vec![check.clone()] };
        context.say(format!("    {}", doctor::show(&one).trim_end().replace('\n', "\n    ")));
    }
    context.say("\nNext:");
    context.say("  opensky run program.wasm -- args   run something");
    context.say("  opensky invite                     let another machine join");
    context.say("  opensky dashboard                  see it all in a browser");
    context.say("  opensky status | peers | offers    look around");
    Ok(())
}

fn summary(checks: &[opensky_api::doctor::Check]) -> String {
    use opensky_api::doctor::Standing;
    let count = |standing| checks.iter().filter(|check| check.standing == standing).count();
    format!(
        "{} ok, {} warnings, {} broken, {} not checked",
        count(Standing::Ok),
        count(Standing::Warning),
        count(Standing::Broken),
        count(Standing::Skipped)
    )
}

async fn detach(context: &Context, data_dir: &Path, args: &UpArgs) -> Result<ExitCode> {
    let mut given = std::env::args_os().skip(1).filter(|arg| arg != "--detach").collect::<Vec<_>>();
    given.retain(|arg| !["--verbose", "-v", "--quiet", "-q"].iter().any(|talk| arg == talk));
    given.push("--quiet".into());
    refuse_if_running(data_dir)?;
    let needs_prompt = !args.key.unencrypted_key
        && args.key.passphrase_file.is_none()
        && std::env::var_os(crate::passphrase::VARIABLE).is_none();
    let layout = Layout::new(data_dir);
    let locked = !layout.key().exists() || opensky_identity::KeyFile::load(&layout.key())?.is_encrypted();
    if needs_prompt && locked {
        return Err(Fail::new(Exit::Invalid, "a node in the background cannot ask for its passphrase")
            .next("set OPENSKY_PASSPHRASE, use --passphrase-file FILE, or --unencrypted-key for a new key")
            .into());
    }
    let mut child = spawn(data_dir, &given)?;
    let client = wait_ready(data_dir, &mut child).await?;
    greet(context, &client).await?;
    context.say("\n`opensky down` stops the node, `opensky logs` shows what it does.");
    Ok(ExitCode::SUCCESS)
}

fn refuse_if_running(data_dir: &Path) -> Result<()> {
    match RunningNode::find(&Layout::new(data_dir))? {
        Some(running) => Err(Fail::new(
            Exit::Failed,
            format!("a node is already running for {} (process {})", data_dir.display(), running.pid),
        )
        .next("look at it with `opensky status`, or stop it with `opensky down`")
        .into()),
        None => Ok(()),
    }
}

/// Where a node in the background writes what it would say to its terminal.
fn console(data_dir: &Path) -> PathBuf {
    Layout::new(data_dir).logs().join("console.log")
}

/// Starts this program in the background, out of reach of this terminal's ctrl-c.
pub fn spawn(data_dir: &Path, args: &[std::ffi::OsString]) -> Result<Child> {
    let path = console(data_dir);
    let folder = path.parent().unwrap_or(data_dir);
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // The node itself insists on a folder that nobody else can look into.
    std::fs::set_permissions(data_dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let log = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    Ok(child)
}

/// Waits until the node in the background answers.
pub async fn wait_ready(data_dir: &Path, child: &mut Child) -> Result<Client> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        if let Some(status) = child.try_wait()? {
            let said = std::fs::read_to_string(console(data_dir)).unwrap_or_default();
            let said = said.trim().trim_start_matches("error: ");
            let exit = if status.code() == Some(Exit::Invalid as i32) { Exit::Invalid } else { Exit::Failed };
            return Err(Fail::new(exit, format!("the node did not start: {said}")).into());
        }
        let mine =
            RunningNode::find(&Layout::new(data_dir))?.is_some_and(|running| running.pid == child.id());
        if mine
            && let Ok(client) = Client::from_data_dir(data_dir)
            && client.status().await.is_ok()
        {
            return Ok(client);
        }
        if Instant::now() > deadline {
            let what = format!("the node is not ready after {} s", START_TIMEOUT.as_secs());
            return Err(Fail::new(Exit::Failed, what)
                .next(format!("see {} and `opensky logs`", console(data_dir).display()))
                .into());
        }
        tokio::time::sleep(POLL).await;
    }
}

pub async fn down(context: &Context) -> Result<()> {
    let data_dir = context.own_data_dir()?;
    stop(&data_dir).await?;
    context.say("stopped; own jobs go on at the next start");
    Ok(())
}

/// Stops the node of a folder and waits until it is gone.
pub async fn stop(data_dir: &Path) -> Result<()> {
    let running = RunningNode::find(&Layout::new(data_dir))?;
    Client::from_data_dir(data_dir)?.stop().await?;
    let deadline = Instant::now() + START_TIMEOUT;
    // Its file is gone before its process, which has the folder until then.
    while running.as_ref().is_some_and(RunningNode::is_alive) {
        if Instant::now() > deadline {
            let what = format!("the node still runs after {} s", START_TIMEOUT.as_secs());
            return Err(Fail::new(Exit::Failed, what)
                .next("see `opensky logs`; its work is safe: it may be killed")
                .into());
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
