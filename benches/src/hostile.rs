//! A node under attack: strangers connect by the thousand while a member works with it.
//!
//! The attackers are a process of their own, with the lowest priority: on other machines they would not take this
//! one's processor either.

use crate::{
    dispatch::{Shape, warm_sky},
    process,
    sky::{Sky, job, numbers},
    spread::Spread,
};
use anyhow::{Context, Result};
use futures::{StreamExt, stream};
use libp2p::{
    Multiaddr, SwarmBuilder,
    multiaddr::Protocol,
    swarm::{SwarmEvent, dial_opts::DialOpts, dummy},
};
use opensky_types::job::Program;
use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// Connections that are tried at a time.
const AT_A_TIME: usize = 512;
/// A connection that the node does not end is held for so long.
const HELD: Duration = Duration::from_secs(15);
/// Calls before the measured ones.
const WARM_CALLS: usize = 100;
/// Calls without an attack.
const QUIET_CALLS: usize = 2_000;

/// How an attacker behaves once it has a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Says nothing.
    Silent,
    /// Says what no protocol begins with.
    Noise,
    /// Finishes the handshake with a key that nobody knows, and says nothing.
    Stranger,
}

/// Whom to attack, and how often.
#[derive(Debug, Clone, clap::Args)]
pub struct Attack {
    /// Where it listens.
    #[arg(long, value_delimiter = ',')]
    listening: Vec<Multiaddr>,
    /// Connections to try, a third of each kind.
    #[arg(long)]
    connections: usize,
}

/// Makes calls without and with an attack on the node that serves them; prints both, and the node's memory.
pub async fn measure(connections: usize) -> Result<()> {
    let (sky, program) = warm_sky(&Shape { providers: 1, slots: 1 }).await?;
    for _ in 0..WARM_CALLS {
        call(&sky, &program).await?;
    }
    let mut quiet = Vec::with_capacity(QUIET_CALLS);
    for _ in 0..QUIET_CALLS {
        quiet.push(call(&sky, &program).await?);
    }
    let quiet = Spread::of(quiet);
    println!("quiet             {quiet}");
    let (listening, pid) = sky.provider()?;
    let before_mb = process::memory_mb(pid, "VmRSS")?;
    let began = Instant::now();
    let mut attack = spawn(&listening, connections)?;
    let mut attacked = Vec::new();
    while attack.try_wait()?.is_none() {
        attacked.push(call(&sky, &program).await?);
    }
    let took = began.elapsed();
    let peak_mb = process::memory_mb(pid, "VmHWM")?;
    let attacked = Spread::of(attacked);
    println!("under attack      {attacked}");
    println!("the attack        {connections} connections in {took:.1?}");
    println!("the node's memory {before_mb:.0} MB before, {peak_mb:.0} MB at most; goal: 512 MB");
    println!(
        "p99               {:.2} times the quiet one; goal: 2",
        attacked.at_us(0.99) / quiet.at_us(0.99)
    );
    sky.stop().await?;
    println!("{peak_mb:.0}");
    Ok(())
}

async fn call(sky: &Sky, program: &Program) -> Result<Duration> {
    Ok(sky.run(job(program.clone(), numbers(1), false)).await?.1)
}

fn spawn(listening: &[String], connections: usize) -> Result<Child> {
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(std::env::current_exe()?).arg("attack");
    command.args(["--listening", &listening.join(","), "--connections", &connections.to_string()]);
    Ok(command.stdin(Stdio::null()).kill_on_drop(true).spawn()?)
}

/// The attackers' process.
pub async fn attack(attack: Attack) -> Result<()> {
    let tcp = attack.listening.iter().find_map(tcp_of).context("the node listens on TCP")?;
    let is_quic = |address: &&Multiaddr| address.iter().any(|part| part == Protocol::QuicV1);
    let quic = attack.listening.iter().find(is_quic).context("the node listens on QUIC")?.clone();
    let (refused, ended, held) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    stream::iter(0..attack.connections)
        .for_each_concurrent(AT_A_TIME, async |number| {
            let kind = [Kind::Silent, Kind::Noise, Kind::Stranger][number % 3];
            let fate = match kind {
                Kind::Stranger => stranger(quic.clone(), number).await,
                kind => plain(tcp, number, kind).await,
            };
            let count = match fate {
                Fate::Refused => &refused,
                Fate::Ended => &ended,
                Fate::Held => &held,
            };
            count.fetch_add(1, Ordering::Relaxed);
        })
        .await;
    let count = |count: AtomicU32| count.into_inner();
    println!(
        "the attackers     {} refused, {} ended by the node, {} held",
        count(refused),
        count(ended),
        count(held)
    );
    Ok(())
}

/// What became of a hostile connection.
enum Fate {
    Refused,
    Ended,
    Held,
}

fn tcp_of(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    match (parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) => Some((ip, port).into()),
        _ => None,
    }
}

/// One of many addresses of this machine's loopback, each in a network of its own.
fn source(number: usize) -> SocketAddr {
    let number = number as u32;
    (Ipv4Addr::from_bits(0x7f01_0001 + (number % 16_384) * 256), 0).into()
}

async fn plain(target: SocketAddr, number: usize, kind: Kind) -> Fate {
    let connected = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(source(number))?;
        socket.connect(target).await
    };
    let Ok(Ok(mut stream)) = timeout(HELD, connected).await else { return Fate::Refused };
    if kind == Kind::Noise && stream.write_all(&[0xff; 512]).await.is_err() {
        return Fate::Ended;
    }
    let mut answer = [0; 512];
    let ended = async { while stream.read(&mut answer).await.is_ok_and(|read| read > 0) {} };
    if timeout(HELD, ended).await.is_ok() { Fate::Ended } else { Fate::Held }
}

async fn stranger(target: Multiaddr, number: usize) -> Fate {
    let Ok(swarm) =
        SwarmBuilder::with_new_identity().with_tokio().with_quic().with_behaviour(|_| dummy::Behaviour);
    let mut swarm = swarm.with_swarm_config(|config| config.with_idle_connection_timeout(2 * HELD)).build();
    // It dials from where it listens.
    let own = Multiaddr::from(source(number).ip()).with(Protocol::Udp(0)).with(Protocol::QuicV1);
    if swarm.listen_on(own).is_err() {
        return Fate::Refused;
    }
    let mut target = Some(target);
    let fate = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { .. } => {
                    let Some(target) = target.take() else { continue };
                    if swarm.dial(DialOpts::unknown_peer_id().address(target).build()).is_err() {
                        return Fate::Refused;
                    }
                }
                SwarmEvent::ConnectionClosed { .. } => return Fate::Ended,
                SwarmEvent::OutgoingConnectionError { .. } => return Fate::Refused,
                _ => {}
            }
        }
    };
    let end = sleep(HELD);
    tokio::select! {
        fate = fate => fate,
        () = end => Fate::Held,
    }
}
