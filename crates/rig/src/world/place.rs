//! Networks: a bridge with namespaces around it, each with an address, as machines at a switch.

use super::command::{line, run};
use anyhow::{Context, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::{fs::File, net::Ipv4Addr, os::fd::AsFd, path::PathBuf, process::Command, thread};

/// The bridge, which lies in the rig's own namespace.
const BRIDGE: &str = "rig0";

/// Makes the bridge.
pub fn make_bridge() -> Result<()> {
    line(&format!("ip link add {BRIDGE} type bridge"))?;
    line(&format!("ip link set {BRIDGE} up"))?;
    Ok(())
}

/// The address of the machine with this number. It looks public, since nodes treat private ones
/// otherwise, and leads nowhere: the rig's networks have no way out.
pub fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(44, 128, 7, number)
}

/// A network namespace.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub name: String,
}

impl Place {
    /// Makes a namespace with its loopback up and nothing else. It has no IPv6, so that the addresses
    /// that the rig gives are all there are.
    pub fn make(name: &str) -> Result<Self> {
        line(&format!("ip netns add {name}"))?;
        let place = Self { name: name.to_owned() };
        for which in ["all", "default"] {
            let set = format!("echo 1 > /proc/sys/net/ipv6/conf/{which}/disable_ipv6");
            run(place.command("sh").args(["-c", &set]))?;
        }
        line(&format!("ip -n {name} link set lo up"))?;
        Ok(place)
    }

    /// Makes a namespace at the bridge.
    pub fn at_bridge(name: &str, address: Ipv4Addr) -> Result<Self> {
        let place = Self::make(name)?;
        place.plug(address)?;
        Ok(place)
    }

    /// Lays a cable to the bridge, at whose end is `eth0` with this address.
    pub fn plug(&self, address: Ipv4Addr) -> Result<()> {
        let name = &self.name;
        line(&format!("ip link add b-{name} type veth peer name eth0 netns {name}"))?;
        line(&format!("ip link set b-{name} master {BRIDGE} up"))?;
        line(&format!("ip -n {name} addr add {address}/24 dev eth0"))?;
        line(&format!("ip -n {name} link set eth0 up"))?;
        Ok(())
    }

    /// A command that runs in it. Not by `ip netns exec`: that copies the list of mounts, so that a disk
    /// stays in use wherever it was seen.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }

    /// Adds a rule of its filter, or takes one away: words of `iptables`.
    pub fn rule(&self, words: &str) -> Result<()> {
        run(self.command("iptables").arg("-w").args(words.split_whitespace())).map(drop)
    }

    /// Does something on a thread that is in it.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let inside = || {
            self.enter()?;
            work()
        };
        thread::scope(|scope| match scope.spawn(inside).join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Moves this thread into it, for good.
    pub fn enter(&self) -> Result<()> {
        let path = self.path();
        let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .with_context(|| format!("entering the network {}", self.name))
    }

    fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.name)
    }
}
