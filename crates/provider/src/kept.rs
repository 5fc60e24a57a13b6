//! Results that the consumer has not signed for yet. Work is never done twice because a message was
//! lost, so they stay until it has, up to a number of bytes.

use crate::DeliveryId;
use opensky_types::{
    AgreementId, Hash, NodeId,
    task::{Content, Failure, Outcome, TaskReport},
};
use std::{collections::BTreeMap, sync::Arc};

/// Bytes that a report takes beside its contents, about.
const REPORT_BYTES: u64 = 256;

/// A finished task.
#[derive(Debug)]
pub(crate) struct Held {
    pub report: TaskReport,
    pub input: Hash,
    pub output: Hash,
}

/// Results delivered under one signature.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub to: NodeId,
    pub reports: Arc<Vec<TaskReport>>,
    /// Hashes of input and output, by report.
    pub hashes: Vec<(Hash, Hash)>,
    /// Whether the node was told to send it.
    pub was_sent: bool,
}

#[derive(Debug)]
pub(crate) enum Entry {
    /// Shown only once it is asked for.
    Committed(Box<Held>),
    Delivery(Delivery),
}

#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// By number, so oldest first, with the agreement and the size in bytes.
    entries: BTreeMap<u64, (AgreementId, u64, Entry)>,
    next: u64,
    bytes: u64,
}

impl Kept {
    pub fn add(&mut self, agreement: AgreementId, entry: Entry) -> u64 {
        let number = self.next;
        self.next += 1;
        let bytes = match &entry {
            Entry::Committed(held) => report_bytes(&held.report),
            Entry::Delivery(delivery) => delivery.reports.iter().map(report_bytes).sum(),
        };
        self.bytes += bytes;
        self.entries.insert(number, (agreement, bytes, entry));
        number
    }

    pub fn get_mut(&mut self, number: u64) -> Option<&mut Entry> {
        self.entries.get_mut(&number).map(|(_, _, entry)| entry)
    }

    pub fn delivery(&self, id: DeliveryId) -> Option<(AgreementId, &Delivery)> {
        match self.entries.get(&id.0) {
            Some((agreement, _, Entry::Delivery(delivery))) => Some((*agreement, delivery)),
            _ => None,
        }
    }

    pub fn remove(&mut self, number: u64) -> Option<Entry> {
        let (_, bytes, entry) = self.entries.remove(&number)?;
        self.bytes -= bytes;
        Some(entry)
    }

    /// Takes out the oldest entry while there are more than `bytes_max`.
    pub fn pop_over(&mut self, bytes_max: u64) -> Option<(u64, AgreementId, Entry)> {
        if self.bytes <= bytes_max {
            return None;
        }
        let (number, (agreement, bytes, entry)) = self.entries.pop_first()?;
        self.bytes -= bytes;
        Some((number, agreement, entry))
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn entries(&self) -> impl Iterator<Item = (u64, AgreementId, u64, &Entry)> {
        self.entries.iter().map(|(number, (agreement, bytes, entry))| (*number, *agreement, *bytes, entry))
    }
}

/// About how many bytes a report takes in memory and on the wire.
pub(crate) fn report_bytes(report: &TaskReport) -> u64 {
    let inline =
        |content: &Content| if let Content::Inline(bytes) = content { bytes.len() as u64 } else { 48 };
    let rest = match &report.outcome {
        Outcome::Exited(output) => {
            output.files.iter().map(|(path, content)| 32 + path.len() as u64 + inline(content)).sum()
        }
        Outcome::Failed { failure, .. } => message_bytes(failure),
    };
    REPORT_BYTES + inline(report.outcome.stdout()) + inline(report.outcome.stderr()) + rest
}

fn message_bytes(failure: &Failure) -> u64 {
    match failure {
        Failure::Trap { message }
        | Failure::InvalidProgram { message }
        | Failure::InputUnavailable { message, .. }
        | Failure::WorkerLost { message }
        | Failure::ProviderStopped { message }
        | Failure::Unchecked { message } => message.len() as u64,
        Failure::Limit { .. } | Failure::Cancelled | Failure::ProviderLost | Failure::ExitCode { .. } => 0,
    }
}
