//! The keeper's orders carried out.

use super::{Asker, ServiceEvent};
use crate::{
    fetch::{Fetcher, fetch_all},
    node::Node,
    settings,
};
use opensky_ports::Pin;
use opensky_protocol::service::{PlacedReport, RENEWED_MAX, REPORTS_MAX, ServiceAsk, ServiceReply};
use opensky_services::{HostInput, KeeperEffect, KeeperInput, SlotData};
use opensky_types::{
    Micros, NodeId, ServiceId, Signed, Timestamp,
    job::Blob,
    reason::Misfit,
    service::{Declaration, Declared, Placement, Refusal, ReplicaId, SaveId, Saved},
};
use std::{sync::Arc, time::Duration};

/// Nodes that are looked at for one slot.
const CANDIDATES_MAX: usize = 16;
/// The part of the blob store that images of other owners' services may take.
const KEPT_SHARE: u64 = 4;
/// Wait between two rounds of asking for a program that nobody had.
const HOLD_AGAIN: Duration = Duration::from_secs(10);

impl Node {
    pub(super) fn perform_kept(&mut self, now: Timestamp, effect: KeeperEffect) {
        match effect {
            KeeperEffect::Hand { to, service } => {
                if let Some((_, declared)) = self.services.keeper.declared(service) {
                    let ask = ServiceAsk::Keep { declared: declared.clone() };
                    self.ask_about_service(to, ask, |_| None);
                }
            }
            KeeperEffect::AskKeeper { to, service } => self.ask_keeper(to, service),
            KeeperEffect::AskReport { to, service, renewed, held } => {
                self.ask_report(now, to, service, (renewed, held));
            }
            KeeperEffect::Place { placement, saved } => self.place_replica(now, placement, saved),
            KeeperEffect::Withdraw { to, replica } => self.withdraw_replica(now, to, replica),
            KeeperEffect::Find { service, slot, used, preferred } => {
                self.find_host(now, (service, slot), &used, preferred);
            }
            KeeperEffect::HoldData { service, slot, saved, sources } => {
                self.hold_data(now, service, slot, (saved, sources));
            }
            KeeperEffect::RememberData { service } => self.remember_data(service),
            KeeperEffect::Hold { service, blobs } => self.hold_programs(service, blobs),
            KeeperEffect::Remember { service } => self.remember_service(service),
            KeeperEffect::Forget { service } => self.forget_service(service),
        }
    }

    fn ask_keeper(&self, to: NodeId, service: ServiceId) {
        let revision = self.services.keeper.stand(service).map_or(0, |(revision, ..)| revision);
        self.ask_about_service(to, ServiceAsk::Keeping { service, revision }, move |reply| match reply {
            Some(ServiceReply::Keeping { revision, is_acting, given_up, saved }) => {
                let said =
                    KeeperInput::KeeperSaid { service, node: to, revision, is_acting, given_up, saved };
                Some(ServiceEvent::Keeper(said))
            }
            _ => None,
        });
    }

    fn ask_report(
        &mut self,
        now: Timestamp,
        to: NodeId,
        service: ServiceId,
        (renewed, held): (Vec<Placement>, Vec<(u16, SaveId)>),
    ) {
        let signed = renewed.iter().take(RENEWED_MAX).map(|placement| Signed::sign(placement, &self.key));
        let renewed: Vec<Signed<Placement>> = signed.collect();
        if to == self.own {
            let ask = self.remember_asker(Asker::Reports(service));
            return self.host_service(now, HostInput::Report { ask, from: to, service, renewed, held });
        }
        self.ask_about_service(to, ServiceAsk::Report { service, renewed, held }, move |reply| {
            let reports = match reply {
                Some(ServiceReply::Reports { reports }) => Some(reports),
                _ => None,
            };
            Some(ServiceEvent::Reported { service, node: to, reports })
        });
    }

    /// Only replicas that a keeper has placed there count, whatever a host says.
    pub(super) fn on_replicas_reported(
        &mut self,
        now: Timestamp,
        service: ServiceId,
        node: NodeId,
        reports: Option<Vec<PlacedReport>>,
    ) {
        let Some((declaration, _)) = self.services.keeper.declared(service) else { return };
        // One that is known already needs no proof: an earlier keeper may have placed it.
        let is_backed = |placed: &PlacedReport| {
            let report = &placed.report;
            self.services.keeper.knows(report.replica, node)
                || placed.placement.check(declaration).is_ok_and(|placement| {
                    placement.node == node
                        && placement.replica == report.replica
                        && placement.revision == report.revision
                })
        };
        let reports = reports.map(|reports| {
            reports.into_iter().take(REPORTS_MAX).filter(is_backed).map(|placed| placed.report).collect()
        });
        self.keep_up(now, KeeperInput::Reported { service, node, reports });
    }

    fn place_replica(&mut self, now: Timestamp, placement: Placement, saved: Option<Saved>) {
        let (to, replica) = (placement.node, placement.replica);
        let Some((_, declared)) = self.services.keeper.declared(replica.service) else { return };
        let (declared, placement) = (declared.clone(), Signed::sign(&placement, &self.key));
        if to == self.own {
            let ask = self.remember_asker(Asker::Placement(replica));
            self.look_at_capacity(now);
            let declared = Box::new(declared);
            return self.host_service(now, HostInput::Place { ask, from: to, declared, placement, saved });
        }
        self.ask_about_service(to, ServiceAsk::Place { declared, placement, saved }, move |reply| {
            let answer = match reply {
                Some(ServiceReply::Done) => Some(Ok(())),
                Some(ServiceReply::Refused { refusal }) => Some(Err(refusal)),
                _ => None,
            };
            Some(ServiceEvent::Keeper(KeeperInput::PlacedAt { replica, answer }))
        });
    }

    fn withdraw_replica(&mut self, now: Timestamp, to: NodeId, replica: ReplicaId) {
        if to == self.own {
            let ask = self.remember_asker(Asker::Nobody);
            return self.host_service(now, HostInput::Withdraw { ask, from: to, replica });
        }
        // Asked again until the host says that it is gone.
        self.ask_about_service(to, ServiceAsk::Withdraw { replica }, |_| None);
    }

    fn find_host(
        &mut self,
        now: Timestamp,
        (service, slot): (ServiceId, u16),
        used: &[NodeId],
        preferred: Option<NodeId>,
    ) {
        let Some(view) = self.services.keeper.view(now, service) else { return };
        let Some(spec) = view.declared.spec_of(&view.declaration, view.wanted) else { return };
        let mut demand = spec.demand();
        // Services are not paid for yet, so only what costs nothing is of use.
        demand.constraints.price_per_gfuel_max = Some(Micros::ZERO);
        if let Some(secrets) = spec.secrets.as_ref().filter(|_| demand.constraints.peers.is_empty()) {
            demand.constraints.peers = secrets.readers.iter().map(|reader| reader.node).collect();
        }
        let seed = u64::from_le_bytes(self.clock.random()[..8].try_into().expect("eight bytes"));
        let found = self.market.find(now, &demand, CANDIDATES_MAX, used, seed);
        // One whose slots are promised to tasks that do not run may have room all the same: it is asked last.
        let nodes = found.ranked.into_iter().chain(found.busy).map(|found| found.node);
        let mut nodes: Vec<NodeId> = nodes.collect();
        let is_new = |node: &NodeId| !nodes.contains(node) && !used.contains(node);
        if let Some(preferred) = preferred.filter(is_new) {
            // What the replica before took there is what this one needs: that the node is full of it says nothing.
            let misfit = self.market.fits(now, &demand, preferred);
            if matches!(misfit, Ok(()) | Err(Misfit::Full | Misfit::Closed | Misfit::TaskLimit(_))) {
                nodes.push(preferred);
            }
        }
        self.soon(ServiceEvent::Keeper(KeeperInput::Found { service, slot, nodes, counts: found.counts }));
    }

    /// Gets the programs of a service here, from whoever keeps or owns it, and holds on to them.
    fn hold_programs(&mut self, service: ServiceId, blobs: Vec<Blob>) {
        let Some((declaration, _)) = self.services.keeper.declared(service) else { return };
        let mut sources = vec![declaration.owner];
        sources.extend(declaration.keepers.iter().filter(|keeper| **keeper != declaration.owner));
        let fetcher =
            Fetcher { own: self.own, transport: Arc::clone(&self.transport), blobs: Arc::clone(&self.blobs) };
        // What an earlier revision needed is let go: of what runs here the engine has its copy.
        if let Err(error) = self.blobs.unpin(Pin::Service(service)) {
            tracing::warn!(%service, %error, "programs of an earlier revision are still pinned");
        }
        let stop = self.stop.child_token();
        if let Some(before) = self.services.holding.insert(service, stop.clone()) {
            before.cancel();
        }
        let holding = async move {
            loop {
                match fetch_from_any(&fetcher, &sources, &blobs, Pin::Service(service)).await {
                    Ok(()) => return,
                    Err(problem) => {
                        tracing::debug!(%service, problem, "programs of a service are not here yet")
                    }
                }
                tokio::time::sleep(HOLD_AGAIN).await;
            }
        };
        self.tasks.spawn(async move { stop.run_until_cancelled(holding).await });
    }

    fn remember_service(&mut self, service: ServiceId) {
        let services: Vec<ServiceId> = self.services.keeper.services().collect();
        if let Some((_, declared)) = self.services.keeper.declared(service) {
            let record = settings::service_record(service, declared);
            self.keep_record(record);
        }
        self.keep_record(settings::services_record(&services));
    }

    fn forget_service(&mut self, service: ServiceId) {
        let services: Vec<ServiceId> = self.services.keeper.services().collect();
        self.keep_record(settings::services_record(&services));
        self.keep_record(settings::no_service_record(service));
        self.forget_data(service);
        if let Some(holding) = self.services.holding.remove(&service) {
            holding.cancel();
        }
        self.unpin_service(service);
    }

    /// Lets go of the programs of a service that is neither kept nor run here.
    pub(super) fn unpin_service(&mut self, service: ServiceId) {
        if self.services.keeper.declared(service).is_some() {
            return;
        }
        if let Err(error) = self.blobs.unpin(Pin::Service(service)) {
            tracing::warn!(%service, %error, "the programs of a service are still pinned");
        }
    }

    /// Takes up the services that were kept when the node last stopped.
    pub(crate) fn restore_services(&mut self, now: Timestamp, kept: Vec<(Declared, Vec<SlotData>)>) {
        let sky = self.membership.genesis().sky();
        for (declared, data) in kept {
            match declared.check(sky) {
                Ok(declaration) => {
                    let service = declaration.service();
                    let data = self.with_blobs_only(data);
                    let (declaration, declared) = (Box::new(declaration), Box::new(declared));
                    self.keep_up(now, KeeperInput::Restored { declaration, declared, data });
                    self.pin_data(service);
                }
                Err(error) => tracing::error!(%error, "a kept service cannot be read and is left out"),
            }
        }
    }

    /// Another node, or the owner here, declares a service that this node is to keep.
    pub(super) fn take_declared(
        &mut self,
        now: Timestamp,
        from: NodeId,
        declared: Declared,
    ) -> Result<(), Refusal> {
        let sky = self.membership.genesis().sky();
        let declaration = declared.check(sky).map_err(|_| Refusal::Unsound)?;
        if self.disk_problem.is_some() {
            return Err(Refusal::Disk);
        }
        let known = self.services.keeper.stand(declaration.service()).map_or(0, |(revision, ..)| revision);
        if declaration.revision < known {
            return Err(Refusal::Outdated);
        }
        if declaration.owner == self.own && from != self.own {
            // What this node declares it knows best: others could only bring back what was removed.
            return Err(Refusal::NotAllowed);
        }
        let (declaration, declared) = (Box::new(declaration), Box::new(declared));
        let service = declaration.service();
        if self.services.host.views(now).any(|view| view.declaration.service() == service) {
            // A host has to know who keeps what it runs.
            let (declaration, declared) = (declaration.clone(), declared.clone());
            self.host_service(now, HostInput::Declared { declaration, declared });
        } else if known == 0 && !declaration.keepers.contains(&self.own) {
            return Err(Refusal::NotAllowed);
        }
        if known == 0 && declaration.keepers.contains(&self.own) && !self.may_keep(&declaration, &declared) {
            return Err(Refusal::Full);
        }
        self.keep_up(now, KeeperInput::Declared { declaration, declared });
        Ok(())
    }

    /// Whether this node has room to keep one more service: for others it gives a part of its store, and only
    /// while it shares.
    fn may_keep(&self, declaration: &Declaration, declared: &Declared) -> bool {
        let keeper = &self.services.keeper;
        if declaration.owner == self.own {
            return true;
        }
        let size_bytes = |declared: &Declared| {
            let specs = declared.spec.iter().chain(&declared.fallback);
            specs.map(|spec| spec.program.size_bytes).fold(0, u64::saturating_add)
        };
        let kept = keeper.services().filter_map(|service| keeper.declared(service));
        let of_others = kept.filter(|(known, _)| known.owner != self.own);
        let held_bytes = of_others.map(|(_, known)| size_bytes(known)).fold(0, u64::saturating_add);
        let (_, cap_bytes) = self.blobs.usage();
        let fits = held_bytes.saturating_add(size_bytes(declared)) <= cap_bytes / KEPT_SHARE;
        keeper.has_room_for(declaration.owner) && fits && self.limits.share
    }
}

/// Makes sure that blobs are here, from the first source that has them all.
pub(super) async fn fetch_from_any(
    fetcher: &Fetcher,
    sources: &[NodeId],
    blobs: &[Blob],
    pin: Pin,
) -> Result<(), String> {
    let mut problem = "no node to get it from".to_owned();
    for source in sources {
        match fetch_all(fetcher.clone(), *source, blobs.to_vec(), pin).await {
            Ok(()) => return Ok(()),
            Err((_, error)) => problem = format!("{}: {error}", source.short()),
        }
    }
    Err(problem)
}
