//! What this machine can do at best: figures of nodes are judged beside these.

use crate::{process, spread::Spread};
use anyhow::{Context, Result};
use opensky_types::Keypair;
use std::{
    hint::black_box,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

const ROUND_TRIPS: usize = 10_000;
const BULK_BYTES: usize = 64 << 20;
const SYNCS: usize = 50;

/// Prints all of them.
pub fn measure() -> Result<()> {
    let (load, cores) = process::load();
    println!("machine           {} ({cores} cores), load {load}", processor());
    if load > cores as f64 * 0.5 {
        println!("warning: the machine is busy; only ratios within one run mean anything");
    }
    let round_trip = loopback()?;
    println!("loopback          {round_trip} for one byte there and back (TCP)");
    let source = vec![7_u8; BULK_BYTES];
    let mut target = vec![0_u8; BULK_BYTES];
    println!(
        "memcpy            {:.1} GB/s",
        gigabytes_per_second(|| black_box(&mut target).copy_from_slice(black_box(&source)))
    );
    println!(
        "BLAKE3            {:.2} GB/s on one core",
        gigabytes_per_second(|| _ = black_box(blake3::hash(&source)))
    );
    let key = Keypair::from_seed([1; 32]);
    let message = [7; 200];
    let signature = key.sign(&message);
    println!("ed25519 sign      {:.1} us", each_us(2_000, || _ = black_box(key.sign(&message))));
    println!("ed25519 verify    {:.1} us", each_us(2_000, || assert!(key.id().verify(&message, &signature))));
    println!("fdatasync         {} after 4 KiB", syncs()?);
    println!("{:.1}", round_trip.at_us(0.5));
    Ok(())
}

/// One byte there and back over TCP between two threads.
pub fn loopback() -> Result<Spread> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let echo = thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut byte = [0];
        while stream.read(&mut byte)? == 1 {
            stream.write_all(&byte)?;
        }
        Ok(())
    });
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut times = Vec::with_capacity(ROUND_TRIPS);
    for _ in 0..ROUND_TRIPS {
        let start = Instant::now();
        stream.write_all(&[1])?;
        stream.read_exact(&mut [0])?;
        times.push(start.elapsed());
    }
    drop(stream);
    echo.join().ok().context("the echo thread panicked")??;
    Ok(Spread::of(times))
}

fn gigabytes_per_second(mut pass: impl FnMut()) -> f64 {
    pass();
    let best = (0..5).map(|_| timed(&mut pass)).min().expect("five passes");
    BULK_BYTES as f64 / 1e9 / best.as_secs_f64()
}

fn each_us(count: u32, mut work: impl FnMut()) -> f64 {
    let total = timed(|| (0..count).for_each(|_| work()));
    total.as_secs_f64() * 1e6 / f64::from(count)
}

fn syncs() -> Result<Spread> {
    let mut file = tempfile::tempfile()?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        file.write_all(&[7; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed());
    }
    Ok(Spread::of(times))
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "unknown processor".to_owned(), |(_, name)| name.to_owned())
}
