//! The node's own values in the journal.

use crate::{
    images::{IMAGE_NAME_BYTES_MAX, IMAGES_MAX, KeptImage},
    ledger::AutoTransfer,
    services::OpenPort,
};
use opensky_ports::{Clock, Journal, JournalError, Record};
use opensky_services::{KEPT_MAX, SlotData};
use opensky_types::{
    ServiceId, codec,
    limits::ContributionLimits,
    service::{Declared, REPLICAS_MAX},
};

const LIMITS: &str = "contribution-limits/2";
/// As before there were limits of GPUs, which are the last ones.
const LIMITS_WITHOUT_GPUS: &str = "contribution-limits/1";
const AUTO_TRANSFERS: &str = "auto-transfers/1";
const IMAGES: &str = "images/1";
const SERVICES: &str = "services/1";
const OPEN_PORTS: &str = "open-ports/1";
const SCHEDULER_SECRET: &str = "scheduler-secret/1";
/// Largest stored value that is read back, in bytes.
const VALUE_BYTES_MAX: usize = 4_096;
/// Bytes of the list of images: a name, a hash, a size and a time for each.
const IMAGES_BYTES_MAX: usize = IMAGES_MAX * (IMAGE_NAME_BYTES_MAX + 64);
/// Bytes of the list of services, of one service, and of the list of ports.
const SERVICES_BYTES_MAX: usize = KEPT_MAX * 10 + 4;
const SERVICE_BYTES_MAX: usize = 512 * 1024;
/// Bytes of what is known of the volumes of a service: a save and a node for each slot.
const DATA_BYTES_MAX: usize = REPLICAS_MAX as usize * 160 + 4;
const OPEN_PORTS_BYTES_MAX: usize = 64 * 1024;

/// The owner's limits as last set.
pub(crate) fn limits(journal: &dyn Journal) -> Result<Option<ContributionLimits>, JournalError> {
    let value = match journal.setting(LIMITS)? {
        Some(value) => Some(value),
        None => journal.setting(LIMITS_WITHOUT_GPUS)?.map(|value| [value, codec::encode(&0_u8)].concat()),
    };
    let Some(value) = value else { return Ok(None) };
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

/// The services that this node keeps, with what is known of their volumes.
pub(crate) fn services(journal: &dyn Journal) -> Result<Vec<(Declared, Vec<SlotData>)>, JournalError> {
    let Some(value) = journal.setting(SERVICES)? else { return Ok(Vec::new()) };
    let damaged = || JournalError::Damaged { what: "services setting" };
    let services: Vec<ServiceId> = codec::decode(&value, SERVICES_BYTES_MAX).map_err(|_| damaged())?;
    let mut kept = Vec::with_capacity(services.len());
    for service in services {
        let Some(value) = journal.setting(&service_name(service))? else {
            tracing::error!(%service, "a service was kept by an earlier version and is left out; declare it again");
            continue;
        };
        match codec::decode(&value, SERVICE_BYTES_MAX) {
            Ok(declared) => kept.push((declared, data(journal, service)?)),
            // One that cannot be read must not keep the node, and all others, from coming back.
            Err(error) => tracing::error!(%service, %error, "a kept service cannot be read and is left out"),
        }
    }
    Ok(kept)
}

/// What is known of the volumes of a service.
fn data(journal: &dyn Journal, service: ServiceId) -> Result<Vec<SlotData>, JournalError> {
    let value = journal.setting(&data_name(service))?.filter(|value| !value.is_empty());
    let Some(value) = value else { return Ok(Vec::new()) };
    // Unlike a declaration, this is nowhere else.
    codec::decode(&value, DATA_BYTES_MAX)
        .map_err(|_| JournalError::Damaged { what: "what is saved of a service's volumes" })
}

/// The record that keeps it.
pub(crate) fn data_record(service: ServiceId, data: &Vec<SlotData>) -> Record {
    Record::Setting { name: data_name(service), value: codec::encode(data) }
}

/// The record that empties its place.
pub(crate) fn no_data_record(service: ServiceId) -> Record {
    Record::Setting { name: data_name(service), value: Vec::new() }
}

fn data_name(service: ServiceId) -> String {
    format!("service-data/1/{service}")
}

/// The record that keeps their list.
pub(crate) fn services_record(services: &Vec<ServiceId>) -> Record {
    Record::Setting { name: SERVICES.into(), value: codec::encode(services) }
}

/// The record that keeps one of them.
pub(crate) fn service_record(service: ServiceId, declared: &Declared) -> Record {
    Record::Setting { name: service_name(service), value: codec::encode(declared) }
}

/// The record that empties its place.
pub(crate) fn no_service_record(service: ServiceId) -> Record {
    Record::Setting { name: service_name(service), value: Vec::new() }
}

fn service_name(service: ServiceId) -> String {
    format!("service/3/{service}")
}

/// The local ports that lead to services.
pub(crate) fn open_ports(journal: &dyn Journal) -> Result<Vec<OpenPort>, JournalError> {
    let Some(value) = journal.setting(OPEN_PORTS)? else { return Ok(Vec::new()) };
    codec::decode(&value, OPEN_PORTS_BYTES_MAX)
        .map_err(|_| JournalError::Damaged { what: "open ports setting" })
}

/// The record that keeps them.
pub(crate) fn open_ports_record(ports: &Vec<OpenPort>) -> Record {
    Record::Setting { name: OPEN_PORTS.into(), value: codec::encode(ports) }
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
