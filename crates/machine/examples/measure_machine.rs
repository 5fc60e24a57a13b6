//! Prints what this machine is, and what looking costs: `cargo run -p opensky-machine --example measure_machine`.

use opensky_machine::LocalMachine;
use opensky_ports::Machine;
use std::time::Instant;

const READINGS: u32 = 200;

fn main() {
    let folder = std::env::temp_dir();
    let start = Instant::now();
    let machine = LocalMachine::open(&folder);
    println!("opened in {:?}", start.elapsed());
    println!("{:#?}", machine.profile());
    let start = Instant::now();
    for _ in 0..READINGS {
        machine.readings();
    }
    println!("{:#?}", machine.readings());
    println!("one reading takes {:?}", start.elapsed() / READINGS);
}
