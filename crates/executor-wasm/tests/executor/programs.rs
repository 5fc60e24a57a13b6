//! Programs as a C compiler makes them: the examples of this repository.

use crate::support::{Setup, exited, limits};
use opensky_ports::WorkBatch;
use opensky_types::{place::Level, resources::TaskLimits, task::Content};

const HELLO: &[u8] = include_bytes!("../../../../examples/programs/hello.wasm");
const LIMITS: &[u8] = include_bytes!("../../../../examples/programs/limits.wasm");
const WORDCOUNT: &[u8] = include_bytes!("../../../../examples/programs/wordcount.wasm");

fn batch(setup: &Setup, program: &[u8], args: &[&str], stdin: &str) -> WorkBatch {
    let mut batch = setup.batch(Level::Vm, program);
    batch.program.args = args.iter().map(|arg| arg.to_string()).collect();
    batch.items[0].input.stdin = vec![Content::Inline(stdin.as_bytes().to_vec())];
    batch
}

#[tokio::test]
async fn c_programs_read_and_write() {
    let setup = Setup::new(1);
    let result = setup.run_one(batch(&setup, HELLO, &["a b"], "12345")).await;
    let said = "hello from OpenSky\nargument 1: a b\nstandard input: 5 bytes\n";
    assert_eq!(setup.bytes(&exited(&result).stdout), said.as_bytes());
    let result = setup.run_one(batch(&setup, WORDCOUNT, &["map"], "to be or not to be")).await;
    let counted = String::from_utf8(setup.bytes(&exited(&result).stdout)).unwrap();
    assert_eq!(counted.lines().count(), 4, "{counted}");
    let result = setup.run_one(batch(&setup, LIMITS, &["exit", "77"], "")).await;
    assert_eq!(exited(&result).exit_code, 77);
}

#[tokio::test]
async fn j1_c_programs_are_stopped_at_their_limits() {
    let setup = Setup::new(1);
    for (arg, expected) in [("spin", "fuel"), ("flood", "output"), ("recurse", "")] {
        let mut batch = batch(&setup, LIMITS, &[arg], "");
        batch.limits = TaskLimits { fuel: 2_000_000_000, ..limits() };
        let result = setup.run_one(batch).await;
        let failure = crate::support::failure(&result).to_string();
        assert!(failure.contains(expected), "{arg}: {failure}");
    }
    // A program that checks what `malloc` returns ends by itself.
    let mut batch = batch(&setup, LIMITS, &["memory"], "");
    batch.limits = TaskLimits { fuel: u64::MAX, ..limits() };
    let result = setup.run_one(batch).await;
    assert_eq!(exited(&result).exit_code, 1);
    assert!(result.usage.memory_peak_bytes > limits().memory_bytes / 2);
    assert!(result.usage.memory_peak_bytes <= limits().memory_bytes);
}
