//! Local addresses that lead to services.

use opensky_textfile::{Fault, Span};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// An address on the owner's node that leads to a port of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish {
    /// Where the owner's node listens; port 0 for a free one.
    pub local: SocketAddr,
    /// The service's port.
    pub port: u16,
}

impl fmt::Display for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.local, self.port)
    }
}

/// Where a node listens unless the file says: not beyond its machine.
pub(crate) const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Reads `80`, `8080:80`, `127.0.0.1:8080:80`, `[::1]:8080:80` or `127.0.0.1::80`.
pub(crate) fn parse(text: &str, span: Span) -> Result<Publish, Fault> {
    read(text).ok_or_else(|| {
        Fault::new(span, format!("'{text}' is no address to publish"))
            .with_hint("write \"8080:80\", \"127.0.0.1:8080:80\", or \"80\" for a free local port")
    })
}

fn read(text: &str) -> Option<Publish> {
    let Some((local, port)) = text.rsplit_once(':') else {
        return Some(Publish { local: SocketAddr::new(LOCAL, 0), port: port(text)? });
    };
    let port = self::port(port)?;
    let (ip, local) = match local.rsplit_once(':') {
        None => (LOCAL, local),
        Some((ip, local)) => (self::ip(ip)?, local),
    };
    let local = if local.is_empty() && text.matches(':').count() > 1 { 0 } else { self::port(local)? };
    Some(Publish { local: SocketAddr::new(ip, local), port })
}

/// An address with or without the brackets of IPv6.
pub(crate) fn ip(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if inner == "localhost" { Some(LOCAL) } else { inner.parse().ok() }
}

/// A port from 1 to 65535, in digits alone.
pub(crate) fn port(text: &str) -> Option<u16> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| *port > 0 && is_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_people_write_them() {
        for (text, expected) in [
            ("80", Some("127.0.0.1:0:80")),
            ("8080:80", Some("127.0.0.1:8080:80")),
            ("0.0.0.0:8080:80", Some("0.0.0.0:8080:80")),
            ("localhost:8080:80", Some("127.0.0.1:8080:80")),
            ("[::1]:8080:80", Some("[::1]:8080:80")),
            ("127.0.0.1::80", Some("127.0.0.1:0:80")),
            (":80", None),
            ("0:80", None),
            ("8080:0", None),
            ("+80", None),
            ("80:", None),
            ("65536", None),
            ("8080:80/udp", None),
            ("host:8080:80", None),
            ("", None),
        ] {
            assert_eq!(read(text).map(|publish| publish.to_string()).as_deref(), expected, "{text}");
        }
    }
}
