//! The machine below: getting out of its way, and what it lacks.

use crate::world::command::{run, runs};
use anyhow::{Context, Result};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// Set for the process that has namespaces of its own.
const INSIDE: &str = "OPENSKY_RIG_INSIDE";
/// Where Debian and others put libfaketime.
const FAKETIME: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// Something that a fault needs from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Disks of its own: loop devices and the right to mount them.
    Disks,
    /// Packets that wait for a program's word.
    Queue,
    /// Packets that are doubled.
    Doubling,
    /// Making system calls fail.
    Strace,
    /// Another wall clock.
    Faketime,
}

impl Need {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disks => "loop devices",
            Self::Queue => "NFQUEUE",
            Self::Doubling => "TEE",
            Self::Strace => "strace",
            Self::Faketime => "libfaketime",
        }
    }

    /// Why it is not there; `None` where it is.
    pub fn lack(self) -> Option<String> {
        match self {
            Self::Disks => (!may_mount()).then(|| {
                "mounting disks needs root (not only of a user namespace), losetup and mkfs.ext4".to_owned()
            }),
            Self::Queue => lack_of_rule(
                &["-A", "INPUT", "-i", "rig-none", "-j", "NFQUEUE", "--queue-num", "0"],
                "the kernel has no NFQUEUE",
            ),
            Self::Doubling => lack_of_rule(
                &["-t", "mangle", "-A", "OUTPUT", "-d", "192.0.2.1", "-j", "TEE", "--gateway", "192.0.2.1"],
                "the kernel has no TEE",
            ),
            Self::Strace => (!runs(Command::new("strace").arg("-V")))
                .then(|| "strace is not installed (apt-get install strace)".to_owned()),
            Self::Faketime => faketime()
                .is_none()
                .then(|| "libfaketime is not installed (apt-get install faketime)".to_owned()),
        }
    }
}

/// Whether this process has its namespaces already.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs this program again where nothing that it does reaches the machine: in a network, a list of
/// mounts and a list of processes of its own, all of which end with it.
pub fn enter() -> Result<ExitCode> {
    let program = std::env::current_exe()?;
    let separate = ["--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"];
    let as_user: &[&str] =
        if rustix::process::getuid().is_root() { &[] } else { &["--user", "--map-root-user"] };
    let mut probe = Command::new("unshare");
    probe.args(as_user).args(separate).args(["--", "ip", "link", "add", "rig0", "type", "bridge"]);
    run(&mut probe).context(
        "this machine lets the rig make no networks: it needs root or user namespaces, `unshare`, `ip`, `iptables`",
    )?;
    let mut inside = Command::new("unshare");
    inside.args(as_user).args(separate).arg("--").arg(program).args(std::env::args_os().skip(1));
    let status = inside.env(INSIDE, "1").status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Makes the inside ready: names of networks are kept in a folder that only it sees.
pub fn prepare() -> Result<()> {
    run(Command::new("mount").args(["-t", "tmpfs", "rig", "/run"]))?;
    fs::create_dir_all("/run/netns")?;
    run(Command::new("ip").args(["link", "set", "lo", "up"]))?;
    run(Command::new("iptables").args(["-w", "-S"]))
        .context("iptables is missing (apt-get install iptables)")?;
    Ok(())
}

/// libfaketime's file.
pub fn faketime() -> Option<PathBuf> {
    FAKETIME.iter().map(Path::new).find(|path| path.exists()).map(Path::to_owned)
}

/// The `opensky` that was built together with this program.
pub fn opensky() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.parent().context("a program lies in a folder")?.join("opensky");
    anyhow::ensure!(path.exists(), "{} is missing; build it first: cargo xtask rig does", path.display());
    Ok(path)
}

/// Root in a user namespace may not mount what is on a block device.
fn may_mount() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let whole = map.split_whitespace().eq(["0", "0", "4294967295"]);
    whole && runs(Command::new("losetup").arg("-f")) && runs(Command::new("mkfs.ext4").arg("-V"))
}

/// Tries a rule that fits no packet, and takes it back.
fn lack_of_rule(rule: &[&str], lack: &str) -> Option<String> {
    if !runs(Command::new("iptables").arg("-w").args(rule)) {
        return Some(lack.to_owned());
    }
    let back: Vec<OsString> =
        rule.iter().map(|word| OsString::from(if *word == "-A" { "-D" } else { word })).collect();
    // What is left of it does nothing.
    let _ = Command::new("iptables").arg("-w").args(back).stderr(Stdio::null()).status();
    None
}
