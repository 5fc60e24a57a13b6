//! The provider's side: orders of the provider core carried out, consumers' messages taken in.

mod live;
mod supply;
mod work;

pub(crate) use live::OUTPUT_PIECE_BYTES_MAX;

use crate::{journal::Keeping, node::Node};
use live::LiveOutputs;
use opensky_ledger::tab::Voucher;
use opensky_ports::{Engine, Record};
use opensky_protocol::work::{Commitment, EngineUsed, ToConsumer, ToProvider};
use opensky_provider::{BatchId, DeliveryId, Effect, Input, Provider, TaskEnd};
use opensky_types::{
    AgreementId, Hash, NodeId, Signed, Timestamp,
    agreement::{Acceptance, Terms},
    reason::Misfit,
    receipt::{Batch, BatchHead, Countersignature, Receipt},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;

/// How far a consumer's clock may be off, in milliseconds.
const CLOCK_SKEW_MS_MAX: u64 = 10 * 60 * 1000;
/// Deliveries whose countersignature is waited for; beyond it, the oldest stay claims.
const DELIVERIES_MAX: usize = 4_096;

/// State of the provider's side.
pub(crate) struct Host {
    pub(crate) provider: Provider,
    /// What runs tasks, as the core was last told.
    engines: Vec<Engine>,
    running: BTreeMap<BatchId, CancellationToken>,
    /// Agreements that are in the journal, as their consumers signed them.
    terms: BTreeMap<AgreementId, Signed<Terms>>,
    /// What is being fetched for an agreement, until it is released.
    fetches: BTreeMap<AgreementId, CancellationToken>,
    /// Deliveries that wait for the consumer's signature, oldest first.
    deliveries: BTreeMap<DeliveryId, Delivery>,
    live: Arc<Mutex<LiveOutputs>>,
    /// Ends that came in during this round.
    pub(crate) ended: Vec<TaskEnd>,
    pub(crate) done: u64,
}

/// Results under one signature.
struct Delivery {
    to: NodeId,
    agreement: AgreementId,
    keeping: Keeping,
    root: Hash,
    head: Signed<BatchHead>,
}

impl Host {
    pub(crate) fn new((sky, has_prices): (Hash, bool), own: NodeId, salt_seed: [u8; 32]) -> Self {
        let config =
            opensky_provider::Config { has_prices, ..opensky_provider::Config::new(sky, own, salt_seed) };
        Self {
            provider: Provider::new(config),
            engines: Vec::new(),
            running: BTreeMap::new(),
            terms: BTreeMap::new(),
            fetches: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            live: Arc::default(),
            ended: Vec::new(),
            done: 0,
        }
    }

    /// Whether nothing is remembered of work that is over.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        let live = self.live.lock().expect("no code panics while holding this lock");
        live.is_empty()
            && self.running.is_empty()
            && self.terms.is_empty()
            && self.fetches.is_empty()
            && self.deliveries.is_empty()
            && self.ended.is_empty()
            && self.provider.load() == (0, 0)
    }

    pub(crate) fn forget_batch(&mut self, batch: BatchId) {
        self.running.remove(&batch);
    }
}

impl Node {
    /// Starts the provider's side with what it must know before anything is offered.
    pub(crate) fn host_restore(&mut self, now: Timestamp, agreements: &[(AgreementId, Signed<Terms>)]) {
        let held = agreements.iter().filter_map(|(agreement, signed)| {
            let terms = signed.decode_unverified().ok()?;
            if terms.provider != self.own || terms.consumer == self.own {
                return None;
            }
            self.host.terms.insert(*agreement, signed.clone());
            Some((*agreement, terms))
        });
        let held: Vec<_> = held.collect();
        let agreements = self.with_earned(held);
        self.look_at_engines(now);
        self.provide(now, Input::Restored { agreements });
        self.provide(now, Input::Limits(self.limits.clone()));
        self.provide(now, Input::Hardware(self.hardware.clone()));
        self.provide(now, Input::Readings(self.readings));
    }

    /// Engines come and go while the node runs.
    pub(crate) fn look_at_engines(&mut self, now: Timestamp) {
        let engines = self.executor.engines();
        if engines != self.host.engines {
            self.host.engines.clone_from(&engines);
            self.provide(now, Input::Engines(engines));
        }
    }

    /// Hands a fact to the provider core and carries out what it answers.
    pub(crate) fn provide(&mut self, now: Timestamp, input: Input) {
        let mut effects = Vec::new();
        self.host.provider.handle(now, input, &mut effects);
        for effect in effects {
            self.perform_provided(now, effect);
        }
    }

    /// A consumer that we work for says something.
    pub(crate) fn on_consumer_message(&mut self, now: Timestamp, from: NodeId, message: ToProvider) {
        let input = match message {
            ToProvider::Propose { terms } => return self.on_proposed(now, from, &terms),
            ToProvider::Assign { agreement, tasks } => Input::Assigned { from, agreement, tasks },
            ToProvider::Reveal { agreement, tasks } => Input::Reveal { from, agreement, tasks },
            ToProvider::Cancel { agreement, tasks } => Input::CancelTasks { from, agreement, tasks },
            ToProvider::Close { agreement } => Input::Close { from, agreement },
            ToProvider::Resume { agreement } => Input::Resume { from, agreement },
            ToProvider::Countersign { countersignature, voucher } => {
                return self.on_countersigned(now, from, countersignature, voucher);
            }
            ToProvider::Fund { agreement, nonce, voucher } => {
                return self.on_fund(now, from, (agreement, nonce), voucher);
            }
            ToProvider::Follow { agreement, task, on } => return self.on_follow(from, agreement, task, on),
            ToProvider::Heartbeat => return,
        };
        self.provide(now, input);
    }

    fn on_proposed(&mut self, now: Timestamp, from: NodeId, signed: &Signed<Terms>) {
        let agreement = signed.agreement_id();
        let refuse = |misfit| ToConsumer::Refuse { agreement, misfit };
        let terms = match signed.verify() {
            Ok(terms) if signed.signer() == from => terms,
            _ => {
                tracing::warn!(%from, "terms with a wrong signature");
                return self.tell_consumer(from, refuse(Misfit::Terms));
            }
        };
        let skew_ms = now.ms_since(terms.made_at).max(terms.made_at.ms_since(now));
        if skew_ms > CLOCK_SKEW_MS_MAX {
            tracing::warn!(%from, skew_ms, "terms from another time: is one of the clocks wrong?");
            return self.tell_consumer(from, refuse(Misfit::Expired));
        }
        if self.disk_problem.is_some() {
            return self.tell_consumer(from, refuse(Misfit::Closed));
        }
        // The signed form is what the journal keeps, should the core agree.
        let known = self.host.terms.insert(agreement, signed.clone()).is_some();
        let kept = terms.orphan_grace_ms > 0;
        self.provide(now, Input::Proposed { from, agreement, terms: Box::new(terms) });
        if !known && (!kept || self.host.provider.terms(agreement).is_none()) {
            self.host.terms.remove(&agreement);
        }
    }

    fn on_countersigned(
        &mut self,
        now: Timestamp,
        from: NodeId,
        countersignature: Signed<Countersignature>,
        voucher: Option<Voucher>,
    ) {
        let Ok(content) = countersignature.verify() else { return };
        if countersignature.signer() != from {
            return;
        }
        let mut waiting = self.host.deliveries.iter();
        let known = waiting.find(|(_, delivery)| delivery.root == content.root && delivery.to == from);
        if let Some((delivery, known)) = known {
            let (delivery, keeping, agreement) = (*delivery, known.keeping, known.agreement);
            self.host.deliveries.remove(&delivery);
            let record = Record::ReceiptsCountersigned { root: content.root, countersignature };
            self.keep_record_as(keeping, record);
            self.provide(now, Input::Countersigned { from, delivery });
            self.on_paid(now, from, agreement, &content, voucher);
        }
    }

    fn perform_provided(&mut self, now: Timestamp, effect: Effect) {
        match effect {
            // Nobody comes back for work without a grace time: then a restart may forget it.
            Effect::Hold { agreement, terms } if terms.orphan_grace_ms > 0 => {
                if let Some(terms) = self.host.terms.get(&agreement) {
                    let terms = terms.clone();
                    self.keep_record(Record::AgreementHeld { agreement, terms });
                }
            }
            Effect::Hold { .. } => {}
            Effect::Release { agreement } => {
                self.release(agreement);
                self.end_payee(now, agreement);
            }
            Effect::Accept { to, acceptance } => {
                let acceptance: Signed<Acceptance> = Signed::sign(&acceptance, &self.key);
                self.tell_consumer(to, ToConsumer::Accept { acceptance });
            }
            Effect::Refuse { to, agreement, misfit } => {
                self.tell_consumer(to, ToConsumer::Refuse { agreement, misfit });
            }
            Effect::End { to, agreement, misfit } => {
                self.tell_consumer(to, ToConsumer::Ended { agreement, misfit })
            }
            Effect::FetchProgram { agreement, from, program } => self.fetch_program(agreement, from, program),
            Effect::FetchInputs { agreement, from, inputs } => {
                for input in inputs {
                    self.fetch_input(agreement, from, input.task, input.blobs);
                }
            }
            Effect::Run { batch, agreement, terms, items, gpus } => {
                self.run_batch(batch, agreement, &terms, (items, gpus));
            }
            Effect::Stop { batch } => {
                if let Some(cancel) = self.host.running.get(&batch) {
                    cancel.cancel();
                }
            }
            Effect::Commit { to, agreement, commitments } => {
                let commitments = commitments.into_iter().map(|committed| Commitment {
                    task: committed.task.task,
                    attempt: committed.task.attempt,
                    hash: committed.hash,
                });
                self.tell_consumer(
                    to,
                    ToConsumer::Committed { agreement, commitments: commitments.collect() },
                );
            }
            Effect::Deliver { delivery, to, agreement, engine, reports, receipts, again: _ } => {
                let head = self.signed_head(now, (delivery, to), agreement, reports.len(), receipts);
                let engine = EngineUsed { name: engine.name, config: engine.config };
                let reports = reports.to_vec();
                self.tell_consumer(to, ToConsumer::Results { agreement, engine, reports, head });
            }
            Effect::Standing { to, agreement, slots, tasks } => {
                self.tell_consumer(to, ToConsumer::Standing { agreement, slots, tasks });
            }
            Effect::FundsLow { to, agreement, spent } => {
                self.tell_consumer(to, ToConsumer::FundsLow { agreement, spent });
            }
            Effect::Dropped { agreement, tasks } => {
                tracing::warn!(%agreement, tasks = tasks.len(), "results were dropped: their consumer did not take them");
            }
            Effect::Breach { by, agreement, what } => {
                tracing::warn!(%by, %agreement, what, "consumer broke the protocol");
                if by != self.own {
                    self.transport.expel(by);
                }
            }
            Effect::OfferChanged => self.offers.mark_changed(),
        }
    }

    /// The signature over the receipts of a delivery; the same delivery is signed once only.
    fn signed_head(
        &mut self,
        now: Timestamp,
        (delivery, to): (DeliveryId, NodeId),
        agreement: AgreementId,
        reports: usize,
        receipts: Vec<Receipt>,
    ) -> Signed<BatchHead> {
        if let Some(known) = self.host.deliveries.get(&delivery) {
            return known.head.clone();
        }
        let batch = Batch::sign(&self.key, receipts, now);
        let (head, root) = (batch.head().clone(), batch.root());
        let terms = self.host.provider.terms(agreement);
        let keeping = terms.map_or(Keeping::Durable, Keeping::of_receipts);
        self.earn(agreement, root, batch.receipts());
        let kept = Delivery { to, agreement, keeping, root, head: head.clone() };
        self.host.deliveries.insert(delivery, kept);
        if self.host.deliveries.len() > DELIVERIES_MAX {
            self.host.deliveries.pop_first();
        }
        self.host.done += reports as u64;
        self.keep_record_as(keeping, Record::ReceiptsSigned { batch });
        head
    }

    /// Tells the core of all ends of this round at once, so that one signature covers them.
    pub(crate) fn host_flush(&mut self, now: Timestamp) {
        if !self.host.ended.is_empty() {
            let ends = std::mem::take(&mut self.host.ended);
            self.provide(now, Input::Ended { ends });
        }
    }
}
