//! Where requests to a registry may go: to it, and from there to public addresses only (threat J4).

use super::PullError;
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::{Attempt, Policy},
};
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// The registry whose requests another host answers.
const HUB: &str = "docker.io";
const HUB_HOST: &str = "registry-1.docker.io";
const REDIRECTS_MAX: usize = 5;
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Longest silence of a registry.
const READ_WAIT: Duration = Duration::from_secs(30);

/// The way to one registry.
pub struct Reach {
    base: Url,
    http: Client,
}

impl Reach {
    /// To `registry`, a host with perhaps a port; without TLS if it is this machine.
    pub fn new(registry: &str) -> Result<Self, PullError> {
        let broken = |problem: String| PullError::Registry { registry: registry.to_owned(), problem };
        let host = if registry == HUB { HUB_HOST } else { registry };
        let scheme = if is_this_machine(host) { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/")).map_err(|error| broken(error.to_string()))?;
        let bounds = Bounds { home: base.clone() };
        let resolver = Arc::new(Public { home: base.host_str().unwrap_or_default().to_owned() });
        let http = Client::builder()
            .redirect(Policy::custom(move |attempt| bounds.follow(attempt)))
            .dns_resolver(resolver)
            .no_proxy()
            .connect_timeout(CONNECT_WAIT)
            .read_timeout(READ_WAIT)
            .user_agent(concat!("opensky/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { base, http: http.map_err(|error| broken(error.to_string()))? })
    }

    pub const fn http(&self) -> &Client {
        &self.http
    }

    /// The address of something in the registry.
    pub fn url(&self, path: &str) -> Option<Url> {
        self.base.join(path).ok()
    }

    /// Whether the registry may send us there.
    pub fn may_go(&self, url: &Url) -> bool {
        Bounds { home: self.base.clone() }.may_go(url)
    }
}

struct Bounds {
    home: Url,
}

impl Bounds {
    /// To the registry itself, which its owner allows wherever it is; else to public hosts, with TLS. Names are
    /// looked at once more when they have been resolved.
    fn may_go(&self, url: &Url) -> bool {
        if url.origin() == self.home.origin() {
            return true;
        }
        // Another service of the registry's host is none of ours.
        if url.host_str() == self.home.host_str() && !self.is_hub() {
            return false;
        }
        let literal =
            url.host_str().map(|host| host.trim_matches(['[', ']'])).and_then(|host| host.parse().ok());
        url.scheme() == "https" && literal.is_none_or(is_public)
    }

    fn is_hub(&self) -> bool {
        self.home.host_str() == Some(HUB_HOST)
    }

    fn follow(&self, attempt: Attempt<'_>) -> reqwest::redirect::Action {
        if attempt.previous().len() > REDIRECTS_MAX {
            attempt.error("it sends from place to place")
        } else if self.may_go(attempt.url()) {
            attempt.follow()
        } else {
            attempt.error("it sends into a private network")
        }
    }
}

/// Resolves names; of those that are not the registry's own, to public addresses only.
struct Public {
    home: String,
}

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let is_home = name.as_str() == self.home;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|at| is_home || is_public(at.ip())).collect();
            if allowed.is_empty() {
                return Err("a name that stands for no public address".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn is_this_machine(host: &str) -> bool {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether an address is one of the internet, and not of this machine, its networks or their services.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let is_special = v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b));
            !is_special
        }
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public(v4),
            // What is given out to the internet, documentation aside.
            None => v6.segments()[0] & 0xe000 == 0x2000 && v6.segments()[..2] != [0x2001, 0xdb8],
        },
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, translated (64:ff9b::/96) or tunnelled (2002::/16).
fn embedded(address: Ipv6Addr) -> Option<IpAddr> {
    let octets = address.octets();
    let of = |at: usize| IpAddr::from([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]);
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(of(12)),
        [0x2002, ..] => Some(of(2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j4_only_addresses_of_the_internet_are_public() {
        let public =
            ["1.1.1.1", "100.63.255.255", "172.15.0.1", "192.0.1.1", "2606:4700::1111", "64:ff9b::1.1.1.1"];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        let private = [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::169.254.169.254",
            "2002:a00:1::",
            "2001:db8::1",
            "ff02::1",
            "100::1",
        ];
        for address in private {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn j4_a_registry_sends_nobody_into_private_networks() {
        let may_go = |registry: &str, url: &str| Reach::new(registry).unwrap().may_go(&url.parse().unwrap());
        assert!(may_go("docker.io", "https://production.cloudflare.docker.com/x"));
        assert!(may_go("docker.io", "https://registry-1.docker.io/v2/"));
        for url in
            ["http://example.org/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest"]
        {
            assert!(!may_go("docker.io", url), "{url}");
        }
        // A registry in the owner's own network is one that the owner allows by its name.
        assert!(may_go("localhost:5000", "http://localhost:5000/v2/"));
        assert!(!may_go("localhost:5000", "http://localhost:5001/"));
        assert!(!may_go("localhost:5000", "https://localhost:8443/"));
        assert!(!may_go("registry.lan:5000", "https://registry.lan:9443/"));
        assert!(may_go("10.0.0.7:5000", "https://10.0.0.7:5000/"));
    }
}
