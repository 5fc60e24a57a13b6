//! `healthcheck` of a Compose service.

use crate::{
    compose::keys,
    import::Reading,
    walk::{expected, join, list},
};
use opensky_textfile::{
    Fault, Span,
    tree::{Node, Value},
};
use opensky_types::service::{HealthCheck, Probe};

/// Time to start for a service of another system's file that says nothing of it, in milliseconds: there, a service that
/// is slow is not started again.
pub(crate) const START_MS_UNSAID: u64 = 5 * 60 * 1_000;
/// What Docker takes where a check says nothing, in milliseconds and tries.
const INTERVAL_MS: u64 = 30_000;
const FAILURES_MAX: u8 = 3;

/// The check of a service that says nothing of its health: a connection to its first port.
pub(crate) fn unsaid(
    reading: &mut Reading<'_>,
    path: &str,
    span: Span,
    ports: &[u16],
) -> Option<HealthCheck> {
    let port = *ports.first()?;
    let what = format!("no health check: it counts as healthy once port {port} takes a connection");
    reading.note(path, span, &what, "");
    Some(HealthCheck { start_ms: START_MS_UNSAID, ..HealthCheck::usual(Probe::Tcp { port }) })
}

/// The check that a service has, or takes for saying nothing. `span` is where its name stands.
pub(crate) fn read(
    reading: &mut Reading<'_>,
    path: &str,
    service: &Node,
    span: Span,
    ports: &[u16],
) -> Result<Option<HealthCheck>, Fault> {
    let Some(node) = service.get("healthcheck").filter(|node| node.value != Value::Null) else {
        return Ok(unsaid(reading, path, span, ports));
    };
    let path = join(path, "healthcheck");
    reading.check_keys(&path, node, keys::HEALTH)?;
    if node.get("disable").map_or(Ok(false), |node| reading.truth(node))? {
        return Ok(None);
    }
    let Some(test) = node.get("test") else {
        reading.note(&path, node.span, "the image's own check is not read", "write out its `test`");
        return Ok(unsaid(reading, &path, node.span, ports));
    };
    let Some(args) = command(reading, test)? else { return Ok(None) };
    let millis = |name: &str, usual| node.get(name).map_or(Ok(usual), |node| reading.millis(node));
    Ok(Some(HealthCheck {
        probe: Probe::Command { args },
        interval_ms: millis("interval", INTERVAL_MS)?,
        timeout_ms: millis("timeout", INTERVAL_MS)?,
        failures_max: node.get("retries").map_or(Ok(FAILURES_MAX), |node| reading.small(node))?,
        start_ms: millis("start_period", START_MS_UNSAID)?,
    }))
}

/// The command to run; none for a check that is switched off.
fn command(reading: &Reading<'_>, test: &Node) -> Result<Option<Vec<String>>, Fault> {
    let shell = |line: String| Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), line]);
    if let Value::Text(line) = &test.value {
        return Ok(shell(line.clone()));
    }
    let mut words = list(test)?.iter().map(|word| reading.text(word)).collect::<Result<Vec<_>, _>>()?;
    let kind = if words.is_empty() { String::new() } else { words.remove(0) };
    match (kind.as_str(), words.len()) {
        ("NONE", 0) => Ok(None),
        ("CMD", 1..) => Ok(Some(words)),
        ("CMD-SHELL", 1) => Ok(shell(words.remove(0))),
        _ => Err(expected(test, "a check that begins with NONE, CMD or CMD-SHELL").with_hint(
            "write [\"CMD\", \"curl\", \"-f\", \"http://localhost\"], or the command as one text",
        )),
    }
}
