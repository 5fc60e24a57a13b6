//! The network interfaces of this machine, as far as people have to choose between them.

use std::{ffi::OsString, net::IpAddr};
use sysinfo::{NetworkData, Networks};

/// Beginnings of names that container and virtual machine software gives to its interfaces.
const CONTAINER_NAMES: [&str; 11] =
    ["docker", "br-", "veth", "cni", "flannel", "cali", "virbr", "lxc", "lxdbr", "podman", "vmnet"];
/// Beginnings of names of tunnels.
const TUNNEL_NAMES: [&str; 6] = ["tun", "tap", "wg", "tailscale", "zt", "ppp"];

/// What is at the other end of an interface, judged by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterfaceKind {
    /// A network of machines, as far as is known.
    Network,
    /// Containers or virtual machines on this machine.
    Containers,
    /// A tunnel or VPN.
    Tunnel,
}

/// An interface that has an address other machines may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name, such as `eth0`.
    pub name: String,
    /// What it leads to.
    pub kind: InterfaceKind,
    /// Its addresses, IPv4 first.
    pub addresses: Vec<IpAddr>,
}

/// The interfaces that lead out of this machine, by name. None where the system does not say; then
/// nothing can be said of them either.
pub fn interfaces() -> Vec<Interface> {
    let networks = match Networks::new_with_refreshed_list() {
        Ok(networks) => networks,
        Err(error) => {
            tracing::warn!(%error, "the network interfaces cannot be read");
            return Vec::new();
        }
    };
    let named = |(name, data): (&OsString, _)| interface(&name.to_string_lossy(), addresses(data));
    let mut found: Vec<Interface> = networks.iter().filter_map(named).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn addresses(data: &NetworkData) -> Vec<IpAddr> {
    data.ip_networks().iter().map(|network| network.addr).collect()
}

/// `None` where no other machine is reached: the loopback interface, and one without an address.
fn interface(name: &str, mut addresses: Vec<IpAddr>) -> Option<Interface> {
    addresses.retain(|address| !address.is_loopback());
    if addresses.is_empty() {
        return None;
    }
    addresses.sort_unstable();
    let starts = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
    let kind = if starts(&CONTAINER_NAMES) {
        InterfaceKind::Containers
    } else if starts(&TUNNEL_NAMES) {
        InterfaceKind::Tunnel
    } else {
        InterfaceKind::Network
    };
    Some(Interface { name: name.to_owned(), kind, addresses })
}

#[cfg(test)]
mod tests {
    use super::{Interface, InterfaceKind, interface};
    use std::net::IpAddr;

    #[test]
    fn interfaces_are_told_apart() {
        let ip = |text: &str| -> IpAddr { text.parse().expect("an address") };
        let table = [
            ("lo", vec!["127.0.0.1", "::1"], None),
            ("eth1", vec![], None),
            ("eth0", vec!["fe80::1", "192.0.2.2"], Some(InterfaceKind::Network)),
            ("wlp3s0", vec!["192.168.1.5"], Some(InterfaceKind::Network)),
            ("docker0", vec!["172.17.0.1"], Some(InterfaceKind::Containers)),
            ("br-0c1f", vec!["172.18.0.1"], Some(InterfaceKind::Containers)),
            ("wg0", vec!["10.1.0.1"], Some(InterfaceKind::Tunnel)),
        ];
        for (name, addresses, kind) in table {
            let mut sorted: Vec<IpAddr> = addresses.iter().map(|text| ip(text)).collect();
            let found = interface(name, sorted.clone());
            sorted.sort_unstable();
            let expected = kind.map(|kind| Interface { name: name.into(), kind, addresses: sorted });
            assert_eq!(found, expected, "{name}");
        }
    }
}
