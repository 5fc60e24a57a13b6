//! What a worker process cannot do, tried from inside one that is locked in like every worker.

use crate::support::{HEALTHY, Setup, exited};
use opensky_types::place::Level;
use std::process::Command;

/// Runs the probe in a folder with `readable/file`, `scratch/` and `secret`, and returns what it
/// says: one line `name: denied` or `name: ALLOWED` for each thing it tried.
fn probe(role: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["readable", "scratch"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
    }
    std::fs::write(dir.path().join("readable/file"), "fine").unwrap();
    std::fs::write(dir.path().join("secret"), "key").unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_opensky-wasm-probe"));
    let output = program.arg(dir.path()).arg(role).output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    assert!(!dir.path().join("outside").exists());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn j1_a_worker_can_do_nothing_but_its_work() {
    nothing_but_its_work("run");
}

#[test]
fn j1_a_worker_that_answers_http_opens_no_connection_of_its_own() {
    nothing_but_its_work("serve");
}

fn nothing_but_its_work(role: &str) {
    let said = probe(role);
    let is_active = |layer: &str| said.lines().any(|line| line == format!("{layer} active"));
    assert!(is_active("own process") && is_active("seccomp"), "{said}");
    let line = |name: &str| {
        let start = format!("{name}: ");
        said.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{name}: {said}"))
    };
    for name in [
        "socket",
        "unix socket pair",
        "execve",
        "fork",
        "ptrace",
        "kill parent",
        "mount",
        "io_uring",
        "bpf",
        "perf",
        "keyring",
        "namespace",
        "change mode",
        "change owner",
        "more files than 256",
        "core dump",
    ] {
        assert_eq!(line(name), "denied", "{name}");
    }
    for name in ["write scratch", "read cache", "start a thread"] {
        assert_eq!(line(name), "ALLOWED", "{name}");
    }
    let files = ["read /etc/passwd", "read secret", "write outside", "write cache", "read /proc/self/mem"];
    if is_active("landlock") || is_active("private root") {
        for name in files {
            assert_eq!(line(name), "denied", "{name}");
        }
    } else {
        println!("skipped: this machine has neither Landlock nor user namespaces; not probed: {files:?}");
    }
}

#[tokio::test]
async fn what_confines_workers_is_reported() {
    let setup = Setup::new(1);
    let report = setup.executor.sandbox_report().await.unwrap();
    let names: Vec<&str> = report.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["own process", "private root", "landlock", "seccomp"]);
    assert!(report.layers.iter().all(|layer| !layer.detail.is_empty()));
    assert!(report.layers[0].active && report.layers[3].active, "{report:?}");
    exited(&setup.run_one(setup.batch(Level::Vm, HEALTHY)).await);
}
