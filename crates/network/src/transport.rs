//! The ways to another node: relay circuits, QUIC, and TCP with Noise and Yamux; names by DNS.

use crate::{
    counted::{Counted, Traffic},
    network::StartError,
};
use libp2p::{
    PeerId, Transport as _,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, global_only},
        upgrade::Version,
    },
    dns, identity, noise, quic, relay, tcp, yamux,
};
use std::{sync::Arc, time::Duration};

/// Time for TCP, Noise and Yamux, or for QUIC, to come up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(4);
/// Bytes in flight on one QUIC stream. At 100 ms round trip, 16 MiB fill 1.3 Gbit/s.
const STREAM_WINDOW_BYTES: u32 = 16 * 1024 * 1024;
/// Bytes in flight on one QUIC connection.
const CONNECTION_WINDOW_BYTES: u32 = 32 * 1024 * 1024;
/// Streams a peer may open before some are closed; the finer limit is in `streams.rs`.
const STREAMS_MAX: u32 = 512;
/// Silence after which a QUIC connection is dead.
const IDLE_TIMEOUT_MS: u32 = 30_000;
/// Longer than the pings' interval, so that it only speaks for connections without pings, and
/// shorter than what routers keep a UDP mapping for.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

type Connected = Boxed<(PeerId, StreamMuxerBox)>;

/// Builds the transport. `relayed` comes with the relay client's behaviour.
pub(crate) fn build(
    key: &identity::Keypair,
    relayed: relay::client::Transport,
    traffic: &Arc<Traffic>,
    private_addresses: bool,
) -> Result<Connected, StartError> {
    let noise =
        noise::Config::new(key).map_err(|error| StartError::Setup { part: "noise", source: error.into() })?;
    let direct = named(|| direct(key, noise.clone(), traffic));
    let direct = if private_addresses { direct } else { global_only::Transport::new(direct).boxed() };
    let counter = traffic.clone();
    let relayed = relayed
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux_config())
        .timeout(HANDSHAKE_TIMEOUT)
        .map(move |(peer, muxer), _| (peer, StreamMuxerBox::new(Counted::new(muxer, counter.clone()))));
    Ok(relayed.or_transport(direct).map(|either, _| either.into_inner()).boxed())
}

fn direct(key: &identity::Keypair, noise: noise::Config, traffic: &Arc<Traffic>) -> Connected {
    let counter = traffic.clone();
    let quic = quic::tokio::Transport::new(quic_config(key))
        .map(move |(peer, muxer), _| (peer, StreamMuxerBox::new(Counted::new(muxer, counter.clone()))));
    let counter = traffic.clone();
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(yamux_config())
        .timeout(HANDSHAKE_TIMEOUT)
        .map(move |(peer, muxer), _| (peer, StreamMuxerBox::new(Counted::new(muxer, counter.clone()))));
    quic.or_transport(tcp).map(|either, _| either.into_inner()).boxed()
}

/// Adds name resolution by the system's settings. A machine without them (a bare container) still
/// reaches addresses, so that is no reason not to start.
fn named(direct: impl Fn() -> Connected) -> Connected {
    match dns::tokio::Transport::system(direct()) {
        Ok(named) => named.boxed(),
        Err(error) => {
            tracing::warn!(%error, "host names in addresses will not resolve: no resolver is configured");
            direct()
        }
    }
}

fn quic_config(key: &identity::Keypair) -> quic::Config {
    let mut config = quic::Config::new(key);
    config.handshake_timeout = HANDSHAKE_TIMEOUT;
    config.max_idle_timeout = IDLE_TIMEOUT_MS;
    config.keep_alive_interval = KEEP_ALIVE;
    config.max_concurrent_stream_limit = STREAMS_MAX;
    config.max_stream_data = STREAM_WINDOW_BYTES;
    config.max_connection_data = CONNECTION_WINDOW_BYTES;
    config
}

/// Yamux sizes its windows by itself, from the measured round trip, within 1 GiB a connection
/// divided by the streams; the stream count bounds both.
fn yamux_config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS_MAX as usize);
    config
}
