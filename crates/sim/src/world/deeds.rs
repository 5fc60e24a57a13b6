//! What happens to a sky, deed by deed.

use super::{Act, IDLE_MS, World};
use crate::{
    plan::{Check, Deed, JobShape, Reads},
    watch::Sent,
};
use anyhow::Result;
use opensky_ledger::{action::Action, memo::Memo};
use opensky_node::Handle;
use opensky_storage::{DiskFault, SimulatedDisk};
use opensky_types::{
    AccountId, Micros,
    job::{JobSpec, LevelReason, Needs, Program, Retry, StageInputs, StageSpec, Verify},
    limits::ContributionLimits,
    offer::Constraints,
    place::Level,
    resources::TaskLimits,
};
use std::collections::BTreeSet;

impl World {
    pub(super) async fn act(&mut self, act: Act) -> Result<()> {
        match act {
            Act::Deed(deed) => self.deed(deed),
            Act::Start(index) => self.start_life(index).await?,
            Act::Bury(index) => {
                let id = self.id(index);
                if self.machines.with_life(id, |_, _| ()).is_none() {
                    self.common.network.kill(id);
                }
            }
            Act::Open(ways) => {
                for (from, to) in ways {
                    let (from, to) = (self.id(from), self.id(to));
                    self.weather.set_closed(from, to, false);
                    self.common.network.restore(from, to);
                }
            }
            Act::Starve(ways) => {
                for (from, to) in ways {
                    let (from, to) = (self.id(from), self.id(to));
                    if !self.weather.is_open(from, to) {
                        self.common.network.cut(from, to);
                    }
                }
            }
            Act::Calm => self.weather.set_climate(self.plan.climate),
            Act::Mend { node, restarts } => {
                self.set_fault(node, None);
                if restarts {
                    // With the machine: after a failed sync nobody knows what memory has and the disk has not.
                    self.end_life(node, true, Some(500));
                }
            }
            Act::SetClock { node, millis } => self.machines.lock()[node].clock.jump(millis),
        }
        Ok(())
    }

    fn deed(&mut self, deed: Deed) {
        self.watch.happens(&deed);
        match deed {
            Deed::Submit { node, job } => self.submit(node, &job),
            Deed::Cancel { node, back } => self.about_job(node, back, false),
            Deed::Retry { node, back } => self.about_job(node, back, true),
            Deed::Transfer { from, to, micros } => self.transfer(from, to, micros),
            Deed::Price { node, micros } => {
                let price_per_gfuel = Micros::new(micros);
                self.set_limits(
                    node,
                    ContributionLimits { price_per_gfuel, ..ContributionLimits::default() },
                );
            }
            Deed::Share { node, share } => {
                self.set_limits(node, ContributionLimits { share, ..ContributionLimits::default() });
            }
            Deed::Kill { node, down_ms } => self.end_life(node, false, Some(down_ms)),
            Deed::PowerCut { node, down_ms } => self.end_life(node, true, Some(down_ms)),
            Deed::PowerCutForAll { down_ms } => {
                (0..self.plan.nodes.len()).for_each(|node| self.end_life(node, true, Some(down_ms)));
            }
            Deed::DieAtSync { node, ledger, more, reaches, down_ms } => {
                let mut machines = self.machines.lock();
                let machine = &mut machines[node];
                machine.down_ms = down_ms;
                let disk = if ledger { &machine.ledger } else { &machine.journal };
                disk.die_at_sync(more, reaches);
            }
            Deed::Leave { node } => {
                self.end_life(node, false, None);
                self.machines.lock()[node].has_left = true;
            }
            Deed::LoseDisk { node, down_ms } => self.lose_disks(node, down_ms),
            Deed::Rot { node, position, down_ms } => {
                self.end_life(node, false, Some(down_ms));
                let mut machines = self.machines.lock();
                if machines[node].life.is_none() {
                    machines[node].is_rotten = true;
                    machines[node].ledger.rot(position);
                }
            }
            Deed::SyncsFail { node, for_ms } => {
                self.set_fault(node, Some(DiskFault::SyncFails));
                self.after(for_ms, Act::Mend { node, restarts: true });
            }
            Deed::DiskFull { node, for_ms } => {
                self.set_fault(node, Some(DiskFault::Full));
                self.after(for_ms, Act::Mend { node, restarts: false });
            }
            Deed::Split { side, for_ms } => self.split(&side, for_ms),
            Deed::OneWay { from, to, for_ms } => self.close(vec![(from, to)], for_ms),
            Deed::Storm { climate, for_ms } => {
                self.weather.set_climate(climate);
                self.after(for_ms, Act::Calm);
            }
            Deed::ClockJump { node, millis, for_ms } => {
                self.machines.lock()[node].clock.jump(millis);
                self.after(for_ms, Act::SetClock { node, millis: -millis });
            }
            Deed::Equivocate { node } => {
                self.liars.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(node);
            }
        }
    }

    fn lose_disks(&mut self, node: usize, down_ms: u64) {
        self.end_life(node, true, Some(down_ms));
        let is_down = self.machines.lock()[node].life.is_none();
        if is_down {
            self.machines.lock()[node].lose_disks();
            self.watch.disk_lost(node);
        }
    }

    fn handle(&self, node: usize) -> Option<Handle> {
        let id = self.id(node);
        self.machines.with_life(id, |_, life| life.handle.clone())
    }

    fn set_fault(&self, node: usize, fault: Option<DiskFault>) {
        let machines = self.machines.lock();
        let disks: [&SimulatedDisk; 2] = [&machines[node].journal, &machines[node].ledger];
        disks.into_iter().for_each(|disk| disk.set_fault(fault));
    }

    fn split(&mut self, side: &[usize], for_ms: u64) {
        let side: BTreeSet<usize> = side.iter().copied().collect();
        let all = 0..self.plan.nodes.len();
        let across = all.clone().flat_map(|one| all.clone().map(move |other| (one, other)));
        let ways = across.filter(|(one, other)| side.contains(one) != side.contains(other)).collect();
        self.close(ways, for_ms);
    }

    fn close(&mut self, ways: Vec<(usize, usize)>, for_ms: u64) {
        let ways: Vec<_> = ways.into_iter().filter(|(from, to)| from != to).collect();
        for (from, to) in &ways {
            self.weather.set_closed(self.id(*from), self.id(*to), true);
        }
        self.after(IDLE_MS, Act::Starve(ways.clone()));
        self.after(for_ms, Act::Open(ways));
    }

    fn set_limits(&self, node: usize, limits: ContributionLimits) {
        let Some(handle) = self.handle(node) else { return };
        // A node that ends meanwhile keeps the limits that it had.
        tokio::spawn(async move { handle.set_limits(limits).await });
    }

    fn transfer(&self, from: usize, to: usize, micros: u64) {
        let (Some(handle), to) = (self.handle(from), self.id(to)) else { return };
        let sent = self.watch.sent();
        let memo = Memo::new("simulated").unwrap_or_default();
        let action = Action::Transfer { to: AccountId::of_node(to), amount: Micros::new(micros), memo };
        tokio::spawn(async move {
            let Ok(id) = handle.transact(action).await else { return };
            let found = handle.settled(id, std::time::Duration::from_secs(120)).await;
            sent.transfer(id, found);
        });
    }

    /// The job that a node's user submitted so many jobs ago is cancelled, or tried again.
    fn about_job(&self, node: usize, back: usize, again: bool) {
        let (Some(handle), Some(job)) = (self.handle(node), self.watch.job_of(node, back)) else { return };
        tokio::spawn(async move {
            // What has ended or is not known any more is left as it is.
            if again { handle.retry(job).await.is_ok() } else { handle.cancel(job).await.is_ok() }
        });
    }

    fn submit(&self, node: usize, shape: &JobShape) {
        let Some(handle) = self.handle(node) else { return };
        let Ok(program) = handle.blobs().put(b"a simulated program") else { return };
        let spec = spec_of(shape, program.hash, program.size_bytes);
        let sent: Sent = self.watch.sent();
        tokio::spawn(async move {
            match handle.submit(spec.clone()).await {
                Ok(job) => sent.job(node, job, spec),
                Err(error) => sent.refused(&error.to_string()),
            }
        });
    }
}

fn spec_of(shape: &JobShape, program: opensky_types::Hash, size_bytes: u64) -> JobSpec {
    let stages = shape.stages.iter().enumerate().map(|(position, stage)| StageSpec {
        name: format!("stage {position}"),
        program: Program {
            hash: program,
            size_bytes,
            level: Level::Vm,
            function: String::new(),
            args: vec!["{item}".into(), stage.task_ms.to_string()],
            env: Vec::new(),
            deterministic: true,
            needs: Needs::default(),
        },
        inputs: match stage.reads {
            Reads::Numbers(count) => StageInputs::Numbers { from: 0, to: i64::from(count), step: 1 },
            Reads::Each(stage) => StageInputs::Each { stage },
            Reads::Reduce(stage, fan_in) => StageInputs::Reduce { stage, fan_in },
        },
        after: Vec::new(),
        limits: TaskLimits { wall_ms: 60_000, ..TaskLimits::default() },
        constraints: Constraints::default(),
        verify: match stage.check {
            Check::None => Verify::None,
            Check::Sample(per_mille) => Verify::Sample { per_mille },
            Check::Quorum => Verify::Quorum { agree: 2, replicas: 2, replicas_max: 4 },
            Check::Reputation => Verify::Reputation,
        },
        level_reason: LevelReason::Given,
        check: None,
        failures_max: 3,
        retry: Retry::default(),
        when: Vec::new(),
        may_fail: false,
        accept_any_exit: false,
        hedge: stage.hedge,
    });
    JobSpec {
        name: "simulated".into(),
        stages: stages.collect(),
        wait_ms: shape.wait_ms,
        deadline_ms: shape.deadline_ms,
        budget: shape.budget.map(Micros::new),
        seed: 1,
        durable: shape.durable,
    }
}
