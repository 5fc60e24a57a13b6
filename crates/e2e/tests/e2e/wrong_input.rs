//! What people get wrong: each mistake gets one message that says what to do next, and an exit code
//! that the command line documents.

use anyhow::{Context, Result, ensure};
use opensky_e2e::{Node, binary, repository};
use serde_json::Value;
use std::{
    net::{TcpListener, UdpSocket},
    path::Path,
    process::{Command, Output, Stdio},
};

/// A node that nobody has met.
const STRANGER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
const JOB: &str = "0123456789abcdef";

/// Checks that a command ended with `code` and one error that contains each of `texts`.
fn refused(output: &Output, code: i32, texts: &[&str]) -> Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(code), "{}, not {code}: {said}", output.status);
    ensure!(said.lines().filter(|line| line.starts_with("error: ")).count() == 1, "one error: {said}");
    for text in texts {
        ensure!(said.contains(text), "'{text}' is missing: {said}");
    }
    Ok(())
}

/// A node process that is expected not to start.
fn up(folder: &Path, more: &[&str], variables: &[(&str, &str)]) -> Result<Output> {
    let mut command = Command::new(binary()?);
    command.arg("--data-dir").arg(folder).arg("up").args(more).stdin(Stdio::null());
    for (name, value) in
        [("LOOPBACK_ONLY", "true"), ("LISTEN", "0"), ("VALIDATOR_LISTEN", "0"), ("MDNS", "false")]
    {
        command.env(format!("OPENSKY_{name}"), value);
    }
    Ok(command.envs(variables.iter().copied()).output()?)
}

fn token(node: &Node, more: &[&str]) -> Result<String> {
    let invite = node.json(&[&["invite"], more].concat())?;
    Ok(invite["token"].as_str().context("an invite has a token")?.to_owned())
}

#[tokio::test]
async fn files_and_names_that_are_wrong() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(folder.path().join("n1"), None).await?;
    let file = |name: &str, text: &str| -> Result<String> {
        let path = folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let bad = file("bad.toml", "name = \"x\"\n[[stage]]\nname = \"s\"\nprogam = \"p\"\n")?;
    let gone = file("gone.toml", "name = \"x\"\n[[stage]]\nname = \"s\"\nprogram = \"p.wasm\"\n")?;
    let text = file("text.wasm", "not a program")?;
    let hello = repository("examples/programs/hello.wasm").display().to_string();
    let receipt = "a".repeat(64);
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["run", "nothing.toml"], 1, &["cannot read nothing.toml", "No such file"]),
        (&["run", "nothing.wasm"], 1, &["cannot read nothing.wasm", "No such file"]),
        (&["run", &bad], 7, &["bad.toml:4:1: unknown key 'progam'", "did you mean 'program'?"]),
        (&["run", &gone], 7, &["gone.toml:4:11: cannot read the program", "relative to the job file"]),
        (&["run", &text], 125, &["does not start like a WASM module", "next: opensky why"]),
        (&["jobs", "show", JOB], 5, &["no such job", "next: `opensky jobs list`"]),
        (&["why", JOB], 5, &["no such job", "next: `opensky jobs list`"]),
        (&["verify", &receipt], 5, &["no such receipt", "next: `opensky jobs show JOB`"]),
        (
            &["run", &hello, "--no-wait", "--on-peer", STRANGER],
            6,
            &["1 not a named peer", "next: opensky why"],
        ),
        (&["limits", "set", "--cpu", "101"], 2, &["100 at most"]),
        (&["limits", "set", "--hours", "late"], 2, &["22:00-07:00"]),
    ];
    for (arguments, code, texts) in cases {
        let output = node.call(arguments)?;
        refused(&output, *code, texts).with_context(|| format!("{arguments:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn programs_that_exceed_their_limits() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(folder.path().join("n1"), None).await?;
    let program = repository("examples/programs/limits.wasm").canonicalize()?.display().to_string();
    let memory = node.call(&["run", &program, "--", "memory"])?;
    assert_eq!(memory.status.code(), Some(1), "the program sees that there is no more memory");
    assert!(String::from_utf8_lossy(&memory.stderr).contains("limits: no more memory after"));
    refused(&node.call(&["run", &program, "--", "recurse"])?, 125, &["stopped at its stack limit"])?;
    let flood = node.call(&["run", &program, "--", "flood"])?;
    refused(&flood, 125, &["stopped at its output limit"])?;
    assert!(flood.stdout.starts_with(b"all work and no play"), "what was written until then is kept");
    for (limit, mode, reason) in [
        ("time = \"300ms\"", "spin", "stopped at its time limit"),
        ("fuel = 1000000", "spin", "stopped at its fuel limit"),
    ] {
        let file = folder.path().join("job.toml");
        let text = format!(
            "name = \"x\"\n[resources]\n{limit}\n[[stage]]\nname = \"s\"\nprogram = \"{program}\"\nargs = [\"{mode}\"]\n"
        );
        std::fs::write(&file, text)?;
        let file = file.display().to_string();
        let results = folder.path().join("results").display().to_string();
        let output = node.call(&["run", &file, "--results", &results])?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains(reason), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn k1_passphrases_that_are_wrong_or_absent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("n1");
    refused(&up(&data, &[], &[])?, 7, &["a passphrase is needed", "next: set OPENSKY_PASSPHRASE"])?;
    refused(
        &up(&data, &["--detach"], &[])?,
        7,
        &["cannot ask for its passphrase", "next: set OPENSKY_PASSPHRASE"],
    )?;
    let right = [("OPENSKY_PASSPHRASE", "correct horse battery")];
    let wrong = [("OPENSKY_PASSPHRASE", "wrong horse battery")];
    let first = up(&data, &["--detach", "--quiet"], &right)?;
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let down = Command::new(binary()?).arg("--data-dir").arg(&data).arg("down").output()?;
    assert!(down.status.success(), "{}", String::from_utf8_lossy(&down.stderr));
    let output = up(&data, &[], &wrong)?;
    refused(&output, 1, &["$OPENSKY_PASSPHRASE does not open the key"])?;
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("wrong horse"),
        "no message shows a passphrase"
    );
    refused(&up(&data, &["--detach"], &wrong)?, 1, &["did not start", "does not open the key"])?;
    Ok(())
}

#[tokio::test]
async fn ports_and_folders_that_are_taken() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?;
    // The node wants the port for TCP and QUIC alike.
    let _taken_too = UdpSocket::bind(address)?;
    let fresh = folder.path().join("n0");
    let (api, port) = (address.to_string(), address.port().to_string());
    let output = up(&fresh, &["--unencrypted-key"], &[("OPENSKY_API", &api)])?;
    refused(&output, 1, &["the API cannot listen on", "next: choose another port with --api"])?;
    let output = up(&fresh, &["--unencrypted-key"], &[("OPENSKY_LISTEN", &port)])?;
    refused(&output, 1, &["cannot listen on port", "choose another port"])?;

    let node = Node::start(folder.path().join("n1"), None).await?;
    refused(&up(&node.folder, &["--unencrypted-key"], &[])?, 1, &["is in use by process", "opensky down"])?;
    let copy = folder.path().join("copy");
    let copied = Command::new("cp").arg("-r").arg(&node.folder).arg(&copy).status()?;
    assert!(copied.success());
    refused(
        &up(&copy, &["--unencrypted-key"], &[])?,
        1,
        &["moved here or copied", "--moved", "rotate-keys"],
    )?;
    Ok(())
}

#[tokio::test]
async fn n2_invites_that_do_not_let_in() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sky = Node::start(folder.path().join("n1"), None).await?;
    let other = Node::start(folder.path().join("n2"), None).await?;
    let late = folder.path().join("n3");
    let join = |data: &Path, token: &str| up(data, &["--unencrypted-key", "--join", token], &[]);

    let good = token(&sky, &[])?;
    let other_end = if good.ends_with('1') { '2' } else { '1' };
    let typo = format!("{}{other_end}", &good[..good.len() - 1]);
    for spoilt in [typo.as_str(), &good[..good.len() - 4], "sky1", "hello"] {
        refused(&join(&late, spoilt)?, 2, &["is not an invite token"])?;
    }
    let used = Node::start(folder.path().join("n4"), Some(&good)).await?;
    refused(&join(&late, &good)?, 1, &["used as often as it may be", "ask for a new one"])?;
    // One second is the time that this invite works, and its issuer's clock decides.
    let brief = token(&sky, &["--expires", "1s"])?;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    refused(&join(&late, &brief)?, 1, &["the invite has expired", "ask for a new one"])?;
    drop((used, other));

    let fresh = token(&sky, &[])?;
    refused(
        &join(&folder.path().join("n2"), &fresh)?,
        1,
        &["already belongs to", "next: give the other node"],
    )?;
    f7_a_clock_a_day_ahead(&late, &fresh)
}

/// Needs `faketime`; where that is not installed, nothing is shown.
fn f7_a_clock_a_day_ahead(data: &Path, token: &str) -> Result<()> {
    let mut command = Command::new("faketime");
    command.args(["-f", "+1d"]).arg(binary()?).arg("--data-dir").arg(data);
    command.args([
        "up",
        "--unencrypted-key",
        "--loopback-only",
        "--listen",
        "0",
        "--validator-listen",
        "0",
        "--mdns",
        "false",
    ]);
    match command.args(["--join", token]).stdin(Stdio::null()).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("f7_a_clock_a_day_ahead is skipped: faketime is not installed");
            Ok(())
        }
        output => refused(&output?, 1, &["the invite has expired"]),
    }
}

#[tokio::test]
async fn v2_receipts_that_were_changed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(folder.path().join("n1"), None).await?;
    let hello = repository("examples/programs/hello.wasm").display().to_string();
    assert!(node.call(&["run", &hello])?.status.success());
    let jobs = node.json(&["jobs", "list"])?;
    let job = jobs["jobs"][0]["job"].as_str().context("a job has an id")?;
    let detail = node.json(&["jobs", "show", job])?;
    let id = detail["runs"][0]["receipt"].as_str().context("a run has a receipt")?;
    let kept = folder.path().join("receipt.json").display().to_string();
    assert!(node.call(&["verify", id, "--save", &kept])?.status.success());

    let whole: Value = serde_json::from_slice(&std::fs::read(&kept)?)?;
    for field in ["provider", "output", "program", "task"] {
        let mut changed = whole.clone();
        let text = changed[field].as_str().with_context(|| format!("{field} is a text"))?;
        changed[field] = match field {
            "provider" => STRANGER.into(),
            "task" => "0.1".into(),
            _ => text.chars().rev().collect::<String>().into(),
        };
        std::fs::write(&kept, serde_json::to_vec(&changed)?)?;
        refused(&node.call(&["verify", &kept])?, 7, &["next: "]).context(field)?;
    }
    std::fs::write(&kept, "{}")?;
    refused(&node.call(&["verify", &kept])?, 7, &["is not a receipt", "next: "])
}
