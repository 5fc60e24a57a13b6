//! Bytes per second of one stream between two networks on loopback.
//!
//! `cargo run --release -p opensky-network --example bulk -- [MIB] [quic|tcp]`

use anyhow::{Context, Result};
use opensky_network::{Config, Network};
use opensky_ports::{Transport, TransportEvent};
use opensky_types::{Hash, Keypair};
use std::time::Instant;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

const PROTOCOL: &str = "/opensky/bulk/1";
/// What is written and read at a time.
const PIECE_BYTES: usize = 256 * 1024;
const MIB: usize = 1024 * 1024;
const ROUNDS: usize = 5;

fn start(name: &[u8]) -> Result<(Keypair, Network, mpsc::Receiver<TransportEvent>)> {
    let key = Keypair::from_seed(*Hash::of(name).as_bytes());
    let config = Config { loopback_only: true, protocols: vec![PROTOCOL], ..Config::default() };
    let (network, events) = Network::start(config, &key)?;
    Ok((key, network, events))
}

/// Reads every stream to its end and answers with one byte.
async fn receive(mut events: mpsc::Receiver<TransportEvent>) -> Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    while let Some(event) = events.recv().await {
        if let TransportEvent::Stream { mut stream, .. } = event {
            while stream.read(&mut piece).await? > 0 {}
            stream.write_all(b".").await?;
            stream.shutdown().await?;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mib: usize = arguments.next().map_or(Ok(1024), |text| text.parse()).context("MIB is a number")?;
    let way = arguments.next().unwrap_or_else(|| "quic".to_owned());

    let (sender_key, sender, mut sender_events) = start(b"sender")?;
    let (receiver_key, receiver, receiver_events) = start(b"receiver")?;
    let mut addresses = receiver.view().await.listening;
    addresses.retain(|address| address.starts_with("/ip4/") && address.contains(&way));
    receiver.admit(sender_key.id(), Vec::new());
    sender.admit(receiver_key.id(), addresses);
    let receiving = tokio::spawn(receive(receiver_events));
    while !matches!(sender_events.recv().await.context("the network ended")?, TransportEvent::PeerUp { .. }) {
    }

    let piece = vec![7; PIECE_BYTES];
    for round in 1..=ROUNDS {
        let started = Instant::now();
        let mut stream = sender.open(receiver_key.id(), PROTOCOL).await?;
        for _ in 0..mib * MIB / PIECE_BYTES {
            stream.write_all(&piece).await?;
        }
        stream.shutdown().await?;
        stream.read_u8().await?;
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{way} round {round}: {mib} MiB in {seconds:.2} s, {:.0} MB/s",
            (mib * MIB) as f64 / 1e6 / seconds
        );
    }
    sender.shut_down().await;
    receiver.shut_down().await;
    receiving.await?
}
