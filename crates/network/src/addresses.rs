//! Multiaddresses: reading them, and which of them to believe.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use opensky_types::NodeId;
use std::net::IpAddr;

/// Most addresses kept of one peer.
pub(crate) const ADDRESSES_MAX: usize = 16;

/// A text that is not the address of a node.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{text}` is not the address of a node; one looks like /ip4/192.0.2.7/udp/4242/quic-v1/p2p/12D3KooW…"
)]
pub struct BadAddress {
    text: String,
}

/// The addresses among `texts`; what is not one is skipped, for it comes from peers.
pub(crate) fn parse_all(texts: &[String]) -> Vec<Multiaddr> {
    let mut addresses = Vec::new();
    for text in texts.iter().take(ADDRESSES_MAX) {
        match text.parse() {
            Ok(address) => addresses.push(address),
            Err(_) => tracing::debug!(text, "skipped an address that is not one"),
        }
    }
    addresses
}

/// A node and its address, from a text that ends in `/p2p/NODE`.
pub(crate) fn parse_with_node(text: &str) -> Result<(PeerId, Multiaddr), BadAddress> {
    let bad = || BadAddress { text: text.to_owned() };
    let address: Multiaddr = text.parse().map_err(|_| bad())?;
    match address.iter().last() {
        Some(Protocol::P2p(peer)) if node_of(&peer).is_some() => Ok((peer, address)),
        _ => Err(bad()),
    }
}

/// The libp2p name of a node.
pub(crate) fn peer_of(node: &NodeId) -> PeerId {
    PeerId::from_bytes(&node.to_peer_id_bytes()).expect("a node id has the form of a peer id")
}

/// The node of a libp2p name; none if its key is not ed25519.
pub(crate) fn node_of(peer: &PeerId) -> Option<NodeId> {
    // The bytes are a header of six and the key of 32.
    let bytes = peer.to_bytes();
    let node = NodeId::from_public_key(bytes.get(6..)?.try_into().ok()?);
    (node.to_peer_id_bytes() == bytes).then_some(node)
}

/// Whether the way there leads through a relay. Of whoever came through one, libp2p says the name only.
pub(crate) fn is_relayed(address: &Multiaddr) -> bool {
    let is_name = |part| matches!(part, Protocol::P2p(_));
    address.iter().any(|part| part == Protocol::P2pCircuit)
        || !address.is_empty() && address.iter().all(is_name)
}

/// The first IP address in it.
pub(crate) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)),
        _ => None,
    })
}

/// Whether it names this very machine, so that it means another machine to everyone else.
pub(crate) fn is_loopback(address: &Multiaddr) -> bool {
    ip_of(address).is_some_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

/// Whether it only has a meaning on some private network.
pub(crate) fn is_private(address: &Multiaddr) -> bool {
    match ip_of(address) {
        Some(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified() || shared
        }
        Some(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        None => false,
    }
}

/// Whether to believe an address of a peer that was learned from someone at `source`: a loopback
/// address only from this machine, a private one only where the configuration says so (P4).
pub(crate) fn is_believable(address: &Multiaddr, source: &Multiaddr, private_allowed: bool) -> bool {
    if is_loopback(address) {
        return private_allowed && is_loopback(source);
    }
    private_allowed || !is_private(address)
}

#[cfg(test)]
mod tests {
    use super::{is_believable, node_of, parse_all, parse_with_node, peer_of};
    use libp2p::{Multiaddr, PeerId, identity};
    use opensky_types::Keypair;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_node_id_is_the_peer_id_of_its_key() {
        let node = Keypair::from_seed([7; 32]).id();
        let peer = identity::Keypair::ed25519_from_bytes([7; 32]).unwrap().public().to_peer_id();
        assert_eq!((peer_of(&node), node_of(&peer)), (peer, Some(node)));
        assert_eq!(node_of(&PeerId::random()), None, "a hash of another kind of key");
    }

    #[test]
    fn an_entrance_names_its_node() {
        let node = Keypair::from_seed([7; 32]).id();
        let good = format!("/dns4/example.org/udp/4242/quic-v1/p2p/{node}");
        assert_eq!(parse_with_node(&good).unwrap().0, peer_of(&node));
        for bad in ["", "example.org:4242", "/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/tcp/1/p2p/x"] {
            assert!(parse_with_node(bad).unwrap_err().to_string().contains("/p2p/"), "{bad}");
        }
        assert_eq!(parse_all(&["/ip4/192.0.2.1/tcp/1".into(), "nonsense".into()]).len(), 1);
    }

    #[test]
    fn p4_false_addresses_are_not_believed() {
        // address, learned from, believed where private ones are allowed, believed where not
        let table = [
            ("/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/9", true, false),
            ("/ip4/127.0.0.1/tcp/1", "/ip4/10.0.0.2/tcp/9", false, false),
            ("/ip6/::1/tcp/1", "/ip4/198.51.100.1/tcp/9", false, false),
            ("/ip4/0.0.0.0/tcp/1", "/ip4/10.0.0.2/tcp/9", false, false),
            ("/ip6/::ffff:127.0.0.1/tcp/1", "/ip4/10.0.0.2/tcp/9", false, false),
            ("/ip4/192.168.1.5/tcp/1", "/ip4/192.168.1.9/tcp/9", true, false),
            ("/ip4/169.254.169.254/tcp/80", "/ip4/198.51.100.1/tcp/9", true, false),
            ("/ip4/100.64.0.1/tcp/1", "/ip4/198.51.100.1/tcp/9", true, false),
            ("/ip6/fe80::1/tcp/1", "/ip4/198.51.100.1/tcp/9", true, false),
            ("/ip6/fd00::1/tcp/1", "/ip4/198.51.100.1/tcp/9", true, false),
            ("/ip4/8.8.8.8/tcp/1", "/ip4/198.51.100.1/tcp/9", true, true),
        ];
        for (told, source, with_private, public_only) in table {
            let (told, source) = (address(told), address(source));
            assert_eq!(is_believable(&told, &source, true), with_private, "{told} from {source}");
            assert_eq!(is_believable(&told, &source, false), public_only, "{told} from {source}");
        }
    }
}
