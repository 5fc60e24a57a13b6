//! What keepers ask of a host.

use super::{Host, HostEffect, REPLICAS_MAX, life::Hosted};
use opensky_types::{
    NodeId, ServiceId, Signed, Timestamp,
    job::Blob,
    service::{Declared, Placement, Refusal, ReplicaId, ReplicaReport, ServiceSpec},
};

impl Host {
    pub(super) fn on_place(
        &mut self,
        now: Timestamp,
        from: NodeId,
        declared: Declared,
        signed: Signed<Placement>,
        effects: &mut Vec<HostEffect>,
    ) -> Result<(), Refusal> {
        let declaration = declared.check(self.config.sky).map_err(|_| Refusal::Unsound)?;
        let placement = signed.check(&declaration).map_err(|_| Refusal::Unsound)?;
        let replica = placement.replica;
        if placement.node != self.config.own || placement.expires_at <= now {
            return Err(Refusal::Unsound);
        }
        if signed.signer() != from {
            return Err(Refusal::NotAllowed);
        }
        if let Some(known) = self.replicas.get(&replica) {
            // Said twice, or two keepers at once chose the same number: the first one holds.
            let is_same = known.placement.revision == placement.revision;
            return if is_same { Ok(()) } else { Err(Refusal::Outdated) };
        }
        let spec = declared.spec_of(&declaration, placement.revision).ok_or(Refusal::Outdated)?.clone();
        self.check_room(&spec)?;
        let blob = Blob { hash: spec.program.hash, size_bytes: spec.program.size_bytes };
        let mut sources = vec![from];
        let others = declaration.keepers.iter().chain([&declaration.owner]);
        others.for_each(|node| {
            if !sources.contains(node) {
                sources.push(*node);
            }
        });
        let hosted = Hosted::new(now, (declared, declaration), (signed, placement), spec);
        self.replicas.insert(replica, hosted);
        effects.push(HostEffect::Prepare { replica, blob, sources });
        Ok(())
    }

    fn check_room(&self, spec: &ServiceSpec) -> Result<(), Refusal> {
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
        let (slots, memory_bytes, disk_bytes) = self.taken();
        let limits = &spec.limits;
        let has_room = self.replicas.len() < REPLICAS_MAX
            && slots.saturating_add(limits.cpu_cores) <= capacity.slots
            && memory_bytes.saturating_add(limits.memory_bytes) <= capacity.memory_bytes
            && disk_bytes.saturating_add(limits.scratch_bytes) <= capacity.disk_bytes;
        if has_room { Ok(()) } else { Err(Refusal::Full) }
    }

    pub(super) fn on_withdraw(
        &mut self,
        now: Timestamp,
        from: NodeId,
        replica: ReplicaId,
    ) -> Result<(), Refusal> {
        // One that is not here has ended already.
        let Some(hosted) = self.replicas.get_mut(&replica) else { return Ok(()) };
        if !hosted.is_kept_by(from) {
            return Err(Refusal::NotAllowed);
        }
        hosted.leave(now);
        Ok(())
    }

    pub(super) fn on_report(
        &mut self,
        now: Timestamp,
        from: NodeId,
        service: ServiceId,
        renewed: &[Signed<Placement>],
    ) -> Result<Vec<ReplicaReport>, Refusal> {
        for signed in renewed {
            let Ok(named) = signed.decode_unverified() else { return Err(Refusal::Unsound) };
            if let Some(hosted) = self.replicas.get_mut(&named.replica) {
                hosted.renew(signed)?;
            }
        }
        let of_service = self.replicas.iter().filter(|(replica, _)| replica.service == service);
        let allowed = of_service.filter(|(_, hosted)| hosted.is_answerable_to(from));
        Ok(allowed.map(|(replica, hosted)| hosted.report(now, *replica)).collect())
    }
}
