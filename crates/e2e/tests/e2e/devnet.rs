//! `opensky devnet`: a sky on one machine, and its faults.

use anyhow::{Context, Result, ensure};
use opensky_client::Client;
use opensky_e2e::{binary, repository, until_done};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// Sixty tasks, long enough to see a fault in the middle.
const JOB: &str = r#"
name = "sweep"
[resources]
time = "60s"
[[stage]]
name = "count"
program = "PROGRAM"
args = ["range", "{item}", "500000"]
numbers = { from = 0, to = 30_000_000, step = 500_000 }
[[stage]]
name = "sum"
program = "PROGRAM"
args = ["sum"]
reduce = { stage = "count", fan_in = 1024 }
"#;
/// Primes below thirty million.
const PRIMES: &str = "1857859";

struct Devnet {
    folder: PathBuf,
}

impl Devnet {
    fn call(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(binary()?);
        command.env("OPENSKY_DEVNET_DIR", &self.folder).env("OPENSKY_MDNS", "false");
        // No node runs in the usual folder, so the devnet's first node is meant.
        command.env("XDG_DATA_HOME", &self.folder).env_remove("OPENSKY_DATA_DIR");
        let output = command.args(arguments).stdin(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {}: {said}", output.status);
        Ok(output)
    }

    fn nodes(&self) -> Result<Vec<Value>> {
        let listed = self.call(&["devnet", "list", "--json"])?;
        Ok(serde_json::from_slice(&listed.stdout)?)
    }

    fn states(&self) -> Result<Vec<String>> {
        let states = self.nodes()?;
        Ok(states.iter().map(|node| node["state"].as_str().unwrap_or_default().to_owned()).collect())
    }

    fn processes(&self) -> Result<Vec<u64>> {
        Ok(self.nodes()?.iter().filter_map(|node| node["pid"].as_u64()).collect())
    }

    /// Starts the job in the background and returns its id and a client once some tasks are done.
    async fn half_way(&self, file: &Path) -> Result<String> {
        let file = file.display().to_string();
        let results = self.folder.join("results").display().to_string();
        let started = self.call(&["run", &file, "--detach", "--results", &results])?;
        let job = String::from_utf8(started.stdout)?.trim().to_owned();
        until_done(&Client::from_data_dir(&self.folder.join("node1"))?, job.parse()?, 2).await?;
        Ok(job)
    }

    /// Follows a job to its end and checks what it found.
    fn finish(&self, job: &str) -> Result<()> {
        let results = self.folder.join("results").display().to_string();
        self.call(&["jobs", "attach", job, "--results", &results])?;
        let sum = self.call(&["jobs", "logs", job, "1.0"])?;
        ensure!(String::from_utf8_lossy(&sum.stdout).contains(PRIMES), "{:?}", sum.stdout);
        Ok(())
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        // Where the test has stopped it already this finds nothing, which is as good.
        let _ = self.call(&["devnet", "down"]);
    }
}

#[tokio::test]
async fn f10_f12_killed_frozen_and_slow_nodes_are_worked_around() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let devnet = Devnet { folder: folder.path().join("devnet") };
    devnet.call(&["devnet", "3", "--detach"])?;
    assert_eq!(devnet.states()?, ["running", "running", "running"]);
    let processes = devnet.processes()?;
    let file = folder.path().join("sweep.toml");
    let program = repository("examples/programs/primes.wasm").canonicalize()?;
    std::fs::write(&file, JOB.replace("PROGRAM", &program.display().to_string()))?;

    let job = devnet.half_way(&file).await?;
    devnet.call(&["devnet", "kill", "node3"])?;
    assert_eq!(devnet.states()?, ["running", "running", "stopped"]);
    devnet.finish(&job)?;
    devnet.call(&["devnet", "start", "3"])?;
    assert_eq!(devnet.states()?, ["running", "running", "running"]);

    let job = devnet.half_way(&file).await?;
    devnet.call(&["devnet", "stop", "node2"])?;
    devnet.call(&["devnet", "slow", "node3", "--percent", "90"])?;
    assert_eq!(devnet.states()?, ["running", "frozen", "slow"]);
    devnet.finish(&job)?;
    devnet.call(&["devnet", "continue", "node2"])?;

    let all = [processes, devnet.processes()?].concat();
    devnet.call(&["devnet", "down"])?;
    assert_eq!(devnet.states()?, ["stopped", "stopped", "stopped"]);
    for process in all {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let lives = state
            .rsplit_once(')')
            .context("stat has a command")
            .is_ok_and(|(_, rest)| !rest.starts_with(" Z"));
        assert!(!lives, "process {process} is left: {state}");
    }
    Ok(())
}
