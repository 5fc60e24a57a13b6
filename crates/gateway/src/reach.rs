//! From where a request came in, and which names and pages are this node's own there.

use crate::{
    problem::{Answer, problem},
    wallets::Site,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use opensky_api::Code;
use std::{net::IpAddr, sync::Arc};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Longest name of a host, as DNS has it.
const NAME_BYTES_MAX: usize = 253;
/// Longest port.
const PORT_BYTES_MAX: usize = 5;

/// How requests reach the API through one listener.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    /// Names beside those of this machine; `None` where callers of this machine only come in.
    names: Option<Arc<[String]>>,
    /// Whether nobody on the way can read or change anything.
    is_secure: bool,
}

impl Reach {
    /// Over loopback.
    pub(crate) const LOCAL: Self = Self { names: None, is_secure: false };

    /// From other machines.
    pub(crate) fn remote(names: &[String], is_secure: bool) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { names: Some(names), is_secure }
    }

    /// Whether cookies may travel over secure connections only.
    pub(crate) const fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// A page on the internet can point its own name at this machine; its requests carry that name. An
    /// address nobody can point elsewhere.
    fn names_this_node(&self, headers: &HeaderMap) -> bool {
        let Some(name) = text(headers, header::HOST).and_then(name_of) else { return false };
        let name = name.to_ascii_lowercase();
        match (name.parse::<IpAddr>(), &self.names) {
            (Ok(ip), None) => ip.is_loopback(),
            (Ok(_), Some(_)) => true,
            (Err(_), None) => name == "localhost",
            (Err(_), Some(names)) => name == "localhost" || names.contains(&name),
        }
    }

    /// A session is for the node's own page. A page of another port counts as the same site for cookies, so
    /// the browser's word on where the request comes from has to be asked.
    pub(crate) fn own_page(&self, headers: &HeaderMap) -> Result<(), Answer> {
        let is_own = |origin: &str| self.is_own_origin(headers, origin);
        let origin_fits = headers.get(header::ORIGIN).is_none_or(|value| value.to_str().is_ok_and(is_own));
        let site_fits =
            text(headers, SEC_FETCH_SITE).is_none_or(|site| ["same-origin", "none"].contains(&site));
        if origin_fits && site_fits {
            return Ok(());
        }
        Err(problem(Code::NotAllowed, "the request comes from a page that is not this node's"))
    }

    fn is_own_origin(&self, headers: &HeaderMap, origin: &str) -> bool {
        let host = text(headers, header::HOST).unwrap_or_default();
        // Over loopback, what leads here may speak TLS itself.
        let schemes: &[&str] = if self.is_secure { &["https://"] } else { &["http://", "https://"] };
        schemes.iter().any(|scheme| origin.strip_prefix(scheme) == Some(host))
    }

    /// Which page of this node asks, as its request says. No longer than a name and a port.
    pub(crate) fn site(&self, headers: &HeaderMap) -> Site {
        let host = text(headers, header::HOST).unwrap_or_default();
        let scheme = if self.is_secure { "https" } else { "http" };
        let uri = match text(headers, header::ORIGIN).filter(|origin| self.is_own_origin(headers, origin)) {
            Some(origin) => origin.to_owned(),
            None => format!("{scheme}://{host}"),
        };
        Site { domain: host.to_owned(), uri }
    }
}

/// The name or address in `name`, `name:port`, `[address]` or `[address]:port`; `None` for anything else.
fn name_of(authority: &str) -> Option<&str> {
    let (name, rest) = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_port = |port: &str| {
        (1..=PORT_BYTES_MAX).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let fits = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
    (fits && name.len() <= NAME_BYTES_MAX).then_some(name)
}

/// Lets a request through that was sent to a name of this node, and tells from where it came in.
pub(crate) async fn check(State(reach): State<Reach>, mut request: Request, next: Next) -> Response {
    if !reach.names_this_node(request.headers()) {
        let detail = "the Host header does not name this node";
        let next = "use its address, or name it in the setting `remote_names`";
        return Answer(opensky_api::Problem::new(Code::NotAllowed, detail).with_next(next)).into_response();
    }
    request.extensions_mut().insert(reach);
    next.run(request).await
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn w3_names_of_others_are_not_this_nodes() {
        let remote = Reach::remote(&["Node.example.com".to_owned()], true);
        for (host, local, remotely) in [
            ("localhost:4720", true, true),
            ("127.0.0.1:4720", true, true),
            ("[::1]:4720", true, true),
            ("192.0.2.7:4720", false, true),
            ("[2001:db8::1]:4720", false, true),
            ("node.example.com", false, true),
            ("NODE.example.com:4720", false, true),
            ("evil.example.com", false, false),
            ("node.example.com.evil.example", false, false),
            ("localhost.evil.example", false, false),
            ("", false, false),
        ] {
            let headers = headers(&[(header::HOST, host)]);
            assert_eq!(Reach::LOCAL.names_this_node(&headers), local, "{host}");
            assert_eq!(remote.names_this_node(&headers), remotely, "{host}");
        }
        assert!(!remote.names_this_node(&HeaderMap::new()));
    }

    #[test]
    fn w5_a_host_is_a_name_and_a_port_and_nothing_more() {
        let long_port = format!("localhost:{}", "0".repeat(60_000));
        let long_address = format!("[::1{}]", " ".repeat(60_000));
        for host in
            [&long_port, &long_address, "localhost:", "localhost:x", "[::1]x", "[::1]:", "[::1", "::1"]
        {
            assert!(!Reach::LOCAL.names_this_node(&headers(&[(header::HOST, host)])), "{} bytes", host.len());
        }
        let long_origin = format!("http://localhost/{}", "x".repeat(60_000));
        let asked = headers(&[(header::HOST, "localhost"), (header::ORIGIN, &long_origin)]);
        assert_eq!(Reach::LOCAL.site(&asked).uri, "http://localhost", "no page of another is signed for");
    }

    #[test]
    fn w3_pages_over_tls_come_over_tls() {
        let remote = Reach::remote(&["node.example.com".to_owned()], true);
        for (origin, fits) in [
            ("https://node.example.com", true),
            ("http://node.example.com", false),
            ("https://node.example.com:1", false),
            ("null", false),
        ] {
            let headers = headers(&[(header::HOST, "node.example.com"), (header::ORIGIN, origin)]);
            assert_eq!(remote.own_page(&headers).is_ok(), fits, "{origin}");
        }
        let plain = headers(&[(header::HOST, "node.example.com")]);
        assert_eq!(remote.site(&plain).uri, "https://node.example.com");
    }
}
