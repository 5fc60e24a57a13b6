//! What is kept of the volumes of a service, so that they go on where their host is lost.

use super::{
    KeeperConfig, KeeperEffect, NoteText,
    kept::{Kept, Placed},
    reconcile::PLACE_BITS,
};
use crate::SLOW_BYTES_PER_MS;
use borsh::{BorshDeserialize, BorshSerialize};
use opensky_types::{
    NodeId, Timestamp,
    service::{REPLICAS_MAX, ReplicaId, SaveId, Saved, Volumes},
};

/// Keepers that hold what is saved: the first of a declaration, and whoever acts.
const HOLDERS: usize = 3;
/// Longest wait for a program to be on its host, beside what its volumes begin with, in milliseconds.
const PREPARE_MS_MAX: u64 = 15 * 60_000;
/// How far a generation may be ahead of this clock, in milliseconds.
const GENERATION_AHEAD_MS: u64 = 2 * 60 * 60 * 1_000;
/// Wait before a save that could not be had is asked for again, in milliseconds.
const HOLD_AGAIN_MS: u64 = 5_000;

/// What is on disk of the volumes of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SlotData {
    /// Which.
    pub slot: u16,
    /// The newest save that this keeper has.
    pub held: Option<Saved>,
    /// Where it last ran: that node may have more than was saved.
    pub last: Option<LastRun>,
}

/// Where a slot last ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LastRun {
    /// The node.
    pub node: NodeId,
    /// The replica's generation.
    pub generation: u64,
    /// Its revision.
    pub revision: u64,
}

/// What is known of the volumes of one slot.
#[derive(Debug, Clone, Default)]
pub(super) struct Data {
    pub held: Option<Saved>,
    pub last: Option<LastRun>,
    /// The newest save that was heard of, and who has it.
    newest: Option<(Saved, NodeId)>,
    /// The newest one that another keeper has.
    elsewhere: Option<Saved>,
    /// The save that is on its way here, and until when it is not asked for again.
    asked: Option<(SaveId, Timestamp)>,
    /// Whether something of it is not on disk yet.
    is_new: bool,
}

impl Kept {
    /// Most bytes of a save: as the volumes that are declared need them, or were, for those that end.
    pub fn look_at_sizes(&mut self) {
        let specs = self.declared.spec.iter().chain(&self.declared.fallback);
        let volumes = specs.filter_map(|spec| spec.volumes.as_ref());
        // What one revision has no more is kept for the other.
        let bytes_max = volumes.map(Volumes::saved_bytes_max).fold(0, u64::saturating_add);
        self.saved_bytes_max = self.saved_bytes_max.max(bytes_max);
    }

    /// What was on disk. Where a slot last ran it may run still, or its host may be about to come back with more than
    /// was saved.
    pub fn restore_data(&mut self, now: Timestamp, data: Vec<SlotData>) {
        let service = self.declaration.service();
        for SlotData { slot, held, last } in data {
            if let Some(LastRun { node, generation, revision }) = last {
                let replica = ReplicaId { service, slot, generation };
                let mut placed = Placed::new(now, node, revision, now);
                placed.answered_at = Some(now);
                self.replicas.insert(replica, placed);
                let known = self.generations.entry(slot).or_default();
                *known = generation.max(*known);
            }
            self.saved_bytes_max = self.saved_bytes_max.max(held.map_or(0, |held| held.blob.size_bytes));
            self.data.insert(slot, Data { held, last, ..Data::default() });
        }
    }

    /// What has to be on disk.
    pub fn data_on_disk(&self) -> Vec<SlotData> {
        let slots = self.data.iter();
        slots.map(|(slot, data)| SlotData { slot: *slot, held: data.held, last: data.last }).collect()
    }

    /// Which saves this keeper holds, for their hosts to let go of them. Only who acts says so: what it places next
    /// begins with these.
    pub fn held_ids(&self) -> Vec<(u16, SaveId)> {
        if !self.is_acting {
            return Vec::new();
        }
        self.held().into_iter().map(|(slot, saved)| (slot, saved.id)).collect()
    }

    pub fn held(&self) -> Vec<(u16, Saved)> {
        self.data.iter().filter_map(|(slot, data)| Some((*slot, data.held?))).collect()
    }

    fn volumes(&self) -> Option<&Volumes> {
        self.spec().and_then(|spec| spec.volumes.as_ref())
    }

    /// Whether what is to run has volumes.
    pub fn has_volumes(&self) -> bool {
        self.volumes().is_some()
    }

    /// A replica is on a node.
    pub fn saw_volumes_on(&mut self, replica: ReplicaId, node: NodeId, revision: u64) {
        if !self.has_volumes() || replica.slot >= REPLICAS_MAX {
            return;
        }
        let data = self.data.entry(replica.slot).or_default();
        let generation = replica.generation;
        if data.last.is_none_or(|last| last.generation < generation) {
            data.last = Some(LastRun { node, generation, revision });
            data.is_new = true;
        }
    }

    /// A node has a save of a slot.
    pub fn heard_of_save(&mut self, now: Timestamp, slot: u16, saved: Saved, source: NodeId) {
        // Generations follow the clock: one of the far future would count for ever.
        if saved.id.generation >> PLACE_BITS > now.plus_ms(GENERATION_AHEAD_MS).as_millis() {
            return;
        }
        if saved.blob.size_bytes > self.saved_bytes_max || slot >= REPLICAS_MAX {
            return;
        }
        let data = self.data.entry(slot).or_default();
        let known = data.newest.map(|(known, _)| known.id).max(data.held.map(|held| held.id));
        if known < Some(saved.id) {
            data.newest = Some((saved, source));
        }
    }

    /// Another keeper says what it holds.
    pub fn on_keeper_holds(&mut self, now: Timestamp, node: NodeId, saved: &[(u16, Saved)]) {
        if !self.declaration.keepers.contains(&node) {
            return;
        }
        for (slot, saved) in saved.iter().take(usize::from(REPLICAS_MAX)) {
            self.heard_of_save(now, *slot, *saved, node);
            if let Some(data) = self.data.get_mut(slot)
                && data.newest.is_some_and(|(newest, _)| newest.id == saved.id)
            {
                data.elsewhere = Some(*saved);
            }
        }
    }

    /// Asks for saves that are newer than what is held here, and for what is known to be kept on disk.
    pub fn look_at_data(&mut self, now: Timestamp, config: &KeeperConfig, effects: &mut Vec<KeeperEffect>) {
        let service = self.declaration.service();
        let place = self.declaration.keepers.iter().position(|keeper| *keeper == config.own);
        let is_holder = self.is_acting || place.is_some_and(|place| place < HOLDERS);
        let keepers = &self.declaration.keepers;
        for (slot, data) in &mut self.data {
            let Some((saved, source)) = data.newest.filter(|_| is_holder) else { continue };
            let is_asked = data.asked.is_some_and(|(id, until)| id == saved.id && now < until);
            if data.held.map(|held| held.id) < Some(saved.id) && !is_asked {
                let patience_ms = HOLD_AGAIN_MS.max(saved.blob.size_bytes / SLOW_BYTES_PER_MS);
                data.asked = Some((saved.id, now.plus_ms(patience_ms)));
                let others = keepers.iter().filter(|node| **node != config.own && **node != source);
                let sources = std::iter::once(source).chain(others.copied()).collect();
                effects.push(KeeperEffect::HoldData { service, slot: *slot, saved, sources });
            }
        }
        let has_news =
            self.data.values_mut().fold(false, |news, data| std::mem::take(&mut data.is_new) | news);
        if has_news {
            effects.push(KeeperEffect::RememberData { service });
        }
    }

    /// A save is here, or cannot be had now.
    pub fn on_data_held(&mut self, now: Timestamp, slot: u16, saved: Saved, result: Result<(), String>) {
        let Some(data) = self.data.get_mut(&slot) else { return };
        match result {
            Ok(()) if data.held.map(|held| held.id) < Some(saved.id) => {
                data.held = Some(saved);
                data.is_new = true;
            }
            Ok(()) => {}
            Err(problem) => {
                data.asked = Some((saved.id, now.plus_ms(HOLD_AGAIN_MS)));
                self.note(now, Some(slot), NoteText::NotHeld { problem });
            }
        }
    }

    /// What a new replica of a slot begins with.
    pub fn begin_of(&self, slot: u16) -> Option<Saved> {
        self.volumes()?;
        let data = self.data.get(&slot)?;
        // Hosts get it from whichever keeper has it.
        let of_keepers = [data.held, data.elsewhere].into_iter().flatten();
        of_keepers.max_by_key(|saved| saved.id)
    }

    /// Longest wait for a replica of a slot to be on its host.
    pub fn prepare_ms_max(&self, slot: u16) -> u64 {
        let bytes = self.begin_of(slot).map_or(0, |saved| saved.blob.size_bytes);
        PREPARE_MS_MAX.saturating_add(bytes / SLOW_BYTES_PER_MS)
    }

    /// The node that has the volumes of a slot already.
    pub fn node_with_volumes(&self, slot: u16) -> Option<NodeId> {
        self.volumes()?;
        self.data.get(&slot)?.last.map(|last| last.node)
    }

    /// How long a host that does not answer is waited for, where it may have more than was saved.
    pub fn waits_for_volumes(&self) -> Option<u64> {
        self.volumes().map(|volumes| volumes.wait_ms).filter(|wait_ms| *wait_ms > 0)
    }

    /// Whether the volumes of a slot are still somebody's: one that ends and hands them over, or a host that may
    /// come back.
    pub fn volumes_are_taken(&self, now: Timestamp, config: &KeeperConfig, slot: u16) -> bool {
        let Some(volumes) = self.volumes() else { return false };
        let wait_ms = volumes.wait_ms.max(config.lost_ms);
        let of_slot = self.replicas.iter().filter(|(replica, _)| replica.slot == slot);
        let holds = |placed: &Placed| {
            if placed.is_lost(now, config) {
                // One that has not answered at all may run all the same.
                now.ms_since(placed.seen_at) < wait_ms
            } else {
                placed.is_withdrawn || !placed.is_live(now, config)
            }
        };
        of_slot.map(|(_, placed)| placed).any(holds)
    }

    /// Whether a replica of a slot runs whose volumes the next one is to go on with.
    pub fn volumes_are_in_use(&self, now: Timestamp, config: &KeeperConfig, slot: u16) -> bool {
        let mut of_slot = self.replicas.iter().filter(|(replica, _)| replica.slot == slot);
        self.has_volumes() && of_slot.any(|(_, placed)| !placed.is_lost(now, config))
    }
}
