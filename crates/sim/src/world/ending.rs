//! The end of a run: faults stop, and everything has to come right.

use super::World;
use crate::watch::Unsettled;
use anyhow::{Result, bail};
use tokio::task::JoinHandle;

/// How long everything may take to come right, in milliseconds: a consumer that vanished is waited for ten
/// minutes, a claim that nobody objects to another ten.
const COME_RIGHT_MS: u64 = 60 * 60_000;
/// After that, escrows of nodes that have left are given a day.
const DAY_MS: i64 = 25 * 60 * 60_000;
/// How long it may take once that day is over.
const AFTER_MS: u64 = 10 * 60_000;
/// Pause between two looks.
const LOOK_MS: u64 = 1_000;

impl World {
    /// Mends all that is broken and starts who is down.
    pub(super) async fn end_faults(&mut self) -> Result<()> {
        // What was planned to end faults is done now, and deeds are over.
        let left = std::mem::take(&mut self.acts);
        for act in left.into_values() {
            if matches!(act, super::Act::Open(_) | super::Act::Calm | super::Act::SetClock { .. })
                || matches!(act, super::Act::Start(_) | super::Act::Mend { .. })
            {
                self.act(act).await?;
            }
        }
        self.weather.set_climate(self.plan.climate);
        let count = self.plan.nodes.len();
        for one in 0..count {
            for other in 0..count {
                if one != other {
                    self.common.network.restore(self.id(one), self.id(other));
                }
            }
        }
        self.tend();
        let now = self.now_ms();
        self.pass(now + 2_000).await?;
        for index in 0..count {
            self.start_life(index).await?;
        }
        Ok(())
    }

    /// Waits until every job has ended, every escrow is closed and every node is where the others are.
    pub(super) async fn come_right(&mut self, ordering: &JoinHandle<()>) -> Result<()> {
        let until = self.now_ms() + COME_RIGHT_MS;
        let mut unsettled = self.wait_until(until, ordering).await?;
        if let Some(Unsettled::Escrows(_)) = &unsettled {
            for machine in self.machines.lock().iter() {
                machine.clock.jump(DAY_MS);
            }
            self.watch.count("runs that waited for escrows to expire", 1);
            unsettled = self.wait_until(self.now_ms() + AFTER_MS, ordering).await?;
        }
        match unsettled {
            None => Ok(()),
            Some(unsettled) => {
                self.watch.explain(&unsettled).await;
                bail!("it does not come right: {unsettled}")
            }
        }
    }

    async fn wait_until(&mut self, until_ms: u64, ordering: &JoinHandle<()>) -> Result<Option<Unsettled>> {
        loop {
            if ordering.is_finished() {
                bail!("the ordering of blocks has ended, by a panic");
            }
            let unsettled = self.watch.unsettled().await?;
            if unsettled.is_none() || self.now_ms() >= until_ms {
                return Ok(unsettled);
            }
            let next = self.now_ms() + LOOK_MS;
            self.pass(next).await?;
        }
    }
}
