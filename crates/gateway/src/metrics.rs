//! Measurements for Prometheus, in the text form of OpenMetrics. `docs/metrics.md` lists them.

use axum::http::{Method, StatusCode};
use opensky_api::status::Status;
use opensky_node::Status as NodeStatus;
use opensky_ports::ledger::{Overview, Role};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};
use std::time::Duration;

/// What the text is, for the header `Content-Type`.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PREFIX: &str = "opensky";

/// What a request was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: &'static str,
    status: u32,
}

/// Where it went.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: &'static str,
}

/// What is counted as it happens: requests of the API.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Asked, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let requests = Family::default();
        registry.register("http_requests", "Requests of the API", requests.clone());
        // From half a millisecond to half a minute.
        let seconds = Family::new_with_constructor(
            (|| Histogram::new(exponential_buckets(0.000_5, 4.0, 9))) as fn() -> Histogram,
        );
        registry.register("http_request_seconds", "Time until an answer began", seconds.clone());
        Self { registry, requests, seconds }
    }
}

impl Metrics {
    /// Counts a request.
    pub(crate) fn count(&self, method: &Method, route: &'static str, status: StatusCode, time: Duration) {
        let asked = Asked { method: word(method), route, status: status.as_u16().into() };
        self.requests.get_or_create(&asked).inc();
        self.seconds.get_or_create(&Route { route }).observe(time.as_secs_f64());
    }

    /// All that is measured.
    pub(crate) fn text(&self, readings: &Readings) -> String {
        let mut text = String::new();
        let written = text::encode_registry(&mut text, &self.registry)
            .and_then(|()| text::encode_registry(&mut text, &readings.registry()))
            .and_then(|()| text::encode_eof(&mut text));
        written.expect("a string grows");
        text
    }
}

/// A method as a label: callers can make up methods, which must not make up labels.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

/// What is read when somebody asks.
pub(crate) struct Readings {
    pub(crate) status: Status,
    pub(crate) node: NodeStatus,
    pub(crate) ledger: Overview,
}

impl Readings {
    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let version = Info::new(vec![("version", self.status.version.clone())]);
        registry.register("build", "The software that runs", version);
        for (name, help, value) in self.of_node().into_iter().chain(self.of_machine()).chain(self.of_ledger())
        {
            registry.register(name, help, ConstGauge::new(value));
        }
        for (name, help, value) in self.counted() {
            registry.register(name, help, ConstCounter::new(value));
        }
        registry
    }

    fn counted(&self) -> [(&'static str, &'static str, u64); 3] {
        let network = &self.status.network;
        [
            ("network_sent_bytes", "Traffic out since start", network.sent_bytes),
            ("network_received_bytes", "Traffic in since start", network.received_bytes),
            ("tasks_done", "Tasks done for others since start", self.node.tasks_done),
        ]
    }

    fn of_node(&self) -> [(&'static str, &'static str, f64); 10] {
        let (status, node) = (&self.status, &self.node);
        [
            ("started_seconds", "When the node started, since 1970", seconds(status.started_at.as_millis())),
            ("peers", "Connected members", status.network.peers.into()),
            ("peers_relayed", "Of those, reached through another node", status.network.peers_relayed.into()),
            ("offers", "Live offers that the node knows, its own among them", status.offers.into()),
            ("jobs_active", "Jobs of the owner that have not ended", node.jobs_active.into()),
            ("slots", "Tasks of others that may run at a time", node.slots_total.into()),
            ("tasks_running", "Tasks of others that run", node.tasks_running.into()),
            ("tasks_queued", "Tasks of others that wait", node.tasks_queued.into()),
            ("sharing", "1 while the machine is shared", flag(node.sharing_note.is_empty())),
            ("disk_failed", "1 while the node cannot write", flag(node.disk_problem.is_some())),
        ]
    }

    fn of_machine(&self) -> [(&'static str, &'static str, f64); 6] {
        let (status, readings) = (&self.status, &self.node.readings);
        [
            ("blobs_used_bytes", "Content in the store", status.storage.used_bytes as f64),
            ("blobs_cap_bytes", "The most it may be", status.storage.cap_bytes as f64),
            ("resident_bytes", "The node's own memory, without workers", status.resident_bytes as f64),
            ("cpu_busy_percent", "Processor use by others than the node", readings.cpu_busy_percent.into()),
            (
                "memory_available_bytes",
                "Memory that new work could take",
                readings.memory_available_bytes as f64,
            ),
            ("disk_free_bytes", "Free disk", readings.disk_free_bytes as f64),
        ]
    }

    fn of_ledger(&self) -> [(&'static str, &'static str, f64); 6] {
        let (ledger, head) = (&self.ledger, &self.ledger.head);
        let available = self.status.ledger.available_micros.map_or(0, |amount| amount.get());
        [
            ("ledger_height", "The newest final block", head.height as f64),
            ("ledger_head_seconds", "That block's time, since 1970", seconds(head.time.as_millis())),
            ("ledger_waiting_transactions", "Transactions that wait for a block", ledger.waiting as f64),
            ("ledger_entries", "Entries of the state", ledger.entries as f64),
            ("ledger_validating", "1 while the node votes on blocks", flag(ledger.role == Role::Validator)),
            ("account_available_micros", "What the node's account can spend", available as f64),
        ]
    }
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}
