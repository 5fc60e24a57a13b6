//! Volumes of services: saved where they are, held by keepers, and fetched by whoever goes on with them.

use super::{ServiceEvent, keeping::fetch_from_any};
use crate::{event::Event, fetch::Fetcher, node::Node, settings};
use opensky_ports::Pin;
use opensky_services::{HostInput, KeeperInput, SlotData};
use opensky_types::{
    Hash, NodeId, ServiceId, Timestamp,
    job::Blob,
    service::{ReplicaId, Saved},
};
use std::{collections::BTreeMap, sync::Arc};

/// The part of the blob store that what is saved of others' volumes may take.
const HELD_SHARE: u64 = 4;

impl Node {
    /// Saves the volumes of a replica that runs here, or ran here last.
    pub(super) fn save_volumes(&mut self, replica: ReplicaId) {
        let Some(engine) = self.services.engine() else {
            let result = Err("nothing here runs services".to_owned());
            return self.soon(ServiceEvent::Host(HostInput::Saved { replica, result }));
        };
        let (blobs, events) = (Arc::clone(&self.blobs), self.events.clone());
        self.tasks.spawn(async move {
            let result = match engine.save(replica).await {
                Ok(blob) => pin_slot(blobs, replica, blob).await,
                Err(failure) => Err(failure.to_string()),
            };
            if let Err(problem) = &result {
                tracing::warn!(%replica, problem, "volumes could not be saved");
            }
            let saved = ServiceEvent::Host(HostInput::Saved { replica, result });
            let _ = events.send(Event::Service(Box::new(saved))).await;
        });
    }

    /// A replica has ended here. Its volumes stay only where nobody else has all that is in them.
    pub(super) fn let_go_of_volumes(&mut self, replica: ReplicaId, is_handed_over: bool) {
        if let Err(error) = self.blobs.unpin(Pin::Slot(replica.service, replica.slot)) {
            tracing::warn!(%replica, %error, "what was saved of volumes is still pinned");
        }
        if let Some(engine) = self.services.engine() {
            self.tasks.spawn(async move { engine.forget(replica, is_handed_over).await });
        }
    }

    /// Gets here what was saved of a slot's volumes.
    pub(super) fn hold_data(
        &mut self,
        now: Timestamp,
        service: ServiceId,
        slot: u16,
        (saved, sources): (Saved, Vec<NodeId>),
    ) {
        if !self.may_hold(service, slot, &saved) {
            let result = Err("no room here".to_owned());
            return self.keep_up(now, KeeperInput::DataHeld { service, slot, saved, result });
        }
        let fetcher =
            Fetcher { own: self.own, transport: Arc::clone(&self.transport), blobs: Arc::clone(&self.blobs) };
        self.services.fetched.insert((service, slot), saved);
        let (stop, events) = (self.stop.clone(), self.events.clone());
        self.tasks.spawn(async move {
            let blobs = [saved.blob];
            let fetching = fetch_from_any(&fetcher, &sources, &blobs, Pin::Volumes(service));
            let Some(result) = stop.run_until_cancelled(fetching).await else { return };
            let held = ServiceEvent::Keeper(KeeperInput::DataHeld { service, slot, saved, result });
            let _ = events.send(Event::Service(Box::new(held))).await;
        });
    }

    /// A save came, or did not.
    pub(super) fn on_data_held(&mut self, now: Timestamp, input: KeeperInput) {
        if let KeeperInput::DataHeld { service, slot, saved, .. } = &input
            && self.services.fetched.get(&(*service, *slot)).is_some_and(|fetched| fetched.id == saved.id)
        {
            self.services.fetched.remove(&(*service, *slot));
        }
        self.keep_up(now, input);
    }

    /// Whether there is room for one more save: for others' services a part of the store is given, to what is held and
    /// to what is on its way.
    fn may_hold(&self, service: ServiceId, slot: u16, saved: &Saved) -> bool {
        let keeper = &self.services.keeper;
        let is_own = |service| keeper.declared(service).is_some_and(|(known, _)| known.owner == self.own);
        if is_own(service) {
            return true;
        }
        let mut counted: BTreeMap<(ServiceId, u16), u64> = BTreeMap::new();
        for service in keeper.services().filter(|service| !is_own(*service)) {
            counted.extend(
                keeper.held(service).into_iter().map(|(slot, held)| ((service, slot), held.blob.size_bytes)),
            );
        }
        for (place, fetched) in self.services.fetched.iter().filter(|((service, _), _)| !is_own(*service)) {
            let bytes = counted.entry(*place).or_default();
            *bytes = fetched.blob.size_bytes.max(*bytes);
        }
        // What it takes the place of goes.
        counted.insert((service, slot), saved.blob.size_bytes);
        let all_bytes = counted.values().copied().fold(0, u64::saturating_add);
        let (_, cap_bytes) = self.blobs.usage();
        all_bytes <= cap_bytes / HELD_SHARE
    }

    /// Keeps on disk what is known of a service's volumes, and lets go of saves that are older.
    pub(super) fn remember_data(&mut self, service: ServiceId) {
        let data = self.services.keeper.data(service);
        self.keep_record(settings::data_record(service, &data));
        self.pin_data(service);
    }

    /// Holds on to what was saved last of each slot, and to no other save.
    pub(super) fn pin_data(&self, service: ServiceId) {
        let held = self.services.keeper.held(service).into_iter().map(|(_, saved)| saved.blob.hash);
        let fetched = self.services.fetched.iter().filter(|((of, _), _)| *of == service);
        let hashes: Vec<Hash> = held.chain(fetched.map(|(_, saved)| saved.blob.hash)).collect();
        if let Err(error) = self.blobs.repin(Pin::Volumes(service), &hashes) {
            tracing::error!(%service, %error, "what was saved of a service's volumes is not pinned");
        }
    }

    /// What was on disk, without saves that are not in the store any more: nobody is told that they are here.
    pub(super) fn with_blobs_only(&self, mut data: Vec<SlotData>) -> Vec<SlotData> {
        for slot in &mut data {
            let is_here = |saved: &Saved| matches!(self.blobs.open(&saved.blob.hash), Ok(Some(_)));
            slot.held = slot.held.filter(is_here);
        }
        data
    }

    pub(super) fn forget_data(&mut self, service: ServiceId) {
        self.keep_record(settings::no_data_record(service));
        if let Err(error) = self.blobs.unpin(Pin::Volumes(service)) {
            tracing::warn!(%service, %error, "what was saved of volumes is still pinned");
        }
    }

    /// What another keeper of a service may know of what is held here.
    pub(super) fn saves_for(&self, node: NodeId, service: ServiceId) -> Vec<(u16, Saved)> {
        let keeper = &self.services.keeper;
        let is_keeper = keeper.declared(service).is_some_and(|(known, _)| known.keepers.contains(&node));
        if is_keeper { keeper.held(service) } else { Vec::new() }
    }
}

/// Holds on to the newest save of a slot that runs here, and to no other one.
async fn pin_slot(
    blobs: Arc<dyn opensky_ports::BlobStore>,
    replica: ReplicaId,
    blob: Blob,
) -> Result<Blob, String> {
    let pin = Pin::Slot(replica.service, replica.slot);
    let pinning = tokio::task::spawn_blocking(move || {
        blobs.repin(pin, &[blob.hash]).map_err(|error| error.to_string())
    });
    pinning.await.unwrap_or_else(|panic| Err(panic.to_string())).map(|()| blob)
}

/// Makes sure that what the volumes of a replica begin with is here.
pub(super) async fn fetch_saved(
    fetcher: &Fetcher,
    sources: &[NodeId],
    saved: Blob,
    replica: ReplicaId,
) -> Result<(), String> {
    let fetched = fetch_from_any(fetcher, sources, &[saved], Pin::Slot(replica.service, replica.slot)).await;
    fetched.map_err(|problem| format!("what was saved of its volumes: {problem}"))
}
