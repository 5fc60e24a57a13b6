//! A sky of real `opensky` processes for tests.
//!
//! What it is: [`Sky::start`] founds a sky, lets nodes join by invite, and waits until each offers
//! its slots to all. Processes end with the value. What it never does: know the inside of a node;
//! it has the command line, the API and signals, as any user has.

use anyhow::{Context, Result, bail};
use opensky_client::{Client, api::progress::StateView};
use opensky_types::{JobId, NodeId};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// Time between two looks at something that is waited for.
const LOOK: Duration = Duration::from_millis(50);
/// Looks before a wait counts as failed: two minutes, since test machines are slow and shared.
const LOOKS_MAX: u32 = 2_400;

/// The binary, which Cargo puts two folders above the test's own.
pub fn binary() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("a test lies in target/PROFILE/deps")?;
    let path = folder.join("opensky");
    if !path.exists() {
        bail!("{} is missing; build it first: cargo build -p opensky", path.display());
    }
    Ok(path)
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// One node process and its folder.
pub struct Node {
    /// Its data folder.
    pub folder: PathBuf,
    process: Option<Child>,
}

impl Node {
    /// Starts a node in `folder` and waits until its API answers.
    pub async fn start(folder: PathBuf, join: Option<&str>) -> Result<Self> {
        let join = join.map(|token| ["--join", token]);
        Self::start_with(folder, join.as_ref().map_or(&[], |join| &join[..])).await
    }

    /// The same with these further arguments of `up`.
    pub async fn start_with(folder: PathBuf, arguments: &[&str]) -> Result<Self> {
        let mut node = Self { folder, process: None };
        node.spawn_with(arguments)?;
        node.ready().await?;
        Ok(node)
    }

    /// Starts the process, again or for the first time.
    pub fn spawn(&mut self, join: Option<&str>) -> Result<()> {
        let join = join.map(|token| ["--join", token]);
        self.spawn_with(join.as_ref().map_or(&[], |join| &join[..]))
    }

    /// The same with these further arguments of `up`.
    pub fn spawn_with(&mut self, arguments: &[&str]) -> Result<()> {
        let mut command = self.command()?;
        command.args(["up", "--unencrypted-key"]).args(arguments);
        let log = std::fs::File::create(self.folder.with_extension("screen"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(command.spawn()?);
        Ok(())
    }

    /// A call of the binary for this node.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(binary()?);
        command.arg("--data-dir").arg(&self.folder);
        for (name, value) in
            [("LOOPBACK_ONLY", "true"), ("LISTEN", "0"), ("VALIDATOR_LISTEN", "0"), ("MDNS", "false")]
        {
            command.env(format!("OPENSKY_{name}"), value);
        }
        Ok(command)
    }

    /// Runs a command line to its end.
    pub fn call(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.command()?.args(arguments).stdin(Stdio::null()).output()?)
    }

    /// Runs a command line with `--json` and reads what it prints.
    pub fn json(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        let output = self.call(&[arguments, &["--json"]].concat())?;
        let screen = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "{arguments:?} failed: {screen}");
        serde_json::from_slice(&output.stdout).with_context(|| format!("{arguments:?} prints JSON"))
    }

    /// The client of its API.
    pub fn client(&self) -> Result<Client> {
        Ok(Client::from_data_dir(&self.folder)?)
    }

    /// Its id.
    pub async fn id(&self) -> Result<NodeId> {
        Ok(self.client()?.status().await?.node)
    }

    /// Waits until the API answers.
    pub async fn ready(&mut self) -> Result<()> {
        for _ in 0..LOOKS_MAX {
            if let Ok(client) = self.client()
                && client.status().await.is_ok()
            {
                return Ok(());
            }
            if let Some(process) = &mut self.process
                && let Some(status) = process.try_wait()?
            {
                let screen = std::fs::read_to_string(self.folder.with_extension("screen"))?;
                bail!("the node ended with {status}: {screen}");
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("the node's API did not answer")
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process.as_ref().context("the node runs")?;
        let id = Pid::from_raw(i32::try_from(process.id())?).context("a process has an id")?;
        Ok(kill_process(id, signal)?)
    }

    /// Ends the process at once, as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        if let Some(mut process) = self.process.take() {
            process.wait()?;
        }
        Ok(())
    }

    /// Asks the process to end and waits for it.
    pub fn interrupt(&mut self) -> Result<std::process::ExitStatus> {
        self.signal(Signal::INT)?;
        let mut process = self.process.take().context("the node runs")?;
        Ok(process.wait()?)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // A process that has ended already is what is wanted.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Several nodes of one sky.
pub struct Sky {
    /// The nodes; the first one founded the sky.
    pub nodes: Vec<Node>,
    folder: TempDir,
}

impl Sky {
    /// Starts `count` nodes and waits until they know each other.
    pub async fn start(count: usize) -> Result<Self> {
        Self::start_with(count, &[]).await
    }

    /// The same, founded with these further arguments of `up`.
    pub async fn start_with(count: usize, arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let founder = Node::start_with(folder.path().join("n1"), arguments).await?;
        let uses = count.to_string();
        let invite = founder.json(&["invite", "--uses", &uses])?;
        let token = invite["token"].as_str().context("an invite has a token")?.to_owned();
        let mut nodes = vec![founder];
        for number in 2..=count {
            nodes.push(Node::start(folder.path().join(format!("n{number}")), Some(&token)).await?);
        }
        let sky = Self { nodes, folder };
        sky.settle().await?;
        Ok(sky)
    }

    /// A folder that ends with the sky.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until every node knows every other one's offer with free slots.
    pub async fn settle(&self) -> Result<()> {
        for node in &self.nodes {
            let client = node.client()?;
            until("all offers to be known", async || {
                let offers = client.offers().await?.offers;
                Ok(offers.iter().filter(|offer| offer.slots_free > 0).count() >= self.nodes.len())
            })
            .await?;
        }
        Ok(())
    }
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    for _ in 0..LOOKS_MAX {
        if holds().await? {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("waited in vain for {what}")
}

/// Waits until at least `done` tasks of a job have their result.
pub async fn until_done(client: &Client, job: JobId, done: u32) -> Result<()> {
    until("tasks to be done", async || {
        let summary = client.job(job).await?.summary;
        anyhow::ensure!(!matches!(summary.state, StateView::Failed), "the job failed: {}", summary.reason);
        Ok(summary.tasks.done >= done)
    })
    .await
}
