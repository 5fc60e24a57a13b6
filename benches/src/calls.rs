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
    for call in 0..WARM_CALLS + calls {
        // A caller that waits for the answer would simply call again: nothing of it has to be on disk.
        let (_, took) = sky.run(job(program.clone(), numbers(1), false)).await?;
        if call >= WARM_CALLS {
            times.push(took);
        }
    }
    sky.stop().await?;
    let calls = Spread::of(times);
    println!("one call          {calls}");
    println!("loopback          {}", limits::loopback()?);
    println!("{:.1}", calls.at_us(0.5));
    Ok(())
}
