//! The node's own values in the journal.

use crate::{
    images::{IMAGE_NAME_BYTES_MAX, IMAGES_MAX, KeptImage},
    ledger::AutoTransfer,
};
use opensky_ports::{Clock, Journal, JournalError, Record};
use opensky_types::{codec, limits::ContributionLimits};

const LIMITS: &str = "contribution-limits/1";
const AUTO_TRANSFERS: &str = "auto-transfers/1";
const IMAGES: &str = "images/1";
const SCHEDULER_SECRET: &str = "scheduler-secret/1";
/// Largest stored value that is read back, in bytes.
const VALUE_BYTES_MAX: usize = 4_096;
/// Bytes of the list of images: a name, a hash, a size and a time for each.
const IMAGES_BYTES_MAX: usize = IMAGES_MAX * (IMAGE_NAME_BYTES_MAX + 64);

/// The owner's limits as last set.
pub(crate) fn limits(journal: &dyn Journal) -> Result<Option<ContributionLimits>, JournalError> {
    let Some(value) = journal.setting(LIMITS)? else { return Ok(None) };
    codec::decode(&value, VALUE_BYTES_MAX)
        .map(Some)
        .map_err(|_| JournalError::Damaged { what: "limits setting" })
}

/// The record that keeps them.
pub(crate) fn limits_record(limits: &ContributionLimits) -> Record {
    Record::Setting { name: LIMITS.into(), value: codec::encode(limits) }
}

/// The automatic transfers as last set.
pub(crate) fn auto_transfers(journal: &dyn Journal) -> Result<Vec<AutoTransfer>, JournalError> {
    let Some(value) = journal.setting(AUTO_TRANSFERS)? else { return Ok(Vec::new()) };
    codec::decode(&value, VALUE_BYTES_MAX)
        .map_err(|_| JournalError::Damaged { what: "automatic transfers setting" })
}

/// The record that keeps them.
pub(crate) fn auto_transfers_record(transfers: &Vec<AutoTransfer>) -> Record {
    Record::Setting { name: AUTO_TRANSFERS.into(), value: codec::encode(transfers) }
}

/// The images kept by name.
pub(crate) fn images(journal: &dyn Journal) -> Result<Vec<KeptImage>, JournalError> {
    let Some(value) = journal.setting(IMAGES)? else { return Ok(Vec::new()) };
    codec::decode(&value, IMAGES_BYTES_MAX).map_err(|_| JournalError::Damaged { what: "images setting" })
}

/// The record that keeps them.
pub(crate) fn images_record(images: &Vec<KeptImage>) -> Record {
    Record::Setting { name: IMAGES.into(), value: codec::encode(images) }
}

/// The full name of a value that is not the node's own: none of its own can be overwritten.
pub(crate) fn name_of_others(name: &str) -> String {
    format!("kept/{name}")
}

/// The record that keeps such a value.
pub(crate) fn record_of_others(name: &str, value: Vec<u8>) -> Record {
    Record::Setting { name: name_of_others(name), value }
}

/// The secret that audits are drawn with; made at the first start.
pub(crate) fn scheduler_secret(journal: &dyn Journal, clock: &dyn Clock) -> Result<[u8; 32], JournalError> {
    if let Some(value) = journal.setting(SCHEDULER_SECRET)? {
        return value.try_into().map_err(|_| JournalError::Damaged { what: "scheduler secret" });
    }
    let secret = clock.random();
    journal.commit(&[Record::Setting { name: SCHEDULER_SECRET.into(), value: secret.to_vec() }])?;
    Ok(secret)
}
