//! Findings on their way to the ledger: one transaction at a time.

use super::{Finding, testimony};
use crate::{journal::Promise, node::Node};
use opensky_ledger::{
    action::Action,
    entry::Entry,
    key::Key,
    reputation::{AuditReport, Verdict},
    transaction::{SignedTransaction, Transaction},
};
use opensky_ports::{
    LedgerEngine,
    ledger::{HistoryEvent, Whereabouts},
};
use opensky_types::{Hash, Timestamp};
use std::sync::Arc;

/// How long a finding waits for an escrow that the ledger does not show, in milliseconds.
const NO_ESCROW_MS: u64 = 60_000;
/// Time between two tries to report one, in milliseconds.
const REST_MS: u64 = 60_000;
/// Lines of the own history that are looked through for a report of before a restart.
const HISTORY_LINES: usize = 1_024;

/// How a finding stands with the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Its provider took part, so that it can be told.
    Ready,
    /// It may still.
    TooEarly,
    /// Nobody can tell it any more.
    Over,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Final,
    Waits,
    /// It can be told again.
    Lost,
    /// It never will be final.
    Void,
}

impl Node {
    /// After every final block, and every second.
    pub(crate) fn look_after_audits(&mut self, now: Timestamp) {
        if self.audits.findings.is_empty() {
            return;
        }
        let before = self.audits.findings.len();
        let mut void = false;
        for index in (0..self.audits.findings.len()).rev() {
            match self.sent(&self.audits.findings[index]) {
                None | Some(Sent::Waits) => {}
                Some(Sent::Final) => drop(self.audits.findings.remove(index)),
                Some(Sent::Void) => {
                    self.audits.findings[index].signed = None;
                    void = true;
                }
                Some(Sent::Lost) => self.tell_again(now, index),
            }
        }
        let is_busy = self.audits.asking.is_some()
            || self.audits.findings.iter().any(|finding| finding.signed.is_some());
        if !is_busy {
            self.report_next(now);
        }
        if void || self.audits.findings.len() != before {
            self.keep_audits();
        }
    }

    /// Reports the first finding that is ready, and forgets those that nobody can report any more.
    fn report_next(&mut self, now: Timestamp) {
        let mut index = 0;
        while let Some(finding) = self.audits.findings.get(index) {
            let rests = self.audits.resting.get(&finding.receipt).is_some_and(|until| now < *until);
            match self.standing(now, finding) {
                Standing::Over => {
                    tracing::info!(provider = %finding.provider, "what an audit found can't be reported any more");
                    let gone = self.audits.findings.remove(index);
                    self.audits.resting.remove(&gone.receipt);
                    continue;
                }
                Standing::Ready if !rests => {
                    let receipt = finding.receipt;
                    self.audits.resting.insert(receipt, now.plus_ms(REST_MS));
                    return self.report_finding(now, index);
                }
                Standing::Ready | Standing::TooEarly => index += 1,
            }
        }
    }

    fn standing(&self, now: Timestamp, finding: &Finding) -> Standing {
        let entries = self.ledger.read(&[Key::Escrow(finding.escrow), Key::Settled(finding.escrow)]);
        match (entries.first(), entries.get(1)) {
            (_, Some(Some(Entry::Settled(_)))) => Standing::Ready,
            (Some(Some(Entry::Escrow(escrow))), _) if escrow.accepted => Standing::Ready,
            (Some(Some(_)), _) => Standing::TooEarly,
            _ if now.ms_since(finding.found_at) < NO_ESCROW_MS => Standing::TooEarly,
            _ => Standing::Over,
        }
    }

    fn report_finding(&mut self, now: Timestamp, index: usize) {
        let Some(finding) = self.audits.findings.get(index) else { return };
        if finding.verdict() == Verdict::Passed {
            let report = report_of(finding, Vec::new());
            let transaction = self.transaction(now, Action::AuditReport(report));
            let signed = self.sign_transaction(&transaction, Vec::new());
            return self.keep_and_tell(index, signed);
        }
        self.audits.asking = Some(finding.receipt);
        let report = report_of(finding, Vec::new());
        let blank = self.transaction(now, Action::AuditReport(report));
        let case = testimony::Case {
            provider: finding.provider,
            nonce: finding.nonce,
            receipt: finding.receipt,
            agreeing: finding.agreeing.clone(),
            connected: self.connected(),
            now,
        };
        let (transport, engine) = (Arc::clone(&self.transport), Arc::clone(&self.ledger.engine));
        let (journal, events) = (Arc::clone(&self.journal), self.events.clone());
        let (own, stop, receipt) = (self.own, self.stop.clone(), finding.receipt);
        self.tasks.spawn(async move {
            let gathered = testimony::gather(transport.as_ref(), &engine, journal, own, case, blank);
            let Some(gathered) = stop.run_until_cancelled(gathered).await else { return };
            // If the loop is gone there is nobody left to report.
            let _ = events.send(crate::event::Event::Testified { receipt, gathered }).await;
        });
    }

    /// Witnesses have signed, or too few of them.
    pub(crate) fn on_testified(&mut self, receipt: Hash, gathered: Option<testimony::Testified>) {
        self.audits.asking = None;
        let Some(index) = self.audits.findings.iter().position(|finding| finding.receipt == receipt) else {
            return;
        };
        match gathered {
            Some((transaction, approvals)) => {
                let signed = self.sign_transaction(&transaction, approvals);
                self.keep_and_tell(index, signed);
            }
            None => tracing::info!("too few witnesses of a wrong result; they are asked again later"),
        }
    }

    /// On disk first: whatever happens then, no other transaction reports the same.
    fn keep_and_tell(&mut self, index: usize, signed: SignedTransaction) {
        let Some(finding) = self.audits.findings.get_mut(index) else { return };
        finding.signed = Some(signed.encode());
        self.keep_audits();
        self.promise(Promise::Transact(Box::new(signed)));
    }

    fn tell_again(&mut self, now: Timestamp, index: usize) {
        let Some(finding) = self.audits.findings.get(index) else { return };
        let rests = self.audits.resting.get(&finding.receipt).is_some_and(|until| now < *until);
        if rests {
            return;
        }
        let (receipt, signed) = (finding.receipt, finding.transaction());
        self.audits.resting.insert(receipt, now.plus_ms(REST_MS));
        if let Some(signed) = signed
            && let Err(error) = self.submit_transaction(now, signed)
        {
            tracing::debug!(%error, "a report is not taken");
        }
    }

    /// What became of the transaction of a finding.
    fn sent(&self, finding: &Finding) -> Option<Sent> {
        finding.signed.as_ref()?;
        let Some(checked) = finding.transaction().and_then(|signed| signed.unchecked().ok()) else {
            return Some(Sent::Void);
        };
        let engine = &self.ledger.engine;
        match engine.whereabouts(&checked.id) {
            Whereabouts::Final { .. } => return Some(Sent::Final),
            Whereabouts::Waiting => return Some(Sent::Waits),
            Whereabouts::Unknown => {}
        }
        let Transaction { account, nonce, valid_until, .. } = checked.transaction;
        let entries = self.ledger.read(&[Key::Account(account)]);
        let next = match entries.first() {
            Some(Some(Entry::Account(account))) => account.nonce,
            _ => 0,
        };
        if nonce >= next {
            return Some(if self.ledger.time() > valid_until { Sent::Void } else { Sent::Lost });
        }
        // Its number is used up: by itself, or by another of this node.
        Some(if is_in_history(engine.as_ref(), &checked.transaction) { Sent::Final } else { Sent::Void })
    }
}

/// Whether a transaction is among the last ones of its account. Rare, and some milliseconds at most: only
/// where this node has forgotten what was final when it started.
fn is_in_history(engine: &dyn LedgerEngine, transaction: &Transaction) -> bool {
    let lines = engine.history(&transaction.account, None, HISTORY_LINES).unwrap_or_default();
    lines.into_iter().any(|line| match line.what {
        HistoryEvent::Transaction(signed) => {
            signed.unchecked().is_ok_and(|found| found.transaction == *transaction)
        }
        HistoryEvent::Event(_) => false,
    })
}

/// What is told of a finding.
fn report_of(finding: &Finding, witnesses: Vec<opensky_types::AccountId>) -> AuditReport {
    AuditReport { agreement: finding.escrow, receipt: finding.receipt, verdict: finding.verdict(), witnesses }
}
