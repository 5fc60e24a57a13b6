//! A stream of libp2p over QUIC with the settings it comes with.

use super::{drain, push};
use anyhow::{Context, Result};
use futures::StreamExt;
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder, multiaddr::Protocol, swarm::SwarmEvent};
use std::time::Duration;
use tokio_util::compat::FuturesAsyncReadCompatExt;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/opensky-bench/sink/1");

fn swarm() -> Result<Swarm<libp2p_stream::Behaviour>> {
    let builder = SwarmBuilder::with_new_identity().with_tokio().with_quic();
    let builder = builder.with_behaviour(|_| libp2p_stream::Behaviour::new())?;
    let idle = |config: libp2p::swarm::Config| config.with_idle_connection_timeout(Duration::from_secs(60));
    Ok(builder.with_swarm_config(idle).build())
}

/// Says its address and serves.
pub async fn receive() -> Result<()> {
    let mut swarm = swarm()?;
    let mut incoming = swarm.behaviour().new_control().accept(PROTOCOL)?;
    swarm.listen_on("/ip4/127.0.0.1/udp/0/quic-v1".parse()?)?;
    loop {
        tokio::select! {
            event = swarm.select_next_some() => {
                if let SwarmEvent::NewListenAddr { address, .. } = event {
                    println!("{address}/p2p/{}", swarm.local_peer_id());
                }
            }
            Some((_, stream)) = incoming.next() => drop(tokio::spawn(drain(stream.compat()))),
        }
    }
}

/// Times the bytes, not the connecting.
pub async fn send(address: &str, size_bytes: u64) -> Result<Duration> {
    let mut swarm = swarm()?;
    let address: Multiaddr = address.parse()?;
    let Some(Protocol::P2p(peer)) = address.iter().last() else { anyhow::bail!("{address} names no peer") };
    let mut control = swarm.behaviour().new_control();
    swarm.dial(address)?;
    while !swarm.is_connected(&peer) {
        swarm.next().await.context("the swarm ended")?;
    }
    let driver = tokio::spawn(async move { while swarm.next().await.is_some() {} });
    let stream = control.open_stream(peer, PROTOCOL).await?;
    let took = push(stream.compat(), size_bytes).await;
    driver.abort();
    took
}
