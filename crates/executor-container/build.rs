//! Builds the door of services (`door/door.rs`): one static program for Linux that needs nothing of the image
//! that it is mounted into.
//!
//! Where that cannot be built, an empty file takes its place, and starting a service says so.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("door");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=door/door.rs");
    if let Err(reason) = build(&out) {
        println!("cargo::warning=services cannot run with this build, their door is missing: {reason}");
        fs::write(&out, [])?;
    }
    Ok(())
}

fn build(out: &Path) -> Result<(), String> {
    let target = env::var("TARGET").map_err(|error| error.to_string())?;
    if !target.contains("linux") {
        return Err(format!("containers run Linux, and this build is for {target}"));
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--edition", "2024", "--crate-type", "bin", "--crate-name", "door", "--target", &target]);
    for setting in ["target-feature=+crt-static", "opt-level=2", "strip=symbols", "panic=abort"] {
        command.args(["-C", setting]);
    }
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        command.args(["-C", &format!("linker={linker}")]);
    }
    let built = command.arg("-o").arg(out).arg("door/door.rs").output();
    let built = built.map_err(|error| format!("rustc cannot be started: {error}"))?;
    if built.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&built.stderr);
    Err(format!("static linking failed; is the C library there as a static one? {}", said.replace('\n', " ")))
}
