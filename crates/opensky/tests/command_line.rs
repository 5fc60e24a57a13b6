//! The real binary, as far as no node is needed.

use assert_cmd::Command;

fn opensky(folder: &tempfile::TempDir, args: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("opensky").unwrap();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OPENSKY_")) {
        command.env_remove(name);
    }
    command.env("HOME", folder.path()).env_remove("XDG_DATA_HOME").current_dir(folder.path());
    command.args(args).assert()
}

fn stderr(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

fn stdout(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

#[test]
fn help_is_as_reviewed() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for args in [
        vec!["--help"],
        vec!["up", "--help"],
        vec!["run", "--help"],
        vec!["devnet", "--help"],
        vec!["jobs", "--help"],
        vec!["wallet", "--help"],
        vec!["wallet", "transfer", "--help"],
        vec!["wallet", "auto-transfer", "add", "--help"],
        vec!["ledger", "--help"],
        vec!["ledger", "prove", "--help"],
        vec!["identity", "rotate-keys", "--help"],
    ] {
        let shown = opensky(&folder, &args).success();
        text += &format!("$ opensky {}\n{}\n", args.join(" "), stdout(&shown));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn without_a_node_every_command_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        vec!["status"],
        vec!["dashboard"],
        vec!["peers"],
        vec!["offers"],
        vec!["node", "info"],
        vec!["invite"],
        vec!["limits", "show"],
        vec!["logs"],
        vec!["keys", "list"],
        vec!["jobs", "list"],
        vec!["wallet", "balance"],
        vec!["wallet", "auto-transfer", "list"],
        vec!["ledger", "info"],
        vec!["ledger", "prove", "balance"],
        vec!["validator", "list"],
        vec!["down"],
    ] {
        let failed = opensky(&folder, &args).code(3);
        let said = stderr(&failed);
        assert!(said.starts_with("error: no node is running for "), "{args:?}: {said}");
        assert!(said.contains("next: start a node with `opensky up`"), "{args:?}: {said}");
    }
}

#[test]
fn wrong_input_gets_one_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "name = \"x\"\n[[stage]]\nname = \"s\"\nprogam = \"p\"\n")
        .unwrap();
    std::fs::write(
        folder.path().join("gone.toml"),
        "name = \"x\"\n[[stage]]\nname = \"s\"\nprogram = \"p.wasm\"\n",
    )
    .unwrap();
    for (args, code, message, next) in [
        (
            vec!["job", "check", "bad.toml"],
            7,
            "bad.toml:4:1: unknown key 'progam'",
            "hint: did you mean 'program'?",
        ),
        (
            vec!["job", "check", "gone.toml"],
            7,
            "gone.toml:4:11: there is no file p.wasm",
            "hint: paths are relative",
        ),
        (vec!["job", "check", "nothing.toml"], 1, "cannot read nothing.toml", "because: No such file"),
        (vec!["verify", "nothing.json"], 5, "cannot read the receipt nothing.json", "next: name a file"),
        (vec!["identity", "show"], 5, "there is no key in", "next: `opensky up` makes one"),
        (vec!["config", "get", "regoin"], 5, "there is no setting 'regoin'", "next: there are: api"),
        (vec!["config", "set", "region", "atlantis"], 7, "'region' cannot be 'atlantis'", "a region: asia"),
        (vec!["devnet", "kill", "node9"], 5, "there is no devnet", "next: start one with `opensky devnet 4`"),
        (vec!["up", "--join", "sky1abc"], 2, "is not an invite token", "sky1"),
        (vec!["up", "--detach"], 7, "cannot ask for its passphrase", "next: set OPENSKY_PASSPHRASE"),
        (vec!["up"], 7, "a passphrase is needed", "next: set OPENSKY_PASSPHRASE"),
        (vec!["up", "--api", "0.0.0.0:1"], 7, "for this machine only", "set by --api"),
        (vec!["wallet", "balance", "me"], 2, "an account (osk1…) or a node id", "me"),
        (vec!["wallet", "stake", "1e3"], 2, "is not an amount such as 1.5", "1500000u"),
        (vec!["wallet", "history", "--before", "7"], 2, "is not a place such as 1024:3", "HEIGHT:INDEX"),
        (vec!["wallet", "auto-transfer", "add", "--above", "1"], 2, "required", "--to"),
        (
            vec!["ledger", "verify", "nothing.proof"],
            5,
            "cannot read the proof",
            "next: `opensky ledger prove",
        ),
        (vec!["ledger", "verify", "bad.toml"], 5, "belongs to no sky", "next: name the sky with --genesis"),
        (
            vec!["ledger", "verify", "bad.toml", "--genesis", "00"],
            7,
            "not the genesis of a sky",
            "next: `opensky",
        ),
        (vec!["why", "job"], 2, "is not a job id", "16 letters"),
        (vec!["run", "x.wasm", "--verify", "twice"], 2, "verify is none, sample=5%", "quorum=2/3"),
    ] {
        let failed = opensky(&folder, &args).code(code);
        let said = stderr(&failed);
        assert!(said.contains(message) && said.contains(next), "{args:?}: {said}");
    }
}

#[test]
fn configuration_has_sources() {
    let folder = tempfile::tempdir().unwrap();
    opensky(&folder, &["config", "set", "region", "europe"]).success();
    let shown = opensky(&folder, &["--json", "config", "show"]).success();
    let view: serde_json::Value = serde_json::from_str(&stdout(&shown)).unwrap();
    let setting = |key: &str| {
        let all = view["settings"].as_array().unwrap();
        all.iter().find(|setting| setting["key"] == key).unwrap().clone()
    };
    assert_eq!(setting("region")["value"], "europe");
    assert_eq!(setting("region")["source"], "file");
    assert_eq!(setting("listen")["source"], "default");
    opensky(&folder, &["config", "validate"]).success();
    let value = opensky(&folder, &["config", "get", "region"]).success();
    assert_eq!(stdout(&value), "europe\n");
}

#[test]
fn schema_and_completions_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let schema = opensky(&folder, &["job", "schema"]).success();
    let published = include_str!("../../../docs/job.schema.json");
    assert_eq!(stdout(&schema), published);
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&opensky(&folder, &["completions", shell]).success()).contains("devnet"), "{shell}");
    }
}
