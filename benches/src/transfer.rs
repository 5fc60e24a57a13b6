//! One large blob from node to node over loopback, and the same bytes over bare streams.

mod ours;
mod stock;

use crate::sky::{Sky, job};
use anyhow::{Context, Result};
use opensky_ports::BlobStore;
use opensky_types::{
    job::{Blob, Needs, Program, StageInputs},
    place::Level,
};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Bytes written at a time, as blobs are.
const PIECE_BYTES: usize = 1 << 20;
/// A command program that ends at once and reads nothing.
const IDLE_PROGRAM: &[u8] =
    b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01\x07\x13\x02\x06memory\x02\0\x06_start\0\0\x0a\x04\x01\x02\0\x0b";

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// A job whose input is the blob: fetched, verified, written to disk and synced.
    Blob,
    /// A stream of our network to a process that drops what it reads.
    Stream,
    /// A stream of libp2p's QUIC as it comes, to a process that drops what it reads.
    Stock,
}

/// The receiving process of a stream.
#[derive(Debug, Clone, clap::Args)]
pub struct SinkRole {
    #[arg(long, value_enum)]
    way: Way,
}

/// Prints MB/s (10⁶ bytes).
pub async fn measure(size_bytes: u64, way: Way) -> Result<()> {
    let took = match way {
        Way::Blob => blob(size_bytes).await?,
        Way::Stream => with_sink(way, async |address| ours::send(address, size_bytes).await).await?,
        Way::Stock => with_sink(way, async |address| stock::send(address, size_bytes).await).await?,
    };
    println!("{size_bytes} bytes in {:.3} s", took.as_secs_f64());
    println!("{:.0}", size_bytes as f64 / 1e6 / took.as_secs_f64());
    Ok(())
}

/// Receives until the sending process ends.
pub async fn sink(role: SinkRole) -> Result<()> {
    match role.way {
        Way::Stream => ours::receive().await,
        Way::Stock => stock::receive().await,
        Way::Blob => anyhow::bail!("blobs go to a node"),
    }
}

/// The time of a job over a new blob, less that of the same job once the provider has the blob.
async fn blob(size_bytes: u64) -> Result<Duration> {
    let sky = Sky::start(1, 1).await?;
    let blobs = sky.consumer.handle.blobs();
    let idle = blobs.put(IDLE_PROGRAM)?;
    let program = Program {
        hash: idle.hash,
        size_bytes: idle.size_bytes,
        level: Level::Vm,
        function: String::new(),
        args: Vec::new(),
        env: Vec::new(),
        deterministic: true,
        needs: Needs::default(),
    };
    let small = blobs.put(b"small")?;
    let over = |blob| job(program.clone(), StageInputs::One { stdin: Some(blob) }, true);
    sky.run(over(small)).await?;
    let large = put(blobs.as_ref(), size_bytes)?;
    let before = sky.cpu()?;
    let (_, first) = sky.run(over(large)).await?;
    let after = sky.cpu()?;
    let (_, again) = sky.run(over(large)).await?;
    sky.stop().await?;
    let (sender, receiver) = (after.0.since(before.0), after.1.since(before.1));
    println!(
        "first {first:.2?}, again {again:.2?}; processor: sender {:.2} s, receiver {:.2} s, its workers {:.2} s",
        sender.own, receiver.own, receiver.children
    );
    Ok(first.saturating_sub(again))
}

/// Bytes that do not repeat, so that nothing on the way can be smart about them.
fn put(blobs: &dyn BlobStore, size_bytes: u64) -> Result<Blob> {
    let mut writer = blobs.create(size_bytes)?;
    let mut stream = blake3::Hasher::new().update(&std::process::id().to_le_bytes()).finalize_xof();
    let mut piece = vec![0; PIECE_BYTES];
    let mut left = size_bytes;
    while left > 0 {
        let count = left.min(PIECE_BYTES as u64) as usize;
        stream.fill(&mut piece[..count]);
        writer.write_all(&piece[..count])?;
        left -= count as u64;
    }
    Ok(writer.finish(None)?)
}

/// Starts the receiving process, which says its address, and sends to it.
async fn with_sink(way: Way, send: impl AsyncFnOnce(&str) -> Result<Duration>) -> Result<Duration> {
    let name = if way == Way::Stream { "stream" } else { "stock" };
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["sink", "--way", name]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child: Child = command.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
    let address = lines.next_line().await?.context("the receiving process ended")?;
    let took = send(&address).await?;
    child.kill().await?;
    Ok(took)
}

/// Times `size_bytes` through a stream until the other end has confirmed that it read them all.
async fn push<S>(mut stream: S, size_bytes: u64) -> Result<Duration>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let piece = vec![7; PIECE_BYTES];
    let start = Instant::now();
    let mut left = size_bytes;
    while left > 0 {
        let count = left.min(PIECE_BYTES as u64) as usize;
        stream.write_all(&piece[..count]).await?;
        left -= count as u64;
    }
    stream.shutdown().await?;
    let read = stream.read_u64().await.context("the receiving end broke off")?;
    anyhow::ensure!(read == size_bytes, "{read} of {size_bytes} bytes arrived");
    Ok(start.elapsed())
}

/// Reads to the end and says how much that was.
async fn drain<S>(mut stream: S) -> Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut piece = vec![0; PIECE_BYTES];
    let mut total = 0;
    loop {
        match stream.read(&mut piece).await? {
            0 => break,
            count => total += count as u64,
        }
    }
    stream.write_u64(total).await?;
    stream.shutdown().await?;
    Ok(())
}
