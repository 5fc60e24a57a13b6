//! The nodes of a devnet: processes and folders. What is true is read from the folders each time, so
//! that nothing is wrong after a crash.

use crate::{
    commands::{Context, up},
    fail::{Exit, Fail},
    founding::Economy,
};
use anyhow::{Context as _, Result};
use opensky_api::membership::InviteRequest;
use opensky_client::Client;
use opensky_identity::{DataFolder, KeyFile, Layout, Protection, RunningNode};
use opensky_types::NodeId;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

/// How long nodes may take to find each other.
const MEET_TIMEOUT: Duration = Duration::from_secs(60);
/// Validators of a sky of at least as many nodes: one of them may fail.
const VALIDATORS: u16 = 4;
/// How long the kernel may take to end a process.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
/// The file that marks a folder as a devnet's, so that nothing else is ever removed.
const MARK: &str = "devnet";

/// A devnet's folder.
#[derive(Debug)]
pub struct Devnet {
    folder: PathBuf,
    /// Nodes that this process started; reaped when they end.
    children: Vec<Child>,
}

/// A node of a devnet.
#[derive(Debug, Clone, Serialize)]
pub struct DevnetNode {
    /// `node1`, `node2`, …
    pub name: String,
    /// `running`, `frozen`, `slow` or `stopped`.
    pub state: &'static str,
    /// Its process, while it has one.
    pub pid: Option<u32>,
    /// Its id, once it has a key.
    pub node: String,
    /// Its data folder.
    pub data_dir: PathBuf,
}

/// The data folder of a devnet's first running node.
pub fn first_node(folder: &Path) -> Option<PathBuf> {
    let devnet = Devnet::open(folder).ok()??;
    let nodes = devnet.list().ok()?;
    nodes.into_iter().find(|node| node.pid.is_some()).map(|node| node.data_dir)
}

impl Devnet {
    /// The devnet of a folder, if there is one.
    pub fn open(folder: &Path) -> Result<Option<Self>> {
        let there = folder
            .join(MARK)
            .try_exists()
            .with_context(|| format!("cannot look into {}", folder.display()))?;
        Ok(there.then(|| Self { folder: folder.to_owned(), children: Vec::new() }))
    }

    /// Starts `count` nodes and waits until all see each other. Nodes that are there already keep
    /// their keys and jobs.
    pub async fn start(
        context: &Context,
        folder: &Path,
        count: u16,
        economy: Option<Economy>,
    ) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut devnet = Self { folder: folder.to_owned(), children: Vec::new() };
        if let Some(node) = devnet.list()?.iter().find(|node| node.pid.is_some()) {
            let what = format!("a devnet runs already in {} ({})", folder.display(), node.name);
            return Err(Fail::new(Exit::Failed, what).next("stop it with `opensky devnet down`").into());
        }
        fs::write(folder.join(MARK), "the folder of `opensky devnet`\n")?;
        let started = tokio::select! {
            started = devnet.start_nodes(context, count, economy) => started,
            _ = tokio::signal::ctrl_c() => Err(Fail::new(Exit::Interrupted, "interrupted").into()),
        };
        if started.is_err() {
            // Half a sky helps nobody; the folders stay for a look at their logs.
            devnet.kill_all();
        }
        started.map(|()| devnet)
    }

    async fn start_nodes(&mut self, context: &Context, count: u16, economy: Option<Economy>) -> Result<()> {
        let validators = self.validators(count)?;
        if validators.is_empty() && economy.is_some() {
            let what = format!("the sky in {} is there already, as it was founded", self.folder.display());
            let next = "`opensky devnet down --remove` removes it, or name another folder with --dir";
            return Err(Fail::new(Exit::Invalid, what).next(next).into());
        }
        context.say(format!("starting {count} nodes in {}", self.folder.display()));
        let mut founding: Vec<OsString> = Vec::new();
        if !validators.is_empty() {
            let list = validators.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            founding.extend(["--validators", &list].map(OsString::from));
        }
        if let Some(economy) = economy {
            founding.extend(["--economy", economy.word()].map(OsString::from));
        }
        let founder = self.start_node("node1", None, founding).await?;
        let request = InviteRequest { uses_max: u32::from(count), ..InviteRequest::default() };
        let token = founder.invite(&request).await?.token;
        let mut clients = vec![founder];
        for number in 2..=count {
            clients.push(self.start_node(&format!("node{number}"), Some(&token), Vec::new()).await?);
        }
        meet(&clients).await
    }

    /// The nodes that validate at first: four of those that are new, so that one may fail, or the first
    /// alone in a smaller sky. None where the sky is there already.
    fn validators(&self, count: u16) -> Result<Vec<NodeId>> {
        let folder = |number: u16| self.folder.join(format!("node{number}"));
        if Layout::new(folder(1)).key().try_exists()? {
            return Ok(Vec::new());
        }
        let voting = if count < VALIDATORS { 1 } else { VALIDATORS };
        let made = (1..=voting).map(|number| {
            // Released at once: the node opens it again.
            let data = DataFolder::open(&folder(number))?;
            let path = data.layout().key();
            if path.try_exists()? {
                return Ok(KeyFile::load(&path)?.id());
            }
            Ok(KeyFile::create(&path, &opensky_identity::generate(), Protection::None)?.id())
        });
        made.collect()
    }

    async fn start_node(
        &mut self,
        name: &str,
        token: Option<&str>,
        founding: Vec<OsString>,
    ) -> Result<Client> {
        let data_dir = self.folder.join(name);
        let path = |flag: &str, value: &Path| [OsString::from(flag), value.as_os_str().to_owned()];
        let mut args: Vec<OsString> = path("--data-dir", &data_dir).into();
        let flags = [
            "--quiet",
            "up",
            "--unencrypted-key",
            "--loopback-only",
            "--listen",
            "0",
            "--api",
            "127.0.0.1:0",
            "--validator-listen",
            "0",
            "--validate",
            "true",
            "--name",
            name,
        ];
        args.extend(flags.map(OsString::from));
        if let Some(token) = token {
            args.extend(["--join", token].map(OsString::from));
        }
        args.extend(founding);
        // Counted from its first moment, so that it ends with the others whatever comes.
        self.children.push(up::spawn(&data_dir, &args)?);
        let child = self.children.last_mut().expect("just pushed");
        up::wait_ready(&data_dir, child).await.with_context(|| format!("{name} did not start"))
    }

    /// Starts one node again.
    pub async fn restart(&mut self, name: &str) -> Result<()> {
        let node = self.node(name)?;
        if node.pid.is_some() {
            return Err(Fail::new(Exit::Failed, format!("{name} is running")).into());
        }
        self.start_node(name, None, Vec::new()).await.map(drop)
    }

    /// The nodes, in order of name.
    pub fn list(&self) -> Result<Vec<DevnetNode>> {
        let mut nodes = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Some(number) = name.strip_prefix("node").and_then(|number| number.parse::<u16>().ok()) else {
                continue;
            };
            let data_dir = self.folder.join(&name);
            let layout = Layout::new(&data_dir);
            let pid = RunningNode::find(&layout)?.map(|running| running.pid);
            let id = KeyFile::load(&layout.key()).map(|key| key.id().to_string());
            let state = match pid {
                None => "stopped",
                Some(_) if self.throttle_pid(&name).is_some() => "slow",
                Some(pid) if is_frozen(pid) => "frozen",
                Some(_) => "running",
            };
            nodes.push((
                number,
                DevnetNode { name, state, pid, node: id.unwrap_or_else(|_| "-".into()), data_dir },
            ));
        }
        nodes.sort_by_key(|(number, _)| *number);
        Ok(nodes.into_iter().map(|(_, node)| node).collect())
    }

    fn node(&self, name: &str) -> Result<DevnetNode> {
        let nodes = self.list()?;
        let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        let missing = || {
            Fail::new(Exit::NotFound, format!("the devnet has no {name}"))
                .next(format!("it has: {}", names.join(", ")))
        };
        Ok(nodes.iter().find(|node| node.name == name).cloned().ok_or_else(missing)?)
    }

    fn running(&self, name: &str) -> Result<Pid> {
        let node = self.node(name)?;
        let pid = node.pid.and_then(|pid| Pid::from_raw(pid as i32));
        pid.ok_or_else(|| {
            Fail::new(Exit::Failed, format!("{name} is not running"))
                .next(format!("start it with `opensky devnet start {name}`"))
                .into()
        })
    }

    /// Sends a signal to a node.
    pub fn signal(&mut self, name: &str, signal: Signal) -> Result<()> {
        let pid = self.running(name)?;
        if signal == Signal::KILL {
            self.end_throttle(name)?;
        }
        kill_process(pid, signal).with_context(|| format!("cannot signal {name}"))?;
        if signal != Signal::KILL {
            return Ok(());
        }
        let killed = pid.as_raw_nonzero().get() as u32;
        for child in self.children.iter_mut().filter(|child| child.id() == killed) {
            child.wait()?;
        }
        self.children.retain(|child| child.id() != killed);
        let deadline = Instant::now() + KILL_TIMEOUT;
        while self.node(name)?.pid == Some(killed) {
            if Instant::now() > deadline {
                return Err(Fail::new(Exit::Failed, format!("{name} does not die")).into());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Slows a node down by a helper process, which ends with the node.
    pub fn slow(&self, name: &str, percent: u8) -> Result<()> {
        let pid = self.running(name)?;
        self.end_throttle(name)?;
        let program = std::env::current_exe()?;
        let helper =
            std::os::unix::process::CommandExt::process_group(&mut std::process::Command::new(program), 0)
                .args(["throttle", &pid.as_raw_nonzero().to_string(), &percent.to_string()])
                .stdin(std::process::Stdio::null())
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()?;
        fs::write(self.throttle_file(name), helper.id().to_string())?;
        Ok(())
    }

    /// Ends the helper that slows a node down, if there is one.
    pub fn end_throttle(&self, name: &str) -> Result<()> {
        if let Some(pid) = self.throttle_pid(name) {
            kill_process(pid, Signal::KILL).context("cannot end the slowing process")?;
        }
        match fs::remove_file(self.throttle_file(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn throttle_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.throttle"))
    }

    /// The helper of a node, if it still runs and is one.
    fn throttle_pid(&self, name: &str) -> Option<Pid> {
        let pid: i32 = fs::read_to_string(self.throttle_file(name)).ok()?.trim().parse().ok()?;
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let is_helper = command.split(|byte| *byte == 0).nth(1) == Some(b"throttle");
        Pid::from_raw(pid).filter(|_| is_helper)
    }

    /// Stops every node, gracefully where it answers.
    pub async fn stop_all(&mut self) -> Result<()> {
        for node in self.list()? {
            // One may be left of a node that died by itself.
            self.end_throttle(&node.name)?;
            let Some(pid) = node.pid else { continue };
            if node.state != "running" {
                self.signal(&node.name, Signal::CONT)?;
            }
            let gone = |pid: u32| Pid::from_raw(pid as i32);
            if up::stop(&node.data_dir).await.is_err()
                && let Some(pid) = gone(pid)
            {
                kill_process(pid, Signal::KILL).with_context(|| format!("cannot stop {}", node.name))?;
            }
        }
        for mut child in self.children.drain(..) {
            child.wait()?;
        }
        Ok(())
    }

    fn kill_all(&mut self) {
        for mut child in self.children.drain(..) {
            // It may have ended by itself, which is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Removes the folder of a devnet that was stopped.
    pub fn remove(self) -> Result<()> {
        for node in self.list()? {
            fs::remove_dir_all(&node.data_dir)
                .with_context(|| format!("cannot remove {}", node.data_dir.display()))?;
        }
        fs::remove_file(self.folder.join(MARK))?;
        fs::remove_dir(&self.folder)
            .with_context(|| format!("{} holds something else", self.folder.display()))
    }
}

/// Waits until every node is connected to every other and knows all offers.
async fn meet(clients: &[Client]) -> Result<()> {
    let count = clients.len() as u32;
    let deadline = Instant::now() + MEET_TIMEOUT;
    for client in clients {
        loop {
            let status = client.status().await?;
            if status.network.peers + 1 >= count && status.offers >= count {
                break;
            }
            if Instant::now() > deadline {
                let what = format!(
                    "the nodes do not see each other after {} s: {} has {} of {} peers and knows {} of {count} offers",
                    MEET_TIMEOUT.as_secs(),
                    status.name,
                    status.network.peers,
                    count - 1,
                    status.offers
                );
                return Err(Fail::new(Exit::Failed, what)
                    .next("the logs are in the nodes' folders, logs/node.log")
                    .into());
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}

/// Whether the kernel says that a process is stopped (proc(5), state T).
fn is_frozen(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
}
