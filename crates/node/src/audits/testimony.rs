//! Witnesses of a wrong result: others check the receipts of the nodes that agree against that of the one
//! that does not, and sign.
//!
//! A receipt proves what its node said, not what is right. So results count here only of nodes that the
//! ledger would take as witnesses themselves, unrelated to the one who blames and to each other: nobody can
//! frame a node with machines of its own.

use crate::{fetch::blocking, ledger::ask};
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_ledger::{
    action::Action,
    approval::Approval,
    entry::Entry,
    escrow::id_of,
    key::Key,
    reputation::{Reputation, Score, Tier, Verdict},
    transaction::{TRANSACTION_BYTES_MAX, Transaction},
};
use opensky_ports::{Journal, LedgerEngine, Transport};
use opensky_protocol::ledger::{Ask, EVIDENCE_BYTES_MAX, Reply};
use opensky_types::{
    AccountId, Hash, Keypair, NodeId, Timestamp, codec,
    receipt::{Receipt, ReceiptProof},
};
use std::{collections::BTreeSet, sync::Arc};

/// Most nodes that are asked to be witnesses.
const ASKED_MAX: usize = 16;
/// Fewest results that have to agree against one.
const AGREEING_MIN: usize = 2;
/// Most receipts of one case.
const RECEIPTS_MAX: usize = 6;

/// What is needed to find witnesses.
pub(crate) struct Case {
    pub(super) provider: NodeId,
    pub(super) nonce: u64,
    pub(super) receipt: Hash,
    pub(super) agreeing: Vec<(NodeId, Hash)>,
    pub(super) connected: Vec<NodeId>,
    pub(super) now: Timestamp,
}

/// A report that enough witnesses signed, with their signatures.
pub(crate) type Testified = (Transaction, Vec<Approval>);

/// What a witness is shown.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) struct Evidence {
    /// The number of the transaction that opened the escrow.
    nonce: u64,
    /// The receipt of the wrong result first, then those that agree.
    receipts: Vec<ReceiptProof>,
}

/// What the ledger says of a node.
struct Known {
    is_fit: bool,
    owner: AccountId,
    machine: Option<u64>,
}

impl Known {
    fn is_related(&self, other: &Self) -> bool {
        self.owner == other.owner || (self.machine.is_some() && self.machine == other.machine)
    }
}

/// Reads what the ledger says of nodes, as its rules on witnesses would.
fn look_up(engine: &dyn LedgerEngine, nodes: &[NodeId], now: Timestamp) -> Vec<Known> {
    let accounts: Vec<AccountId> = nodes.iter().map(|node| AccountId::of_node(*node)).collect();
    let keys: Vec<Key> = accounts
        .iter()
        .flat_map(|account| [Key::Reputation(*account), Key::Owner(*account), Key::MachineOf(*account)])
        .collect();
    let (reading, validators) = (engine.read(&keys), engine.overview().validators);
    let asks_machine = engine.genesis().params.puzzle_bits > 0;
    let now = now.max(reading.head.time);
    let known =
        nodes.iter().zip(&accounts).zip(reading.entries.chunks(3)).map(|((node, account), entries)| {
            let reputation = match entries.first() {
                Some(Some(Entry::Reputation(reputation))) => (**reputation).clone(),
                _ => Reputation::default(),
            };
            let owner = match entries.get(1) {
                Some(Some(Entry::Owner(owner))) => *owner,
                _ => *account,
            };
            let machine = match entries.get(2) {
                Some(Some(Entry::MachineOf(machine))) => Some(*machine),
                _ => None,
            };
            let is_known = reputation.tier() >= Tier::Established || validators.contains(node);
            let is_fit = is_known
                && reputation.score() > Score::ZERO
                && reputation.may_work(now)
                && (machine.is_some() || !asks_machine);
            Known { is_fit, owner, machine }
        });
    known.collect()
}

/// Asks for signatures until there are as many as the rules want: those who agreed first, then validators
/// and others who are known.
pub(crate) async fn gather(
    transport: &dyn Transport,
    engine: &Arc<dyn LedgerEngine>,
    journal: Arc<dyn Journal>,
    own: NodeId,
    case: Case,
    blank: Transaction,
) -> Option<Testified> {
    let needed = usize::from(engine.genesis().params.witnesses);
    let ids: Vec<Hash> =
        std::iter::once(case.receipt).chain(case.agreeing.iter().map(|(_, receipt)| *receipt)).collect();
    let (chain, nonce) = (Arc::clone(engine), case.nonce);
    let (evidence, mut left) = blocking(move || {
        let proofs = ids.iter().take(RECEIPTS_MAX).map(|id| journal.receipt(*id).ok().flatten());
        let receipts: Option<Vec<ReceiptProof>> = proofs.collect();
        // What this node said to a batch is long, and no part of the case.
        let receipts = receipts?.into_iter().map(|proof| ReceiptProof { countersignature: None, ..proof });
        let evidence = codec::encode(&Evidence { nonce, receipts: receipts.collect() });
        Some((evidence, candidates(chain.as_ref(), own, &case)))
    })
    .await?;
    loop {
        if left.len() < needed || evidence.len() > EVIDENCE_BYTES_MAX {
            return None;
        }
        let chosen: Vec<NodeId> = left.iter().take(needed).copied().collect();
        let transaction = naming(&blank, &chosen);
        let bytes = transaction.encode();
        let mut approvals = Vec::with_capacity(needed);
        for node in &chosen {
            let asked = Ask::Testify { transaction: bytes.clone(), evidence: evidence.clone() };
            match ask(transport, *node, &asked).await {
                Ok(Reply::Approved { approval: Some(bytes) }) => {
                    let approval = codec::decode::<Approval>(&bytes, 1_024).ok();
                    approvals.extend(approval.filter(|approval| approval.verify(&transaction).is_ok()));
                }
                Ok(_) => tracing::debug!(%node, "a node does not testify"),
                Err(error) => tracing::debug!(%node, %error, "a node was not reached as a witness"),
            }
            if approvals.len() < chosen.iter().position(|one| one == node).unwrap_or_default() + 1 {
                left.retain(|one| one != node);
                break;
            }
        }
        if approvals.len() == needed {
            return Some((transaction, approvals));
        }
    }
}

/// The report with its witnesses, in the order that the rules want.
fn naming(blank: &Transaction, nodes: &[NodeId]) -> Transaction {
    let mut transaction = blank.clone();
    if let Action::AuditReport(report) = &mut transaction.action {
        report.witnesses = nodes.iter().map(|node| AccountId::of_node(*node)).collect();
        report.witnesses.sort_unstable();
    }
    transaction
}

/// Who may testify, by what the ledger says of them: none related to another, to the provider or to this
/// node.
fn candidates(engine: &dyn LedgerEngine, own: NodeId, case: &Case) -> Vec<NodeId> {
    let agreeing = case.agreeing.iter().map(|(node, _)| *node);
    let mut nodes: Vec<NodeId> = Vec::new();
    for node in agreeing.chain(engine.overview().validators).chain(case.connected.iter().copied()) {
        let is_other = node != own && node != case.provider && case.connected.contains(&node);
        if is_other && !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    let parties = look_up(engine, &[own, case.provider], case.now);
    let mut taken: Vec<Known> = parties;
    let known = look_up(engine, &nodes, case.now);
    let fit = nodes.into_iter().zip(known).filter_map(|(node, known)| {
        let may = known.is_fit && !taken.iter().any(|other| other.is_related(&known));
        if may {
            taken.push(known);
        }
        may.then_some(node)
    });
    fit.take(ASKED_MAX).collect()
}

/// Signs a report as a witness, if the evidence says what it says.
pub(crate) fn testify(
    engine: &dyn LedgerEngine,
    key: &Keypair,
    from: NodeId,
    (transaction, evidence): (&[u8], &[u8]),
) -> Option<Vec<u8>> {
    let transaction: Transaction = codec::decode(transaction, TRANSACTION_BYTES_MAX).ok()?;
    let evidence: Evidence = codec::decode(evidence, EVIDENCE_BYTES_MAX).ok()?;
    let holds = holds(engine, key.id(), from, &transaction, &evidence);
    holds.then(|| codec::encode(&Approval::sign(key, &transaction)))
}

fn holds(
    engine: &dyn LedgerEngine,
    own: NodeId,
    from: NodeId,
    transaction: &Transaction,
    evidence: &Evidence,
) -> bool {
    let Action::AuditReport(report) = &transaction.action else { return false };
    let [wrong, agreeing @ ..] = &evidence.receipts[..] else { return false };
    let consumer = AccountId::of_node(from);
    let names_us = report.witnesses.contains(&AccountId::of_node(own));
    let is_of_sky = transaction.sky == engine.genesis().sky && transaction.account == consumer;
    let is_reported = report.verdict == Verdict::Failed
        && report.receipt == wrong.receipt.id()
        && report.agreement == id_of(wrong.receipt.agreement.hash(), &consumer, evidence.nonce);
    let is_counted = (AGREEING_MIN..RECEIPTS_MAX).contains(&agreeing.len());
    if !(names_us && is_of_sky && is_reported && is_counted) {
        return false;
    }
    let is_signed = |proof: &ReceiptProof| proof.receipt.consumer == from && proof.verify().is_ok();
    if !evidence.receipts.iter().all(is_signed) {
        return false;
    }
    let first = &agreeing[0].receipt;
    let contradicts = agreeing.iter().all(|proof| {
        is_same_work(&wrong.receipt, &proof.receipt)
            && proof.receipt.output == first.output
            && proof.receipt.output != wrong.receipt.output
    });
    contradicts && are_independent(engine, own, from, evidence)
}

/// Whether two receipts are of the same task, run by the same program in the same way: then only one
/// output is right.
fn is_same_work(one: &Receipt, other: &Receipt) -> bool {
    let work = |receipt: &Receipt| {
        (receipt.job, receipt.task, receipt.program, receipt.input, receipt.engine_config)
    };
    work(one) == work(other) && one.engine == other.engine && one.exited && other.exited
}

/// Whether those who agree are fit to testify, and have nothing to do with each other, with the accused, or
/// with the accuser. What this node ran itself it knows to be right.
fn are_independent(engine: &dyn LedgerEngine, own: NodeId, from: NodeId, evidence: &Evidence) -> bool {
    let nodes: Vec<NodeId> =
        std::iter::once(from).chain(evidence.receipts.iter().map(|proof| proof.receipt.provider)).collect();
    let distinct: BTreeSet<NodeId> = nodes.iter().copied().collect();
    let known = look_up(engine, &nodes, engine.head().time);
    let is_alone = |index: usize| known[..index].iter().all(|other| !other.is_related(&known[index]));
    let fit = |index: usize| nodes[index] == own || known[index].is_fit;
    distinct.len() == nodes.len() && (1..nodes.len()).all(is_alone) && (2..nodes.len()).all(fit)
}
