//! Agreements with providers: proposed, agreed, refused, resumed, closed.

use super::Agreement;
use crate::node::Node;
use opensky_ports::Record;
use opensky_protocol::work::ToProvider;
use opensky_scheduler::Input;
use opensky_types::{
    AgreementId, JobId, NodeId, Signed, Timestamp,
    agreement::{Acceptance, Terms},
    reason::Misfit,
};
use std::collections::BTreeMap;

/// Longest life of a proposal that is not answered, in milliseconds; well over the scheduler's own
/// patience.
const PROPOSAL_LIFE_MS: u64 = 30_000;

impl Node {
    /// Signs terms for a stage and proposes them.
    pub(super) fn propose(
        &mut self,
        now: Timestamp,
        job: JobId,
        stage: u16,
        node: NodeId,
        slots: u16,
    ) -> Option<Input> {
        let price = self.price_of(node);
        let payment = match self.payment(now, (job, stage), node, (price, slots)) {
            Ok(payment) => payment,
            Err(reason) => return Some(self.on_unaffordable(now, (job, stage), node, reason)),
        };
        let active = self.consumer.jobs.get(&job)?;
        let spec = &active.spec.stages[usize::from(stage)];
        let random = self.clock.random();
        let terms = Terms {
            sky: self.membership.genesis().sky(),
            consumer: self.own,
            provider: node,
            job,
            stage,
            program: spec.program.clone(),
            seed: active.spec.seed,
            limits: spec.limits,
            slots,
            price_per_gfuel: price,
            payment,
            commit_first: spec.verify.commits_first(),
            // A job that is not kept over a restart has nobody who could come back for its work.
            orphan_grace_ms: if active.spec.durable { self.config.orphan_grace_ms } else { 0 },
            made_at: now,
            nonce: u64::from_le_bytes(random[..8].try_into().expect("eight bytes")),
        };
        let signed = Signed::sign(&terms, &self.key);
        self.market.reserve(now, node, slots);
        self.consumer.proposals.insert(signed.agreement_id(), (signed.clone(), terms));
        self.tell_provider(node, ToProvider::Propose { terms: signed });
        None
    }

    /// A provider signed.
    pub(super) fn on_accepted(&mut self, now: Timestamp, node: NodeId, signed: &Signed<Acceptance>) {
        let acceptance = match signed.verify() {
            Ok(acceptance) if signed.signer() == node => acceptance,
            Ok(_) => return self.drop_provider(now, node, &"acceptance signed by another node"),
            Err(error) => return self.drop_provider(now, node, &error),
        };
        let known = self.consumer.proposals.get(&acceptance.agreement);
        if known.is_none_or(|(_, terms)| terms.provider != node) {
            return self.tell_provider(node, ToProvider::Close { agreement: acceptance.agreement });
        }
        let Some((signed, terms)) = self.consumer.proposals.remove(&acceptance.agreement) else { return };
        let slots = acceptance.slots.clamp(1, terms.slots);
        self.market.release(now, node, terms.slots - slots);
        let (job, stage, agreement) = (terms.job, terms.stage, acceptance.agreement);
        if !self.open_escrow(now, agreement, &terms) {
            self.market.release(now, node, slots);
            self.tell_provider(node, ToProvider::Close { agreement });
            return self.schedule(now, Input::Refused { job, stage, node, misfit: Misfit::Unfunded });
        }
        if terms.orphan_grace_ms > 0 {
            self.keep_record(Record::AgreementHeld { agreement, terms: signed });
        }
        self.consumer
            .agreements
            .insert(agreement, Agreement { terms, slots, inputs: BTreeMap::new(), restored: false });
        self.schedule(now, Input::Agreed { job, stage, node, agreement, slots });
    }

    /// A provider said no, or could not be asked.
    pub(crate) fn on_refused(
        &mut self,
        now: Timestamp,
        node: NodeId,
        agreement: AgreementId,
        misfit: Misfit,
    ) {
        if let Some((_, terms)) = self.consumer.proposals.remove(&agreement) {
            self.market.release(now, node, terms.slots);
            self.schedule(now, Input::Refused { job: terms.job, stage: terms.stage, node, misfit });
        }
    }

    /// Proposals to a provider that is lost: the scheduler has given them up.
    pub(crate) fn forget_proposals_to(&mut self, now: Timestamp, node: NodeId) {
        self.forget_proposals(now, |terms| terms.provider == node);
    }

    /// Proposals that nobody answered: the scheduler gave them up long ago.
    pub(crate) fn expire_proposals(&mut self, now: Timestamp) {
        self.forget_proposals(now, |terms| now.ms_since(terms.made_at) >= PROPOSAL_LIFE_MS);
    }

    fn forget_proposals(&mut self, now: Timestamp, which: impl Fn(&Terms) -> bool) {
        let market = &mut self.market;
        self.consumer.proposals.retain(|_, (_, terms)| {
            let forgotten = which(terms);
            if forgotten {
                market.release(now, terms.provider, terms.slots);
            }
            !forgotten
        });
    }

    /// The consumer ends an agreement.
    pub(super) fn close(&mut self, now: Timestamp, agreement: AgreementId, node: NodeId) {
        if let Some(open) = self.consumer.agreements.remove(&agreement) {
            self.forget_agreement(now, agreement, &open);
        }
        self.tell_provider(node, ToProvider::Close { agreement });
    }

    /// The provider ended an agreement.
    pub(crate) fn on_agreement_ended(
        &mut self,
        now: Timestamp,
        node: NodeId,
        agreement: AgreementId,
        misfit: Misfit,
    ) {
        if self.consumer.agreements.get(&agreement).is_none_or(|open| open.terms.provider != node) {
            return;
        }
        // Results that already came are judged first, under the agreement they belong to.
        self.schedule(now, Input::AgreementEnded { agreement, misfit });
        if let Some(open) = self.consumer.agreements.remove(&agreement) {
            self.forget_agreement(now, agreement, &open);
        }
    }

    fn forget_agreement(&mut self, now: Timestamp, agreement: AgreementId, open: &Agreement) {
        self.market.release(now, open.terms.provider, open.slots);
        self.close_payer(now, agreement);
        if open.terms.orphan_grace_ms > 0 {
            self.keep_record(Record::AgreementEnded { agreement });
        }
        self.consumer.followers.retain(|(of, _), _| *of != agreement);
    }

    /// Ends all that is open with a provider that broke the protocol.
    pub(crate) fn end_dealings(&mut self, now: Timestamp, node: NodeId) {
        for agreement in self.agreements_with(node) {
            self.on_agreement_ended(now, node, agreement, Misfit::Terms);
        }
        let proposed = self.consumer.proposals.iter().filter(|(_, (_, terms))| terms.provider == node);
        let proposed: Vec<AgreementId> = proposed.map(|(agreement, _)| *agreement).collect();
        for agreement in proposed {
            self.on_refused(now, node, agreement, Misfit::Terms);
        }
    }

    fn agreements_with(&self, node: NodeId) -> Vec<AgreementId> {
        let with_it = self.consumer.agreements.iter().filter(|(_, open)| open.terms.provider == node);
        with_it.map(|(agreement, _)| *agreement).collect()
    }

    /// A lost provider can be reached again: asks where things stand.
    pub(crate) fn on_provider_back(&mut self, now: Timestamp, node: NodeId) {
        for agreement in self.agreements_with(node) {
            self.tell_provider(node, ToProvider::Resume { agreement });
            self.fund_again(node, agreement);
        }
        self.schedule(now, Input::ProviderBack { node });
    }
}
