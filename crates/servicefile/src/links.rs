//! Links as service files write them.

use crate::publish::port;
use opensky_textfile::{Fault, values::At};
use opensky_types::service::{Link, ServiceRef, check_name};

/// Reads `db:5432`, `cache=redis:6379` or `cache=redis@NODE:6379`.
pub(crate) fn parse(at: &At<String>) -> Result<Link, Fault> {
    let bad = |problem: String| {
        Fault::new(at.span, problem)
            .with_hint("write \"db:5432\", or \"cache=redis@NODE:6379\" for another name or another owner's")
    };
    let text = at.value.as_str();
    let (named, port_text) =
        text.rsplit_once(':').ok_or_else(|| bad(format!("the link '{text}' has no port")))?;
    let port = port(port_text).ok_or_else(|| bad(format!("'{port_text}' is no port")))?;
    let (host, service) = match named.split_once('=') {
        Some((host, service)) => (Some(host), service),
        None => (None, named),
    };
    let service: ServiceRef =
        service.parse().map_err(|_| bad(format!("'{service}' is no service to reach")))?;
    let host = host.unwrap_or(&service.name).to_owned();
    check_name(&host).map_err(|invalid| bad(format!("'{host}' is no host: {}", invalid.problem)))?;
    Ok(Link { host, service, port })
}
