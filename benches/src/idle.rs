//! What a node costs that has nothing to do: the real program, four of it, one sky.

use crate::process;
use anyhow::{Context, Result, ensure};
use opensky_client::Client;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

const NODES: usize = 4;
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Time for nodes to meet and fall silent before they are watched.
const SETTLE: Duration = Duration::from_secs(20);
/// Seconds of a month, for the goal of the traffic.
const MONTH_S: f64 = 30.0 * 86_400.0;

/// A running node of the real program.
pub struct Node {
    process: Child,
    pub client: Client,
}

impl Node {
    /// What its process has in memory.
    pub fn memory_mb(&self) -> Result<f64> {
        process::memory_mb(self.process.id().context("the node has ended")?, "VmRSS")
    }
}

/// The program that is meant; by default the one beside this program.
pub fn program(named: Option<PathBuf>) -> Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name("opensky");
    let program = named.unwrap_or(beside);
    ensure!(program.exists(), "{} is not built; build it, or name it with --program", program.display());
    Ok(program)
}

/// Prints time to ready, memory, processor time and traffic.
pub async fn measure(program: Option<PathBuf>, seconds: u64) -> Result<()> {
    let program = self::program(program)?;
    let folder = tempfile::tempdir()?;
    let first_folder = folder.path().join("1");
    let (first, new) = up(&program, &first_folder, None).await?;
    println!("first start to ready       {new:.2?} (new key, new folder, machine measured)");
    stop(first, &program, &first_folder).await?;
    let (first, again) = up(&program, &first_folder, None).await?;
    println!("later start to ready       {again:.2?}");
    let token = invite(&program, &first_folder).await?;
    let mut nodes = vec![first];
    for number in 2..=NODES {
        nodes.push(up(&program, &folder.path().join(number.to_string()), Some(&token)).await?.0);
    }
    sleep(SETTLE).await;
    let before = readings(&nodes).await?;
    sleep(Duration::from_secs(seconds)).await;
    let after = readings(&nodes).await?;
    let mut largest_mb = 0.0_f64;
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        let cpu = after.cpu.since(before.cpu);
        let traffic = (after.sent_bytes - before.sent_bytes) as f64 / seconds as f64;
        println!(
            "node {}: memory {:.1} MB and {:.1} MB in workers, processor {:.2} % of a core, sends {traffic:.0} B/s \
             ({:.2} GB a month), {} peers",
            number + 1,
            after.memory_mb,
            after.workers_mb,
            (cpu.own + cpu.children) / seconds as f64 * 100.0,
            traffic * MONTH_S / 1e9,
            after.peers,
        );
        largest_mb = largest_mb.max(after.memory_mb + after.workers_mb);
    }
    println!("{largest_mb:.1}");
    Ok(())
}

/// Starts a node, and how long it took until it answered.
pub async fn up(program: &Path, folder: &Path, token: Option<&str>) -> Result<(Node, Duration)> {
    let mut command = Command::new(program);
    command.arg("--data-dir").arg(folder).args(["--quiet", "up", "--unencrypted-key"]);
    command.args(["--listen", "0", "--validator-listen", "0", "--loopback-only", "--mdns", "false"]);
    if let Some(token) = token {
        command.args(["--join", token]);
    }
    let start = Instant::now();
    let process = command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn()?;
    let ready = async {
        loop {
            if let Ok(client) = Client::from_data_dir(folder)
                && client.status().await.is_ok()
            {
                return client;
            }
            sleep(Duration::from_millis(2)).await;
        }
    };
    let client = timeout(START_TIMEOUT, ready).await.context("the node was not ready in time")?;
    Ok((Node { process, client }, start.elapsed()))
}

async fn stop(mut node: Node, program: &Path, folder: &Path) -> Result<()> {
    let status =
        Command::new(program).arg("--data-dir").arg(folder).args(["--quiet", "down"]).status().await?;
    ensure!(status.success(), "opensky down failed: {status}");
    timeout(START_TIMEOUT, node.process.wait()).await.context("the node does not end")??;
    Ok(())
}

async fn invite(program: &Path, folder: &Path) -> Result<String> {
    let uses = NODES.to_string();
    let mut command = Command::new(program);
    command.arg("--data-dir").arg(folder).args(["--json", "--quiet", "invite", "--uses", &uses]);
    let output = command.stderr(Stdio::inherit()).output().await?;
    let invite: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(invite["token"].as_str().context("an invite has a token")?.to_owned())
}

struct Readings {
    memory_mb: f64,
    workers_mb: f64,
    cpu: process::Cpu,
    sent_bytes: u64,
    peers: u32,
}

async fn readings(nodes: &[Node]) -> Result<Vec<Readings>> {
    let mut all = Vec::new();
    for node in nodes {
        let pid = node.process.id().context("a node has ended")?;
        let status = node.client.status().await?;
        let workers = process::children(pid);
        let workers_mb = workers.iter().map(|pid| process::memory_mb(*pid, "VmRSS")).sum::<Result<f64>>()?;
        all.push(Readings {
            memory_mb: process::memory_mb(pid, "VmRSS")?,
            workers_mb,
            cpu: process::cpu(pid)?,
            sent_bytes: status.network.sent_bytes,
            peers: status.network.peers,
        });
    }
    Ok(all)
}
