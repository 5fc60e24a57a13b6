//! The model repeats parameters of crates that it can't use. Each line here fails when its source says otherwise:
//! change `params.rs` then, run the figures again and renew `docs/scale.md`.

#![expect(clippy::disallowed_methods, reason = "a test reads sources")]

use opensky_scale::params;

/// A source below `crates`, and what it says.
const SAID: &[(&str, &str)] = &[
    ("network/src/behaviour.rs", "const QUERY_TIMEOUT: Duration = Duration::from_secs(5);"),
    ("network/src/behaviour.rs", "const BOOTSTRAP_INTERVAL: Duration = Duration::from_secs(60 * 60);"),
    ("network/src/behaviour.rs", "const PROVIDER_TTL: Duration = Duration::from_secs(2 * 60 * 60);"),
    ("network/src/behaviour.rs", ".set_provider_publication_interval(Some(PROVIDER_TTL / 2))"),
    ("network/src/behaviour.rs", "const PROVIDERS_PER_KEY_MAX: usize = 64;"),
    ("network/src/behaviour.rs", "const PING_INTERVAL: Duration = Duration::from_secs(15);"),
    ("network/src/behaviour.rs", "const PING_TIMEOUT: Duration = Duration::from_secs(10);"),
    ("network/src/behaviour.rs", "const HEARTBEAT: Duration = Duration::from_secs(1);"),
    ("network/src/behaviour.rs", "mesh_message_deliveries_weight: 0.0,"),
    ("network/src/transport.rs", "const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(4);"),
    ("network/src/config.rs", "connections_max: 512,"),
    ("network/src/config.rs", "strangers_max: 64,"),
    ("network/src/config.rs", "members_connected_target: 50,"),
    ("network/src/config.rs", "members_idle_max: 128,"),
    ("network/src/driver/idle.rs", "used.len() - max * 3 / 4;"),
    ("network/src/behaviour.rs", "const MESH_MAX: usize = 8;"),
    ("network/src/behaviour.rs", ".gossip_factor(0.0)"),
    ("network/src/behaviour.rs", "const MESSAGE_ID_BYTES: usize = 16;"),
    ("network/src/config.rs", "strangers_per_ip_max: 16,"),
    ("network/src/config.rs", "strangers_per_ip_burst: 64,"),
    ("network/src/config.rs", "silent_stranger_ms: 3_000,"),
    ("network/src/limits.rs", "if self.open.len() >= self.total_max { self.evict() }"),
    ("node/src/sky.rs", "const LOOKUP_NODES_MAX: usize = 16;"),
    ("node/src/config.rs", "offer_interval_ms: 30_000,"),
    ("node/src/offers.rs", "const OFFER_BYTES: u64 = 700;"),
    ("node/src/offers.rs", "const IDLE_BYTES_PER_S: u64 = 300;"),
    ("node/src/offers.rs", "const CHANGE_INTERVAL_MS: u64 = 2_000;"),
    (
        "node/src/offers.rs",
        "since >= interval_ms(config, members) || (self.changed && since >= CHANGE_INTERVAL_MS)",
    ),
    ("node/src/offers.rs", "const LIFE_INTERVALS: u64 = 3;"),
    ("node/src/offers.rs", "let bytes = (members as u64).saturating_mul(OFFER_BYTES);"),
    ("node/src/offers.rs", "bytes.saturating_mul(1_000) / IDLE_BYTES_PER_S"),
    ("node/src/ledger.rs", "const QUIET_BLOCKS: u64 = 12;"),
    ("protocol/src/query.rs", "pub const OFFERS_MAX: u16 = 512;"),
    ("protocol/src/ledger.rs", "pub const NEWS_BYTES_MAX: usize = 12 * 1024;"),
    ("consensus/src/config.rs", "heartbeat: Duration::from_secs(5),"),
    ("ledger/src/tab/payee.rs", "const GATHER_MS: u64 = 2_000;"),
    ("chain/src/founding.rs", "const BODY_BYTES_MAX: usize = 1 << 20;"),
];

fn source(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn t2_parameters_are_those_of_the_product() {
    for (path, says) in SAID {
        assert!(source(path).contains(says), "{path} no longer says `{says}`");
    }
    assert_eq!(params::offer_interval_ms(1), 30_000);
    assert_eq!(params::offer_interval_ms(1_000), 2_333_333);
    assert_eq!(params::offer_interval_ms(3_000), 2_400_000);
}

#[test]
fn t2_defaults_are_those_of_the_libp2p_in_use() {
    let lock = source("../Cargo.lock");
    for (name, version) in [("libp2p-kad", "0.49."), ("libp2p-gossipsub", "0.50.")] {
        let says = format!("name = \"{name}\"\nversion = \"{version}");
        assert!(lock.contains(&says), "{name} is no longer {version}x: look at its defaults");
    }
}
