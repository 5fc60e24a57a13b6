//! Jobs over real nodes, with the faults that real nodes have.

use anyhow::{Context, Result};
use opensky_client::{
    Client, Overrides,
    api::progress::{RunsQuery, StateView, VerdictView},
};
use opensky_e2e::{Node, Sky, repository, until_done};
use opensky_types::JobId;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

/// The sum job of the sweep example, small: primes below two million, in 40 tasks.
const SWEEP: &str = r#"
name = "small sweep"
[resources]
memory = "32MiB"
time = "60s"
[[stage]]
name = "count"
program = "PROGRAM"
args = ["range", "{item}", "50000"]
numbers = { from = 0, to = 2_000_000, step = 50_000 }
[[stage]]
name = "sum"
program = "PROGRAM"
args = ["sum"]
reduce = { stage = "count", fan_in = 1024 }
output = "primes.txt"
"#;
/// Primes below two million.
const PRIMES: &str = "148933";

/// `verify` is for the whole job, `sum` for its last step.
async fn submit_sweep(sky: &Sky, client: &Client, verify: &str, sum: &str) -> Result<JobId> {
    let file = sky.folder().join("sweep.toml");
    let program = repository("examples/programs/primes.wasm").canonicalize()?;
    let text = SWEEP.replace("PROGRAM", &program.display().to_string());
    let text = text.replace("[[stage]]\nname = \"count\"", &format!("{verify}\n[[stage]]\nname = \"count\""));
    std::fs::write(&file, format!("{text}{sum}"))?;
    Ok(client.submit_file(&file, &Overrides::default()).await?.job)
}

async fn primes(client: &Client, job: JobId) -> Result<String> {
    let detail = client.wait(job).await?;
    anyhow::ensure!(
        detail.summary.state == StateView::Succeeded,
        "the job failed: {}",
        detail.summary.reason
    );
    let outputs = client.outputs(job, 1).await?;
    Ok(String::from_utf8_lossy(&outputs[0].stdout).into_owned())
}

#[tokio::test]
async fn f12_a_provider_killed_in_the_middle_changes_nothing() -> Result<()> {
    let mut sky = Sky::start(4).await?;
    let client = sky.nodes[0].client()?;
    let verify = "[verify]\nquorum = { agree = 2, replicas = 2, replicas_max = 4 }";
    let job = submit_sweep(&sky, &client, verify, "").await?;
    until_done(&client, job, 3).await?;
    sky.nodes[2].kill()?;
    assert!(primes(&client, job).await?.contains(PRIMES));
    let detail = client.job(job).await?;
    assert_eq!(detail.nodes.iter().map(|node| node.accepted).sum::<u32>(), 41, "each task is accepted once");
    Ok(())
}

/// The last step may run on one node only, and its owner shares nothing until the consumer is back: so
/// the job cannot end before the kill, however fast the machine.
#[tokio::test]
async fn f1_a_consumer_killed_in_the_middle_resumes() -> Result<()> {
    let mut sky = Sky::start(3).await?;
    let client = sky.nodes[0].client()?;
    let reserved = sky.nodes[2].client()?;
    share(&reserved, false).await?;
    let only = format!("[stage.constraints]\npeers = \"{}\"\n", sky.nodes[2].id().await?);
    let job = submit_sweep(&sky, &client, "", &only).await?;
    until_done(&client, job, 5).await?;
    sky.nodes[0].kill()?;
    sky.nodes[0].spawn(None)?;
    sky.nodes[0].ready().await?;
    share(&reserved, true).await?;
    let client = sky.nodes[0].client()?;
    assert!(primes(&client, job).await?.contains(PRIMES));
    let accepted =
        RunsQuery { state: Some(VerdictView::Accepted), limit: Some(1_000), ..RunsQuery::default() };
    let runs = client.runs_page(job, &accepted).await?.runs;
    let tasks: BTreeSet<_> = runs.iter().map(|run| run.task).collect();
    assert_eq!((runs.len(), tasks.len()), (41, 41), "no finished task ran again");
    let why = sky.nodes[0].call(&["why", &job.to_string()])?;
    let why = String::from_utf8_lossy(&why.stdout).into_owned();
    assert!(why.contains("resumed after a restart"), "the restart is explained: {why}");
    Ok(())
}

/// Says whether a node shares from now on.
async fn share(client: &Client, share: bool) -> Result<()> {
    let mut limits = client.limits().await?.limits;
    limits.share = share;
    client.set_limits(&limits).await?;
    Ok(())
}

#[tokio::test]
async fn a_program_behaves_like_a_local_process() -> Result<()> {
    let sky = Sky::start(2).await?;
    let hello = repository("examples/programs/hello.wasm");
    let mut run = sky.nodes[1].command()?;
    run.arg("run").arg(&hello).args(["--", "one", "two"]);
    let mut process = run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    process.stdin.take().expect("piped").write_all(b"12345")?;
    let output = process.wait_with_output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(stdout, "hello from OpenSky\nargument 1: one\nargument 2: two\nstandard input: 5 bytes\n");
    let limits = repository("examples/programs/limits.wasm");
    let exit = sky.nodes[0].call(&["run", &limits.display().to_string(), "--", "exit", "42"])?;
    assert_eq!(exit.status.code(), Some(42), "the program's own exit code comes through");
    Ok(())
}

#[tokio::test]
async fn c7_templates_run_as_they_come() -> Result<()> {
    let sky = Sky::start(2).await?;
    for (template, result, begins) in [
        ("map-reduce", "words.tsv", b"and\t".as_slice()),
        ("render", "picture.png", b"\x89PNG"),
        ("sweep", "primes.txt", b"664579 primes"),
        ("transcode", "converted.tsv", b"dunes.png\t80x48\t48x28\n"),
    ] {
        let folder = sky.folder().join(template);
        let folder_text = folder.display().to_string();
        let made = sky.nodes[0].json(&["new", template, &folder_text])?;
        let job = made["file"].as_str().context("new says where the job is")?;
        let results = folder.join("results").display().to_string();
        let output = sky.nodes[0].call(&["run", job, "--results", &results])?;
        assert!(output.status.success(), "{template}: {}", String::from_utf8_lossy(&output.stderr));
        let left =
            std::fs::read(folder.join(result)).with_context(|| format!("{template} leaves {result}"))?;
        assert!(
            left.starts_with(begins),
            "{template}: {}",
            String::from_utf8_lossy(&left[..left.len().min(40)])
        );
        let again = sky.nodes[0].call(&["new", template, &folder_text])?;
        assert_eq!(again.status.code(), Some(1), "what is there is not overwritten");
    }
    Ok(())
}

#[tokio::test]
async fn v1_a_checker_program_decides_about_results_that_differ() -> Result<()> {
    let sky = Sky::start(2).await?;
    let example = std::fs::read_to_string(repository("examples/jobs/pi.toml"))?;
    let programs = repository("examples/programs").canonicalize()?;
    let example = example.replace("../programs", &programs.display().to_string());
    for (target, code) in [("3.14159265", 0), ("9.5", 4)] {
        let file = sky.folder().join(format!("pi-{code}.toml"));
        let text = example.replace("3.14159265", target).replace("to = 16 }", "to = 4 }\nfailures_max = 1");
        std::fs::write(&file, text)?;
        let ran = sky.nodes[0].call(&["run", &file.display().to_string(), "--json"])?;
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(code), "{said}");
        let jobs = sky.nodes[0].json(&["jobs", "list"])?;
        let job = jobs["jobs"][0]["job"].as_str().context("it is listed")?.to_owned();
        let why = sky.nodes[0].json(&["why", &job])?;
        let notes = why["notes"].as_array().context("it has notes")?;
        let word = if code == 0 { "is near" } else { "is not near 9.5" };
        let checked = notes.iter().filter(|note| note["kind"] == "checked");
        let told = checked.filter(|note| note["sentence"].as_str().is_some_and(|said| said.contains(word)));
        assert!(told.count() > 0, "{why}");
    }
    Ok(())
}

#[tokio::test]
async fn the_example_of_the_client_runs() -> Result<()> {
    let sky = Sky::start(2).await?;
    let client = sky.nodes[0].client()?;
    let file = sky.folder().join("receipts.toml");
    let program = repository("examples/programs/primes.wasm").canonicalize()?;
    std::fs::write(
        &file,
        SWEEP.replace("PROGRAM", &program.display().to_string()).replace("2_000_000", "100_000"),
    )?;
    let job = client.submit_file(&file, &Overrides::default()).await?.job;
    client.wait(job).await?;
    let runs = client.runs_page(job, &RunsQuery::default()).await?.runs;
    let receipt = client.receipt(runs[0].receipt.expect("every run has a receipt")).await?;
    let kept = sky.folder().join("receipt.json");
    std::fs::write(&kept, serde_json::to_vec(&receipt)?)?;
    let verified = sky.nodes[1].call(&["verify", &kept.display().to_string()])?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let forged =
        String::from_utf8(serde_json::to_vec(&receipt)?)?.replace(&receipt.usage.fuel.to_string(), "1");
    std::fs::write(&kept, forged)?;
    let refused = sky.nodes[1].call(&["verify", &kept.display().to_string()])?;
    assert_eq!(refused.status.code(), Some(7), "a changed receipt is refused");
    Ok(())
}

#[tokio::test]
async fn a_node_ends_gracefully_and_comes_back_as_itself() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut node = Node::start(folder.path().join("n1"), None).await?;
    let id = node.id().await?;
    assert!(node.interrupt()?.success(), "ctrl-c ends a node in order");
    assert_eq!(node.call(&["status"])?.status.code(), Some(3), "no node runs any more");
    node.spawn(None)?;
    node.ready().await?;
    assert_eq!(node.id().await?, id);
    assert!(node.call(&["down"])?.status.success());
    Ok(())
}
