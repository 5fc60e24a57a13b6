//! The checked-in example programs are what their sources compile to.
//!
//! Their hashes are always checked. Where the compilers that made them are installed, in the same
//! versions, they are built anew and compared too.

use crate::{finding::Finding, workspace::Workspace};
use anyhow::{Context, Result, ensure};
use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

const FOLDER: &str = "examples/programs";

/// Checks hashes, and the programs themselves where that can be done.
pub fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let folder = workspace.root.join(FOLDER);
    let mut findings = check_hashes(workspace, &folder)?;
    if findings.is_empty() && same_compilers(&folder)? {
        findings = check_build(workspace, &folder)?;
    }
    Ok(findings)
}

fn check_hashes(workspace: &Workspace, folder: &Path) -> Result<Vec<Finding>> {
    let sums = fs::read_to_string(folder.join("SHA256SUMS"))?;
    let is_listed = |file: &Path| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        sums.lines().any(|line| line.split_whitespace().nth(1) == Some(name))
    };
    let mut findings: Vec<Finding> = ["c", "h", "wat", "wasm"]
        .into_iter()
        .flat_map(|extension| workspace.files_in(Path::new(FOLDER), extension))
        .filter(|file| !is_listed(file))
        .map(|file| {
            Finding::new(file.display().to_string(), "is not in SHA256SUMS; run `cargo xtask programs`")
        })
        .collect();

    let output =
        Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(folder).output()?;
    let wrong = String::from_utf8_lossy(&output.stdout);
    findings.extend(wrong.lines().map(|line| {
        Finding::new(FOLDER, format!("{line}; it changed since it was built, run `cargo xtask programs`"))
    }));
    ensure!(output.status.success() || !findings.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(findings)
}

/// Whether this machine has what the programs were built with.
fn same_compilers(folder: &Path) -> Result<bool> {
    let expected = fs::read_to_string(folder.join("TOOLS"))?;
    let has_libraries = Path::new("/usr/lib/wasm32-wasi/libc.a").exists();
    let found =
        [first_line("clang", "").unwrap_or_default(), first_line("wat2wasm", "wabt ").unwrap_or_default()];
    let same = has_libraries && expected.lines().eq(found.iter().map(String::as_str));
    if !same {
        println!(
            "skipped rebuilding the example programs: clang, wasi-libc or wabt is absent or another version"
        );
    }
    Ok(same)
}

fn first_line(program: &str, prefix: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?.lines().next()?.to_owned();
    Some(format!("{prefix}{line}"))
}

fn check_build(workspace: &Workspace, folder: &Path) -> Result<Vec<Finding>> {
    let built = env::temp_dir().join(format!("opensky-programs-{}", std::process::id()));
    fs::create_dir_all(&built)?;
    let status = Command::new(folder.join("build.sh")).arg(&built).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "{FOLDER}/build.sh failed: {status}");
    let mut findings = Vec::new();
    for file in workspace.files_in(Path::new(FOLDER), "wasm") {
        let name = file.file_name().context("a file has a name")?;
        if fs::read(workspace.root.join(file))? != fs::read(built.join(name))? {
            findings.push(Finding::new(
                file.display().to_string(),
                "differs from a fresh build; run `cargo xtask programs`",
            ));
        }
    }
    fs::remove_dir_all(&built)?;
    Ok(findings)
}
