//! The keeper's orders carried out.

use super::{Asker, ServiceEvent};
use crate::{
    fetch::{Fetcher, fetch_all},
    node::Node,
    settings,
};
use opensky_ports::Pin;
use opensky_protocol::service::{PlacedReport, RENEWED_MAX, ServiceAsk, ServiceReply};
use opensky_services::{HostInput, KeeperEffect, KeeperInput};
use opensky_types::{
    Micros, NodeId, ServiceId, Signed, Timestamp,
    job::Blob,
    service::{Declared, Placement, Refusal, ReplicaId},
};
use std::{sync::Arc, time::Duration};

/// Nodes that are looked at for one slot.
const CANDIDATES_MAX: usize = 16;
/// Wait between two rounds of asking for a program that nobody had.
const HOLD_AGAIN: Duration = Duration::from_secs(10);
/// Such rounds.
const HOLD_ROUNDS: u32 = 30;

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
            KeeperEffect::AskReport { to, service, renewed } => self.ask_report(now, to, service, renewed),
            KeeperEffect::Place { placement } => self.place_replica(now, placement),
            KeeperEffect::Withdraw { to, replica } => self.withdraw_replica(now, to, replica),
            KeeperEffect::Find { service, slot, used } => self.find_host(now, service, slot, used),
            KeeperEffect::Hold { service, blobs } => self.hold_programs(service, blobs),
            KeeperEffect::Remember { service } => self.remember_service(service),
            KeeperEffect::Forget { service } => self.forget_service(service),
        }
    }

    fn ask_keeper(&self, to: NodeId, service: ServiceId) {
        self.ask_about_service(to, ServiceAsk::Keeping { service }, move |reply| match reply {
            Some(ServiceReply::Keeping { revision, is_acting, given_up }) => {
                let said = KeeperInput::KeeperSaid { service, node: to, revision, is_acting, given_up };
                Some(ServiceEvent::Keeper(said))
            }
            _ => None,
        });
    }

    fn ask_report(&mut self, now: Timestamp, to: NodeId, service: ServiceId, renewed: Vec<Placement>) {
        let signed = renewed.iter().take(RENEWED_MAX).map(|placement| Signed::sign(placement, &self.key));
        let renewed: Vec<Signed<Placement>> = signed.collect();
        if to == self.own {
            let ask = self.remember_asker(Asker::Reports(service));
            return self.host_service(now, HostInput::Report { ask, from: to, service, renewed });
        }
        self.ask_about_service(to, ServiceAsk::Report { service, renewed }, move |reply| {
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
        let is_backed = |placed: &PlacedReport| {
            placed.placement.check(declaration).is_ok_and(|placement| {
                let report = &placed.report;
                placement.node == node
                    && placement.replica == report.replica
                    && placement.revision == report.revision
            })
        };
        let reports = reports
            .map(|reports| reports.into_iter().filter(is_backed).map(|placed| placed.report).collect());
        self.keep_up(now, KeeperInput::Reported { service, node, reports });
    }

    fn place_replica(&mut self, now: Timestamp, placement: Placement) {
        let (to, replica) = (placement.node, placement.replica);
        let Some((_, declared)) = self.services.keeper.declared(replica.service) else { return };
        let (declared, placement) = (declared.clone(), Signed::sign(&placement, &self.key));
        if to == self.own {
            let ask = self.remember_asker(Asker::Placement(replica));
            let declared = Box::new(declared);
            return self.host_service(now, HostInput::Place { ask, from: to, declared, placement });
        }
        self.ask_about_service(to, ServiceAsk::Place { declared, placement }, move |reply| {
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

    fn find_host(&mut self, now: Timestamp, service: ServiceId, slot: u16, used: Vec<NodeId>) {
        let Some(view) = self.services.keeper.view(now, service) else { return };
        let Some(spec) = view.declared.spec_of(&view.declaration, view.wanted) else { return };
        let mut demand = spec.demand();
        // Services are not paid for yet, so only what costs nothing is of use.
        demand.constraints.price_per_gfuel_max = Some(Micros::ZERO);
        let seed = u64::from_le_bytes(self.clock.random()[..8].try_into().expect("eight bytes"));
        let found = self.market.find(now, &demand, CANDIDATES_MAX, &used, seed);
        let nodes = found.ranked.into_iter().map(|found| found.node).collect();
        self.soon(ServiceEvent::Keeper(KeeperInput::Found { service, slot, nodes, counts: found.counts }));
    }

    /// Gets the programs of a service here, from whoever keeps or owns it, and holds on to them.
    fn hold_programs(&mut self, service: ServiceId, blobs: Vec<Blob>) {
        let Some((declaration, _)) = self.services.keeper.declared(service) else { return };
        let mut sources = vec![declaration.owner];
        sources.extend(declaration.keepers.iter().filter(|keeper| **keeper != declaration.owner));
        let fetcher =
            Fetcher { own: self.own, transport: Arc::clone(&self.transport), blobs: Arc::clone(&self.blobs) };
        let stop = self.stop.clone();
        let holding = async move {
            for _ in 0..HOLD_ROUNDS {
                match fetch_from_any(&fetcher, &sources, &blobs, Pin::Service(service)).await {
                    Ok(()) => return,
                    Err(problem) => {
                        tracing::debug!(%service, problem, "programs of a service are not here yet")
                    }
                }
                tokio::time::sleep(HOLD_AGAIN).await;
            }
            tracing::warn!(%service, "the programs of a kept service could not be had");
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
    pub(crate) fn restore_services(&mut self, now: Timestamp, kept: Vec<Declared>) {
        let sky = self.membership.genesis().sky();
        for declared in kept {
            match declared.check(sky) {
                Ok(declaration) => {
                    let (declaration, declared) = (Box::new(declaration), Box::new(declared));
                    self.keep_up(now, KeeperInput::Restored { declaration, declared });
                }
                Err(error) => tracing::error!(%error, "a kept service cannot be read and is left out"),
            }
        }
    }

    /// Another node, or the owner here, declares a service that this node is to keep.
    pub(super) fn take_declared(&mut self, now: Timestamp, declared: Declared) -> Result<(), Refusal> {
        let sky = self.membership.genesis().sky();
        let declaration = declared.check(sky).map_err(|_| Refusal::Unsound)?;
        if self.disk_problem.is_some() {
            return Err(Refusal::Disk);
        }
        let known = self.services.keeper.stand(declaration.service()).map_or(0, |(revision, ..)| revision);
        if declaration.revision < known {
            return Err(Refusal::Outdated);
        }
        // A keeper that is named no longer has to hear of it too.
        if known == 0 && !declaration.keepers.contains(&self.own) {
            return Err(Refusal::NotAllowed);
        }
        let (declaration, declared) = (Box::new(declaration), Box::new(declared));
        self.keep_up(now, KeeperInput::Declared { declaration, declared });
        Ok(())
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
