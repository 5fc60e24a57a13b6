//! How long a program stands still while its volume is saved, beside what copying the same file takes:
//! `cargo run --release -p opensky-executor --example pack_volumes -- [MIB]`.

use opensky_executor::volumes::VolumeFolders;
use opensky_ports::testing::MemoryBlobs;
use opensky_types::{samples, service::Volume};
use std::{error::Error, fs, io::Write, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mib = std::env::args().nth(1).map_or(Ok(1_024), |text| text.parse::<u64>())?;
    let dir = tempfile::tempdir()?;
    let owner = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let folders = VolumeFolders::new(dir.path().join("volumes"), owner)?;
    let blobs = MemoryBlobs::new(4 * (mib << 20));
    let volumes = [Volume { name: "data".into(), path: "/data".into(), size_bytes: mib << 20 }];
    let paths = folders.begin(samples::replica(), (&volumes, &[]), None, &blobs)?;
    let mut file = fs::File::create(paths[0].join("file"))?;
    for number in 0..mib {
        let block: Vec<u8> = (0..1_u64 << 17).flat_map(|at| (at ^ number << 20).to_le_bytes()).collect();
        file.write_all(&block)?;
    }
    file.sync_all()?;
    let began = Instant::now();
    fs::copy(paths[0].join("file"), dir.path().join("copy"))?;
    let copy = began.elapsed();
    // What is written of it later is none of the packer's.
    fs::File::open(dir.path().join("copy"))?.sync_all()?;
    let began = Instant::now();
    folders.pack(samples::replica(), &blobs)?;
    let pack = began.elapsed();
    println!(
        "{mib} MiB: packed and hashed in {pack:.2?}, copied in {copy:.2?}: {:.2} times",
        pack.as_secs_f64() / copy.as_secs_f64()
    );
    Ok(())
}
