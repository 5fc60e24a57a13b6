//! What networks send when nothing happens: bytes per second and node on the loopback interface,
//! with all packet headers. Run it where nothing else uses loopback:
//!
//! `unshare --net sh -c 'ip link set lo up; target/release/examples/idle [NODES] [SECONDS]'`

use anyhow::{Context, Result};
use opensky_network::{Config, Network};
use opensky_ports::{Transport, TransportEvent, transport::KnockAnswer};
use opensky_types::{Hash, Keypair};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::sleep};

/// Time for connecting before the count starts.
const SETTLING: Duration = Duration::from_secs(10);
const MONTH_SECONDS: f64 = 30.0 * 86_400.0;

/// Lets everyone in.
async fn serve(network: Arc<Network>, mut events: mpsc::Receiver<TransportEvent>) {
    while let Some(event) = events.recv().await {
        match event {
            TransportEvent::Knocked { answer, .. } => {
                drop(answer.send(KnockAnswer { body: b"welcome".to_vec(), admitted: true }));
            }
            TransportEvent::Welcomed { from, address, .. } => network.admit(from, vec![address]),
            _ => {}
        }
    }
}

/// Bytes that the loopback interface has carried; each packet once.
fn loopback_bytes() -> Result<u64> {
    let table = std::fs::read_to_string("/proc/net/dev")?;
    let line = table.lines().find_map(|line| line.trim().strip_prefix("lo:")).context("no loopback")?;
    line.split_whitespace().next().context("no count")?.parse().context("not a count")
}

fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().context("no name")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks as f64 / 100.0)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let nodes: u8 = arguments.next().map_or(Ok(4), |text| text.parse()).context("NODES is a number")?;
    let seconds: u64 = arguments.next().map_or(Ok(60), |text| text.parse()).context("SECONDS is a number")?;

    let mut networks = Vec::new();
    let mut bootstrap = Vec::new();
    for index in 0..nodes {
        let key = Keypair::from_seed(*Hash::of(&[index]).as_bytes());
        let config = Config {
            loopback_only: true,
            topics: vec!["offers/1"],
            knock_body: b"member".to_vec(),
            bootstrap: bootstrap.clone(),
            ..Config::default()
        };
        let (network, events) = Network::start(config, &key)?;
        let network = Arc::new(network);
        if index == 0 {
            let view = network.view().await;
            let address = view.listening.iter().find(|text| text.contains("/ip4/") && text.contains("quic"));
            bootstrap = vec![format!("{}/p2p/{}", address.context("no address")?, key.id())];
        }
        tokio::spawn(serve(network.clone(), events));
        networks.push(network);
    }
    sleep(SETTLING).await;
    let (bytes, cpu) = (loopback_bytes()?, cpu_seconds()?);
    sleep(Duration::from_secs(seconds)).await;
    let per_node = (loopback_bytes()? - bytes) as f64 / seconds as f64 / f64::from(nodes);
    let cpu_share = (cpu_seconds()? - cpu) / seconds as f64 / f64::from(nodes) * 100.0;
    let peers: Vec<usize> = futures::future::join_all(networks.iter().map(|network| network.view()))
        .await
        .iter()
        .map(|view| view.peers.len())
        .collect();
    println!(
        "{nodes} nodes, peers {peers:?}: {per_node:.0} B/s sent per node, {:.2} GB a month, {cpu_share:.2} % of a core per node",
        per_node * MONTH_SECONDS / 1e9
    );
    Ok(())
}
