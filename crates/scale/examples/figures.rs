//! Prints the report of a run: `cargo run --release -p opensky-scale --example figures -- [NODES] [PARTS]`.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock and its arguments")]

use opensky_scale::{Options, Part, run};
use std::time::Instant;

fn main() {
    let started = Instant::now();
    let mut arguments = std::env::args().skip(1);
    let nodes = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(Options::default().nodes);
    let only: Vec<Part> = arguments.map(|text| text.parse().expect("a part's word")).collect();
    let options = Options { nodes, only, ..Options::default() };
    let report = run(&options, &mut |what| eprintln!("{:6.1} s {what}", started.elapsed().as_secs_f64()));
    println!("{report}");
}
