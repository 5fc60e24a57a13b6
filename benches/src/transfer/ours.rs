//! A bare stream of our network.

use super::{drain, push};
use crate::node::key;
use anyhow::{Context, Result};
use opensky_network::{Config, Network};
use opensky_ports::{Transport, TransportEvent};
use opensky_types::Hash;
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};

const PROTOCOL: &str = "/opensky-bench/sink/1";
const SENDER: u8 = 1;
const RECEIVER: u8 = 2;
/// Longest wait for the two to meet.
const MEET_TIMEOUT: Duration = Duration::from_secs(20);

fn start(number: u8) -> Result<(Network, mpsc::Receiver<TransportEvent>)> {
    let config = Config {
        sky: Hash::of(b"bench"),
        loopback_only: true,
        protocols: vec![PROTOCOL],
        ..Config::default()
    };
    Ok(Network::start(config, &key(number))?)
}

/// Says its addresses and serves.
pub async fn receive() -> Result<()> {
    let (network, mut events) = start(RECEIVER)?;
    network.admit(key(SENDER).id(), Vec::new());
    println!("{}", network.view().await.listening.join(" "));
    while let Some(event) = events.recv().await {
        if let TransportEvent::Stream { stream, .. } = event {
            drain(stream).await?;
        }
    }
    Ok(())
}

/// Times the bytes, not the connecting.
pub async fn send(addresses: &str, size_bytes: u64) -> Result<Duration> {
    let (network, mut events) = start(SENDER)?;
    let receiver = key(RECEIVER).id();
    let quic = addresses.split(' ').filter(|address| address.contains("quic-v1")).map(str::to_owned);
    network.admit(receiver, quic.collect());
    let met = async {
        while let Some(event) = events.recv().await {
            if matches!(event, TransportEvent::PeerUp { node } if node == receiver) {
                break;
            }
        }
    };
    timeout(MEET_TIMEOUT, met).await.context("the two networks did not meet")?;
    push(network.open(receiver, PROTOCOL).await?, size_bytes).await
}
