//! Money for work: a tab for each agreement that costs something, of either side. The ledger is told only
//! when a tab begins and when it is settled.

mod earning;
mod paying;

use crate::node::Node;
use opensky_ledger::{
    entry::Entry,
    escrow::{Escrow, PendingClaim},
    key::Key,
    tab::{PayeeTab, PayerTab, Tab},
};
use opensky_ports::Record;
use opensky_types::{AgreementId, Hash, Micros, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// All tabs of this node.
#[derive(Default)]
pub(crate) struct Payments {
    /// What this node owes.
    payer: BTreeMap<AgreementId, Paying>,
    /// What it is owed.
    payee: BTreeMap<AgreementId, PayeeTab>,
    /// The claim that waits for its block.
    claim: Option<Hash>,
    /// Tabs that the ledger would not settle, and when they are tried again.
    resting: BTreeMap<AgreementId, Timestamp>,
    /// Claims that were objected to, by escrow and number.
    objected: BTreeSet<(AgreementId, u64)>,
}

/// A tab, and own transactions for it that may still wait for their block.
struct Paying {
    tab: PayerTab,
    opening: Option<Hash>,
    top_up: Option<Hash>,
    /// When the provider was last told where the money is.
    told_at: Timestamp,
}

impl Payments {
    pub(crate) fn new(tabs: Vec<(AgreementId, Tab)>) -> Self {
        let mut payments = Self::default();
        for (agreement, tab) in tabs {
            match tab {
                Tab::Payer(tab) => {
                    let told_at = Timestamp::default();
                    payments.payer.insert(agreement, Paying { tab, opening: None, top_up: None, told_at });
                }
                Tab::Payee(tab) => {
                    payments.payee.insert(agreement, tab);
                }
            }
        }
        payments
    }

    /// The escrow of an agreement that this node pays for, and the number of the transaction that opened it.
    pub(crate) fn escrow_of(&self, agreement: AgreementId) -> Option<(AgreementId, u64)> {
        self.payer.get(&agreement).map(|paying| (paying.tab.escrow(), paying.tab.nonce()))
    }

    /// What was earned under an agreement.
    pub(crate) fn earned(&self, agreement: AgreementId) -> Micros {
        self.payee.get(&agreement).map_or(Micros::ZERO, PayeeTab::earned)
    }

    /// Whether nothing is owed in either direction.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.payer.is_empty() && self.payee.is_empty()
    }
}

impl Node {
    /// Compares the tabs with the ledger: after every final block, and every second.
    pub(crate) fn look_after_payments(&mut self, now: Timestamp) {
        self.look_after_payer(now);
        self.look_after_payee(now);
        self.look_after_audits(now);
    }

    /// The escrows of these names, each with the claim that waits for its window.
    fn escrows(&self, names: &[AgreementId]) -> Vec<(Option<Escrow>, Option<PendingClaim>)> {
        let keys: Vec<Key> = names.iter().flat_map(|name| [Key::Escrow(*name), Key::Claim(*name)]).collect();
        let entries = self.ledger.read(&keys);
        let pairs = entries.chunks(2).map(|pair| {
            let escrow = match pair.first() {
                Some(Some(Entry::Escrow(escrow))) => Some(**escrow),
                _ => None,
            };
            let claim = match pair.get(1) {
                Some(Some(Entry::Claim(claim))) => Some(**claim),
                _ => None,
            };
            (escrow, claim)
        });
        pairs.collect()
    }

    /// After a restart: tabs of agreements that were not taken up again are over.
    pub(crate) fn close_tabs(&mut self, now: Timestamp) {
        let owing = self.payments.payer.keys().filter(|agreement| !self.consumer.holds(**agreement));
        for agreement in owing.copied().collect::<Vec<_>>() {
            self.close_payer(now, agreement);
        }
        let earning =
            self.payments.payee.keys().filter(|agreement| self.host.provider.terms(**agreement).is_none());
        for agreement in earning.copied().collect::<Vec<_>>() {
            self.end_payee(now, agreement);
        }
    }

    fn keep_payer(&mut self, agreement: AgreementId) {
        if let Some(paying) = self.payments.payer.get(&agreement) {
            let tab = Tab::Payer(paying.tab.clone());
            self.keep_record(Record::TabKept { agreement, tab });
        }
    }

    fn keep_payee(&mut self, agreement: AgreementId) {
        if let Some(tab) = self.payments.payee.get(&agreement) {
            let tab = Tab::Payee(tab.clone());
            self.keep_record(Record::TabKept { agreement, tab });
        }
    }
}
