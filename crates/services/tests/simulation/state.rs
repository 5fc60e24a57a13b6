//! What can be seen of a service from outside.

use crate::{
    node::Node,
    sky::{Sky, time},
};
use opensky_types::{
    NodeId, ServiceId,
    service::{Declaration, ReplicaId, ReplicaReport, ReplicaState, ServiceSpec},
};
use std::collections::{BTreeMap, BTreeSet};

/// The port of every test service.
pub const PORT: u16 = 80;

impl Sky {
    /// What was declared last.
    pub fn newest(&self, service: ServiceId) -> &(Declaration, Option<ServiceSpec>) {
        self.history[&service].last().expect("it was declared")
    }

    fn up(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.is_up)
    }

    /// All replicas of a service, on whatever node, in whatever state.
    pub fn replicas(&self, service: ServiceId) -> Vec<(ReplicaReport, NodeId)> {
        let of_node = |node: &Node| {
            let views: Vec<_> = node.host.views(time(self.now)).map(|view| (view.report, node.id)).collect();
            views
        };
        self.up().flat_map(of_node).filter(|(report, _)| report.replica.service == service).collect()
    }

    /// Slots of which some replica takes connections.
    pub fn answering_slots(&self, service: ServiceId) -> BTreeSet<u16> {
        let replicas = self.replicas(service).into_iter();
        replicas.filter(|(report, _)| report.state.answers()).map(|(report, _)| report.replica.slot).collect()
    }

    /// Slots that the onlooker reaches: its directory names a replica, and that one takes a connection.
    pub fn reachable_slots(&self, service: ServiceId) -> BTreeSet<u16> {
        let named = self.onlooker().directory.answering(time(self.now), service);
        named.into_iter().filter(|dialled| self.takes(*dialled)).map(|(replica, _)| replica.slot).collect()
    }

    /// The node that acts for a service, where it is one alone.
    pub fn acting(&self, service: ServiceId) -> Option<usize> {
        let acts = |node: &&Node| node.keeper.stand(service).is_some_and(|(_, acts, _)| acts);
        let acting: Vec<_> = self.up().filter(acts).map(|node| node.id).collect();
        if let [only] = acting[..] { Some(self.number(only)) } else { None }
    }

    /// The revision that is to run, as the acting keeper sees it.
    pub fn wanted(&self, service: ServiceId) -> Option<u64> {
        let acting = self.acting(service)?;
        Some(self.nodes[acting].keeper.view(time(self.now), service)?.wanted)
    }

    /// Slots in which a replica of `revision` is to take the place of one that answers.
    pub fn in_transition(&self, service: ServiceId, revision: u64) -> usize {
        let mut slots: BTreeMap<u16, (bool, bool)> = BTreeMap::new();
        for (report, _) in self.replicas(service) {
            let (is_served, is_coming) = slots.entry(report.replica.slot).or_default();
            *is_served |= report.state.answers() && report.revision != revision;
            *is_coming |= !report.state.answers()
                && report.state != ReplicaState::Leaving
                && report.state != ReplicaState::Failed
                && report.revision == revision;
        }
        slots.values().filter(|(is_served, is_coming)| *is_served && *is_coming).count()
    }

    /// Whether all is as it should be, and if not, what is wrong.
    pub fn is_settled(&self, service: ServiceId) -> Result<(), String> {
        let Some(wanted) = self.wanted(service) else { return Err("not one keeper acts".into()) };
        let (newest, spec) = self.newest(service);
        let first =
            newest.keepers.iter().map(|keeper| self.number(*keeper)).find(|number| self.nodes[*number].is_up);
        if self.acting(service) != first {
            return Err("another keeper acts than the first one that is there".into());
        }
        let replicas = self.replicas(service);
        let named = self.onlooker().directory.answering(time(self.now), service);
        if spec.is_none() {
            let is_over = replicas.is_empty() && named.is_empty();
            return if is_over { Ok(()) } else { Err(format!("removed and there: {replicas:?} {named:?}")) };
        }
        let known = self.acting(service).and_then(|number| self.nodes[number].keeper.stand(service));
        if known.is_none_or(|(revision, ..)| revision != newest.revision) {
            return Err("the newest revision is not known".into());
        }
        let spec = &self.history[&service][wanted as usize - 1].1.as_ref().expect("it runs something");
        let all: BTreeSet<(ReplicaId, NodeId)> =
            replicas.iter().map(|(report, node)| (report.replica, *node)).collect();
        let slots: Vec<u16> = all.iter().map(|(replica, _)| replica.slot).collect();
        let is_whole = slots == (0..spec.replicas).collect::<Vec<_>>();
        let is_good = |(report, _): &(ReplicaReport, NodeId)| {
            report.state == ReplicaState::Healthy && report.revision == wanted
        };
        if !is_whole || !replicas.iter().all(is_good) {
            return Err(format!("revision {wanted} in {} slots: {replicas:#?}", spec.replicas));
        }
        let named: BTreeSet<(ReplicaId, NodeId)> = named.into_iter().collect();
        if named == all { Ok(()) } else { Err(format!("named {named:?}, there are {all:?}")) }
    }

    /// Nodes that run replicas, each as often as it does.
    pub fn spread(&self, service: ServiceId) -> BTreeMap<NodeId, usize> {
        let mut nodes = BTreeMap::new();
        self.replicas(service).iter().for_each(|(_, node)| *nodes.entry(*node).or_default() += 1);
        nodes
    }

    /// For a failed test: what the acting keeper noted.
    pub fn story(&self, service: ServiceId) -> String {
        let view = |node: &Node| node.keeper.view(time(self.now), service);
        let mut story = String::new();
        for (number, view) in self.up().filter_map(|node| Some((self.number(node.id), view(node)?))) {
            story += &format!("keeper {number}, acts: {}, wants {}\n", view.is_acting, view.wanted);
            for note in view.notes {
                let ms = note.at.ms_since(time(0));
                story += &format!("  {ms:>6} {:?} {}\n", note.slot, note.text);
            }
            for placed in view.replicas {
                let state = placed.report.map(|report| report.state);
                let (replica, on) = (placed.replica, self.number(placed.node));
                let (lost, gone) = (placed.is_lost, placed.is_withdrawn);
                story += &format!("  {replica} on {on}: {state:?}, lost {lost}, withdrawn {gone}\n");
            }
        }
        story
    }
}
