//! Services as this node knows them, for its users.

use super::{Node, OpenPort, ServiceError};
use opensky_services::{Failing, GivenUp, KeptView, Known, PlacedView, UnknownService};
use opensky_types::{
    NodeId, ServiceId, Timestamp,
    service::{Declaration, ReplicaId, ReplicaReport, ReplicaState, Saved, ServiceRef, ServiceSpec},
};
use std::collections::BTreeSet;

/// How a service is, all in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// No replica has answered yet.
    Starting,
    /// All replicas of the newest revision answer.
    Healthy,
    /// A new revision takes the place of the one before.
    Updating,
    /// Some replicas answer.
    Degraded,
    /// None answers.
    Down,
    /// It is removed.
    Removed,
}

/// A service as this node knows it.
#[derive(Debug, Clone)]
pub struct ServiceView {
    /// Its id.
    pub service: ServiceId,
    /// What its owner declared last, as far as is known here.
    pub declaration: Declaration,
    /// What runs; known to its owner and its keepers.
    pub spec: Option<ServiceSpec>,
    /// All in all.
    pub state: ServiceState,
    /// The revision that is to run.
    pub wanted: u64,
    /// How many replicas are to run, as far as is known here.
    pub replicas_wanted: Option<u16>,
    /// The newest revision, where it did not get healthy.
    pub given_up: Option<GivenUp>,
    /// The revision that is to run, while none of its replicas has been well and some failed.
    pub failing: Option<Failing>,
    /// Whether this node acts as its keeper.
    pub is_acting: bool,
    /// Its replicas.
    pub replicas: Vec<ReplicaView>,
    /// Local addresses that lead to it.
    pub open_ports: Vec<OpenPort>,
    /// What happened lately, oldest first; known to keepers.
    pub notes: Vec<opensky_services::Note>,
}

/// A replica as this node knows it.
#[derive(Debug, Clone)]
pub struct ReplicaView {
    /// Which.
    pub replica: ReplicaId,
    /// Where.
    pub node: NodeId,
    /// Of which revision.
    pub revision: u64,
    /// How it stands, as last heard.
    pub state: ReplicaState,
    /// Whether its host has fallen silent.
    pub is_lost: bool,
    /// Whether it was asked to end.
    pub is_withdrawn: bool,
    /// Whether it is of the revision that is to run, or as good as that.
    pub is_wanted: bool,
    /// What its host says of it; known to keepers.
    pub report: Option<ReplicaReport>,
    /// What this keeper holds of its slot's volumes.
    pub held: Option<Saved>,
}

impl Node {
    pub(super) fn service_views(&self, now: Timestamp) -> Vec<ServiceView> {
        let keeper = &self.services.keeper;
        let kept = keeper.services().filter_map(|service| keeper.view(now, service));
        let mut views: Vec<ServiceView> = kept
            .filter(|view| {
                view.declaration.spec.is_some() || view.replicas.iter().any(|placed| !placed.is_lost)
            })
            .map(|view| self.view_of_kept(view))
            .collect();
        let others = self.services.directory.known();
        let others = others.filter(|known| keeper.declared(known.declaration.service()).is_none());
        views.extend(others.map(|known| self.view_of_known(known)));
        views.sort_by(|one, other| {
            (&one.declaration.name, one.declaration.owner)
                .cmp(&(&other.declaration.name, other.declaration.owner))
        });
        views
    }

    pub(super) fn service_view(
        &self,
        now: Timestamp,
        name: &ServiceRef,
    ) -> Result<ServiceView, ServiceError> {
        let service = self.find_service(name)?;
        if let Some(view) = self.services.keeper.view(now, service) {
            return Ok(self.view_of_kept(view));
        }
        let known = self.services.directory.known().find(|known| known.declaration.service() == service);
        known.map(|known| self.view_of_known(known)).ok_or_else(|| UnknownService::None.into())
    }

    /// A service by name: also one that nobody advertises yet, for its owner and its keepers.
    pub(super) fn find_service(&self, name: &ServiceRef) -> Result<ServiceId, UnknownService> {
        let kept = |service: ServiceId| {
            self.services.keeper.declared(service).is_some_and(|(declaration, _)| declaration.spec.is_some())
        };
        let own = ServiceId::of(&name.owner.unwrap_or(self.own), &name.name);
        if kept(own) {
            return Ok(own);
        }
        self.services.directory.resolve(name, self.own).map(|resolved| resolved.service)
    }

    fn view_of_kept(&self, view: KeptView) -> ServiceView {
        let service = view.declaration.service();
        let replicas: Vec<ReplicaView> = view.replicas.iter().map(replica_view).collect();
        let spec = view.declared.spec_of(&view.declaration, view.wanted).cloned();
        ServiceView {
            service,
            state: state_of(&view, &replicas),
            spec,
            wanted: view.wanted,
            replicas_wanted: Some(view.replicas_wanted),
            given_up: view.given_up,
            failing: view.failing,
            is_acting: view.is_acting,
            replicas,
            open_ports: self.open_ports_of(service),
            notes: view.notes,
            declaration: view.declaration,
        }
    }

    fn view_of_known(&self, known: Known) -> ServiceView {
        let replicas = known.replicas.iter().map(|(replica, node, revision, state)| ReplicaView {
            replica: *replica,
            node: *node,
            revision: *revision,
            state: *state,
            is_lost: false,
            is_withdrawn: false,
            is_wanted: *revision == known.declaration.revision,
            report: None,
            held: None,
        });
        let replicas: Vec<ReplicaView> = replicas.collect();
        let answers = replicas.iter().any(|replica| replica.state.answers());
        let service = known.declaration.service();
        ServiceView {
            service,
            state: if answers { ServiceState::Healthy } else { ServiceState::Down },
            spec: None,
            wanted: known.declaration.revision,
            replicas_wanted: None,
            given_up: None,
            failing: None,
            is_acting: false,
            replicas,
            open_ports: self.open_ports_of(service),
            notes: Vec::new(),
            declaration: known.declaration,
        }
    }

    pub(super) fn open_ports_of(&self, service: ServiceId) -> Vec<OpenPort> {
        let all = self.services.ports.values().map(|(open, _)| open);
        all.filter(|open| self.find_service(&open.service) == Ok(service)).cloned().collect()
    }
}

fn replica_view(placed: &PlacedView) -> ReplicaView {
    let state = placed.report.as_ref().map_or(ReplicaState::Preparing, |report| report.state);
    ReplicaView {
        replica: placed.replica,
        node: placed.node,
        revision: placed.revision,
        state,
        is_lost: placed.is_lost,
        is_withdrawn: placed.is_withdrawn,
        is_wanted: placed.is_wanted,
        report: placed.report.clone(),
        held: placed.held,
    }
}

fn state_of(view: &KeptView, replicas: &[ReplicaView]) -> ServiceState {
    if view.declared.spec_of(&view.declaration, view.wanted).is_none() {
        return ServiceState::Removed;
    }
    let is_good = |replica: &&ReplicaView| {
        let state = replica.state;
        !replica.is_lost && !replica.is_withdrawn && (state.answers() || state == ReplicaState::Ended)
    };
    let good: Vec<&ReplicaView> = replicas.iter().filter(is_good).collect();
    let slots = |is_meant: fn(&ReplicaView) -> bool| {
        let meant = good.iter().filter(|replica| is_meant(replica));
        meant.map(|replica| replica.replica.slot).collect::<BTreeSet<u16>>().len()
    };
    let wanted = usize::from(view.replicas_wanted);
    if slots(|replica| replica.is_wanted) >= wanted {
        ServiceState::Healthy
    } else if good.iter().any(|replica| !replica.is_wanted) {
        ServiceState::Updating
    } else if slots(|_| true) > 0 {
        ServiceState::Degraded
    } else if replicas.iter().any(|replica| replica.report.as_ref().is_some_and(|report| report.restarts > 0))
    {
        ServiceState::Down
    } else {
        ServiceState::Starting
    }
}
