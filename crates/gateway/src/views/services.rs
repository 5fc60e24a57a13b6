//! Services as the API shows them.

use crate::auth::Caller;
use opensky_api::key::Role;
use opensky_api::service::{
    OpenPortView, ReplicaView, SavedView, ServiceNoteView, ServiceRequest, ServiceStateView, ServiceView,
};
use opensky_node::ServiceState;
use opensky_types::NodeId;

/// A service, as its node `own` knows it and `caller` may see it: values of variables are often secrets, and those
/// of other owners are nobody's business here.
pub(crate) fn view(own: NodeId, caller: &Caller, service: opensky_node::ServiceView) -> ServiceView {
    let declaration = service.declaration;
    let may_change = caller.role().is_some_and(|role| role >= Role::Operator);
    let sees_values = may_change && declaration.owner == own;
    let secrets = service.spec.as_ref().and_then(|spec| spec.secrets.as_ref());
    let readers = secrets.map(|secrets| secrets.readers.iter().map(|reader| reader.node).collect());
    let spec = service.spec.map(|spec| {
        let mut spec = ServiceRequest::from(spec);
        if !sees_values {
            spec.env.iter_mut().for_each(|(_, value)| value.clear());
        }
        spec
    });
    ServiceView {
        service: service.service,
        own: declaration.owner == own,
        name: declaration.name,
        owner: declaration.owner,
        state: state(service.state),
        revision: declaration.revision,
        wanted: service.wanted,
        replicas_wanted: service.replicas_wanted,
        problem: service.given_up.map(|given_up| given_up.problem),
        failures: service.failing.as_ref().map_or(0, |failing| failing.times),
        failure: service.failing.map(|failing| failing.problem),
        declared_at: declaration.made_at,
        ports: declaration.ports,
        keepers: declaration.keepers,
        acting: service.is_acting,
        spec,
        readers: readers.unwrap_or_default(),
        replicas: service.replicas.into_iter().map(replica).collect(),
        open_ports: service
            .open_ports
            .into_iter()
            .map(|open| OpenPortView { listen: open.listen, port: open.port })
            .collect(),
        notes: service
            .notes
            .into_iter()
            .map(|note| ServiceNoteView { at: note.at, slot: note.slot, text: note.text.to_string() })
            .collect(),
    }
}

const fn state(state: ServiceState) -> ServiceStateView {
    match state {
        ServiceState::Starting => ServiceStateView::Starting,
        ServiceState::Healthy => ServiceStateView::Healthy,
        ServiceState::Updating => ServiceStateView::Updating,
        ServiceState::Degraded => ServiceStateView::Degraded,
        ServiceState::Down => ServiceStateView::Down,
        ServiceState::Removed => ServiceStateView::Removed,
    }
}

fn replica(view: opensky_node::ReplicaView) -> ReplicaView {
    let report = view.report;
    let saved = report.as_ref().and_then(|report| report.saved).or(view.held);
    let saved = saved.map(|saved| SavedView::new(&saved, view.held.is_some_and(|held| held.id >= saved.id)));
    ReplicaView {
        saved,
        replica: view.replica,
        slot: view.replica.slot,
        node: view.node,
        revision: view.revision,
        state: view.state,
        lost: view.is_lost,
        ending: view.is_withdrawn,
        for_ms: report.as_ref().map(|report| report.for_ms),
        restarts: report.as_ref().map_or(0, |report| report.restarts),
        connections: report.as_ref().map_or(0, |report| report.connections),
        cpu_percent: report.as_ref().map_or(0, |report| report.cpu_percent),
        problem: report.as_ref().map(|report| report.problem.clone()).unwrap_or_default(),
        last_words: report.map(|report| report.last_words).unwrap_or_default(),
    }
}
