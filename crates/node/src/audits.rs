//! What audits found, told to the ledger (spec V3): praise for work that was right, blame for work that was
//! wrong.
//!
//! A finding is in the journal together with the judgement that it comes from. It waits there until the
//! ledger knows that its provider took part, and until it is final. The transaction that reports it is
//! in the journal before anyone sees it, so that a restart neither loses a report nor makes a second one.
//! The rules let one consumer give one provider only so much a day, so more praise than once a day is
//! not reported at all.

mod reporting;
mod testimony;

pub(crate) use testimony::{Testified, testify};

use crate::node::Node;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ledger::{
    reputation::{DAY_MS, Verdict},
    transaction::SignedTransaction,
};
use opensky_ports::{Journal, JournalError, Record, journal};
use opensky_types::{AgreementId, Hash, JobId, NodeId, TaskId, Timestamp, codec, job::Verify};
use std::collections::BTreeMap;

const SETTING: &str = "audits/1";
/// Longest encoding of what is kept, in bytes.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// Most findings that wait.
const FINDINGS_MAX: usize = 256;
/// Most praise of one job: of so many providers.
const PRAISED_OF_JOB_MAX: usize = 8;
/// Providers whose praise of today is remembered.
const PRAISED_MAX: usize = 1_024;

/// One run of a task that is checked by reputation, as it was judged.
pub(crate) struct JudgedRun {
    pub(crate) node: NodeId,
    pub(crate) agreement: AgreementId,
    pub(crate) receipt: Hash,
    pub(crate) verdict: journal::Verdict,
}

/// Something to report.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Finding {
    provider: NodeId,
    /// The name of the escrow, and the number of the transaction that opened it.
    escrow: AgreementId,
    nonce: u64,
    receipt: Hash,
    /// For a fault: whose results agreed, and with which receipts.
    agreeing: Vec<(NodeId, Hash)>,
    found_at: Timestamp,
    /// The transaction that reports it, once there is one.
    signed: Option<Vec<u8>>,
}

impl Finding {
    fn verdict(&self) -> Verdict {
        if self.agreeing.is_empty() { Verdict::Passed } else { Verdict::Failed }
    }

    fn transaction(&self) -> Option<SignedTransaction> {
        SignedTransaction::decode(self.signed.as_deref()?).ok()
    }
}

/// Praise that was found.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Praised {
    provider: NodeId,
    day: u64,
    job: JobId,
}

/// What is reported, and what was.
#[derive(Debug, Default, BorshSerialize, BorshDeserialize)]
pub(crate) struct Audits {
    findings: Vec<Finding>,
    praised: Vec<Praised>,
    /// Of which fault witnesses are asked now.
    #[borsh(skip)]
    asking: Option<Hash>,
    /// When a finding may be tried again, by receipt.
    #[borsh(skip)]
    resting: BTreeMap<Hash, Timestamp>,
}

impl Audits {
    pub(crate) fn load(journal: &dyn Journal) -> Result<Self, JournalError> {
        let Some(value) = journal.setting(SETTING)? else { return Ok(Self::default()) };
        codec::decode(&value, KEPT_BYTES_MAX).map_err(|_| JournalError::Damaged { what: "setting of audits" })
    }

    /// Whether nothing waits to be told.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether praise of a provider is worth telling.
    fn may_praise(&self, provider: NodeId, day: u64, job: JobId) -> bool {
        let is_same = |praised: &&Praised| praised.provider == provider && praised.day == day;
        let of_job = self.praised.iter().filter(|praised| praised.job == job).count();
        of_job < PRAISED_OF_JOB_MAX
            && self.praised.len() < PRAISED_MAX
            && !self.praised.iter().any(|praised| is_same(&praised))
    }

    fn knows(&self, receipt: &Hash) -> bool {
        self.findings.iter().any(|finding| finding.receipt == *receipt)
    }
}

impl Node {
    /// Whether what audits find of a stage's work is told to the ledger.
    pub(crate) fn reports_audits(&self, job: JobId, stage: u16) -> bool {
        let verify = self.consumer.demand(job, stage).map(|(_, verify)| verify);
        self.ledger.has_prices() && verify == Some(Verify::Reputation)
    }

    /// Tasks were judged: those that more than one node has run were audited. Called before their judgement
    /// goes to the journal, so that both are there or none.
    pub(crate) fn find_in_audits(
        &mut self,
        now: Timestamp,
        judged: BTreeMap<(JobId, TaskId), Vec<JudgedRun>>,
    ) {
        let mut found = false;
        for ((job, _), runs) in judged {
            let is_right = |run: &&JudgedRun| {
                matches!(run.verdict, journal::Verdict::Accepted | journal::Verdict::Agreed)
            };
            let right: Vec<&JudgedRun> = runs.iter().filter(is_right).collect();
            if right.len() < 2 {
                continue;
            }
            for run in &right {
                found |= self.praise(now, job, run);
            }
            let agreeing: Vec<(NodeId, Hash)> = right.iter().map(|run| (run.node, run.receipt)).collect();
            for run in runs.iter().filter(|run| run.verdict == journal::Verdict::Rejected) {
                found |= self.add_finding(now, run, agreeing.clone());
            }
        }
        if found {
            self.keep_audits();
        }
    }

    fn praise(&mut self, now: Timestamp, job: JobId, run: &JudgedRun) -> bool {
        let day = now.as_millis() / DAY_MS;
        self.audits.praised.retain(|praised| praised.day == day);
        if !self.audits.may_praise(run.node, day, job) || !self.add_finding(now, run, Vec::new()) {
            return false;
        }
        self.audits.praised.push(Praised { provider: run.node, day, job });
        true
    }

    /// Only of work that was paid for: the ledger knows nothing of other agreements.
    fn add_finding(&mut self, now: Timestamp, run: &JudgedRun, agreeing: Vec<(NodeId, Hash)>) -> bool {
        let Some((escrow, nonce)) = self.payments.escrow_of(run.agreement).filter(|_| run.node != self.own)
        else {
            return false;
        };
        if self.audits.findings.len() >= FINDINGS_MAX || self.audits.knows(&run.receipt) {
            return false;
        }
        let (provider, receipt) = (run.node, run.receipt);
        let finding = Finding { provider, escrow, nonce, receipt, agreeing, found_at: now, signed: None };
        self.audits.findings.push(finding);
        true
    }

    fn keep_audits(&mut self) {
        let value = codec::encode(&self.audits);
        self.keep_record(Record::Setting { name: SETTING.into(), value });
    }
}
