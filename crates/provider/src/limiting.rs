//! The owner's limits and the passing of time, enforced on what is already there.

use crate::{
    BatchId, Effect, Provider,
    admission::{check_limits, check_needs},
    agreement::Agreement,
    batch::Batch,
};
use opensky_types::{AgreementId, Timestamp, engine::Engine, reason::Misfit};

/// A batch that has not moved for this many times the work it should hold has met a slow task.
const STALLED_TARGETS: u64 = 4;

impl Provider {
    /// Ends or stops what the gate no longer bears. Cheap while all is well.
    pub(crate) fn enforce(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.gate.must_end(now, self.config.wind_down_ms) {
            while let Some((id, _)) = self.agreements.first_key_value() {
                self.end(*id, Some(Misfit::Closed), effects);
            }
        }
        if self.gate.is_critical() {
            self.stop_all(|_| true, "the machine is too hot", effects);
        }
    }

    /// New limits: agreements that could never be accepted now end, and what runs beyond the memory
    /// or the disk that is left stops, newest first. Beyond the slots, running work gets a while.
    pub(crate) fn fit_to_limits(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.stop_on_unshared_gpus(effects);
        if self.gate.slots() == 0 {
            return;
        }
        let allowed = self.gate.task_limits_max(&self.config.task_limits_max);
        let misfits = self.agreements.values().filter_map(|agreement| {
            let misfit = check_limits(&agreement.terms.limits, &allowed).err()?;
            Some((agreement.id, misfit))
        });
        for (id, misfit) in misfits.collect::<Vec<_>>() {
            self.end(id, Some(misfit), effects);
        }
        self.fit_to_needs(effects);
        self.stop_over_budget(effects);
        self.note_excess(now);
    }

    /// Ends agreements whose programs do not find what they need any more: they would wait for ever.
    pub(crate) fn fit_to_needs(&mut self, effects: &mut Vec<Effect>) {
        let misfits = self.agreements.values().filter_map(|agreement| {
            let misfit = check_needs(&self.gate, &agreement.engine, &agreement.terms.program).err()?;
            Some((agreement.id, misfit))
        });
        for (id, misfit) in misfits.collect::<Vec<_>>() {
            self.end(id, Some(misfit), effects);
        }
    }

    /// Ends agreements whose engine is gone or has become another one.
    pub(crate) fn fit_to_engines(&mut self, effects: &mut Vec<Effect>) {
        let is_same = |one: &Engine, other: &Engine| {
            (&one.name, one.config, &one.levels) == (&other.name, other.config, &other.levels)
        };
        for agreement in self.agreements.values_mut() {
            // What containers find there may be another thing now.
            if let Some(now) = self.engines.iter().find(|engine| is_same(engine, &agreement.engine)) {
                agreement.engine.containers.clone_from(&now.containers);
            }
        }
        let is_gone = |agreement: &&Agreement| !self.engines.contains(&agreement.engine);
        let gone: Vec<AgreementId> = self.agreements.values().filter(is_gone).map(|gone| gone.id).collect();
        for id in gone {
            self.end(id, Some(Misfit::Level), effects);
        }
        self.fit_to_needs(effects);
    }

    pub(crate) fn on_tick(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.end_orphaned_and_idle(now, effects);
        self.look_after_funds(now, effects);
        self.stop_excess(now, effects);
        self.unblock(now);
        let due = self.agreements.values().filter(|agreement| {
            let waited_ms = now.ms_since(agreement.standing_at);
            waited_ms >= self.config.standing_ms && self.is_up(agreement.terms.consumer)
        });
        for id in due.map(|agreement| agreement.id).collect::<Vec<AgreementId>>() {
            self.say_standing(now, id, effects);
        }
    }

    /// Work of a lost consumer is kept for the grace of its terms; an agreement that holds slots for
    /// nothing, for a while.
    fn end_orphaned_and_idle(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let mut over: Vec<(AgreementId, Option<Misfit>)> = Vec::new();
        for agreement in self.agreements.values() {
            let grace_ms = agreement.terms.orphan_grace_ms.min(self.config.orphan_grace_ms_max);
            let consumer = self.consumers.get(&agreement.terms.consumer);
            let is_idle = agreement.live == 0;
            let idle_ms = if agreement.kept.is_empty() {
                self.config.idle_ms
            } else {
                self.config.idle_ms.max(grace_ms)
            };
            match consumer.and_then(|consumer| consumer.lost_at) {
                Some(lost_at) if now.ms_since(lost_at) >= grace_ms => over.push((agreement.id, None)),
                None if is_idle && now.ms_since(agreement.busy_at) >= idle_ms => {
                    over.push((agreement.id, Some(Misfit::Full)));
                }
                _ => {}
            }
        }
        for (id, misfit) in over {
            self.end(id, misfit, effects);
        }
    }

    fn stop_over_budget(&mut self, effects: &mut Vec<Effect>) {
        let (memory_bytes_max, disk_bytes_max) = (self.gate.memory_bytes(), self.gate.disk_bytes());
        let active = || self.batches.active().map(|(_, batch)| batch);
        let mut memory_bytes: u64 = active().map(|batch| batch.memory_bytes).sum();
        let mut disk_bytes: u64 = active().map(|batch| batch.disk_bytes).sum();
        let is_over = |batch: &Batch| {
            let over = memory_bytes > memory_bytes_max || disk_bytes > disk_bytes_max;
            if over {
                memory_bytes -= batch.memory_bytes;
                disk_bytes -= batch.disk_bytes;
            }
            over
        };
        self.stop_all(is_over, "the owner lowered the limits", effects);
    }

    fn stop_on_unshared_gpus(&mut self, effects: &mut Vec<Effect>) {
        let shared: Vec<u8> =
            self.engines.iter().flat_map(|engine| self.gate.containers_shared(engine).gpus).collect();
        let is_over = |batch: &Batch| batch.gpus.iter().any(|place| !shared.contains(place));
        self.stop_all(is_over, "the owner lowered the limits", effects);
    }

    /// Remembers since when more runs than there are slots.
    fn note_excess(&mut self, now: Timestamp) {
        let is_over = self.batches.active().count() > usize::from(self.gate.slots());
        self.excess_since = if is_over { self.excess_since.or(Some(now)) } else { None };
    }

    fn stop_excess(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.note_excess(now);
        let Some(since) = self.excess_since else { return };
        if now.ms_since(since) < self.config.wind_down_ms {
            return;
        }
        let mut excess = self.batches.active().count().saturating_sub(usize::from(self.gate.slots()));
        let is_excess = |_: &Batch| {
            let is_excess = excess > 0;
            excess = excess.saturating_sub(1);
            is_excess
        };
        self.stop_all(is_excess, "the owner lowered the limits", effects);
        self.excess_since = None;
    }

    /// Frees tasks that wait behind a slow one while slots are idle.
    fn unblock(&mut self, now: Timestamp) {
        let stalled_ms = STALLED_TARGETS * self.config.batch_target_us.div_ceil(1_000);
        if self.slots_free() == 0 {
            return;
        }
        let stalled = self.batches.active().filter(|(_, batch)| {
            now.ms_since(batch.moved_at) >= stalled_ms
                && batch.has_followers()
                && self
                    .agreements
                    .get(&batch.agreement)
                    .is_some_and(|a| a.batches.len() < usize::from(a.slots))
        });
        for (id, waited_ms) in
            stalled.map(|(id, batch)| (id, now.ms_since(batch.moved_at))).collect::<Vec<_>>()
        {
            let agreement = self.batches.open.get(&id).map(|batch| batch.agreement);
            if let Some(agreement) = agreement.and_then(|id| self.agreements.get_mut(&id)) {
                agreement.pace.observe(waited_ms.saturating_mul(1_000));
            }
            self.requeue_followers(id);
        }
    }

    /// Stops running batches, newest first.
    fn stop_all(
        &mut self,
        mut which: impl FnMut(&Batch) -> bool,
        why: &'static str,
        effects: &mut Vec<Effect>,
    ) {
        let chosen: Vec<BatchId> =
            self.batches.active().filter(|(_, batch)| which(batch)).map(|(id, _)| id).collect();
        for id in chosen {
            self.stop(id, why, effects);
        }
    }
}
