//! The time of one call: submitted, run on a warm node in another process, its result in hand.

use crate::{
    dispatch::{Shape, warm_sky},
    limits,
    sky::{job, numbers},
    spread::Spread,
};
use anyhow::Result;

/// Calls before the measured ones.
const WARM_CALLS: usize = 100;

/// Makes `calls` calls, one after the other, as a caller does who waits for each.
pub async fn measure(calls: usize) -> Result<()> {
    let (sky, program) = warm_sky(&Shape { providers: 1, slots: 1 }).await?;
    let mut times = Vec::with_capacity(calls);
    // A caller that waits for the answer would simply call again: nothing of it has to be on disk.
    let one = || job(program.clone(), numbers(1), false);
    for _ in 0..WARM_CALLS {
        sky.run(one()).await?;
    }
    let before = sky.cpu()?;
    for _ in 0..calls {
        times.push(sky.run(one()).await?.1);
    }
    let after = sky.cpu()?;
    sky.stop().await?;
    let (consumer, provider) = (after.0.since(before.0), after.1.since(before.1));
    let each = |seconds: f64| seconds * 1e6 / calls as f64;
    println!(
        "processor         us a call: consumer {:.0}, provider node {:.0}, worker {:.0}",
        each(consumer.own),
        each(provider.own),
        each(provider.children)
    );
    let calls = Spread::of(times);
    println!("one call          {calls}");
    println!("loopback          {}", limits::loopback()?);
    println!("{:.1}", calls.at_us(0.5));
    Ok(())
}
