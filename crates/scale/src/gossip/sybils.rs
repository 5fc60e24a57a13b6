//! Gossip among members of whom 20 of 21 are one attacker's, who join meshes and pass nothing on. Scores do not see
//! that today: silence is no fault (`network/src/behaviour.rs`, `score`).

use super::{mesh::Mesh, spread::spread};
use crate::{
    chance::Chance,
    params::{CONNECTIONS_MAX, CONNECTIONS_TARGET},
    report::{Cell, Table, mean, quantile},
    run::{Progress, Trace},
    sizes,
};

/// Messages for one row.
const MESSAGES: usize = 10;

/// How the attacker came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It is not a member: refused at the knock.
    Never,
    /// After the honest sky had grown; it takes all places that are left.
    Later,
    /// While the sky grew: among the members that a newcomer knows it has its share, and it takes all places.
    Together,
    /// As [`Arrival::Later`], but a node gives at most half of its places to those that dial it; the rest it fills
    /// with members of its own choice among those it knew. A rule that the product does not have.
    HalfReserved,
}

/// Coverage by how the attacker came.
pub fn table(
    honest: usize,
    ratio: usize,
    seed: u64,
    trace: &mut Trace,
    progress: &mut Progress<'_>,
) -> Table {
    let mut table = Table::new(
        "sybils-gossip",
        format!("one offer among {honest} honest members, {ratio} Sybils for each, that pass nothing on"),
        &[
            "the attacker",
            "Sybil peers",
            "Sybils in the mesh",
            "reached",
            "least reached",
            "copies",
            "99 % ms",
        ],
    );
    for (name, arrival) in [
        ("is no member (closed sky)", Arrival::Never),
        ("came later", Arrival::Later),
        ("grew with the sky", Arrival::Together),
        ("came later, half of the places reserved", Arrival::HalfReserved),
    ] {
        progress(&format!("sybils: gossip, {name}"));
        let mut chance = Chance::new(seed, "gossip among sybils");
        let mesh = attacked(honest, ratio, arrival, &mut chance);
        let mut courses = Vec::new();
        for _ in 0..MESSAGES {
            let origin = mesh.any(&mut chance);
            let (course, events) = spread(&mesh, origin, sizes::gossiped(sizes::offer()), &mut chance);
            trace.add(events);
            courses.push(course);
        }
        let mut reached: Vec<f64> = courses.iter().map(|course| course.reached).collect();
        table.row([
            Cell::from(name),
            share(&mesh, &mesh.peers).into(),
            share(&mesh, &mesh.mesh).into(),
            mean(&reached).into(),
            quantile(&mut reached, 0.0).into(),
            mean(&courses.iter().map(|course| course.copies).collect::<Vec<f64>>()).into(),
            mean(&courses.iter().map(|course| course.most_ms).collect::<Vec<f64>>()).into(),
        ]);
    }
    table.note("goal: 99.9 % of deliveries at 20:1");
    table
}

fn share(mesh: &Mesh, of: &[Vec<u32>]) -> f64 {
    let (mut all, mut silent) = (0_u64, 0_u64);
    for node in mesh.honest() {
        all += of[node as usize].len() as u64;
        silent += of[node as usize].iter().filter(|peer| mesh.is_silent[**peer as usize]).count() as u64;
    }
    silent as f64 / all.max(1) as f64
}

fn attacked(honest: usize, ratio: usize, arrival: Arrival, chance: &mut Chance) -> Mesh {
    let sybils = if arrival == Arrival::Never { 0 } else { honest * ratio };
    let mut mesh = Mesh::empty(honest + sybils, chance);
    mesh.is_silent[honest..].fill(true);
    for came in 0..honest as u32 {
        dial(&mut mesh, came, honest, ratio, arrival, chance);
        if arrival == Arrival::Together {
            crowd(&mut mesh, came, honest, CONNECTIONS_MAX, chance);
        }
    }
    for node in 0..honest as u32 {
        match arrival {
            Arrival::Later => crowd(&mut mesh, node, honest, CONNECTIONS_MAX, chance),
            Arrival::HalfReserved => {
                let places = mesh.peers[node as usize].len().max(CONNECTIONS_MAX / 2);
                crowd(&mut mesh, node, honest, places, chance);
            }
            Arrival::Never | Arrival::Together => {}
        }
    }
    if arrival == Arrival::HalfReserved {
        reserve(&mut mesh, honest, chance);
    }
    mesh.settle(chance);
    mesh
}

/// An honest newcomer connects to members that it knows.
fn dial(mesh: &mut Mesh, came: u32, honest: usize, ratio: usize, arrival: Arrival, chance: &mut Chance) {
    let mut tries = 0;
    while mesh.peers[came as usize].len() < CONNECTIONS_TARGET && tries < 8 * CONNECTIONS_TARGET {
        tries += 1;
        let is_sybil = arrival == Arrival::Together && chance.below(ratio + 1) != 0;
        let other =
            if is_sybil { honest + chance.below(honest * ratio) } else { chance.below(came as usize) };
        mesh.connect(came, other as u32);
    }
}

/// The attacker's nodes take what places a node has left.
fn crowd(mesh: &mut Mesh, node: u32, honest: usize, places: usize, chance: &mut Chance) {
    let sybils = mesh.peers.len() - honest;
    let mut tries = 0;
    while mesh.peers[node as usize].len() < places && tries < 8 * CONNECTIONS_MAX {
        tries += 1;
        mesh.connect(node, (honest + chance.below(sybils)) as u32);
    }
}

/// The other half of the places goes to members that it knew before the attacker came.
fn reserve(mesh: &mut Mesh, honest: usize, chance: &mut Chance) {
    for node in 0..honest as u32 {
        let mut tries = 0;
        while mesh.peers[node as usize].len() < CONNECTIONS_MAX && tries < 2 * CONNECTIONS_MAX {
            tries += 1;
            let other = chance.below(honest) as u32;
            mesh.connect(node, other);
        }
    }
}
