//! `opensky up --lan` between two machines: two network stacks of this kernel with a cable between
//! them, so that nothing leaves the machine and nobody else is found.

use anyhow::{Context, Result, ensure};
use opensky_client::Client;
use opensky_e2e::{binary, repository, until};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

const TEST: &str = "n2_two_machines_on_one_network_find_each_other";
/// Set where this file's test runs inside a network of its own.
const INSIDE: &str = "OPENSKY_TEST_INSIDE";
/// The first machine: one end of the cable, and an interface such as container software makes, with
/// nobody behind it.
const FIRST_MACHINE: &str = "
mount -t sysfs sysfs /sys
ip link set lo up
ip link add docker0 type veth peer name idle0
ip addr add 172.17.0.1/16 dev docker0
ip link set docker0 up
ip link set idle0 up
ip link add lan0 type veth peer name lan1
ip addr add 10.77.0.1/24 dev lan0
ip link set lan0 up";
/// The second: says that its network stack is there, waits for the cable, and becomes the program.
const SECOND_MACHINE: &str = "
echo ready
read -r _
ip link set lo up
ip addr add 10.77.0.2/24 dev lan1
ip link set lan1 up
exec \"$@\"";

/// A program in a network of its own, of which it is the administrator. The kernel's list of
/// interfaces in /sys is one of the mount, hence a mount of its own too.
fn in_own_network(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "--mount", "--"]).arg(program.as_ref());
    command
}

#[test]
fn n2_two_machines_on_one_network_find_each_other() -> Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(two_machines());
    }
    let possible = in_own_network("sh").args(["-ec", FIRST_MACHINE]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        eprintln!("{TEST} is skipped: this machine makes no networks (unshare, ip link add)");
        return Ok(());
    }
    let mut inside = in_own_network(std::env::current_exe()?);
    let output = inside.args(["--exact", TEST, "--nocapture"]).env(INSIDE, "1").output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}\n{said}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

/// A node on one of the machines; ends with the value.
struct Machine {
    folder: PathBuf,
    process: Child,
}

impl Machine {
    /// A call of the program for this node.
    fn arguments(folder: &Path, more: &[&str]) -> Vec<String> {
        let folder = folder.display().to_string();
        ["--data-dir", &folder].iter().chain(more).map(|text| (*text).to_owned()).collect()
    }

    /// Runs a command on this machine and reads the JSON that it prints.
    fn json(&self, more: &[&str]) -> Result<Value> {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.process.id().to_string(), "--net", "--"]).arg(binary()?);
        let output = command.args(Self::arguments(&self.folder, more)).arg("--json").output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{more:?}: {said}");
        serde_json::from_slice(&output.stdout).with_context(|| format!("{more:?} prints JSON"))
    }

    /// Whether it has a direct way to a node at `address`.
    fn reaches(&self, address: &str) -> bool {
        let Ok(peers) = self.json(&["peers"]) else { return false };
        let peers = peers["peers"].as_array().cloned().unwrap_or_default();
        peers.iter().any(|peer| {
            peer["path"] == "direct"
                && peer["address"].as_str().is_some_and(|text| text.starts_with(&format!("/ip4/{address}/")))
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // A process that has ended already is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn two_machines() -> Result<()> {
    ensure!(Command::new("sh").args(["-ec", FIRST_MACHINE]).status()?.success(), "the first machine");
    let folder = tempfile::tempdir()?;
    let up = ["up", "--unencrypted-key", "--listen", "0", "--validator-listen", "0"];

    let data = folder.path().join("first");
    let process =
        Command::new(binary()?).args(Machine::arguments(&data, &up)).stdin(Stdio::null()).spawn()?;
    let first = Machine { folder: data, process };
    until("the first node", async || match Client::from_data_dir(&first.folder) {
        Ok(client) => Ok(client.status().await.is_ok()),
        Err(_) => Ok(false),
    })
    .await?;
    let client = Client::from_data_dir(&first.folder)?;
    let found = first.json(&["doctor"])?;
    let checks = found["checks"].as_array().context("doctor has checks")?;
    let local = checks.iter().find(|check| check["name"] == "local network").context("one is of the LAN")?;
    let local = local["found"].as_str().context("with a text")?;
    for interface in ["docker0 172.17.0.1 (containers)", "lan0 10.77.0.1"] {
        ensure!(local.contains(interface), "'{interface}' is missing: {local}");
    }
    first.json(&["invite", "--lan"])?;

    let data = folder.path().join("second");
    let mut second = Command::new("unshare");
    second.args(["--net", "--", "sh", "-ec", SECOND_MACHINE, "sh"]).arg(binary()?);
    second.args(Machine::arguments(&data, &[&up[..], &["--lan", "--quiet"]].concat()));
    let mut process = second.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (input, output) = (process.stdin.take(), process.stdout.take());
    let second = Machine { folder: data, process };
    let mut said = String::new();
    BufReader::new(output.context("piped")?).read_line(&mut said)?;
    ensure!(said == "ready\n", "the second machine said {said:?}");
    let cable = ["link", "set", "lan1", "netns", &second.process.id().to_string()];
    ensure!(Command::new("ip").args(cable).status()?.success(), "the cable");
    input.context("piped")?.write_all(b"\n")?;

    until("the nodes to meet", async || Ok(first.reaches("10.77.0.2") && second.reaches("10.77.0.1")))
        .await?;
    second.json(&["limits", "set", "--share", "false"])?;
    until("the first one's offer", async || {
        let offers = second.json(&["offers"])?;
        let offers = offers["offers"].as_array().cloned().unwrap_or_default();
        Ok(offers.iter().any(|offer| offer["slots_free"].as_u64() > Some(0)))
    })
    .await?;
    let hello = repository("examples/programs/hello.wasm").display().to_string();
    let mut run = Command::new("nsenter");
    run.args(["--target", &second.process.id().to_string(), "--net", "--"]).arg(binary()?);
    let run = run.args(Machine::arguments(&second.folder, &["run", &hello])).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&run.stderr);
    ensure!(run.stdout.starts_with(b"hello from OpenSky\n"), "{said}");
    assert_eq!(client.status().await?.sharing.tasks_done, 1, "the other machine ran it");
    Ok(())
}
