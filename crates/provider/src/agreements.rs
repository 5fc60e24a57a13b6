//! Agreements come and go.

use crate::{
    Effect, Provider,
    admission::check_terms,
    agreement::{Agreement, ProgramState},
};
use opensky_types::{
    AgreementId, Micros, NodeId, Timestamp,
    agreement::{Acceptance, Terms},
    engine::Engine,
    job::Needs,
    reason::Misfit,
};

impl Provider {
    pub(crate) fn on_proposed(
        &mut self,
        now: Timestamp,
        from: NodeId,
        id: AgreementId,
        terms: Box<Terms>,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(slots) = self.owned_by(id, from).map(|agreement| agreement.slots) {
            self.on_consumer_up(from);
            effects.push(Effect::Accept { to: from, acceptance: Acceptance { agreement: id, slots } });
            return;
        }
        let granted = check_terms(&self.config, &self.gate, &self.engines, from, &terms)
            .and_then(|engine| Ok((engine.clone(), self.grant(from, &terms, engine)?)));
        match granted {
            Ok((engine, slots)) => {
                effects.push(Effect::Hold { agreement: id, terms: terms.clone() });
                effects.push(Effect::Accept { to: from, acceptance: Acceptance { agreement: id, slots } });
                self.open(now, (id, *terms), engine, slots, Micros::ZERO);
                self.on_consumer_up(from);
                self.fetch_program(id, effects);
            }
            Err(misfit) => effects.push(Effect::Refuse { to: from, agreement: id, misfit }),
        }
    }

    /// How many slots a proposal gets: what is free, or else a fair share, so that no consumer and no
    /// job waits behind a long one. Only a second agreement for the same stage gets no more than what
    /// is free.
    fn grant(&self, consumer: NodeId, terms: &Terms, engine: &Engine) -> Result<u16, Misfit> {
        let known = self.consumers.get(&consumer);
        let of_consumer = known.map_or(0, |consumer| consumer.agreements.len());
        if self.agreements.len() >= self.config.agreements_max
            || of_consumer >= self.config.agreements_per_consumer_max
        {
            return Err(Misfit::Full);
        }
        let slots = u64::from(self.gate.slots());
        let free = slots.saturating_sub(self.slots_granted());
        let is_second = known.is_some_and(|known| {
            let others = known.agreements.iter().filter_map(|id| self.agreements.get(id));
            others.into_iter().any(|other| other.terms.job == terms.job && other.terms.stage == terms.stage)
        });
        let share = if is_second {
            0
        } else {
            let consumers = self.consumers.len() + usize::from(known.is_none());
            (slots / consumers as u64).max(1)
        };
        let wanted = u64::from(terms.slots).min(self.slots_with_gpus(engine, &terms.program.needs));
        match wanted.min(free.max(share)) {
            0 => Err(Misfit::Full),
            granted => Ok(granted as u16),
        }
    }

    /// How many tasks at a time find their GPUs, whoever has them now.
    fn slots_with_gpus(&self, engine: &Engine, needs: &Needs) -> u64 {
        let Some(need) = &needs.gpus else { return u64::MAX };
        let machine = self.gate.gpus();
        let places = self.gate.containers(engine).gpus;
        let fitting = places.iter().filter_map(|place| machine.get(usize::from(*place)));
        let fitting = fitting.filter(|gpu| need.is_met_by(gpu)).count();
        fitting as u64 / u64::from(need.count.max(1))
    }

    /// Agreements of before a restart wait for their consumers, without tasks: what they had was lost
    /// with the old process, and `Resume` tells the consumer so. Those
    /// that no engine here runs any more are released.
    pub(crate) fn on_restored(
        &mut self,
        now: Timestamp,
        agreements: Vec<(AgreementId, Terms, Micros)>,
        effects: &mut Vec<Effect>,
    ) {
        for (id, terms, spent) in agreements {
            let (consumer, slots) = (terms.consumer, terms.slots.max(1));
            if self.agreements.contains_key(&id) || self.agreements.len() >= self.config.agreements_max {
                continue;
            }
            let Some(engine) = Engine::of(&self.engines, terms.program.level).cloned() else {
                effects.push(Effect::Release { agreement: id });
                continue;
            };
            self.open(now, (id, terms), engine, slots, spent);
            self.on_consumer_lost(now, consumer);
        }
    }

    fn open(
        &mut self,
        now: Timestamp,
        (id, terms): (AgreementId, Terms),
        engine: Engine,
        slots: u16,
        spent: Micros,
    ) {
        self.consumers.entry(terms.consumer).or_default().agreements.insert(id);
        self.agreements.insert(id, Agreement::new((id, terms), engine, slots, spent, now));
    }

    /// Orders the program, if that is yet to be done.
    pub(crate) fn fetch_program(&mut self, id: AgreementId, effects: &mut Vec<Effect>) {
        let Some(agreement) = self.agreements.get_mut(&id) else { return };
        if agreement.program == ProgramState::Missing {
            let Some(program) = agreement.terms.program.blob() else {
                // Whatever runs it takes it from its registry.
                agreement.program = ProgramState::Ready;
                return;
            };
            agreement.program = ProgramState::Fetching;
            effects.push(Effect::FetchProgram { agreement: id, from: agreement.terms.consumer, program });
        }
    }

    pub(crate) fn on_close(&mut self, from: NodeId, id: AgreementId, effects: &mut Vec<Effect>) {
        if self.owned_by(id, from).is_some() {
            self.end(id, None, effects);
        }
    }

    pub(crate) fn on_consumer_up(&mut self, node: NodeId) {
        if let Some(consumer) = self.consumers.get_mut(&node) {
            consumer.lost_at = None;
        }
    }

    pub(crate) fn on_consumer_lost(&mut self, now: Timestamp, node: NodeId) {
        if let Some(consumer) = self.consumers.get_mut(&node) {
            consumer.lost_at.get_or_insert(now);
        }
    }

    /// Ends an agreement: what runs is stopped, what is kept is dropped, and the consumer is told if
    /// it is not the one who wanted it.
    pub(crate) fn end(&mut self, id: AgreementId, misfit: Option<Misfit>, effects: &mut Vec<Effect>) {
        let Some(agreement) = self.agreements.remove(&id) else { return };
        for batch_id in &agreement.batches {
            let Some(batch) = self.batches.open.get_mut(batch_id) else { continue };
            batch.release_all();
            if batch.stopped.replace("its agreement ended").is_none() {
                effects.push(Effect::Stop { batch: *batch_id });
            }
        }
        for number in &agreement.kept {
            self.kept.remove(*number);
        }
        self.outbox.remove(&id);
        let to = agreement.terms.consumer;
        if let Some(consumer) = self.consumers.get_mut(&to) {
            consumer.agreements.remove(&id);
            if consumer.agreements.is_empty() {
                self.consumers.remove(&to);
            }
        }
        effects.push(Effect::Release { agreement: id });
        if let Some(misfit) = misfit {
            effects.push(Effect::End { to, agreement: id, misfit });
        }
    }

    /// The agreement, if it is with this consumer.
    pub(crate) fn owned_by(&mut self, id: AgreementId, consumer: NodeId) -> Option<&mut Agreement> {
        self.agreements.get_mut(&id).filter(|agreement| agreement.terms.consumer == consumer)
    }
}
