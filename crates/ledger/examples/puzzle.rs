//! How long a registration takes on one core of this machine: `cargo run --release -p opensky-ledger
//! --example puzzle`.

use opensky_ledger::{
    puzzle::{Difficulty, LINK_BITS, Puzzle},
    registry::{COMPONENTS, ComponentKind, Fingerprint, hash_component},
};
use opensky_types::{AccountId, Hash};
use std::{hint::black_box, time::Instant};

const NONCES: u64 = 30_000_000;

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn main() {
    let sky = Hash::of(b"a sky");
    let start = Instant::now();
    let components = ComponentKind::ALL.map(|kind| Some(hash_component(&sky, kind, b"raw value")));
    let part_ms = start.elapsed().as_millis() / COMPONENTS as u128;
    println!("hash of one part: {part_ms} ms");

    let fingerprint = Fingerprint::new(components).expect("all five parts");
    let account = AccountId::from_bytes([1; 32]);
    // No nonce has so many zero bits, so the whole range is tried.
    let endless = Puzzle::new(&sky, &account, &fingerprint, Difficulty { bits: 60, links: 1 });
    let start = Instant::now();
    black_box(endless.solve(0, 0..NONCES));
    let rate = NONCES as f64 / start.elapsed().as_secs_f64();
    println!("hash rate: {:.2} million a second", rate / 1e6);

    println!("{:>10} {:>10} {:>12}", "machines", "real, s", "virtual, s");
    for machines in [0, 100, 1_000, 10_000] {
        let seconds = |is_virtual| Difficulty::after(LINK_BITS, machines, is_virtual).hashes() as f64 / rate;
        println!("{machines:>10} {:>10.0} {:>12.0}", seconds(false), seconds(true));
    }
}
