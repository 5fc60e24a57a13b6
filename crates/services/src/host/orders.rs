//! What keepers ask of a host.

use super::{Host, HostEffect, Newest, REPLICAS_MAX, life::Hosted};
use opensky_types::{
    NodeId, ServiceId, Signed, Timestamp,
    service::{
        Declaration, Declared, Placement, Refusal, ReplicaId, ReplicaReport, SaveId, Saved, ServiceSpec,
        Volumes,
    },
};

/// How far ahead a placement may reach, clocks that differ included, in milliseconds.
const PLACEMENT_MS_MAX: u64 = 2 * 60 * 60 * 1_000;

impl Host {
    pub(super) fn on_place(
        &mut self,
        now: Timestamp,
        from: NodeId,
        declared: Declared,
        (signed, saved): (Signed<Placement>, Option<Saved>),
        effects: &mut Vec<HostEffect>,
    ) -> Result<(), Refusal> {
        let declaration = declared.check(self.config.sky).map_err(|_| Refusal::Unsound)?;
        let placement = signed.check(&declaration).map_err(|_| Refusal::Unsound)?;
        let replica = placement.replica;
        let is_in_time = placement.expires_at > now && placement.expires_at <= now.plus_ms(PLACEMENT_MS_MAX);
        if placement.node != self.config.own || !is_in_time {
            return Err(Refusal::Unsound);
        }
        if signed.signer() != from {
            return Err(Refusal::NotAllowed);
        }
        // Whoever kept an earlier revision keeps nothing any more.
        let newest = self.newest.get(&replica.service).map(|newest| &newest.declaration);
        if newest.is_some_and(|newest| newest.revision > declaration.revision) {
            return Err(Refusal::Outdated);
        }
        if let Some(known) = self.replicas.get(&replica) {
            // Said twice, or two keepers at once chose the same number: the first one holds.
            let is_same = known.placement.revision == placement.revision;
            return if is_same { Ok(()) } else { Err(Refusal::Outdated) };
        }
        let spec = declared.spec_of(&declaration, placement.revision).ok_or(Refusal::Outdated)?.clone();
        if !spec.can_run_on(&self.config.own) {
            return Err(Refusal::NoReader);
        }
        let has_slot = |other: &ReplicaId| (other.service, other.slot) == (replica.service, replica.slot);
        if spec.volumes.is_some() && self.replicas.keys().any(has_slot) {
            // Volumes are one program's at a time.
            return Err(Refusal::Full);
        }
        let specs = declared.spec.iter().chain(&declared.fallback);
        let volumes = specs.filter_map(|spec| spec.volumes.as_ref());
        let saved_bytes_max = volumes.map(Volumes::saved_bytes_max).fold(0, u64::saturating_add);
        if saved.is_some_and(|saved| saved.blob.size_bytes > saved_bytes_max) {
            return Err(Refusal::Unsound);
        }
        let gpus = self.check_room(&spec)?;
        let blob = spec.program.blob();
        let mut sources = vec![from];
        let others = declaration.keepers.iter().chain([&declaration.owner]);
        others.for_each(|node| {
            if !sources.contains(node) {
                sources.push(*node);
            }
        });
        self.on_declared(Newest { declaration: declaration.clone(), declared: declared.clone() });
        let hosted = Hosted::new(now, (declared, declaration), (signed, placement), spec, (saved, gpus));
        self.replicas.insert(replica, hosted);
        let saved = saved.map(|saved| saved.blob);
        effects.push(HostEffect::Prepare { replica, blob, saved, sources });
        Ok(())
    }

    /// Whether there is room for one replica, and the GPUs that it would have.
    fn check_room(&self, spec: &ServiceSpec) -> Result<Vec<u8>, Refusal> {
        let capacity = &self.capacity;
        if capacity.is_closed || capacity.must_end {
            return Err(Refusal::Closed);
        }
        if !capacity.levels.contains(&spec.program.level) {
            return Err(Refusal::Level);
        }
        if !capacity.is_free {
            return Err(Refusal::Price);
        }
        let needs = &spec.program.needs;
        if capacity.containers.misfit(needs, &capacity.gpus).is_some() {
            return Err(Refusal::Needs);
        }
        let taken = self.taken();
        let free_gpus = capacity.containers.gpus.iter().copied().filter(|place| !taken.gpus.contains(place));
        let gpus = needs.choose_gpus(free_gpus, &capacity.gpus).ok_or(Refusal::Full)?;
        let limits = &spec.limits;
        let has_room = self.replicas.len() < REPLICAS_MAX
            && taken.slots.saturating_add(limits.cpu_cores) <= capacity.slots
            && taken.memory_bytes.saturating_add(limits.memory_bytes) <= capacity.memory_bytes
            && taken.disk_bytes.saturating_add(spec.disk_bytes()) <= capacity.disk_bytes
            && spec.program.size_bytes <= capacity.disk_bytes;
        if has_room { Ok(gpus) } else { Err(Refusal::Full) }
    }

    pub(super) fn on_withdraw(
        &mut self,
        now: Timestamp,
        from: NodeId,
        replica: ReplicaId,
    ) -> Result<(), Refusal> {
        // One that is not here has ended already.
        let Some(hosted) = self.replicas.get(&replica) else { return Ok(()) };
        if !self.declaration_for(replica.service, hosted).keepers.contains(&from) {
            return Err(Refusal::NotAllowed);
        }
        if let Some(hosted) = self.replicas.get_mut(&replica) {
            hosted.leave(now);
        }
        Ok(())
    }

    /// Keeps what is newer than all that was known of a service.
    pub(super) fn on_declared(&mut self, newest: Newest) {
        let service = newest.declaration.service();
        let mut known = self.newest.get(&service).map(|known| known.declaration.revision);
        let of_service = self.replicas.iter().filter(|(replica, _)| replica.service == service);
        of_service.for_each(|(_, hosted)| known = known.max(Some(hosted.declaration.revision)));
        if known.is_some_and(|revision| revision < newest.declaration.revision) {
            self.newest.insert(service, newest);
        }
    }

    /// The newest declaration that is known of a replica's service: it says who keeps it.
    fn declaration_for<'a>(&'a self, service: ServiceId, hosted: &'a Hosted) -> &'a Declaration {
        let newest = self.newest.get(&service).map(|newest| &newest.declaration);
        newest.filter(|newest| newest.revision > hosted.declaration.revision).unwrap_or(&hosted.declaration)
    }

    /// Whether a node may know how a replica is.
    pub(super) fn is_answerable_to(&self, node: NodeId, service: ServiceId, hosted: &Hosted) -> bool {
        let declaration = self.declaration_for(service, hosted);
        declaration.keepers.contains(&node) || declaration.owner == node
    }

    /// Whether a node keeps a service, as far as this host knows: owners alone hold no volumes.
    fn is_keeper(&self, node: NodeId, service: ServiceId) -> bool {
        let mut of_service = self.replicas.iter().filter(|(replica, _)| replica.service == service);
        of_service.any(|(_, hosted)| self.declaration_for(service, hosted).keepers.contains(&node))
    }

    pub(super) fn on_report(
        &mut self,
        now: Timestamp,
        from: NodeId,
        service: ServiceId,
        renewed: &[Signed<Placement>],
        held: &[(u16, SaveId)],
    ) -> Result<Vec<ReplicaReport>, Refusal> {
        let is_of_service = |replica: &ReplicaId| replica.service == service;
        let knows = |hosted: &Hosted| self.is_answerable_to(from, service, hosted);
        let mut of_service = self.replicas.iter().filter(|(replica, _)| is_of_service(replica)).peekable();
        // Nothing is looked at, let alone checked, for those who may not ask.
        if of_service.peek().is_some() && !of_service.any(|(_, hosted)| knows(hosted)) {
            return Err(Refusal::NotAllowed);
        }
        for signed in renewed.iter().filter(|signed| signed.signer() == from).take(REPLICAS_MAX) {
            // One that does not hold says nothing about the others.
            let Ok(named) = signed.decode_unverified() else { continue };
            if let Some(hosted) = self.replicas.get_mut(&named.replica) {
                hosted.renew(signed, self.newest.get(&named.replica.service));
            }
        }
        if self.is_keeper(from, service) {
            for (slot, id) in held.iter().take(REPLICAS_MAX) {
                let of_slot =
                    self.replicas.iter_mut().filter(|(r, _)| (r.service, r.slot) == (service, *slot));
                of_slot.filter_map(|(_, hosted)| hosted.data.as_mut()).for_each(|data| data.on_held(*id));
            }
        }
        let of_service = self.replicas.iter().filter(|(replica, _)| replica.service == service);
        let allowed = of_service.filter(|(_, hosted)| self.is_answerable_to(from, service, hosted));
        Ok(allowed.map(|(replica, hosted)| hosted.report(now, *replica)).collect())
    }
}
