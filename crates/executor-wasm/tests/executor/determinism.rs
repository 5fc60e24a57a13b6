//! The same inputs give the same outputs (spec C3), on every worker and in every run.

use crate::support::{Setup, exited, items, wasi};
use opensky_ports::WorkResult;
use opensky_types::{Hash, place::Level};

/// Prints the wall clock, three readings of the monotonic clock, and 32 random bytes.
fn observer() -> String {
    wasi(
        r#"(func (export "_start")
            (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 1024)))
            (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 1032)))
            (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 1040)))
            (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 1048)))
            (drop (call $random_get (i32.const 1056) (i32.const 32)))
            (call $print (i32.const 1) (i32.const 1024) (i32.const 64)))"#,
    )
}

fn hashes(results: &[WorkResult]) -> Vec<(Hash, u64)> {
    results.iter().map(|result| (result.outcome.hash(), result.usage.fuel)).collect()
}

fn number(bytes: &[u8], position: usize) -> u64 {
    u64::from_le_bytes(bytes[8 * position..][..8].try_into().unwrap())
}

#[tokio::test]
async fn clock_and_randomness_are_made_up_from_seed_and_item() {
    let [one, other] = [Setup::new(1), Setup::new(1)];
    let mut batch = one.batch(Level::Vm, observer());
    batch.items = items(3);
    other.batch(Level::Vm, observer());
    let first = one.run(batch.clone()).await.results();
    let again = one.run(batch.clone()).await.results();
    let elsewhere = other.run(batch.clone()).await.results();
    assert_eq!(hashes(&first), hashes(&again));
    assert_eq!(hashes(&first), hashes(&elsewhere));

    let bytes: Vec<Vec<u8>> = first.iter().map(|result| one.bytes(&exited(result).stdout)).collect();
    assert_eq!(number(&bytes[0], 0), 1_000_000_000_000_000_000, "the wall clock stands");
    assert!(number(&bytes[0], 1) < number(&bytes[0], 2) && number(&bytes[0], 2) < number(&bytes[0], 3));
    assert_ne!(bytes[0][32..], bytes[1][32..], "each item draws its own randomness");

    batch.seed += 1;
    let reseeded = one.run(batch).await.results();
    assert_ne!(hashes(&first)[0].0, hashes(&reseeded)[0].0);
}

#[tokio::test]
async fn without_it_clock_and_randomness_are_real() {
    let setup = Setup::new(1);
    let mut batch = setup.batch(Level::Vm, observer());
    batch.program.deterministic = false;
    batch.items = items(2);
    let results = setup.run(batch).await.results();
    let bytes: Vec<Vec<u8>> = results.iter().map(|result| setup.bytes(&exited(result).stdout)).collect();
    assert!(number(&bytes[0], 0) > 1_600_000_000_000_000_000);
    assert_ne!(bytes[0][32..], bytes[1][32..]);
}

#[tokio::test]
async fn not_a_number_has_one_bit_pattern() {
    let setup = Setup::new(1);
    // Two NaNs with different payloads, made in two ways, multiplied.
    let text = r#"(module (func (export "run") (param f64) (result i64 i64)
        (i64.reinterpret_f64 (f64.mul (f64.reinterpret_i64 (i64.const 0x7ff8dead00000001)) (local.get 0)))
        (i64.reinterpret_f64 (f64.div (f64.const 0) (f64.const 0)))))"#;
    let mut batch = setup.batch(Level::Function, text);
    batch.program.args = vec!["1".into()];
    let result = setup.run_one(batch).await;
    let canonical = 0x7ff8_0000_0000_0000_i64;
    assert_eq!(setup.bytes(&exited(&result).stdout), format!("({canonical}, {canonical})").into_bytes());
}
