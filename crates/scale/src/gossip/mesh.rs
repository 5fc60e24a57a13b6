//! Who is connected to whom, and the meshes that heartbeats make of it.

use crate::{
    chance::Chance,
    links::Links,
    params::{CONNECTIONS_MAX, MESH, MESH_HIGH, MESH_LOW, MESH_OUTBOUND_MIN},
};

/// Beats after which meshes have settled.
const BEATS: usize = 12;

/// A sky's connections and its meshes of one topic. Nodes are named in the order in which they came, so a node has
/// dialled those with a lower number and was dialled by the others.
#[derive(Debug)]
pub struct Mesh {
    /// Connections of each node.
    pub peers: Vec<Vec<u32>>,
    /// Of those, its mesh.
    pub mesh: Vec<Vec<u32>>,
    /// Whether it is there.
    pub is_there: Vec<bool>,
    /// Whether it passes nothing on.
    pub is_silent: Vec<bool>,
    /// How long messages take.
    pub links: Links,
    /// GRAFT and PRUNE messages that were sent.
    pub control: u64,
    /// Who refused whom, and is left alone for a minute.
    refused: Vec<Vec<u32>>,
}

impl Mesh {
    /// A sky that grew: each node that came connected to `target` that were there, where they had room.
    pub fn grown(nodes: usize, target: usize, chance: &mut Chance) -> Self {
        let mut sky = Self::empty(nodes, chance);
        for came in 1..nodes as u32 {
            let mut tries = 0;
            while sky.peers[came as usize].len() < target.min(came as usize) && tries < 8 * target {
                let other = chance.below(came as usize) as u32;
                sky.connect(came, other);
                tries += 1;
            }
        }
        sky.settle(chance);
        sky
    }

    /// Nodes without connections.
    pub fn empty(nodes: usize, chance: &mut Chance) -> Self {
        Self {
            peers: vec![Vec::new(); nodes],
            mesh: vec![Vec::new(); nodes],
            is_there: vec![true; nodes],
            is_silent: vec![false; nodes],
            links: Links::draw(nodes, chance),
            control: 0,
            refused: vec![Vec::new(); nodes],
        }
    }

    /// Connects two, if both have room.
    pub fn connect(&mut self, one: u32, other: u32) -> bool {
        let is_full = |node: u32| self.peers[node as usize].len() >= CONNECTIONS_MAX;
        if one == other || is_full(one) || is_full(other) || self.peers[one as usize].contains(&other) {
            return false;
        }
        self.peers[one as usize].push(other);
        self.peers[other as usize].push(one);
        true
    }

    /// Lets meshes form.
    pub fn settle(&mut self, chance: &mut Chance) {
        let mut order: Vec<u32> = (0..self.peers.len() as u32).collect();
        for _ in 0..BEATS {
            let all = order.len();
            chance.draw(&mut order, all);
            for node in &order {
                if self.is_silent[*node as usize] { self.intrude(*node) } else { self.beat(*node, chance) }
            }
        }
    }

    /// One heartbeat of one node (gossipsub specification v1.1, mesh maintenance; scores are even, so none decides).
    fn beat(&mut self, node: u32, chance: &mut Chance) {
        let size = self.mesh[node as usize].len();
        if size < MESH_LOW {
            self.graft(node, MESH - size, false, chance);
        }
        if self.mesh[node as usize].len() > MESH_HIGH {
            self.prune(node, chance);
        }
        let dialled = self.mesh[node as usize].iter().filter(|peer| **peer < node).count();
        if self.mesh[node as usize].len() >= MESH_LOW && dialled < MESH_OUTBOUND_MIN {
            self.graft(node, MESH_OUTBOUND_MIN - dialled, true, chance);
        }
    }

    fn graft(&mut self, node: u32, count: usize, dialled_only: bool, chance: &mut Chance) {
        let (mesh, refused) = (&self.mesh[node as usize], &self.refused[node as usize]);
        let is_wanted =
            |peer: &u32| !mesh.contains(peer) && !refused.contains(peer) && (!dialled_only || *peer < node);
        let mut others: Vec<u32> = self.peers[node as usize].iter().copied().filter(is_wanted).collect();
        chance.draw(&mut others, count);
        for other in others.into_iter().take(count) {
            self.ask(node, other);
        }
    }

    /// GRAFT: let in where there is room, or where the asked node dialled the other one itself.
    fn ask(&mut self, node: u32, other: u32) {
        self.control += 1;
        let dialled_by_other = node < other;
        if self.mesh[other as usize].len() >= MESH_HIGH && !dialled_by_other {
            self.control += 1;
            self.refused[node as usize].push(other);
            return;
        }
        for (own, peer) in [(node, other), (other, node)] {
            if !self.mesh[own as usize].contains(&peer) {
                self.mesh[own as usize].push(peer);
            }
        }
    }

    fn prune(&mut self, node: u32, chance: &mut Chance) {
        let mut mesh = std::mem::take(&mut self.mesh[node as usize]);
        let all = mesh.len();
        chance.draw(&mut mesh, all);
        // Two that it dialled itself stay.
        mesh.sort_by_key(|peer| *peer > node);
        mesh[MESH_OUTBOUND_MIN.min(all)..].sort_by_key(|peer| crate::queue::mix(u64::from(*peer)));
        for peer in mesh.split_off(MESH) {
            self.control += 1;
            self.mesh[peer as usize].retain(|other| *other != node);
            self.refused[peer as usize].push(node);
            self.refused[node as usize].push(peer);
        }
        self.mesh[node as usize] = mesh;
    }

    /// A hostile node asks all its peers into its mesh, and leaves none.
    fn intrude(&mut self, node: u32) {
        for peer in self.peers[node as usize].clone() {
            if !self.is_silent[peer as usize] && !self.mesh[node as usize].contains(&peer) {
                self.ask(node, peer);
            }
        }
    }

    /// Lets a share of nodes vanish without a word.
    pub fn vanish(&mut self, share: f64, chance: &mut Chance) {
        for is_there in &mut self.is_there {
            *is_there = !chance.is(share);
        }
    }

    /// Any node that is there and passes on.
    pub fn any(&self, chance: &mut Chance) -> u32 {
        loop {
            let node = chance.below(self.peers.len());
            if self.is_there[node] && !self.is_silent[node] {
                return node as u32;
            }
        }
    }

    /// Nodes that are there and pass on.
    pub fn honest(&self) -> impl Iterator<Item = u32> {
        (0..self.peers.len() as u32)
            .filter(|node| self.is_there[*node as usize] && !self.is_silent[*node as usize])
    }

    /// Mean connections of nodes that pass on.
    pub fn peers_mean(&self) -> f64 {
        let total: usize = self.honest().map(|node| self.peers[node as usize].len()).sum();
        total as f64 / self.honest().count().max(1) as f64
    }

    /// Mean size of their meshes.
    pub fn mesh_mean(&self) -> f64 {
        let total: usize = self.honest().map(|node| self.mesh[node as usize].len()).sum();
        total as f64 / self.honest().count().max(1) as f64
    }

    /// Asserts the invariants.
    pub fn check(&self) {
        for node in 0..self.peers.len() as u32 {
            let (peers, mesh) = (&self.peers[node as usize], &self.mesh[node as usize]);
            assert!(peers.len() <= CONNECTIONS_MAX, "too many connections");
            for peer in mesh {
                assert!(peers.contains(peer), "a mesh holds a node that is not connected");
                assert!(self.mesh[*peer as usize].contains(&node), "a mesh holds a node that does not know");
            }
        }
    }
}
