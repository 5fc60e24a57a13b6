//! One node: a process in its network, on its disk.

use super::{disk::Disk, place::Place};
use crate::host;
use anyhow::{Context, Result, bail};
use opensky_client::{Client, ClientError, api::routes::NODE_FILE};
use opensky_identity::{DataFolder, KeyFile, Protection};
use opensky_types::NodeId;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, OpenOptions},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a start may take on a slow and busy machine.
const START_MAX: Duration = Duration::from_secs(90);
/// Between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(20);
/// How long one call may take.
const CALL_MAX: Duration = Duration::from_secs(10);

/// A node of the rig.
#[derive(Debug)]
pub struct Node {
    /// `n1`, `n2`, …
    pub name: String,
    /// Who it is.
    pub id: NodeId,
    /// Its network.
    pub place: Place,
    /// Its address there.
    pub address: Ipv4Addr,
    /// Its data folder.
    pub folder: PathBuf,
    /// Its disk, where the rig may make some.
    pub disk: Option<Disk>,
    log: PathBuf,
    process: Option<Child>,
    environment: Vec<(String, String)>,
}

impl Node {
    /// Makes its disk and its key in `home`, and starts nothing yet.
    pub fn make(home: &Path, name: &str, place: Place, address: Ipv4Addr, own_disk: bool) -> Result<Self> {
        let mount = home.join(name);
        fs::create_dir_all(&mount)?;
        let disk = own_disk.then(|| Disk::make(&home.join(format!("{name}.img")), &mount)).transpose()?;
        let folder = mount.join("data");
        let data = DataFolder::open(&folder)?;
        let key = opensky_identity::generate();
        let id = KeyFile::create(&data.layout().key(), &key, Protection::None)?.id();
        drop(data);
        let log = home.join(format!("{name}.log"));
        Ok(Self {
            name: name.to_owned(),
            id,
            place,
            address,
            folder,
            disk,
            log,
            process: None,
            environment: Vec::new(),
        })
    }

    /// Starts the process, with these further arguments of `up`, and returns how long it took until its
    /// API answered.
    pub fn start(&mut self, arguments: &[&str]) -> Result<Duration> {
        let begun = Instant::now();
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = self.place.command(host::opensky()?);
        command.arg("--data-dir").arg(&self.folder).arg("--quiet");
        command.args([
            "up",
            "--unencrypted-key",
            "--validate",
            "true",
            "--mdns",
            "false",
            "--name",
            &self.name,
        ]);
        command.env("OPENSKY_VALIDATOR_ADDRESS", format!("{}:4711", self.address));
        command.env("OPENSKY_CONTAINERS", "false").envs(self.environment.iter().cloned());
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // What an earlier process said of itself is out of date.
        let _ = fs::remove_file(self.folder.join(NODE_FILE));
        self.process = Some(command.spawn()?);
        self.until_ready(begun)?;
        Ok(begun.elapsed())
    }

    /// Variables of the process from the next start on.
    pub fn set_environment(&mut self, variables: Vec<(String, String)>) {
        self.environment = variables;
    }

    fn until_ready(&mut self, begun: Instant) -> Result<()> {
        while begun.elapsed() < START_MAX {
            if self.call(async |client| client.status().await).is_ok() {
                return Ok(());
            }
            if self.has_ended()? {
                bail!("{} ended at its start: {}", self.name, self.last_words());
            }
            thread::sleep(LOOK);
        }
        bail!("{} did not answer within {} s: {}", self.name, START_MAX.as_secs(), self.last_words())
    }

    /// Whether its process has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        match &mut self.process {
            Some(process) => Ok(process.try_wait()?.is_some()),
            None => Ok(true),
        }
    }

    /// The last lines that it wrote.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(4)..].join(" | ")
    }

    /// Copies its own log to where it stays when its disk is gone.
    pub fn keep_log(&self) {
        // A node whose disk is broken has none to copy, and its screen says why.
        let _ = fs::copy(self.folder.join("logs/node.log"), self.log.with_extension("node.log"));
    }

    /// Its process.
    pub fn pid(&self) -> Result<Pid> {
        let process = self.process.as_ref().with_context(|| format!("{} does not run", self.name))?;
        Pid::from_raw(i32::try_from(process.id())?).context("a process has an id")
    }

    /// Sends its process a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.pid()?, signal).with_context(|| format!("signalling {}", self.name))
    }

    /// Ends its process at once and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// Asks its API something, from within its network.
    pub fn call<T: Send>(&self, ask: impl AsyncFnOnce(Client) -> Result<T, ClientError> + Send) -> Result<T> {
        self.place.within(|| {
            let client = Client::from_data_dir(&self.folder)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let answer = runtime.block_on(async { tokio::time::timeout(CALL_MAX, ask(client)).await });
            Ok(answer.with_context(|| format!("{} does not answer", self.name))??)
        })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A process that has ended already is what is wanted.
        let _ = self.kill();
    }
}
